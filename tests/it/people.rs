//! Rosters come in whole or not at all; who signs in, how often a code may be tried, and how a log-in ends.
use std::{collections::HashMap, sync::Mutex};

use chrono::TimeDelta;
use liusheng::ids::PersonId;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Somebody, TestApp, Village, answer, cookie_of, count, import, person_of};

const ROSTER: &str = include_str!("../data/roster_small.csv");
const AREA: &str = "330521103202";
/// 费海荣, and a number nobody has.
const PHONE: &str = "19500000007";
const NOBODY: &str = "19999999999";
/// Of 章一平 and 钱一芳.
const SHARED: &str = "19500000052";

async fn bring(who: &Somebody, query: &str, roster: impl Into<String>) -> Answer {
    let request = who.request(Method::POST, &format!("/v1/areas/{AREA}/roster{query}"));
    answer(request.header("content-type", "text/csv; charset=utf-8").body(roster.into())).await
}

/// The roster with every number one higher.
fn renumbered() -> String {
    let mut lines = ROSTER.lines();
    let mut text = format!("{}\n", lines.next().unwrap());
    for line in lines {
        let (number, rest) = line.split_once(',').unwrap();
        text += &format!("{:05},{rest}\n", number.parse::<u32>().unwrap() + 1);
    }
    text
}

fn first_lines(count: usize) -> String {
    ROSTER.lines().take(count).map(|line| format!("{line}\n")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_line_keeps_the_whole_roster_out_and_is_named_with_its_column() {
    let (app, village) = Village::start().await;
    let broken = ROSTER
        .replace("章建明,男,1960-12-12", "章建国,男,1960-12-12")
        .replace("19500000002", "1950000")
        .replace("330599196512281030", "330599196512281031");
    let refused = bring(&village.town, "", broken).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (422, Some("roster_invalid")));
    let errors = refused.body["errors"].as_array().unwrap();
    let places: Vec<&str> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(places, ["line 3, column phone", "line 5, column id_no"], "{errors:?}");
    assert!(!refused.body.to_string().contains("330599"), "a refusal repeats no identity number");
    let mine = Somebody::signed_in(&app, person_of(&app.app, AREA, "00001").await).await.get("/v1/me").await.ok();
    assert_eq!(mine["name"], "章建明", "the good first line did not come in either");
    for (text, code) in [("", 422), ("person_no\n1\n", 422), ("\u{0}", 422)] {
        assert_eq!(bring(&village.town, "", text).await.status, code, "{text:?}");
    }
    assert_eq!(bring(&village.town, "", "x".repeat(6 << 20)).await.refused(), "too_large");
    let plain = village.town.request(Method::POST, &format!("/v1/areas/{AREA}/roster")).body(ROSTER);
    assert_eq!(answer(plain).await.refused(), "unsupported_type");
    assert_eq!(bring(&village.council_chair, "", ROSTER).await.refused(), "not_allowed");
    let neighbours = include_str!("../data/roster_neighbours.csv");
    assert_eq!(bring(&village.clerk, "", neighbours).await.refused(), "roster_invalid", "not over the hedge");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_another_village_under_another_name_is_nobodys_and_the_county_hears_of_it() {
    let (app, village) = Village::start().await;
    let next = village.neighbour(&app).await;
    let with = |no: &str, name: &str, number: &str| {
        format!("{ROSTER}{no},H003,{AREA},4,{name},女,1980-02-03,{number},,女,1,1\n")
    };
    let of_next = "330599198002031022";
    let disputed = "SELECT count(*) FROM events WHERE kind = 'number.disputed'";
    // one that nobody has, and one of the next village: answered alike, and the same once more
    let known = bring(&village.clerk, "", with("00060", "某人甲", "330599198002031049")).await.ok();
    assert_eq!(count(app.folder.path(), disputed).await, 0);
    bring(&village.clerk, "", ROSTER).await.ok();
    let other = bring(&village.clerk, "", with("00061", "某人乙", of_next)).await.ok();
    assert_eq!(known, other);
    assert_eq!(count(app.folder.path(), disputed).await, 1);
    assert_eq!(bring(&village.clerk, "", with("00061", "某人乙", of_next)).await.ok()["unchanged"], true);
    assert_ne!(person_of(&app.app, AREA, "00061").await, next.person);
    assert_eq!(person_of(&app.app, "330521103203", "00002").await, next.person, "nobody has become another");
    // under the right name it is the person of the other village, who cannot be on two rosters
    let refused = bring(&village.clerk, "", with("00061", "邻村乙", of_next)).await;
    assert_eq!(refused.body["errors"][0]["code"], "on_other_roster", "{}", refused.body);
    assert_eq!(count(app.folder.path(), disputed).await, 2);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_roster_again_changes_nothing_and_new_numbers_keep_the_people() {
    let (app, village) = Village::start().await;
    let again = bring(&village.clerk, "", ROSTER).await.ok();
    assert_eq!(
        (&again["unchanged"], &again["added"], &again["changed"]),
        (&json!(true), &json!(0), &json!(0)),
        "{again}"
    );
    let before = person_of(&app.app, AREA, "00007").await;
    let statements = || app.app.store.statements().1;
    let began = statements();
    let shifted = bring(&village.clerk, "", renumbered()).await.ok();
    let there = statements() - began;
    // 费无证 too, who has no identity number: nobody else has that name and day of birth
    assert_eq!(
        (&shifted["added"], &shifted["changed"], &shifted["left"]),
        (&json!(0), &json!(59), &json!(0)),
        "{shifted}"
    );
    assert_eq!(person_of(&app.app, AREA, "00008").await, before);
    let began = statements();
    let back = bring(&village.clerk, "", ROSTER).await.ok();
    // what goes on beside it is not in both
    let fewest = there.min(statements() - began);
    assert!(fewest < 59, "{fewest} statements for 59 people: others wait for each of them");
    assert_eq!(
        (&back["unchanged"], &back["rows"]),
        (&json!(false), &json!(59)),
        "an older file is not one that was seen: {back}"
    );
    assert_eq!(person_of(&app.app, AREA, "00007").await, before);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_leave_only_when_somebody_says_so_and_who_left_is_signed_out() {
    let (app, village) = Village::start().await;
    let leaver = village.villager(&app, "00050").await;
    leaver.get("/v1/me").await.ok();
    let refused = bring(&village.clerk, "", first_lines(30)).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (409, Some("roster_many_leave")));
    assert!(refused.body["more"].to_string().contains("30"), "{}", refused.body);
    assert_eq!(bring(&village.clerk, "?confirm_left=29", first_lines(30)).await.refused(), "roster_many_leave");
    leaver.get("/v1/me").await.ok();
    let left = bring(&village.clerk, "?confirm_left=30", first_lines(30)).await.ok();
    assert_eq!((&left["left"], &left["added"]), (&json!(30), &json!(0)), "{left}");
    app.settle().await;
    assert_eq!(leaver.get("/v1/me").await.refused(), "session_ended");
    let back = bring(&village.clerk, "", ROSTER).await.ok();
    assert_eq!((&back["added"], &back["left"]), (&json!(0), &json!(0)), "who comes back is the same person: {back}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roster_is_read_at_the_desk_only_masked_and_by_pages() {
    let (app, village) = Village::start().await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = village.clerk.get(&format!("/v1/areas/{AREA}/people?limit=25{cursor}")).await.ok();
        assert!(!page.to_string().contains("1950000") && !page.to_string().contains("330599"), "{page}");
        seen.extend(page["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let pages = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((pages, seen.len()), (59, 59));
    for who in [&village.supervisor, &village.villager(&app, "00007").await] {
        assert_eq!(who.get(&format!("/v1/areas/{AREA}/people")).await.refused(), "not_allowed");
    }
    assert_eq!(village.clerk.get("/v1/areas/330521103203/people").await.refused(), "not_allowed");
    assert_eq!(app.get(&format!("/v1/areas/{AREA}/people")).await.refused(), "not_signed_in");
    let folder = app.close().await;
    for entry in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        let bytes = std::fs::read(entry.path()).unwrap();
        let holds = |secret: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!holds(b"330599197012161037") && !holds(PHONE.as_bytes()), "{:?} holds personal data", entry.path());
    }
}

/// A phone before it is signed in; remembers which code it asked for last.
struct Door<'a>(&'a TestApp, Mutex<HashMap<String, Value>>);

impl<'a> Door<'a> {
    fn of(app: &'a TestApp) -> Self {
        Self(app, Mutex::default())
    }

    fn number(phone: &str) -> String {
        liusheng::people::rules::phone(phone).unwrap_or_else(|| phone.to_owned())
    }

    async fn ask(&self, phone: &str) -> Answer {
        let answer = answer(self.0.http.post(self.0.url("/v1/login/codes")).json(&json!({ "phone": phone }))).await;
        if answer.status == 202 {
            self.1.lock().unwrap().insert(Self::number(phone), answer.body["login_id"].clone());
        }
        answer
    }

    async fn enter(&self, phone: &str, code: &str, person: Option<&Value>) -> Answer {
        let known = self.1.lock().unwrap().get(&Self::number(phone)).cloned();
        let login_id = known.unwrap_or_else(|| json!(Uuid::new_v4()));
        let told = json!({ "login_id": login_id, "phone": phone, "code": code, "person_id": person, "device": "手机" });
        answer(self.0.http.post(self.0.url("/v1/login")).json(&told)).await
    }

    async fn renew(&self, refresh: &Value) -> Answer {
        answer(self.0.http.post(self.0.url("/v1/login/refresh")).json(&json!({ "refresh_token": refresh }))).await
    }

    async fn me(&self, token: &Value) -> Answer {
        answer(self.0.http.get(self.0.url("/v1/me")).bearer_auth(token.as_str().unwrap())).await
    }

    /// The code that was sent as the how-manieth to this phone.
    async fn code(&self, phone: &str, number: usize) -> String {
        for _ in 0..200 {
            let sent = std::fs::read_to_string(self.0.folder.path().join("sms.txt")).unwrap_or_default();
            let mut codes = sent.lines().filter_map(|line| line.strip_prefix(phone));
            if let Some(code) = codes.nth(number - 1) {
                return code.trim().to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("no code");
    }
}

fn wrong(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

#[tokio::test(flavor = "multi_thread")]
async fn known_and_unknown_numbers_get_the_same_answers() {
    let app = TestApp::start().await;
    import(&app.app, ROSTER).await;
    let door = Door::of(&app);
    let same = |mut one: Answer, mut other: Answer| {
        // each code has a name of its own
        for answer in [&mut one, &mut other] {
            if answer.status == 202 {
                assert!(answer.body["login_id"].take().as_str().unwrap().parse::<Uuid>().is_ok());
            }
        }
        assert_eq!((one.status, one.body), (other.status, other.body));
    };
    let known = door.ask("+86 195-0000-0007").await;
    assert_eq!(known.status, 202);
    same(known, door.ask(NOBODY).await);
    let code = door.code(PHONE, 1).await;
    let soon = door.ask(PHONE).await;
    assert_eq!(soon.clone().refused(), "code_too_soon");
    same(soon, door.ask(NOBODY).await);
    let refused = door.enter(PHONE, wrong(&code), None).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (401, Some("code_wrong")));
    same(refused.clone(), door.enter(NOBODY, wrong(&code), None).await);
    same(refused.clone(), door.enter("19888888888", wrong(&code), None).await);
    same(refused.clone(), door.enter(PHONE, "12345", None).await);
    assert_eq!(door.ask("12345").await.status, 422);
    door.enter("１９５００００００７", &code, None).await.refused();
    door.enter("１９５００００００\u{FF10}７", &code, None).await.ok();
    same(refused, door.enter(PHONE, &code, None).await);
    let log = std::fs::read_to_string(app.folder.path().join("sms.txt")).unwrap();
    assert!(!log.contains(NOBODY), "nothing is sent to strangers");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_burns_after_five_tries_and_after_five_minutes_and_four_are_sent_an_hour_from_one_place() {
    let app = TestApp::start().await;
    import(&app.app, ROSTER).await;
    let door = Door::of(&app);
    door.ask(PHONE).await.ok();
    let code = door.code(PHONE, 1).await;
    for _ in 0..5 {
        assert_eq!(door.enter(PHONE, wrong(&code), None).await.refused(), "code_wrong");
    }
    assert_eq!(door.enter(PHONE, &code, None).await.refused(), "code_wrong", "the right one comes too late");
    app.clock.advance(TimeDelta::seconds(61));
    door.ask(PHONE).await.ok();
    let code = door.code(PHONE, 2).await;
    app.clock.advance(TimeDelta::seconds(300));
    assert_eq!(door.enter(PHONE, &code, None).await.refused(), "code_wrong", "expired");
    for number in 3..=4 {
        app.clock.advance(TimeDelta::seconds(61));
        door.ask(PHONE).await.ok();
        door.code(PHONE, number).await;
    }
    app.clock.advance(TimeDelta::seconds(61));
    let fifth = app.http.post(app.url("/v1/login/codes")).json(&json!({ "phone": PHONE })).send().await.unwrap();
    assert_eq!(fifth.status(), 429);
    let wait: i64 = fifth.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((60..3600).contains(&wait), "{wait}");
    app.clock.advance(TimeDelta::seconds(wait));
    door.ask(PHONE).await.ok();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shares_a_phone_says_who_it_is() {
    let app = TestApp::start().await;
    import(&app.app, ROSTER).await;
    let door = Door::of(&app);
    door.ask(SHARED).await.ok();
    let code = door.code(SHARED, 1).await;
    let choose = door.enter(SHARED, &code, None).await;
    assert_eq!(choose.clone().refused(), "person_choice_needed");
    let people = choose.body["more"]["people"].as_array().unwrap();
    let names: Vec<&str> = people.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["章*平", "钱*芳"]);
    let other = json!(PersonId::new());
    assert_eq!(door.enter(SHARED, &code, Some(&other)).await.refused(), "code_wrong");
    let stranger = json!(person_of(&app.app, AREA, "00007").await);
    assert_eq!(door.enter(SHARED, &code, Some(&stranger)).await.refused(), "code_wrong");
    let open = door.enter(SHARED, &code, Some(&people[1]["id"])).await.ok();
    assert_eq!(door.me(&open["access_token"]).await.ok()["name"], "钱一芳");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_used_twice_ends_the_log_in_for_everybody() {
    let app = TestApp::start().await;
    import(&app.app, ROSTER).await;
    let door = Door::of(&app);
    door.ask(PHONE).await.ok();
    let open = door.enter(PHONE, &door.code(PHONE, 1).await, None).await.ok();
    let second = door.renew(&open["refresh_token"]).await.ok();
    assert_ne!(second["refresh_token"], open["refresh_token"]);
    let third = door.renew(&second["refresh_token"]).await.ok();
    door.me(&third["access_token"]).await.ok();
    let in_url = app.get(&format!("/v1/me?access_token={}", third["access_token"].as_str().unwrap())).await;
    assert_eq!(in_url.status, 401, "a token in a URL is none");
    assert_eq!(door.renew(&open["refresh_token"]).await.refused(), "refresh_reused");
    assert_eq!(door.renew(&third["refresh_token"]).await.refused(), "session_ended");
    for tokens in [&open, &second, &third] {
        assert_eq!(door.me(&tokens["access_token"]).await.refused(), "session_ended");
    }
    for rubbish in ["", "x", "a.b.c"] {
        assert_eq!(door.renew(&json!(rubbish)).await.status, 401, "{rubbish}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_everywhere_ends_every_log_in_of_that_person_alone() {
    let app = TestApp::start().await;
    import(&app.app, ROSTER).await;
    let person = person_of(&app.app, AREA, "00007").await;
    let other = Somebody::signed_in(&app, person_of(&app.app, AREA, "00008").await).await;
    let (one, two) = (Somebody::signed_in(&app, person).await, Somebody::signed_in(&app, person).await);
    let three = Somebody::signed_in(&app, person).await;
    assert_eq!(one.get("/v1/sessions").await.ok()["items"].as_array().unwrap().len(), 3);
    three.post("/v1/logout", json!(null)).await.ok();
    assert_eq!(three.get("/v1/me").await.refused(), "session_ended");
    assert_eq!(one.get("/v1/sessions").await.ok()["items"].as_array().unwrap().len(), 2);
    one.post("/v1/logout/everywhere", json!(null)).await.ok();
    for phone in [&one, &two] {
        assert_eq!(phone.get("/v1/me").await.refused(), "session_ended");
    }
    other.get("/v1/me").await.ok();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_changes_something_only_from_our_own_pages() {
    let app = TestApp::start().await;
    import(&app.app, ROSTER).await;
    let person = person_of(&app.app, AREA, "00007").await;
    let cookie = format!("a=b; ls_session={}", cookie_of(&app.app, person).await);
    let send = async |headers: &[(&str, &str)]| {
        let mut request = app.http.post(app.url("/v1/logout")).header("cookie", &cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        (response.status(), response.headers().get("set-cookie").map(|value| value.to_str().unwrap().to_owned()))
    };
    let me = || answer(app.http.get(app.url("/v1/me")).header("cookie", &cookie));
    me().await.ok();
    let own = format!("http://{}", app.address);
    for foreign in [
        &[][..],
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site"), ("origin", own.as_str())],
        &[("sec-fetch-site", "same-site"), ("origin", own.as_str())],
    ] {
        assert_eq!(send(foreign).await.0, StatusCode::FORBIDDEN, "{foreign:?}");
    }
    me().await.ok();
    let (status, taken) = send(&[("origin", own.as_str()), ("sec-fetch-site", "same-origin")]).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert!(taken.is_some_and(|cookie| cookie.contains("Max-Age=0") && cookie.contains("HttpOnly")));
    assert_eq!(me().await.refused(), "session_ended");
    app.stop().await;
}
