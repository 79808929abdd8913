//! Of a notice of the town its office sees how far it came in each village, and each village its own people by name.
use liusheng::bodies::{self, By};

use super::*;
use crate::county::operator;

const TOWN: &str = "330521103";
const NEXT: &str = "330521103203";

/// The town's channel, and its newest place.
async fn newest(scene: &Scene) -> (uuid::Uuid, i64) {
    let select = format!("SELECT id, last_seq FROM streams WHERE kind = 'channel' AND subject_id = '{TOWN}'");
    let row = scene.rows(&select).await;
    (row[0].try_get_by_index(0).unwrap(), row[0].try_get_by_index(1).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_towns_notice_is_counted_by_village_and_named_in_each() {
    let scene = Scene::set().await;
    let (village, town) = (&scene.village, &scene.village.town);
    let reader = village.villager(&scene.app, "00007").await;
    let notice = json!({ "area_code": TOWN, "title": "防汛", "text": "请转移。", "class": "emergency" });
    let id = town.post("/v1/notices", notice).await.ok()["id"].as_str().unwrap().to_owned();
    scene.app.settle().await;
    let (stream, seq) = newest(&scene).await;
    let cursor = format!("/v1/streams/{stream}/cursor");
    let read = reader.request(reqwest::Method::PUT, &cursor).json(&json!({ "seq": seq })).send().await.unwrap();
    assert_eq!(read.status(), 204);
    scene.pass(TimeDelta::minutes(3)).await;
    let villages = format!("/v1/notices/{id}/reach/villages");
    let counted = town.get(&villages).await.ok();
    let of = |code: &str| {
        let row = counted.as_array().unwrap().iter().find(|row| row["area_code"] == code).unwrap().clone();
        (row["audience"].as_u64().unwrap(), row["reached"].as_u64().unwrap())
    };
    let numberless = "SELECT count(*) FROM people WHERE area_code = '330521103202' AND phone_sealed IS NULL";
    let numberless = u64::try_from(scene.number(numberless).await).unwrap();
    assert_eq!(of(&village.area), (59, 59 - numberless), "{counted}");
    assert_eq!(of(NEXT).0, 3);
    // a village's office sees its own, and names
    let own = village.clerk.get(&villages).await.ok();
    assert_eq!(own.as_array().unwrap().len(), 1, "{own}");
    let people = |code: &str| format!("/v1/notices/{id}/reach/people?area={code}");
    let rows = village.clerk.get(&people(&village.area)).await.ok();
    let rows = rows.as_array().unwrap();
    let reached = rows.iter().filter(|row| row["way"].is_string()).count() as u64;
    assert_eq!((rows.len(), reached), (59, 59 - numberless), "the same as was counted");
    let way = rows.iter().find(|row| row["person_id"] == reader.person.to_string()).unwrap()["way"].clone();
    assert_eq!(way, "app");
    assert_eq!(village.clerk.get(&people(NEXT)).await.refused(), "not_allowed");
    assert_eq!(village.clerk.get(&people("330522101001")).await.refused(), "not_found");
    assert_eq!(town.get(&people(TOWN)).await.refused(), "wrong_state");
    assert_eq!(reader.get(&villages).await.refused(), "not_allowed");
    assert_eq!(scene.app.get(&villages).await.status, 401);
    for (who, page, shows) in [
        (town, format!("/desk/notices/{id}/reach"), "id=\"villages\""),
        (town, format!("/desk/notices/{id}/reach?area={NEXT}"), "还没有送达"),
        (&village.clerk, format!("/desk/notices/{id}/reach"), "还没有送达"),
        (town, format!("/desk/notices/{id}"), "/script\">"),
        (town, format!("/desk/notices?area={TOWN}"), ">工程</option>"),
        (town, format!("/desk/notices?area={TOWN}"), ">紧急"),
    ] {
        let (status, bytes) = who.download(&page).await;
        assert_eq!(status, 200, "{page}");
        assert!(String::from_utf8_lossy(&bytes).contains(shows), "{page}");
    }
    let (status, _) = reader.download(&format!("/desk/notices/{id}/reach")).await;
    assert_eq!(status, 403);
    // half an hour on each village's office has what to read out, and the doors of its own people
    scene.pass(TimeDelta::minutes(30)).await;
    for (code, page) in [("loudspeaker_script", "script"), ("door_list", "reach?area=330521103202#unreached")] {
        let cards = format!("SELECT count(*) FROM entries WHERE body LIKE '%{code}%' AND body LIKE '%/{id}/{page}%'");
        assert_eq!(scene.number(&cards).await, 1, "{code}");
    }
    let (status, page) = village.clerk.download(&format!("/desk/notices/{id}/script")).await;
    assert_eq!(status, 200);
    assert!(String::from_utf8_lossy(&page).contains("请转移"));
    scene.app.stop().await;
}

/// Somebody of the next village, in the office of a town that has nobody on its rosters.
async fn clerk_of_another_town(scene: &Scene) -> Somebody {
    let store = &scene.app.app.store;
    let founded = json!({ "kind": "town_office", "name": "钟管镇人民政府", "areas": ["330521104"] });
    let founded = serde_json::from_value(founded).unwrap();
    let office = store.write(move |tx| Box::pin(bodies::found_body(tx, By::Operator, founded))).await.unwrap().body.id;
    let person = person_of(&scene.app.app, NEXT, "00002").await;
    let seat = serde_json::from_value(json!({ "person_id": person, "role": "clerk" })).unwrap();
    store.write(move |tx| Box::pin(bodies::take_seat(tx, By::Operator, (office, seat)))).await.unwrap();
    scene.app.settle().await;
    Somebody::signed_in(&scene.app, person).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_notice_of_the_county_each_town_sees_its_own_villages() {
    let scene = Scene::set().await;
    let (village, town) = (&scene.village, &scene.village.town);
    let (county, other) = (operator(&scene.app).await, clerk_of_another_town(&scene).await);
    let notice = json!({ "area_code": "330521", "title": "防汛", "text": "请转移。", "class": "emergency" });
    let id = county.post("/v1/notices", notice).await.ok()["id"].as_str().unwrap().to_owned();
    scene.app.settle().await;
    let board = format!("/desk/notices/{id}/reach");
    let links = [village.area.as_str(), NEXT].map(|code| format!("{board}?area={code}"));
    for (who, shows) in [(&county, 2), (town, 2), (&other, 0)] {
        for asked in [board.clone(), format!("{board}?area={TOWN}")] {
            let (status, page) = who.download(&asked).await;
            let page = String::from_utf8_lossy(&page);
            assert_eq!((status, page.contains("id=\"villages\"")), (200, true), "{asked}");
            assert_eq!(links.iter().filter(|link| page.contains(link.as_str())).count(), shows, "{asked}");
        }
    }
    let (status, page) = town.download(&links[1]).await;
    assert_eq!((status, String::from_utf8_lossy(&page).contains("邻村甲")), (200, true), "by name in its village");
    assert_eq!(other.download(&links[1]).await.0, 404, "another town's people are not its own");
    // a village's office has no list, and its own people at once
    let (status, page) = village.clerk.download(&board).await;
    let page = String::from_utf8_lossy(&page);
    assert_eq!((status, page.contains("id=\"villages\""), page.contains("还没有送达")), (200, false, true));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn news_of_a_town_counts_where_a_phone_received_it_and_danger_where_it_was_read() {
    let scene = Scene::set().await;
    let (village, town) = (&scene.village, &scene.village.town);
    let phone = village.villager(&scene.app, "00007").await;
    for (class, reached) in [("normal", 1), ("emergency", 0)] {
        let notice = json!({ "area_code": TOWN, "title": "消息", "text": "全文", "class": class });
        let id = town.post("/v1/notices", notice).await.ok()["id"].as_str().unwrap().to_owned();
        scene.app.settle().await;
        let (stream, seq) = newest(&scene).await;
        let received = phone.request(reqwest::Method::PUT, &format!("/v1/streams/{stream}/received"));
        assert_eq!(received.json(&json!({ "seq": seq })).send().await.unwrap().status(), 204);
        let counted = town.get(&format!("/v1/notices/{id}/reach/villages")).await.ok();
        let row = counted.as_array().unwrap().iter().find(|row| row["area_code"] == village.area).unwrap().clone();
        assert_eq!(row["reached"], reached, "{class}: {counted}");
        let people = town.get(&format!("/v1/notices/{id}/reach/people?area={}", village.area)).await.ok();
        let named = people.as_array().unwrap().iter().filter(|row| row["way"].is_string()).count();
        assert_eq!(named, reached, "{class}: by name as by number");
    }
    scene.app.stop().await;
}
