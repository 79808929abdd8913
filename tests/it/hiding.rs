//! A public voice that is hidden: nothing of it is lost, its author reads why, and objects once to an office that did not hide it.
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    county::operator,
    support::{Answer, Somebody, TestApp, Village, answer, cards_in, told_in},
};

mod media;

const CLIP: &[u8] = include_bytes!("../data/media/lamp.m4a");

struct Scene {
    app: TestApp,
    village: Village,
    author: Somebody,
    neighbour: Somebody,
}

impl Scene {
    async fn set() -> Self {
        let (app, village) = Village::start().await;
        let (author, neighbour) = (village.villager(&app, "00007").await, village.villager(&app, "00008").await);
        Self { app, village, author, neighbour }
    }

    async fn speak(&self, text: &str) -> String {
        let voice = json!({ "kind": "complaint", "visibility": "public", "text": text });
        let voice = self.author.post("/v1/suggestions", voice).await.ok();
        format!("/v1/suggestions/{}", voice["id"].as_str().unwrap())
    }

    /// How many voices of the village somebody is shown.
    async fn listed(&self, who: &Somebody) -> usize {
        who.get("/v1/suggestions?scope=village").await.ok()["items"].as_array().unwrap().len()
    }

    /// Codes of the cards in the streams of a kind that somebody sees.
    async fn cards(&self, who: &Somebody, kind: &str) -> Vec<String> {
        cards_in(&self.app, who.person, kind).await
    }
}

async fn hide(who: &Somebody, voice: &str, is_on: bool, reason: &str) -> Answer {
    let input = json!({ "is_on": is_on, "reason": reason });
    answer(who.request(Method::PUT, &format!("{voice}/hiding")).json(&input)).await
}

async fn appeal(who: &Somebody, voice: &str) -> Answer {
    who.post(&format!("{voice}/hiding/appeal"), json!({ "text": "这是批评，不是骂人" })).await
}

async fn decide(who: &Somebody, voice: &str, restore: bool) -> Answer {
    who.post(&format!("{voice}/hiding/decision"), json!({ "restore": restore, "reason": "看过了" })).await
}

async fn appeals(who: &Somebody) -> Vec<Value> {
    who.get("/v1/hidings").await.ok().as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn hiding_keeps_the_voice_tells_why_and_can_be_objected_to() {
    let scene = Scene::set().await;
    let Scene { village, author, neighbour, .. } = &scene;
    let voice = scene.speak("某某家住桥头三号，天天半夜放音响").await;
    let before = author.get(&voice).await.ok();
    assert_eq!((scene.listed(neighbour).await, neighbour.get(&voice).await.status), (1, 200));
    assert_eq!(hide(neighbour, &voice, true, "不想看").await.refused(), "not_allowed");
    assert_eq!(hide(&village.clerk, &voice, true, "").await.refused(), "invalid_fields", "not without a reason");
    assert_eq!(appeal(author, &voice).await.refused(), "wrong_state", "it is not hidden");
    assert_eq!(hide(&village.clerk, &voice, true, "写了别人的住址").await.ok()["is_hidden"], true);
    // nobody of the village finds it; its author has it whole, with the reason, and its clocks go on
    assert_eq!((scene.listed(neighbour).await, neighbour.get(&voice).await.status), (0, 404));
    let cosign = neighbour.request(Method::PUT, &format!("{voice}/cosign")).json(&json!({ "is_on": true }));
    assert_eq!(answer(cosign).await.status, 404);
    let own = author.get(&voice).await.ok();
    assert_eq!((&own["text"], &own["answer_due_at"]), (&before["text"], &before["answer_due_at"]));
    assert_eq!((&own["hiding"]["reason"], &own["hiding"]["state"]), (&json!("写了别人的住址"), &json!("hidden")));
    village.clerk.post(&format!("{voice}/accept"), json!(null)).await.ok();
    // the town decides, not who hid it, and reads the words that were for everybody
    assert_eq!(appeal(neighbour, &voice).await.status, 404);
    appeal(author, &voice).await.ok();
    assert_eq!(appeal(author, &voice).await.refused(), "wrong_state", "once");
    let asked = appeals(&village.town).await;
    assert_eq!((asked.len(), &asked[0]["reason"]), (1, &json!("写了别人的住址")));
    assert!(asked[0].to_string().contains("桥头三号") && !asked[0].to_string().contains("author"), "{}", asked[0]);
    assert!(appeals(&village.clerk).await.is_empty());
    assert_eq!(decide(&village.clerk, &voice, true).await.refused(), "not_found");
    assert_eq!(decide(&village.town, &voice, true).await.status, 204);
    assert_eq!((scene.listed(neighbour).await, author.get(&voice).await.ok().get("hiding")), (1, None));
    assert_eq!(decide(&village.town, &voice, false).await.refused(), "not_found", "it is decided");
    // what the town had shown stays so, and its author reads what the town said
    assert_eq!(hide(&village.clerk, &voice, true, "还是写了住址").await.refused(), "wrong_state");
    let can = village.clerk.get(&voice).await.ok()["can"].clone();
    assert!(!can.as_array().unwrap().contains(&json!("hide")), "{can}");
    let told = told_in(&scene.app, author.person, "thread").await;
    let shown = told.iter().find(|body| body["card"] == "suggestion_shown").unwrap();
    assert!(shown["text"].as_str().unwrap().contains("看过了"), "{shown}");
    // another one the town leaves as it is
    let voice = scene.speak("某某家住桥头四号").await;
    hide(&village.clerk, &voice, true, "写了住址").await.ok();
    appeal(author, &voice).await.ok();
    assert_eq!(decide(&village.town, &voice, false).await.status, 204);
    let own = author.get(&voice).await.ok();
    assert_eq!((&own["hiding"]["state"], &own["hiding"]["answer"]), (&json!("upheld"), &json!("看过了")));
    assert_eq!(appeal(author, &voice).await.refused(), "wrong_state", "the author has objected");
    let told = scene.cards(author, "thread").await;
    for code in ["suggestion_hidden", "suggestion_shown", "suggestion_hiding_upheld"] {
        assert!(told.iter().any(|one| one == code), "{code}: {told:?}");
    }
    let office = scene.cards(&village.town, "office").await;
    assert_eq!(office.iter().filter(|code| *code == "office_hiding_appealed").count(), 2, "{office:?}");
    hide(&village.clerk, &voice, false, "").await.ok();
    assert_eq!(scene.listed(neighbour).await, 2);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_decides_sees_and_hears_what_was_hidden() {
    let scene = Scene::set().await;
    let Scene { village, author, neighbour, .. } = &scene;
    let clip = author.upload(CLIP.to_vec()).await.ok();
    let voice = json!({ "kind": "complaint", "visibility": "public", "text": "", "media": [clip["id"]] });
    let voice = author.post("/v1/suggestions", voice).await.ok();
    let voice = format!("/v1/suggestions/{}", voice["id"].as_str().unwrap());
    let sound = format!("/v1/media/{}", clip["id"].as_str().unwrap());
    hide(&village.clerk, &voice, true, "骂人").await.ok();
    assert_eq!(village.town.download(&sound).await.0, 404, "nobody has asked the town");
    appeal(author, &voice).await.ok();
    let asked = appeals(&village.town).await;
    assert_eq!((&asked[0]["text"], &asked[0]["media"][0]["id"]), (&json!(""), &clip["id"]));
    assert_eq!((village.town.download(&sound).await.0, neighbour.download(&sound).await.0), (200, 404));
    let list = village.town.request(Method::GET, "/desk/referrals").header("accept", "text/html");
    let list = list.send().await.unwrap().text().await.unwrap();
    assert!(list.contains(&sound) && !list.contains("费**"), "{list}");
    assert_eq!(decide(&village.town, &voice, false).await.status, 204);
    assert_eq!(village.town.download(&sound).await.0, 404, "it is decided");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stands_behind_it_hears_of_an_answer_when_it_can_be_read() {
    let scene = Scene::set().await;
    let Scene { village, author, neighbour, .. } = &scene;
    let voice = scene.speak("桥头三号夜里太吵").await;
    let cosign = neighbour.request(Method::PUT, &format!("{voice}/cosign")).json(&json!({ "is_on": true }));
    answer(cosign).await.ok();
    hide(&village.clerk, &voice, true, "写了住址").await.ok();
    village.clerk.post(&format!("{voice}/accept"), json!(null)).await.ok();
    village.clerk.post(&format!("{voice}/answers"), json!({ "text": "说好了，十点以后关" })).await.ok();
    let heard =
        async || scene.cards(neighbour, "mailbox").await.iter().filter(|code| *code == "cosigned_answered").count();
    assert_eq!(heard().await, 0, "a card that leads nowhere");
    hide(&village.clerk, &voice, false, "").await.ok();
    assert_eq!((heard().await, neighbour.get(&voice).await.status), (1, 200));
    scene.app.pass(TimeDelta::minutes(1)).await;
    hide(&village.clerk, &voice, true, "再看看").await.ok();
    hide(&village.clerk, &voice, false, "").await.ok();
    assert_eq!(heard().await, 1, "once");
    // gone up meanwhile, it is asked of who did not hide it: here the one that has it now
    let up = scene.speak("桥头五号夜里太吵").await;
    hide(&village.clerk, &up, true, "写了住址").await.ok();
    village.clerk.post(&format!("{up}/accept"), json!(null)).await.ok();
    for _ in 0..2 {
        village.clerk.post(&format!("{up}/answers"), json!({ "text": "说好了" })).await.ok();
        author.post(&format!("{up}/rating"), json!({ "rating": 1 })).await.ok();
    }
    assert_eq!(author.get(&up).await.ok()["level"], 1);
    appeal(author, &up).await.ok();
    assert_eq!(appeals(&village.town).await.len(), 1);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_office_does_not_answer_in_time_is_asked_of_the_one_above() {
    let scene = Scene::set().await;
    let Scene { village, author, neighbour, .. } = &scene;
    let county = operator(&scene.app).await;
    let voice = scene.speak("某某家住桥头三号").await;
    hide(&village.clerk, &voice, true, "写了住址").await.ok();
    appeal(author, &voice).await.ok();
    // five working days from a Monday are the next one
    scene.app.pass(TimeDelta::days(6)).await;
    assert_eq!((appeals(&village.town).await.len(), appeals(&county).await.len()), (1, 0), "there is time");
    scene.app.pass(TimeDelta::days(2)).await;
    assert_eq!((appeals(&village.town).await.len(), appeals(&county).await.len()), (0, 1));
    assert_eq!(decide(&village.town, &voice, true).await.refused(), "not_found", "it had its time");
    let passed = async || {
        scene.cards(author, "thread").await.iter().filter(|code| *code == "suggestion_hiding_passed_on").count()
    };
    assert_eq!(passed().await, 1);
    let own = author.get(&voice).await.ok();
    assert_eq!((&own["hiding"]["state"], &own["hiding"]["office_name"]), (&json!("appealed"), &json!("德清县民政局")));
    scene.app.pass(TimeDelta::days(30)).await;
    assert_eq!((passed().await, appeals(&county).await.len()), (1, 1), "nobody is above the county");
    assert_eq!(decide(&county, &voice, true).await.status, 204);
    assert_eq!(scene.listed(neighbour).await, 1);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_the_list_hold_a_public_voice_until_somebody_has_looked() {
    let scene = Scene::set().await;
    let Scene { village, author, neighbour, .. } = &scene;
    let voice = scene.speak("村口小店有人搞网络赌博，请管一管").await;
    assert_eq!((scene.listed(neighbour).await, neighbour.get(&voice).await.status), (0, 404));
    assert_eq!(author.get(&voice).await.ok()["hiding"]["state"], "hidden", "its author sees that it waits");
    let told = scene.cards(&village.clerk, "office").await;
    assert!(told.iter().any(|code| code == "office_suggestion_held"), "{told:?}");
    assert!(scene.cards(author, "thread").await.iter().any(|code| code == "suggestion_held"));
    hide(&village.clerk, &voice, false, "").await.ok();
    assert_eq!((scene.listed(neighbour).await, neighbour.get(&voice).await.status), (1, 200));
    // what only those read who handle it is not held, and the sender cannot say that there are no such words
    let private = json!({ "kind": "complaint", "visibility": "handlers", "text": "有人搞网络赌博" });
    assert_eq!(author.post("/v1/suggestions", private).await.ok()["is_hidden"], false);
    let sly = json!({ "kind": "complaint", "visibility": "public", "text": "网络赌博", "is_flagged": false });
    assert_eq!(author.post("/v1/suggestions", sly).await.refused(), "invalid_fields");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_done_on_the_pages_without_javascript() {
    let scene = Scene::set().await;
    let Scene { village, author, neighbour, .. } = &scene;
    let voice = scene.speak("某某家住桥头三号").await;
    let id = voice.rsplit('/').next().unwrap().to_owned();
    let page = async |who: &Somebody, path: String| {
        let shown = who.request(Method::GET, &path).header("accept", "text/html").send().await.unwrap();
        (shown.status().as_u16(), shown.text().await.unwrap())
    };
    let form = async |who: &Somebody, path: String, body: String| {
        let sent = who.request(Method::POST, &path).header("accept", "text/html");
        let sent = sent.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap();
        sent.status().as_u16()
    };
    let reason = "%E5%86%99%E4%BA%86%E4%BD%8F%E5%9D%80";
    let desk = format!("/desk/suggestions/{id}");
    assert!(page(&village.clerk, desk.clone()).await.1.contains("改为不公开"));
    assert_eq!(form(&village.clerk, format!("{desk}/hide"), "reason=".to_owned()).await, 422);
    assert_eq!(form(&village.clerk, format!("{desk}/hide"), format!("reason={reason}")).await, 303);
    assert_eq!(page(neighbour, format!("/suggestions/{id}")).await.0, 404);
    assert!(page(author, "/suggestions".to_owned()).await.1.contains(">不公开<"), "in the own list");
    for path in ["/desk", "/desk/suggestions"] {
        assert!(page(&village.clerk, path.to_owned()).await.1.contains("现在不公开"), "{path}");
    }
    let own = page(author, format!("/suggestions/{id}")).await.1;
    assert!(own.contains("这条留言现在不公开") && own.contains("写了住址") && own.contains("申诉"), "{own}");
    let silent = author.request(Method::POST, &format!("/suggestions/{id}/hiding")).header("accept", "text/html");
    let silent = silent.header("content-type", "application/x-www-form-urlencoded").body("text=").send().await.unwrap();
    assert_eq!(silent.status().as_u16(), 422);
    assert!(silent.text().await.unwrap().contains("id=\"text-wrong\""), "it says what is missing");
    assert_eq!(form(author, format!("/suggestions/{id}/hiding"), format!("text={reason}")).await, 303);
    assert!(page(&village.town, "/desk".to_owned()).await.1.contains("该不该公开"));
    let list = page(&village.town, "/desk/referrals".to_owned()).await.1;
    assert!(list.contains("桥头三号") && list.contains(&id), "{list}");
    let decision = format!("suggestion_id={id}&restore=true&reason={reason}");
    assert_eq!(form(&village.town, "/desk/referrals/hiding".to_owned(), decision).await, 303);
    assert_eq!(page(neighbour, format!("/suggestions/{id}")).await.0, 200);
    scene.app.stop().await;
}
