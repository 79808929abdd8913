//! Hours of quiet, which everybody sets for themselves, and hours of duty, which an office tells.
use chrono::TimeDelta;
use serde_json::json;

use super::put;
use crate::support::Village;

#[tokio::test]
async fn quiet_hours_are_ones_own_and_are_read_as_they_are_written() {
    let (app, village) = Village::start().await;
    let (ann, bob) = (village.villager(&app, "00007").await, village.villager(&app, "00011").await);
    assert_eq!(ann.get("/v1/me/quiet-hours").await.ok(), json!({ "from": "21:30", "to": "07:00" }));
    put(&ann, "/v1/me/quiet-hours", json!({ "from": "20:00", "to": "06:15" })).await.ok();
    put(&ann, "/v1/me/quiet-hours", json!({ "from": "20:00", "to": "06:30" })).await.ok();
    assert_eq!(ann.get("/v1/me/quiet-hours").await.ok(), json!({ "from": "20:00", "to": "06:30" }));
    assert_eq!(bob.get("/v1/me/quiet-hours").await.ok()["from"], "21:30");
    for bad in ["", "24:00", "7:00", "07:60", "07:00:00", "七点", "-1:00", "07:0\u{0}"] {
        let answer = put(&ann, "/v1/me/quiet-hours", json!({ "from": bad, "to": "07:00" })).await;
        assert!([400, 422].contains(&answer.status), "{bad}: {}", answer.status);
    }
    let page = String::from_utf8(ann.download("/settings").await.1).unwrap();
    assert!(page.contains("20:00") && page.contains("06:30"), "{page}");
    app.stop().await;
}

#[tokio::test]
async fn an_office_says_that_somebody_is_on_duty_until_when_and_nobody_elses_presence_is_told() {
    let (app, village) = Village::start().await;
    let ann = village.villager(&app, "00007").await;
    let path = format!("/v1/bodies/{}/duty", village.committee);
    assert_eq!(ann.get(&path).await.ok(), json!({ "is_on": false }));
    let until = |time: &str| json!({ "until": format!("2026-11-02T{time}:00+08:00") });
    put(&village.clerk, &path, until("17:30")).await.ok();
    put(&village.chair, &path, until("12:00")).await.ok();
    assert_eq!(ann.get(&path).await.ok()["until"], "2026-11-02T17:30:00+08:00", "the last of them");
    let stream = ann.post("/v1/contacts", json!({})).await.ok()["stream_id"].as_str().unwrap().to_owned();
    let page = String::from_utf8(ann.download(&format!("/streams/{stream}")).await.1).unwrap();
    assert!(page.contains("村委会值班中 · 至 17:30"), "{page}");
    put(&village.clerk, &path, json!({})).await.ok();
    assert_eq!(ann.get(&path).await.ok()["until"], "2026-11-02T12:00:00+08:00");
    app.pass(TimeDelta::hours(3)).await;
    assert_eq!(ann.get(&path).await.ok()["is_on"], false, "duty ends by itself");
    let page = String::from_utf8(ann.download(&format!("/streams/{stream}")).await.1).unwrap();
    assert!(page.contains("现在无人值班"), "{page}");
    // a seat that ends ends its duty
    put(&village.clerk, &path, until("17:30")).await.ok();
    village.end_seat_of(&app, village.clerk.person).await;
    assert_eq!(ann.get(&path).await.ok()["is_on"], false);

    for stranger in [&ann, &village.council_chair, &village.town] {
        assert_eq!(put(stranger, &path, until("17:30")).await.refused(), "not_allowed");
    }
    for bad in [until("08:00"), json!({ "until": "2026-11-04T08:00:00+08:00" })] {
        assert_eq!(put(&village.chair, &path, bad.clone()).await.refused(), "invalid_fields", "{bad}");
    }
    for bad in [json!({ "until": "soon" }), json!({ "on": true })] {
        assert_eq!(put(&village.chair, &path, bad.clone()).await.status, 422, "{bad}");
    }
    let seats = village.town.get(&format!("/v1/areas/{}/bodies", village.area)).await.ok();
    let chair = seats["items"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|body| body["seats"].as_array().unwrap().clone())
        .find(|seat| seat["person_id"] == json!(village.chair.person))
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let groups = format!("/v1/seats/{chair}/groups");
    assert_eq!(put(&village.town, &groups, json!({ "groups": [1] })).await.refused(), "wrong_state", "no grid worker");
    assert_eq!(put(&village.town, &groups, json!({ "groups": [-1] })).await.refused(), "invalid_fields");
    app.stop().await;
}
