//! The desk's log-in: password, second factor, recovery codes.
use chrono::TimeDelta;
use ring::hmac;
use serde_json::{Value, json};

use crate::support::{Answer, Somebody, TestApp, Village, answer, cards_in, code_of, hidden, import};

const PASSWORD: &str = "dongheng2026";
/// Of the clerk, 00004.
const PHONE: &str = "19500000004";

/// As an authenticator app computes it, written anew from RFC 6238.
fn app_code(secret: &str, at: chrono::DateTime<chrono::Utc>) -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String = secret.chars().map(|c| format!("{:05b}", alphabet.find(c).unwrap())).collect();
    let bytes: Vec<u8> = (0..bits.len() / 8).map(|n| u8::from_str_radix(&bits[n * 8..n * 8 + 8], 2).unwrap()).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes);
    let tag = hmac::sign(&key, &(at.timestamp() / 30).to_be_bytes());
    let offset = usize::from(tag.as_ref()[19] & 15);
    let number = u32::from_be_bytes(tag.as_ref()[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

async fn enter(app: &TestApp, phone: &str, password: &str, code: &str) -> Answer {
    let told = json!({ "phone": phone, "password": password, "code": code });
    answer(app.http.post(app.url("/v1/login/desk")).json(&told)).await
}

/// Sets the clerk up; gives the secret and the recovery codes.
async fn enrolled(app: &TestApp, who: &Somebody) -> (String, Vec<Value>) {
    let factor = who.post("/v1/me/desk-password", json!({ "password": PASSWORD })).await.ok();
    let secret = factor["secret"].as_str().unwrap().to_owned();
    let before = enter(app, PHONE, PASSWORD, &app_code(&secret, app.clock.now())).await;
    assert_eq!(before.refused(), "code_wrong", "not good before it is confirmed");
    let wrong = json!({ "code": "000000" });
    assert_eq!(who.post("/v1/me/desk-password/confirm", wrong).await.refused(), "code_wrong");
    let code = json!({ "code": app_code(&secret, app.clock.now()) });
    let done = who.post("/v1/me/desk-password/confirm", code).await.ok();
    (secret, done["recovery_codes"].as_array().unwrap().clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_and_a_code_of_the_app_open_the_desk_and_each_code_once() {
    let (app, village) = Village::start().await;
    let villager = village.villager(&app, "00007").await;
    let set = json!({ "password": PASSWORD });
    assert_eq!(villager.post("/v1/me/desk-password", set.clone()).await.refused(), "not_allowed", "no seat");
    for weak in ["short1", "onlyletters", "1234567890"] {
        let weak = json!({ "password": weak });
        assert_eq!(village.clerk.post("/v1/me/desk-password", weak).await.refused(), "invalid_fields");
    }
    let (secret, _) = enrolled(&app, &village.clerk).await;
    let used = app_code(&secret, app.clock.now());
    assert_eq!(enter(&app, PHONE, PASSWORD, &used).await.refused(), "code_wrong", "the confirming code was used");
    app.clock.advance(TimeDelta::seconds(30));
    let code = app_code(&secret, app.clock.now());
    let open = enter(&app, PHONE, PASSWORD, &code).await.ok();
    assert_eq!(enter(&app, PHONE, PASSWORD, &code).await.refused(), "code_wrong", "a replay");
    let token = open["access_token"].as_str().unwrap();
    let me = answer(app.http.get(app.url("/v1/me")).bearer_auth(token)).await.ok();
    assert_eq!(me["seats"][0]["role"], "clerk");
    let again = answer(app.http.post(app.url("/v1/me/desk-password")).bearer_auth(token).json(&set)).await;
    assert_eq!(again.refused(), "sms_sign_in_needed", "a stolen password does not change itself");
    // with the seat goes the log-in
    village.end_seat_of(&app, village.clerk.person).await;
    app.clock.advance(TimeDelta::seconds(60));
    let code = app_code(&secret, app.clock.now());
    assert_eq!(enter(&app, PHONE, PASSWORD, &code).await.refused(), "code_wrong");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_the_answer_is_one_and_after_five_tries_it_is_another() {
    let (app, village) = Village::start().await;
    let (secret, recovery) = enrolled(&app, &village.clerk).await;
    app.clock.advance(TimeDelta::minutes(16));
    let code = |app: &TestApp| app_code(&secret, app.clock.now());
    let wrong_password = enter(&app, PHONE, "dongheng2027", &code(&app)).await;
    let wrong_code = enter(&app, PHONE, PASSWORD, "000000").await;
    let unknown = enter(&app, "19999999999", PASSWORD, &code(&app)).await;
    let no_password = enter(&app, "19500000007", PASSWORD, &code(&app)).await;
    for other in [&wrong_code, &unknown, &no_password] {
        assert_eq!((other.status, &other.body), (wrong_password.status, &wrong_password.body));
    }
    assert_eq!(wrong_password.refused(), "code_wrong");
    for _ in 0..3 {
        enter(&app, PHONE, "dongheng2027", "000000").await;
    }
    assert_eq!(enter(&app, PHONE, PASSWORD, &code(&app)).await.refused(), "code_too_many");
    for _ in 0..4 {
        enter(&app, "19999999999", PASSWORD, "000000").await;
    }
    assert_eq!(enter(&app, "19999999999", PASSWORD, "000000").await.refused(), "code_too_many", "for strangers alike");
    app.clock.advance(TimeDelta::minutes(16));
    // a recovery code is good once, however it is typed
    let typed = recovery[0].as_str().unwrap().to_ascii_lowercase();
    enter(&app, PHONE, PASSWORD, &format!(" {}-{} ", &typed[..6], &typed[6..])).await.ok();
    assert_eq!(enter(&app, PHONE, PASSWORD, &typed).await.refused(), "code_wrong");
    // two at once with one code are one
    let now = code(&app);
    let (one, other) = tokio::join!(enter(&app, PHONE, PASSWORD, &now), enter(&app, PHONE, PASSWORD, &now));
    let mut all = [one.status, other.status];
    all.sort_unstable();
    assert_eq!(all, [200, 401]);
    app.stop().await;
}

/// As browsers do without a script: a form, and the cookie that came before.
async fn form(app: &TestApp, path: &str, fields: &[(&str, &str)], cookie: &str) -> (u16, String, String) {
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let request = app.http.post(app.url(path)).header("sec-fetch-site", "same-origin").header("cookie", cookie);
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body.join("&"));
    let response = request.send().await.unwrap();
    let set = response.headers().get("set-cookie").map(|value| value.to_str().unwrap().to_owned());
    let cookie = set.unwrap_or_default().split(';').next().unwrap_or_default().to_owned();
    let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
    assert!(!text.contains('⟦'), "{path}: {text}");
    (status, text, cookie)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_the_desk_log_in_work_without_a_script() {
    let (app, village) = Village::start().await;
    let (_, asked, _) = form(&app, "/login/code", &[("phone", PHONE)], "").await;
    let login_id = hidden(&asked, "login_id");
    let code = code_of(&app, PHONE).await;
    let (_, _, cookie) = form(&app, "/login", &[("login_id", &login_id), ("phone", PHONE), ("code", &code)], "").await;
    let begin = app.http.get(app.url("/desk/password")).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(begin.status(), 200);
    assert_eq!(form(&app, "/desk/password", &[("password", "short")], &cookie).await.0, 422);
    let (status, shown, _) = form(&app, "/desk/password", &[("password", PASSWORD)], &cookie).await;
    assert!(status == 200 && shown.contains("<svg") && shown.contains("otpauth://totp/"), "{shown}");
    let secret = shown.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(form(&app, "/desk/password/confirm", &[("code", "000000")], &cookie).await.0, 401);
    let now = app_code(&secret, app.clock.now());
    let (status, done, _) = form(&app, "/desk/password/confirm", &[("code", &now)], &cookie).await;
    assert!(status == 200 && done.matches("<code>").count() == 8, "{done}");
    app.clock.advance(TimeDelta::seconds(60));
    let now = app_code(&secret, app.clock.now());
    let told = [("phone", PHONE), ("password", PASSWORD), ("code", now.as_str())];
    assert_eq!(form(&app, "/login/desk", &[("phone", PHONE), ("password", "x"), ("code", "1")], "").await.0, 401);
    let (status, _, cookie) = form(&app, "/login/desk", &told, "").await;
    assert!(status == 303 && cookie.starts_with("ls_session="), "{cookie}");

    // what waits is on the first page, and is decided on its own
    village
        .chair
        .post(&format!("/v1/people/{}/claims", village.member.person), json!({ "phone": "19612345670" }))
        .await
        .ok();
    let get = |path: &str| app.http.get(app.url(path)).header("cookie", cookie.clone()).send();
    let todo = get("/desk").await.unwrap().text().await.unwrap();
    assert!(todo.contains("/desk/requests") && todo.contains("核对办理"), "{todo}");
    let page = get("/desk/requests").await.unwrap().text().await.unwrap();
    let id = page.split("name=\"id\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (status, refused, _) = form(&app, "/desk/requests/claim", &[("id", &id), ("decision", "0")], &cookie).await;
    assert!(status == 422 && refused.contains("理由"), "{refused}");
    assert_eq!(form(&app, "/desk/requests/claim", &[("id", &id), ("decision", "1")], &cookie).await.0, 303);
    let lost = [("area", "330521103202"), ("number", "00007"), ("name", "wrong"), ("phone", "19612345671")];
    assert_eq!(form(&app, "/desk/requests/office", &lost, &cookie).await.0, 422, "number and name must fit");
    let said = [("area_code", "330521103202"), ("kind", "help"), ("text", "abc"), ("name", ""), ("place", "")];
    let (status, done, _) = form(&app, "/desk/guest", &said, &cookie).await;
    assert!(status == 200 && done.contains("取件码"), "{done}");
    assert!(done.contains("id=\"slip\"") && done.contains("/guest/read</span>"), "to print: {done}");
    let code = done.split("<b>").nth(1).unwrap().split("</b>").next().unwrap();
    let (_, read, _) = form(&app, "/guest/read", &[("claim_code", code)], "").await;
    assert!(read.contains("abc") && read.contains("代录"), "who wrote it down: {read}");
    app.stop().await;
}

/// 章一平 and 钱一芳 share a phone.
#[tokio::test(flavor = "multi_thread")]
async fn a_family_phone_asks_who_it_is_on_the_page_too() {
    let app = TestApp::start().await;
    Village::found(&app).await;
    let phone = "19500000052";
    let (_, asked, _) = form(&app, "/login/code", &[("phone", phone)], "").await;
    let login_id = hidden(&asked, "login_id");
    let told = [("login_id", login_id.as_str()), ("phone", phone)];
    let code = code_of(&app, phone).await;
    let (status, who, cookie) = form(&app, "/login", &[told[0], told[1], ("code", &code)], "").await;
    assert!(status == 200 && cookie.is_empty() && who.contains("钱*芳"), "{who}");
    let ids: Vec<&str> =
        who.split("name=\"person_id\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(ids.len(), 2);
    let (status, _, cookie) =
        form(&app, "/login", &[told[0], told[1], ("code", &code), ("person_id", ids[1])], "").await;
    assert_eq!(status, 303);
    let mine = app.http.get(app.url("/privacy/export")).header("cookie", cookie).send().await.unwrap();
    assert!(mine.text().await.unwrap().contains("钱一芳"));
    let (status, ..) = form(&app, "/login", &[told[0], told[1], ("code", &code), ("person_id", ids[0])], "").await;
    assert_eq!(status, 401, "the other person takes another code");
    app.stop().await;
}

/// Whoever had the phone in hand may have set up the desk by it.
#[tokio::test(flavor = "multi_thread")]
async fn another_phone_takes_away_what_was_set_up_by_the_old_one() {
    let (app, village) = Village::start().await;
    let (secret, recovery) = enrolled(&app, &village.clerk).await;
    let code = |app: &TestApp| {
        app.clock.advance(TimeDelta::seconds(60));
        app_code(&secret, app.clock.now())
    };
    enter(&app, PHONE, PASSWORD, &code(&app)).await.ok();
    let other = "19500000094";
    let roster = include_str!("../../data/roster_small.csv").replace(PHONE, other);
    import(&app.app, roster.into_bytes()).await;
    assert_eq!(enter(&app, other, PASSWORD, &code(&app)).await.refused(), "code_wrong");
    assert_eq!(enter(&app, other, PASSWORD, recovery[0].as_str().unwrap()).await.refused(), "code_wrong");
    app.stop().await;
}

/// Whoever finds a log-in open can set up another way in.
#[tokio::test(flavor = "multi_thread")]
async fn who_fears_that_another_set_it_up_is_told_of_it_and_shuts_it() {
    let (app, village) = Village::start().await;
    let (_, recovery) = enrolled(&app, &village.clerk).await;
    app.settle().await;
    let told = cards_in(&app, village.clerk.person, "mailbox").await;
    assert!(told.contains(&"desk_password_set".to_owned()), "{told:?}");
    app.clock.advance(TimeDelta::minutes(16));
    let late = village.chair.post("/v1/me/desk-password", json!({ "password": PASSWORD })).await;
    assert_eq!(late.refused(), "sms_sign_in_needed", "a log-in that somebody found open makes no other");
    let everywhere = village.clerk.post("/v1/logout/everywhere", json!(null)).await;
    assert_eq!(everywhere.status, 204);
    assert_eq!(enter(&app, PHONE, PASSWORD, recovery[0].as_str().unwrap()).await.refused(), "code_wrong");
    app.stop().await;
}
