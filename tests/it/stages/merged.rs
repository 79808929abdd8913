//! A matter that is taken back goes on in another of the village: the voices and who follows it go along.
use serde_json::{Value, json};

use crate::{
    county,
    support::{Somebody, Village, cards_in},
};

async fn raised(village: &Village, title: &str) -> String {
    let matter = json!({ "area_code": village.area, "title": title, "summary": format!("{title}，请大家商量。") });
    village.chair.post("/v1/matters", matter).await.ok()["id"].as_str().unwrap().to_owned()
}

async fn read(who: &Somebody, matter: &str) -> Value {
    who.get(&format!("/v1/matters/{matter}")).await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_one_thing_goes_on_as_one_and_no_voice_is_lost() {
    let (app, village) = Village::start().await;
    let (old, new, over) =
        (raised(&village, "修桥").await, raised(&village, "修老桥").await, raised(&village, "补桥").await);
    let (author, follower) = (village.villager(&app, "00007").await, village.villager(&app, "00010").await);
    let voice = json!({ "kind": "suggestion", "visibility": "public", "text": "桥栏杆松了", "place": "老桥" });
    let voice = author.post("/v1/suggestions", voice).await.ok()["id"].as_str().unwrap().to_owned();
    village.chair.post(&format!("/v1/matters/{old}/suggestions"), json!({ "suggestion_id": voice })).await.ok();
    let follow = follower.request(reqwest::Method::PUT, &format!("/v1/matters/{old}/follow"));
    assert!(follow.send().await.unwrap().status().is_success());
    let withdraw = |matter: &str| format!("/v1/matters/{matter}/withdraw");
    let why = |into: &str| json!({ "reason": "和另一件是一回事", "merged_into": into });
    village.chair.post(&withdraw(&over), json!({ "reason": "提错了" })).await.ok();
    for wrong in [old.as_str(), over.as_str(), "0197c0de-0000-7000-8000-000000000000"] {
        let refused = village.chair.post(&withdraw(&old), why(wrong)).await;
        assert!(refused.body.to_string().contains("not_under_way_here"), "{wrong}: {}", refused.body);
    }
    assert_eq!(village.clerk.post(&withdraw(&old), why(&new)).await.refused(), "not_allowed");
    let page = String::from_utf8(village.chair.download(&format!("/desk/matters/{old}")).await.1).unwrap();
    assert!(page.contains(&format!("<option value=\"{new}\"")) && !page.contains(&over), "{page}");
    let fields = [("reason", "和另一件是一回事"), ("merged_into", new.as_str())];
    assert_eq!(county::form(&village.chair, &format!("/desk/matters/{old}/withdraw"), &fields).await.0, 303);
    app.settle().await;
    let (left, goes_on) = (read(&author, &old).await, read(&author, &new).await);
    assert_eq!((&left["state"], &left["merged_into"]["id"]), (&json!("withdrawn"), &json!(new)));
    assert_eq!((&left["voices"]["count"], &goes_on["voices"]["count"]), (&json!(0), &json!(1)));
    assert_eq!(author.get(&format!("/v1/suggestions/{voice}")).await.ok()["matter_id"], json!(new));
    assert!(cards_in(&app, author.person, "thread").await.contains(&"matter_merged".to_owned()));
    let following = follower.get("/v1/me/telling").await.ok()["following"].clone();
    assert!(following.as_array().unwrap().contains(&json!(new)), "{following}");
    let shown = app.http.get(app.url(&format!("/matters/{old}"))).send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("已并入") && shown.contains(&format!("/matters/{new}")), "{shown}");
    app.stop().await;
}
