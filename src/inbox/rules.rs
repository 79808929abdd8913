//! What becomes of what was said, without I/O.
use chrono::TimeDelta;

use crate::{gateways::wechat::inbound::Said, suggestions::SuggestionState, wechat::reports::Report};

/// To be worked on, or being worked on.
pub const WAITING: &str = "waiting";
/// Nothing more follows.
pub const DONE: &str = "done";
/// Given up, with a reason.
pub const DEAD: &str = "dead";
/// A photo is fetched for more than two days; then it is gone at WeChat soon.
pub const MAX_TRIES: i32 = 20;
/// How long a worker may take.
pub const LEASE: TimeDelta = TimeDelta::seconds(120);
/// Messages follow a voice into its thread for this long after the last of them.
pub const SAME_THREAD: TimeDelta = TimeDelta::hours(48);
/// A message is remembered this long, so that it is not taken twice.
pub const REMEMBERED: TimeDelta = TimeDelta::hours(24);

/// What was given up is kept this long, so that it can be taken after all.
pub const KEPT_FOR_REDRIVE: TimeDelta = TimeDelta::days(30);

/// What WeChat's words about a send mean: to block is to hear nothing any more, to refuse is about one template.
#[must_use]
pub fn report(status: &str) -> Report {
    let said = status.to_ascii_lowercase();
    if said.trim() == "success" {
        Report::Arrived
    } else if said.contains("block") {
        Report::Blocked
    } else if ["43101", "reject", "refuse"].iter().any(|word| said.contains(word)) {
        Report::Refused
    } else {
        Report::Failed
    }
}

/// Does anything follow from it besides what is noted about the account?
#[must_use]
pub fn follows(said: &Said) -> bool {
    matches!(
        said,
        Said::Text { .. }
            | Said::Photo { .. }
            | Said::Voice { .. }
            | Said::Film
            | Said::Place { .. }
            | Said::Subscribe { .. }
            | Said::Click { .. }
    )
}

/// Seconds until the next try: 10 s, 20 s … up to six hours.
#[must_use]
pub fn wait(tries: i32) -> TimeDelta {
    let doubled = 10_i64.saturating_mul(1_i64.checked_shl(tries.unsigned_abs().min(16)).unwrap_or(i64::MAX));
    TimeDelta::seconds(doubled.min(6 * 3600))
}

/// Do more words go into the thread of a voice in this state?
#[must_use]
pub fn is_open(state: SuggestionState) -> bool {
    !matches!(state, SuggestionState::Rated | SuggestionState::Withdrawn)
}

/// Begins a new voice whatever is open: the word that stands before it is taken away.
#[must_use]
pub fn begins_anew<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let rest = text.trim_start().strip_prefix(word)?;
    Some(rest.trim_start_matches([' ', '：', ':', '，', ',', '\n', '\u{3000}']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_voice_is_begun_by_its_word() {
        assert_eq!(begins_anew("新留言：路灯坏了", "新留言"), Some("路灯坏了"));
        assert_eq!(begins_anew(" 新留言 路灯", "新留言"), Some("路灯"));
        assert_eq!(begins_anew("路灯坏了", "新留言"), None);
    }

    #[test]
    fn a_report_is_read_by_its_words() {
        assert_eq!(report("success"), Report::Arrived);
        assert_eq!(report("failed:user block"), Report::Blocked);
        for refused in ["failed: 43101 ", "failed: 43101 user refuse to accept the msg", "failed: 1 reject"] {
            assert_eq!(report(refused), Report::Refused, "{refused}");
        }
        for other in ["failed: system failed", "failed: 43004 require subscribe", "", "unsuccessful"] {
            assert_eq!(report(other), Report::Failed, "{other}");
        }
    }

    #[test]
    fn waits_grow_to_cover_two_days() {
        assert_eq!((wait(0).num_seconds(), wait(1).num_seconds()), (10, 20));
        let all: i64 = (0..MAX_TRIES).map(|tries| wait(tries).num_seconds()).sum();
        // WeChat keeps a file for three
        assert!((48 * 3600..72 * 3600).contains(&all), "{all}");
        assert_eq!(wait(1000), TimeDelta::hours(6));
    }
}
