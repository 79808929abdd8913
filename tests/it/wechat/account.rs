//! Log-in inside WeChat: bound by the phone, refused to snapshots, never round and round; the Mini Program; what pages need.
use fake_providers::{Fake, Fault};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use serde_json::json;

use super::started;
use crate::{
    county::{form, operator},
    support::{Somebody, TestApp, Village, answer, code_of, count, hidden, import, person_of},
};

/// 费海荣 alone has this number.
const PHONE: &str = "19500000007";

/// A browser inside WeChat: keeps cookies, follows by hand.
struct Browser<'a> {
    app: &'a TestApp,
    cookies: Vec<(String, String)>,
}

struct Shown {
    status: u16,
    location: String,
    page: String,
}

impl<'a> Browser<'a> {
    fn new(app: &'a TestApp) -> Self {
        Self { app, cookies: Vec::new() }
    }

    async fn take(&mut self, request: reqwest::RequestBuilder) -> Shown {
        let line: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header(COOKIE, line.join("; ")).header("sec-fetch-site", "same-origin");
        let answer = request.header("accept", "text/html").send().await.unwrap();
        for set in answer.headers().get_all(SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        let location = answer.headers().get(LOCATION).map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
        Shown { status: answer.status().as_u16(), location, page: answer.text().await.unwrap() }
    }

    async fn get(&mut self, path: &str) -> Shown {
        self.take(self.app.http.get(self.app.url(path))).await
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let form: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request =
            self.app.http.post(self.app.url(path)).header("content-type", "application/x-www-form-urlencoded");
        self.take(request.body(form.join("&"))).await
    }

    /// To WeChat and back, as somebody; gives the path back at ours.
    async fn round(&mut self, then: &str, who: &str) -> Result<String, Shown> {
        let there = self.get(&format!("/wechat/log-in?then={then}")).await;
        if there.status != 302 {
            return Err(there);
        }
        Ok(self.at_wechat(&there.location, who).await)
    }

    async fn at_wechat(&self, url: &str, who: &str) -> String {
        let url = url.strip_suffix("#wechat_redirect").unwrap();
        let answer = self.app.http.get(format!("{url}&{who}")).send().await.unwrap();
        let back = answer.headers()[LOCATION].to_str().unwrap().to_owned();
        back.strip_prefix("http://cun.example").unwrap().to_owned()
    }
}

#[tokio::test]
async fn an_openid_is_bound_by_the_phone_and_then_opens_the_door() {
    let fake = Fake::start().await.unwrap();
    let app = started(&fake).await;
    let _village = Village::found(&app).await;
    let mut browser = Browser::new(&app);
    let back = browser.round("/speak", "_openid=oFirst").await.ok().unwrap();
    let on = browser.get(&back).await;
    assert_eq!((on.status, on.location.as_str()), (302, "/login?then=/wechat"), "nobody's: the phone is to be proved");
    assert_eq!(browser.get(&back).await.status, 400, "a state is good once");
    // the phone
    let asked = browser.post("/login/code", &[("phone", PHONE), ("then", "/wechat")]).await;
    let (login_id, code) = (hidden(&asked.page, "login_id"), code_of(&app, PHONE).await);
    let fields = [("login_id", login_id.as_str()), ("phone", PHONE), ("code", &code), ("then", "/wechat")];
    let entered = browser.post("/login", &fields).await;
    assert_eq!((entered.status, entered.location.as_str()), (303, "/wechat"));
    let page = browser.get("/wechat").await;
    assert!(page.page.contains("/wechat/bind"), "{}", page.page);
    let bound = browser.post("/wechat/bind", &[]).await;
    assert_eq!((bound.status, bound.location.as_str()), (303, "/speak"), "{}", bound.page);
    // another browser, the same WeChat
    let mut second = Browser::new(&app);
    let back = second.round("/speak", "_openid=oFirst").await.ok().unwrap();
    let on = second.get(&back).await;
    assert_eq!((on.status, on.location.as_str()), (302, "/speak"), "in, at a clean address");
    assert_eq!(second.get("/speak").await.status, 200);
    // a log-in by WeChat binds nothing more: that needs a code
    let back = second.round("/wechat", "_openid=oB").await.ok().unwrap();
    second.get(&back).await;
    let refused = second.post("/wechat/bind", &[]).await;
    assert_eq!(refused.status, 403, "{}", refused.page);
    // unbound, it opens nothing
    let mine = browser.get("/wechat").await;
    let id = hidden(&mine.page, "id");
    assert_eq!(browser.post("/wechat/unbind", &[("id", &id)]).await.status, 303);
    let mut third = Browser::new(&app);
    let back = third.round("/speak", "_openid=oFirst").await.ok().unwrap();
    assert_eq!(third.get(&back).await.location, "/login?then=/wechat");
    app.settle().await;
    let data = app.folder.path();
    assert_eq!(count(data, "SELECT count(*) FROM events WHERE kind = 'wechat.bound'").await, 1);
    assert_eq!(count(data, "SELECT count(*) FROM events WHERE kind = 'wechat.unbound'").await, 1);
    assert_eq!(
        count(
            data,
            "SELECT count(*) FROM wechat_accounts WHERE openid_sealed LIKE '%oFirst%' OR openid_hmac LIKE '%oFirst%'"
        )
        .await,
        0
    );
    app.stop().await;
}

/// In, by the code for this phone.
async fn entered(browser: &mut Browser<'_>, phone: &str) {
    let asked = browser.post("/login/code", &[("phone", phone), ("then", "/wechat")]).await;
    let (login_id, code) = (hidden(&asked.page, "login_id"), code_of(browser.app, phone).await);
    let fields = [("login_id", login_id.as_str()), ("phone", phone), ("code", &code), ("then", "/wechat")];
    assert_eq!(browser.post("/login", &fields).await.status, 303);
}

#[tokio::test]
async fn who_has_the_phone_in_hand_next_takes_no_account_along() {
    let fake = Fake::start().await.unwrap();
    let app = started(&fake).await;
    let _village = Village::found(&app).await;
    let mut browser = Browser::new(&app);
    let back = browser.round("/speak", "_openid=oFirst").await.ok().unwrap();
    browser.get(&back).await;
    entered(&mut browser, PHONE).await;
    assert_eq!(browser.post("/wechat/bind", &[]).await.status, 303);
    assert!(!browser.get("/wechat").await.page.contains("/wechat/bind"), "asked for once more");
    assert_eq!(browser.post("/wechat/bind", &[]).await.status, 303, "sent again because the answer was lost");
    assert_eq!(browser.post("/logout", &[]).await.status, 303);
    entered(&mut browser, "19500000008").await;
    assert!(!browser.get("/wechat").await.page.contains("/wechat/bind"), "another's account is offered");
    assert_eq!(browser.post("/wechat/bind", &[]).await.status, 409);
    let data = app.folder.path();
    assert_eq!(count(data, "SELECT count(*) FROM events WHERE kind = 'wechat.bound'").await, 1);
    assert_eq!(count(data, "SELECT count(*) FROM events WHERE kind = 'wechat.unbound'").await, 0);
    app.stop().await;
}

/// The office puts another phone in the place of one that was stolen, or of a number that was written down wrongly.
#[tokio::test]
async fn with_the_phone_goes_what_was_bound_by_it() {
    let fake = Fake::start().await.unwrap();
    let app = started(&fake).await;
    let village = Village::found(&app).await;
    let owner = person_of(&app.app, &village.area, "00007").await;
    let mut old = Browser::new(&app);
    let back = old.round("/speak", "_openid=oFirst").await.ok().unwrap();
    old.get(&back).await;
    entered(&mut old, PHONE).await;
    assert_eq!(old.post("/wechat/bind", &[]).await.status, 303);
    let accounts = async || liusheng::wechat::of_person(app.app.store.read(), owner).await.unwrap().len();
    assert_eq!(accounts().await, 1);
    let other = "19500000097";
    let roster = include_str!("../../data/roster_small.csv").replace(PHONE, other);
    import(&app.app, roster.into_bytes()).await;
    let back = old.round("/speak", "_openid=oFirst").await.ok().unwrap();
    assert_eq!(old.get(&back).await.location, "/login?then=/wechat", "who has the old phone signs in by its WeChat");
    assert_eq!(accounts().await, 0, "and reads what is sent there");
    // whoever proves the new phone has it again
    let mut new = Browser::new(&app);
    let back = new.round("/speak", "_openid=oFirst").await.ok().unwrap();
    new.get(&back).await;
    entered(&mut new, other).await;
    assert_eq!(new.post("/wechat/bind", &[]).await.status, 303);
    assert_eq!(accounts().await, 1);
    let mut second = Browser::new(&app);
    let back = second.round("/speak", "_openid=oFirst").await.ok().unwrap();
    assert_eq!(second.get(&back).await.location, "/speak");
    app.stop().await;
}

/// Whoever has the phone has its WeChat, too.
#[tokio::test]
async fn who_signs_out_everywhere_is_in_by_no_account_either() {
    let fake = Fake::start().await.unwrap();
    let app = started(&fake).await;
    let _village = Village::found(&app).await;
    let mut lost = Browser::new(&app);
    let back = lost.round("/speak", "_openid=oFirst").await.ok().unwrap();
    lost.get(&back).await;
    entered(&mut lost, PHONE).await;
    assert_eq!(lost.post("/wechat/bind", &[]).await.status, 303);
    let mut before = Browser::new(&app);
    let back = before.round("/speak", "_openid=oFirst").await.ok().unwrap();
    assert_eq!(before.get(&back).await.location, "/speak");
    assert!(lost.get("/privacy/mine").await.page.contains("绑定的微信也一起解除"), "it is said before");
    assert_eq!(lost.post("/privacy/mine/everywhere", &[]).await.status, 303);
    app.settle().await;
    let mut thief = Browser::new(&app);
    let back = thief.round("/speak", "_openid=oFirst").await.ok().unwrap();
    assert_eq!(thief.get(&back).await.location, "/login?then=/wechat");
    app.stop().await;
}

#[tokio::test]
async fn snapshots_strangers_and_rounds_are_refused() {
    let fake = Fake::start().await.unwrap();
    let app = started(&fake).await;
    let mut browser = Browser::new(&app);
    let back = browser.round("/", "_openid=oSnap&_snapshot=1").await.ok().unwrap();
    let shown = browser.get(&back).await;
    assert_eq!(shown.status, 200);
    assert!(shown.page.contains("使用完整服务"), "{}", shown.page);
    let data = app.folder.path();
    assert_eq!(count(data, "SELECT count(*) FROM wechat_accounts").await, 0, "a made-up openid is not kept");
    assert!(browser.cookies.iter().all(|(name, _)| name != "ls_session"));
    let ballot = format!("/votes/{}/ballots", uuid::Uuid::now_v7());
    let cast = browser.post(&ballot, &[("choice", "for")]).await;
    assert!(cast.status == 303 && cast.location.starts_with("/login?"), "it votes for nobody: {}", cast.location);
    // a link that another made: the state is that of another browser
    let mut other = Browser::new(&app);
    let back = other.round("/", "_openid=oEvil").await.ok().unwrap();
    let mut victim = Browser::new(&app);
    assert_eq!(victim.get(&back).await.status, 400, "without a cookie");
    victim.get("/wechat/log-in?then=/").await;
    assert_eq!(victim.get(&back).await.status, 400, "with another's");
    // whoever does not want to is a guest
    let mut shy = Browser::new(&app);
    let back = shy.round("/about", "_deny=1").await.ok().unwrap();
    assert_eq!(shy.get(&back).await.location, "/about");
    // a used code leads round once, and then no more
    let mut round = Browser::new(&app);
    let back = round.round("/", "_openid=oC").await.ok().unwrap();
    let code = back.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let state = back.split("state=").nth(1).unwrap().to_owned();
    fake.world.pass(301);
    let again = round.get(&format!("/wechat/back?code={code}&state={state}")).await;
    assert_eq!(again.status, 302, "42003: once more");
    let back = round.at_wechat(&again.location, "_openid=oC").await;
    fake.world.pass(301);
    assert_eq!(round.get(&back).await.status, 429, "not for ever");
    // nobody is led elsewhere
    let mut led = Browser::new(&app);
    let back = led.round("//evil.example", "_deny=1").await.ok().unwrap();
    assert_eq!(led.get(&back).await.location, "/");
    app.stop().await;
}

#[tokio::test]
async fn the_mini_program_signs_in_by_the_number_that_wechat_vouches_for() {
    let fake = Fake::start().await.unwrap();
    let app = started(&fake).await;
    let _village = Village::found(&app).await;
    let log_in =
        async |told: serde_json::Value| answer(app.http.post(app.url("/v1/wechat/mini/log-in")).json(&told)).await;
    let code = fake.world.code("mA", false);
    assert_eq!(log_in(json!({ "js_code": code })).await.refused(), "wechat_not_bound");
    assert_eq!(log_in(json!({ "js_code": code })).await.refused(), "code_wrong", "a code is good once");
    let phone = |number: &str| fake.world.phone_code(number);
    let told = json!({ "js_code": fake.world.code("mA", false), "phone_code": phone("19999999998") });
    assert_eq!(log_in(told).await.refused(), "wechat_not_bound", "on no roster");
    let told = json!({ "js_code": fake.world.code("mA", false), "phone_code": phone(PHONE) });
    let open = log_in(told).await.ok();
    let again = log_in(json!({ "js_code": fake.world.code("mA", false) })).await.ok();
    assert_eq!(again["person_id"], open["person_id"], "bound now");
    // a shared number asks who it is
    let told = json!({ "js_code": fake.world.code("mB", false), "phone_code": phone("19500000052") });
    let asked = log_in(told).await;
    assert_eq!(asked.body["code"], "person_choice_needed", "{}", asked.body);
    let choice = json!({ "ticket": asked.body["more"]["ticket"], "person_id": asked.body["more"]["people"][0]["id"] });
    let chosen = answer(app.http.post(app.url("/v1/wechat/mini/choice")).json(&choice)).await.ok();
    assert_eq!(chosen["person_id"], asked.body["more"]["people"][0]["id"]);
    let twice = answer(app.http.post(app.url("/v1/wechat/mini/choice")).json(&choice)).await;
    assert_eq!(twice.refused(), "code_wrong", "a ticket is good once");
    // consents of the Mini Program
    let me = Somebody::signed_in(&app, open["person_id"].as_str().unwrap().parse().unwrap()).await;
    let given = me.post("/v1/wechat/mini/consents", json!({ "accepted": ["M1", "unknown"] })).await;
    assert_eq!(given.status, 204, "{}", given.body);
    assert_eq!(count(app.folder.path(), "SELECT sum(remaining) FROM wechat_consents").await, 1);
    let accounts = me.get("/v1/wechat/accounts").await.ok();
    assert_eq!(accounts[0]["app"], "mini");
    app.stop().await;
}

#[tokio::test]
async fn pages_get_what_wechat_s_own_functions_need() {
    let fake = Fake::start().await.unwrap();
    let app = started(&fake).await;
    let told = app.get("/v1/wechat/js-config?url=http%3A%2F%2Fcun.example%2Fspeak%3Ffrom%3Dtimeline%23x").await.ok();
    let (nonce, at) = (told["nonce_str"].as_str().unwrap(), told["timestamp"].as_i64().unwrap());
    let signed = liusheng::gateways::wechat::crypto::js_signature(
        "fake-ticket",
        nonce,
        at,
        "http://cun.example/speak?from=timeline",
    );
    assert_eq!(told["signature"], signed);
    assert_eq!(told["templates"], json!(["T1"]));
    assert_eq!(app.get("/v1/wechat/js-config?url=http%3A%2F%2Fcun.example.evil%2F").await.refused(), "invalid_fields");
    app.get("/v1/wechat/js-config?url=http%3A%2F%2Fcun.example%2F").await.ok();
    assert_eq!(fake.world.calls("/cgi-bin/ticket/getticket"), 1, "a ticket is for all");
    let file = app.http.get(app.url("/MP_verify_abc123.txt")).send().await.unwrap();
    assert_eq!((file.status().as_u16(), file.text().await.unwrap().as_str()), (200, "abc123"));
    // the desk: the village's code, and the menu for who runs the county
    let village = Village::found(&app).await;
    let page = village.chair.request(reqwest::Method::GET, "/desk/wechat").header("accept", "text/html");
    let shown = page.send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("<svg") && !shown.contains("action=\"/desk/wechat\""), "{shown}");
    let refused = village
        .chair
        .request(reqwest::Method::POST, "/desk/wechat")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("x=1")
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status().as_u16(), 403);
    assert!(fake.world.menus().is_empty());
    app.stop().await;
}

#[tokio::test]
async fn who_runs_the_county_puts_up_the_menu() {
    let fake = Fake::start().await.unwrap();
    let app = started(&fake).await;
    let _village = Village::found(&app).await;
    let county = operator(&app).await;
    // of a kind of which no other test hears
    fake.world.fail("/cgi-bin/menu/create", Fault::Code(48006), 1);
    let (status, shown) = form(&county, "/desk/wechat", &[("x", "1")]).await;
    assert_eq!(status, 422, "WeChat's no is shown: {shown}");
    assert!(fake.world.menus().is_empty() && shown.contains("48006") && shown.contains("发布菜单"), "{shown}");
    let measured = app.http.get(app.url("/metrics")).send().await.unwrap().text().await.unwrap();
    let alarms = measured.lines().find(|line| line.starts_with("provider_alarms_total") && line.contains("\"alarm\""));
    assert!(alarms.is_some_and(|line| line.ends_with(" 1")), "an operator hears of it: {alarms:?}");
    let put_up = form(&county, "/desk/wechat", &[("x", "1")]).await;
    assert_eq!(put_up, (303, "/desk/wechat".to_owned()));
    let menu = fake.world.menus().pop().unwrap();
    let buttons = menu["button"].as_array().unwrap();
    let kinds: Vec<_> = buttons.iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["click", "view", "view"], "{menu}");
    // four characters are all that a phone shows
    assert!(buttons.iter().all(|one| (1..=16).contains(&one["name"].as_str().unwrap().len())), "{menu}");
    for one in &buttons[1..] {
        assert!(one["url"].as_str().unwrap().starts_with("http://cun.example/wechat/log-in?then=/"), "{menu}");
    }
    app.stop().await;
}

/// The rows of the table of codes that are about a log-in.
#[tokio::test]
async fn what_wechat_says_of_a_log_in_leads_round_once_ends_it_or_asks_to_come_again() {
    let fake = Fake::start().await.unwrap();
    let app = started(&fake).await;
    for (code, leads_to) in
        [(40029, "/connect/oauth2/authorize"), (40163, "/connect/oauth2/authorize"), (40226, "/about"), (40164, "")]
    {
        let mut browser = Browser::new(&app);
        let back = browser.round("/about", "_openid=oD").await.ok().unwrap();
        fake.world.fail("/sns/oauth2/access_token", Fault::Code(code), 1);
        let shown = browser.get(&back).await;
        let place = shown.location.trim_start_matches(fake.url().as_str());
        assert!(place.starts_with(leads_to) && place.is_empty() == leads_to.is_empty(), "{code}: {place}");
        assert_eq!(shown.status, if leads_to.is_empty() { 503 } else { 302 }, "{code}");
        assert!(browser.cookies.iter().all(|(name, _)| name != "ls_session"), "{code}: nobody is in");
    }
    for (code, wanted) in [(40029, "code_wrong"), (40226, "code_wrong"), (45011, "busy")] {
        fake.world.fail("/sns/jscode2session", Fault::Code(code), 1);
        let told = json!({ "js_code": fake.world.code("mD", false) });
        let said = answer(app.http.post(app.url("/v1/wechat/mini/log-in")).json(&told)).await;
        assert_eq!(said.refused(), wanted, "{code}");
    }
    app.stop().await;
}
