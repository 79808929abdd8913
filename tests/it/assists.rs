//! One voice, several bodies, one owner: others do their part, and the body responsible alone answers the author.
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    county::operator,
    support::{Somebody, TestApp, Village},
};

struct Scene {
    app: TestApp,
    village: Village,
    county: Somebody,
    author: Somebody,
    town_office: String,
    county_office: String,
}

impl Scene {
    async fn set() -> Self {
        let (app, village) = Village::start().await;
        let (county, author) = (operator(&app).await, village.villager(&app, "00007").await);
        let office = async |kind: &str| crate::accused::office(&app, &village, kind).await.to_string();
        let (town_office, county_office) = (office("town_office").await, office("county_office").await);
        Self { app, village, county, author, town_office, county_office }
    }

    async fn speak(&self) -> String {
        let voice = json!({ "kind": "help", "visibility": "handlers", "text": "桥墩裂了一道缝", "place": "老桥" });
        let voice = self.author.post("/v1/suggestions", voice).await.ok();
        let path = format!("/v1/suggestions/{}", voice["id"].as_str().unwrap());
        self.village.clerk.post(&format!("{path}/accept"), json!(null)).await.ok();
        path
    }

    async fn ask(&self, voice: &str, body: &str, task: &str) -> crate::support::Answer {
        self.village.clerk.post(&format!("{voice}/assists"), json!({ "body_id": body, "task": task })).await
    }
}

async fn asked(who: &Somebody) -> Vec<Value> {
    who.get("/v1/assists").await.ok().as_array().unwrap().clone()
}

async fn give(who: &Somebody, id: &Value, text: &str) -> crate::support::Answer {
    who.post(&format!("/v1/assists/{}/answer", id.as_str().unwrap()), json!({ "text": text })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn several_do_their_part_and_one_owner_answers() {
    let scene = Scene::set().await;
    let Scene { village, author, county, .. } = &scene;
    let voice = scene.speak().await;
    let before = author.get(&voice).await.ok();
    assert_eq!(scene.ask(&voice, &scene.town_office, "").await.refused(), "invalid_fields");
    let committee = before["body_id"].as_str().unwrap();
    assert_eq!(scene.ask(&voice, committee, "自己办").await.refused(), "invalid_fields", "the owner asks others");
    scene.ask(&voice, &scene.town_office, "请派人测裂缝").await.ok();
    scene.ask(&voice, &scene.county_office, "请拨修桥的钱").await.ok();
    assert_eq!(
        scene.ask(&voice, &scene.town_office, "再看一次").await.refused(),
        "invalid_fields",
        "one thing at a time"
    );
    // each knows its part, and neither the words nor whose they are
    let (of_town, of_county) = (asked(&village.town).await, asked(county).await);
    assert_eq!((of_town.len(), &of_town[0]["task"]), (1, &json!("请派人测裂缝")));
    assert_eq!((of_county.len(), &of_county[0]["task"]), (1, &json!("请拨修桥的钱")));
    assert!(!of_town[0].to_string().contains("道缝") && asked(&village.clerk).await.is_empty());
    for other in [&village.town, county] {
        assert_eq!(other.get(&voice).await.status, 404);
        assert_eq!(other.post(&format!("{voice}/answers"), json!({ "text": "好了" })).await.status, 404);
    }
    assert_eq!(give(county, &of_town[0]["id"], "我来说").await.refused(), "not_found", "it is not theirs to say");
    // two of the town at once: one says it
    let both =
        futures_util::future::join_all((0..2).map(|_| give(&village.town, &of_town[0]["id"], "测了，两毫米"))).await;
    let mut statuses: Vec<u16> = both.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409], "{:?}", both[0].body);
    let shown = author.get(&voice).await.ok();
    assert_eq!((&shown["body_id"], &shown["answer_due_at"]), (&before["body_id"], &before["answer_due_at"]));
    let parts: Vec<_> = shown["assists"].as_array().unwrap().iter().map(|one| &one["state"]).collect();
    assert_eq!(parts, ["given", "asked"]);
    assert_eq!(shown["assists"][0]["answer"], "测了，两毫米");
    // the owner answers; what was not said by then need not be said
    village.clerk.post(&format!("{voice}/answers"), json!({ "text": "下周修" })).await.ok();
    assert_eq!(asked(county).await.len(), 0);
    assert_eq!(give(county, &of_county[0]["id"], "拨了").await.refused(), "wrong_state");
    assert_eq!(scene.ask(&voice, &scene.town_office, "再看").await.refused(), "wrong_state", "it is answered");
    assert_eq!(author.get(&voice).await.ok()["assists"][1]["state"], "ended");
    scene.app.settle().await;
    let thread = author.get(&format!("/v1/streams/{}/entries", shown["stream_id"].as_str().unwrap())).await.ok();
    for code in ["suggestion_assist_asked", "suggestion_assist_given", "suggestion_answered"] {
        assert!(thread.to_string().contains(code), "{code}");
    }
    let ended = "SELECT count(*) FROM events WHERE kind = 'suggestion.assist_ended'";
    assert_eq!(crate::support::count(scene.app.folder.path(), ended).await, 1);
    // what is kept of it is sealed with the voice
    let clear = "SELECT count(*) FROM suggestion_assists WHERE task LIKE '%裂缝%' OR answer LIKE '%毫米%'";
    assert_eq!(crate::support::count(scene.app.folder.path(), clear).await, 0);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_asked_and_done_on_the_desk_without_javascript() {
    let scene = Scene::set().await;
    let Scene { village, .. } = &scene;
    let voice = scene.speak().await;
    let id = voice.rsplit('/').next().unwrap().to_owned();
    let page = async |who: &Somebody, path: &str| {
        let shown = who.request(reqwest::Method::GET, path).header("accept", "text/html").send().await.unwrap();
        assert_eq!(shown.status(), 200, "{path}");
        shown.text().await.unwrap()
    };
    let form = async |who: &Somebody, path: &str, body: String| {
        let sent = who.request(reqwest::Method::POST, path).header("accept", "text/html");
        let sent = sent.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap();
        (sent.status().as_u16(), sent.text().await.unwrap())
    };
    let desk = format!("/desk/suggestions/{id}");
    assert!(page(&village.clerk, &desk).await.contains("请别的组织协办"));
    let ask = format!("{desk}/involve");
    let (status, again) = form(&village.clerk, &ask, format!("body_id={}&task=", scene.town_office)).await;
    assert!(status == 422 && again.contains("field-error"), "{status}");
    let body = format!("body_id={}&task=%E8%AF%B7%E6%B4%BE%E4%BA%BA%E6%9D%A5", scene.town_office);
    assert_eq!(form(&village.clerk, &ask, body.clone()).await.0, 303);
    let (status, again) = form(&village.clerk, &ask, body).await;
    assert!(status == 422 && again.contains("已经请它协办"), "{status}");
    let part = asked(&village.town).await[0]["id"].as_str().unwrap().to_owned();
    assert!(page(&village.town, "/desk").await.contains("请这里协办"), "it is on the list of what is to be done");
    let list = page(&village.town, "/desk/referrals").await;
    assert!(list.contains("请派人来") && list.contains(&part), "{list}");
    let done = "/desk/referrals/assist";
    assert_eq!(form(&village.town, done, format!("assist_id={part}&text=")).await.0, 422, "it says what was done");
    assert_eq!(form(&village.town, done, format!("assist_id={part}&text=%E5%8A%9E%E5%A5%BD%E4%BA%86")).await.0, 303);
    assert!(page(&village.clerk, &desk).await.contains("办好了"));
    assert!(page(&scene.author, &format!("/suggestions/{id}")).await.contains("办好了"));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_the_voice_is_not_asked_for_a_part_of_it() {
    let scene = Scene::set().await;
    let Scene { village, author, county, .. } = &scene;
    let voice = scene.speak().await;
    scene.ask(&voice, &scene.town_office, "请派人测裂缝").await.ok();
    scene.ask(&voice, &scene.county_office, "请拨修桥的钱").await.ok();
    let offer = json!({ "body_id": scene.town_office, "reason": "桥归镇里管" });
    village.clerk.post(&format!("{voice}/referrals"), offer).await.ok();
    let offer = village.town.get("/v1/referrals").await.ok()[0]["id"].as_str().unwrap().to_owned();
    village.town.post(&format!("/v1/referrals/{offer}/accept"), json!(null)).await.ok();
    assert_eq!((asked(&village.town).await.len(), asked(county).await.len()), (0, 1));
    let shown = author.get(&voice).await.ok();
    assert_eq!((&shown["assists"][0]["state"], &shown["assists"][1]["state"]), (&json!("ended"), &json!("asked")));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_author_had_erased_waits_for_nobody() {
    let scene = Scene::set().await;
    let Scene { village, author, county, .. } = &scene;
    let voice = scene.speak().await;
    scene.ask(&voice, &scene.county_office, "请拨修桥的钱").await.ok();
    village.clerk.post(&format!("{voice}/extension"), json!({ "reason": "要等专家来看" })).await.ok();
    let offer = json!({ "body_id": scene.town_office, "reason": "桥归镇里管" });
    village.clerk.post(&format!("{voice}/referrals"), offer).await.ok();
    author.post("/v1/me/closing", json!({ "understood": true })).await.ok();
    scene.app.pass(TimeDelta::days(8)).await;
    scene.app.settle().await;
    let again = async |who: &Somebody| Somebody::signed_in(&scene.app, who.person).await;
    let (clerk, town) = (again(&village.clerk).await, again(&village.town).await);
    assert_eq!(asked(&again(county).await).await.len(), 0);
    for list in ["/v1/referrals", "/v1/extensions"] {
        assert_eq!(town.get(list).await.ok(), json!([]), "{list}");
    }
    assert_eq!(clerk.get("/v1/suggestions?scope=desk").await.ok()["items"], json!([]));
    // and it is never late
    scene.app.pass(TimeDelta::days(20)).await;
    scene.app.settle().await;
    let late = again(county).await.get("/v1/areas/330521/late-suggestions").await.ok();
    assert_eq!(late, json!({ "items": [], "more": 0 }));
    let marked = "SELECT count(*) FROM events WHERE kind = 'suggestion.overdue'";
    assert_eq!(crate::support::count(scene.app.folder.path(), marked).await, 0);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_about_the_reader_takes_no_place_in_a_list() {
    let scene = Scene::set().await;
    let Scene { app, village, .. } = &scene;
    let voice = scene.speak().await;
    scene.ask(&voice, &scene.town_office, "请派人测裂缝").await.ok();
    village.clerk.post(&format!("{voice}/extension"), json!({ "reason": "要等专家来看" })).await.ok();
    let offer = json!({ "body_id": scene.town_office, "reason": "桥归镇里管" });
    village.clerk.post(&format!("{voice}/referrals"), offer).await.ok();
    // more than are listed, all of them about whoever reads the list, and all before the one that is not
    let same = "area_code, author_id, kind, visibility, text, place, state, body_id, stream_id, accept_due_at, \
         calendar_version, created_at, updated_at, offered_to, asks_office, key_id";
    let id = if app.folder.is_sqlite() { "randomblob(16)" } else { "gen_random_uuid()" };
    let of_reader = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120) \
         INSERT INTO suggestions (id, number, {same}, answer_due_at, about_person_id) \
         SELECT {id}, 'copy ' || i, {same}, accept_due_at, \
         (SELECT person_id FROM seats WHERE body_id = offered_to LIMIT 1) FROM suggestions, n"
    );
    assert_eq!(crate::accused::past_commands(app, of_reader).await.unwrap(), 120);
    let parts = format!(
        "INSERT INTO suggestion_assists (id, suggestion_id, body_id, task, state, asked_by, asked_at) \
         SELECT {id}, s.id, a.body_id, a.task, a.state, a.asked_by, s.created_at \
         FROM suggestion_assists a, suggestions s WHERE s.number LIKE 'copy %'"
    );
    assert_eq!(crate::accused::past_commands(app, parts).await.unwrap(), 120);
    for list in ["/v1/assists", "/v1/extensions", "/v1/referrals"] {
        let shown = village.town.get(list).await.ok();
        assert_eq!(shown.as_array().unwrap().len(), 1, "{list}: {shown}");
    }
    scene.app.stop().await;
}
