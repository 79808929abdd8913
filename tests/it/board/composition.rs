//! Of whom a representatives' meeting consists: whether these are enough representatives, and women, is read before voting.
use chrono::TimeDelta;
use liusheng::bodies;
use serde_json::{Value, json};

use crate::support::{TestApp, Village, person_of};

/// The article, as everybody reads it, of a vote of the representatives.
async fn law(app: &TestApp, village: &Village, title: &str) -> (Value, String) {
    let matter = village.matter_to_decide(app, title).await;
    let ask = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_representatives",
        "closes_at": app.app.now() + TimeDelta::days(2) });
    let vote = village.chair.post("/v1/votes", ask).await.ok();
    (vote["id"].clone(), vote["law"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_shares_of_representatives_and_women_stand_beside_the_article() {
    let (app, village) = Village::start().await;
    let (_, told) = law(&app, &village, "修一座桥").await;
    // five men and the chair of the committee
    assert!(told.contains("第30条") && told.contains("共 6 人：村民代表 5 人（应占五分之四以上：达到）"), "{told}");
    assert!(told.contains("妇女村民代表 0 人（应占三分之一以上：没有达到）"), "{told}");
    // two more on the committee, and three women among the representatives
    for number in ["00007", "00010"] {
        let seat = json!({ "person_id": person_of(&app.app, &village.area, number).await, "role": "member" });
        village.town.post(&format!("/v1/bodies/{}/seats", village.committee), seat).await.ok();
    }
    let house =
        bodies::of_kind(app.app.store.read(), bodies::BodyKind::Representatives, &village.area).await.unwrap().unwrap();
    for number in ["00005", "00008", "00011"] {
        let seat = json!({ "person_id": person_of(&app.app, &village.area, number).await, "role": "member" });
        village.town.post(&format!("/v1/bodies/{house}/seats"), seat).await.ok();
    }
    let (vote, told) = law(&app, &village, "修一条路").await;
    assert!(told.contains("共 11 人：村民代表 8 人（应占五分之四以上：没有达到）"), "{told}");
    assert!(told.contains("妇女村民代表 3 人（应占三分之一以上：没有达到）"), "{told}");
    let manifest = app.get(&format!("/v1/votes/{}/manifest", vote.as_str().unwrap())).await.ok();
    assert_eq!(manifest["law"], json!(told), "what is read is what is signed");
    app.stop().await;
}
