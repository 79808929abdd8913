//! Confirmations for somebody else: of the household, by a mandate or at the door; named, told, taken back, and once.
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{cards, confirm_for, doors, head, publish, undo};
use crate::support::{Answer, Somebody, Village, count};

#[tokio::test]
async fn a_confirmation_for_somebody_else_is_named_and_told_and_can_be_taken_back() {
    let (app, village) = Village::start().await;
    let notice = publish(&village, json!({ "confirm_by": "2026-11-06" })).await;
    let (fei, wife) = (village.villager(&app, "00007").await, village.villager(&app, "00008").await);
    let (son, granny) = (village.villager(&app, "00051").await, village.villager(&app, "00052").await);
    let household = |person: &Somebody| json!({ "person_id": person.person, "via": "household" });
    // only of the own household, only for another, only who was asked
    assert_eq!(confirm_for(&fei, &notice, household(&granny)).await.refused(), "not_allowed");
    assert_eq!(confirm_for(&fei, &notice, household(&fei)).await.refused(), "invalid_fields");
    let child = village.villager(&app, "00055").await;
    let parent = village.villager(&app, "00053").await;
    assert_eq!(confirm_for(&parent, &notice, household(&child)).await.refused(), "invalid_fields");
    let door = |person: &Somebody| json!({ "person_id": person.person, "via": "door", "way": "paper" });
    for stranger in [&fei, &village.council_chair, &village.town, &village.supervisor] {
        assert_eq!(confirm_for(stranger, &notice, door(&granny)).await.refused(), "not_allowed");
    }

    let made = confirm_for(&fei, &notice, household(&wife)).await.ok();
    assert_eq!((&made["via"], &made["by_name"]), (&json!("household"), &json!("费海荣")));
    app.settle().await;
    let told = cards(&wife, "notice_confirmed_for", &notice).await;
    assert_eq!(told.len(), 1);
    assert!(told[0]["text"].as_str().unwrap().contains("费海荣"), "{}", told[0]);
    assert_eq!(head(&app, &notice).await["confirmed"], 1);
    // "I did not agree to that"
    assert_eq!(undo(&village.clerk, &notice, &wife).await.refused(), "not_found", "not the clerk's to take back");
    undo(&wife, &notice, &wife).await.ok();
    app.settle().await;
    assert_eq!(cards(&fei, "notice_confirmation_undone", &notice).await.len(), 1, "who made it hears that");
    assert_eq!(head(&app, &notice).await["confirmed"], 0);
    wife.post(&format!("/v1/notices/{notice}/confirmations"), json!(null)).await.ok();
    assert_eq!(undo(&wife, &notice, &wife).await.refused(), "not_found", "one's own stands");

    // no phone, so that the mailbox reaches nobody: the next at the door tells it, and not who confirmed
    confirm_for(&son, &notice, household(&granny)).await.ok();
    let open = doors(&village.clerk, &notice, "&group=1").await;
    let row = open.iter().find(|door| door["person_id"] == json!(granny.person)).unwrap();
    assert_eq!(row["confirmed_by_name"], "𠮷野根");
    let told_path = format!("/v1/notices/{notice}/confirmations/told");
    assert_eq!(son.post(&told_path, json!({ "person_id": granny.person })).await.refused(), "not_allowed");
    village.clerk.post(&told_path, json!({ "person_id": granny.person })).await.ok();
    assert!(
        doors(&village.clerk, &notice, "&group=1").await.iter().all(|door| door["person_id"] != json!(granny.person))
    );
    assert_eq!(village.clerk.post(&told_path, json!({ "person_id": wife.person })).await.refused(), "not_found");

    // by a written mandate, which is named; at the door, with the way it was done
    let old = village.villager(&app, "00056").await;
    let mandate =
        |note: &str| json!({ "person_id": old.person, "via": "mandate", "proxy_id": fei.person, "note": note });
    assert_eq!(confirm_for(&village.clerk, &notice, mandate("")).await.refused(), "invalid_fields");
    assert_eq!(confirm_for(&fei, &notice, mandate("11月2日委托书")).await.refused(), "not_allowed");
    let made = confirm_for(&village.clerk, &notice, mandate("11月2日委托书，村里存")).await.ok();
    assert_eq!(made["by_name"], "费海荣");
    let own = json!({ "person_id": old.person });
    assert_eq!(village.clerk.post(&told_path, own.clone()).await.refused(), "second_person_needed");
    village.chair.post(&told_path, own).await.ok();
    let made = confirm_for(&village.clerk, &notice, door(&parent)).await.ok();
    assert_eq!((&made["via"], &made["by_name"]), (&json!("door"), &json!("姚志刚")));
    let again = confirm_for(&village.chair, &notice, door(&parent)).await.ok();
    assert_eq!(again, made, "the first answer");
    undo(&village.clerk, &notice, &parent).await.ok();
    confirm_for(&village.clerk, &notice, door(&parent)).await.ok();
    app.pass(TimeDelta::hours(25)).await;
    assert_eq!(undo(&village.clerk, &notice, &parent).await.refused(), "period_over");
    let mine = parent.post(&format!("/v1/notices/{notice}/confirmations"), json!(null)).await.ok();
    assert_eq!((&mine["via"], mine.get("by_name")), (&json!("self"), None), "what another did becomes one's own");
    let reach = village.clerk.get(&format!("/v1/notices/{notice}/confirmations")).await.ok();
    let by = ["by_self", "by_proxy", "at_door"].map(|field| reach[field].as_u64().unwrap());
    assert_eq!(by, [2, 2, 0]);

    // bent ones
    for bad in
        [json!({}), json!({ "person_id": "x", "via": "door" }), json!({ "person_id": old.person, "via": "dream" })]
    {
        assert_eq!(confirm_for(&village.clerk, &notice, bad.clone()).await.status, 422, "{bad}");
    }
    let long = json!({ "person_id": son.person, "via": "door", "note": "长".repeat(201) });
    assert_eq!(confirm_for(&village.clerk, &notice, long).await.refused(), "invalid_fields");
    let by_self = json!({ "person_id": son.person, "via": "self" });
    assert_eq!(confirm_for(&village.clerk, &notice, by_self).await.refused(), "not_allowed");
    village.clerk.post(&format!("/v1/notices/{notice}/withdraw"), json!({ "reason": "不停了" })).await.ok();
    assert_eq!(confirm_for(&village.clerk, &notice, door(&son)).await.refused(), "wrong_state");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_at_the_same_door_write_down_one_confirmation() {
    let (app, village) = Village::start().await;
    let notice = publish(&village, json!({})).await;
    let person = village.villager(&app, "00049").await;
    let body = json!({ "person_id": person.person, "via": "door" });
    let at_once = (0..8).map(|number| {
        confirm_for(if number % 2 == 0 { &village.clerk } else { &village.chair }, &notice, body.clone())
    });
    let answers: Vec<Value> = join_all(at_once).await.into_iter().map(Answer::ok).collect();
    assert!(answers.iter().all(|one| one == &answers[0]), "{answers:?}");
    app.settle().await;
    assert_eq!(cards(&person, "notice_confirmed_for", &notice).await.len(), 1);
    let told = "SELECT count(*) FROM events WHERE kind = 'notice.confirmed_for'";
    assert_eq!(count(app.folder.path(), told).await, 1);
    app.stop().await;
}
