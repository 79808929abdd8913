//! Guests: a voice without a roster, its claim code, and what keeps others out.
use chrono::TimeDelta;
use liusheng::guests;
use serde_json::{Value, json};

use crate::{
    county::form,
    support::{Answer, Somebody, TestApp, Village, answer, code_of, count, import},
};

const AREA: &str = "330521103202";
const PHONE: &str = "19612340100";

async fn post(app: &TestApp, path: &str, body: &Value) -> Answer {
    answer(app.http.post(app.url(path)).json(body)).await
}

fn voice(code: &str) -> Value {
    json!({ "area_code": AREA, "phone": PHONE, "code": code, "name": "过路人", "kind": "help", "text": "路灯坏了", "place": "桥头" })
}

/// Leaves a voice; the code of the how-manieth SMS.
async fn leave(app: &TestApp) -> Answer {
    std::fs::write(app.folder.path().join("sms.txt"), "").unwrap();
    post(app, "/v1/guests/codes", &json!({ "area_code": AREA, "phone": PHONE })).await;
    post(app, "/v1/guests/voices", &voice(&code_of(app, PHONE).await)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_speaks_reads_replies_and_rates_with_the_claim_code() {
    let (app, village) = Village::start().await;
    assert_eq!(post(&app, "/v1/guests/voices", &voice("123456")).await.refused(), "code_wrong");
    let left = leave(&app).await.ok();
    app.settle().await;
    let code = left["claim_code"].as_str().unwrap();
    assert_eq!(code.len(), 14);
    let opened = post(&app, "/v1/guests/read", &json!({ "claim_code": code.to_ascii_lowercase() })).await.ok();
    assert_eq!(
        (opened["voice"]["text"].as_str(), opened["voice"]["visibility"].as_str()),
        (Some("路灯坏了"), Some("handlers"))
    );
    let id = opened["voice"]["id"].as_str().unwrap();
    let path = format!("/v1/suggestions/{id}");
    // private: its handlers read it, neighbours do not even know it
    assert_eq!(village.villager(&app, "00007").await.get(&path).await.refused(), "not_found");
    let seen = village.clerk.get(&path).await.ok();
    assert_eq!(seen["author_name"], "过路人");
    village.clerk.post(&format!("{path}/accept"), json!(null)).await.ok();
    village.clerk.post(&format!("{path}/answers"), json!({ "text": "明天修" })).await.ok();
    app.settle().await;
    let message = json!({ "claim_code": code, "client_id": uuid::Uuid::now_v7(), "text": "谢谢" });
    post(&app, "/v1/guests/replies", &message).await.ok();
    post(&app, "/v1/guests/replies", &message).await.ok();
    let opened = post(&app, "/v1/guests/read", &json!({ "claim_code": code })).await.ok();
    assert_eq!(opened["voice"]["answers"][0]["text"], "明天修");
    assert_eq!(opened["voice"]["readings"][0]["times"], 1, "a guest sees who opened it, too");
    let said = opened["entries"].as_array().unwrap().iter().filter(|entry| entry["body"]["text"] == "谢谢").count();
    assert_eq!(said, 1, "sent twice is said once");
    let rating = json!({ "claim_code": code, "rating": 5 });
    post(&app, "/v1/guests/rating", &rating).await.ok();
    assert_eq!(post(&app, "/v1/guests/rating", &rating).await.refused(), "wrong_state");
    // no roll, no list, no log-in has a guest in it; a roster does not stumble over one
    let people = village.clerk.get(&format!("/v1/areas/{AREA}/people?limit=100")).await.ok();
    assert!(!people.to_string().contains('#'), "{people}");
    assert_eq!(import(&app.app, include_bytes!("../../data/roster_small.csv").to_vec()).await, 0);
    std::fs::write(app.folder.path().join("sms.txt"), "").unwrap();
    post(&app, "/v1/login/codes", &json!({ "phone": PHONE })).await.ok();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(std::fs::read_to_string(app.folder.path().join("sms.txt")).unwrap(), "", "nobody to sign in");
    // the code lies nowhere
    let database = std::fs::read(app.folder.path().join("liusheng.db-wal")).unwrap_or_default();
    for guise in [code.to_owned(), code.replace('-', "")] {
        assert!(!database.windows(guise.len()).any(|window| window == guise.as_bytes()));
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_do_not_flood_and_claim_codes_are_not_guessed() {
    let app = TestApp::start().await;
    Village::found(&app).await;
    let mut left = Vec::new();
    for _ in 0..3 {
        left.push(leave(&app).await.ok());
        app.clock.advance(TimeDelta::minutes(13));
    }
    // one guest, and each code opens its own voice
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM people WHERE roster_number LIKE '#%'").await, 1);
    for one in &left {
        let opened = post(&app, "/v1/guests/read", &json!({ "claim_code": one["claim_code"] })).await.ok();
        assert_eq!(opened["voice"]["number"], one["number"]);
    }
    assert_eq!(leave(&app).await.refused(), "too_many_requests", "three a day");
    assert_eq!(
        post(&app, "/v1/guests/codes", &json!({ "area_code": "330521", "phone": "19612340101" })).await.refused(),
        "not_found"
    );
    for n in 0..30 {
        let guess = json!({ "claim_code": format!("ABCD2345WX{n:02}") });
        assert_eq!(post(&app, "/v1/guests/read", &guess).await.refused(), "claim_code_wrong");
    }
    let guess = json!({ "claim_code": "ABCD2345WXYZ" });
    assert_eq!(post(&app, "/v1/guests/read", &guess).await.refused(), "code_too_many");
    app.clock.advance(TimeDelta::hours(25));
    assert_eq!(post(&app, "/v1/guests/read", &guess).await.refused(), "claim_code_wrong");
    // the phone is kept for a year after the last voice, and each code opens its own still
    let phones = "SELECT count(*) FROM people WHERE roster_number LIKE '#%' AND phone_sealed IS NOT NULL";
    for (days, kept) in [(360, 1), (6, 0)] {
        app.clock.advance(TimeDelta::days(days));
        guests::forget_old(&app.app.store).await.unwrap();
        assert_eq!(count(app.folder.path(), phones).await, kept);
    }
    let digests = "SELECT count(*) FROM guest_phones";
    assert_eq!(count(app.folder.path(), digests).await, 0);
    let last = post(&app, "/v1/guests/read", &json!({ "claim_code": left[2]["claim_code"] })).await.ok();
    assert_eq!(last["voice"]["number"], left[2]["number"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_writes_down_for_a_guest_without_a_phone() {
    let (app, village) = Village::start().await;
    let said = json!({ "area_code": AREA, "kind": "complaint", "text": "路边堆了垃圾" });
    assert_eq!(village.member.post("/v1/guests/records", said.clone()).await.refused(), "not_allowed");
    let elsewhere = json!({ "area_code": "330521103203", "kind": "complaint", "text": "别的村" });
    assert_eq!(village.clerk.post("/v1/guests/records", elsewhere).await.refused(), "not_allowed");
    let one = village.clerk.post_once("/v1/guests/records", "g", said.clone()).await.ok();
    assert_eq!(village.clerk.post_once("/v1/guests/records", "g", said).await.ok(), one, "once");
    app.settle().await;
    let code = &one["claim_code"];
    let opened = post(&app, "/v1/guests/read", &json!({ "claim_code": code })).await.ok();
    assert_eq!(opened["voice"]["author_name"], "访客");
    // who is on no roster has no other way than the code
    let path = format!("/v1/suggestions/{}", opened["voice"]["id"].as_str().unwrap());
    village.clerk.get(&path).await.ok();
    village.clerk.post(&format!("{path}/accept"), json!(null)).await.ok();
    village.clerk.post(&format!("{path}/answers"), json!({ "text": "运走了" })).await.ok();
    let more = json!({ "claim_code": code, "client_id": uuid::Uuid::now_v7(), "text": "还有一堆" });
    assert_eq!(post(&app, "/v1/guests/replies", &more).await.status, 201);
    let opened = post(&app, "/v1/guests/read", &json!({ "claim_code": code })).await.ok();
    assert!(opened["entries"].to_string().contains("还有一堆"), "{opened}");
    assert_eq!(opened["voice"]["readings"].as_array().map(Vec::len), Some(1), "by the code only: {opened}");
    assert_eq!(post(&app, "/v1/guests/rating", &json!({ "claim_code": code, "rating": 5 })).await.status, 201);
    app.stop().await;
}

/// The pages, as a phone without a script sends them.
#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_guests_and_claims_work_without_a_script() {
    let app = TestApp::start().await;
    Village::found(&app).await;
    let page = async |path: &str, fields: &[(&str, &str)]| {
        let mut request = app.http.get(app.url(path));
        if !fields.is_empty() {
            let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = app
                .http
                .post(app.url(path))
                .header("sec-fetch-site", "same-origin")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body.join("&"));
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        assert!(!text.contains('⟦'), "{path}: {text}");
        (status, text)
    };
    assert!(page("/", &[]).await.1.contains("href=\"/guest/read\""), "who has a code finds where to type it");
    assert!(page("/guest", &[]).await.1.contains("东衡村"));
    let mut fields =
        vec![("area_code", AREA), ("phone", PHONE), ("kind", "help"), ("text", "abc"), ("name", "x"), ("place", "")];
    assert_eq!(page("/guest", &fields).await.0, 200);
    let code = code_of(&app, PHONE).await;
    fields.push(("code", &code));
    let (status, done) = page("/guest/code", &fields).await;
    assert_eq!(status, 200);
    let claim = done.split("<b>").nth(1).unwrap().split("</b>").next().unwrap().to_owned();
    assert_eq!(page("/guest/read", &[("claim_code", "wrong")]).await.0, 401);
    assert!(page("/guest/read", &[("claim_code", &claim)]).await.1.contains("abc"));
    let key = uuid::Uuid::now_v7().to_string();
    let (status, read) =
        page("/guest/read/reply", &[("claim_code", &claim), ("client_id", &key), ("text", "more")]).await;
    assert!(status == 200 && read.contains("more"), "{read}");
    // claiming a phone
    assert!(page("/claim", &[]).await.1.contains("东衡村"));
    assert_eq!(
        page("/claim", &[("area_code", AREA), ("name", "x"), ("id_last_six", "1"), ("phone", "1")]).await.0,
        422
    );
    let mut claimed = vec![("area_code", AREA), ("name", "abc"), ("id_last_six", "123456"), ("phone", "19612340200")];
    assert_eq!(page("/claim", &claimed).await.0, 200);
    let code = code_of(&app, "19612340200").await;
    claimed.push(("code", &code));
    assert_eq!(page("/claim/code", &claimed).await.0, 303);
    page("/claim/done", &[]).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voice_taken_down_is_its_author_s_and_says_who_took_it_down() {
    let (app, village) = Village::start().await;
    let person = crate::support::person_of(&app.app, AREA, "00007").await;
    let path = format!("/v1/people/{person}/voices");
    let said = json!({ "kind": "help", "text": "门口的井盖松了", "place": "晒谷场" });
    let open = json!({ "kind": "help", "visibility": "public", "text": "门口的井盖松了" });
    assert_eq!(village.clerk.post(&path, open).await.status, 422, "for those who handle it, nobody else");
    // by who handles voices there, for another than oneself, for somebody on the roster
    let villager = village.villager(&app, "00008").await;
    assert_eq!(villager.post(&path, said.clone()).await.refused(), "not_allowed");
    let own = format!("/v1/people/{}/voices", village.clerk.person);
    assert_eq!(village.clerk.post(&own, said.clone()).await.refused(), "not_allowed");
    let nobody = format!("/v1/people/{}/voices", uuid::Uuid::now_v7());
    assert_eq!(village.clerk.post(&nobody, said.clone()).await.refused(), "not_found");
    assert_eq!(villager.post(&nobody, said.clone()).await.refused(), "not_allowed", "nor who is on a roster");
    let taken = village.clerk.post(&path, said).await.ok();
    app.settle().await;
    // the paper opens it
    let code = taken["claim_code"].as_str().unwrap();
    let opened = post(&app, "/v1/guests/read", &json!({ "claim_code": code })).await.ok();
    assert_eq!(opened["voice"]["text"], "门口的井盖松了");
    assert!(opened["voice"]["taken_down"]["person_name"].is_string(), "{opened}");
    // it is the resident's own, who is told of it by an own way, and speaks in its thread
    let me = crate::support::Somebody::signed_in(&app, person).await;
    let mine = me.get("/v1/suggestions?scope=mine").await.ok();
    let voice = &mine["items"][0];
    assert_eq!((&voice["number"], mine["items"].as_array().map(Vec::len)), (&taken["number"], Some(1)));
    let planned = "SELECT count(*) FROM announcements WHERE kind = 'suggestion.submitted'";
    assert_eq!(crate::support::count(app.folder.path(), planned).await, 1);
    // the clerk has seen the code: one reads by it, and each opening is written down
    let voice = format!("/v1/suggestions/{}", voice["id"].as_str().unwrap());
    village.clerk.get(&voice).await.ok();
    village.clerk.post(&format!("{voice}/accept"), json!(null)).await.ok();
    village.clerk.post(&format!("{voice}/answers"), json!({ "text": "盖好了" })).await.ok();
    let opened = post(&app, "/v1/guests/read", &json!({ "claim_code": code })).await.ok();
    assert_eq!((&opened["voice"]["answers"][0]["text"], &opened["voice"]["can"]), (&json!("盖好了"), &json!([])));
    assert_eq!((&opened["entries"], opened["voice"].get("stream_id")), (&json!([]), None), "not the thread");
    assert_eq!(opened["voice"]["readings"].as_array().map(Vec::len), Some(1), "nor who handles it: {opened}");
    let rating = json!({ "claim_code": code, "rating": 1 });
    assert_eq!(post(&app, "/v1/guests/rating", &rating).await.refused(), "not_allowed");
    let more = json!({ "claim_code": code, "client_id": uuid::Uuid::now_v7(), "text": "没有盖好" });
    assert_eq!(post(&app, "/v1/guests/replies", &more).await.refused(), "not_allowed");
    let seen = village.clerk.get(&voice).await.ok();
    assert_eq!(
        (&seen["readings"][0]["body_name"], &seen["readings"][0]["times"], &seen["readings"][0]["person_name"]),
        (&json!("凭取件码打开"), &json!(2), &json!("")),
        "{seen}"
    );
    // the author sees it, too, speaks in the thread, and from then on the code opens nothing
    let shown = me.get(&voice).await.ok();
    assert!(shown["readings"].to_string().contains("凭取件码打开"), "{shown}");
    assert_eq!(shown["taken_down"]["body_name"], shown["body_name"]);
    let thread = me.get(&format!("/v1/streams/{}/entries", shown["stream_id"].as_str().unwrap())).await.ok();
    assert!(thread.to_string().contains("suggestion_taken_down"), "{thread}");
    let again = post(&app, "/v1/guests/read", &json!({ "claim_code": code })).await;
    assert_eq!(again.refused(), "claim_code_wrong");
    // by the own log-in one rates
    me.post(&format!("{voice}/rating"), json!({ "rating": 5 })).await.ok();
    assert_eq!(me.get(&voice).await.ok()["state"], "rated");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn for_whom_a_voice_was_taken_down_is_called_back_by_somebody_else() {
    let (app, village) = Village::start().await;
    let person = crate::support::person_of(&app.app, AREA, "00007").await;
    let said = json!({ "kind": "help", "text": "门口的井盖松了" });
    village.clerk.post(&format!("/v1/people/{person}/voices"), said).await.ok();
    let me = Somebody::signed_in(&app, person).await;
    let voice = me.get("/v1/suggestions?scope=mine").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
    let (voice, desk) = (format!("/v1/suggestions/{voice}"), format!("/desk/suggestions/{voice}"));
    let call = format!("{voice}/call-back");
    let answer = async |by: &Somebody| by.post(&format!("{voice}/answers"), json!({ "text": "盖好了" })).await;
    village.clerk.post(&format!("{voice}/accept"), json!(null)).await.ok();
    assert_eq!(
        village.chair.post(&call, json!({ "rating": 2 })).await.refused(),
        "wrong_state",
        "nothing to ask about"
    );
    answer(&village.chair).await.ok();
    assert_eq!(
        village.clerk.post(&call, json!({ "rating": 5 })).await.refused(),
        "second_person_needed",
        "took it down"
    );
    assert_eq!(
        village.chair.post(&call, json!({ "rating": 5 })).await.refused(),
        "second_person_needed",
        "answered it"
    );
    assert_eq!(me.post(&call, json!({ "rating": 5 })).await.refused(), "not_allowed", "rates by the own way");
    let own = String::from_utf8(village.chair.download("/desk").await.1).unwrap();
    assert!(!own.contains(&desk), "nor is it to be done by who may not: {own}");
    let member = crate::support::person_of(&app.app, AREA, "00049").await;
    let seat = json!({ "person_id": member, "role": "member" });
    village.town.post(&format!("/v1/bodies/{}/seats", village.committee), seat).await.ok();
    let other = Somebody::signed_in(&app, member).await;
    let todo = String::from_utf8(other.download("/desk").await.1).unwrap();
    assert!(todo.contains("回访") && todo.contains(&desk), "{todo}");
    assert_eq!(other.post(&call, json!({ "rating": 6 })).await.refused(), "invalid_fields");
    let again = other.post(&call, json!({ "rating": 2, "text": "又松了" })).await.ok();
    assert_eq!(again["state"], "accepted", "not solved: {again}");
    app.settle().await;
    let shown = me.get(&voice).await.ok();
    let thread = me.get(&format!("/v1/streams/{}/entries", shown["stream_id"].as_str().unwrap())).await.ok();
    assert!(thread.to_string().contains("suggestion_called_back"), "told in whose name that was said: {thread}");
    answer(&village.chair).await.ok();
    let form = [("rating", "5"), ("text", "好了")];
    assert_eq!(crate::county::form(&other, &format!("{desk}/call-back"), &form).await.0, 303);
    assert_eq!(me.get(&voice).await.ok()["state"], "rated");
    let own = json!({ "kind": "help", "visibility": "handlers", "text": "井盖又松了" });
    // of what somebody left without help only that one says what it is worth
    let own = me.post("/v1/suggestions", own).await.ok()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        other.post(&format!("/v1/suggestions/{own}/call-back"), json!({ "rating": 5 })).await.refused(),
        "wrong_state"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_of_what_was_taken_down_opens_nothing_once_it_was_passed_on() {
    let (app, village) = Village::start().await;
    let town = crate::accused::office(&app, &village, "town_office").await;
    let person = crate::support::person_of(&app.app, AREA, "00007").await;
    let said = json!({ "kind": "help", "text": "门口的井盖松了" });
    let taken = village.clerk.post(&format!("/v1/people/{person}/voices"), said).await.ok();
    let said = json!({ "area_code": AREA, "kind": "help", "text": "路边堆了垃圾" });
    let recorded = village.clerk.post("/v1/guests/records", said).await.ok();
    for voice in [&taken, &recorded] {
        let opened = post(&app, "/v1/guests/read", &json!({ "claim_code": voice["claim_code"] })).await.ok();
        let path = format!("/v1/suggestions/{}/referrals", opened["voice"]["id"].as_str().unwrap());
        village.clerk.post(&path, json!({ "body_id": town, "reason": "归镇里管" })).await.ok();
        let offer = village.town.get("/v1/referrals").await.ok()[0]["id"].as_str().unwrap().to_owned();
        village.town.post(&format!("/v1/referrals/{offer}/accept"), json!(null)).await.ok();
    }
    let again = post(&app, "/v1/guests/read", &json!({ "claim_code": taken["claim_code"] })).await;
    assert_eq!(again.refused(), "claim_code_wrong", "the clerk who took it down is not responsible any more");
    let opened = post(&app, "/v1/guests/read", &json!({ "claim_code": recorded["claim_code"] })).await.ok();
    assert_eq!(opened["voice"]["body_name"], "洛舍镇人民政府", "who is on no roster has no other way");
    assert_eq!(opened["voice"].get("referrals"), None);
    app.stop().await;
}

/// Who passes by and smells gas is as much in a hurry as who lives there; what the clerk ticks for them is kept.
#[tokio::test(flavor = "multi_thread")]
async fn what_presses_and_what_it_is_about_is_kept_of_a_guest_too() {
    let (app, village) = Village::start().await;
    post(&app, "/v1/guests/codes", &json!({ "area_code": AREA, "phone": PHONE })).await;
    let mut said = voice(&code_of(&app, PHONE).await);
    (said["urgency"], said["category"]) = (json!("urgent"), json!("road"));
    post(&app, "/v1/guests/voices", &said).await.ok();
    let fields = [
        ("area_code", AREA),
        ("kind", "help"),
        ("text", "煤气味很重"),
        ("category", "utilities"),
        ("is_urgent", "1"),
        ("client_id", "slip"),
    ];
    let (status, slip) = form(&village.clerk, "/desk/guest", &fields).await;
    assert!(status == 200 && slip.contains("class=\"code\""), "{slip}");
    let desk = village.clerk.get("/v1/suggestions?scope=desk").await.ok()["items"].clone();
    let kept: Vec<_> = desk.as_array().unwrap().iter().map(|one| (&one["urgency"], &one["category"])).collect();
    let urgent = json!("urgent");
    assert_eq!(kept, [(&urgent, &json!("utilities")), (&urgent, &json!("road"))], "the newest first");
    app.stop().await;
}

/// A name is given as one likes, a phone is not; and on a roster each is a person, whoever shares the phone.
#[tokio::test(flavor = "multi_thread")]
async fn another_name_wakes_nobody_again() {
    let (app, village) = Village::start().await;
    let urgent = async |phone: &str, name: &str| {
        std::fs::write(app.folder.path().join("sms.txt"), "").unwrap();
        post(&app, "/v1/guests/codes", &json!({ "area_code": AREA, "phone": phone })).await;
        let said = json!({ "area_code": AREA, "phone": phone, "code": code_of(&app, phone).await, "name": name,
            "kind": "help", "urgency": "urgent", "text": "水漫到门口了" });
        post(&app, "/v1/guests/voices", &said).await.ok();
        app.clock.advance(TimeDelta::minutes(13));
    };
    let pressed = "SELECT count(*) FROM events WHERE kind = 'suggestion.pressing'";
    let pressed = async || count(app.folder.path(), pressed).await;
    urgent(PHONE, "甲").await;
    urgent(PHONE, "乙").await;
    assert_eq!(pressed().await, 1);
    urgent("19612340101", "甲").await;
    assert_eq!(pressed().await, 2, "another phone is another guest");
    for number in ["00010", "00011"] {
        let voice = json!({ "kind": "help", "visibility": "handlers", "text": "水漫到门口了", "urgency": "urgent" });
        village.villager(&app, number).await.post("/v1/suggestions", voice).await.ok();
    }
    assert_eq!(pressed().await, 4, "a family with one phone");
    app.stop().await;
}
