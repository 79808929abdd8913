//! Another way of doing it that somebody puts beside the plan: the council answers each before the matter goes on.
use serde_json::{Value, json};
use uuid::Uuid;

use super::{missing, own_cards, page, raise, scene, skip};
use crate::{
    county,
    support::{Somebody, count},
};

async fn say(who: &Somebody, messages: &str, text: &str) -> Value {
    let message = json!({ "client_id": Uuid::now_v7(), "side": "alternative", "text": text });
    who.post(messages, message).await.ok()["seq"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_other_way_is_answered_before_the_council_is_left() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    let (own, desk) = (format!("/v1/matters/{matter}"), format!("/desk/matters/{matter}"));
    let messages = format!("/v1/streams/{}/messages", village.discussion(&app, &matter).await);
    let (one, other) = (village.villager(&app, "00007").await, village.villager(&app, "00010").await);
    let first = say(&one, &messages, "不修水池，接自来水").await;
    let second = say(&other, &messages, "只补漏，不翻修").await;
    let third = say(&other, &messages, "挖井吧").await;
    // typed into the words it is nothing but words
    let words = json!({ "client_id": Uuid::now_v7(), "text": r#"{"side":"alternative"}"# });
    one.post(&messages, words).await.ok();
    let (answers, chair) = (format!("{own}/alternatives"), &village.council_chair);
    let answer = |seq: &Value, is_taken: bool| json!({ "seq": seq, "is_taken": is_taken, "text": "自来水更省钱。" });
    assert_eq!(chair.post(&answers, answer(&first, true)).await.refused(), "wrong_state", "not while it is raised");
    skip(&village, &matter, "raise").await;
    assert_eq!(missing(&village.chair, &matter).await, ["meeting", "alternatives"], "some wait for an answer");
    other.post(&format!("{messages}/{third}/recall"), json!({})).await.ok();
    let shown = page(chair, &desk).await;
    assert!(shown.contains("还有 2 种没有答复") && shown.contains("接自来水") && !shown.contains("挖井吧"), "{shown}");
    for who in [&village.chair, &village.member, &one] {
        assert_eq!(who.post(&answers, answer(&first, true)).await.refused(), "not_allowed");
    }
    for nothing in [&third, &json!(999)] {
        assert_eq!(chair.post(&answers, answer(nothing, true)).await.refused(), "invalid_fields");
    }
    chair.post(&answers, answer(&first, true)).await.ok();
    assert_eq!(chair.post(&answers, answer(&first, false)).await.refused(), "already_answered");
    let seq = second.to_string();
    let fields = [("seq", seq.as_str()), ("taken", "no"), ("text", "补过两次又漏了。")];
    assert_eq!(county::form(chair, &format!("{desk}/alternative"), &fields).await.0, 303);
    assert_eq!(missing(&village.chair, &matter).await, ["meeting"]);
    assert!(own_cards(&app, &one).await.contains(&"alternative_answered".to_owned()));
    // and by message, as each wants to be told of what is theirs; of other evidence nobody is
    for author in [&one, &other] {
        let told = format!(
            "SELECT count(*) FROM announcements WHERE kind = 'matter.evidence_attached' AND topic = 'own' \
             AND audience_id = '{}'",
            author.person
        );
        assert_eq!(count(app.folder.path(), &told).await, 1);
    }
    let all = "SELECT count(*) FROM announcements WHERE kind = 'matter.evidence_attached'";
    assert_eq!(count(app.folder.path(), all).await, 2);
    let shown = page(&other, &format!("/matters/{matter}/arguments")).await;
    assert!(shown.contains("<b>采纳</b>") && shown.contains("<b>不采纳</b>") && shown.contains("补过两次又漏了。"));
    let record = page(&other, &format!("/record/{matter}")).await;
    assert!(record.contains("对另一种办法的答复") && record.contains("自来水更省钱。"), "{record}");
    // an answer stands when the matter comes back to the council
    skip(&village, &matter, "deliberate").await;
    let back = json!({ "to": "deliberate", "reason": "再议一次" });
    village.chair.post(&format!("{own}/return"), back).await.ok();
    assert_eq!(missing(&village.chair, &matter).await, ["meeting"]);
    app.stop().await;
}
