//! Legal officers 法制村官: when they are there, what they are asked, and what they write down.
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Somebody, TestApp, Village, answer, cards_in, person_of};

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap_or_else(|| panic!("no id in {value}"))
}

/// Somebody of the village as a legal officer of its committee, with the seat.
async fn officer(app: &TestApp, village: &Village) -> (Somebody, String) {
    let person = person_of(&app.app, &village.area, "00010").await;
    let seat = json!({ "person_id": person, "role": "legal_officer" });
    let seat = village.town.post(&format!("/v1/bodies/{}/seats", village.committee), seat).await.ok();
    app.settle().await;
    (Somebody::signed_in(app, person).await, id(&seat).to_owned())
}

async fn put(who: &Somebody, path: &str, input: &Value) -> Answer {
    answer(who.request(Method::PUT, path).json(input)).await
}

async fn page(who: &Somebody, path: &str) -> String {
    String::from_utf8(who.download(path).await.1).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn residents_see_when_the_officer_is_there_and_what_was_answered_to_others() {
    let (app, village) = Village::start().await;
    let (lawyer, seat) = officer(&app, &village).await;
    let officers = format!("/v1/areas/{}/legal-officers", village.area);
    let path = format!("/v1/seats/{seat}/legal-desk");
    let desk = |villages: Value| json!({ "place": "村委会二楼", "hours": "每周三上午", "villages": villages });
    assert_eq!(app.get(&officers).await.ok()[0].get("hours"), None, "nothing was said yet");
    for who in [&village.council_chair, &village.villager(&app, "00007").await] {
        assert_eq!(put(who, &path, &desk(json!([]))).await.refused(), "not_allowed");
    }
    for wrong in [desk(json!(["330521103203"])), desk(json!([village.area, village.area])), desk(json!(["330521103"]))]
    {
        assert_eq!(put(&lawyer, &path, &wrong).await.refused(), "invalid_fields", "{wrong}");
    }
    put(&lawyer, &path, &desk(json!([village.area]))).await.ok();
    put(&village.clerk, &path, &desk(json!([]))).await.ok();
    let shown = app.get(&officers).await.ok();
    assert_eq!((&shown[0]["hours"], &shown[0]["villages"]), (&json!("每周三上午"), &json!([])));
    // a question of law is a voice, which the clerk gives to the officer
    let asker = village.villager(&app, "00008").await;
    let question = json!({ "kind": "consult", "visibility": "public", "text": "宅基地能卖给外村人吗？" });
    let voice = id(&asker.post("/v1/suggestions", question).await.ok()).to_owned();
    let step = |step: &str| format!("/v1/suggestions/{voice}/{step}");
    village.clerk.post(&step("accept"), json!(null)).await.ok();
    village.clerk.post(&step("assign"), json!({ "person_id": lawyer.person })).await.ok();
    lawyer.post(&step("answer"), json!({ "text": "不能，只能卖给本集体成员。" })).await.ok();
    let neighbour = page(&village.villager(&app, "00007").await, "/legal").await;
    assert!(neighbour.contains("每周三上午") && neighbour.contains("只能卖给本集体成员"), "{neighbour}");
    let visitor = app.http.get(app.url(&format!("/legal?area={}", village.area))).send().await.unwrap();
    let visitor = visitor.text().await.unwrap();
    assert!(visitor.contains("每周三上午") && !visitor.contains("宅基地"), "what is asked is the village's: {visitor}");
    let speak = page(&asker, "/speak?kind=consult").await;
    assert!(speak.contains("value=\"consult\" checked"), "the way to ask");
    // who is there no longer is not named
    village.town.post(&format!("/v1/seats/{seat}/end"), json!(null)).await.ok();
    assert_eq!(app.get(&officers).await.ok(), json!([]));
    assert_eq!(put(&village.clerk, &path, &desk(json!([]))).await.refused(), "wrong_state");
    app.stop().await;
}

const PAPER: &[u8] = include_bytes!("../data/media/clear.png");

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_is_answered_once_and_read_by_its_body_and_the_officer_alone() {
    let (app, village) = Village::start().await;
    let matter = json!({ "area_code": village.area, "title": "山塘出租", "summary": "把山塘租出去。" });
    let matter = id(&village.chair.post("/v1/matters", matter).await.ok()).to_owned();
    let asked = |photos: Value| {
        json!({ "area_code": village.area, "body_id": village.committee, "matter_id": matter, "title": "山塘租赁合同",
            "text": "租期三十年。", "photos": photos })
    };
    let reviews = "/v1/contract-reviews";
    let nobody = village.clerk.post(reviews, asked(json!([]))).await;
    assert_eq!(nobody.body["errors"][0]["code"], "no_legal_officer", "{}", nobody.body);
    let (lawyer, _) = officer(&app, &village).await;
    for who in [&village.council_chair, &village.supervisor, &village.villager(&app, "00007").await, &lawyer] {
        assert_eq!(who.post(reviews, asked(json!([]))).await.refused(), "not_allowed", "not in the committee's name");
    }
    let photo = id(&village.clerk.upload(PAPER.to_vec()).await.ok()).to_owned();
    let first = village.clerk.post_once(reviews, "contract-1", asked(json!([photo]))).await.ok();
    let again = village.clerk.post_once(reviews, "contract-1", asked(json!([photo]))).await.ok();
    assert_eq!(first, again, "sent twice, asked once");
    let path = format!("{reviews}/{}", id(&first));
    let picture = first["photos"][0]["url"].as_str().unwrap().to_owned();
    app.settle().await;
    assert!(cards_in(&app, lawyer.person, "mailbox").await.contains(&"contract_review_asked".to_owned()));
    assert!(page(&lawyer, "/desk").await.contains("山塘租赁合同"), "and has it on the list");
    for who in [&village.chair, &lawyer] {
        assert_eq!(who.get(&path).await.ok()["text"], "租期三十年。");
        assert_eq!(who.download(&picture).await.0, 200);
    }
    for who in [&village.council_chair, &village.supervisor, &village.town, &village.villager(&app, "00008").await] {
        assert_eq!(who.get(&path).await.refused(), "not_found");
        assert_eq!((who.download(&picture).await.0, who.download(&format!("/v1/media/{photo}")).await.0), (404, 404));
        assert_eq!(who.get(reviews).await.ok(), json!([]));
    }
    let opinion = json!({ "outcome": "to_change", "text": "租期不得超过二十年。" });
    let answer = format!("{path}/opinion");
    assert_eq!(village.chair.post(&answer, opinion.clone()).await.refused(), "not_allowed", "not by who wants it");
    assert_eq!(village.supervisor.post(&answer, opinion.clone()).await.refused(), "not_found");
    let said = lawyer.post(&answer, opinion.clone()).await.ok();
    assert_eq!(said["opinion"]["text"], "租期不得超过二十年。");
    assert_eq!(lawyer.post(&answer, opinion).await.refused(), "wrong_state", "once");
    assert!(cards_in(&app, village.chair.person, "office").await.contains(&"contract_reviewed".to_owned()));
    assert!(page(&village.chair, &format!("/desk/legal/contracts/{}", id(&first))).await.contains("二十年"));
    // beside the matter everybody reads whether it may be signed, and nothing else
    let public = app.http.get(app.url(&format!("/matters/{matter}"))).send().await.unwrap().text().await.unwrap();
    assert!(public.contains("山塘租赁合同") && public.contains("改了再签"), "{public}");
    assert!(!public.contains("二十年") && !public.contains("三十年"), "{public}");
    assert!(!page(&lawyer, "/desk").await.contains("山塘租赁合同"), "done");
    app.stop().await;
}
