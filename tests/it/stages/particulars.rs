//! Who answers for a matter, what it may cost out of which money, and its photos.
use serde_json::{Value, json};

use super::{PHOTO, page, raise, scene, skip};
use crate::support::{TestApp, Village};

/// The seat of the village's committee in which somebody sits.
async fn seat_of_chair(app: &TestApp, village: &Village) -> Value {
    let bodies = app.get(&format!("/v1/areas/{}/bodies", village.area)).await.ok();
    let seats = bodies["items"].as_array().unwrap().iter().flat_map(|body| body["seats"].as_array().unwrap());
    let mut own = seats.filter(|seat| seat["person_id"] == json!(village.chair.person));
    own.next().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_and_what_it_costs_stand_wherever_a_matter_is_shown() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    let path = format!("/v1/matters/{matter}/particulars");
    let seat = seat_of_chair(&app, &village).await;
    let photo = village.chair.upload(PHOTO.to_vec()).await.ok();
    let told = json!({ "responsible_seat_id": seat["id"], "budget_fen": 1_234_500, "budget_source": "村集体收入",
        "media": [photo["id"]] });
    for who in [&village.member, &village.supervisor, &village.town] {
        assert_eq!(who.post(&path, told.clone()).await.refused(), "not_allowed");
    }
    for wrong in [
        json!({ "budget_fen": 5 }),
        json!({ "budget_source": "村集体收入" }),
        json!({ "budget_fen": 0, "budget_source": "村集体收入" }),
        json!({ "budget_fen": 100_000_000_001_i64, "budget_source": "村集体收入" }),
        json!({ "budget_fen": 5, "budget_source": "一" }),
        json!({ "responsible_seat_id": uuid::Uuid::now_v7() }),
    ] {
        assert_eq!(village.chair.post(&path, wrong.clone()).await.refused(), "invalid_fields", "{wrong}");
    }
    let shown = village.chair.post(&path, told).await.ok();
    assert_eq!((&shown["budget"]["fen"], &shown["budget"]["source"]), (&json!(1_234_500), &json!("村集体收入")));
    assert_eq!((&shown["responsible"]["name"], &shown["photos"][0]["id"]), (&seat["name"], &photo["id"]));
    let evidence = &shown["stages"][0]["evidence"];
    assert!(
        evidence.to_string().contains("预算 12345.00 元，资金来源：村集体收入"),
        "who changed it is known: {evidence}"
    );
    // the same once more changes nothing
    let again = json!({ "responsible_seat_id": seat["id"], "budget_fen": 1_234_500, "budget_source": "村集体收入" });
    assert_eq!(village.chair.post(&path, again).await.ok()["rev"], shown["rev"]);
    let name = seat["name"].as_str().unwrap();
    for address in [format!("/matters/{matter}"), format!("/record/{matter}")] {
        let public = app.http.get(app.url(&address)).send().await.unwrap().text().await.unwrap();
        assert!(public.contains("12,345.00") && public.contains("村集体收入") && public.contains(name), "{public}");
        assert!(!public.contains(photo["url"].as_str().unwrap()), "photos are for the village");
    }
    let desk = page(&village.chair, &format!("/desk/matters/{matter}")).await;
    assert!(desk.contains(photo["url"].as_str().unwrap()) && desk.contains("12345.00"), "{desk}");
    let (status, table) = village.chair.download(&format!("/v1/register?area={}", village.area)).await;
    let table = String::from_utf8(table).unwrap();
    assert_eq!(status, 200);
    assert!(table.contains("12345.00,村集体收入,") && table.contains(name), "{table}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_of_a_matter_are_for_its_village_and_nine_at_most() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    let path = format!("/v1/matters/{matter}/particulars");
    let foreign = village.clerk.upload(PHOTO.to_vec()).await.ok();
    let refused = village.chair.post(&path, json!({ "media": [foreign["id"]] })).await;
    assert_eq!(refused.refused(), "media_not_usable", "another's");
    let mut photos = Vec::new();
    for _ in 0..10 {
        photos.push(village.chair.upload(PHOTO.to_vec()).await.ok()["id"].clone());
    }
    village.chair.post(&path, json!({ "media": photos[..5] })).await.ok();
    assert_eq!(village.chair.post(&path, json!({ "media": photos[5..] })).await.refused(), "invalid_fields");
    let shown = village.chair.post(&path, json!({ "media": photos[5..9] })).await.ok();
    assert_eq!(shown["photos"].as_array().map(Vec::len), Some(9));
    let file = format!("/v1/media/{}", photos[0].as_str().unwrap());
    let resident = village.villager(&app, "00007").await;
    assert_eq!(resident.download(&file).await.0, 200);
    assert_eq!(village.neighbour(&app).await.download(&file).await.0, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_costs_is_fixed_with_the_plan_and_who_answers_is_not() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    let path = format!("/v1/matters/{matter}/particulars");
    let cost = |fen: i64| json!({ "budget_fen": fen, "budget_source": "上级补助" });
    village.chair.post(&path, cost(100_000)).await.ok();
    skip(&village, &matter, "raise").await;
    village.chair.post(&path, cost(200_000)).await.ok();
    skip(&village, &matter, "deliberate").await;
    assert_eq!(village.chair.post(&path, cost(300_000)).await.refused(), "wrong_state", "it hangs out");
    let seat = seat_of_chair(&app, &village).await;
    let shown = village.chair.post(&path, json!({ "responsible_seat_id": seat["id"] })).await.ok();
    assert_eq!((&shown["budget"]["fen"], &shown["responsible"]["seat_id"]), (&json!(200_000), &seat["id"]));
    app.stop().await;
}
