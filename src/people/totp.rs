//! Time-based one-time codes (RFC 6238: SHA-1, 30 seconds, six digits): pure.
use chrono::{DateTime, Utc};
use ring::hmac;

use crate::keys::same;

/// Seconds of one step.
const STEP_SECS: i64 = 30;
/// Steps by which a clock may be wrong, either way.
const SLACK: i64 = 1;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The six digits of a step.
fn code(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes.last().copied().unwrap_or_default() & 0x0f);
    let four = bytes.iter().skip(offset).take(4).fold(0u32, |sum, byte| (sum << 8) | u32::from(*byte));
    format!("{:06}", (four & 0x7fff_ffff) % 1_000_000)
}

/// The step that this code is of, if it is one of now and younger than the last one used.
pub(super) fn step_of(secret: &[u8], told: &str, now: DateTime<Utc>, last: i64) -> Option<i64> {
    let present = now.timestamp().div_euclid(STEP_SECS);
    // all are compared, so that the time does not tell which
    let fits: Vec<i64> = (present - SLACK..=present + SLACK).filter(|step| same(&code(secret, *step), told)).collect();
    fits.into_iter().find(|step| *step > last)
}

/// RFC 4648 base32 without padding, as authenticator apps take it.
pub(super) fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(5) {
        let bits = group.iter().fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte)) << (8 * (5 - group.len()));
        let letters = (group.len() * 8).div_ceil(5);
        for at in 0..letters {
            let five = usize::try_from((bits >> (35 - 5 * at)) & 31).unwrap_or_default();
            text.push(ALPHABET.get(five).copied().map_or('A', char::from));
        }
    }
    text
}

/// What [`base32`] wrote; other characters are left out.
pub(super) fn from_base32(text: &str) -> Vec<u8> {
    let values = text.bytes().filter_map(|letter| ALPHABET.iter().position(|known| *known == letter));
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for value in values {
        bits = (bits << 5) | u32::try_from(value).unwrap_or_default();
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap_or_default());
            bits &= (1 << count) - 1;
        }
    }
    bytes
}

/// What an app scans or is given by a link. Nobody's name is in it.
pub(super) fn otpauth(secret: &str) -> String {
    format!("otpauth://totp/Liusheng?secret={secret}&issuer=Liusheng&algorithm=SHA1&digits=6&period=30")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    fn at(secs: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(secs, 0).unwrap()
    }

    /// RFC 6238, appendix B, the last six of eight digits.
    #[test]
    fn the_vectors_of_the_standard_hold() {
        for (secs, digits) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, secs / 30), digits, "{secs}");
        }
    }

    #[test]
    fn one_step_either_way_and_each_code_once() {
        let (now, step) = (at(1_234_567_890), 1_234_567_890 / 30);
        for near in [step - 1, step, step + 1] {
            assert_eq!(step_of(SECRET, &code(SECRET, near), now, 0), Some(near));
            assert_eq!(step_of(SECRET, &code(SECRET, near), now, near), None, "used");
        }
        for far in [step - 2, step + 2] {
            assert_eq!(step_of(SECRET, &code(SECRET, far), now, 0), None);
        }
        for bad in ["", "12345", "abcdef", "1234567"] {
            assert_eq!(step_of(SECRET, bad, now, 0), None);
        }
    }

    /// RFC 4648, section 10, without padding.
    #[test]
    fn base32_is_that_of_the_standard() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
            assert_eq!(from_base32(text), bytes.as_bytes());
        }
    }
}
