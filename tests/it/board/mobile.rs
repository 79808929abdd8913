//! 流动票箱: a box that is carried says who goes with it before anybody votes, and how many sheets went with it.
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    paper::{number, opened, photo},
    votes::checked,
};
use crate::support::Village;

/// The second box is carried by these.
fn carried(watchers: &[&str]) -> Value {
    json!({ "approved": "洛舍镇选举工作指导小组11月2日同意", "boxes": [{ "box": 2, "watchers": watchers }] })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_carried_box_names_who_watches_it_and_the_sheets_that_went_with_it() {
    let (app, village) = Village::start().await;
    let three = ["沈静芳", "潘建明", "邱小妹"];
    let matter = village.matter_to_decide(&app, "修一条路").await;
    let ask = |mobile: Value, has_paper: bool| {
        json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person",
            "has_paper": has_paper, "mobile": mobile, "closes_at": app.app.now() + TimeDelta::days(6) })
    };
    let mut twice = carried(&three);
    let same = twice["boxes"][0].clone();
    twice["boxes"].as_array_mut().unwrap().push(same);
    let mut unknown = carried(&three);
    unknown["boxes"][0]["box"] = json!(21);
    for (mobile, has_paper, code) in [
        (carried(&three[..2]), true, "too_few_watchers"),
        (carried(&["沈静芳", "沈静芳", "邱小妹"]), true, "too_few_watchers"),
        (carried(&three), false, "required"),
        (twice, true, "duplicate"),
        (unknown, true, "out_of_range"),
    ] {
        let refused = village.chair.post("/v1/votes", ask(mobile, has_paper)).await;
        assert!(refused.body.to_string().contains(code), "{code}: {}", refused.body);
    }
    let vote = opened(&app, &village, json!({ "mobile": carried(&three), "challenge_days": 0 })).await;
    let law = app.get(&vote).await.ok()["law"].to_string();
    let said = "流动票箱（洛舍镇选举工作指导小组11月2日同意）：第 2 箱，监票人沈静芳、潘建明、邱小妹";
    assert!(law.contains(said), "{law}");
    // one sheet goes with it, one into the box that stands; there is no third box that is carried
    let (a, b) = (village.villager(&app, "00007").await, village.villager(&app, "00008").await);
    let sheets = format!("{vote}/paper/sheets");
    let mine = json!({ "number": number(&a, &vote).await, "mobile_box": 3 });
    assert_eq!(village.clerk.post(&sheets, mine).await.refused(), "invalid_fields");
    let mine = json!({ "number": number(&a, &vote).await, "mobile_box": 2 });
    assert_eq!(village.clerk.post(&sheets, mine).await.ok()["mobile_box"], 2);
    let theirs = json!({ "number": number(&b, &vote).await });
    assert_eq!(village.clerk.post(&sheets, theirs).await.ok().get("mobile_box"), None);
    let desk = village.clerk.download(&format!("/desk{}/paper", &vote[3..])).await;
    let desk = String::from_utf8(desk.1).unwrap();
    assert!(desk.contains("投进哪个票箱") && desk.contains("流动票箱 第 2 箱"), "{desk}");
    app.pass(TimeDelta::days(7)).await;
    let counts = format!("{vote}/paper/counts");
    for number in [1, 2] {
        let told =
            |photo: Option<Value>| json!({ "box": number, "figures": { "votes": { "for": 1 } }, "photo_id": photo });
        village.clerk.post(&counts, told(photo(&village.clerk).await)).await.ok();
        village.supervisor.post(&counts, told(None)).await.ok();
    }
    let paper = village.clerk.get(&format!("{vote}/paper")).await.ok();
    assert_eq!((paper["boxes"][0].get("carried"), &paper["boxes"][1]["carried"]), (None, &json!(1)), "{paper}");
    village.chair.post(&format!("{vote}/paper/signature"), json!({})).await.ok();
    let archive = checked(&app, &vote[10..], &[]).await;
    assert!(archive["manifest"]["law"].as_str().unwrap().contains(said), "{}", archive["manifest"]);
    app.stop().await;
}
