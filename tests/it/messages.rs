//! What people say to each other: taken back, quoted, addressed, kept on top, in groups and with the office.
mod groups;
mod masks;

use chrono::TimeDelta;
use liusheng::{ids::StreamId, streams::commands};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Raw, Socket, Somebody, TestApp, Village, answer, cookie_of};

const PNG: &[u8] = include_bytes!("../data/media/clear.png");

/// A village with a matter that people talk about.
pub(crate) struct Scene {
    pub(crate) app: TestApp,
    pub(crate) village: Village,
    pub(crate) talk: String,
    pub(crate) ann: Somebody,
    pub(crate) bob: Somebody,
}

impl Scene {
    pub(crate) async fn set() -> Self {
        Self::of(Village::start().await).await
    }

    pub(crate) async fn of((app, village): (TestApp, Village)) -> Self {
        let matter = json!({ "area_code": village.area, "title": "修桥", "summary": "村口的桥要修一修。" });
        let matter = village.chair.post("/v1/matters", matter).await.ok();
        let talk = village.discussion(&app, matter["id"].as_str().unwrap()).await.to_string();
        let (ann, bob) = (village.villager(&app, "00007").await, village.villager(&app, "00011").await);
        app.settle().await;
        Self { app, village, talk, ann, bob }
    }
}

fn message(text: &str) -> Value {
    json!({ "client_id": Uuid::now_v7(), "text": text })
}

async fn say_in(stream: &str, who: &Somebody, message: Value) -> Answer {
    who.post(&format!("/v1/streams/{stream}/messages"), message).await
}

async fn said_in(stream: &str, who: &Somebody, text: &str) -> i64 {
    say_in(stream, who, message(text)).await.ok()["seq"].as_i64().unwrap()
}

async fn recall(stream: &str, who: &Somebody, seq: i64, reason: &str) -> Answer {
    who.post(&format!("/v1/streams/{stream}/messages/{seq}/recall"), json!({ "reason": reason })).await
}

async fn entries(stream: &str, who: &Somebody) -> Vec<Value> {
    who.get(&format!("/v1/streams/{stream}/entries")).await.ok()["entries"].as_array().unwrap().clone()
}

async fn entry(stream: &str, who: &Somebody, seq: i64) -> Value {
    entries(stream, who).await.into_iter().find(|entry| entry["seq"] == seq).unwrap()
}

/// A stream in somebody's list.
async fn listed(stream: &str, who: &Somebody) -> Option<Value> {
    let list = who.get("/v1/sync").await.ok();
    list["streams"].as_array().unwrap().iter().find(|one| one["id"] == stream).cloned()
}

async fn by_kind(kind: &str, who: &Somebody) -> Value {
    let list = who.get("/v1/sync").await.ok();
    list["streams"].as_array().unwrap().iter().find(|one| one["kind"] == kind).cloned().unwrap_or_default()
}

#[tokio::test]
async fn what_was_taken_back_is_nowhere_any_more() {
    let Scene { app, village, talk, ann, bob } = Scene::set().await;
    let mut phone = Socket::connect(&app, &bob.token(), json!({})).await;
    phone.subscribe(&format!("s:{talk}"), json!({})).await;
    let photo = ann.upload(PNG.to_vec()).await.ok();
    let url = photo["url"].as_str().unwrap().to_owned();
    let mut said = message("口是心非的话");
    said["media"] = json!([photo["id"]]);
    let seq = say_in(&talk, &ann, said).await.ok()["seq"].as_i64().unwrap();
    assert_eq!(bob.download(&url).await.0, 200, "whoever reads the conversation sees the photo");
    assert_eq!(recall(&talk, &bob, seq, "").await.refused(), "not_allowed");

    let done = recall(&talk, &ann, seq, "").await.ok();
    assert_eq!((done["seq"].as_i64(), done["dup"].as_bool()), (Some(seq + 1), Some(false)));
    let again = recall(&talk, &ann, seq, "").await.ok();
    assert_eq!((again["seq"].as_i64(), again["dup"].as_bool()), (Some(seq + 1), Some(true)));
    phone.until_offset(&format!("s:{talk}"), seq + 1).await;
    let pushed = phone.entries[&format!("s:{talk}")].last().unwrap()["data"].clone();
    assert_eq!((pushed["kind"].as_str(), pushed["target_seq"].as_i64()), (Some("recall"), Some(seq)));
    let left = entry(&talk, &bob, seq).await;
    assert_eq!(
        (&left["state"], &left["rev"], &left["body"]),
        (&json!("recalled"), &json!(seq + 1), &json!({ "state": "recalled" }))
    );
    assert_eq!(bob.download(&url).await.0, 410, "the photo is gone with the words");
    assert_eq!(ann.download(&url).await.0, 410);
    assert_eq!(listed(&talk, &ann).await.unwrap()["preview"], "一条消息已撤回");
    let raw = Raw::open(app.folder.path()).await;
    for table in ["entries", "streams", "events", "idempotency_keys"] {
        let rows: Vec<String> = match table {
            "entries" => vec![raw.one("SELECT count(*) || '' FROM entries WHERE body LIKE '%口是心非%'").await],
            "streams" => vec![raw.one("SELECT count(*) || '' FROM streams WHERE last_preview LIKE '%口是心非%'").await],
            "events" => vec![raw.one("SELECT count(*) || '' FROM events WHERE data LIKE '%口是心非%'").await],
            _ => vec![raw.one("SELECT count(*) || '' FROM idempotency_keys WHERE answer LIKE '%口是心非%'").await],
        };
        assert_eq!(rows, ["0"], "{table}");
    }
    raw.close().await;

    // two minutes by the server's clock; after that only who leads the conversation, who says why
    let late = said_in(&talk, &ann, "骂人的话").await;
    app.pass(TimeDelta::seconds(121)).await;
    assert_eq!(recall(&talk, &ann, late, "").await.refused(), "recall_too_late");
    assert_eq!(recall(&talk, &village.clerk, late, "").await.refused(), "invalid_fields");
    recall(&talk, &village.clerk, late, "辱骂他人").await.ok();
    let left = entry(&talk, &bob, late).await;
    assert_eq!((left["state"].as_str(), left["body"]["reason"].as_str()), (Some("removed"), Some("辱骂他人")));
    app.stop().await;
}

#[tokio::test]
async fn a_quote_shows_what_is_left_of_what_it_answers() {
    let Scene { app, talk, ann, bob, .. } = Scene::set().await;
    let seq = said_in(&talk, &ann, "桥墩裂了").await;
    let mut reply = message("我也看见了");
    reply["reply_to"] = json!(seq);
    let answer = say_in(&talk, &bob, reply.clone()).await.ok()["seq"].as_i64().unwrap();
    let quote = entry(&talk, &ann, answer).await["quote"].clone();
    assert_eq!(quote["text"], "桥墩裂了");
    assert!(quote["sender"]["name"].as_str().unwrap().contains('*'), "a neighbour's name is masked: {quote}");
    let shown = page(&app, &bob, &format!("/streams/{talk}")).await;
    let mark = format!("data-answers=\"{talk}/{seq}\"");
    assert!(shown.contains(&mark), "an open page cannot take the quote away: {shown}");
    recall(&talk, &ann, seq, "").await.ok();
    assert_eq!(entry(&talk, &ann, answer).await["quote"]["text"], "", "a copy would have outlived the recall");
    reply["client_id"] = json!(Uuid::now_v7());
    reply["reply_to"] = json!(999);
    assert_eq!(say_in(&talk, &bob, reply).await.refused(), "invalid_fields");
    app.stop().await;
}

#[tokio::test]
async fn who_is_addressed_sees_it_in_the_list_until_it_is_read() {
    let Scene { app, village, talk, ann, bob } = Scene::set().await;
    let bobs = said_in(&talk, &bob, "我在").await;
    let mut to_bob = message("您怎么看？");
    to_bob["mentions"] = json!([bob.person]);
    assert_eq!(
        say_in(&talk, &ann, to_bob.clone()).await.refused(),
        "invalid_fields",
        "who is here is not told by an id"
    );
    to_bob["mentions"] = json!([entry(&talk, &ann, bobs).await["sender"]["id"]]);
    let seq = say_in(&talk, &ann, to_bob.clone()).await.ok()["seq"].as_i64().unwrap();
    let row = listed(&talk, &bob).await.unwrap();
    assert_eq!((row["is_mentioned"].as_bool(), row["unread"].as_i64()), (Some(true), Some(1)));
    assert_eq!(listed(&talk, &ann).await.unwrap()["unread"], 0, "what one says oneself is never unread");
    let cursor = bob.request(Method::PUT, &format!("/v1/streams/{talk}/cursor")).json(&json!({ "seq": seq }));
    answer(cursor).await.ok();
    let row = listed(&talk, &bob).await.unwrap();
    assert_eq!((row["is_mentioned"].as_bool(), row["unread"].as_i64()), (Some(false), Some(0)));

    let stranger = village.neighbour(&app).await;
    to_bob["client_id"] = json!(Uuid::now_v7());
    to_bob["mentions"] = json!([stranger.person]);
    assert_eq!(say_in(&talk, &ann, to_bob.clone()).await.refused(), "invalid_fields", "who is not here");
    let all = || json!({ "client_id": Uuid::now_v7(), "text": "今晚七点开会", "mention_all": true });
    assert_eq!(say_in(&talk, &ann, all()).await.refused(), "not_allowed");
    say_in(&talk, &village.clerk, all()).await.ok();
    assert_eq!(listed(&talk, &bob).await.unwrap()["is_mentioned"], true);
    assert_eq!(say_in(&talk, &village.chair, all()).await.refused(), "too_many_requests", "once an hour for all");
    app.pass(TimeDelta::minutes(61)).await;
    say_in(&talk, &village.chair, all()).await.ok();
    app.stop().await;
}

#[tokio::test]
async fn a_resident_and_the_office_talk_in_private() {
    let Scene { app, village, ann, bob, .. } = Scene::set().await;
    let opened = ann.post("/v1/contacts", json!({})).await.ok();
    let stream = opened["stream_id"].as_str().unwrap().to_owned();
    assert_eq!(ann.post("/v1/contacts", json!({})).await.ok(), opened, "one for good");
    let before = by_kind("office", &village.clerk).await["unread"].as_i64().unwrap_or(0);
    let seq = said_in(&stream, &ann, "低保怎么申请").await;
    let office = by_kind("office", &village.clerk).await;
    assert_eq!(office["unread"].as_i64(), Some(before + 1), "who serves thousands follows one stream");
    assert!(!office["preview"].as_str().unwrap().contains("低保"), "{office}");
    let bump = entries(office["id"].as_str().unwrap(), &village.clerk).await.pop().unwrap();
    assert_eq!((bump["kind"].as_str(), &bump["body"]["stream_id"]), (Some("bump"), &json!(stream)));
    assert_eq!(bump["body"]["link"], format!("/streams/{stream}"));
    for (who, name) in [(&village.clerk, "clerk"), (&village.chair, "chair")] {
        assert_eq!(entry(&stream, who, seq).await["body"]["text"], "低保怎么申请", "{name}");
    }
    said_in(&stream, &village.clerk, "带户口簿来").await;
    let told = entries(&stream, &ann).await.pop().unwrap();
    assert!(told["sender"]["body_name"].as_str().unwrap().contains("村民委员会"), "{told}");
    assert_eq!(entry(&stream, &village.clerk, seq).await["sender"]["body_name"], Value::Null);
    for stranger in [&bob, &village.council_chair, &village.town] {
        assert_eq!(stranger.get(&format!("/v1/streams/{stream}/entries")).await.refused(), "not_found");
    }
    let raw = Raw::open(app.folder.path()).await;
    let clear: i64 = raw.one("SELECT count(*) FROM entries WHERE body LIKE '%低保%' OR body LIKE '%户口簿%'").await;
    let preview: i64 = raw.one("SELECT count(*) FROM streams WHERE last_preview LIKE '%户口簿%'").await;
    assert_eq!((clear, preview), (0, 0), "sealed by a key of the resident's");
    raw.close().await;
    app.stop().await;
}

#[tokio::test]
async fn a_conversation_is_kept_on_top_or_quiet() {
    let Scene { app, talk, ann, bob, .. } = Scene::set().await;
    said_in(&talk, &ann, "一").await;
    let contact = ann.post("/v1/contacts", json!({})).await.ok()["stream_id"].as_str().unwrap().to_owned();
    app.pass(TimeDelta::minutes(1)).await;
    said_in(&contact, &ann, "二").await;
    let set = |who: &Somebody, options: Value| {
        answer(who.request(Method::PUT, &format!("/v1/streams/{talk}/options")).json(&options))
    };
    set(&ann, json!({ "is_pinned": true })).await.ok();
    set(&ann, json!({ "mute": "messages" })).await.ok();
    let list = ann.get("/v1/sync").await.ok();
    let first = &list["streams"][0];
    assert_eq!((&first["id"], &first["mute"], &first["is_pinned"]), (&json!(talk), &json!("messages"), &json!(true)));
    assert!(listed(&talk, &bob).await.is_none(), "settings are the own ones");
    set(&ann, json!({ "is_pinned": false })).await.ok();
    assert_eq!(ann.get("/v1/sync").await.ok()["streams"][0]["id"], json!(contact));
    assert_eq!(set(&ann, json!({ "mute": "loud" })).await.status, 422);
    let unknown = StreamId::new();
    let path = format!("/v1/streams/{unknown}/options");
    assert_eq!(answer(ann.request(Method::PUT, &path).json(&json!({}))).await.refused(), "not_found");
    app.stop().await;
}

#[tokio::test]
async fn a_conversation_opens_at_what_was_said_last() {
    let Scene { app, ann, village, .. } = Scene::set().await;
    let letter = ann.post("/v1/contacts", json!({})).await.ok()["stream_id"].as_str().unwrap().to_owned();
    said_in(&letter, &ann, "低保怎么申请").await;
    said_in(&letter, &village.clerk, "带户口簿来").await;
    assert!(page(&app, &ann, "/").await.contains(&format!("href=\"/streams/{letter}#newest\"")));
    let shown = page(&app, &ann, &format!("/streams/{letter}")).await;
    let (before, last) = shown.split_once("id=\"newest\"").expect("the place that the list leads to");
    assert!(
        before.contains("低保怎么申请") && !before.contains("带户口簿来") && last.contains("带户口簿来"),
        "{shown}"
    );
    let form = reqwest::multipart::Form::new().text("client_id", Uuid::now_v7().to_string()).text("text", "谢谢");
    let path = format!("/streams/{letter}/messages");
    let sent = ann.request(Method::POST, &path).header("accept", "text/html").multipart(form).send().await.unwrap();
    let place = sent.headers()["location"].to_str().unwrap();
    assert_eq!(place, format!("/streams/{letter}#newest"), "one sees what one has sent");
    app.stop().await;
}

/// A page as somebody's browser gets it.
async fn page(app: &TestApp, who: &Somebody, path: &str) -> String {
    let cookie = format!("ls_session={}", cookie_of(&app.app, who.person).await);
    let asked = app.http.get(app.url(path)).header("cookie", cookie).send().await.unwrap();
    assert_eq!(asked.status(), 200, "{path}");
    asked.text().await.unwrap()
}

async fn read(stream: &str, who: &Somebody, seq: i64) {
    let cursor = who.request(Method::PUT, &format!("/v1/streams/{stream}/cursor")).json(&json!({ "seq": seq }));
    assert_eq!(answer(cursor).await.status, 204);
}

/// How many have read, of how many.
async fn seen(stream: &str, who: &Somebody, seq: i64) -> (i64, i64) {
    let seen = who.get(&format!("/v1/streams/{stream}/messages/{seq}/receipts")).await.ok();
    (seen["read"].as_i64().unwrap(), seen["audience"].as_i64().unwrap())
}

#[tokio::test]
async fn a_letter_is_read_when_somebody_else_has_read_it() {
    let Scene { app, village, ann, .. } = Scene::set().await;
    let letter = ann.post("/v1/contacts", json!({})).await.ok()["stream_id"].as_str().unwrap().to_owned();
    let seq = said_in(&letter, &ann, "低保怎么申请").await;
    assert_eq!(seen(&letter, &ann, seq).await, (0, 2), "the chair and the clerk may answer");
    read(&letter, &village.clerk, seq).await;
    assert_eq!(seen(&letter, &ann, seq).await, (1, 2));
    let answer = said_in(&letter, &village.clerk, "带户口簿来").await;
    assert_eq!(seen(&letter, &village.clerk, answer).await, (0, 2), "the author and the chair");
    read(&letter, &ann, answer).await;
    assert_eq!(seen(&letter, &village.clerk, answer).await, (1, 2));

    let voice = json!({ "kind": "complaint", "visibility": "handlers", "text": "桥头的路灯坏了", "place": "" });
    let voice = ann.post("/v1/suggestions", voice).await.ok();
    app.settle().await;
    let thread = voice["stream_id"].as_str().unwrap();
    let seq = said_in(thread, &ann, "补充一句").await;
    assert_eq!(seen(thread, &ann, seq).await, (0, 0));
    let path = format!("/streams/{thread}/messages/{seq}");
    assert!(!page(&app, &ann, &path).await.contains("已读"), "nobody to speak of yet");
    village.clerk.get(&format!("/v1/suggestions/{}", voice["id"].as_str().unwrap())).await.ok();
    assert_eq!(seen(thread, &ann, seq).await, (0, 1));
    assert!(page(&app, &ann, &path).await.contains("0 / 1 已读"));
    read(thread, &village.clerk, seq).await;
    assert_eq!(seen(thread, &ann, seq).await, (1, 1));
    app.pass(TimeDelta::days(1)).await;
    assert_eq!(seen(thread, &ann, seq).await, (0, 0), "who opened it for a day belongs to it no longer");
    app.stop().await;
}

#[tokio::test]
async fn the_office_opens_a_voice_from_the_line_that_tells_of_it() {
    let Scene { app, village, ann, .. } = Scene::set().await;
    let voice = json!({ "kind": "complaint", "visibility": "handlers", "text": "桥头的路灯坏了", "place": "" });
    let voice = ann.post("/v1/suggestions", voice).await.ok();
    app.settle().await;
    said_in(voice["stream_id"].as_str().unwrap(), &ann, "补充一句").await;
    let office = by_kind("office", &village.clerk).await["id"].as_str().unwrap().to_owned();
    let bump = entries(&office, &village.clerk).await.pop().unwrap();
    let link = format!("/desk/suggestions/{}", voice["id"].as_str().unwrap());
    assert_eq!((bump["kind"].as_str(), &bump["body"]["link"]), (Some("bump"), &json!(link)));
    assert_eq!(bump["body"]["is_answer"], false);
    let shown = page(&app, &village.clerk, &format!("/streams/{office}")).await;
    assert!(shown.contains(&format!("href=\"{link}\"")), "{shown}");
    app.stop().await;
}

#[tokio::test]
async fn a_newcomer_is_not_greeted_by_what_the_village_heard_before() {
    let Scene { app, village, ann, bob, .. } = Scene::set().await;
    let area = village.area.clone();
    let open = app.app.store.write(move |tx| Box::pin(async move { commands::channel(tx, &area).await }));
    let channel = open.await.unwrap().to_string();
    let first = said_in(&channel, &village.clerk, "停水一天").await;
    let all = json!({ "client_id": Uuid::now_v7(), "text": "今晚开会", "mention_all": true });
    say_in(&channel, &village.clerk, all).await.ok();
    assert_eq!(listed(&channel, &bob).await.unwrap()["unread"], 3, "the matter, too; without a mailbox, as before");
    read(&channel, &bob, first).await;
    for who in [&ann, &bob] {
        drop(Socket::connect(&app, &who.token(), json!({})).await);
    }
    let row = listed(&channel, &ann).await.unwrap();
    assert_eq!((&row["unread"], &row["is_mentioned"]), (&json!(0), &json!(false)));
    assert_eq!(listed(&channel, &bob).await.unwrap()["unread"], 1, "what is known of somebody stays");
    assert_eq!(seen(&channel, &village.clerk, first).await.0, 2, "the speaker and bob: coming is not reading");
    read(&channel, &ann, first).await;
    assert_eq!(listed(&channel, &ann).await.unwrap()["unread"], 0, "the count never goes back");
    said_in(&channel, &village.clerk, "水来了").await;
    assert_eq!(listed(&channel, &ann).await.unwrap()["unread"], 1);
    app.stop().await;
}
