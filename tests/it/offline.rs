//! What a phone keeps for when there is no network: `/worker.js`, its page and its files, the same for everybody.
use chrono::TimeDelta;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{Somebody, TestApp, Village, answer, code_of, cookie_of, hidden};

const PHONE: &str = "19500000010";

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_asked_for_each_time_and_what_it_keeps_is_nobodys() {
    let (app, village) = Village::start().await;
    let get = async |path: &str| app.http.get(app.url(path)).send().await.unwrap();
    let worker = get("/worker.js").await;
    assert_eq!(worker.status(), StatusCode::OK);
    assert_eq!(header(&worker, "content-type"), "text/javascript; charset=utf-8");
    assert_eq!(header(&worker, "cache-control"), "no-cache");
    assert_eq!(header(&worker, "set-cookie"), "");
    assert!(header(&worker, "content-security-policy").contains("default-src 'self'"));
    let tag = header(&worker, "etag").to_owned();
    let seen = app.http.get(app.url("/worker.js")).header("if-none-match", &tag).send().await.unwrap();
    assert_eq!((seen.status(), header(&seen, "etag")), (StatusCode::NOT_MODIFIED, tag.as_str()));

    let script = worker.text().await.unwrap();
    assert!(script.len() < 4096, "{} bytes with every page", script.len());
    let kept = script.lines().next().and_then(|line| line.strip_prefix("var KEPT = ")?.strip_suffix(';')).unwrap();
    let kept: Value = serde_json::from_str(kept).unwrap();
    let page = kept["page"].as_str().unwrap();
    let files = kept["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap());
    for address in files.chain([page]) {
        let answer = get(address).await;
        assert_eq!((answer.status(), header(&answer, "set-cookie")), (StatusCode::OK, ""), "{address}");
        assert!(header(&answer, "cache-control").contains("immutable"), "{address}");
    }
    for other in ["/offline", "/offline?v=0"] {
        assert_eq!(header(&get(other).await, "cache-control"), "no-cache", "{other}: of no version to be kept");
    }
    let nobodys = get(page).await.text().await.unwrap();
    let clerks = village.clerk.request(Method::GET, page).send().await.unwrap().text().await.unwrap();
    assert_eq!(nobodys, clerks, "whoever asks");
    app.stop().await;
}

/// Whose words the phone takes without a network is known by a cookie that a page sets: it must not outlive the log-in.
fn forgets_the_writer(answer: &Response) -> bool {
    let mut lines = answer.headers().get_all("set-cookie").iter().map(|line| line.to_str().unwrap());
    lines.any(|line| line.starts_with("ls_writer=;") && line.contains("Max-Age=0"))
}

/// What a browser sends after somebody's log-in in it.
async fn session_of(app: &TestApp, who: &Somebody) -> String {
    format!("ls_session={}", cookie_of(&app.app, who.person).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_and_a_log_out_take_the_writer_from_the_phone() {
    let app = TestApp::start().await;
    Village::found(&app).await;
    let post = async |path: &str, body: String, cookie: &str| {
        let request = app.http.post(app.url(path)).header("sec-fetch-site", "same-origin").header("cookie", cookie);
        request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap()
    };
    let asked = post("/login/code", format!("phone={PHONE}"), "").await.text().await.unwrap();
    let (login_id, code) = (hidden(&asked, "login_id"), code_of(&app, PHONE).await);
    let entered = post("/login", format!("login_id={login_id}&phone={PHONE}&code={code}"), "").await;
    assert!(forgets_the_writer(&entered), "{:?}", entered.headers());
    let cookie = header(&entered, "set-cookie").split(';').next().unwrap();
    let left = post("/logout", String::new(), cookie).await;
    assert_eq!(left.status(), StatusCode::SEE_OTHER);
    assert!(forgets_the_writer(&left), "{:?}", left.headers());
    // photos are kept for a year, and a phone may be a family's
    assert_eq!(header(&left, "clear-site-data"), "\"cache\"");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_over_another_ends_the_one_before() {
    let app = TestApp::start().await;
    Village::found(&app).await;
    let post = async |path: &str, body: String, cookie: &str| {
        let request = app.http.post(app.url(path)).header("sec-fetch-site", "same-origin").header("cookie", cookie);
        request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap()
    };
    let enter = async |cookie: &str| {
        let asked = post("/login/code", format!("phone={PHONE}"), cookie).await.text().await.unwrap();
        let (login_id, code) = (hidden(&asked, "login_id"), code_of(&app, PHONE).await);
        let entered = post("/login", format!("login_id={login_id}&phone={PHONE}&code={code}"), cookie).await;
        header(&entered, "set-cookie").split(';').next().unwrap().to_owned()
    };
    let me = async |cookie: &str| answer(app.http.get(app.url("/v1/me")).header("cookie", cookie)).await;
    let first = enter("").await;
    me(&first).await.ok();
    app.clock.advance(TimeDelta::minutes(2));
    // the next code is the only one there
    std::fs::remove_file(app.folder.path().join("sms.txt")).unwrap();
    let second = enter(&first).await;
    me(&second).await.ok();
    assert_eq!(me(&first).await.refused(), "session_ended");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_that_ended_elsewhere_leaves_no_writer_on_the_phone() {
    let (app, village) = Village::start().await;
    let villager = village.villager(&app, "00007").await;
    let open = async |cookie: &str, path: &str| {
        app.http.get(app.url(path)).header("cookie", cookie).header("accept", "text/html").send().await.unwrap()
    };
    let cookie = session_of(&app, &villager).await;
    let home = open(&cookie, "/").await;
    assert!(!forgets_the_writer(&home), "whoever is signed in writes: {:?}", home.headers());
    // from another phone of the same person
    villager.post("/v1/logout/everywhere", json!({})).await.ok();
    for path in ["/", "/login"] {
        let shown = open(&cookie, path).await;
        assert_eq!(shown.status(), StatusCode::OK, "{path}");
        assert!(forgets_the_writer(&shown), "{path}: {:?}", shown.headers());
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_out_everywhere_does_so_on_this_phone_too() {
    let (app, village) = Village::start().await;
    let villager = village.villager(&app, "00007").await;
    let cookie = session_of(&app, &villager).await;
    let request = app.http.post(app.url("/privacy/mine/everywhere")).header("sec-fetch-site", "same-origin");
    let request = request.header("cookie", &cookie).header("content-type", "application/x-www-form-urlencoded");
    let left = request.body("").send().await.unwrap();
    assert_eq!(left.status(), StatusCode::SEE_OTHER);
    assert!(forgets_the_writer(&left), "{:?}", left.headers());
    // photos are kept for a year, and a phone may be a family's
    assert_eq!(header(&left, "clear-site-data"), "\"cache\"");
    app.stop().await;
}
