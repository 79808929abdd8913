//! One-time codes: how often one may be asked for, how long and how often it may be tried.
use chrono::{DateTime, TimeDelta, Utc};
use subtle::ConstantTimeEq;

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
const PER_HOUR: usize = 5;
const PER_DAY: usize = 10;

/// May another code be sent to this number? `sent`: when the codes of the last day were, in any order;
/// `from_address`: how many codes its network asked for in the last day, and how many it may.
///
/// # Errors
/// `code_too_soon` within a minute of the last, `code_too_many` beyond five an hour, ten a day, or the network's share.
pub(super) fn may_send(
    sent: &[DateTime<Utc>],
    (from_address, per_address): (u64, u64),
    now: DateTime<Utc>,
) -> Result<()> {
    let within = |span: TimeDelta| sent.iter().filter(move |at| now - **at < span);
    let until = |first: Option<&DateTime<Utc>>, span: TimeDelta| {
        let secs = first.map_or(span, |first| *first + span - now).num_seconds();
        u64::try_from(secs).unwrap_or_default().max(1)
    };
    if let Some(last) = within(TimeDelta::seconds(PAUSE_SECS)).max() {
        return Err(Code::CodeTooSoon.after_secs(until(Some(last), TimeDelta::seconds(PAUSE_SECS))));
    }
    if within(DAY).count() >= PER_DAY {
        return Err(Code::CodeTooMany.after_secs(until(within(DAY).min(), DAY)));
    }
    let hour = TimeDelta::hours(1);
    if within(hour).count() >= PER_HOUR {
        return Err(Code::CodeTooMany.after_secs(until(within(hour).min(), hour)));
    }
    if from_address >= per_address {
        return Err(Code::CodeTooMany.after_secs(3600));
    }
    Ok(())
}

/// What is kept of a code: bound to its request and its number.
pub(super) fn keep(keys: &Keys, request: uuid::Uuid, phone_hmac: &str, code: &str) -> String {
    keys.lookup("login-code", &format!("{request} {phone_hmac} {code}"))
}

/// Are these the same, told in a time that does not depend on where they differ?
pub(super) fn same(kept: &str, told: &str) -> bool {
    kept.as_bytes().ct_eq(told.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_764_000_000, 0).unwrap()
    }

    fn ago(secs: &[i64]) -> Vec<DateTime<Utc>> {
        secs.iter().map(|secs| now() - TimeDelta::seconds(*secs)).collect()
    }

    fn refusal(sent: &[i64], from_address: u64) -> Option<Code> {
        may_send(&ago(sent), (from_address, 30), now()).err().map(|error| error.code())
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
        let crate::error::Error::Refused(refusal) = may_send(&ago(&[15]), (0, 30), now()).unwrap_err() else {
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
        assert!(same(&kept, &keep(&keys, request, "phone", "123456")));
        assert!(!same(&kept, &keep(&keys, request, "phone", "123457")));
        assert!(!same(&kept, &keep(&keys, request, "other", "123456")));
        assert!(!same(&kept, &keep(&keys, uuid::Uuid::now_v7(), "phone", "123456")));
    }
}
