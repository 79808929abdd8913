//! When a failed delivery is tried again, and what a secret looks like.
pub mod breaker;
pub mod budget;
pub mod ladder;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;

use crate::gateways::webhook::SECRET_PREFIX;

/// Seconds to wait after the first, second … failed try; the schedule that receivers know from Svix.
const WAITS_SECS: [i64; 7] = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600];
/// Tries of one delivery: as many as there are waits, and the first.
pub const TRIES: i32 = 8;
/// A wait is drawn out by up to a fifth, so that many receivers that fell together do not come back together.
const JITTER_PERMILLE: u64 = 200;

/// How long to wait after so many tries, `None` when it was the last. `seed` draws the jitter; the receiver may have
/// asked for a longer wait.
#[must_use]
pub fn wait_after(tries: i32, seed: u64, asked_secs: Option<u32>) -> Option<TimeDelta> {
    let at = usize::try_from(tries.checked_sub(1)?).ok()?;
    let wait = TimeDelta::try_seconds(*WAITS_SECS.get(at)?)?;
    let drawn = i32::try_from(seed.rotate_left(tries.unsigned_abs().wrapping_mul(8)) % (JITTER_PERMILLE + 1)).ok()?;
    let asked = TimeDelta::try_seconds(asked_secs.unwrap_or(0).into())?;
    Some((wait + wait * drawn / 1000).max(asked))
}

/// Is this a secret that signs: `whsec_` and 24 to 64 bytes in base64, or 16 to 200 printable characters?
#[must_use]
pub fn is_secret(text: &str) -> bool {
    match text.strip_prefix(SECRET_PREFIX) {
        Some(encoded) => STANDARD.decode(encoded).is_ok_and(|key| (24..=64).contains(&key.len())),
        None => (16..=200).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()),
    }
}

/// The host of an address, without what may be secret in it.
#[must_use]
pub fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_tells_nothing_of_the_rest_of_an_address() {
        for url in ["https://hook.example:8443/T0/secret?key=1", "https://hook.example:8443?key", "hook.example:8443#x"]
        {
            assert_eq!(host_of(url), "hook.example:8443");
        }
    }

    #[test]
    fn eight_tries_over_a_day_and_then_no_more() {
        let waits: Vec<i64> =
            (1..=8).filter_map(|tries| wait_after(tries, 0, None)).map(|wait| wait.num_seconds()).collect();
        assert_eq!(waits, WAITS_SECS);
        assert!(wait_after(TRIES - 1, 0, None).is_some());
        assert_eq!(wait_after(TRIES, 0, None), None, "dead");
        assert_eq!(
            (wait_after(0, 0, None), wait_after(-1, 0, None), wait_after(i32::MAX, 0, None)),
            (None, None, None)
        );
    }

    #[test]
    fn jitter_draws_out_by_a_fifth_at_most_and_differs() {
        let mut drawn = std::collections::BTreeSet::new();
        for seed in (0..500_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)) {
            for tries in 1..=7 {
                let least = WAITS_SECS[usize::try_from(tries).unwrap() - 1] * 1000;
                let wait = wait_after(tries, seed, None).unwrap().num_milliseconds();
                assert!((least..=least * 6 / 5).contains(&wait), "{tries} {seed}: {wait}");
                drawn.insert(wait * 1000 / least);
            }
        }
        assert!(drawn.len() > 100);
    }

    #[test]
    fn who_asks_for_a_longer_wait_gets_it() {
        assert_eq!(wait_after(1, 0, Some(120)), Some(TimeDelta::seconds(120)));
        assert_eq!(wait_after(2, 0, Some(120)), Some(TimeDelta::seconds(300)));
        assert_eq!(wait_after(8, 0, Some(120)), None);
    }

    #[test]
    fn a_secret_is_long_enough_to_sign() {
        assert!(is_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
        assert!(is_secret("0123456789abcdef"));
        for bad in [
            "",
            "short",
            "whsec_",
            "whsec_c2hvcnQ=",
            "whsec_not base64!",
            "0123456789abcde f",
            "０１２３４５６７８９ａｂｃｄｅｆ",
        ] {
            assert!(!is_secret(bad), "{bad}");
        }
        assert!(!is_secret(&"x".repeat(201)));
    }
}
