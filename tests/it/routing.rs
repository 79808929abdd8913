//! Who answers what: by what it is about and where, as the county says, and as before where it says nothing.
use serde_json::{Value, json};

use crate::{
    county::operator,
    support::{Somebody, Village},
};

async fn put(who: &Somebody, path: &str, body: Value) -> u16 {
    who.request(reqwest::Method::PUT, path).json(&body).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voice_goes_to_whom_the_county_named_for_it() {
    let (app, village) = Village::start().await;
    let (county, author) = (operator(&app).await, village.villager(&app, "00007").await);
    let office = async |kind: &str| crate::accused::office(&app, &village, kind).await.to_string();
    let (committee, town) = (office("village_committee").await, office("town_office").await);
    let speak = async |category: Option<&str>, visibility: &str| {
        let mut voice = json!({ "kind": "help", "visibility": visibility, "text": "没水了" });
        if let Some(category) = category {
            voice["category"] = json!(category);
        }
        author.post("/v1/suggestions", voice).await.ok()
    };
    assert_eq!(speak(None, "public").await["body_id"], json!(committee), "as before");
    assert_eq!(speak(Some("utilities"), "public").await["body_id"], json!(committee));
    let of_town = format!("/v1/areas/{}/suggestion-routes", &village.area[..9]);
    let of_village = format!("/v1/areas/{}/suggestion-routes", village.area);
    let to_town = || json!({ "body_id": town });
    assert_eq!(put(&village.clerk, &format!("{of_town}/utilities"), to_town()).await, 403);
    assert_eq!(put(&county, &format!("{of_town}/utilities"), json!({ "body_id": committee })).await, 422, "too small");
    assert_eq!(put(&county, &format!("{of_town}/nonsense"), to_town()).await, 404);
    assert_eq!(put(&county, &format!("{of_town}/utilities"), to_town()).await, 204);
    // the town answers, with the rights that go with it
    let voice = speak(Some("utilities"), "handlers").await;
    assert_eq!(voice["body_id"], json!(town));
    let path = format!("/v1/suggestions/{}", voice["id"].as_str().unwrap());
    assert_eq!(village.town.get(&path).await.ok()["text"], "没水了");
    village.town.post(&format!("{path}/accept"), json!(null)).await.ok();
    assert_eq!(village.clerk.post(&format!("{path}/answers"), json!({ "text": "修" })).await.refused(), "not_allowed");
    assert_eq!(speak(Some("road"), "public").await["body_id"], json!(committee), "of that alone");
    // nearer is stronger; what is for the town alone stays with the town
    assert_eq!(put(&county, &format!("{of_village}/utilities"), json!({ "body_id": committee })).await, 204);
    assert_eq!(speak(Some("utilities"), "public").await["body_id"], json!(committee));
    assert_eq!(speak(Some("utilities"), "town").await["body_id"], json!(town));
    let said = app.get(&of_village).await.ok();
    assert_eq!((said.as_array().map(Vec::len), &said[0]["area_code"]), (Some(1), &json!(village.area)));
    let unset = county.request(reqwest::Method::DELETE, &format!("{of_village}/utilities")).send().await.unwrap();
    assert_eq!(unset.status(), 204);
    assert_eq!(speak(Some("utilities"), "public").await["body_id"], json!(town));
    // the page says so
    let page = county.request(reqwest::Method::GET, &format!("/desk/county/routes?area={}", village.area));
    let page = page.header("accept", "text/html").send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("洛舍镇人民政府"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_opens_a_private_voice_to_who_speaks_for_the_body_and_to_nobody_else() {
    let (app, village) = Village::start().await;
    let (county, author) = (operator(&app).await, village.villager(&app, "00007").await);
    let speak = async |category: &str, visibility: &str| {
        let voice = json!({ "kind": "help", "visibility": visibility, "text": "没水了", "category": category });
        author.post("/v1/suggestions", voice).await.ok()
    };
    let path = |voice: &Value| format!("/v1/suggestions/{}", voice["id"].as_str().unwrap());
    let (member, grid) = (village.villager(&app, "00009").await, village.villager(&app, "00010").await);
    crate::accused::sit(&app, village.branch, (member.person, "member")).await;
    crate::accused::sit(&app, village.committee, (grid.person, "grid_worker")).await;
    let routes = format!("/v1/areas/{}/suggestion-routes", village.area);
    // the committee itself is the usual one: to name it gives nobody a right
    assert_eq!(put(&county, &format!("{routes}/road"), json!({ "body_id": village.committee })).await, 204);
    let usual = speak("road", "handlers").await;
    assert_eq!((village.clerk.get(&path(&usual)).await.status, grid.get(&path(&usual)).await.status), (200, 404));
    // another one: by its chair
    assert_eq!(put(&county, &format!("{routes}/land"), json!({ "body_id": village.branch })).await, 204);
    let given = speak("land", "handlers").await;
    assert_eq!(given["body_id"], json!(village.branch));
    assert_eq!(
        (village.branch_chair.get(&path(&given)).await.status, member.get(&path(&given)).await.status),
        (200, 404)
    );
    assert_eq!(member.get("/v1/suggestions?scope=desk").await.ok()["items"], json!([]));
    village.branch_chair.post(&format!("{}/accept", path(&given)), json!(null)).await.ok();
    // what is for the town alone does not go to a branch, whoever named it
    let town = crate::accused::office(&app, &village, "town_office").await;
    assert_eq!(speak("land", "town").await["body_id"], json!(town));
    // nobody speaks for it any more: the usual one takes it, and it can no longer be named
    village.end_seat_of(&app, village.branch_chair.person).await;
    assert_eq!(speak("land", "handlers").await["body_id"], json!(village.committee));
    assert_eq!(put(&county, &format!("{routes}/land"), json!({ "body_id": village.branch })).await, 422);
    app.stop().await;
}
