//! Contracts at the desk of an officer who speaks for a body, too.
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_offered_to_judge_the_contract_that_one_sent() {
    let (app, village) = Village::start().await;
    let (lawyer, _) = officer(&app, &village).await;
    let seat = json!({ "person_id": lawyer.person, "role": "secretary", "reason": "书记不住在村里" });
    village.town.post(&format!("/v1/bodies/{}/seats", village.council), seat).await.ok();
    app.settle().await;
    let lawyer = Somebody::signed_in(&app, lawyer.person).await;
    for (sender, body, is_offered) in [(&lawyer, village.council, false), (&village.clerk, village.committee, true)] {
        let asked = json!({ "area_code": village.area, "body_id": body, "title": "鱼塘合同", "text": "甲方、乙方。" });
        let review = sender.post("/v1/contract-reviews", asked).await.ok();
        let path = format!("/desk/legal/contracts/{}", id(&review));
        assert_eq!(page(&lawyer, &path).await.contains(&format!("{path}/opinion")), is_offered, "{is_offered}");
    }
    app.stop().await;
}
