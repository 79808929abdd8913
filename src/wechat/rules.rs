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
