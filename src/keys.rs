//! The key file: tokens, lookups, sealing, signing. Made at first start, never in the database.
mod data_key;

use std::{
    collections::BTreeMap,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    aead, digest, hmac,
    rand::{SecureRandom, SystemRandom},
    signature::{self, Ed25519KeyPair, KeyPair},
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

pub use self::data_key::{DataKey, Pieces};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    hex::hex,
};

/// Name of the key file, in the data directory.
pub const KEY_FILE: &str = "keys.json";
/// Without 0 and O, 1 and I and L.
const LETTERS: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";

/// One secret with a name; the first of a list is in use, the others still open what they sealed.
#[derive(Clone, Serialize, Deserialize)]
struct Secret {
    id: String,
    secret: String,
}

/// What the file holds. Each list may hold two keys while one replaces the other.
#[derive(Serialize, Deserialize)]
struct KeyFile {
    tokens: Vec<Secret>,
    lookup: Secret,
    sealing: Vec<Secret>,
    signing: Vec<Secret>,
}

/// The keys, ready for use.
pub struct Keys {
    tokens: Vec<(String, Vec<u8>)>,
    lookup: hmac::Key,
    sealing: Vec<(String, aead::LessSafeKey)>,
    signing: Vec<(String, Ed25519KeyPair)>,
    fingerprints: BTreeMap<String, String>,
    random: SystemRandom,
}

impl Keys {
    /// Reads `keys.json` in the data directory, making it (mode 0600) at the first start.
    ///
    /// # Errors
    /// When the file is readable by others, damaged, or cannot be written.
    pub fn load_or_make(data_dir: &Path) -> Result<Self> {
        let path = data_dir.join(KEY_FILE);
        if !path.exists() {
            write_new(&path)?;
        }
        let mode = std::fs::metadata(&path)?.permissions().mode() & 0o077;
        if mode != 0 {
            return Err(Error::broken(format!("{}: readable by others; chmod 600 it", path.display())));
        }
        let file: KeyFile = serde_json::from_slice(&std::fs::read(&path)?)
            .map_err(|error| Error::broken(format!("{}: {error}", path.display())))?;
        Self::open(file)
    }

    fn open(file: KeyFile) -> Result<Self> {
        if file.tokens.is_empty() || file.sealing.is_empty() || file.signing.is_empty() {
            return Err(Error::broken("keys.json: tokens, sealing and signing need a key each"));
        }
        let fingerprints = fingerprints(&file)?;
        let tokens = file.tokens.iter().map(|key| Ok((key.id.clone(), raw(key)?))).collect::<Result<_>>()?;
        let sealing = file
            .sealing
            .iter()
            .map(|key| {
                let unbound =
                    aead::UnboundKey::new(&aead::AES_256_GCM, &raw(key)?).map_err(|_| Error::broken("sealing key"))?;
                Ok((key.id.clone(), aead::LessSafeKey::new(unbound)))
            })
            .collect::<Result<_>>()?;
        let signing = file
            .signing
            .iter()
            .map(|key| {
                let pair = Ed25519KeyPair::from_pkcs8(&raw(key)?).map_err(|_| Error::broken("signing key"))?;
                Ok((key.id.clone(), pair))
            })
            .collect::<Result<_>>()?;
        let lookup = hmac::Key::new(hmac::HMAC_SHA256, &raw(&file.lookup)?);
        Ok(Self { tokens, lookup, sealing, signing, fingerprints, random: SystemRandom::new() })
    }

    /// Keys for access tokens, the one in use first: id and secret.
    #[must_use]
    pub fn token_keys(&self) -> &[(String, Vec<u8>)] {
        &self.tokens
    }

    /// Keyed digest by which a value is found again without being stored; `purpose` keeps digests apart.
    #[must_use]
    pub fn lookup(&self, purpose: &str, value: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.digest(purpose, value))
    }

    /// The same, short and in the form of an id.
    #[must_use]
    pub fn lookup_id(&self, purpose: &str, value: &str) -> Uuid {
        let mut bytes = [0; 16];
        for (byte, from) in bytes.iter_mut().zip(self.digest(purpose, value).as_ref()) {
            *byte = *from;
        }
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    fn digest(&self, purpose: &str, value: &str) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.lookup);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(value.as_bytes());
        context.sign()
    }

    /// Seals a personal value (AES-256-GCM); `purpose` is bound to it, so it opens only for the same one.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub fn seal(&self, purpose: &str, value: &str) -> Result<String> {
        let (id, key) = self.sealing.first().ok_or_else(|| Error::broken("no sealing key"))?;
        let mut nonce = [0u8; 12];
        self.random.fill(&mut nonce).map_err(|_| Error::broken("no randomness"))?;
        let mut sealed = value.as_bytes().to_vec();
        key.seal_in_place_append_tag(
            aead::Nonce::assume_unique_for_key(nonce),
            aead::Aad::from(purpose.as_bytes()),
            &mut sealed,
        )
        .map_err(|_| Error::broken("sealing failed"))?;
        Ok(format!("{id}.{}", URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat())))
    }

    /// Opens what [`Keys::seal`] made for the same purpose.
    ///
    /// # Errors
    /// When it was not sealed by one of our keys, for this purpose.
    pub fn unseal(&self, purpose: &str, sealed: &str) -> Result<String> {
        let wrong = || Error::broken("a sealed value does not open");
        let (id, text) = sealed.split_once('.').ok_or_else(wrong)?;
        let (_, key) = self.sealing.iter().find(|(known, _)| known == id).ok_or_else(wrong)?;
        let mut bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
        if bytes.len() < 12 {
            return Err(wrong());
        }
        let mut rest = bytes.split_off(12);
        let nonce = aead::Nonce::try_assume_unique_for_key(&bytes).map_err(|_| wrong())?;
        let open = key.open_in_place(nonce, aead::Aad::from(purpose.as_bytes()), &mut rest).map_err(|_| wrong())?;
        String::from_utf8(open.to_vec()).map_err(|_| wrong())
    }

    /// The same for what is shown: nothing where it does not open, because the key file that sealed it was lost.
    #[must_use]
    pub fn shown(&self, purpose: &str, sealed: &str) -> Option<String> {
        let opened = self.unseal(purpose, sealed);
        opened.inspect_err(|error| tracing::warn!(%error, purpose, "not shown")).ok()
    }

    /// Signs bytes with the key in use (Ed25519): key id and signature as text.
    ///
    /// # Errors
    /// When there is no signing key.
    pub fn sign(&self, bytes: &[u8]) -> Result<(String, String)> {
        let (id, pair) = self.signing.first().ok_or_else(|| Error::broken("no signing key"))?;
        Ok((id.clone(), URL_SAFE_NO_PAD.encode(pair.sign(bytes))))
    }

    /// The key in use for signing: its id, and the public half.
    ///
    /// # Errors
    /// When there is no signing key.
    pub fn signer(&self) -> Result<(String, Vec<u8>)> {
        let (id, pair) = self.signing.first().ok_or_else(|| Error::broken("no signing key"))?;
        Ok((id.clone(), pair.public_key().as_ref().to_vec()))
    }

    /// The ids of the keys that sign, the one in use first.
    pub fn signers(&self) -> impl Iterator<Item = &str> {
        self.signing.iter().map(|(id, _)| id.as_str())
    }

    /// Signs with the key of this id, though another may be in use by now: a board keeps the key it began with.
    ///
    /// # Errors
    /// When the file no longer has it.
    pub fn sign_by(&self, key_id: &str, bytes: &[u8]) -> Result<Vec<u8>> {
        let found = self.signing.iter().find(|(id, _)| id == key_id);
        let (_, pair) = found.ok_or_else(|| Error::broken(format!("the signing key {key_id} is not in keys.json")))?;
        Ok(pair.sign(bytes).as_ref().to_vec())
    }

    /// Was this signed by our key of that id?
    #[must_use]
    pub fn signed(&self, key_id: &str, bytes: &[u8], signature_text: &str) -> bool {
        let Some((_, pair)) = self.signing.iter().find(|(id, _)| id == key_id) else { return false };
        let Ok(sig) = URL_SAFE_NO_PAD.decode(signature_text) else { return false };
        signature::UnparsedPublicKey::new(&signature::ED25519, pair.public_key().as_ref()).verify(bytes, &sig).is_ok()
    }

    /// The public halves of the signing keys, for those who check: id and key as text.
    #[must_use]
    pub fn public_keys(&self) -> Vec<(String, String)> {
        self.signing.iter().map(|(id, pair)| (id.clone(), URL_SAFE_NO_PAD.encode(pair.public_key()))).collect()
    }

    /// Tells the keys that rows are bound to (all but those of tokens) apart without telling them, by their ids.
    #[must_use]
    pub fn fingerprints(&self) -> &BTreeMap<String, String> {
        &self.fingerprints
    }

    /// A fresh secret of 32 bytes as text: tokens handed to clients.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub fn fresh_secret(&self) -> Result<String> {
        fresh(&self.random, 32).map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Capital letters and digits without those that look like another, each equally likely.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub fn fresh_letters(&self, length: usize) -> Result<String> {
        let count = LETTERS.len();
        let mut letters = String::new();
        while letters.len() < length {
            // what does not divide evenly is thrown away
            let bytes = fresh(&self.random, length)?;
            let fair = bytes.into_iter().map(usize::from).filter(|byte| *byte < 256 / count * count);
            letters.extend(fair.filter_map(|byte| LETTERS.get(byte % count)).map(|letter| char::from(*letter)));
        }
        letters.truncate(length);
        Ok(letters)
    }

    /// Random bytes.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub fn fresh_bytes(&self, length: usize) -> Result<Vec<u8>> {
        fresh(&self.random, length)
    }

    /// Six decimal digits, each value equally likely.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub fn fresh_code(&self) -> Result<String> {
        loop {
            let bytes = fresh(&self.random, 4)?;
            let number = bytes.iter().fold(0u32, |sum, byte| (sum << 8) | u32::from(*byte));
            // the last incomplete million would make small codes likelier
            if number < u32::MAX - u32::MAX % 1_000_000 {
                return Ok(format!("{:06}", number % 1_000_000));
            }
        }
    }
}

/// SHA-256 as lower-case hex.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Are these the same, told in a time that does not depend on where they differ?
#[must_use]
pub fn same(kept: &str, told: &str) -> bool {
    kept.as_bytes().ct_eq(told.as_bytes()).into()
}

/// TLS to others is ring's, too: said before the first client is made. A second call in one process finds it said.
pub fn install_tls() {
    rustls::crypto::ring::default_provider().install_default().ok();
}

/// Of secrets that nobody can guess, so a digest tells nothing.
fn fingerprints(file: &KeyFile) -> Result<BTreeMap<String, String>> {
    let kept = std::iter::once(&file.lookup).chain(&file.sealing).chain(&file.signing);
    kept.map(|key| Ok((key.id.clone(), sha256_hex(&[b"liusheng-key-1".as_slice(), &raw(key)?].concat())))).collect()
}

fn raw(key: &Secret) -> Result<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(&key.secret).map_err(|_| Error::broken("keys.json: a key is not base64"))
}

fn fresh(random: &SystemRandom, length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    random.fill(&mut bytes).map_err(|_| Error::broken("no randomness"))?;
    Ok(bytes)
}

fn write_new(path: &Path) -> Result<()> {
    let random = SystemRandom::new();
    // ids of their own: a key file that was lost and found again can then stand beside the one that took its place
    let made = hex(&fresh(&random, 3)?);
    let secret =
        |kind: &str, bytes: &[u8]| Secret { id: format!("{kind}{made}"), secret: URL_SAFE_NO_PAD.encode(bytes) };
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).map_err(|_| Error::broken("no randomness"))?;
    let file = KeyFile {
        tokens: vec![secret("t", &fresh(&random, 32)?)],
        lookup: secret("l", &fresh(&random, 32)?),
        sealing: vec![secret("s", &fresh(&random, 32)?)],
        signing: vec![secret("e", pkcs8.as_ref())],
    };
    let json = serde_json::to_vec_pretty(&file).map_err(Error::broken)?;
    // in containers every process has the same number
    let temporary = path.with_extension(format!("{}.new", Uuid::new_v4().simple()));
    let mut out = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&temporary)?;
    out.write_all(&json)?;
    out.sync_all()?;
    // another process that starts now may have been first: its keys are then everybody's
    let linked = std::fs::hard_link(&temporary, path);
    std::fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    if let Some(folder) = path.parent() {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_for_its_purpose() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(folder.path()).unwrap();
        let sealed = keys.seal("phone", "13800138000").unwrap();
        assert!(!sealed.contains("13800138000"));
        assert_eq!(keys.unseal("phone", &sealed).unwrap(), "13800138000");
        assert!(keys.unseal("id", &sealed).is_err());
        let again = Keys::load_or_make(folder.path()).unwrap();
        assert_eq!(again.lookup("phone", "1"), keys.lookup("phone", "1"));
    }

    #[test]
    fn letters_to_be_typed_are_without_look_alikes() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(folder.path()).unwrap();
        let all: String = (0..200).map(|_| keys.fresh_letters(12).unwrap()).collect();
        assert_eq!(all.len(), 2400);
        assert!(!all.contains(['0', 'O', '1', 'I', 'L']));
        assert!(LETTERS.iter().all(|letter| all.contains(char::from(*letter))));
    }

    #[test]
    fn a_signature_holds_for_its_bytes_only() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(folder.path()).unwrap();
        let (id, sig) = keys.sign(b"head 7").unwrap();
        assert!(keys.signed(&id, b"head 7", &sig));
        assert!(!keys.signed(&id, b"head 8", &sig));
    }
}
