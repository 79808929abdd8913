//! A voice is passed on: whoever received it first keeps it until the next takes it, and its author sees every step.
mod asked;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    county::operator,
    support::{Somebody, TestApp, Village, told_in},
};

struct Scene {
    app: TestApp,
    village: Village,
    county: Somebody,
    author: Somebody,
    town_office: String,
    county_office: String,
    committee: String,
}

impl Scene {
    async fn set() -> Self {
        let (app, village) = Village::start().await;
        let (county, author) = (operator(&app).await, village.villager(&app, "00007").await);
        let office = async |kind: &str| crate::accused::office(&app, &village, kind).await.to_string();
        let (town_office, county_office) = (office("town_office").await, office("county_office").await);
        let committee = office("village_committee").await;
        Self { app, village, county, author, town_office, county_office, committee }
    }

    async fn speak(&self, visibility: &str) -> String {
        let voice = json!({ "kind": "help", "visibility": visibility, "text": "桥墩裂了一道缝", "place": "老桥" });
        let voice = self.author.post("/v1/suggestions", voice).await.ok();
        format!("/v1/suggestions/{}", voice["id"].as_str().unwrap())
    }

    async fn offer(&self, voice: &str, to: &str) -> crate::support::Answer {
        let input = json!({ "body_id": to, "reason": "桥归镇里管" });
        self.village.clerk.post(&format!("{voice}/referrals"), input).await
    }

    /// Cards in the streams of a kind that somebody sees: code and text.
    async fn cards(&self, who: &Somebody, kind: &str) -> Vec<(String, String)> {
        let told = told_in(&self.app, who.person, kind).await;
        let card = |body: &Value| {
            Some((body["card"].as_str()?.to_owned(), body["text"].as_str().unwrap_or_default().to_owned()))
        };
        told.iter().filter_map(card).collect()
    }
}

async fn offers(who: &Somebody) -> Vec<Value> {
    who.get("/v1/referrals").await.ok().as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_received_it_keeps_it_until_the_next_takes_it() {
    let scene = Scene::set().await;
    let Scene { village, author, .. } = &scene;
    let voice = scene.speak("handlers").await;
    let before = author.get(&voice).await.ok();
    scene.offer(&voice, &scene.town_office).await.ok();
    // the town knows of it, and neither its words nor its author
    let seen = offers(&village.town).await;
    assert_eq!((seen.len(), &seen[0]["reason"]), (1, &json!("桥归镇里管")));
    assert!(!seen[0].to_string().contains("裂") && !seen[0].to_string().contains("老桥"), "{}", seen[0]);
    assert_eq!(
        (&seen[0]["category"], &seen[0]["visibility"]),
        (&json!("other"), &json!("handlers")),
        "what it is about"
    );
    assert_eq!(village.town.get(&voice).await.status, 404);
    assert_eq!(offers(&village.clerk).await.len(), 0);
    assert_eq!(offers(&scene.county).await.len(), 0);
    let shown = author.get(&voice).await.ok();
    assert_eq!(shown["body_name"], before["body_name"], "still whose it was");
    assert_eq!(shown["referrals"][0]["state"], "offered");
    assert_eq!(scene.offer(&voice, &scene.county_office).await.refused(), "wrong_state", "one at a time");
    // two of the town at once: one takes it
    let path = format!("/v1/referrals/{}/accept", seen[0]["id"].as_str().unwrap());
    let both = futures_util::future::join_all((0..2).map(|_| village.town.post(&path, json!(null)))).await;
    let mut statuses: Vec<u16> = both.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{:?}", both[0].body);
    let now = author.get(&voice).await.ok();
    assert_eq!(now["body_name"], "洛舍镇人民政府");
    assert_eq!(now["answer_due_at"], before["answer_due_at"], "the promise stands");
    assert_eq!((&now["state"], &now["referrals"][0]["state"]), (&json!("accepted"), &json!("accepted")));
    // rights and thread went along
    let (above, below) = (village.town.get(&voice).await.ok(), village.clerk.get(&voice).await.ok());
    assert_eq!((&above["text"], &below["text"]), (&json!("桥墩裂了一道缝"), &above["text"]));
    assert!(above.get("referrals").is_some(), "{above}");
    assert_eq!(below.get("referrals"), None, "who had it reads it still, and not how it is worked on");
    let refused = village.clerk.post(&format!("{voice}/answers"), json!({ "text": "修好了" })).await;
    assert_eq!(refused.refused(), "not_allowed");
    village.town.post(&format!("{voice}/answers"), json!({ "text": "下周修" })).await.ok();
    let told: Vec<_> = scene.cards(author, "thread").await.into_iter().map(|(code, _)| code).collect();
    for code in ["suggestion_referral_offered", "suggestion_referred", "suggestion_answered"] {
        assert!(told.iter().any(|one| one == code), "{code}: {told:?}");
    }
    let office = scene.cards(&village.town, "office").await;
    assert!(office.iter().any(|(code, _)| code == "office_referral_offered"));
    assert!(office.iter().all(|(_, text)| !text.contains("裂")), "no word of it in a card: {office:?}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_take_it_names_who_should() {
    let scene = Scene::set().await;
    let Scene { village, author, .. } = &scene;
    let voice = scene.speak("public").await;
    scene.offer(&voice, &scene.town_office).await.ok();
    let id = offers(&village.town).await[0]["id"].as_str().unwrap().to_owned();
    let refuse = async |input: Value| village.town.post(&format!("/v1/referrals/{id}/refuse"), input).await;
    let nobody = refuse(json!({ "reason": "不归我们", "next_body_id": scene.town_office })).await;
    assert_eq!(nobody.refused(), "invalid_fields", "one names another");
    assert_eq!(refuse(json!({ "reason": "", "next_body_id": scene.county_office })).await.refused(), "invalid_fields");
    let named = refuse(json!({ "reason": "国道归县里", "next_body_id": scene.county_office })).await;
    assert_eq!(named.status, 204, "{}", named.body);
    let shown = author.get(&voice).await.ok();
    let step = &shown["referrals"][0];
    assert_eq!((&step["state"], &step["answer"]), (&json!("refused"), &json!("国道归县里")));
    assert_eq!(step["next_body_name"], "德清县民政局");
    assert_ne!(shown["body_name"], "洛舍镇人民政府", "it is still the village's");
    let told = scene.cards(author, "thread").await;
    let refused = told.iter().find(|(code, _)| code == "suggestion_referral_refused").unwrap();
    assert!(refused.1.contains("德清县民政局"), "{refused:?}");
    // the village asks the one that was named, thinks better of it, and answers
    scene.offer(&voice, &scene.county_office).await.ok();
    village.clerk.post(&format!("{voice}/keep"), json!(null)).await.ok();
    assert_eq!(offers(&scene.county).await.len(), 0);
    village.clerk.post(&format!("{voice}/accept"), json!(null)).await.ok();
    scene.offer(&voice, &scene.county_office).await.ok();
    let open = offers(&scene.county).await[0]["id"].as_str().unwrap().to_owned();
    village.clerk.post(&format!("{voice}/answers"), json!({ "text": "修好了" })).await.ok();
    let late = scene.county.post(&format!("/v1/referrals/{open}/accept"), json!(null)).await;
    assert_eq!(late.refused(), "wrong_state", "it was answered meanwhile");
    // a neighbour reads the voice, and not how it was passed on
    let neighbour = village.villager(&scene.app, "00008").await;
    assert_eq!(neighbour.get(&voice).await.ok().get("referrals"), None);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_the_town_alone_comes_back_to_no_body_of_the_village() {
    let scene = Scene::set().await;
    let Scene { village, .. } = &scene;
    let voice = scene.speak("town").await;
    let path = format!("{voice}/referrals");
    let back = json!({ "body_id": scene.committee, "reason": "该由村里办" });
    assert_eq!(village.town.post(&path, back).await.refused(), "invalid_fields");
    let up = json!({ "body_id": scene.county_office, "reason": "该由县里办" });
    village.town.post(&path, up).await.ok();
    let id = offers(&scene.county).await[0]["id"].as_str().unwrap().to_owned();
    let back = json!({ "reason": "该由村里办", "next_body_id": scene.committee });
    let named = scene.county.post(&format!("/v1/referrals/{id}/refuse"), back).await;
    assert_eq!(named.refused(), "invalid_fields", "nor is one of the village named");
    scene.county.post(&format!("/v1/referrals/{id}/accept"), json!(null)).await.ok();
    assert_eq!(village.clerk.get(&voice).await.status, 404);
    assert_eq!(scene.county.get(&voice).await.status, 200);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_done_on_the_desk_without_javascript() {
    let scene = Scene::set().await;
    let Scene { village, .. } = &scene;
    let voice = scene.speak("public").await;
    let id = voice.rsplit('/').next().unwrap().to_owned();
    let page = async |who: &Somebody, path: &str| {
        let shown = who.request(reqwest::Method::GET, path).header("accept", "text/html").send().await.unwrap();
        assert_eq!(shown.status(), 200, "{path}");
        shown.text().await.unwrap()
    };
    let form = async |who: &Somebody, path: &str, body: String| {
        let sent = who.request(reqwest::Method::POST, path).header("accept", "text/html");
        let sent = sent.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap();
        sent.status().as_u16()
    };
    let shown = page(&village.clerk, &format!("/desk/suggestions/{id}")).await;
    assert!(shown.contains("转给别的组织") && shown.contains(&scene.town_office), "the form names the town");
    let body = format!("body_id={}&reason=%E6%A1%A5%E5%BD%92%E9%95%87%E9%87%8C", scene.town_office);
    assert_eq!(form(&village.clerk, &format!("/desk/suggestions/{id}/refer"), body).await, 303);
    assert!(page(&village.clerk, &format!("/desk/suggestions/{id}")).await.contains("等对方答复"));
    let offer = offers(&village.town).await[0]["id"].as_str().unwrap().to_owned();
    assert!(page(&village.town, "/desk").await.contains("接不接，要答复"));
    let list = page(&village.town, "/desk/referrals").await;
    assert!(list.contains("桥归镇里") && list.contains(&offer), "{list}");
    let body = format!("referral_id={offer}&next_body_id={}&reason=", scene.committee);
    assert_eq!(form(&village.town, "/desk/referrals/refuse", body).await, 422, "a reason is needed");
    assert_eq!(form(&village.town, "/desk/referrals/accept", format!("referral_id={offer}")).await, 303);
    let own = page(&scene.author, &format!("/suggestions/{id}")).await;
    assert!(own.contains("转办经过") && own.contains("对方已接下"));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_complaint_is_about_never_sees_whose_it_is() {
    let scene = Scene::set().await;
    let Scene { village, author, .. } = &scene;
    let complaint = |about: Value, visibility: &str| json!({ "kind": "complaint", "visibility": visibility, "text": "收钱不开票", "about_person_id": about });
    for nobody in [json!(author.person), json!(village.villager(&scene.app, "00008").await.person)] {
        let refused = author.post("/v1/suggestions", complaint(nobody, "handlers")).await;
        assert_eq!(refused.refused(), "invalid_fields", "who sits nowhere, or oneself");
    }
    let voice = author.post("/v1/suggestions", complaint(json!(village.clerk.person), "handlers")).await.ok();
    assert_eq!(voice["body_name"], "洛舍镇人民政府", "one office higher from the beginning");
    let path = format!("/v1/suggestions/{}", voice["id"].as_str().unwrap());
    for hidden in [&village.clerk, &village.chair] {
        assert_eq!(hidden.get(&path).await.status, 404, "neither they nor their body");
    }
    village.town.post(&format!("{path}/accept"), json!(null)).await.ok();
    let back = json!({ "body_id": scene.committee, "reason": "请村里自己查" });
    assert_eq!(village.town.post(&format!("{path}/referrals"), back).await.refused(), "invalid_fields");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_it_is_in_its_thread_and_who_had_it_is_not() {
    let scene = Scene::set().await;
    let Scene { village, author, .. } = &scene;
    let voice = scene.speak("handlers").await;
    let stream = village.clerk.get(&voice).await.ok()["stream_id"].as_str().unwrap().to_owned();
    let entries = format!("/v1/streams/{stream}/entries");
    village.clerk.get(&entries).await.ok();
    scene.offer(&voice, &village.branch.to_string()).await.ok();
    let offer = offers(&village.branch_chair).await[0]["id"].as_str().unwrap().to_owned();
    village.branch_chair.post(&format!("/v1/referrals/{offer}/accept"), json!(null)).await.ok();
    assert_eq!(village.branch_chair.get(&voice).await.ok()["stream_id"], json!(stream), "opened, and in the thread");
    let said = json!({ "client_id": uuid::Uuid::now_v7(), "text": "支部来办" });
    village.branch_chair.post(&format!("/v1/streams/{stream}/messages"), said).await.ok();
    assert_eq!(village.clerk.get(&entries).await.refused(), "not_found");
    assert!(author.get(&entries).await.ok().to_string().contains("支部来办"));
    // a seat beside the one that speaks for the branch opens nothing
    let member = scene.village.villager(&scene.app, "00009").await;
    crate::accused::sit(&scene.app, village.branch, (member.person, "member")).await;
    assert_eq!(member.get(&voice).await.status, 404);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_branch_does_not_solve_goes_to_the_town_and_is_late_for_who_was_late() {
    let scene = Scene::set().await;
    let Scene { village, author, county, .. } = &scene;
    let voice = scene.speak("handlers").await;
    village.clerk.post(&format!("{voice}/accept"), json!(null)).await.ok();
    // late in the village, then taken by the branch
    scene.app.pass(TimeDelta::days(14)).await;
    let again = async |who: &Somebody| Somebody::signed_in(&scene.app, who.person).await;
    let (clerk, chair, author) = (again(&village.clerk).await, again(&village.branch_chair).await, again(author).await);
    let offer = json!({ "body_id": village.branch, "reason": "归支部管" });
    clerk.post(&format!("{voice}/referrals"), offer).await.ok();
    let offer = offers(&chair).await[0]["id"].as_str().unwrap().to_owned();
    chair.post(&format!("/v1/referrals/{offer}/accept"), json!(null)).await.ok();
    let late = again(county).await.get("/v1/areas/330521/late-suggestions").await.ok();
    let one = &late["items"][0];
    assert_eq!((&one["body_name"], &one["late_body_name"]), (&json!("东衡村党支部"), &json!("东衡村村民委员会")));
    for _ in 0..2 {
        chair.post(&format!("{voice}/answers"), json!({ "text": "修好了" })).await.ok();
        author.post(&format!("{voice}/rating"), json!({ "rating": 1 })).await.ok();
    }
    let up = author.get(&voice).await.ok();
    assert_eq!((&up["level"], &up["body_name"]), (&json!(1), &json!("洛舍镇人民政府")));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_five_times_the_county_decides() {
    let scene = Scene::set().await;
    let Scene { village, author, county, .. } = &scene;
    let voice = scene.speak("handlers").await;
    for _ in 0..5 {
        scene.offer(&voice, &scene.town_office).await.ok();
        village.clerk.post(&format!("{voice}/keep"), json!(null)).await.ok();
    }
    let refused = scene.offer(&voice, &scene.town_office).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["code"]), (422, &json!("county_decides")));
    scene.offer(&voice, &scene.county_office).await.ok();
    let offer = offers(county).await[0]["id"].as_str().unwrap().to_owned();
    let decides = json!({ "reason": "就由镇里办", "next_body_id": scene.town_office });
    let decided = county.post(&format!("/v1/referrals/{offer}/refuse"), decides).await;
    assert_eq!(decided.status, 204, "{}", decided.body);
    let now = author.get(&voice).await.ok();
    assert_eq!(now["body_name"], "洛舍镇人民政府", "nobody asks the town any more");
    assert_eq!(village.town.get(&voice).await.status, 200);
    let told = scene.cards(author, "thread").await;
    assert!(told.iter().any(|(code, _)| code == "suggestion_referral_decided"), "{told:?}");
    let on = json!({ "body_id": scene.county_office, "reason": "还是县里办" });
    let refused = village.town.post(&format!("{voice}/referrals"), on).await;
    assert_eq!(refused.refused(), "invalid_fields", "it is decided");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_for_which_nobody_speaks_is_asked_nothing() {
    let scene = Scene::set().await;
    let Scene { village, .. } = &scene;
    let voice = scene.speak("handlers").await;
    village.end_seat_of(&scene.app, village.branch_chair.person).await;
    assert_eq!(scene.offer(&voice, &village.branch.to_string()).await.refused(), "invalid_fields");
    // two offers at once stand nowhere, whatever the code does
    scene.offer(&voice, &scene.town_office).await.ok();
    let twice = "INSERT INTO suggestion_referrals (id, suggestion_id, from_body_id, to_body_id, reason, state, offered_by, \
         offered_at) SELECT suggestion_id, suggestion_id, from_body_id, to_body_id, reason, state, offered_by, offered_at \
         FROM suggestion_referrals";
    let refused = crate::accused::past_commands(&scene.app, twice.to_owned()).await.unwrap_err();
    let refused = format!("{refused:?}");
    assert!(refused.to_lowercase().contains("unique"), "one open offer at a time: {refused}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_late_is_told_to_the_office_above_who_took_it() {
    let scene = Scene::set().await;
    let Scene { village, .. } = &scene;
    let voice = scene.speak("handlers").await;
    village.clerk.post(&format!("{voice}/accept"), json!(null)).await.ok();
    scene.app.pass(TimeDelta::days(14)).await;
    let clerk = Somebody::signed_in(&scene.app, village.clerk.person).await;
    let town = Somebody::signed_in(&scene.app, village.town.person).await;
    let offer = json!({ "body_id": scene.town_office, "reason": "桥归镇里管" });
    clerk.post(&format!("{voice}/referrals"), offer).await.ok();
    let offer = offers(&town).await[0]["id"].as_str().unwrap().to_owned();
    town.post(&format!("/v1/referrals/{offer}/accept"), json!(null)).await.ok();
    scene.app.settle().await;
    let told = "SELECT count(*) FROM events WHERE kind = 'suggestion.supervised'";
    let before = crate::support::count(scene.app.folder.path(), told).await;
    scene.app.pass(TimeDelta::days(7)).await;
    scene.app.settle().await;
    assert_eq!(crate::support::count(scene.app.folder.path(), told).await, before + 1);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lets_a_promise_pass_is_late_though_it_goes_on_before_the_clock_looks() {
    let scene = Scene::set().await;
    let Scene { village, county, .. } = &scene;
    let voice = scene.speak("handlers").await;
    village.clerk.post(&format!("{voice}/accept"), json!(null)).await.ok();
    scene.offer(&voice, &scene.town_office).await.ok();
    let offer = offers(&village.town).await[0]["id"].as_str().unwrap().to_owned();
    scene.app.settle().await;
    // nobody waits here until what is due was done
    scene.app.clock.advance(TimeDelta::days(14));
    let town = Somebody::signed_in(&scene.app, village.town.person).await;
    let taken = town.post(&format!("/v1/referrals/{offer}/accept"), json!(null)).await.ok();
    assert_eq!((&taken["body_name"], &taken["overdue"]), (&json!("洛舍镇人民政府"), &json!("answer")));
    scene.app.settle().await;
    let county = Somebody::signed_in(&scene.app, county.person).await;
    let late = county.get("/v1/areas/330521/late-suggestions").await.ok();
    assert_eq!(late["items"][0]["late_body_name"], "东衡村村民委员会", "{late}");
    let told = "SELECT count(*) FROM events WHERE kind = 'suggestion.overdue'";
    assert_eq!(crate::support::count(scene.app.folder.path(), told).await, 1, "once");
    let is_told = |cards: &[(String, String)]| cards.iter().any(|(code, _)| code == "office_suggestion_overdue");
    assert!(is_told(&scene.cards(&village.clerk, "office").await), "whoever was late");
    assert!(!is_told(&scene.cards(&village.town, "office").await), "and not who took it then");
    let author = scene.cards(&scene.author, "thread").await;
    let said = author.iter().find(|(code, _)| code == "suggestion_overdue").unwrap();
    assert!(said.1.contains("东衡村村民委员会"), "{said:?}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_may_go_back_to_whoever_has_it_whoever_speaks_for_them() {
    let scene = Scene::set().await;
    let Scene { village, author, .. } = &scene;
    let voice = scene.speak("handlers").await;
    scene.offer(&voice, &scene.town_office).await.ok();
    for person in [village.clerk.person, village.chair.person] {
        village.end_seat_of(&scene.app, person).await;
    }
    let id = offers(&village.town).await[0]["id"].as_str().unwrap().to_owned();
    let back = json!({ "reason": "不归镇里管", "next_body_id": scene.committee });
    let refused = village.town.post(&format!("/v1/referrals/{id}/refuse"), back).await;
    assert_eq!(refused.status, 204, "{}", refused.body);
    assert_eq!(author.get(&voice).await.ok()["referrals"][0]["state"], "refused");
    scene.app.stop().await;
}
