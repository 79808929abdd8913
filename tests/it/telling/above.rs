//! Of a notice of the town its office sees how far it came in each village, and each village its own people by name.
use super::*;

const TOWN: &str = "330521103";
const NEXT: &str = "330521103203";

#[tokio::test(flavor = "multi_thread")]
async fn a_towns_notice_is_counted_by_village_and_named_in_each() {
    let scene = Scene::set().await;
    let (village, town) = (&scene.village, &scene.village.town);
    let reader = village.villager(&scene.app, "00007").await;
    let notice = json!({ "area_code": TOWN, "title": "防汛", "text": "请转移。", "class": "emergency" });
    let id = town.post("/v1/notices", notice).await.ok()["id"].as_str().unwrap().to_owned();
    scene.app.settle().await;
    let channel = "SELECT id, last_seq FROM streams WHERE kind = 'channel' AND subject_id = '330521103'";
    let channel = scene.rows(channel).await;
    let (stream, seq): (uuid::Uuid, i64) =
        (channel[0].try_get_by_index(0).unwrap(), channel[0].try_get_by_index(1).unwrap());
    let cursor = format!("/v1/streams/{stream}/cursor");
    let read = reader.request(reqwest::Method::PUT, &cursor).json(&json!({ "seq": seq })).send().await.unwrap();
    assert_eq!(read.status(), 200);
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
    ] {
        let (status, bytes) = who.download(&page).await;
        assert_eq!(status, 200, "{page}");
        assert!(String::from_utf8_lossy(&bytes).contains(shows), "{page}");
    }
    let (status, _) = reader.download(&format!("/desk/notices/{id}/reach")).await;
    assert_eq!(status, 403);
    scene.app.stop().await;
}
