//! One-time codes: how often one may be asked for, how long and how often it may be tried.
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    error::{Code, Result},
    keys::Keys,
};

/// How long a code holds.
pub(super) const CODE_SECS: i64 = 300;
/// How soon another may be asked for.
pub(super) const PAUSE_SECS: i64 = 60;
/// Tries after which a code is burnt.
pub(super) const MAX_TRIES: i32 = 5;
/// What the limits look back on.
pub(super) const DAY: TimeDelta = TimeDelta::days(1);
/// Further ahead no clock of another server is.
pub(super) const AHEAD: TimeDelta = TimeDelta::minutes(1);
const PER_HOUR: usize = 5;
const PER_DAY: usize = 10;
/// What one network may use of a number's share: whoever asks for codes in another's name leaves the owner some.
const PER_HOUR_HERE: usize = 4;
const PER_DAY_HERE: usize = 8;

/// What was asked for in the last day.
pub(super) struct Asked {
    /// When, for this number, in any order; and whether from the network that asks now.
    pub(super) for_number: Vec<(DateTime<Utc>, bool)>,
    /// How many from this network for any number, and how many it may.
    pub(super) from_network: (u64, u64),
    /// How many went out over the whole county, and how many may.
    pub(super) went_out: (u64, u64),
}

/// May another code be sent to this number?
///
/// # Errors
/// `code_too_soon` within a minute of the last, `code_too_many` beyond five an hour, ten a day, or the network's share,
/// `sms_budget_spent` when the county's is used up.
pub(super) fn may_send(asked: &Asked, now: DateTime<Utc>) -> Result<()> {
    let every: Vec<_> = asked.for_number.iter().map(|(at, _)| *at).collect();
    let here: Vec<_> = asked.for_number.iter().filter(|(_, is_here)| *is_here).map(|(at, _)| *at).collect();
    of_number(&every, (PER_HOUR, PER_DAY), now)?;
    of_number(&here, (PER_HOUR_HERE, PER_DAY_HERE), now)?;
    if asked.from_network.0 >= asked.from_network.1 {
        return Err(Code::CodeTooMany.after_secs(3600));
    }
    if asked.went_out.0 >= asked.went_out.1 {
        return Err(Code::SmsBudgetSpent.after_secs(3600));
    }
    Ok(())
}

fn of_number(sent: &[DateTime<Utc>], (per_hour, per_day): (usize, usize), now: DateTime<Utc>) -> Result<()> {
    let within = |span: TimeDelta| sent.iter().filter(move |at| now - **at < span);
    let until = |first: Option<&DateTime<Utc>>, span: TimeDelta| {
        let secs = first.map_or(span, |first| *first + span - now).num_seconds();
        u64::try_from(secs).unwrap_or_default().max(1)
    };
    if let Some(last) = within(TimeDelta::seconds(PAUSE_SECS)).max() {
        return Err(Code::CodeTooSoon.after_secs(until(Some(last), TimeDelta::seconds(PAUSE_SECS))));
    }
    if within(DAY).count() >= per_day {
        return Err(Code::CodeTooMany.after_secs(until(within(DAY).min(), DAY)));
    }
    let hour = TimeDelta::hours(1);
    if within(hour).count() >= per_hour {
        return Err(Code::CodeTooMany.after_secs(until(within(hour).min(), hour)));
    }
    Ok(())
}

/// What is kept of a code: bound to its request and its number.
pub(super) fn keep(keys: &Keys, request: uuid::Uuid, phone_hmac: &str, code: &str) -> String {
    keys.lookup("login-code", &format!("{request} {phone_hmac} {code}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_764_000_000, 0).unwrap()
    }

    fn asked(sent: &[i64], is_here: bool) -> Asked {
        let for_number = sent.iter().map(|secs| (now() - TimeDelta::seconds(*secs), is_here)).collect();
        Asked { for_number, from_network: (0, 30), went_out: (0, 1000) }
    }

    fn refusal(sent: &[i64], from_network: u64) -> Option<Code> {
        let asked = Asked { from_network: (from_network, 30), ..asked(sent, false) };
        may_send(&asked, now()).err().map(|error| error.code())
    }

    #[test]
    fn one_network_never_uses_up_a_number_s_share() {
        let refusal = |sent: &[i64], is_here| may_send(&asked(sent, is_here), now()).err().map(|error| error.code());
        assert_eq!(refusal(&[61, 200, 300], true), None);
        assert_eq!(refusal(&[61, 200, 300, 400], true), Some(Code::CodeTooMany));
        assert_eq!(refusal(&[61, 200, 300, 400], false), None, "the owner at home still gets one");
        let spread: Vec<i64> = (1..=8).map(|n| n * 8000).collect();
        assert_eq!(refusal(&spread, true), Some(Code::CodeTooMany));
        assert_eq!(refusal(&spread, false), None);
    }

    #[test]
    fn the_county_s_budget_ends_it_for_everybody() {
        let of = |went_out| may_send(&Asked { went_out, ..asked(&[], false) }, now()).err().map(|error| error.code());
        assert_eq!(of((999, 1000)), None);
        assert_eq!(of((1000, 1000)), Some(Code::SmsBudgetSpent));
    }

    #[test]
    fn one_a_minute_five_an_hour_ten_a_day_thirty_an_address() {
        assert_eq!(refusal(&[], 0), None);
        assert_eq!(refusal(&[59], 0), Some(Code::CodeTooSoon));
        assert_eq!(refusal(&[60], 0), None);
        assert_eq!(refusal(&[61, 200, 300, 400], 0), None);
        assert_eq!(refusal(&[61, 200, 300, 400, 3599], 0), Some(Code::CodeTooMany));
        assert_eq!(refusal(&[61, 200, 300, 400, 3600], 0), None);
        let spread: Vec<i64> = (1..=10).map(|n| n * 8000).collect();
        assert_eq!(refusal(&spread, 0), Some(Code::CodeTooMany));
        assert_eq!(refusal(&spread[..9], 29), None);
        assert_eq!(refusal(&[], 30), Some(Code::CodeTooMany));
    }

    #[test]
    fn a_refusal_says_when_to_come_back() {
        let crate::error::Error::Refused(refusal) = may_send(&asked(&[15], false), now()).unwrap_err() else {
            panic!()
        };
        assert_eq!(refusal.retry_after_secs, Some(45));
    }

    #[test]
    fn a_kept_code_fits_its_request_number_and_digits_only() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(folder.path()).unwrap();
        let request = uuid::Uuid::now_v7();
        let kept = keep(&keys, request, "phone", "123456");
        assert_eq!(kept, keep(&keys, request, "phone", "123456"));
        assert_ne!(kept, keep(&keys, request, "phone", "123457"));
        assert_ne!(kept, keep(&keys, request, "other", "123456"));
        assert_ne!(kept, keep(&keys, uuid::Uuid::now_v7(), "phone", "123456"));
    }
}
