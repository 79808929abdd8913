//! Access tokens of fifteen minutes and socket tickets of half a minute: JSON Web Tokens, HS256 only, by ring.
//!
//! # Why
//! jsonwebtoken makes them: it is built without a crypto backend of its own, so the provider is ours. What comes back is read
//! here: there is one algorithm and one kind of head, everything else is refused, and the head and the claims are read once
//! each, where the library reads both several times, for every request there is. Its time checks would ask the machine's clock,
//! and it lets a token without `exp` or `aud` pass by default: here every claim is required and times are those of our clock.
use std::sync::Once;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    crypto::{CryptoProvider, JwtSigner, KeyUtils},
    encode,
    errors::{ErrorKind, Result as JwtResult},
};
use ring::hmac;
use serde::{Deserialize, Serialize};
use signature::Signer;
use uuid::Uuid;

use crate::{
    clock::Clock,
    error::{Code, Error, Result},
    ids::{PersonId, SessionId},
    keys::Keys,
};

/// How long an access token holds.
pub(super) const ACCESS_SECS: i64 = 900;
/// How long a socket may be opened with a ticket; with the leeway half a minute.
pub(super) const TICKET_SECS: i64 = 25;
/// How far two clocks may differ.
const LEEWAY_SECS: i64 = 5;
const ISSUER: &str = "liusheng";
const AUDIENCE: &str = "liusheng-api";
/// HMAC-SHA256, as heads name it.
const ALGORITHM: &str = "HS256";
const ACCESS: &str = "access";
const TICKET: &str = "socket_ticket";
/// Ours have 400 bytes; nobody gets more hashed.
const MAX_BYTES: usize = 2048;

/// What a token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: PersonId,
    sid: SessionId,
    typ: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    /// Only a ticket has one: by it, it is known to be spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jti: Option<Uuid>,
}

/// Who a valid token names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bearer {
    pub(super) person: PersonId,
    pub(super) session: SessionId,
    pub(super) expires_at: i64,
}

/// Signs an access token for a log-in.
///
/// # Errors
/// When the key file holds no token key.
pub fn mint(keys: &Keys, clock: &Clock, person: PersonId, session: SessionId) -> Result<String> {
    sign(keys, claims(clock, (person, session), ACCESS, ACCESS_SECS))
}

/// Signs a ticket that opens one socket in the name of a log-in.
///
/// # Errors
/// When the key file holds no token key.
pub(super) fn mint_ticket(keys: &Keys, clock: &Clock, person: PersonId, session: SessionId) -> Result<String> {
    let claims = claims(clock, (person, session), TICKET, TICKET_SECS);
    sign(keys, Claims { jti: Some(Uuid::new_v4()), ..claims })
}

fn claims(clock: &Clock, (sub, sid): (PersonId, SessionId), typ: &str, secs: i64) -> Claims {
    let now = clock.now().timestamp();
    let (iss, aud, typ) = (ISSUER.to_owned(), AUDIENCE.to_owned(), typ.to_owned());
    Claims { iss, aud, sub, sid, typ, iat: now, nbf: now, exp: now + secs, jti: None }
}

fn sign(keys: &Keys, claims: Claims) -> Result<String> {
    install_provider();
    let (id, secret) = keys.token_keys().first().ok_or_else(|| Error::broken("no token key"))?;
    let header = Header { kid: Some(id.clone()), ..Header::new(Algorithm::HS256) };
    encode(&header, &claims, &EncodingKey::from_secret(secret)).map_err(Error::broken)
}

/// Who the token names, if it is one of ours and holds now.
///
/// # Errors
/// `not_signed_in` for any other.
pub(super) fn check(keys: &Keys, now: DateTime<Utc>, token: &str) -> Result<Bearer> {
    let claims = read(keys, now, token, ACCESS)?;
    Ok(Bearer { person: claims.sub, session: claims.sid, expires_at: claims.exp })
}

/// Who the ticket names, and its id, if it is one of ours and holds now. Whether it is spent is not known here.
///
/// # Errors
/// `not_signed_in` for any other.
pub(super) fn check_ticket(keys: &Keys, now: DateTime<Utc>, ticket: &str) -> Result<(Bearer, Uuid)> {
    let claims = read(keys, now, ticket, TICKET)?;
    let id = claims.jti.ok_or(Code::NotSignedIn)?;
    Ok((Bearer { person: claims.sub, session: claims.sid, expires_at: claims.exp }, id))
}

/// Is it one of ours, of whatever kind, whose time is over?
pub(super) fn is_over(keys: &Keys, now: DateTime<Utc>, token: &str) -> bool {
    let is_past = |claims: &Claims| now.timestamp() > claims.exp.saturating_add(LEEWAY_SECS);
    genuine(keys, token).is_ok_and(|claims| [ACCESS, TICKET].contains(&claims.typ.as_str()) && is_past(&claims))
}

fn read(keys: &Keys, now: DateTime<Utc>, token: &str, typ: &str) -> Result<Claims> {
    let (claims, now) = (genuine(keys, token)?, now.timestamp());
    let holds = claims.typ == typ
        && now <= claims.exp.saturating_add(LEEWAY_SECS)
        && claims.nbf <= now + LEEWAY_SECS
        && claims.iat <= now + LEEWAY_SECS;
    if holds { Ok(claims) } else { Err(Code::NotSignedIn.into()) }
}

/// What one of ours says, whenever that was.
fn genuine(keys: &Keys, token: &str) -> Result<Claims> {
    told(keys, token).ok_or_else(|| Code::NotSignedIn.into())
}

fn told(keys: &Keys, token: &str) -> Option<Claims> {
    if token.len() > MAX_BYTES {
        return None;
    }
    let (signed, tag) = token.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let head = URL_SAFE_NO_PAD.decode(head).ok()?;
    let head: Head<'_> = serde_json::from_slice(&head).ok()?;
    if head.alg != ALGORITHM {
        return None;
    }
    let (_, secret) = keys.token_keys().iter().find(|(id, _)| id == head.kid)?;
    let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes(), &tag).ok()?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    (claims.iss == ISSUER && claims.aud == AUDIENCE).then_some(claims)
}

/// What the head of ours says: three things. More (`crit`, `b64`, a key of its own) would have to be understood (RFC 7515,
/// 4.1.11).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head<'a> {
    alg: &'a str,
    /// Of our keys, the one that it is signed with.
    kid: &'a str,
    #[serde(default, rename = "typ")]
    _typ: Option<&'a str>,
}

/// HMAC-SHA256 by ring, as jsonwebtoken wants it.
struct Hs256(hmac::Key);

impl Hs256 {
    fn new(algorithm: Algorithm, secret: &[u8]) -> JwtResult<Self> {
        if algorithm != Algorithm::HS256 {
            return Err(ErrorKind::InvalidAlgorithm.into());
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, signature::Error> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Box::new(Hs256::new(*algorithm, key.as_bytes())?)),
    verifier_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    key_utils: KeyUtils::new_unimplemented(),
};

/// Without a provider jsonwebtoken panics at its first use.
fn install_provider() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        if PROVIDER.install_default().is_err() {
            tracing::warn!("tokens: another crypto provider was installed first");
        }
    });
}

#[cfg(test)]
mod tests;
