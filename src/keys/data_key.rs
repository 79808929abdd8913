//! Data keys: one for each thing that must become unreadable one day, wrapped by the sealing key of the file.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    aead,
    rand::{SecureRandom, SystemRandom},
};

pub use self::pieces::Pieces;
use super::{Keys, fresh};
use crate::error::{Error, Result};

mod pieces;

const NONCE: usize = 12;

/// A key of its own; never written anywhere but wrapped. Does not show itself.
pub struct DataKey {
    key: aead::LessSafeKey,
    random: SystemRandom,
}

impl Keys {
    /// A fresh data key, and the same wrapped for its row; `id` is bound to the wrapping.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub fn fresh_data_key(&self, id: &str) -> Result<(DataKey, String)> {
        let raw = URL_SAFE_NO_PAD.encode(fresh(&self.random, 32)?);
        Ok((DataKey::of(&raw)?, self.seal(&purpose(id), &raw)?))
    }

    /// Unwraps a data key.
    ///
    /// # Errors
    /// When it was wrapped for another id, or by another key file.
    pub fn open_data_key(&self, id: &str, wrapped: &str) -> Result<DataKey> {
        DataKey::of(&self.unseal(&purpose(id), wrapped)?)
    }
}

fn purpose(id: &str) -> String {
    format!("data-key {id}")
}

impl DataKey {
    fn of(raw: &str) -> Result<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(raw).map_err(|_| Error::broken("a data key is not base64"))?;
        let unbound = aead::UnboundKey::new(&aead::AES_256_GCM, &bytes).map_err(|_| Error::broken("data key"))?;
        Ok(Self { key: aead::LessSafeKey::new(unbound), random: SystemRandom::new() })
    }

    /// Seals bytes; `place` is bound to them, so that nothing sealed can be moved elsewhere.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub fn seal(&self, place: &str, bytes: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0u8; NONCE];
        self.random.fill(&mut nonce).map_err(|_| Error::broken("no randomness"))?;
        let mut sealed = Vec::with_capacity(bytes.len() + NONCE + aead::AES_256_GCM.tag_len());
        sealed.extend_from_slice(bytes);
        let with = aead::Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(with, aead::Aad::from(place.as_bytes()), &mut sealed)
            .map_err(|_| Error::broken("sealing failed"))?;
        sealed.splice(0..0, nonce);
        Ok(sealed)
    }

    /// Opens what [`DataKey::seal`] made for the same place.
    ///
    /// # Errors
    /// When it was not sealed by this key for this place, or was changed.
    pub fn open(&self, place: &str, mut sealed: Vec<u8>) -> Result<Vec<u8>> {
        let wrong = || Error::broken("what was sealed does not open");
        if sealed.len() < NONCE {
            return Err(wrong());
        }
        let mut rest = sealed.split_off(NONCE);
        let nonce = aead::Nonce::try_assume_unique_for_key(&sealed).map_err(|_| wrong())?;
        let length =
            self.key.open_in_place(nonce, aead::Aad::from(place.as_bytes()), &mut rest).map_err(|_| wrong())?.len();
        rest.truncate(length);
        Ok(rest)
    }

    /// Seals a text, as text.
    ///
    /// # Errors
    /// As [`DataKey::seal`].
    pub fn seal_text(&self, place: &str, text: &str) -> Result<String> {
        Ok(URL_SAFE_NO_PAD.encode(self.seal(place, text.as_bytes())?))
    }

    /// Opens a sealed text.
    ///
    /// # Errors
    /// As [`DataKey::open`].
    pub fn open_text(&self, place: &str, sealed: &str) -> Result<String> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| Error::broken("what was sealed is not base64"))?;
        String::from_utf8(self.open(place, bytes)?).map_err(|_| Error::broken("what was sealed is no text"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_in_its_place_and_only_by_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(folder.path()).unwrap();
        let (key, wrapped) = keys.fresh_data_key("1").unwrap();
        let sealed = key.seal_text("text", "桥头路灯坏了").unwrap();
        assert_eq!(key.open_text("text", &sealed).unwrap(), "桥头路灯坏了");
        assert!(key.open_text("place", &sealed).is_err());
        assert_eq!(keys.open_data_key("1", &wrapped).unwrap().open_text("text", &sealed).unwrap(), "桥头路灯坏了");
        assert!(keys.open_data_key("2", &wrapped).is_err(), "a wrapped key cannot be put into another row");
        let (other, _) = keys.fresh_data_key("1").unwrap();
        assert!(other.open_text("text", &sealed).is_err());
        let mut changed = key.seal("f", &[7; 40]).unwrap();
        changed[20] ^= 1;
        assert!(key.open("f", changed).is_err());
        assert!(key.open("f", vec![1, 2]).is_err());
        assert_eq!(key.open("f", key.seal("f", &[]).unwrap()).unwrap(), Vec::<u8>::new());
    }
}
