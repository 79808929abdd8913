//! What both signatures are made of.
use ring::hmac;

use crate::keys::sha256_hex;

pub(super) fn sha256(text: &str) -> String {
    sha256_hex(text.as_bytes())
}

pub(super) fn hmac_sha256(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

/// RFC 3986: letters, digits and four signs stay.
pub(super) fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
