//! Sealed ballots: closed on the phone, opened by any two of three trustees together; pure.
//!
//! # Why
//! No dealer and no common key: each trustee makes a key pair of its own for one vote, and only public halves are ever
//! sent. A ballot is sealed (AES-256-GCM) under a fresh key K = a ⊕ b ⊕ c, whose digest stands in the envelope; the first
//! trustee gets a and b, the second b and c, the third c and a, each sealed to its key (HPKE of RFC 9180 with
//! DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM: what every browser's WebCrypto can do). Two trustees have all
//! three parts, one learns nothing of K, and nothing that opens ballots exists in one place before two of them meet.
//! Who seals the parts wrongly spoils the own ballot only: it counts as invalid, unless some two of those who met open it.
//!
//! An envelope is `LSE1 ‖ cast_id (16) ‖ SHA-256(K) (32) ‖ content (pad + 16) ‖ 3 × (enc (65) ‖ parts (64 + 16))`, always
//! of the same length; the content is `length (2, big endian) ‖ canonical JSON {"c":[…]} ‖ zeros`. Bound to every seal:
//! the digest of the manifest and the `cast_id`; to a part also `LSB1-part` and the trustee's place.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::AesGcm128, kdf::HkdfSha256, kem::DhP256HkdfSha256,
    single_shot_open, single_shot_seal,
};
use ring::aead;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    lsb1,
    tree::{Hash, sha256},
};
use crate::{
    error::{Error, Result},
    keys::Keys,
};

type Suite = DhP256HkdfSha256;
type PublicKey = <Suite as Kem>::PublicKey;
type PrivateKey = <Suite as Kem>::PrivateKey;
type Enc = <Suite as Kem>::EncappedKey;

const MAGIC: &[u8; 4] = b"LSE1";
const PART: usize = 32;
const TAG: usize = 16;
const ENC: usize = 65;
const SEALED_PARTS: usize = ENC + 2 * PART + TAG;
const HEAD: usize = 4 + 16 + 32;
/// Bytes of the content, whatever is chosen.
pub const PAD: usize = 256;
/// Bytes of an envelope.
pub const ENVELOPE: usize = HEAD + PAD + TAG + 3 * SEALED_PARTS;
/// Names the way of sealing in the manifest.
pub const ALG: &str = "LSE1-2of3-P256-HKDF-SHA256-AES128GCM";

/// Who holds one of three keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trustee {
    /// 村民委员会
    Committee,
    /// 村务监督委员会
    Supervision,
    /// 乡镇政府
    Town,
}

impl Trustee {
    /// All, in the order of their parts.
    pub const ALL: [Self; 3] = [Self::Committee, Self::Supervision, Self::Town];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Committee => "committee",
            Self::Supervision => "supervision",
            Self::Town => "town",
        }
    }

    /// The trustee of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    fn place(self) -> usize {
        match self {
            Self::Committee => 0,
            Self::Supervision => 1,
            Self::Town => 2,
        }
    }

    /// Which two of the three parts it holds.
    fn parts(self) -> [usize; 2] {
        [self.place(), (self.place() + 1) % 3]
    }

    fn info(self) -> Vec<u8> {
        format!("LSB1-part {}", self.place()).into_bytes()
    }
}

/// A trustee's private key. Does not show itself.
pub struct Opener {
    trustee: Trustee,
    key: PrivateKey,
}

impl Opener {
    /// From base64url; or from hex as it is on paper, in groups and of any case.
    #[must_use]
    pub fn parse(trustee: Trustee, text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_lowercase();
        let is_paper =
            digits.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-' || c.is_whitespace());
        let bytes = if is_paper { lsb1::unhex(&digits)? } else { URL_SAFE_NO_PAD.decode(text.trim()).ok()? };
        Some(Self { trustee, key: PrivateKey::from_bytes(&bytes).ok()? })
    }

    /// The public half, as it was published.
    #[must_use]
    pub fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(Suite::sk_to_pk(&self.key).to_bytes())
    }
}

/// Is this a public key: 65 bytes of an uncompressed point of P-256, in base64url?
#[must_use]
pub fn is_public(text: &str) -> bool {
    public(text).is_some()
}

fn public(text: &str) -> Option<PublicKey> {
    PublicKey::from_bytes(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// What the manifest says of the keys.
#[must_use]
pub fn tally(keys: &[(Trustee, String)]) -> Value {
    let trustees: Vec<Value> = keys.iter().map(|(who, key)| json!({ "key": key, "who": who.as_str() })).collect();
    json!({ "alg": ALG, "need": 2, "pad": PAD, "trustees": trustees })
}

/// The keys that a manifest names, in the order of their parts.
#[must_use]
pub fn tally_keys(manifest: &Value) -> Option<[String; 3]> {
    let listed = manifest["tally"]["trustees"].as_array()?;
    let key = |who: Trustee| {
        let found = listed.iter().find(|one| one["who"] == who.as_str())?;
        found["key"].as_str().map(str::to_owned)
    };
    Some([key(Trustee::Committee)?, key(Trustee::Supervision)?, key(Trustee::Town)?])
}

fn bound(manifest: &Hash, cast_id: Uuid) -> Vec<u8> {
    [manifest.as_slice(), cast_id.as_bytes()].concat()
}

fn content_key(key: &[u8]) -> Option<aead::LessSafeKey> {
    aead::UnboundKey::new(&aead::AES_256_GCM, key).ok().map(aead::LessSafeKey::new)
}

/// The key seals one message, so its nonce may be what it likes.
fn nonce() -> aead::Nonce {
    aead::Nonce::assume_unique_for_key([0; 12])
}

/// Seals choices, as the phone does; for phones that cannot (系统代封).
///
/// # Errors
/// When the machine gives no randomness, or the choices are too long.
pub fn seal(keys: &Keys, to: &[String; 3], manifest: &Hash, cast_id: Uuid, choices: &[String]) -> Result<Vec<u8>> {
    let broken = || Error::broken("a ballot could not be sealed");
    let text = lsb1::jcs(&json!({ "c": choices }));
    let mut content = u16::try_from(text.len()).map_err(Error::broken)?.to_be_bytes().to_vec();
    content.extend(text.as_bytes());
    if content.len() > PAD {
        return Err(broken());
    }
    content.resize(PAD, 0);
    let parts: Vec<Vec<u8>> = (0..3).map(|_| keys.fresh_bytes(PART)).collect::<Result<_>>()?;
    let key = joined(&parts).ok_or_else(broken)?;
    let aad = bound(manifest, cast_id);
    let sealing = content_key(&key).ok_or_else(broken)?;
    sealing.seal_in_place_append_tag(nonce(), aead::Aad::from(aad.as_slice()), &mut content).map_err(|_| broken())?;
    let mut envelope = [MAGIC.as_slice(), cast_id.as_bytes(), &sha256(&[&key]), &content].concat();
    for (who, to) in Trustee::ALL.into_iter().zip(to) {
        let to = public(to).ok_or_else(broken)?;
        let own: Vec<u8> = who.parts().iter().filter_map(|part| parts.get(*part)).flatten().copied().collect();
        let mode = OpModeS::Base;
        let sealed = single_shot_seal::<AesGcm128, HkdfSha256, Suite>(&mode, &to, &who.info(), &own, &aad);
        let (enc, sealed) = sealed.map_err(|_| broken())?;
        envelope.extend(enc.to_bytes());
        envelope.extend(sealed);
    }
    Ok(envelope)
}

fn joined(parts: &[Vec<u8>]) -> Option<Vec<u8>> {
    let [a, b, c] = parts else { return None };
    Some(a.iter().zip(b).zip(c).map(|((a, b), c)| a ^ b ^ c).collect())
}

/// Of which ballot this is the envelope; `None`: it is none.
#[must_use]
pub fn id_of(envelope: &[u8]) -> Option<Uuid> {
    let is_one = envelope.len() == ENVELOPE && envelope.starts_with(MAGIC);
    Uuid::from_slice(envelope.get(4..20).filter(|_| is_one)?).ok()
}

/// An envelope as it is sent, if it is one for this ballot: what the desk cannot see is not looked at.
#[must_use]
pub fn read(sealed: &str, cast_id: Uuid) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    (id_of(&bytes) == Some(cast_id)).then_some(bytes)
}

/// An envelope as it is kept and sent.
#[must_use]
pub fn written(envelope: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(envelope)
}

/// What is in an envelope, by whichever two of these open it: the digest of its key stands in it, so that no two pairs find
/// different things. `None` when no pair opens it, or it holds something else: an invalid ballot.
#[must_use]
pub fn open(openers: &[Opener], manifest: &Hash, envelope: &[u8]) -> Option<Vec<String>> {
    openers.iter().enumerate().find_map(|(place, one)| {
        openers.iter().skip(place + 1).find_map(|other| open_by([one, other], manifest, envelope))
    })
}

fn open_by(openers: [&Opener; 2], manifest: &Hash, envelope: &[u8]) -> Option<Vec<String>> {
    let cast_id = Uuid::from_slice(envelope.get(4..20)?).ok()?;
    let aad = bound(manifest, cast_id);
    let mut parts: [Option<Vec<u8>>; 3] = [None, None, None];
    for opener in openers {
        let start = HEAD + PAD + TAG + opener.trustee.place() * SEALED_PARTS;
        let (enc, sealed) = envelope.get(start..start + SEALED_PARTS)?.split_at(ENC);
        let (mode, enc, info) = (OpModeR::Base, Enc::from_bytes(enc).ok()?, opener.trustee.info());
        let own = single_shot_open::<AesGcm128, HkdfSha256, Suite>(&mode, &opener.key, &enc, &info, sealed, &aad);
        let own = own.ok()?;
        for (part, bytes) in opener.trustee.parts().into_iter().zip(own.chunks(PART)) {
            let known = parts.get_mut(part)?;
            // two hold it: which of them is asked last must not decide whether the ballot counts
            if known.as_deref().is_some_and(|known| known != bytes) {
                return None;
            }
            *known = Some(bytes.to_vec());
        }
    }
    let parts: Vec<Vec<u8>> = parts.into_iter().collect::<Option<_>>()?;
    let key = joined(&parts)?;
    if envelope.get(20..HEAD)? != sha256(&[&key]) {
        return None;
    }
    let mut content = envelope.get(HEAD..HEAD + PAD + TAG)?.to_vec();
    let open = content_key(&key)?.open_in_place(nonce(), aead::Aad::from(aad.as_slice()), &mut content).ok()?;
    choices(open)
}

fn choices(content: &[u8]) -> Option<Vec<String>> {
    let (length, rest) = content.split_at_checked(2)?;
    let length = usize::from(u16::from_be_bytes(length.try_into().ok()?));
    let (text, padding) = rest.split_at_checked(length)?;
    let value: Value = serde_json::from_slice(text).ok()?;
    let is_canonical = padding.iter().all(|byte| *byte == 0) && lsb1::jcs(&value).as_bytes() == text;
    let only = value.as_object().filter(|map| is_canonical && map.len() == 1)?;
    only.get("c")?.as_array()?.iter().map(|one| one.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(trustee: Trustee) -> (Opener, String) {
        let (key, _) = Suite::gen_keypair();
        let opener = Opener { trustee, key };
        let public = opener.public();
        (opener, public)
    }

    #[test]
    fn any_two_open_what_was_sealed_and_a_changed_envelope_opens_for_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(folder.path()).unwrap();
        let made: Vec<(Opener, String)> = Trustee::ALL.into_iter().map(pair).collect();
        let to: [String; 3] = made.iter().map(|(_, public)| public.clone()).collect::<Vec<_>>().try_into().unwrap();
        let again = |n: usize| Opener { trustee: made[n].0.trustee, key: made[n].0.key.clone() };
        let (manifest, cast_id) = ([7; 32], Uuid::new_v4());
        let chosen = vec!["for".to_owned()];
        let sealed = seal(&keys, &to, &manifest, cast_id, &chosen).unwrap();
        assert_eq!(sealed.len(), ENVELOPE);
        assert_eq!(read(&written(&sealed), cast_id).as_ref(), Some(&sealed));
        assert_eq!(read(&written(&sealed), Uuid::new_v4()), None);
        for two in [(0, 1), (1, 2), (2, 0)] {
            let openers = [again(two.0), again(two.1)];
            assert_eq!(open(&openers, &manifest, &sealed).as_ref(), Some(&chosen), "{two:?}");
            assert_eq!(open(&openers, &[8; 32], &sealed), None, "for another vote");
            for place in [5, 21, HEAD, HEAD + PAD, HEAD + PAD + TAG + 3 + two.0 * SEALED_PARTS] {
                let mut changed = sealed.clone();
                changed[place] ^= 1;
                assert_eq!(open(&openers, &manifest, &changed), None, "{place}");
            }
        }
        // one alone, twice: a part is missing
        assert_eq!(open(&[again(1), again(1)], &manifest, &sealed), None);
        let text = URL_SAFE_NO_PAD.encode(made[0].0.key.to_bytes());
        let paper = lsb1::hex(&made[0].0.key.to_bytes()).to_uppercase();
        for written in [text, paper.clone(), format!(" {}-{} ", &paper[..4], &paper[4..])] {
            assert_eq!(Opener::parse(Trustee::Committee, &written).unwrap().public(), to[0]);
        }
        assert!(is_public(&to[0]) && !is_public("AAAA") && Opener::parse(Trustee::Town, "AAAA").is_none());
    }

    #[test]
    fn in_which_order_the_keys_are_handed_in_decides_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(folder.path()).unwrap();
        let made: Vec<(Opener, String)> = Trustee::ALL.into_iter().map(pair).collect();
        let to: [String; 3] = made.iter().map(|(_, public)| public.clone()).collect::<Vec<_>>().try_into().unwrap();
        let (manifest, cast_id) = ([7; 32], Uuid::new_v4());
        let mut sealed = seal(&keys, &to, &manifest, cast_id, &["for".to_owned()]).unwrap();
        // a phone that seals to the second trustee another part than to the first
        let (aad, info) = (bound(&manifest, cast_id), Trustee::Supervision.info());
        let place = HEAD + PAD + TAG + SEALED_PARTS..HEAD + PAD + TAG + 2 * SEALED_PARTS;
        let (enc, own) = sealed[place.clone()].split_at(ENC);
        let enc = Enc::from_bytes(enc).unwrap();
        let (from, mode) = (&made[1].0.key, OpModeR::Base);
        let mut own = single_shot_open::<AesGcm128, HkdfSha256, Suite>(&mode, from, &enc, &info, own, &aad).unwrap();
        own[0] ^= 1;
        let (to, mode) = (public(&to[1]).unwrap(), OpModeS::Base);
        let (enc, own) = single_shot_seal::<AesGcm128, HkdfSha256, Suite>(&mode, &to, &info, &own, &aad).unwrap();
        let mut other = enc.to_bytes().to_vec();
        other.extend(own);
        sealed.splice(place, other);
        let again = |n: usize| Opener { trustee: made[n].0.trustee, key: made[n].0.key.clone() };
        for two in [(0, 1), (1, 0)] {
            assert_eq!(open(&[again(two.0), again(two.1)], &manifest, &sealed), None, "{two:?}");
        }
        // the third who is there opens it with the first, whoever handed in first
        for three in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            assert_eq!(open(&three.map(again), &manifest, &sealed), Some(vec!["for".to_owned()]), "{three:?}");
        }
    }
}
