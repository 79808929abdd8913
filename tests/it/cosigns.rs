//! 我也是: the same is shown before it is said twice, and who stands behind a voice is counted once and hears of it.
use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Somebody, TestApp, Village, answer, count, id};

const PHOTO: &[u8] = include_bytes!("../data/media/clear.png");

struct Scene {
    app: TestApp,
    village: Village,
    author: Somebody,
    ann: Somebody,
}

impl Scene {
    async fn set() -> Self {
        let (app, village) = Village::start().await;
        let (author, ann) = (village.villager(&app, "00007").await, village.villager(&app, "00011").await);
        Self { app, village, author, ann }
    }

    async fn speak(&self, who: &Somebody, visibility: &str, text: &str) -> String {
        let voice = json!({ "kind": "help", "visibility": visibility, "text": text, "place": "桥头" });
        who.post("/v1/suggestions", voice).await.ok()["id"].as_str().unwrap().to_owned()
    }

    async fn cards(&self, who: &Somebody) -> Vec<String> {
        self.app.settle().await;
        let list = who.get("/v1/sync").await.ok();
        let mailbox = list["streams"].as_array().unwrap().iter().find(|one| one["kind"] == "mailbox");
        // nobody has told anything yet
        let Some(mailbox) = mailbox else { return Vec::new() };
        let path = format!("/v1/streams/{}/entries?after=0", mailbox["id"].as_str().unwrap());
        let entries = who.get(&path).await.ok();
        entries["entries"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| Some(one["body"]["card"].as_str()?.into()))
            .collect()
    }
}

async fn cosign(who: &Somebody, voice: &str, is_on: bool) -> Answer {
    let path = format!("/v1/suggestions/{voice}/cosign");
    answer(who.request(Method::PUT, &path).json(&json!({ "is_on": is_on }))).await
}

async fn similar(who: &Somebody, text: &str) -> Vec<Value> {
    let found = who.post("/v1/suggestions/similar", json!({ "text": text })).await.ok();
    found.as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_counted_once_however_often_and_at_once_it_is_said() {
    let scene = Scene::set().await;
    let Scene { app, village, author, ann } = &scene;
    let voice = scene.speak(author, "public", "桥头的路灯坏了，晚上看不见").await;
    let at_once = join_all((0..8).map(|_| cosign(ann, &voice, true))).await;
    assert!(at_once.into_iter().all(|answer| answer.status == 200));
    let clerk = cosign(&village.clerk, &voice, true).await.ok();
    assert_eq!(clerk["cosigns"], 2);
    assert_eq!(cosign(ann, &voice, false).await.ok()["cosigns"], 1);
    assert_eq!(cosign(ann, &voice, false).await.ok()["cosigns"], 1);
    assert_eq!(cosign(ann, &voice, true).await.ok()["cosigns"], 2);
    let seen = ann.get(&format!("/v1/suggestions/{voice}")).await.ok();
    assert_eq!((&seen["has_cosigned"], &seen["cosigns"]), (&json!(true), &json!(2)));
    // not the author's own, not what is private, not from elsewhere
    assert_eq!(cosign(author, &voice, true).await.refused(), "not_allowed");
    assert_eq!(cosign(&village.neighbour(app).await, &voice, true).await.refused(), "not_found");
    let private = scene.speak(author, "handlers", "有人欺负我").await;
    assert_eq!(cosign(ann, &private, true).await.refused(), "not_found");
    assert_eq!(cosign(&village.clerk, &private, true).await.refused(), "not_allowed");

    // an answer is told to who stands behind it, and what is over is over
    let step = |name: &str| format!("/v1/suggestions/{voice}/{name}");
    village.chair.post(&step("accept"), json!(null)).await.ok();
    village.chair.post(&step("answers"), json!({ "text": "修好了" })).await.ok();
    assert_eq!(scene.cards(ann).await.iter().filter(|card| *card == "cosigned_answered").count(), 1);
    assert!(!scene.cards(author).await.contains(&"cosigned_answered".to_owned()));
    author.post(&step("rating"), json!({ "rating": 5 })).await.ok();
    assert_eq!(cosign(author, &voice, false).await.refused(), "not_allowed");
    assert_eq!(cosign(&village.chair, &voice, true).await.refused(), "wrong_state");
    assert_eq!(cosign(ann, &voice, false).await.ok()["cosigns"], 1, "one's own word is taken back at any time");
    // nobody stands behind anything whose account is closed
    let other = scene.speak(author, "public", "水沟堵了").await;
    assert_eq!(cosign(ann, &other, true).await.ok()["cosigns"], 1);
    ann.post("/v1/me/closing", json!({ "understood": true })).await.ok();
    app.pass(TimeDelta::days(15)).await;
    let clerk = Somebody::signed_in(app, village.clerk.person).await;
    assert_eq!(clerk.get(&format!("/v1/suggestions/{other}")).await.ok()["cosigns"], 0);
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM suggestion_cosigns").await, 1);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_said_already_is_shown_and_private_words_never_are() {
    let scene = Scene::set().await;
    let Scene { author, ann, .. } = &scene;
    let lamp = scene.speak(author, "public", "桥头的路灯坏了，晚上看不见").await;
    scene.speak(author, "public", "希望礼堂多放几场电影").await;
    scene.speak(author, "handlers", "桥头的路灯是老王砸坏的").await;
    let found = similar(ann, "桥头路灯坏了三天了").await;
    assert_eq!(found.iter().map(|one| one["id"].as_str().unwrap()).collect::<Vec<_>>(), [lamp.as_str()]);
    assert_eq!(found[0]["author_name"], "费**");
    assert!(similar(ann, "路口要装红绿灯").await.is_empty());
    assert!(similar(ann, "").await.is_empty());
    assert_eq!(found[0]["is_own"], false);
    // one's own too, whoever else sees it, so that nobody says it twice; and nobody's private one to anybody else
    let quietly = scene.speak(author, "handlers", "桥头的路灯坏了，我怕摔跤").await;
    let own = similar(author, "桥头路灯坏了三天了").await;
    let ids: Vec<_> = own.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert!(ids.len() == 2 && ids.contains(&lamp.as_str()) && ids.contains(&quietly.as_str()), "{own:?}");
    assert!(own.iter().all(|one| one["is_own"] == true && one["text"].as_str().unwrap().contains("路灯坏了")));
    assert_eq!(similar(ann, "桥头路灯坏了三天了").await.len(), 1);
    assert!(similar(&scene.village.neighbour(&scene.app).await, "桥头路灯坏了三天了").await.is_empty());
    let long = ann.post("/v1/suggestions/similar", json!({ "text": "长".repeat(2001) })).await;
    assert_eq!(long.refused(), "invalid_fields");
    scene.app.stop().await;
}

/// Without a script: the form comes back with what others said, and is sent by saying so once more.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_them_before_it_is_said_again() {
    let scene = Scene::set().await;
    let Scene { app, author, ann, .. } = &scene;
    let photo = author.upload(PHOTO.to_vec()).await.ok()["id"].clone();
    let lamp =
        json!({ "kind": "help", "visibility": "public", "text": "桥头的路灯坏了，晚上看不见", "media": [photo] });
    author.post("/v1/suggestions", lamp).await.ok();
    let send = async |visibility: &str, anyway: bool| {
        let mut form = reqwest::multipart::Form::new()
            .text("client_id", uuid::Uuid::now_v7().to_string())
            .text("kind", "help")
            .text("visibility", visibility.to_owned())
            .text("text", "桥头路灯坏了三天了");
        if anyway {
            form = form.text("anyway", "1");
        }
        let sent =
            ann.request(Method::POST, "/speak").header("accept", "text/html").multipart(form).send().await.unwrap();
        let place = sent.headers().get("location").is_some();
        (sent.status().as_u16(), place, sent.text().await.unwrap())
    };
    let voices = async || count(app.folder.path(), "SELECT count(*) FROM suggestions").await;
    let (status, is_sent, shown) = send("public", false).await;
    assert_eq!((status, is_sent, voices().await), (200, false, 1), "{shown}");
    assert!(shown.contains("晚上看不见") && shown.contains("name=\"anyway\"") && shown.contains("三天了"));
    // with its photo, and a form of its own that says it is the same: no button of it sends what was written here
    assert!(shown.contains("?size=thumb"), "{shown}");
    // and what the phone keeps of it goes: else its first page asks for days to send that, too
    assert!(shown.contains("/cosign\" data-forget=\"") && shown.contains("name=\"is_on\" value=\"1\""), "{shown}");
    let own = shown.split("action=\"/speak\"").nth(1).unwrap();
    assert!(!own.contains("/cosign"), "{own}");
    let (status, is_sent, _) = send("public", true).await;
    assert_eq!((status, is_sent, voices().await), (303, true, 2));
    // what is for the office alone is compared with one's own alone
    let (status, is_sent, shown) = send("handlers", false).await;
    assert_eq!((status, is_sent, voices().await), (200, false, 2));
    assert!(shown.contains("您自己说过差不多的") && !shown.contains("晚上看不见"), "{shown}");
    assert!(!shown.contains("/cosign\""), "nobody stands behind the own one");
    let (status, is_sent, _) = send("handlers", true).await;
    assert_eq!((status, is_sent, voices().await), (303, true, 3));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signed_on_paper_is_counted_once_told_and_may_take_it_back() {
    let scene = Scene::set().await;
    let Scene { app, village, author, ann } = &scene;
    let voice = scene.speak(author, "public", "桥头的路灯坏了，晚上看不见").await;
    cosign(ann, &voice, true).await.ok();
    let path = |voice: &str| format!("/v1/suggestions/{voice}/cosign-sheets");
    let sheet = |numbers: Value| json!({ "roster_numbers": numbers, "source": "11 月 2 日签名册，存村委会" });
    for who in [ann, author, &village.council_chair, &village.town] {
        assert_eq!(who.post(&path(&voice), sheet(json!(["00010"]))).await.refused(), "not_allowed");
    }
    for wrong in [
        sheet(json!([])),
        sheet(json!(["99999"])),
        sheet(json!(["00010", "00010"])),
        json!({ "roster_numbers": ["00010"], "source": "" }),
    ] {
        assert_eq!(village.clerk.post(&path(&voice), wrong.clone()).await.refused(), "invalid_fields", "{wrong}");
    }
    let private = scene.speak(author, "handlers", "有人欺负我").await;
    assert_eq!(village.clerk.post(&path(&private), sheet(json!(["00010"]))).await.refused(), "wrong_state");
    // 00056 has no phone; of 00011 it was known, and the sheet says nothing of that
    let written = village.clerk.post(&path(&voice), sheet(json!(["00010", "00011", "00056"]))).await.ok();
    assert_eq!(written["cosigns"], 3, "{written}");
    let bob = village.villager(app, "00010").await;
    for who in [ann, &bob] {
        assert_eq!(scene.cards(who).await.iter().filter(|card| *card == "cosign_written_down").count(), 1);
    }
    assert!(!scene.cards(author).await.contains(&"cosign_written_down".to_owned()));
    let support = format!("/v1/suggestions/{voice}/support");
    assert_eq!(bob.get(&support).await.ok().get("sheets"), None, "of few nothing is told");
    assert_eq!(cosign(&bob, &voice, false).await.ok()["cosigns"], 2, "one's own word, whoever wrote it down");
    assert_eq!(at_desk(&village.clerk, &voice, ("00012\n00014\n", "第二页", 0)).await, 303);
    let told = bob.get(&support).await.ok();
    let sources: Vec<&str> =
        told["sheets"].as_array().unwrap().iter().map(|one| one["source"].as_str().unwrap()).collect();
    assert_eq!((&told["villagers"], sources), (&json!(5), vec!["第二页", "11 月 2 日签名册，存村委会"]), "{told}");
    let page = String::from_utf8(bob.download(&format!("/suggestions/{voice}")).await.1).unwrap();
    assert!(page.contains("纸上签名登记：第二页"), "{page}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_says_nothing_of_whose_the_voice_is() {
    let scene = Scene::set().await;
    let Scene { village, author, .. } = &scene;
    let write = async |voice: &str, numbers: &[&str]| {
        let path = format!("/v1/suggestions/{voice}");
        let sheet = json!({ "roster_numbers": numbers, "source": "第一页" });
        let written = village.clerk.post(&format!("{path}/cosign-sheets"), sheet).await.ok();
        let told = village.clerk.get(&format!("{path}/support")).await.ok();
        (written["cosigns"].as_u64(), told["villagers"].as_u64())
    };
    // the author, 00007, among four: as told as of any other four
    let first = scene.speak(author, "public", "桥头的路灯坏了，晚上看不见").await;
    assert_eq!(write(&first, &["00007", "00008", "00010", "00011"]).await, (Some(4), Some(5)));
    assert_eq!(cosign(author, &first, false).await.ok()["cosigns"], 3, "the own signature is the own to take back");
    // and alone on a sheet: what rises for others rises for the author
    let second = scene.speak(author, "public", "河边的栏杆松了").await;
    assert_eq!(write(&second, &["00008", "00010", "00011", "00012"]).await, (Some(4), Some(5)));
    assert_eq!(write(&second, &["00014"]).await, (Some(5), Some(6)));
    assert_eq!(write(&second, &["00007"]).await, (Some(6), Some(7)));
    scene.app.stop().await;
}

/// One of the office speaks, masked as everybody is: by giving it to each of them nobody finds out whose it is.
#[tokio::test(flavor = "multi_thread")]
async fn to_whom_a_masked_voice_is_given_says_nothing_of_whose_it_is() {
    let scene = Scene::set().await;
    let Scene { village, .. } = &scene;
    let voice = scene.speak(&village.chair, "public", "桥头的路灯坏了，晚上看不见").await;
    let path = format!("/v1/suggestions/{voice}");
    village.clerk.post(&format!("{path}/accept"), json!(null)).await.ok();
    for who in [&village.chair, &village.clerk, &village.chair] {
        let given = village.clerk.post(&format!("{path}/assign"), json!({ "person_id": who.person })).await.ok();
        assert_eq!((&given["is_assigned"], &given["state"]), (&json!(true), &json!("accepted")));
    }
    let own = village.chair.post(&format!("{path}/answers"), json!({ "text": "修好了" })).await;
    assert_eq!(own.refused(), "not_allowed", "nobody answers the own voice by that");
    let seen = village.chair.get(&path).await.ok();
    let thread = format!("/v1/streams/{}/entries", seen["stream_id"].as_str().unwrap());
    village.chair.get(&thread).await.ok();
    scene.app.stop().await;
}

/// Writes a sheet down on the page, with so many photos of it.
async fn at_desk(who: &Somebody, voice: &str, (numbers, source, photos): (&str, &str, usize)) -> u16 {
    let mut form = reqwest::multipart::Form::new()
        .text("client_id", uuid::Uuid::now_v7().to_string())
        .text("roster_numbers", numbers.to_owned())
        .text("source", source.to_owned());
    for n in 0..photos {
        let photo = reqwest::multipart::Part::bytes(PHOTO).file_name(format!("{n}.png"));
        form = form.part("photos", photo);
    }
    let sent = who.request(Method::POST, &format!("/desk/suggestions/{voice}/cosigns")).header("accept", "text/html");
    sent.multipart(form).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_of_a_sheet_are_for_who_answers_and_the_author_reads_who_opened_them() {
    let scene = Scene::set().await;
    let Scene { app, village, author, ann } = &scene;
    let voice = scene.speak(author, "public", "桥头的路灯坏了，晚上看不见").await;
    let path = format!("/v1/suggestions/{voice}/cosign-sheets");
    let sheet = |photos: Vec<Value>| json!({ "roster_numbers": ["00011"], "source": "第一页", "photos": photos });
    let clip = village.clerk.upload(include_bytes!("../data/media/lamp.m4a").to_vec()).await.ok();
    let strange = ann.upload(PHOTO.to_vec()).await.ok();
    assert_eq!(village.clerk.post(&path, sheet(vec![clip["id"].clone()])).await.refused(), "invalid_fields");
    assert_eq!(village.clerk.post(&path, sheet(vec![strange["id"].clone()])).await.refused(), "media_not_usable");
    assert_eq!(at_desk(&village.clerk, &voice, ("00011", "第一页", 2)).await, 303);
    let support = format!("/v1/suggestions/{voice}/support");
    assert_eq!(ann.get(&support).await.ok().get("sheets"), None, "of few nothing is told");
    let kept = village.chair.get(&support).await.ok()["sheets"][0]["photos"].clone();
    let urls: Vec<&str> = kept.as_array().unwrap().iter().map(|photo| photo["url"].as_str().unwrap()).collect();
    assert_eq!(urls.len(), 2, "{kept}");
    for who in [ann, author, &village.council_chair, &village.town] {
        assert_eq!(who.download(urls[0]).await.0, 404, "who signed is for nobody else's eyes");
    }
    let opened = async || author.get(&format!("/v1/suggestions/{voice}")).await.ok()["readings"].clone();
    assert_eq!(opened().await, Value::Null);
    for url in &urls {
        assert_eq!(village.chair.download(url).await.0, 200);
    }
    let readings = opened().await;
    assert_eq!((readings.as_array().map(Vec::len), &readings[0]["times"]), (Some(1), &json!(1)), "{readings}");
    let page = String::from_utf8(village.clerk.download(&format!("/desk/suggestions/{voice}")).await.1).unwrap();
    assert!(page.contains(&format!("href=\"{}\"", urls[0])) && page.contains("第一页"), "{page}");
    // who leaves takes the own signature along
    ann.post("/v1/me/closing", json!({ "understood": true })).await.ok();
    app.pass(TimeDelta::days(15)).await;
    let chair = Somebody::signed_in(app, village.chair.person).await;
    assert_ne!(chair.download(urls[0]).await.0, 200);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stands_behind_a_voice_follows_the_matter_that_it_joins() {
    let scene = Scene::set().await;
    let Scene { app, village, author, ann } = &scene;
    let voice = scene.speak(author, "public", "桥头的路灯坏了，晚上看不见").await;
    cosign(ann, &voice, true).await.ok();
    village.clerk.post(&format!("/v1/suggestions/{voice}/accept"), json!(null)).await.ok();
    let raised =
        json!({ "area_code": village.area, "title": "修路灯", "summary": "换两盏灯。", "suggestion_ids": [voice] });
    let matter = id(&village.clerk.post("/v1/matters", raised).await.ok());
    app.settle().await;
    let follows = async |who: &Somebody| {
        let telling = who.get("/v1/me/telling").await.ok();
        telling["following"].as_array().unwrap().contains(&json!(matter))
    };
    assert!(follows(ann).await && !follows(&village.clerk).await);
    answer(ann.request(Method::DELETE, &format!("/v1/matters/{matter}/follow"))).await;
    assert!(!follows(ann).await, "each may leave it");
    let (late, never) = (village.villager(app, "00012").await, village.villager(app, "00014").await);
    cosign(&late, &voice, true).await.ok();
    app.settle().await;
    assert!(follows(&late).await && !follows(&never).await);
    assert!(!follows(ann).await, "who left is not brought back by somebody else");
    scene.app.stop().await;
}
