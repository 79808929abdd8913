//! Votes without a matter: the chair of a council at its meeting, a village committee in a booth; whose they are, who is told.
use chrono::TimeDelta;
use liusheng::board::sealing::Trustee;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    key_pairs,
    paper::{issue, leaves, number, photo, tally},
    votes::checked,
};
use crate::support::{Raw, Somebody, TestApp, Village, answer, count, person_of};

const CLIP: &[u8] = include_bytes!("../../data/media/lamp.m4a");

/// A meeting of the council about its own affairs.
pub(super) async fn called(app: &TestApp, village: &Village) -> Value {
    let call = json!({ "area_code": village.area, "body_id": village.council, "audience": "members",
        "business": "own_affairs", "title": "换届会议", "agenda": "选举会长", "place": "文化礼堂",
        "starts_at": app.app.now() + TimeDelta::hours(3) });
    village.council_chair.post("/v1/meetings", call).await.ok()["id"].clone()
}

pub(super) fn election(app: &TestApp, meeting: &Value) -> Value {
    json!({ "meeting_id": meeting, "question": "选举会长", "preset": "council_election", "secrecy": "secret",
        "options": ["沈会长", "费会长"], "closes_at": app.app.now() + TimeDelta::days(1) })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_council_elects_its_chair_at_its_own_meeting_and_nobody_else_has_a_hand_in_it() {
    let (app, village) = Village::start().await;
    let meeting = called(&app, &village).await;
    let ask = election(&app, &meeting);
    // the village's office does not open it, nor a member; not without a meeting, not openly, not about a matter
    for other in [&village.chair, &village.member] {
        assert_eq!(other.post("/v1/votes", ask.clone()).await.refused(), "not_allowed");
    }
    for (field, value) in [("meeting_id", Value::Null), ("secrecy", json!("open")), ("challenge_days", json!(0))] {
        let mut wrong = ask.clone();
        wrong[field] = value;
        assert_eq!(village.council_chair.post("/v1/votes", wrong).await.refused(), "invalid_fields", "{field}");
    }
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let mut wrong = ask.clone();
    (wrong["matter_id"], wrong["meeting_id"]) = (json!(matter), Value::Null);
    assert_eq!(village.chair.post("/v1/votes", wrong).await.refused(), "invalid_fields");
    let meeting = called(&app, &village).await;
    let vote = village.council_chair.post("/v1/votes", election(&app, &meeting)).await.ok();
    assert_eq!(
        (&vote["unit"], &vote["is_binding"], vote.get("matter_id")),
        (&json!("body_member"), &json!(true), None)
    );
    assert_eq!(vote["challenge_days"], 7);
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    let mut keys = Vec::new();
    for ((trustee, (public, private)), holder) in
        Trustee::ALL.into_iter().zip(key_pairs(3)).zip([&village.chair, &village.supervisor, &village.town])
    {
        holder.post(&format!("{path}/keys"), json!({ "trustee": trustee, "public_key": public })).await.ok();
        keys.push(json!({ "trustee": trustee, "private_key": private }));
    }
    app.settle().await;
    assert_eq!(app.get(&path).await.ok()["state"], "open");
    // the members are told, each in the own mailbox, and the village is not
    let told = "SELECT count(*) FROM entries WHERE kind = 'card' AND body LIKE '%由本会%位成员投票%'";
    let electors = vote["on_roll"].as_i64().unwrap();
    assert_eq!(count(app.folder.path(), told).await, electors + 1, "each member, and the council's own stream");
    let ballot = || json!({ "cast_id": Uuid::new_v4(), "choices": ["1"] });
    let outsider = village.villager(&app, "00007").await;
    assert_eq!(outsider.post(&format!("{path}/ballots"), ballot()).await.refused(), "not_on_roll");
    for member in [&village.council_chair, &village.secretary, &village.member] {
        member.post(&format!("{path}/ballots"), ballot()).await.ok();
    }
    for page in [format!("/votes/{}", &path[10..]), format!("/desk/votes/{}", &path[10..])] {
        assert_eq!(village.council_chair.download(&page).await.0, 200, "{page}");
    }
    for part in ["/desk/meetings/", "/meetings/"] {
        let page = village.council_chair.download(&format!("{part}{}", meeting.as_str().unwrap())).await;
        assert!(String::from_utf8(page.1).unwrap().contains(&path[3..]), "{part}");
    }
    // only the office above annuls it
    let why = json!({ "reason": "问题写错了", "authority": "镇政府" });
    assert_eq!(village.council_chair.post(&format!("{path}/annul"), why.clone()).await.refused(), "not_allowed");
    assert_eq!(village.chair.post(&format!("{path}/annul"), why).await.refused(), "not_allowed");
    app.pass(TimeDelta::days(2)).await;
    keys.truncate(2);
    let result = village.town.post(&format!("{path}/opening"), json!({ "keys": keys })).await.ok();
    assert_eq!((&result["outcome"], &result["settlement"]), (&json!("passed"), &json!("provisional")), "{result}");
    assert!(result["choice"]["options"][0]["is_elected"] == true);
    checked(&app, &path[10..], &[]).await;
    app.pass(TimeDelta::days(8)).await;
    app.settle().await;
    assert_eq!(app.get(&format!("{path}/result")).await.ok()["settlement"], "final");
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM body_elections").await, 1);
    let page = app.http.get(app.url(&format!("/votes/{}/result", &path[10..]))).send().await.unwrap();
    assert_eq!(page.status(), 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn how_a_councils_election_sounds_is_the_councils() {
    let (app, village) = Village::start().await;
    let meeting = called(&app, &village).await;
    let vote = village.council_chair.post("/v1/votes", election(&app, &meeting)).await.ok();
    let id = vote["id"].as_str().unwrap();
    keyed(&village, &format!("/v1/votes/{id}")).await;
    app.settle().await;
    let said = async |who: &Somebody| {
        let clip = who.upload(CLIP.to_vec()).await.ok()["id"].clone();
        let put = who.request(reqwest::Method::PUT, &format!("/v1/aloud/vote/{id}"));
        answer(put.json(&json!({ "media_id": clip }))).await
    };
    let offers = async |who: &Somebody| {
        let page = who.download(&format!("/desk/aloud/vote/{id}")).await;
        String::from_utf8(page.1).unwrap().contains("type=\"file\"")
    };
    for outsider in [&village.chair, &village.clerk] {
        assert_eq!(said(outsider).await.refused(), "not_allowed");
        assert!(!offers(outsider).await);
    }
    said(&village.council_chair).await.ok();
    assert!(offers(&village.council_chair).await);
    let taken = village.chair.request(reqwest::Method::DELETE, &format!("/v1/aloud/vote/{id}"));
    assert_eq!(answer(taken).await.refused(), "not_allowed");
    app.stop().await;
}

/// The keys of the three, by their public and private halves, and the vote open.
pub(super) async fn keyed(village: &Village, path: &str) -> Value {
    let mut keys = Vec::new();
    for ((trustee, (public, private)), holder) in
        Trustee::ALL.into_iter().zip(key_pairs(3)).zip([&village.chair, &village.supervisor, &village.town])
    {
        holder.post(&format!("{path}/keys"), json!({ "trustee": trustee, "public_key": public })).await.ok();
        keys.push(json!({ "trustee": trustee, "private_key": private }));
    }
    keys.truncate(2);
    json!({ "keys": keys })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_member_who_lives_in_another_village_sees_the_roll_and_objects_to_it() {
    let (app, village) = Village::start().await;
    let raw = Raw::open(app.folder.path()).await;
    let both =
        "INSERT INTO body_areas (body_id, area_code) SELECT id, '330521103203' FROM bodies WHERE kind = 'council'";
    assert_eq!(raw.execute(both).await, 1);
    raw.close().await;
    let (member, stranger) = (village.neighbour(&app).await, village.villager(&app, "00007").await);
    let entered = json!({ "person_id": member.person });
    village.council_chair.post(&format!("/v1/bodies/{}/members", village.council), entered).await.ok();
    let meeting = called(&app, &village).await;
    let vote = village.council_chair.post("/v1/votes", election(&app, &meeting)).await.ok();
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    keyed(&village, &path).await;
    let listed = member.get(&format!("{path}/roll/entries?limit=100")).await.ok();
    assert_eq!(json!(listed["items"].as_array().unwrap().len()), vote["on_roll"]);
    let page = String::from_utf8(member.download(&format!("{}/roll", &path[3..])).await.1).unwrap();
    assert!(page.contains("您在名册上") && page.contains("提出异议"), "{page}");
    let about = json!({ "kind": "wrong", "about": { "name": "沈文龙" }, "reason": "已经退会" });
    let refused = member.post(&format!("{path}/roll/objections"), about).await;
    assert_eq!(refused.refused(), "not_on_roll", "not that there is no such vote");
    // whoever lives where the council meets sees that roll, too; another of the next village does not
    stranger.get(&format!("{path}/roll/entries")).await.ok();
    let other = Somebody::signed_in(&app, person_of(&app.app, "330521103203", "00003").await).await;
    assert_eq!(other.get(&format!("{path}/roll/entries")).await.refused(), "not_found");
    member.post(&format!("{path}/ballots"), json!({ "cast_id": Uuid::new_v4(), "choices": ["2"] })).await.ok();
    app.stop().await;
}

/// One post of three was filled, then two: the term of all others does not end by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_election_of_one_who_leads_a_council_is_not_that_of_the_council() {
    let (app, village) = Village::start().await;
    let mut seats = Vec::new();
    for number in ["00010", "00007"] {
        let vice = json!({ "person_id": person_of(&app.app, &village.area, number).await, "role": "vice_chair" });
        let seat = village.town.post(&format!("/v1/bodies/{}/seats", village.council), vice).await.ok();
        seats.push(seat["id"].as_str().unwrap().to_owned());
    }
    // a post that fell vacant is to be filled, too
    app.pass(TimeDelta::days(1)).await;
    village.town.post(&format!("/v1/seats/{}/end", seats[1]), json!(null)).await.ok();
    let elected = async |question: &str, first: &str| {
        let mut ask = election(&app, &called(&app, &village).await);
        (ask["question"], ask["options"]) = (json!(question), json!([first, "费会长"]));
        let vote = village.council_chair.post("/v1/votes", ask).await.ok();
        let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
        let keys = keyed(&village, &path).await;
        for member in [&village.council_chair, &village.secretary, &village.member] {
            let ballot = json!({ "cast_id": Uuid::new_v4(), "choices": ["1"] });
            member.post(&format!("{path}/ballots"), ballot).await.ok();
        }
        app.pass(TimeDelta::days(2)).await;
        village.town.post(&format!("{path}/opening"), keys).await.ok();
        app.pass(TimeDelta::days(8)).await;
        assert_eq!(app.get(&format!("{path}/result")).await.ok()["settlement"], "final");
        count(app.folder.path(), "SELECT count(*) FROM body_elections").await
    };
    assert_eq!(elected("选举会长", "沈会长").await, 0);
    assert_eq!(elected("选举副会长", "俞会长").await, 0, "as many as sit there, and one post is vacant");
    assert_eq!(elected("选举另一位副会长", "沈会长").await, 0, "chosen for the second post");
    assert_eq!(elected("选举另一位副会长", "姚会长").await, 1, "all were elected anew");
    app.stop().await;
}

/// Who was tied is voted on again at a meeting that is still to come: the one before may be held, with its minutes, by then.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_tie_inside_a_council_is_voted_on_again_at_a_meeting_to_come() {
    let (app, village) = Village::start().await;
    let meeting = called(&app, &village).await;
    let mut ask = election(&app, &meeting);
    (ask["max_choices"], ask["seats"]) = (json!(2), json!(1));
    let vote = village.council_chair.post("/v1/votes", ask).await.ok()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/votes/{vote}");
    let keys = keyed(&village, &path).await;
    for member in [&village.council_chair, &village.secretary, &village.member] {
        let both = json!({ "cast_id": Uuid::new_v4(), "choices": ["1", "2"] });
        member.post(&format!("{path}/ballots"), both).await.ok();
    }
    app.pass(TimeDelta::days(2)).await;
    let result = village.town.post(&format!("{path}/opening"), keys).await.ok();
    assert_eq!(result["outcome"], "tie", "{result}");
    // whoever supervises the village answers for a council that is silent, and overturns nothing in it
    let raised = village.member.post(&format!("{path}/challenges"), json!({ "reason": "少数了一票" })).await.ok();
    let answer = format!("{path}/challenges/{}/answer", raised["id"].as_str().unwrap());
    app.pass(TimeDelta::days(6)).await;
    let says = |upholds: bool| json!({ "upholds": upholds, "answer": "复核过" });
    assert_eq!(village.supervisor.post(&answer, says(true)).await.refused(), "not_allowed");
    village.supervisor.post(&answer, says(false)).await.ok();
    app.pass(TimeDelta::days(2)).await;
    let next = called(&app, &village).await;
    let desk = String::from_utf8(village.council_chair.download(&format!("/desk{}", &path[3..])).await.1).unwrap();
    assert!(desk.contains(&format!("<option value=\"{}\"", next.as_str().unwrap())), "{desk}");
    let closes = liusheng::clock::local(app.app.now() + TimeDelta::days(1)).format("%Y-%m-%dT%H:%M").to_string();
    let again = village.council_chair.request(reqwest::Method::POST, &format!("/desk{}/again", &path[3..]));
    let again =
        again.header("sec-fetch-site", "same-origin").header("content-type", "application/x-www-form-urlencoded");
    let typed = format!("closes_at={closes}&meeting_id={}", next.as_str().unwrap());
    assert_eq!(again.body(typed).send().await.unwrap().status(), 303);
    // while that one runs nobody opens another, to choose between the two
    let twice = json!({ "meeting_id": next, "question": "选举会长", "preset": "council_election", "secrecy": "secret",
        "parent_vote_id": vote, "closes_at": app.app.now() + TimeDelta::days(1) });
    assert_eq!(village.council_chair.post("/v1/votes", twice).await.refused(), "wrong_state");
    let page = village.council_chair.download(&format!("/desk/meetings/{}", next.as_str().unwrap())).await;
    let page = String::from_utf8(page.1).unwrap();
    assert!(page.contains("/desk/votes/") && !page.contains(&vote), "{page}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_village_committee_is_elected_in_a_booth_with_roll_proxies_sheets_and_count_held_here() {
    let (app, village) = Village::start().await;
    let starts = app.app.now() + TimeDelta::days(25);
    let call = json!({ "area_code": village.area, "body_id": village.committee, "audience": "villagers",
        "title": "选举大会", "agenda": "选举村民委员会主任", "place": "文化礼堂", "starts_at": starts });
    let meeting = village.chair.post("/v1/meetings", call).await.ok()["id"].clone();
    let ask = |more: Value| {
        let mut all = json!({ "meeting_id": meeting, "question": "选举主任", "preset": "committee_election_round1",
            "secrecy": "paper", "has_paper": true, "options": ["费海荣 00007", "沈主任", "俞主任"], "seats": 1,
            "closes_at": starts + TimeDelta::hours(8) });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    assert_eq!(village.chair.post("/v1/votes", ask(json!({ "secrecy": "secret" }))).await.refused(), "paper_required");
    // as many candidates as places are no election, and a ballot that names more than there are places is none
    let (unopposed, too_many) = (json!({ "seats": 3 }), json!({ "max_choices": 2 }));
    for wrong in [
        json!({ "has_paper": false }),
        json!({ "allows_revote": true }),
        json!({ "roll_days": 5 }),
        unopposed,
        too_many,
    ] {
        assert_eq!(village.chair.post("/v1/votes", ask(wrong.clone())).await.refused(), "invalid_fields", "{wrong}");
    }
    // the village's other questions go through the stages of a matter
    let plain = json!({ "meeting_id": meeting, "question": "修桥？", "preset": "village_assembly_person",
        "closes_at": starts + TimeDelta::hours(8) });
    assert_eq!(village.chair.post("/v1/votes", plain).await.refused(), "invalid_fields");
    let second = |more: Value| {
        let mut all = ask(json!({ "preset": "committee_election_round2" }));
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let refused = village.chair.post("/v1/votes", second(json!({}))).await;
    assert!(refused.body.to_string().contains("no_round_before"), "a second round without a first: {}", refused.body);
    let vote = village.chair.post("/v1/votes", ask(json!({}))).await.ok();
    assert_eq!(
        (&vote["state"], &vote["is_binding"]),
        (&json!("posted"), &json!(true)),
        "the roll hangs for twenty days"
    );
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    app.pass(TimeDelta::days(21)).await;
    app.settle().await;
    assert_eq!(app.get(&path).await.ok()["state"], "open");
    let elector = village.villager(&app, "00007").await;
    let ballot = json!({ "cast_id": Uuid::new_v4(), "choices": ["1"] });
    assert_eq!(elector.post(&format!("{path}/ballots"), ballot).await.refused(), "paper_required");
    // nobody casts for others who may be chosen by it; the son may
    let wife = village.villager(&app, "00008").await;
    let candidate = json!({ "agent": { "name": "费海荣" }, "relation": "spouse" });
    let refused = wife.post(&format!("{path}/proxies"), candidate).await;
    assert!(refused.body.to_string().contains("is_candidate"), "a candidate casts for others: {}", refused.body);
    let son = json!({ "agent": { "name": "费文斌", "roster_number": "00009" }, "relation": "child" });
    wife.post(&format!("{path}/proxies"), son).await.ok();
    let page = String::from_utf8(elector.download(&path[3..]).await.1).unwrap();
    assert!(page.contains("秘密写票处") && !page.contains("name=\"choice\""), "{page}");
    let mut electors: Vec<Somebody> = Vec::new();
    for number in 1..=59 {
        electors.push(village.villager(&app, &format!("{number:05}")).await);
    }
    let mut sheets = 0;
    for who in &electors {
        let mine = who.get(&format!("{path}/me")).await.ok();
        if mine["is_on_roll"] == true && sheets < 40 {
            issue(&village.clerk, &path, number(who, &path).await).await.ok();
            sheets += 1;
        }
    }
    app.pass(TimeDelta::days(5)).await;
    assert_eq!(app.get(&path).await.ok()["state"], "counting_paper");
    let told = |photo| tally(json!({ "1": 18, "3": 17 }), (3, 2), photo);
    village.clerk.post(&format!("{path}/paper/counts"), told(photo(&village.clerk).await)).await.ok();
    village.supervisor.post(&format!("{path}/paper/counts"), told(None)).await.ok();
    village.chair.post(&format!("{path}/paper/signature"), json!({})).await.ok();
    let result = app.get(&format!("{path}/result")).await.ok();
    assert_eq!((&result["reason"], &result["count"]["present"]), (&json!("seats_open"), &json!(40)), "{result}");
    assert!(result["choice"]["options"][0]["is_elected"] == false && result["choice"]["options"][0]["votes"] == 18);
    let archive = checked(&app, &path[10..], &[]).await;
    assert_eq!((leaves(&archive, "ballot").len(), archive["manifest"]["secrecy"].as_str()), (0, Some("paper")));
    // nothing follows from a round that was overturned, nor from one that is void: the election begins anew
    let raw = Raw::open(app.folder.path()).await;
    let in_time = second(json!({ "closes_at": app.app.now() + TimeDelta::days(20) }));
    for (column, was, is) in
        [("settlement", "provisional", "overturned"), ("result", "\"valid\":true", "\"valid\":false")]
    {
        let write = |from: &str, to: &str| {
            let first = "WHERE preset = 'committee_election_round1'";
            format!("UPDATE votes SET {column} = replace({column}, '{from}', '{to}') {first}")
        };
        assert_eq!(raw.execute(&write(was, is)).await, 1);
        let refused = village.chair.post("/v1/votes", in_time.clone()).await;
        assert!(refused.body.to_string().contains("no_round_before"), "{column}: {}", refused.body);
        assert_eq!(raw.execute(&write(is, was)).await, 1);
    }
    raw.close().await;
    // nobody comes in by the smaller majority who did not stand, nor for more places than were left
    for (wrong, code) in [
        (json!({ "options": ["费海荣 00007", "后来的人"] }), "no_place_left"),
        (json!({ "options": [] }), "no_place_left"),
        (json!({ "seats": 2 }), "out_of_range"),
    ] {
        let mut all = in_time.clone();
        all.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let refused = village.chair.post("/v1/votes", all).await;
        assert!(refused.body.to_string().contains(code), "{wrong}: {}", refused.body);
    }
    // what was left open is voted on within thirty days of that day
    for (days, is_in_time) in [(35, false), (20, true)] {
        let starts = app.app.now() + TimeDelta::days(days);
        let call = json!({ "area_code": village.area, "body_id": village.committee, "audience": "villagers",
            "title": "另行选举大会", "agenda": "另行选举", "place": "文化礼堂", "starts_at": starts });
        let meeting = village.chair.post("/v1/meetings", call).await.ok()["id"].clone();
        let ask = second(json!({ "meeting_id": meeting, "closes_at": starts + TimeDelta::hours(8) }));
        let asked = village.chair.post("/v1/votes", ask).await;
        let told = asked.body.to_string();
        assert_eq!((asked.status == 201, told.contains("second_round_too_late")), (is_in_time, !is_in_time), "{told}");
    }
    assert_eq!(village.chair.post("/v1/votes", in_time).await.refused(), "wrong_state", "two at once for one place");
    app.stop().await;
}
