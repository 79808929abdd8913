//! The code on the screen at a meeting's door: it changes every half minute and opens that meeting alone.
//!
//! Always true: a code is good for a minute at most, for one meeting; who scanned it in time has ten minutes to press the
//! button, and what is kept for that is good for that person alone; neither is stored, and neither says anything about who
//! holds it.
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    ids::{MeetingId, PersonId},
    keys::{Keys, same},
};

/// Seconds for which one code is shown; it opens for as long again, for whoever was about to scan it.
pub const SHOWN_SECS: i64 = 30;
/// Minutes that who scanned it has to press the button.
const TICKET_MINUTES: i64 = 10;
/// Signs of a code: 96 bits, of which nobody guesses one in a minute.
const LENGTH: usize = 16;

/// The code that the screen shows now.
#[must_use]
pub fn code(keys: &Keys, meeting: MeetingId, now: DateTime<Utc>) -> String {
    code_of(keys, meeting, slot(now))
}

/// Until when that one opens.
#[must_use]
pub fn expires_at(now: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp((slot(now) + 2) * SHOWN_SECS, 0).unwrap_or(now)
}

/// What somebody who scanned the code in time holds until the button is pressed.
#[must_use]
pub fn ticket(keys: &Keys, (meeting, person): (MeetingId, PersonId), now: DateTime<Utc>) -> String {
    ticket_of(keys, (meeting, person), now.timestamp().div_euclid(60))
}

/// Is this the code of that meeting's screen, or that person's ticket?
#[must_use]
pub fn opens(keys: &Keys, (meeting, person): (MeetingId, PersonId), shown: &str, now: DateTime<Utc>) -> bool {
    let is_code = is_shown(keys, meeting, shown, now);
    let minute = now.timestamp().div_euclid(60);
    let is_ticket = (0..TICKET_MINUTES).any(|ago| same(shown, &ticket_of(keys, (meeting, person), minute - ago)));
    is_code || is_ticket
}

/// Is it what the screen shows, or showed a moment ago?
#[must_use]
pub fn is_shown(keys: &Keys, meeting: MeetingId, shown: &str, now: DateTime<Utc>) -> bool {
    let earlier = now - TimeDelta::seconds(SHOWN_SECS);
    [now, earlier].into_iter().any(|at| same(shown, &code_of(keys, meeting, slot(at))))
}

fn slot(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(SHOWN_SECS)
}

fn code_of(keys: &Keys, meeting: MeetingId, slot: i64) -> String {
    keys.lookup("meeting_door", &format!("{meeting} {slot}")).chars().take(LENGTH).collect()
}

fn ticket_of(keys: &Keys, (meeting, person): (MeetingId, PersonId), minute: i64) -> String {
    keys.lookup("meeting_ticket", &format!("{meeting} {person} {minute}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> (tempfile::TempDir, Keys) {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(folder.path()).unwrap();
        (folder, keys)
    }

    #[test]
    fn a_code_opens_one_meeting_for_a_minute_at_most() {
        let (_folder, keys) = keys();
        let (meeting, other, person) = (MeetingId::new(), MeetingId::new(), PersonId::new());
        let shown_at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let shown = code(&keys, meeting, shown_at);
        assert_eq!(shown.len(), LENGTH);
        let opens_after = |secs| opens(&keys, (meeting, person), &shown, shown_at + TimeDelta::seconds(secs));
        assert!(opens_after(0) && opens_after(29) && opens_after(59));
        assert!(!opens_after(60) && !opens_after(-1) && !opens_after(3600));
        assert!(!opens(&keys, (other, person), &shown, shown_at), "another meeting");
        assert_eq!(expires_at(shown_at + TimeDelta::seconds(7)), shown_at + TimeDelta::seconds(60));
        for wrong in ["", &shown[1..], &format!("{shown}x"), &shown.to_lowercase()] {
            assert!(!opens(&keys, (meeting, person), wrong, shown_at), "{wrong}");
        }
    }

    #[test]
    fn a_ticket_is_one_person_s_for_ten_minutes() {
        let (_folder, keys) = keys();
        let (meeting, person) = (MeetingId::new(), PersonId::new());
        let scanned = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let held = ticket(&keys, (meeting, person), scanned);
        let opens_after = |secs| opens(&keys, (meeting, person), &held, scanned + TimeDelta::seconds(secs));
        assert!(opens_after(0) && opens_after(599) && !opens_after(600) && !opens_after(-1));
        assert!(!opens(&keys, (meeting, PersonId::new()), &held, scanned), "somebody else");
        assert!(!opens(&keys, (MeetingId::new(), person), &held, scanned), "another meeting");
        assert!(!is_shown(&keys, meeting, &held, scanned), "no code for others");
    }
}
