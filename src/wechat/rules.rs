//! Windows, rounds and scenes, without I/O.
use chrono::TimeDelta;

/// Messages in the conversation after somebody said something, and how long they may take.
pub const SAID: (i32, TimeDelta) = (5, TimeDelta::hours(48));
/// After a follow, a scan or a touch of the menu.
pub const TOUCHED: (i32, TimeDelta) = (3, TimeDelta::minutes(1));
/// How long somebody may take on the way to WeChat and back, and then to prove the phone.
pub const LOG_IN: TimeDelta = TimeDelta::minutes(15);
/// Rounds of one browser within [`ROUND`].
pub const TURNS: i32 = 2;
/// What the guard against going round looks back on.
pub const ROUND: TimeDelta = TimeDelta::seconds(60);

/// What WeChat says of a send comes within this time; then it is forgotten.
pub const REPORTED_WITHIN: TimeDelta = TimeDelta::days(3);
/// Who said no is not asked again for so long.
pub const NO_NAGGING: TimeDelta = TimeDelta::days(90);
/// Who consented so often is not asked for more.
pub const ENOUGH: i32 = 3;
/// WeChat shows so many templates at once.
pub const ASKED_AT_ONCE: usize = 3;

/// A moment at which consents make sense to whoever is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Looks at the own voice.
    OwnVoice,
    /// Looks at a notice.
    Notice,
    /// Looks at a vote and has no ballot to fill in.
    Vote,
    /// Looks at the settings: whatever there is.
    Settings,
}

impl Moment {
    /// What is told by the templates that are asked for then.
    #[must_use]
    pub fn asks(self, template: &str) -> bool {
        let begins: &[&str] = match self {
            Self::OwnVoice => &["suggestion_", "matter_"],
            Self::Notice => &["notice_", "meeting_"],
            Self::Vote => &["vote_"],
            Self::Settings => &[""],
        };
        begins.iter().any(|begin| template.starts_with(begin))
    }
}

/// What a village's code says.
#[must_use]
pub fn scene(area: &str) -> String {
    format!("v:{area}")
}

/// The village that a scene names, if it is one of ours.
#[must_use]
pub fn village_of(scene: &str) -> Option<&str> {
    scene.strip_prefix("v:").filter(|code| code.len() == 12 && code.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scene_names_its_village_and_nothing_else() {
        assert_eq!(village_of(&scene("330521103202")), Some("330521103202"));
        for bad in ["", "330521103202", "v:", "v:33052110320", "v:33052110320x", "x:330521103202"] {
            assert_eq!(village_of(bad), None, "{bad}");
        }
    }
}
