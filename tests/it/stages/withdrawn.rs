//! Objections that were written down for somebody: the person withdraws them, and for them the office, as long as they hang.
use chrono::TimeDelta;
use serde_json::json;

use super::{id, own_cards, page, raise, scene, skip};
use crate::support::Somebody;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_down_for_somebody_can_be_withdrawn() {
    let (app, village) = scene().await;
    let notice = json!({ "area_code": village.area, "title": "水池", "text": "全文。" });
    let notice = id(&village.clerk.post("/v1/notices", notice).await.ok());
    let path = format!("/v1/notices/{notice}/objections");
    let (old, other) = (village.villager(&app, "00056").await, village.villager(&app, "00011").await);
    let said = json!({ "text": "太深", "person_id": old.person });
    let mut written = Vec::new();
    for _ in 0..3 {
        written.push(format!("/v1/objections/{}", id(&village.clerk.post(&path, said.clone()).await.ok())));
    }
    let withdraw = async |who: &Somebody, objection: &str, reason: &str| {
        who.post(&format!("{objection}/withdraw"), json!({ "reason": reason })).await
    };
    let open = async || app.get(&format!("/v1/notices/{notice}")).await.ok()["open_objections"].clone();
    // by the person, from the page, without a reason, and once
    let shown = page(&old, &format!("/notices/{notice}")).await;
    assert!(shown.contains("撤回这条异议"), "{shown}");
    assert!(!page(&other, &format!("/notices/{notice}")).await.contains("撤回这条异议"));
    assert_eq!(withdraw(&other, &written[0], "不是我").await.refused(), "not_allowed");
    let first = withdraw(&old, &written[0], "").await.ok();
    assert_eq!(withdraw(&old, &written[0], "").await.ok(), first, "once more is the first answer");
    assert_eq!((open().await, &first["text"]), (json!(2), &json!("太深")), "and what it says stays");
    let answer = json!({ "answer": "加了盖" });
    assert_eq!(village.clerk.post(&format!("{}/answer", written[0]), answer.clone()).await.refused(), "wrong_state");
    assert!(!own_cards(&app, &old).await.contains(&"objection_withdrawn".to_owned()), "who did it knows");
    // for the person, with a reason, before it was answered, and told
    assert_eq!(withdraw(&village.clerk, &written[1], "").await.refused(), "invalid_fields");
    assert_eq!(withdraw(&village.member, &written[1], "本人不提了").await.refused(), "not_allowed");
    let back = withdraw(&village.clerk, &written[1], "本人不提了").await.ok();
    let by = back["withdrawn_by_name"].as_str().unwrap();
    assert_eq!((&back["withdrawal"], by.chars().count() > 1), (&json!("本人不提了"), true));
    assert_eq!(first.get("withdrawn_by_name"), None, "who takes back the own owes nobody a name");
    assert!(own_cards(&app, &old).await.contains(&"objection_withdrawn".to_owned()));
    village.clerk.post(&format!("{}/answer", written[2]), answer).await.ok();
    assert_eq!(withdraw(&village.clerk, &written[2], "本人不提了").await.refused(), "wrong_state", "it was answered");
    withdraw(&old, &written[2], "").await.ok();
    assert_eq!(open().await, json!(0));
    // what somebody said by themselves stands
    let own = format!("/v1/objections/{}", id(&old.post(&path, json!({ "text": "太远" })).await.ok()));
    assert_eq!(withdraw(&old, &own, "").await.refused(), "wrong_state");
    assert_eq!(withdraw(&village.clerk, &own, "本人不提了").await.refused(), "wrong_state");
    for shown in [
        page(&other, &format!("/notices/{notice}")).await,
        page(&village.clerk, &format!("/desk/notices/{notice}")).await,
    ] {
        assert!(shown.contains("已撤回") && shown.contains(&format!("工作人员{by}代为撤回：本人不提了")), "{shown}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_nobody_can_object_anew_only_the_person_withdraws() {
    let (app, village) = scene().await;
    let notice = json!({ "area_code": village.area, "title": "水池", "text": "全文。" });
    let notice = id(&village.clerk.post("/v1/notices", notice).await.ok());
    let old = village.villager(&app, "00056").await;
    let written = json!({ "text": "太吵", "person_id": old.person });
    let written = village.clerk.post(&format!("/v1/notices/{notice}/objections"), written).await.ok();
    let withdraw = format!("/v1/objections/{}/withdraw", id(&written));
    let desk = async || page(&village.clerk, &format!("/desk/notices/{notice}")).await;
    assert!(desk().await.contains("/take-back"));
    app.pass(TimeDelta::days(9)).await;
    let input = json!({ "reason": "本人不提了" });
    assert_eq!(village.clerk.post(&withdraw, input).await.refused(), "period_over", "the office answers");
    assert!(!desk().await.contains("/take-back"));
    old.post(&withdraw, json!({ "reason": "" })).await.ok();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_record_says_which_objection_was_withdrawn_and_by_whom() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    skip(&village, &matter, "raise").await;
    skip(&village, &matter, "deliberate").await;
    let notice = json!({ "area_code": village.area, "matter_id": matter, "title": "水池", "text": "全文。" });
    let notice = id(&village.clerk.post("/v1/notices", notice).await.ok());
    let old = village.villager(&app, "00056").await;
    let written = json!({ "text": "离井太近", "person_id": old.person });
    let written = village.clerk.post(&format!("/v1/notices/{notice}/objections"), written).await.ok();
    let record = async || page(&village.clerk, &format!("/record/{matter}")).await;
    let shown = record().await;
    assert!(shown.contains("离井太近") && shown.contains("代为登记") && !shown.contains("已撤回"), "{shown}");
    let back = json!({ "reason": "本人不提了" });
    village.clerk.post(&format!("/v1/objections/{}/withdraw", id(&written)), back).await.ok();
    let shown = record().await;
    assert!(shown.contains("离井太近") && shown.contains("代为撤回：本人不提了"), "{shown}");
    app.stop().await;
}

/// What was taken down is gone from the wall, and not who objected to it: they still wait for an answer.
#[tokio::test(flavor = "multi_thread")]
async fn an_objection_to_what_was_taken_down_stays_on_the_list_of_what_is_to_be_done() {
    let (app, village) = scene().await;
    let notice = json!({ "area_code": village.area, "title": "水池", "text": "全文。" });
    let notice = format!("/v1/notices/{}", id(&village.clerk.post("/v1/notices", notice).await.ok()));
    let old = village.villager(&app, "00056").await;
    let said = id(&old.post(&format!("{notice}/objections"), json!({ "text": "太深" })).await.ok());
    village.clerk.post(&format!("{notice}/withdraw"), json!({ "reason": "写错了" })).await.ok();
    assert!(page(&village.clerk, "/desk").await.contains("答复异议"));
    village.clerk.post(&format!("/v1/objections/{said}/answer"), json!({ "answer": "另外公示" })).await.ok();
    assert!(!page(&village.clerk, "/desk").await.contains("答复异议"));
    app.stop().await;
}
