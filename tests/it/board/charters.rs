//! Votes inside a council by what its own charter says: advice by its own shares, and a tie that goes on by the same.
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    inside::{called, election, keyed},
    votes::checked,
};
use crate::support::{Village, count};

fn share((num, den): (u64, u64), strict: bool, basis: &str) -> Value {
    json!({ "num": num, "den": den, "strict": strict, "basis": basis })
}

fn rule(quorum: Value, passing: Value) -> Value {
    json!({ "article": "章程第九条", "quorum": quorum, "passing": passing })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_council_advises_by_the_shares_of_its_charter() {
    let (app, village) = Village::start().await;
    let more_than_half = share((1, 2), true, "E");
    let sound = rule(more_than_half.clone(), share((3, 4), false, "E"));
    // in a village the law says how many
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let of_the_village = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person",
        "closes_at": app.app.now() + TimeDelta::days(1), "by_charter": sound });
    let refused = village.chair.post("/v1/votes", of_the_village).await;
    assert!(refused.status == 422 && refused.body.to_string().contains("by_law"), "{}", refused.body);
    let meeting = called(&app, &village).await;
    let ask = |rule: &Value| {
        json!({ "meeting_id": meeting, "question": "建议重阳节办敬老宴", "preset": "council_charter", "challenge_days": 0,
            "closes_at": app.app.now() + TimeDelta::days(1), "by_charter": rule })
    };
    // what nobody can reach, or fewer than half, is no charter's rule
    for wrong in [
        rule(more_than_half.clone(), share((1, 3), false, "P")),
        rule(more_than_half.clone(), share((1, 1), true, "P")),
        rule(more_than_half.clone(), share((0, 0), false, "P")),
        rule(share((1, 2), false, "P"), more_than_half.clone()),
        rule(share((3, 2), false, "E"), more_than_half.clone()),
        json!({ "article": " ", "passing": more_than_half }),
    ] {
        assert_eq!(village.council_chair.post("/v1/votes", ask(&wrong)).await.refused(), "invalid_fields", "{wrong}");
    }
    // shares that were chosen at the desk, and no article: nothing is opened by other shares
    let desk = format!("/desk/meetings/{}/vote", meeting.as_str().unwrap());
    let closes = liusheng::clock::local(app.app.now() + TimeDelta::days(1)).format("%Y-%m-%dT%H:%M").to_string();
    let article = "by_charter.article=%E7%AC%AC%E4%B9%9D%E6%9D%A1&by_charter.quorum=&by_charter.passing=E2/3";
    for (chosen, status) in [
        ("by_charter.quorum=E2/3&by_charter.passing=P%3E1/2", 422),
        ("by_charter.quorum=any&by_charter.passing=P%3E1/2", 422),
        ("by_charter.passing=E2/3", 422),
        (article, 303),
    ] {
        let typed = format!("question=%E6%95%AC%E8%80%81%E5%AE%B4&preset=council_charter&closes_at={closes}&{chosen}");
        let form = village.council_chair.request(reqwest::Method::POST, &desk);
        let form =
            form.header("sec-fetch-site", "same-origin").header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(form.body(typed).send().await.unwrap().status(), status, "{chosen}");
    }
    // a charter of which the majority alone was typed takes no quorum away
    let with_quorum = "SELECT count(*) FROM votes WHERE rule LIKE '%\"quorum\":{\"num\":2,\"den\":3,%'";
    assert_eq!(count(app.folder.path(), with_quorum).await, 1);
    let vote = village.council_chair.post("/v1/votes", ask(&sound)).await.ok();
    assert_eq!((&vote["is_binding"], &vote["on_roll"], &vote["state"]), (&json!(false), &json!(3), &json!("open")));
    let law = vote["law"].as_str().unwrap();
    assert!(law.contains("章程第九条") && law.contains("1/2") && law.contains("3/4"), "{law}");
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    let page = String::from_utf8(village.member.download(&path[3..]).await.1).unwrap();
    assert!(page.contains("章程第九条") && page.contains("3/4"), "read before voting: {page}");
    // beside the article the same shares, not those of the preset
    for (share, is_told) in [("超过一半", true), ("达到 3/4", true), ("2/3", false)] {
        assert_eq!(page.contains(share), is_told, "{share}: {page}");
    }
    for member in [&village.council_chair, &village.member] {
        let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
        member.post(&format!("{path}/ballots"), ballot).await.ok();
    }
    app.pass(TimeDelta::days(2)).await;
    app.settle().await;
    // both of those who came agreed, two of three: less than the charter's three quarters of all
    let result = app.get(&format!("{path}/result")).await.ok();
    assert_eq!((&result["outcome"], &result["is_binding"]), (&json!("not_passed"), &json!(false)), "{result}");
    assert_eq!(result["law"], vote["law"]);
    let archive = checked(&app, &path[10..], &[]).await;
    assert_eq!(archive["manifest"]["rule"]["passing"], share((3, 4), false, "E"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_tie_is_voted_on_again_by_the_charter_by_which_it_came_about() {
    let (app, village) = Village::start().await;
    let meeting = called(&app, &village).await;
    let mut ask = election(&app, &meeting);
    (ask["max_choices"], ask["seats"]) = (json!(2), json!(1));
    ask["by_charter"] = rule(Value::Null, share((3, 4), false, "E"));
    let vote = village.council_chair.post("/v1/votes", ask).await.ok();
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    let keys = keyed(&village, &path).await;
    for member in [&village.council_chair, &village.secretary, &village.member] {
        let both = json!({ "cast_id": Uuid::new_v4(), "choices": ["1", "2"] });
        member.post(&format!("{path}/ballots"), both).await.ok();
    }
    app.pass(TimeDelta::days(2)).await;
    let result = village.town.post(&format!("{path}/opening"), keys).await.ok();
    assert_eq!(result["outcome"], "tie", "{result}");
    app.pass(TimeDelta::days(8)).await;
    app.settle().await;
    let next = called(&app, &village).await;
    let mut again = election(&app, &next);
    again.as_object_mut().unwrap().remove("options");
    again["parent_vote_id"] = vote["id"].clone();
    let mut other = again.clone();
    other["by_charter"] = rule(Value::Null, share((1, 2), true, "P"));
    let refused = village.council_chair.post("/v1/votes", other).await;
    assert_eq!(refused.refused(), "invalid_fields", "a lower bar for the second round");
    let again = village.council_chair.post("/v1/votes", again).await.ok();
    assert_eq!((&again["law"], &again["max_choices"]), (&vote["law"], &json!(1)));
    app.stop().await;
}
