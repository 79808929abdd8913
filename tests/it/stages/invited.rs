//! Bodies that are asked by name to deliberate: who takes part, who declines, who lets the date pass.
use chrono::TimeDelta;
use liusheng::{
    clock,
    streams::{StreamKind, queries::find},
};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{cards, office_cards, own_cards, page, raise, scene, skip};
use crate::{
    county,
    support::{Answer, Somebody, TestApp, Village, answer, count, id, person_of, say},
};

const NEXT: &str = "330521103203";

/// The council of the next village, who leads it, and the seat.
async fn neighbours(app: &TestApp, village: &Village) -> (String, Somebody, String) {
    let council = json!({ "kind": "council", "name": "邻村乡贤参事会", "areas": [NEXT] });
    let council = id(&village.town.post("/v1/bodies", council).await.ok());
    let person = village.neighbour(app).await.person;
    let seat = json!({ "person_id": person, "role": "chair" });
    let seat = id(&village.town.post(&format!("/v1/bodies/{council}/seats"), seat).await.ok());
    app.settle().await;
    (council, Somebody::signed_in(app, person).await, seat)
}

async fn invite(app: &TestApp, who: &Somebody, matter: &str, (bodies, days): (&[&str], i64)) -> Answer {
    let due = clock::local_date(app.app.now() + TimeDelta::days(days));
    let input = json!({ "body_ids": bodies, "due_on": due });
    answer(who.request(Method::PUT, &format!("/v1/matters/{matter}/invitations")).json(&input)).await
}

async fn states(app: &TestApp, matter: &str) -> Vec<Value> {
    let shown = app.get(&format!("/v1/matters/{matter}")).await.ok();
    shown["invitations"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn invited_bodies_take_part_decline_or_let_the_date_pass() {
    let (app, village) = scene().await;
    let (council, guest, _) = neighbours(&app, &village).await;
    let (chair, branch) = (&village.chair, village.branch.to_string());
    let matter = raise(&village, json!({})).await;
    let own = village.council.to_string();
    let all = [council.as_str(), branch.as_str(), own.as_str()];
    assert_eq!(invite(&app, chair, &matter, (&all, 1)).await.refused(), "wrong_state", "not while it is raised");
    skip(&village, &matter, "raise").await;
    for who in [&village.member, &village.town, &guest] {
        assert_eq!(invite(&app, who, &matter, (&all, 1)).await.refused(), "not_allowed");
    }
    let nobody = Uuid::now_v7().to_string();
    let wrong: [(&[&str], i64); 5] =
        [(&[], 1), (&[nobody.as_str()], 1), (&[all[0], all[0]], 1), (&all, -1), (&all, 61)];
    for wrong in wrong {
        assert_eq!(invite(&app, chair, &matter, wrong).await.refused(), "invalid_fields");
    }
    let discussion = village.discussion(&app, &matter).await.to_string();
    let entries = format!("/v1/streams/{discussion}/entries");
    assert_eq!(guest.get(&entries).await.refused(), "not_found", "of another village");
    // twice is once
    invite(&app, chair, &matter, (&all, 1)).await.ok();
    assert_eq!(invite(&app, chair, &matter, (&all, 30)).await.ok()["invitations"].as_array().unwrap().len(), 3);
    let told = "SELECT count(*) FROM events WHERE kind = 'matter.body_invited'";
    assert_eq!(count(app.folder.path(), told).await, 3);
    assert_eq!(states(&app, &matter).await, ["invited"; 3]);
    assert!(own_cards(&app, &guest).await.contains(&"body_invited".to_owned()));
    let forum = find(app.app.store.read(), StreamKind::Forum, &council).await.unwrap().unwrap();
    assert!(cards(&guest, &forum.to_string()).await.contains(&"body_invited".to_owned()));
    let seen = page(&guest, &format!("/matters/{matter}")).await;
    assert!(seen.contains("邻村乡贤参事会不参加商议") && !seen.contains("党支部不参加商议"), "{seen}");
    // the guest speaks for the body
    say(&guest, &discussion, "我们村修过水池").await;
    let said = chair.get(&entries).await.ok().to_string();
    assert!(said.contains("我们村修过水池") && said.contains("邻村乡贤参事会"), "{said}");
    // who leads the body says no, once
    let decline = format!("/v1/matters/{matter}/invitations/decline");
    let no = |body: &str| json!({ "body_id": body, "reason": "人手不够" });
    assert_eq!(guest.post(&decline, no(&branch)).await.refused(), "not_allowed");
    assert_eq!(village.member.post(&decline, no(&own)).await.refused(), "not_allowed", "a member leads nobody");
    let fields = [("body_id", branch.as_str()), ("reason", "人手不够")];
    assert_eq!(county::form(&village.branch_chair, &format!("/matters/{matter}/decline"), &fields).await.0, 303);
    assert_eq!(village.branch_chair.post(&decline, no(&branch)).await.refused(), "wrong_state");
    assert!(office_cards(&app, chair, village.committee).await.contains(&"invitation_declined".to_owned()));
    app.pass(TimeDelta::days(2)).await;
    let mut now = states(&app, &matter).await;
    now.sort_by_key(ToString::to_string);
    assert_eq!(now, ["declined", "silent", "took_part"]);
    for path in ["/matters", "/desk/matters", "/record"] {
        let shown = page(chair, &format!("{path}/{matter}")).await;
        let has = ["参加了讨论", "到期没有回音", "谢绝", "人手不够"].map(|words| shown.contains(words));
        assert_eq!(has, [true; 4], "{path}: {shown}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leads_an_invited_body_finds_it_among_what_is_to_be_done() {
    let (app, village) = scene().await;
    let (council, guest, _) = neighbours(&app, &village).await;
    let matter = raise(&village, json!({})).await;
    skip(&village, &matter, "raise").await;
    let waits = async || page(&guest, "/desk").await.contains(&format!("/matters/{matter}#invitations"));
    assert!(!waits().await);
    invite(&app, &village.chair, &matter, (&[council.as_str()], 3)).await.ok();
    app.settle().await;
    assert!(waits().await, "from there one takes part, or says why not");
    let discussion = village.discussion(&app, &matter).await.to_string();
    say(&guest, &discussion, "我们村修过水池").await;
    assert!(!waits().await, "it took part");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_speaks_while_the_stage_lasts_and_the_seat_is_held() {
    let (app, village) = scene().await;
    let (council, guest, seat) = neighbours(&app, &village).await;
    let matter = raise(&village, json!({})).await;
    skip(&village, &matter, "raise").await;
    let discussion = village.discussion(&app, &matter).await;
    let messages = format!("/v1/streams/{discussion}/messages");
    let words = || json!({ "client_id": Uuid::now_v7(), "text": "再说一句" });
    let desk = format!("/desk/matters/{matter}");
    let due = clock::local_date(app.app.now()).to_string();
    let asked = page(&village.council_chair, &desk).await;
    assert!(asked.contains("邀请其他组织来商议") && asked.contains("邻村乡贤参事会"), "{asked}");
    let fields = [("body_ids", council.as_str()), ("due_on", due.as_str())];
    assert_eq!(county::form(&village.council_chair, &format!("{desk}/invite"), &fields).await.0, 303);
    guest.post(&messages, words()).await.ok();
    // after the stage nobody from elsewhere is there, also when it comes back
    skip(&village, &matter, "deliberate").await;
    assert_eq!(guest.post(&messages, words()).await.refused(), "not_found");
    app.pass(TimeDelta::minutes(1)).await;
    let back = json!({ "to": "deliberate", "reason": "再议一次" });
    village.chair.post(&format!("/v1/matters/{matter}/return"), back).await.ok();
    assert_eq!(guest.post(&messages, words()).await.refused(), "not_found");
    invite(&app, &village.chair, &matter, (&[council.as_str()], 1)).await.ok();
    assert_eq!(states(&app, &matter).await, ["took_part", "invited"], "each stay by itself");
    guest.post(&messages, words()).await.ok();
    // who declines is out, and so is who has no seat
    let decline = format!("/v1/matters/{matter}/invitations/decline");
    guest.post(&decline, json!({ "body_id": council, "reason": "说完了" })).await.ok();
    assert_eq!(guest.post(&messages, words()).await.refused(), "not_found");
    let box_of = format!(r#"name="body_ids" value="{council}""#);
    assert!(asked.contains(&box_of) && !page(&village.council_chair, &desk).await.contains(&box_of), "it said no");
    let other = raise(&village, json!({ "title": "修路" })).await;
    skip(&village, &other, "raise").await;
    invite(&app, &village.chair, &other, (&[council.as_str()], 1)).await.ok();
    let messages = format!("/v1/streams/{}/messages", village.discussion(&app, &other).await);
    guest.post(&messages, words()).await.ok();
    village.town.post(&format!("/v1/seats/{seat}/end"), json!(null)).await.ok();
    app.settle().await;
    assert_eq!(guest.post(&messages, words()).await.refused(), "not_found");
    assert_eq!(states(&app, &other).await, ["took_part"], "what was said stays said");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_before_an_invitation_is_no_answer_to_it() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    skip(&village, &matter, "raise").await;
    let discussion = village.discussion(&app, &matter).await.to_string();
    say(&village.member, &discussion, "先说一句").await;
    app.pass(TimeDelta::minutes(1)).await;
    let own = village.council.to_string();
    invite(&app, &village.chair, &matter, (&[own.as_str()], 1)).await.ok();
    assert_eq!(states(&app, &matter).await, ["invited"]);
    say(&village.member, &discussion, "再说一句").await;
    assert_eq!(states(&app, &matter).await, ["took_part"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_another_town_are_not_invited() {
    let (app, village) = scene().await;
    let operator = county::operator(&app).await;
    let founded = |name: &str, area: &str| json!({ "kind": "federation", "name": name, "areas": [area] });
    let far = id(&operator.post("/v1/bodies", founded("钟管镇联合会", "330521104")).await.ok());
    let near = id(&operator.post("/v1/bodies", founded("洛舍镇联合会", "330521103")).await.ok());
    let matter = raise(&village, json!({})).await;
    skip(&village, &matter, "raise").await;
    let both = [near.as_str(), far.as_str()];
    assert_eq!(invite(&app, &village.chair, &matter, (&both, 1)).await.refused(), "invalid_fields");
    invite(&app, &village.chair, &matter, (&both[..1], 1)).await.ok();
    assert_eq!(states(&app, &matter).await, ["invited"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sits_in_two_invited_bodies_speaks_until_both_have_declined() {
    let (app, village) = scene().await;
    let (council, guest, _) = neighbours(&app, &village).await;
    let branch = json!({ "kind": "party_branch", "name": "邻村党支部", "areas": [NEXT] });
    let branch = id(&village.town.post("/v1/bodies", branch).await.ok());
    let seat = json!({ "person_id": guest.person, "role": "chair" });
    village.town.post(&format!("/v1/bodies/{branch}/seats"), seat).await.ok();
    app.settle().await;
    let guest = Somebody::signed_in(&app, guest.person).await;
    let matter = raise(&village, json!({})).await;
    skip(&village, &matter, "raise").await;
    let messages = format!("/v1/streams/{}/messages", village.discussion(&app, &matter).await);
    let say = async || guest.post(&messages, json!({ "client_id": Uuid::now_v7(), "text": "我们村修过水池" })).await;
    invite(&app, &village.chair, &matter, (&[council.as_str(), branch.as_str()], 1)).await.ok();
    say().await.ok();
    let decline = format!("/v1/matters/{matter}/invitations/decline");
    for (body, may_speak) in [(&council, true), (&branch, false)] {
        guest.post(&decline, json!({ "body_id": body, "reason": "人手不够" })).await.ok();
        let said = say().await;
        if may_speak {
            said.ok();
        } else {
            assert_eq!(said.refused(), "not_found");
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sits_down_in_an_invited_body_speaks_from_that_day_on() {
    let (app, village) = scene().await;
    let (council, ..) = neighbours(&app, &village).await;
    let matter = raise(&village, json!({})).await;
    skip(&village, &matter, "raise").await;
    invite(&app, &village.chair, &matter, (&[council.as_str()], 9)).await.ok();
    let messages = format!("/v1/streams/{}/messages", village.discussion(&app, &matter).await);
    let words = || json!({ "client_id": Uuid::now_v7(), "text": "我也来说一句" });
    let seats = format!("/v1/bodies/{council}/seats");
    let newcomer = person_of(&app.app, NEXT, "00003").await;
    let seat = village.town.post(&seats, json!({ "person_id": newcomer, "role": "member" })).await.ok();
    app.settle().await;
    Somebody::signed_in(&app, newcomer).await.post(&messages, words()).await.ok();
    village.town.post(&format!("/v1/seats/{}/end", id(&seat)), json!(null)).await.ok();
    let tomorrow = clock::local_date(app.app.now() + TimeDelta::days(1));
    let seat = json!({ "person_id": newcomer, "role": "member", "starts_on": tomorrow });
    village.town.post(&seats, seat).await.ok();
    app.settle().await;
    assert_eq!(Somebody::signed_in(&app, newcomer).await.post(&messages, words()).await.refused(), "not_found");
    app.pass(TimeDelta::days(1)).await;
    Somebody::signed_in(&app, newcomer).await.post(&messages, words()).await.ok();
    // of a stay that is over nobody is let in any more
    skip(&village, &matter, "deliberate").await;
    app.pass(TimeDelta::days(1)).await;
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM invitations WHERE seated_on IS NOT NULL").await, 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_one_of_two_seats_in_invited_bodies_speaks_for_the_other() {
    let (app, village) = scene().await;
    let (council, guest, seat) = neighbours(&app, &village).await;
    let branch = json!({ "kind": "party_branch", "name": "邻村党支部", "areas": [NEXT] });
    let branch = id(&village.town.post("/v1/bodies", branch).await.ok());
    let other = json!({ "person_id": guest.person, "role": "chair" });
    let other = id(&village.town.post(&format!("/v1/bodies/{branch}/seats"), other).await.ok());
    app.settle().await;
    let matter = raise(&village, json!({})).await;
    skip(&village, &matter, "raise").await;
    let messages = format!("/v1/streams/{}/messages", village.discussion(&app, &matter).await);
    invite(&app, &village.chair, &matter, (&[council.as_str(), branch.as_str()], 9)).await.ok();
    let words = || json!({ "client_id": Uuid::now_v7(), "text": "我们村修过水池" });
    // the one they spoke for, then the last one
    for (ended, may_speak) in [(&seat, true), (&other, false)] {
        village.town.post(&format!("/v1/seats/{ended}/end"), json!(null)).await.ok();
        app.settle().await;
        let said = Somebody::signed_in(&app, guest.person).await.post(&messages, words()).await;
        if may_speak {
            said.ok();
        } else {
            assert_eq!(said.refused(), "not_found");
        }
    }
    app.stop().await;
}
