//! Tokens that are not ours, not any more, or not for this: refused over HTTP and by the socket alike.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use chrono::TimeDelta;
use liusheng::people;
use ring::hmac;
use serde_json::{Value, json};
use uuid::Uuid;

use super::log_in;
use crate::support::{Answer, Socket, Somebody, TestApp, Village, answer};

/// What a forger has: everything but the key, and then even the key.
struct Forge {
    app: TestApp,
    who: Somebody,
    kid: String,
    secret: Vec<u8>,
}

impl Forge {
    async fn set() -> Self {
        let (app, village) = Village::start().await;
        let who = village.villager(&app, "00007").await;
        let file = std::fs::read(app.folder.path().join("keys.json")).unwrap();
        let key = serde_json::from_slice::<Value>(&file).unwrap()["tokens"][0].clone();
        let (kid, secret) =
            (key["id"].as_str().unwrap().to_owned(), B64.decode(key["secret"].as_str().unwrap()).unwrap());
        Self { app, who, kid, secret }
    }

    fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": "HS256", "kid": self.kid })
    }

    fn claims(&self) -> Value {
        let now = self.app.app.now().timestamp();
        json!({ "iss": "liusheng", "aud": "liusheng-api", "sub": self.who.person, "sid": self.who.session,
            "typ": "access", "iat": now, "nbf": now, "exp": now + 900 })
    }

    fn token(&self, header: &Value, claims: &Value, secret: &[u8]) -> String {
        signed(&header.to_string(), &claims.to_string(), secret)
    }

    async fn me(&self, token: &str) -> Answer {
        answer(self.app.http.get(self.app.url("/v1/me")).bearer_auth(token)).await
    }

    /// Refused over HTTP with a problem, and by the socket with its code.
    async fn refused(&self, (name, token): &(String, String)) -> Result<(), String> {
        // what cannot stand in a header comes as far as a socket only
        if token.is_ascii() && token.len() < 16_000 && !token.contains(['\n', '\0']) {
            let answer = self.me(token).await;
            if answer.status != 401 || answer.body["code"] != "not_signed_in" {
                return Err(format!("{name}: HTTP {} {}", answer.status, answer.body));
            }
        }
        let mut socket = Socket::connect(&self.app, token, json!({})).await;
        if !socket.connected.is_null() {
            return Err(format!("{name}: the socket says {}", socket.connected));
        }
        let code = socket.until_closed().await;
        // one of ours whose time is over may be changed for another
        let is_over = name.starts_with("exp = ") && code == 3005 && socket.refused["code"] == 109;
        // what is longer than a frame may be is not even read
        if code == 3500 || is_over || (token.len() > 60_000 && [1006, 1009].contains(&code)) {
            Ok(())
        } else {
            Err(format!("{name}: closed with {code}"))
        }
    }
}

fn signed(header: &str, claims: &str, secret: &[u8]) -> String {
    let message = format!("{}.{}", B64.encode(header), B64.encode(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", B64.encode(tag))
}

fn with(mut object: Value, field: &str, value: Value) -> Value {
    object[field] = value;
    object
}

/// Forged without the key.
fn without_the_key(forge: &Forge) -> Vec<(String, String)> {
    let (header, claims, real) = (forge.header(), forge.claims(), forge.who.token());
    let mut list: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, token: String| list.push((name.to_owned(), token));
    let parts: Vec<&str> = real.split('.').collect();
    let body = format!("{}.{}", parts[0], parts[1]);
    for alg in ["none", "None", "NONE", "nOnE"] {
        let unsigned = forge.token(&with(header.clone(), "alg", json!(alg)), &claims, b"");
        let bare = unsigned.rsplit_once('.').unwrap().0.to_owned();
        add(&format!("alg {alg}, no signature"), format!("{bare}."));
        add(&format!("alg {alg}, no third part"), bare.clone());
        add(&format!("alg {alg}, the old signature"), format!("{bare}.{}", parts[2]));
    }
    for (name, at) in [("first", 0), ("middle", parts[2].len() / 2), ("late", parts[2].len() - 3)] {
        let mut tag = parts[2].as_bytes().to_vec();
        tag[at] = if tag[at] == b'A' { b'B' } else { b'A' };
        add(&format!("{name} letter of the signature flipped"), format!("{body}.{}", String::from_utf8(tag).unwrap()));
    }
    for length in [0, 1, 20, parts[2].len() - 4] {
        add(&format!("signature cut to {length}"), format!("{body}.{}", &parts[2][..length]));
    }
    for (claim, value) in [
        ("sub", json!(Uuid::now_v7())),
        ("sid", json!(Uuid::now_v7())),
        ("exp", json!(9_999_999_999_i64)),
        ("role", json!("admin")),
    ] {
        let other = B64.encode(with(claims.clone(), claim, value).to_string());
        add(&format!("{claim} changed under the old signature"), format!("{}.{other}.{}", parts[0], parts[2]));
    }
    for weak in ["", "secret", "password", "123456", "changeme", "key", "jwt_secret", "liusheng", "your-256-bit-secret"]
    {
        add(&format!("weak key {weak:?}"), forge.token(&header, &claims, weak.as_bytes()));
    }
    add("key of zeros", forge.token(&header, &claims, &[0; 32]));
    for (id, public) in forge.app.app.keys.public_keys() {
        let raw = B64.decode(&public).unwrap();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{public}\n-----END PUBLIC KEY-----\n");
        for (form, key) in [("raw", raw), ("text", public.clone().into_bytes()), ("PEM", pem.into_bytes())] {
            add(&format!("our public key as secret, {form}"), forge.token(&header, &claims, &key));
            add(
                &format!("the same, named, {form}"),
                forge.token(&with(header.clone(), "kid", json!(id)), &claims, &key),
            );
        }
    }
    for kid in [
        "../../../dev/null",
        "/proc/self/environ",
        "' OR '1'='1",
        "t1' UNION SELECT 'x' --",
        "|id",
        "http://127.0.0.1:9/key",
        "t1\0",
        "T1",
        "",
    ] {
        for secret in [&b""[..], b"x", kid.as_bytes()] {
            add(&format!("kid {kid:?}"), forge.token(&with(header.clone(), "kid", json!(kid)), &claims, secret));
        }
    }
    let jwk = json!({ "kty": "oct", "k": B64.encode([7; 32]), "kid": forge.kid });
    add("brings its own jwk", forge.token(&with(header.clone(), "jwk", jwk), &claims, &[7; 32]));
    for name in ["jku", "x5u"] {
        add(
            &format!("{name} of its own"),
            forge.token(&with(header.clone(), name, json!("http://127.0.0.1:9/keys")), &claims, &[7; 32]),
        );
    }
    for alg in ["HS384", "HS512", "RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA", "hs256", "", "HS256 "] {
        add(&format!("alg {alg:?} over the old signature"), {
            let other = forge.token(&with(header.clone(), "alg", json!(alg)), &claims, b"");
            format!("{}.{}", other.rsplit_once('.').unwrap().0, parts[2])
        });
    }
    add("ES256 with a signature of zeros", {
        let other = forge.token(&with(header.clone(), "alg", json!("ES256")), &claims, b"");
        format!("{}.{}", other.rsplit_once('.').unwrap().0, B64.encode([0; 64]))
    });
    add("five parts, as if encrypted", format!("{body}.{}.{}.{}", parts[2], parts[2], parts[2]));
    for rubbish in
        [".", "..", "...", "null", "[]", "{}", "Bearer", "undefined", "eyJ", "\u{feff}x.y.z", "令牌", "a.b.c\n"]
    {
        add(&format!("rubbish {rubbish:?}"), rubbish.to_owned());
    }
    for length in [3000, 15_000, 60_000, 1_000_000] {
        add(&format!("{length} letters"), "x".repeat(length));
        add(&format!("{length} letters in three parts"), format!("{}.{}.{}", parts[0], "A".repeat(length), parts[2]));
    }
    list
}

/// Signed with the real key, as by a thief or by another part of ours, but not what an access token says.
fn with_the_key(forge: &Forge) -> Vec<(String, String)> {
    let (header, claims) = (forge.header(), forge.claims());
    let now = forge.app.app.now().timestamp();
    let mut list = Vec::new();
    for claim in ["iss", "aud", "sub", "sid", "typ", "iat", "nbf", "exp"] {
        let mut less = claims.clone();
        less.as_object_mut().unwrap().remove(claim);
        list.push((format!("without {claim}"), forge.token(&header, &less, &forge.secret)));
    }
    for (claim, value) in [
        ("exp", json!(now - 6)),
        ("exp", json!("9999999999")),
        ("exp", json!(-1)),
        ("exp", json!(1e30)),
        ("nbf", json!(now + 60)),
        ("iat", json!(now + 3600)),
        ("aud", json!("liusheng")),
        ("aud", json!(["other"])),
        ("aud", json!([])),
        ("iss", json!("liusheng.evil")),
        ("typ", json!("refresh")),
        ("typ", json!("socket_ticket")),
        ("typ", json!("ACCESS")),
        ("sub", json!([forge.who.person])),
        ("sub", json!({ "id": forge.who.person })),
        ("sid", json!(null)),
    ] {
        list.push((
            format!("{claim} = {value}"),
            forge.token(&header, &with(claims.clone(), claim, value), &forge.secret),
        ));
    }
    for claims in ["[]", "null", "\"x\"", "{", ""] {
        list.push((format!("claims {claims:?}"), signed(&header.to_string(), claims, &forge.secret)));
    }
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    list.push(("deep claims".to_owned(), signed(&header.to_string(), &deep, &forge.secret)));
    for text in [
        "[]",
        "null",
        "{",
        "",
        "{\"alg\":[\"HS256\"],\"kid\":\"t1\"}",
        "{\"alg\":\"HS256\",\"alg\":\"none\",\"kid\":\"t1\"}",
    ] {
        list.push((format!("header {text:?}"), signed(text, &claims.to_string(), &forge.secret)));
    }
    // RFC 7515 4.1.11: what must be understood and is not
    for crit in [json!(["b64"]), json!(["exp"]), json!(["x-unknown"]), json!([])] {
        let asked = with(with(header.clone(), "crit", crit.clone()), "b64", json!(false));
        list.push((format!("crit {crit}"), forge.token(&asked, &claims, &forge.secret)));
    }
    list
}

#[tokio::test(flavor = "multi_thread")]
async fn no_forged_token_opens_anything() {
    let forge = Forge::set().await;
    forge.me(&forge.token(&forge.header(), &forge.claims(), &forge.secret)).await.ok();
    let mut list = without_the_key(&forge);
    list.extend(with_the_key(&forge));
    let mut wrong = Vec::new();
    for one in &list {
        wrong.extend(forge.refused(one).await.err());
    }
    assert!(list.len() > 120, "{}", list.len());
    assert!(wrong.is_empty(), "{} of {} tokens:\n{}", wrong.len(), list.len(), wrong.join("\n"));
    println!("{} forged tokens refused, over HTTP and by the socket", list.len());
    forge.app.stop().await;
}

/// Real ones at the wrong time, in the wrong place, for the wrong thing.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_token_is_good_for_its_purpose_and_time_alone() {
    let forge = Forge::set().await;
    let (app, who) = (&forge.app, &forge.who);
    let token = who.token();
    let asked = answer(app.http.post(app.url("/v1/login/tickets")).bearer_auth(&token)).await;
    assert_eq!(asked.status, 201);
    let ticket = asked.ok()["ticket"].as_str().unwrap().to_owned();
    assert_eq!(forge.me(&ticket).await.refused(), "not_signed_in", "a ticket is no access token");
    let open = log_in(app, "19500000008").await;
    let refresh = open["refresh_token"].as_str().unwrap();
    assert_eq!(forge.me(refresh).await.refused(), "not_signed_in", "a refresh token is no access token");
    let renew =
        |text: &str| answer(app.http.post(app.url("/v1/login/refresh")).json(&json!({ "refresh_token": text })));
    for other in [&token, &ticket] {
        assert_eq!(renew(other).await.status, 401, "an access token or a ticket renews nothing");
    }
    // in an address, a body, a cookie, with another scheme, or beside another: not looked at, or refused
    for name in ["access_token", "token", "jwt", "authorization", "bearer"] {
        assert_eq!(app.get(&format!("/v1/me?{name}={token}")).await.status, 401, "{name}");
    }
    let me = || app.http.get(app.url("/v1/me"));
    assert_eq!(answer(me().header("cookie", format!("ls_session={token}"))).await.status, 401);
    for scheme in ["Basic", "Token", "JWT", "Bearer:", ""] {
        assert_eq!(answer(me().header("authorization", format!("{scheme} {token}"))).await.status, 401, "{scheme}");
    }
    let both = me().header("authorization", "Bearer x.y.z").header("authorization", format!("Bearer {token}"));
    assert_eq!(answer(both).await.status, 401);
    // another county's server has keys of its own
    let elsewhere = TestApp::start().await;
    let there = answer(elsewhere.http.get(elsewhere.url("/v1/me")).bearer_auth(&token)).await;
    assert_eq!(there.refused(), "not_signed_in");
    elsewhere.stop().await;
    // a second past the leeway, and after the log-out
    app.clock.advance(TimeDelta::seconds(905));
    forge.me(&token).await.ok();
    app.clock.advance(TimeDelta::seconds(1));
    assert_eq!(forge.me(&token).await.refused(), "not_signed_in");
    let fresh = people::mint(&app.app.keys, &app.clock, who.person, who.session).unwrap();
    forge.me(&fresh).await.ok();
    who.post("/v1/logout", json!(null)).await.ok();
    assert_eq!(forge.me(&fresh).await.refused(), "session_ended");
    let mut socket = Socket::connect(app, &fresh, json!({})).await;
    assert_eq!(socket.until_closed().await, 3500);
    forge.app.stop().await;
}
