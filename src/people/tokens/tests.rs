//! Tokens that must be refused, one for each way to make one.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::*;
use crate::fuzz::{Food, feed};

struct House {
    _folder: tempfile::TempDir,
    keys: Keys,
    clock: Clock,
    person: PersonId,
    session: SessionId,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_make(folder.path()).unwrap();
        let clock = Clock::standing_at(DateTime::from_timestamp(1_764_000_000, 0).unwrap());
        Self { _folder: folder, keys, clock, person: PersonId::new(), session: SessionId::new() }
    }

    fn check(&self, token: &str) -> Result<Bearer> {
        check(&self.keys, self.clock.now(), token)
    }

    fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": "HS256", "kid": self.keys.token_keys()[0].0 })
    }

    fn claims(&self) -> Value {
        let now = self.clock.now().timestamp();
        json!({
            "iss": "liusheng", "aud": "liusheng-api", "sub": self.person, "sid": self.session, "typ": "access",
            "iat": now, "nbf": now, "exp": now + 900,
        })
    }

    /// A token of any shape, signed with the real key by the algorithm given.
    fn forge(&self, header: &Value, claims: &Value, algorithm: hmac::Algorithm) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let tag = hmac::sign(&hmac::Key::new(algorithm, &self.keys.token_keys()[0].1), message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    fn signed(&self, header: &Value, claims: &Value) -> String {
        self.forge(header, claims, hmac::HMAC_SHA256)
    }

    fn refused(&self, token: &str, why: &str) {
        assert_eq!(self.check(token).unwrap_err().code(), Code::NotSignedIn, "{why}");
    }
}

fn with(mut object: Value, field: &str, value: Value) -> Value {
    object[field] = value;
    object
}

#[test]
fn our_own_token_names_person_and_session_until_it_expires() {
    let house = House::new();
    let token = mint(&house.keys, &house.clock, house.person, house.session).unwrap();
    let expires_at = house.clock.now().timestamp() + ACCESS_SECS;
    let bearer = Bearer { person: house.person, session: house.session, expires_at };
    assert_eq!(house.check(&token).unwrap(), bearer);
    assert_eq!(house.check(&house.signed(&house.header(), &house.claims())).unwrap(), bearer);
    house.clock.advance(TimeDelta::seconds(ACCESS_SECS + LEEWAY_SECS));
    assert_eq!(house.check(&token).unwrap(), bearer);
    house.clock.advance(TimeDelta::seconds(1));
    house.refused(&token, "expired by one second past the leeway");
}

#[test]
fn other_algorithms_are_refused() {
    let house = House::new();
    for name in ["none", "None", "NONE", "nOnE", "HS384", "HS512", "RS256", "ES256", "EdDSA", ""] {
        let header = with(house.header(), "alg", json!(name));
        let token = house.signed(&header, &house.claims());
        house.refused(&token, name);
        let unsigned = token.rsplit_once('.').unwrap().0;
        house.refused(&format!("{unsigned}."), name);
    }
    let header = with(house.header(), "alg", json!("HS384"));
    house.refused(&house.forge(&header, &house.claims(), hmac::HMAC_SHA384), "a real HS384 signature with our key");
}

#[test]
fn every_claim_is_required_and_must_fit() {
    let house = House::new();
    for claim in ["iss", "aud", "sub", "sid", "typ", "iat", "nbf", "exp"] {
        let mut claims = house.claims();
        claims.as_object_mut().unwrap().remove(claim);
        house.refused(&house.signed(&house.header(), &claims), claim);
    }
    let now = house.clock.now().timestamp();
    for (claim, value) in [
        ("aud", json!("other-api")),
        ("aud", json!(["other-api"])),
        ("aud", Value::Null),
        ("iss", json!("somebody")),
        ("typ", json!("refresh")),
        ("typ", json!("socket")),
        ("nbf", json!(now + LEEWAY_SECS + 1)),
        ("iat", json!(now + 3600)),
        ("exp", json!(now - LEEWAY_SECS - 1)),
        ("exp", json!("never")),
        ("exp", json!(-1)),
        ("sub", json!("somebody")),
    ] {
        let token = house.signed(&house.header(), &with(house.claims(), claim, value.clone()));
        house.refused(&token, &format!("{claim} = {value}"));
    }
}

#[test]
fn a_key_of_ours_must_be_named() {
    let house = House::new();
    for kid in
        [json!("t2"), json!(""), json!("../../keys.json"), json!("' OR 1=1 --"), json!("t1\0"), json!(1), Value::Null]
    {
        let token = house.signed(&with(house.header(), "kid", kid.clone()), &house.claims());
        house.refused(&token, &kid.to_string());
    }
    let stranger = House::new();
    house.refused(
        &stranger.signed(&stranger.header(), &house.claims()),
        "signed with somebody else's key of the same id",
    );
    let jwk = json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode([0; 32]) });
    house.refused(&stranger.signed(&with(stranger.header(), "jwk", jwk), &house.claims()), "brings its own key");
}

#[test]
fn a_changed_token_is_refused() {
    let house = House::new();
    let token = mint(&house.keys, &house.clock, house.person, house.session).unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, tag] = parts.as_slice() else { panic!() };
    for at in [0, tag.len() / 2, tag.len() - 2] {
        let mut flipped = tag.as_bytes().to_vec();
        flipped[at] = if flipped[at] == b'A' { b'B' } else { b'A' };
        house.refused(&format!("{header}.{claims}.{}", String::from_utf8(flipped).unwrap()), "flipped signature");
    }
    let other = URL_SAFE_NO_PAD.encode(with(house.claims(), "sub", json!(PersonId::new())).to_string());
    house.refused(&format!("{header}.{other}.{tag}"), "another person under the old signature");
    let half = &tag[..20];
    for bad in
        ["", ".", "..", "a.b", &format!("{header}.{claims}"), &format!("{header}.{claims}.{half}"), &token.repeat(9)]
    {
        house.refused(bad, bad);
    }
}

#[test]
fn a_ticket_is_no_access_token_and_the_reverse() {
    let house = House::new();
    let ticket = mint_ticket(&house.keys, &house.clock, house.person, house.session).unwrap();
    house.refused(&ticket, "a ticket");
    let now = house.clock.now();
    let (bearer, _) = check_ticket(&house.keys, now, &ticket).unwrap();
    assert_eq!((bearer.person, bearer.session), (house.person, house.session));
    let access = mint(&house.keys, &house.clock, house.person, house.session).unwrap();
    assert!(check_ticket(&house.keys, now, &access).is_err());
    let unnamed = house.signed(&house.header(), &with(house.claims(), "typ", json!("socket_ticket")));
    assert!(check_ticket(&house.keys, now, &unnamed).is_err(), "one without an id could be spent again and again");
    assert!(check_ticket(&house.keys, now + TimeDelta::seconds(TICKET_SECS + LEEWAY_SECS), &ticket).is_ok());
    assert!(check_ticket(&house.keys, now + TimeDelta::seconds(31), &ticket).is_err());
}

#[test]
fn bent_tokens_are_refused() {
    let house = House::new();
    let token = mint(&house.keys, &house.clock, house.person, house.session).unwrap();
    let ticket = mint_ticket(&house.keys, &house.clock, house.person, house.session).unwrap();
    let unsigned = house.signed(&with(house.header(), "alg", json!("none")), &house.claims());
    let words = [".", "..", "eyJ", "e30", "bnVsbA", "=", "-", "_"];
    let seeds = [token.clone(), ticket, unsigned].map(String::into_bytes).to_vec();
    feed(&Food { name: "token", seeds, words: &words, longest: 3000 }, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        // base64 has one way to write bytes: another text is another token
        assert!(house.check(text).is_err() || text == token, "{text}");
    });
}
