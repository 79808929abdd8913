//! WeChat's signatures and ciphers: callback, JS-SDK, Mini Program.
//!
//! # Why
//! An EncodingAESKey is 43 characters that hold 258 bits: the last two belong to nobody, and most real keys have them set.
//! A strict base64 reader refuses those keys.
use aes::{Aes128, Aes256};
use base64::{
    Engine, alphabet,
    engine::{GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::NoPadding};
use ring::digest;
use subtle::ConstantTimeEq;

use crate::{hex::hex, keys::same};

/// Padding goes to this block, whatever the cipher's own is.
const BLOCK: usize = 32;
const RANDOM: usize = 16;
const LENGTH: usize = 4;

const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// SHA-1 in hexadecimal: what WeChat signs with.
#[must_use]
pub fn sha1_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref())
}

/// The signature of these parts, whatever their order.
#[must_use]
pub fn signature(parts: &[&str]) -> String {
    let mut sorted = parts.to_vec();
    sorted.sort_unstable();
    sha1_hex(sorted.concat().as_bytes())
}

/// Is this the signature of these parts? In constant time.
#[must_use]
pub fn is_signed(parts: &[&str], given: &str) -> bool {
    same(&signature(parts), given)
}

/// The signature that `wx.config` wants. `url` is the page's whole address without what follows `#`.
#[must_use]
pub fn js_signature(ticket: &str, nonce: &str, timestamp: i64, url: &str) -> String {
    sha1_hex(format!("jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url}").as_bytes())
}

/// The key of the callback in safe and compatible mode.
#[derive(Clone)]
pub struct CallbackKey {
    key: [u8; 32],
    appid: String,
}

impl CallbackKey {
    /// Reads an EncodingAESKey: 43 characters. `None` when it is none.
    #[must_use]
    pub fn read(encoding_aes_key: &str, appid: &str) -> Option<Self> {
        let bytes = LENIENT.decode(format!("{encoding_aes_key}=")).ok().filter(|_| encoding_aes_key.len() == 43)?;
        Some(Self { key: bytes.try_into().ok()?, appid: appid.to_owned() })
    }

    fn iv(&self) -> [u8; 16] {
        let mut iv = [0; 16];
        iv.copy_from_slice(&self.key[..16]);
        iv
    }

    /// What is in a ciphertext whose signature was found good; `None` for every fault alike. The checks, in order: base64,
    /// length, padding, the length inside, UTF-8, whose account.
    #[must_use]
    pub fn open(&self, encrypted: &str) -> Option<String> {
        let mut bytes = STANDARD.decode(encrypted).ok().filter(|bytes| !bytes.is_empty() && bytes.len() % 16 == 0)?;
        let plain = cbc::Decryptor::<Aes256>::new(&self.key.into(), &self.iv().into())
            .decrypt_padded::<NoPadding>(&mut bytes)
            .ok()?;
        let pad = plain.last().copied()?;
        let (plain, padding) = plain.split_at_checked(plain.len().checked_sub(pad.into())?)?;
        if !(1..=BLOCK).contains(&pad.into()) || padding.iter().any(|byte| *byte != pad) {
            return None;
        }
        let length = plain.get(RANDOM..RANDOM + LENGTH)?.try_into().map(u32::from_be_bytes).ok()?;
        let rest = plain.get(RANDOM + LENGTH..)?;
        let (message, appid) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        let message = std::str::from_utf8(message).ok()?;
        bool::from(appid.ct_eq(self.appid.as_bytes())).then(|| message.to_owned())
    }

    /// The ciphertext of a message, with these sixteen random bytes.
    #[must_use]
    pub fn close(&self, message: &str, random: [u8; RANDOM]) -> String {
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
        let mut plain = [random.as_slice(), &length, message.as_bytes(), self.appid.as_bytes()].concat();
        let pad = BLOCK - plain.len() % BLOCK;
        plain.extend(std::iter::repeat_n(u8::try_from(pad).unwrap_or_default(), pad));
        let sealed =
            cbc::Encryptor::<Aes256>::new(&self.key.into(), &self.iv().into()).encrypt_padded_vec::<NoPadding>(&plain);
        STANDARD.encode(sealed)
    }
}

/// Opens what a Mini Program hands over as `encryptedData`; its watermark must name our account. `None` for every fault.
#[must_use]
pub fn open_mini(session_key: &str, iv: &str, encrypted: &str, appid: &str) -> Option<serde_json::Value> {
    let key: [u8; 16] = STANDARD.decode(session_key).ok()?.try_into().ok()?;
    let iv: [u8; 16] = STANDARD.decode(iv).ok()?.try_into().ok()?;
    let mut bytes = STANDARD.decode(encrypted).ok().filter(|bytes| !bytes.is_empty() && bytes.len() % 16 == 0)?;
    let plain = cbc::Decryptor::<Aes128>::new(&key.into(), &iv.into()).decrypt_padded::<NoPadding>(&mut bytes).ok()?;
    let pad = usize::from(*plain.last()?);
    let text = plain.get(..plain.len().checked_sub(pad)?).filter(|_| (1..=16).contains(&pad))?;
    let told: serde_json::Value = serde_json::from_slice(text).ok()?;
    (told["watermark"]["appid"].as_str() == Some(appid)).then_some(told)
}
