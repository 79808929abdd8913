//! Who may open a socket: pages of ours, and whoever brings a token or a ticket; a foreign page never with our cookie.
use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, client::IntoClientRequest, handshake::client::Request},
};

use super::{raw, status};
use crate::support::{Socket, Somebody, TestApp, Village, answer, cookie_of, person_of};

const AREA: &str = "330521103202";

fn asking(app: &TestApp, headers: &[(&'static str, String)]) -> Request {
    let mut request = format!("ws://{}/connection/websocket", app.address).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    request
}

/// The status of the handshake: 101 when it was let in.
async fn handshake(app: &TestApp, headers: &[(&'static str, String)]) -> u16 {
    match connect_async(asking(app, headers)).await {
        Ok(_) => 101,
        Err(Error::Http(refused)) => refused.status().as_u16(),
        Err(error) => panic!("{error}"),
    }
}

async fn session_of(app: &TestApp, number: &str) -> String {
    format!("ls_session={}", cookie_of(&app.app, person_of(&app.app, AREA, number).await).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_opens_no_socket_with_our_cookie() {
    let app = TestApp::start_with(crate::support::monday(), |config| {
        config.public_url = "https://cun.example".to_owned();
    })
    .await;
    Village::found(&app).await;
    let cookie = ("cookie", session_of(&app, "00007").await);
    let own = format!("http://{}", app.address);
    let foreign = [
        "null".to_owned(),
        String::new(),
        "https://evil.example".to_owned(),
        "https://cun.example.evil".to_owned(),
        "https://evilcun.example".to_owned(),
        "https://cun.example:8443".to_owned(),
        "https://cun.example@evil.example".to_owned(),
        "https://evil.example/https://cun.example".to_owned(),
        "https://sub.cun.example".to_owned(),
        "file://".to_owned(),
        "cun.example".to_owned(),
        "https://cun.example, https://evil.example".to_owned(),
        format!("{own}.evil"),
        format!("{own}0"),
        "chrome-extension://abcdef".to_owned(),
    ];
    for origin in &foreign {
        let headers = [cookie.clone(), ("origin", origin.clone())];
        assert_eq!(handshake(&app, &headers).await, 403, "{origin:?}");
        let lies = [cookie.clone(), ("origin", origin.clone()), ("x-forwarded-host", "evil.example".to_owned())];
        assert_eq!(handshake(&app, &lies).await, 403, "{origin:?}");
    }
    for site in ["cross-site", "same-site", "rubbish"] {
        let headers = [cookie.clone(), ("origin", own.clone()), ("sec-fetch-site", site.to_owned())];
        assert_eq!(handshake(&app, &headers).await, 403, "{site}");
    }
    assert_eq!(handshake(&app, &[cookie.clone()]).await, 403, "a cookie without a word where it comes from");
    for origin in [own.as_str(), "https://cun.example", "https://CUN.example"] {
        assert_eq!(handshake(&app, &[cookie.clone(), ("origin", origin.to_owned())]).await, 101, "{origin}");
    }
    // nobody is known by a socket without a cookie: then it is what `connect` brings that counts
    assert_eq!(handshake(&app, &[("origin", "https://evil.example".to_owned())]).await, 101);
    let mut nobody = Socket::connect(&app, "", json!({})).await;
    assert_eq!(nobody.until_closed().await, 3500);
    println!("{} foreign origins refused", foreign.len() * 2 + 4);
    app.stop().await;
}

async fn ticket(who: &Somebody) -> String {
    let made = who.post("/v1/login/tickets", json!(null)).await.ok();
    assert!(made["expires_in"].as_i64().unwrap() <= 30, "{made}");
    made["ticket"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_opens_one_socket_of_its_own_log_in_within_half_a_minute() {
    let (app, village) = Village::start().await;
    let (one, other) = (village.villager(&app, "00007").await, village.villager(&app, "00008").await);
    let first = ticket(&one).await;
    let socket = Socket::connect(&app, &first, json!({})).await;
    assert_eq!(socket.connected["data"]["person"], json!(one.person), "{:?}", socket.refused);
    // again, by anybody: no
    let refused = async |text: &str, (error, code): (u64, u16)| {
        let mut again = Socket::connect(&app, text, json!({})).await;
        assert!(again.connected.is_null(), "{}", again.connected);
        assert_eq!((again.until_closed().await, &again.refused["code"]), (code, &json!(error)));
    };
    // whoever has one that was good once asks for another; everybody else stays away
    let (another, away) = ((109, 3005), (101, 3500));
    refused(&first, another).await;
    // fifty at once with one ticket: one
    let same = ticket(&one).await;
    let sockets = futures_util::future::join_all((0..50).map(|_| Socket::connect(&app, &same, json!({})))).await;
    assert_eq!(sockets.iter().filter(|socket| !socket.connected.is_null()).count(), 1);
    // too late, changed, of a log-in that has ended meanwhile
    let late = ticket(&one).await;
    app.clock.advance(TimeDelta::seconds(31));
    refused(&late, another).await;
    let mut changed = ticket(&one).await;
    changed.replace_range(changed.len() - 5..changed.len() - 4, "_");
    refused(&changed, away).await;
    let ended = ticket(&other).await;
    other.post("/v1/logout", json!(null)).await.ok();
    refused(&ended, away).await;
    // the socket lasts longer than the ticket, and no longer than the log-in
    let kept = ticket(&one).await;
    let mut lasting = Socket::connect(&app, &kept, json!({})).await;
    assert_eq!(lasting.rpc("sync", json!({})).await["error"], Value::Null);
    one.post("/v1/logout", json!(null)).await.ok();
    assert_eq!(lasting.until_closed().await, 3500);
    // nobody gets one without a log-in, and no page of another site with a cookie
    let asked = |request: reqwest::RequestBuilder| answer(request);
    assert_eq!(asked(app.http.post(app.url("/v1/login/tickets"))).await.refused(), "not_signed_in");
    let cookie = session_of(&app, "00010").await;
    let from = |origin: &str| {
        app.http.post(app.url("/v1/login/tickets")).header("cookie", &cookie).header("origin", origin.to_owned())
    };
    assert_eq!(asked(from("https://evil.example")).await.refused(), "csrf_failed");
    let own = format!("http://{}", app.address);
    asked(from(&own)).await.ok();
    // what is spent is forgotten when it would not hold any more
    app.pass(TimeDelta::minutes(3)).await;
    let read = app.app.store.read();
    let select = Statement::from_string(read.get_database_backend(), "SELECT count(*) AS n FROM spent_tickets");
    let row = read.query_one_raw(select).await.unwrap().unwrap();
    assert_eq!(row.try_get::<i64>("", "n").unwrap(), 0);
    app.stop().await;
}

/// Handshakes that are none, and compression that nobody agreed to.
#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_is_none_is_refused() {
    let app = TestApp::start().await;
    let head = |lines: &str| format!("GET /connection/websocket HTTP/1.1\r\nHost: {}\r\n{lines}\r\n", app.address);
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let patience = std::time::Duration::from_millis(500);
    for lines in [
        String::new(),
        upgrade.to_owned(),
        format!("{upgrade}Sec-WebSocket-Version: 13\r\n"),
        format!("{upgrade}Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n".to_owned(),
        "Connection: Upgrade\r\nUpgrade: h2c\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n".to_owned(),
    ] {
        let refused = status(&raw(app.address, head(&lines).as_bytes(), patience).await);
        assert!((400..500).contains(&refused), "{refused}: {lines}");
    }
    let deflate = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    let answer = raw(app.address, head(&format!("{upgrade}{deflate}")).as_bytes(), patience).await;
    assert_eq!(status(&answer), 101);
    assert!(!answer.to_lowercase().contains("sec-websocket-extensions"), "no compression, so no compression bomb");
    app.stop().await;
}
