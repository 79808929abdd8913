//! Taking one's data along, withdrawing a consent, having something put right, closing the account.
use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::support::{Raw, Somebody, TestApp, Village, answer, code_of, hidden, import};

const PHONE: &str = "19500000007";
const CLIP: &[u8] = include_bytes!("../../data/media/lamp.m4a");
const PNG: &[u8] = include_bytes!("../../data/media/clear.png");

/// A private voice with a clip, a public one with a photo, and what was said in the private thread.
async fn speak(app: &TestApp, village: &Village, who: &Somebody) -> (Value, Value, Value, Value) {
    let (clip, photo) = (who.upload(CLIP.to_vec()).await.ok(), who.upload(PNG.to_vec()).await.ok());
    let private = json!({ "kind": "complaint", "visibility": "handlers", "text": "私下说的话", "media": [clip["id"]] });
    let public = json!({ "kind": "suggestion", "visibility": "public", "text": "公开说的话", "media": [photo["id"]] });
    let private = who.post("/v1/suggestions", private).await.ok();
    let public = who.post("/v1/suggestions", public).await.ok();
    app.settle().await;
    let id = private["id"].as_str().unwrap();
    village.clerk.get(&format!("/v1/suggestions/{id}")).await.ok();
    village.clerk.post(&format!("/v1/suggestions/{id}/accept"), json!(null)).await.ok();
    village.clerk.post(&format!("/v1/suggestions/{id}/answers"), json!({ "text": "答复原话" })).await.ok();
    app.settle().await;
    (private, public, clip, photo)
}

async fn count(app: &TestApp, sql: &str) -> i64 {
    let db = app.app.store.read();
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// Keys that were not destroyed, as they lie in the database.
async fn wrapped_keys(app: &TestApp) -> Vec<String> {
    let db = app.app.store.read();
    let select = "SELECT wrapped FROM data_keys WHERE wrapped IS NOT NULL";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), select)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// The bytes in which the keys lie, free space and all.
async fn at_rest(app: &TestApp) -> Vec<u8> {
    if app.folder.is_sqlite() {
        let file = |name: &str| std::fs::read(app.folder.path().join(name)).unwrap_or_default();
        return [file("liusheng.db"), file("liusheng.db-wal")].concat();
    }
    let raw = Raw::open(app.folder.path()).await;
    raw.execute("CHECKPOINT").await;
    let bytes = raw.one("SELECT pg_read_binary_file(pg_relation_filepath('data_keys'))").await;
    raw.close().await;
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_cannot_be_closed_holds_up_no_other() {
    let (app, village) = Village::start().await;
    let (first, second) = (village.villager(&app, "00007").await, village.villager(&app, "00008").await);
    first.post("/v1/me/closing", json!({ "understood": true })).await.ok();
    app.pass(TimeDelta::hours(1)).await;
    second.post("/v1/me/closing", json!({ "understood": true })).await.ok();
    // as if it were closed already: then there is nothing to close, for good
    let raw = Raw::open(app.folder.path()).await;
    raw.execute("UPDATE people SET closed_at = updated_at WHERE roster_number = '00007'").await;
    raw.close().await;
    app.pass(TimeDelta::days(8)).await;
    assert_eq!(count(&app, "SELECT count(*) FROM account_closings WHERE state = 'waiting'").await, 1);
    assert_eq!(second.get("/v1/me").await.refused(), "session_ended");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_account_leaves_ballots_and_chain_and_nothing_to_read() {
    let (app, village) = Village::start().await;
    let who = Somebody::by_phone(&app, PHONE, None).await;
    let (private, public, clip, photo) = speak(&app, &village, &who).await;
    let matter = village.matter_to_decide(&app, "修桥").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(20)).await;
    who.post(&format!("/v1/votes/{vote}/ballots"), json!({ "cast_id": uuid::Uuid::new_v4(), "choice": "for" }))
        .await
        .ok();
    who.post("/v1/me/corrections", json!({ "field": "name", "wanted": "费海容" })).await.ok();

    let closing = "/v1/me/closing";
    assert_eq!(who.post(closing, json!({ "understood": false })).await.refused(), "invalid_fields");
    assert_eq!(village.clerk.post(closing, json!({ "understood": true })).await.refused(), "seat_held");
    let asked = who.post(closing, json!({ "understood": true })).await.ok();
    assert_eq!(who.post(closing, json!({ "understood": true })).await.ok(), asked, "the first asking counts");
    who.post("/v1/me/closing/cancel", json!(null)).await.ok();
    assert_eq!(who.post("/v1/me/closing/cancel", json!(null)).await.refused(), "wrong_state");
    app.pass(TimeDelta::days(8)).await;
    who.get("/v1/me").await.ok();

    let wrapped = wrapped_keys(&app).await;
    assert_eq!(wrapped.len(), 3, "the voice, its clip, the public photo");
    who.post(closing, json!({ "understood": true })).await.ok();
    app.pass(TimeDelta::days(6)).await;
    assert_eq!(who.get("/v1/me").await.ok()["name"], "费海荣", "a week to think better of it");
    let files_before = count(&app, "SELECT count(*) FROM media").await;
    let found = "SELECT count(*) FROM grams g JOIN streams s ON s.id = g.stream_id WHERE s.kind = 'mailbox'";
    assert!(count(&app, found).await > 0, "what a mailbox says is found");
    app.pass(TimeDelta::days(2)).await;
    app.settle().await;
    let said = "SELECT count(*) FROM entries e JOIN streams s ON s.id = e.stream_id WHERE s.kind = 'mailbox' AND \
                e.kind = 'card' AND e.body NOT LIKE '%erased%'";
    assert_eq!(count(&app, said).await, 0, "only this one has a mailbox");
    assert_eq!(count(&app, found).await, 0, "and nothing of it is found");

    // not even in the free space of a page or in the write-ahead log; where somebody reads for long, a little later
    until(&app, "SELECT count(*) FROM account_closings WHERE state IN ('removing', 'done')").await;
    let left = wrapped_keys(&app).await;
    let files = at_rest(&app).await;
    for key in wrapped {
        let is_there = files.windows(key.len()).any(|window| window == key.as_bytes());
        assert_eq!(is_there, left.contains(&key), "a destroyed key is gone, the others are not");
    }

    assert_eq!(who.get("/v1/me").await.refused(), "session_ended");
    let id = private["id"].as_str().unwrap();
    let opened = village.clerk.get(&format!("/v1/suggestions/{id}")).await.ok();
    assert_eq!(opened["text"], "（本人注销账号时已经删除）");
    assert_eq!(opened["answers"][0]["text"], "（本人注销账号时已经删除）");
    assert_eq!(opened["author_name"], "已注销居民");
    let thread = format!("/v1/streams/{}/entries", private["stream_id"].as_str().unwrap());
    let entries = village.clerk.get(&thread).await.ok();
    assert!(!entries.to_string().contains("答复原话"), "{entries}");
    assert!(entries["entries"].as_array().unwrap().iter().all(|entry| entry["body"]["erased"] == true), "{entries}");
    // phones that have the words already are told to forget them
    assert_eq!(entries["entries"].as_array().unwrap().last().unwrap()["kind"], "erased", "{entries}");
    let message = json!({ "client_id": uuid::Uuid::now_v7(), "text": "还在吗" });
    let said = village.clerk.post(&thread.replace("entries", "messages"), message).await;
    assert_eq!(said.refused(), "erased", "what cannot be kept is not taken");
    assert_eq!(village.clerk.download(clip["url"].as_str().unwrap()).await.0, 410);
    // public words and their photo stay, without the name
    let neighbour = village.villager(&app, "00011").await;
    let shown = neighbour.get(&format!("/v1/suggestions/{}", public["id"].as_str().unwrap())).await.ok();
    assert_eq!((shown["text"].as_str(), shown["author_name"].as_str()), (Some("公开说的话"), Some("已注销居民")));
    assert_eq!(neighbour.download(photo["url"].as_str().unwrap()).await.0, 200);
    assert_eq!(count(&app, "SELECT count(*) FROM media").await, files_before, "rows stay, their files are gone");
    assert_eq!(count(&app, "SELECT count(*) FROM data_keys WHERE destroyed_at IS NOT NULL").await, 2);
    assert_eq!(
        count(&app, "SELECT count(*) FROM data_keys WHERE destroyed_at IS NOT NULL AND wrapped IS NOT NULL").await,
        0
    );
    assert_eq!(
        count(&app, "SELECT count(*) FROM people WHERE closed_at IS NOT NULL AND phone_hmac IS NOT NULL").await,
        0
    );

    // the ballot counts as before
    app.pass(TimeDelta::days(15)).await;
    app.settle().await;
    let result = neighbour.get(&format!("/v1/votes/{vote}/result")).await.ok();
    assert!(result["count"]["yes"] == 1, "{result}");
    // no code for the number any more, and the roster does not give it back
    let sms = app.folder.path().join("sms.txt");
    let before = std::fs::read_to_string(&sms).unwrap();
    import(&app.app, include_bytes!("../../data/roster_small.csv").to_vec()).await;
    let asked = app.http.post(app.url("/v1/login/codes")).json(&json!({ "phone": PHONE })).send().await.unwrap();
    assert_eq!(asked.status(), 202);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(std::fs::read_to_string(&sms).unwrap(), before);
    app.stop().await; // checks the chain
}

/// A file that does not go holds up no other and is tried until it goes; what was kept in clear long ago goes, too.
#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_closed_account_are_taken_away_until_they_are_gone() {
    let (app, village) = Village::start().await;
    let who = village.villager(&app, "00007").await;
    let (mut files, mut urls) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        app.pass(TimeDelta::minutes(1)).await;
        let clip = who.upload(CLIP.to_vec()).await.ok();
        let voice = json!({ "kind": "help", "visibility": "handlers", "text": "请听", "media": [clip["id"]] });
        who.post("/v1/suggestions", voice).await.ok();
        let name = liusheng::media::files::name(clip["id"].as_str().unwrap().parse().unwrap());
        files.push(app.app.config.media_dir().join(name));
        urls.push(clip["url"].as_str().unwrap().to_owned());
    }
    std::fs::remove_file(&files[0]).unwrap();
    std::fs::create_dir(&files[0]).unwrap();
    let raw = Raw::open(app.folder.path()).await;
    let in_clear = "UPDATE media SET key_id = NULL WHERE created_at = (SELECT max(created_at) FROM media)";
    assert_eq!(raw.execute(in_clear).await, 1);
    raw.close().await;
    who.post("/v1/me/closing", json!({ "understood": true })).await.ok();
    app.pass(TimeDelta::days(8)).await;
    let gone = "SELECT count(*) FROM account_closings WHERE state = 'done'";
    for _ in 0..100 {
        if !files[1].exists() && !files[2].exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        app.pass(TimeDelta::seconds(1)).await;
    }
    assert!(!files[1].exists() && !files[2].exists(), "one that does not go holds up the others");
    assert_eq!(count(&app, gone).await, 0, "one is still there");
    assert_eq!(village.clerk.download(&urls[2]).await.0, 410);
    std::fs::remove_dir(&files[0]).unwrap();
    std::fs::write(&files[0], b"noise").unwrap();
    until(&app, gone).await;
    assert!(!files[0].exists());
    app.stop().await;
}

/// As after a crash between the closing and what follows, with a shelf of which nobody can say what lies on it.
#[tokio::test(flavor = "multi_thread")]
async fn destroyed_keys_leave_the_database_however_long_the_files_stay() {
    let (app, village) = Village::start().await;
    let who = village.villager(&app, "00007").await;
    let clip = who.upload(CLIP.to_vec()).await.ok();
    let voice = json!({ "kind": "help", "visibility": "handlers", "text": "请听", "media": [clip["id"]] });
    who.post("/v1/suggestions", voice).await.ok();
    who.post("/v1/me/closing", json!({ "understood": true })).await.ok();
    app.pass(TimeDelta::days(8)).await;
    let in_state = |state: &str| format!("SELECT count(*) FROM account_closings WHERE state = '{state}'");
    until(&app, &in_state("done")).await;
    let raw = Raw::open(app.folder.path()).await;
    raw.execute("ALTER TABLE media RENAME COLUMN key_id TO away").await;
    raw.execute("UPDATE account_closings SET state = 'clearing'").await;
    until(&app, &in_state("removing")).await;
    raw.execute("ALTER TABLE media RENAME COLUMN away TO key_id").await;
    raw.close().await;
    until(&app, &in_state("done")).await;
    app.stop().await;
}

/// Waits until there is one.
async fn until(app: &TestApp, count_of: &str) {
    for _ in 0..100 {
        if count(app, count_of).await == 1 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        app.pass(TimeDelta::seconds(1)).await;
    }
    panic!("never: {count_of}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_takes_everything_along_and_nothing_of_others() {
    let (app, village) = Village::start().await;
    let who = Somebody::by_phone(&app, PHONE, None).await;
    let other = village.villager(&app, "00011").await;
    let (private, ..) = speak(&app, &village, &who).await;
    other.post("/v1/suggestions", json!({ "kind": "help", "visibility": "handlers", "text": "别人的话" })).await.ok();
    let matter = village.matter_to_decide(&app, "修塘").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(2)).await;
    who.post(&format!("/v1/votes/{vote}/ballots"), json!({ "cast_id": uuid::Uuid::new_v4(), "choice": "against" }))
        .await
        .ok();
    who.post("/v1/me/consents", json!({ "purpose": "sms_notices", "is_given": true })).await.ok();
    app.settle().await;
    let all = who.get("/v1/me/export").await.ok();
    let text = all.to_string();
    for mine in ["私下说的话", "公开说的话", "答复原话", "费海荣", PHONE, "against", "sms_notices"] {
        assert!(text.contains(mine), "{mine} is missing");
    }
    assert!(!text.contains("别人的话"));
    assert!(!text.contains("_hmac"), "digests say nothing");
    for table in ["people", "suggestions", "media", "sessions", "roll_entries", "consents", "memberships"] {
        assert!(!all["rows"][table].as_array().unwrap().is_empty(), "{table}");
    }
    let first = |table: &str, column: &str| all["rows"][table][0][column].clone();
    assert!(first("media", "bytes").as_i64().unwrap() > 1, "numbers are numbers on either database");
    assert!(first("people", "is_registered").is_boolean());
    let id = private["id"].as_str().unwrap();
    assert!(all["rows"]["suggestions"].as_array().unwrap().iter().any(|row| row["id"] == id), "ids are readable");
    assert_eq!(app.get("/v1/me/export").await.refused(), "not_signed_in");
    // the clerk's own: what was done for others is counted, not shown
    let clerk = village.clerk.get("/v1/me/export").await.ok();
    assert!(!clerk.to_string().contains("私下说的话"), "{clerk}");
    assert_eq!(clerk["done_for_others"]["suggestion_readings.person_id"], 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_consent_makes_the_own_clips_unreadable_at_once() {
    let (app, village) = Village::start().await;
    let who = village.villager(&app, "00007").await;
    let other = village.villager(&app, "00011").await;
    let (clip, photo) = (who.upload(CLIP.to_vec()).await.ok(), who.upload(PNG.to_vec()).await.ok());
    let others = other.upload(CLIP.to_vec()).await.ok();
    let change = |given: bool| json!({ "purpose": "voice_clips", "is_given": given });
    let stands = who.post("/v1/me/consents", change(false)).await.ok();
    assert!(stands.as_array().unwrap().iter().any(|one| one["purpose"] == "voice_clips" && one["is_given"] == false));
    assert_eq!(who.download(clip["url"].as_str().unwrap()).await.0, 410);
    assert_eq!(who.download(photo["url"].as_str().unwrap()).await.0, 200);
    assert_eq!(other.download(others["url"].as_str().unwrap()).await.0, 200);
    who.post("/v1/me/consents", change(false)).await.ok();
    assert_eq!(count(&app, "SELECT count(*) FROM consents").await, 1, "the same again is not written again");
    who.post("/v1/me/consents", change(true)).await.ok();
    assert_eq!(who.download(clip["url"].as_str().unwrap()).await.0, 410, "a destroyed key does not come back");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_is_decided_by_the_office_and_by_nobody_about_oneself() {
    let (app, village) = Village::start().await;
    let who = village.villager(&app, "00007").await;
    let wish = who.post("/v1/me/corrections", json!({ "field": "name", "wanted": "费海容" })).await.ok();
    let path = format!("/v1/corrections/{}/decision", wish["id"].as_str().unwrap());
    let list = format!("/v1/areas/{}/corrections", village.area);
    assert_eq!(who.get(&list).await.refused(), "not_allowed");
    assert_eq!(village.secretary.post(&path, json!({ "done": true })).await.refused(), "not_found");
    let waiting = village.clerk.get(&list).await.ok();
    assert_eq!(waiting["corrections"][0]["wanted"], "费海容");
    assert_eq!(village.clerk.post(&path, json!({ "done": false })).await.refused(), "invalid_fields");
    village.clerk.post(&path, json!({ "done": false, "reason": "身份证上是荣" })).await.ok();
    assert_eq!(village.chair.post(&path, json!({ "done": true })).await.refused(), "wrong_state");
    let own = who.get("/v1/me/privacy").await.ok();
    assert_eq!(
        (own["corrections"][0]["state"].as_str(), own["corrections"][0]["reason"].as_str()),
        (Some("refused"), Some("身份证上是荣"))
    );
    let clerks = village.clerk.post("/v1/me/corrections", json!({ "field": "other", "wanted": "x" })).await.ok();
    let path = format!("/v1/corrections/{}/decision", clerks["id"].as_str().unwrap());
    assert_eq!(village.clerk.post(&path, json!({ "done": true })).await.refused(), "second_person_needed");
    app.stop().await;
}

/// The pages, as a phone without a script sends them.
#[tokio::test(flavor = "multi_thread")]
async fn the_privacy_pages_work_without_a_script() {
    let app = TestApp::start().await;
    Village::found(&app).await;
    let public = app.http.get(app.url("/privacy")).send().await.unwrap().text().await.unwrap();
    assert!(public.contains("法定职责") && public.contains("手机号") && !public.contains('⟦'), "{public}");
    let post = |path: &str, fields: &[(&str, &str)], cookie: &str| {
        let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        app.http
            .post(app.url(path))
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", cookie.to_owned())
            .body(body.join("&"))
            .send()
    };
    let asked = post("/login/code", &[("phone", PHONE)], "").await.unwrap();
    assert_eq!(asked.status(), 200);
    let login_id = hidden(&asked.text().await.unwrap(), "login_id");
    let code = code_of(&app, PHONE).await;
    let entered = post("/login", &[("login_id", &login_id), ("phone", PHONE), ("code", &code)], "").await.unwrap();
    let cookie = entered.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let get = |path: &str| app.http.get(app.url(path)).header("cookie", cookie.clone()).send();
    let mine = get("/privacy/mine").await.unwrap().text().await.unwrap();
    assert!(mine.contains("申请注销") && !mine.contains('⟦'), "{mine}");
    for (form, fields) in [
        ("consent", vec![("purpose", "sms_notices"), ("is_given", "1")]),
        ("correction", vec![("field", "name"), ("wanted", "abc")]),
        ("closing", vec![("understood", "1")]),
        ("cancel", vec![]),
    ] {
        let done = post(&format!("/privacy/mine/{form}"), &fields, &cookie).await.unwrap();
        assert_eq!(
            (done.status().as_u16(), done.headers()["location"].to_str().unwrap()),
            (303, "/privacy/mine"),
            "{form}"
        );
    }
    let refused = post("/privacy/mine/closing", &[], &cookie).await.unwrap();
    assert_eq!(refused.status(), 422);
    let export = get("/privacy/export").await.unwrap().text().await.unwrap();
    assert!(export.contains(PHONE) && export.contains("sms_notices") && !export.contains('⟦'), "{export}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_led_by_who_was_there_longest_when_its_last_leader_closes_the_account() {
    let (app, village) = Village::start().await;
    let mut people = Vec::new();
    for number in ["00007", "00011", "00012"] {
        people.push(village.villager(&app, number).await);
    }
    let ids: Vec<_> = people.iter().map(|who| who.person).collect();
    let group = json!({ "body_id": village.council, "title": "步道小组", "people": [ids[0], ids[1]] });
    let chair = &village.council_chair;
    let group = chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
    let members = format!("/v1/groups/{group}/members");
    app.pass(TimeDelta::minutes(1)).await;
    chair.post(&members, json!({ "people": [ids[2]] })).await.ok();
    chair.post(&members, json!({ "people": [ids[0]], "lead": true })).await.ok();
    answer(chair.request(reqwest::Method::DELETE, &format!("{members}/{}", chair.person))).await.ok();
    people[0].post("/v1/me/closing", json!({ "understood": true })).await.ok();
    app.pass(TimeDelta::days(8)).await;
    app.settle().await;
    let left = people[2].get(&format!("/v1/streams/{group}/members")).await.ok();
    let roles: Vec<_> = left["members"].as_array().unwrap().iter().map(|one| (&one["id"], &one["role"])).collect();
    assert_eq!(roles.len(), 2, "{left}");
    assert!(roles.contains(&(&json!(ids[1]), &json!("leader"))), "{left}");
    let entries = people[2].get(&format!("/v1/streams/{group}/entries")).await.ok();
    let told =
        entries["entries"].as_array().unwrap().iter().rev().find(|one| one["body"]["change"] == "leads").unwrap();
    assert_eq!(told["body"]["person_id"], json!(ids[1]));
    app.stop().await;
}
