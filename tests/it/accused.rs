//! A voice about somebody: kept from them and from the bodies in which they sit, and never refused because of them.
use chrono::TimeDelta;
use liusheng::{
    bodies::{self, BodyKind, By},
    ids::{BodyId, PersonId},
};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::{
    county::operator,
    support::{Somebody, TestApp, Village, cards_in, person_of},
};

/// Fills a seat, as the administrator does.
pub(crate) async fn sit(app: &TestApp, body: BodyId, (person, role): (PersonId, &str)) {
    let seat = serde_json::from_value(json!({ "person_id": person, "role": role })).unwrap();
    let taking = app.app.store.write(move |tx| Box::pin(bodies::take_seat(tx, By::Operator, (body, seat))));
    taking.await.unwrap();
    app.settle().await;
    app.app.actors.invalidate_all();
}

/// Says something to the database past the commands, and in their order: a connection of its own would find it locked.
pub(crate) async fn past_commands(app: &TestApp, sql: String) -> liusheng::error::Result<u64> {
    let run =
        app.app.store.write(move |tx| Box::pin(async move { Ok(tx.execute_unprepared(&sql).await?.rows_affected()) }));
    run.await
}

/// The body of this kind over the village.
pub(crate) async fn office(app: &TestApp, village: &Village, kind: &str) -> BodyId {
    let kind: BodyKind = serde_json::from_value(json!(kind)).unwrap();
    bodies::of_kind(app.app.store.read(), kind, &village.area).await.unwrap().unwrap()
}

async fn on_desk(who: &Somebody) -> usize {
    who.get("/v1/suggestions?scope=desk").await.ok()["items"].as_array().unwrap().len()
}

fn complaint(about: PersonId, visibility: &str) -> Value {
    json!({ "kind": "complaint", "visibility": visibility, "text": "收钱不开票", "about_person_id": about })
}

fn path(voice: &Value) -> String {
    format!("/v1/suggestions/{}", voice["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accusation_is_never_public_and_every_body_of_the_accused_is_passed_over() {
    let (app, village) = Village::start().await;
    let (county, author) = (operator(&app).await, village.villager(&app, "00007").await);
    let refused = author.post("/v1/suggestions", complaint(village.clerk.person, "public")).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["code"]), (422, &json!("about_is_private")));
    // the clerk sits in the town's office, too: the county answers, and both bodies know nothing of it
    let town = office(&app, &village, "town_office").await;
    sit(&app, town, (village.clerk.person, "member")).await;
    for visibility in ["handlers", "town"] {
        let voice = author.post("/v1/suggestions", complaint(village.clerk.person, visibility)).await.ok();
        assert_eq!(voice["body_name"], "德清县民政局", "past the village and the town");
        for hidden in [&village.clerk, &village.chair, &village.town] {
            assert_eq!(hidden.get(&path(&voice)).await.status, 404, "{visibility}");
            assert_eq!(on_desk(hidden).await, 0, "{visibility}");
        }
        county.post(&format!("{}/accept", path(&voice)), json!(null)).await.ok();
        for accused in [village.committee, town] {
            let back = json!({ "body_id": accused, "reason": "请自己查" });
            let back = county.post(&format!("{}/referrals", path(&voice)), back).await;
            assert_eq!(back.refused(), "invalid_fields", "{visibility}: not by the seat, by the person");
            let part = json!({ "body_id": accused, "task": "请自己查" });
            assert_eq!(county.post(&format!("{}/assists", path(&voice)), part).await.refused(), "invalid_fields");
        }
    }
    for hidden in [&village.clerk, &village.chair, &village.town] {
        let told = cards_in(&app, hidden.person, "office").await;
        assert!(!told.iter().any(|code| code.starts_with("office_suggestion")), "{told:?}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seat_taken_later_is_passed_over_as_well() {
    let (app, village) = Village::start().await;
    let (county, author) = (operator(&app).await, village.villager(&app, "00007").await);
    let voice = author.post("/v1/suggestions", complaint(village.clerk.person, "handlers")).await.ok();
    assert_eq!(voice["body_name"], "洛舍镇人民政府");
    // whom it is about sits in the county's office now
    sit(&app, office(&app, &village, "county_office").await, (village.clerk.person, "member")).await;
    app.pass(TimeDelta::days(20)).await;
    assert!(!cards_in(&app, county.person, "office").await.iter().any(|code| code.contains("supervised")), "nor told");
    let town = Somebody::signed_in(&app, village.town.person).await;
    town.post(&format!("{}/accept", path(&voice)), json!(null)).await.ok();
    let up = json!({ "body_id": office(&app, &village, "county_office").await, "reason": "该由县里办" });
    assert_eq!(town.post(&format!("{}/referrals", path(&voice)), up).await.refused(), "invalid_fields");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_given_to_nobody_whom_it_is_about() {
    let (app, village) = Village::start().await;
    let author = village.villager(&app, "00007").await;
    let voice = author.post("/v1/suggestions", complaint(village.clerk.person, "handlers")).await.ok();
    village.town.post(&format!("{}/accept", path(&voice)), json!(null)).await.ok();
    // two who came to the town's office since: the accused, and who sits with them in the village
    let town = office(&app, &village, "town_office").await;
    let assign = format!("{}/assign", path(&voice));
    for (person, role) in [(village.clerk.person, "member"), (village.chair.person, "member")] {
        sit(&app, town, (person, role)).await;
        let refused = village.town.post(&assign, json!({ "person_id": person })).await;
        assert_eq!(refused.refused(), "invalid_fields");
    }
    village.town.post(&assign, json!({ "person_id": village.town.person })).await.ok();
    for hidden in [&village.clerk, &village.chair] {
        assert_eq!((hidden.get(&path(&voice)).await.status, on_desk(hidden).await), (404, 0));
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_named_one_can_always_speak() {
    let (app, village) = Village::start().await;
    let (county, author) = (operator(&app).await, village.villager(&app, "00007").await);
    // of the county's office itself, in which nobody else sits: it is taken, and the supervisors hear that nobody handles it
    let voice = author.post("/v1/suggestions", complaint(county.person, "town")).await.ok();
    assert_eq!(voice["body_name"], "洛舍镇人民政府", "the usual one is not theirs");
    for body in [village.committee, office(&app, &village, "town_office").await] {
        sit(&app, body, (county.person, "clerk")).await;
    }
    let county = Somebody::signed_in(&app, county.person).await;
    let voice = author.post("/v1/suggestions", complaint(county.person, "handlers")).await.ok();
    assert_eq!(voice["body_name"], "德清县民政局", "the last office there is");
    assert_eq!(county.get(&path(&voice)).await.status, 404);
    assert_eq!(on_desk(&county).await, 0);
    let told = cards_in(&app, county.person, "office").await;
    assert!(!told.iter().any(|code| code == "office_suggestion_unassigned"), "{told:?}");
    let seen = cards_in(&app, village.supervisor.person, "mailbox").await;
    assert_eq!(seen.iter().filter(|code| *code == "office_suggestion_unassigned").count(), 1, "{seen:?}");
    let told = cards_in(&app, village.supervisor.person, "office").await;
    assert!(!told.iter().any(|code| code == "office_suggestion_unassigned"), "whoever comes later reads it: {told:?}");
    assert_eq!(village.supervisor.get(&path(&voice)).await.status, 404, "number and kind only");
    // somebody else of the county's office: told in the own stream, and handles it
    let other = person_of(&app.app, "330521103203", "00002").await;
    sit(&app, office(&app, &village, "county_office").await, (other, "clerk")).await;
    let other = Somebody::signed_in(&app, other).await;
    let voice = author.post("/v1/suggestions", complaint(county.person, "handlers")).await.ok();
    let told = cards_in(&app, other.person, "mailbox").await;
    assert_eq!(told.iter().filter(|code| *code == "office_suggestion_new").count(), 1, "{told:?}");
    other.post(&format!("{}/accept", path(&voice)), json!(null)).await.ok();
    // neither a number nor a list of what is late tells the one whom it is about
    app.pass(TimeDelta::days(20)).await;
    let late = async |who: PersonId| {
        let who = Somebody::signed_in(&app, who).await;
        who.get("/v1/areas/330521/late-suggestions").await.ok()["items"].as_array().unwrap().len()
    };
    assert_eq!((late(county.person).await, late(other.person).await), (0, 2));
    let waiting = liusheng::suggestions::waiting_by_area(app.app.store.read(), "330521", app.app.now()).await.unwrap();
    assert!(waiting.is_empty(), "counted nowhere: {waiting:?}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_office_s_stream_says_that_there_is_an_accusation() {
    let (app, village) = Village::start().await;
    let author = village.villager(&app, "00007").await;
    // speaks for the town's office, and sits with the accused in the village
    sit(&app, office(&app, &village, "town_office").await, (village.chair.person, "clerk")).await;
    let voice = author.post("/v1/suggestions", complaint(village.clerk.person, "handlers")).await.ok();
    assert_eq!(voice["body_name"], "洛舍镇人民政府");
    let is_told = |codes: &[String]| codes.iter().filter(|code| code.starts_with("office_suggestion")).count();
    assert_eq!(is_told(&cards_in(&app, village.town.person, "office").await), 0, "whoever comes later reads it");
    assert_eq!(is_told(&cards_in(&app, village.town.person, "mailbox").await), 1);
    assert_eq!(is_told(&cards_in(&app, village.chair.person, "mailbox").await), 0, "it concerns them, too");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_is_not_taken_where_the_accused_has_come_to_sit() {
    let (app, village) = Village::start().await;
    let (county, author) = (operator(&app).await, village.villager(&app, "00007").await);
    let voice = author.post("/v1/suggestions", complaint(village.clerk.person, "handlers")).await.ok();
    let above = office(&app, &village, "county_office").await;
    let up = json!({ "body_id": above, "reason": "该由县里办" });
    village.town.post(&format!("{}/referrals", path(&voice)), up).await.ok();
    let offer = county.get("/v1/referrals").await.ok()[0]["id"].as_str().unwrap().to_owned();
    sit(&app, above, (village.clerk.person, "member")).await;
    let refused = county.post(&format!("/v1/referrals/{offer}/accept"), json!(null)).await;
    assert_eq!(refused.refused(), "wrong_state");
    app.stop().await;
}

/// What is kept about somebody may be taken along; not that somebody spoke of them to an office, and who.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_everything_along_does_not_learn_who_spoke_of_them() {
    let (app, village) = Village::start().await;
    let author = village.villager(&app, "00007").await;
    author.post("/v1/suggestions", complaint(village.clerk.person, "handlers")).await.ok();
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let ask = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person",
        "roll_days": 3, "closes_at": app.app.now() + TimeDelta::days(8) });
    let vote = village.chair.post("/v1/votes", ask).await.ok();
    let wrong = json!({ "kind": "wrong", "about": { "name": "沈静芳" }, "reason": "她早就迁走了" });
    author.post(&format!("/v1/votes/{}/roll/objections", vote["id"].as_str().unwrap()), wrong).await.ok();
    app.settle().await;
    let all = village.villager(&app, "00020").await.get("/v1/me/export").await.ok().to_string();
    assert!(!all.contains("她早就迁走了") && !all.contains(&author.person.to_string()), "{all}");
    let done = village.clerk.get("/v1/me/export").await.ok()["done_for_others"].to_string();
    assert!(!done.contains("about_person_id"), "how many complained is told, and when: {done}");
    let own = author.get("/v1/me/export").await.ok().to_string();
    assert!(own.contains("收钱不开票"), "{own}");
    app.stop().await;
}
