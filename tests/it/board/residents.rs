//! 居民会议: a community decides by the law of residents' committees, and a village does not.
use chrono::TimeDelta;
use serde_json::json;

use super::assembly;
use crate::support::{Raw, Village};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn residents_meet_in_a_community_and_villagers_in_a_village() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修电梯").await;
    let meeting = assembly(&app, &village, &matter).await;
    let ask = |preset: &str| {
        json!({ "matter_id": matter, "meeting_id": meeting, "question": "是否同意？", "preset": preset,
            "closes_at": app.app.now() + TimeDelta::days(11) })
    };
    let desk = async || {
        let page = village.chair.download(&format!("/desk/matters/{matter}")).await.1;
        String::from_utf8(page).unwrap()
    };
    for preset in ["residents_meeting_person", "residents_meeting_household"] {
        assert_eq!(village.chair.post("/v1/votes", ask(preset)).await.refused(), "rule_not_votable", "{preset}");
    }
    assert!(!desk().await.contains("居民会议（户代表）"), "a village is offered what it may not choose");
    let raw = Raw::open(app.folder.path()).await;
    raw.execute(&format!("UPDATE areas SET level = 'community' WHERE code = '{}'", village.area)).await;
    raw.close().await;
    assert!(desk().await.contains("居民会议（户代表）"));
    let vote = village.chair.post("/v1/votes", ask("residents_meeting_household")).await.ok();
    assert_eq!((&vote["is_binding"], &vote["on_roll"]), (&json!(true), &json!(22)));
    assert_eq!(vote["preset_name"], "居民会议（户代表）");
    assert!(vote.to_string().contains("城市居民委员会组织法 第9条"), "{vote}");
    app.stop().await;
}
