//! Who is called to a meeting is told of it, also by message: whoever sits in the body that meets, or belongs to it without;
//! who does a task hears that somebody else put it off, and whose voice is hidden, that it is.
use std::collections::BTreeSet;

use liusheng::ids::BodyId;

use super::*;

async fn call(scene: &Scene, who: &Somebody, (body, audience): (BodyId, &str)) -> String {
    let meeting = json!({ "area_code": scene.village.area, "body_id": body, "audience": audience, "title": "议路灯",
        "agenda": "路灯", "place": "礼堂", "starts_at": scene.app.app.now() + TimeDelta::days(5) });
    who.post("/v1/meetings", meeting).await.ok()["id"].as_str().unwrap().to_owned()
}

/// Whom messages about this kind of event are for.
async fn told(scene: &Scene, subject: &str, kind: &str) -> BTreeSet<String> {
    let select = format!(
        "SELECT DISTINCT d.target_id FROM deliveries d JOIN announcements a ON a.id = d.announcement_id \
         WHERE d.channel = 'sms' AND a.kind = '{kind}' AND a.subject_id = '{subject}'"
    );
    scene.rows(&select).await.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

fn people(some: &[&Somebody]) -> BTreeSet<String> {
    some.iter().map(|one| one.person.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn representatives_are_called_to_their_meeting_and_told_when_it_is_called_off() {
    let scene = Scene::set().await;
    let village = &scene.village;
    let meeting = call(&scene, &village.chair, (village.committee, "representatives")).await;
    scene.app.settle().await;
    scene.pass(TimeDelta::hours(5)).await;
    let theirs = people(&village.representatives.iter().collect::<Vec<_>>());
    assert_eq!(told(&scene, &meeting, "meeting.called").await, theirs);
    let reason = json!({ "reason": "下雨" });
    village.chair.post(&format!("/v1/meetings/{meeting}/cancel"), reason).await.ok();
    scene.app.settle().await;
    scene.pass(TimeDelta::hours(5)).await;
    assert_eq!(told(&scene, &meeting, "meeting.cancelled").await, theirs);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_belongs_to_a_body_without_a_seat_is_called_like_the_others() {
    let scene = Scene::set().await;
    let village = &scene.village;
    let (chair, without) = (&village.branch_chair, village.villager(&scene.app, "00008").await);
    let enter = json!({ "person_id": without.person });
    chair.post(&format!("/v1/bodies/{}/members", village.branch), enter).await.ok();
    let meeting = call(&scene, chair, (village.branch, "members")).await;
    scene.app.settle().await;
    scene.pass(TimeDelta::hours(5)).await;
    assert_eq!(told(&scene, &meeting, "meeting.called").await, people(&[chair, &without]));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_a_task_is_told_that_somebody_else_put_it_off() {
    let scene = Scene::set().await;
    let (chair, member) = (&scene.village.chair, &scene.village.member);
    for who in [chair, member] {
        agrees(who).await;
    }
    let mut tasks = Vec::new();
    for owner in [member, chair] {
        let task =
            json!({ "area_code": scene.village.area, "owner_id": owner.person, "title": "修灯", "working_days": 3 });
        let task = chair.post("/v1/tasks", task).await.ok()["id"].as_str().unwrap().to_owned();
        let later = (scene.app.app.local_now() + TimeDelta::days(20)).format("%Y-%m-%d").to_string();
        let put_off = json!({ "due_on": later, "reason": "石料没到" });
        chair.post(&format!("/v1/tasks/{task}/delays"), put_off).await.ok();
        tasks.push(task);
    }
    scene.app.settle().await;
    scene.pass(TimeDelta::hours(10)).await;
    assert_eq!(told(&scene, &tasks[0], "task.delayed").await, people(&[member]));
    assert_eq!(told(&scene, &tasks[1], "task.delayed").await, people(&[]), "who put it off knows");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_signed_in_by_somebody_else_is_told_so() {
    let scene = Scene::set().await;
    let (chair, member) = (&scene.village.council_chair, &scene.village.member);
    let meeting = call(&scene, chair, (scene.village.council, "members")).await;
    scene.app.pass(TimeDelta::days(5)).await;
    let attend = format!("/v1/meetings/{meeting}/attendances");
    chair.post(&attend, json!({})).await.ok();
    chair.post(&attend, json!({ "person_id": member.person, "via": "paper" })).await.ok();
    chair.post(&format!("/v1/meetings/{meeting}/minutes"), json!({ "minutes": "说了" })).await.ok();
    scene.app.settle().await;
    scene.pass(TimeDelta::hours(10)).await;
    assert_eq!(told(&scene, &meeting, "meeting.held").await, people(&[member]));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_voice_is_hidden_or_shown_again_is_told_so() {
    let scene = Scene::set().await;
    let (clerk, author) = (&scene.village.clerk, scene.village.villager(&scene.app, "00007").await);
    agrees(&author).await;
    let mut voices = Vec::new();
    // the second is held by the list of words as it is left
    for text in ["某某家住桥头三号", "村口小店有人搞网络赌博"] {
        let voice = json!({ "kind": "complaint", "visibility": "public", "text": text });
        voices.push(author.post("/v1/suggestions", voice).await.ok()["id"].as_str().unwrap().to_owned());
    }
    // what was shown within two seconds could have been shown after
    scene.app.settle().await;
    scene.pass(TimeDelta::minutes(10)).await;
    let hiding = async |voice: &str, input: Value| {
        let hide = clerk.request(reqwest::Method::PUT, &format!("/v1/suggestions/{voice}/hiding")).json(&input);
        assert_eq!(hide.send().await.unwrap().status(), 200);
    };
    hiding(&voices[0], json!({ "is_on": true, "reason": "写了住址" })).await;
    scene.app.settle().await;
    scene.pass(TimeDelta::hours(10)).await;
    assert_eq!(told(&scene, &voices[0], "suggestion.hidden").await, people(&[&author]));
    assert_eq!(
        told(&scene, &voices[1], "suggestion.hidden").await,
        people(&[]),
        "who has just left it sees that it waits"
    );
    hiding(&voices[1], json!({ "is_on": false })).await;
    scene.app.settle().await;
    // not by night
    scene.pass(TimeDelta::hours(20)).await;
    assert_eq!(told(&scene, &voices[1], "suggestion.shown").await, people(&[&author]));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_a_voice_is_hidden_is_not_told_once_it_is_shown_again() {
    let scene = Scene::set().await;
    let (clerk, author) = (&scene.village.clerk, scene.village.villager(&scene.app, "00007").await);
    agrees(&author).await;
    let voice = json!({ "kind": "complaint", "visibility": "public", "text": "某某家住桥头三号" });
    let voice = author.post("/v1/suggestions", voice).await.ok()["id"].as_str().unwrap().to_owned();
    scene.app.settle().await;
    scene.pass(TimeDelta::minutes(10)).await;
    for input in [json!({ "is_on": true, "reason": "写了住址" }), json!({ "is_on": false })] {
        let hide = clerk.request(reqwest::Method::PUT, &format!("/v1/suggestions/{voice}/hiding")).json(&input);
        assert_eq!(hide.send().await.unwrap().status(), 200);
        scene.app.settle().await;
    }
    scene.pass(TimeDelta::hours(10)).await;
    assert_eq!(told(&scene, &voice, "suggestion.hidden").await, people(&[]), "it is not so any more");
    assert_eq!(told(&scene, &voice, "suggestion.shown").await, people(&[&author]));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_took_back_what_was_written_down_is_not_told_of_it_any_more() {
    let scene = Scene::set().await;
    let clerk = &scene.village.clerk;
    let notice = scene.publish("水池", false).await;
    let (quick, slow) =
        (scene.village.villager(&scene.app, "00007").await, scene.village.villager(&scene.app, "00008").await);
    let mut written = Vec::new();
    for who in [&quick, &slow] {
        let said = json!({ "text": "太深", "person_id": who.person });
        let raised = clerk.post(&format!("/v1/notices/{notice}/objections"), said).await.ok();
        written.push(raised["id"].as_str().unwrap().to_owned());
    }
    quick.post(&format!("/v1/objections/{}/withdraw", written[0]), json!({})).await.ok();
    scene.app.settle().await;
    scene.pass(TimeDelta::hours(10)).await;
    assert_eq!(told(&scene, &written[0], "objection.raised").await, people(&[]), "who withdrew it knows of it");
    assert_eq!(told(&scene, &written[1], "objection.raised").await, people(&[&slow]));
    scene.app.stop().await;
}

/// Two hours are promised by night, too: whoever is to take it is woken, once for each who calls, and not once it is taken.
#[tokio::test(flavor = "multi_thread")]
async fn what_presses_is_told_at_once_to_who_is_to_take_it() {
    // ten at night
    let scene = Scene::set_at(13).await;
    let (village, app) = (&scene.village, &scene.app);
    let (author, other) = (village.villager(app, "00007").await, village.villager(app, "00008").await);
    let speak = async |who: &Somebody, urgency: &str| {
        let voice = json!({ "kind": "help", "visibility": "handlers", "text": "煤气味很重", "urgency": urgency });
        who.post("/v1/suggestions", voice).await.ok()["id"].as_str().unwrap().to_owned()
    };
    let (first, again, ordinary) =
        (speak(&author, "urgent").await, speak(&author, "urgent").await, speak(&other, "ordinary").await);
    app.settle().await;
    scene.pass(TimeDelta::minutes(5)).await;
    let takers = people(&[&village.chair, &village.clerk]);
    assert_eq!(told(&scene, &first, "suggestion.pressing").await, takers);
    for quiet in [&again, &ordinary] {
        assert_eq!(told(&scene, quiet, "suggestion.pressing").await, people(&[]), "woken once");
    }
    assert_eq!(scene.states().await, BTreeMap::from([("sent".to_owned(), 2)]), "by night");
    let taken = speak(&other, "urgent").await;
    village.clerk.post(&format!("/v1/suggestions/{taken}/accept"), json!(null)).await.ok();
    app.settle().await;
    scene.pass(TimeDelta::minutes(5)).await;
    assert_eq!(told(&scene, &taken, "suggestion.pressing").await, people(&[]), "somebody has it");
    // whom it is about never hears of it
    let about = json!({ "kind": "complaint", "visibility": "handlers", "text": "有人要打我", "urgency": "urgent",
        "about_person_id": village.clerk.person });
    let third = village.villager(app, "00011").await;
    let about = third.post("/v1/suggestions", about).await.ok()["id"].as_str().unwrap().to_owned();
    app.settle().await;
    scene.pass(TimeDelta::minutes(5)).await;
    let heard = told(&scene, &about, "suggestion.pressing").await;
    assert!(heard.is_disjoint(&takers), "{heard:?}");
    scene.app.stop().await;
}

/// Somebody who calls without end is heard once in two hours, and nobody is woken by all that one person has prepared.
#[tokio::test(flavor = "multi_thread")]
async fn who_calls_again_and_again_wakes_somebody_once_in_two_hours() {
    let scene = Scene::set().await;
    let (village, app) = (&scene.village, &scene.app);
    let author = village.villager(app, "00007").await;
    let mut voices = Vec::new();
    for _ in 0..3 {
        let voice =
            json!({ "kind": "complaint", "visibility": "handlers", "text": "水漫到门口了", "urgency": "urgent" });
        voices.push(author.post("/v1/suggestions", voice).await.ok()["id"].as_str().unwrap().to_owned());
        app.pass(TimeDelta::minutes(90)).await;
    }
    let pressed = async || {
        let mut counts = Vec::new();
        for voice in &voices {
            let of = format!("kind = 'suggestion.pressing' AND subject_id = '{voice}'");
            counts.push(scene.number(&format!("SELECT count(*) FROM events WHERE {of}")).await);
        }
        counts
    };
    assert_eq!(pressed().await, [1, 0, 1], "three hours after the first it presses again");
    app.pass(TimeDelta::hours(1)).await;
    for voice in [&voices[0], &voices[2]].map(|id| format!("/v1/suggestions/{id}")) {
        village.clerk.post(&format!("{voice}/accept"), json!(null)).await.ok();
        for _ in 0..2 {
            village.clerk.post(&format!("{voice}/answers"), json!({ "text": "去看过了" })).await.ok();
            author.post(&format!("{voice}/rating"), json!({ "rating": 1 })).await.ok();
        }
    }
    assert_eq!(pressed().await, [2, 0, 1], "both went up at once");
    scene.app.stop().await;
}

/// What is made ordinary rings no more, and whoever called it urgent does not ring again at once by another.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_ordinary_rings_no_more() {
    let scene = Scene::set_at(13).await;
    let (village, app) = (&scene.village, &scene.app);
    let author = village.villager(app, "00007").await;
    let speak = async || {
        let voice = json!({ "kind": "help", "visibility": "handlers", "text": "煤气味很重", "urgency": "urgent" });
        author.post("/v1/suggestions", voice).await.ok()["id"].as_str().unwrap().to_owned()
    };
    let first = speak().await;
    let why = json!({ "reason": "只是灶具坏了" });
    village.clerk.post(&format!("/v1/suggestions/{first}/ordinary"), why).await.ok();
    app.settle().await;
    scene.pass(TimeDelta::minutes(5)).await;
    assert_eq!(told(&scene, &first, "suggestion.pressing").await, people(&[]));
    let again = speak().await;
    app.settle().await;
    scene.pass(TimeDelta::minutes(5)).await;
    assert_eq!(told(&scene, &again, "suggestion.pressing").await, people(&[]), "it woke somebody a moment ago");
    scene.app.stop().await;
}
