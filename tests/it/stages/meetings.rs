//! How many of how many came, what was resolved, who does it; members without a seat; what councils meet about.
use serde_json::json;

use super::{PHOTO, doors_open, id, missing, office_cards, own_cards, page, raise, scene, sign_in, skip};
use crate::support::Somebody;

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_counts_when_more_than_half_came_and_something_was_carried() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    skip(&village, &matter, "raise").await;
    let chair = &village.council_chair;
    let about = || (village.council, json!({ "matter_id": matter }));
    let one_of_three = doors_open(&app, chair, about()).await;
    sign_in(&[chair], &one_of_three).await;
    let minutes = json!({ "minutes": "只来了一个人", "resolution": "同意" });
    let held = chair.post(&format!("{one_of_three}/minutes"), minutes).await.ok();
    assert_eq!(held["quorum"], json!({ "entitled": 3, "present": 1, "needed": 2, "is_met": false }));
    assert_eq!(missing(&village.chair, &matter).await, ["quorum"]);

    // two came and resolved nothing, or what was put to them was not carried
    for resolutions in [json!([]), json!([{ "text": "修两个", "votes_for": 1, "votes_against": 1 }])] {
        let meeting = doors_open(&app, chair, about()).await;
        sign_in(&[chair, &village.secretary], &meeting).await;
        let minutes = json!({ "minutes": "说了", "resolutions": resolutions });
        let held = chair.post(&format!("{meeting}/minutes"), minutes).await.ok();
        assert_eq!(held["quorum"]["is_met"], true);
        assert_eq!(missing(&village.chair, &matter).await, ["resolution"]);
    }

    let meeting = doors_open(&app, chair, about()).await;
    sign_in(&[chair, &village.secretary], &meeting).await;
    let path = format!("{meeting}/minutes");
    let due = (app.app.now() + chrono::TimeDelta::days(9)).format("%Y-%m-%d").to_string();
    let task = |owner: &Somebody| json!({ "owner_id": owner.person, "due_on": due });
    let resolved = |one: serde_json::Value| json!({ "minutes": "说了", "resolutions": [one] });
    let wrong = [
        json!({ "text": "修一个", "votes_for": 3 }),
        json!({ "text": "修一个", "votes_against": 1 }),
        json!({ "text": "", "votes_for": 2 }),
        json!({ "text": "修一个", "task": { "owner_id": village.member.person, "due_on": "2020-01-01" } }),
    ];
    for one in wrong {
        assert_eq!(chair.post(&path, resolved(one.clone())).await.refused(), "invalid_fields", "{one}");
    }
    let both = json!({ "minutes": "说了", "resolution": "同意", "resolutions": [{ "text": "修一个" }] });
    assert_eq!(chair.post(&path, both).await.refused(), "invalid_fields", "said twice");
    // a council advises and gives nobody a task, not even its own members
    let for_member = json!({ "text": "修一个", "votes_for": 2, "task": task(&village.member) });
    assert_eq!(chair.post(&path, resolved(for_member)).await.refused(), "not_allowed");
    let desk = page(chair, &format!("/desk/meetings/{}", meeting.rsplit('/').next().unwrap())).await;
    assert!(desk.contains("第 1 条") && !desk.contains("由谁去办"), "{desk}");
    assert!(desk.contains("到会：2 人，名单见签到\n议程："), "what is known need not be typed: {desk}");
    // what nobody counted, and what was defeated, is written down, and the meeting did not resolve it
    let said = json!({ "minutes": "说了", "resolutions": [{ "text": "修一个，先量地。", "votes_for": 2, "votes_against": 0 },
        { "text": "修三个", "votes_for": 1, "votes_against": 1 }, { "text": "下次再说" }] });
    let held = chair.post(&path, said).await.ok();
    let carried: Vec<_> = held["resolutions"].as_array().unwrap().iter().map(|one| one["is_carried"].clone()).collect();
    assert_eq!(
        (&held["resolution"], carried),
        (&json!("修一个，先量地。"), vec![json!(true), json!(false), json!(false)])
    );
    let moved = village.chair.post(&format!("/v1/matters/{matter}/advance"), json!({})).await.ok();
    assert_eq!(moved["stage"], "publicise");
    let committee = doors_open(&app, &village.chair, (village.committee, json!({ "matter_id": matter }))).await;
    sign_in(&[&village.chair], &committee).await;
    let path = format!("{committee}/minutes");
    let of_none = json!({ "text": "量地", "votes_for": 0, "votes_against": 1, "task": task(&village.member) });
    assert_eq!(village.chair.post(&path, resolved(of_none)).await.refused(), "invalid_fields", "not carried");
    let outsider = village.villager(&app, "00007").await;
    let to_outsider = json!({ "text": "量地", "votes_for": 1, "task": task(&outsider) });
    assert_eq!(village.chair.post(&path, resolved(to_outsider)).await.refused(), "invalid_fields", "without a seat");
    let measure = json!({ "text": "量地", "votes_for": 1, "task": task(&village.member) });
    village.chair.post(&path, resolved(measure)).await.ok();

    // who does it has it on the own list, and shows that it is done
    let todo = village.member.get("/v1/me/tasks").await.ok();
    assert_eq!((&todo[0]["title"], &todo[0]["matter_id"]), (&json!("量地"), &json!(matter)));
    let photo = village.member.upload(PHOTO.to_vec()).await.ok();
    let proof = json!({ "proof": "量好了", "photos": [photo["id"]] });
    village.member.post(&format!("/v1/tasks/{}/done", id(&todo[0])), proof).await.ok();
    let number = meeting.rsplit('/').next().unwrap();
    let shown = page(&village.clerk, &format!("/meetings/{number}")).await;
    assert!(shown.contains("应到 3 人，实到 2 人，达到法定人数") && shown.contains("同意 2 票"), "{shown}");
    assert!(shown.contains("没有计票，不算通过"), "{shown}");
    let number = committee.rsplit('/').next().unwrap();
    let desk = page(&village.chair, &format!("/desk/meetings/{number}")).await;
    assert!(desk.contains("量地") && desk.contains("/desk/tasks/"), "{desk}");
    let record = app.http.get(app.url(&format!("/record/{matter}"))).send().await.unwrap().text().await.unwrap();
    assert!(record.contains("<b>没有通过</b> 修三个") && record.contains("<b>决议</b> 修一个"), "{record}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn party_members_without_a_seat_sign_in_and_count() {
    let (app, village) = scene().await;
    let (chair, path) = (&village.branch_chair, format!("/v1/bodies/{}/members", village.branch));
    let mut members = Vec::new();
    for number in ["00008", "00010", "00011"] {
        members.push(village.villager(&app, number).await);
    }
    let enter = |who: &Somebody| json!({ "person_id": who.person });
    for who in [&village.chair, &village.town, &members[0]] {
        assert_eq!(who.post(&path, enter(&members[0])).await.refused(), "not_allowed");
        assert_eq!(who.get(&path).await.refused(), "not_allowed", "who is in the party is not for everybody");
    }
    assert_eq!(chair.post(&path, enter(&village.neighbour(&app).await)).await.refused(), "invalid_fields");
    for one in &members {
        chair.post(&path, enter(one)).await.ok();
    }
    chair.post(&path, enter(&members[0])).await.ok();
    assert_eq!(chair.get(&path).await.ok().as_array().map(Vec::len), Some(3), "each once");
    let list = page(chair, &format!("/desk/members?body={}", village.branch)).await;
    assert!(list.contains("俞美娟") && list.contains("名单上 3 人"), "{list}");

    let meeting = doors_open(&app, chair, (village.branch, json!({}))).await;
    assert!(own_cards(&app, &members[0]).await.contains(&"meeting_called".to_owned()));
    let attend = format!("{meeting}/attendances");
    let outsider = village.villager(&app, "00007").await;
    assert_eq!(outsider.post(&attend, json!({})).await.refused(), "not_allowed");
    let number = meeting.rsplit('/').next().unwrap();
    let doors = page(&members[0], &format!("/meetings/{number}")).await;
    assert!(doors.contains(&format!("/meetings/{number}/attendance")), "the button is there");
    sign_in(&[chair, &members[0]], &meeting).await;
    chair.post(&attend, json!({ "person_id": members[1].person, "via": "paper" })).await.ok();
    let minutes = json!({ "minutes": "审议", "resolutions": [{ "text": "同意", "votes_for": 2 }] });
    let held = chair.post(&format!("{meeting}/minutes"), minutes).await.ok();
    assert_eq!(held["quorum"], json!({ "entitled": 4, "present": 3, "needed": 3, "is_met": true }));
    assert!(
        own_cards(&app, &members[1]).await.contains(&"meeting_signed_for".to_owned()),
        "signed in on paper by another"
    );
    assert!(
        !own_cards(&app, &members[0]).await.contains(&"meeting_signed_for".to_owned()),
        "signed in by the own phone"
    );
    assert_eq!(held["resolutions"][0]["is_carried"], false, "two of four members are not more than half of all");

    // struck from the list, one is let in no more
    let end = format!("{path}/{}/end", members[0].person);
    assert_eq!(village.chair.post(&end, json!(null)).await.refused(), "not_allowed");
    assert_eq!(chair.post(&end, json!(null)).await.status, 204);
    assert_eq!(chair.post(&end, json!(null)).await.refused(), "not_found");
    let next = doors_open(&app, chair, (village.branch, json!({}))).await;
    assert_eq!(members[0].post(&format!("{next}/attendances"), json!({})).await.refused(), "not_allowed");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_council_advises_is_put_before_the_town() {
    let (app, village) = scene().await;
    let matter = raise(&village, json!({})).await;
    let call = |body, business: &str, matter: Option<&str>| {
        json!({ "area_code": village.area, "body_id": body, "title": "会", "agenda": "事", "place": "室",
            "business": business, "matter_id": matter, "starts_at": app.app.now() + chrono::TimeDelta::hours(2) })
    };
    let own = call(village.council, "own_affairs", Some(&matter));
    assert_eq!(village.council_chair.post("/v1/meetings", own).await.refused(), "invalid_fields");
    let not_a_council = call(village.committee, "government_advice", None);
    assert_eq!(village.chair.post("/v1/meetings", not_a_council).await.refused(), "invalid_fields");
    let seats = village.town.get("/v1/me").await.ok();
    let town = serde_json::from_value(seats["seats"][0]["body_id"].clone()).unwrap();
    let carried = json!([{ "text": "建议镇里修桥", "votes_for": 2 }]);
    let defeated = json!([{ "text": "建议镇里修路", "votes_for": 1, "votes_against": 1 }, { "text": "建议镇里修塔" }]);
    for (business, resolutions, cards) in
        [("own_affairs", &carried, 0), ("government_advice", &defeated, 0), ("government_advice", &carried, 1)]
    {
        let meeting =
            doors_open(&app, &village.council_chair, (village.council, json!({ "business": business }))).await;
        sign_in(&[&village.council_chair, &village.secretary], &meeting).await;
        let minutes = json!({ "minutes": "说了", "resolutions": resolutions });
        let held = village.council_chair.post(&format!("{meeting}/minutes"), minutes).await.ok();
        assert_eq!(held["business"], business);
        assert_eq!(held.get("resolution").is_some(), *resolutions == carried, "{held}");
        let told = office_cards(&app, &village.town, town).await;
        assert_eq!(told.iter().filter(|card| *card == "government_advice").count(), cards, "{business}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hands_decide_nothing_at_the_villagers_own_meeting() {
    let (app, village) = scene().await;
    let (chair, villager) = (&village.chair, village.villager(&app, "00007").await);
    let meeting = doors_open(&app, chair, (village.committee, json!({ "audience": "villagers" }))).await;
    sign_in(&[chair, &villager], &meeting).await;
    let path = format!("{meeting}/minutes");
    let said = |task: Option<serde_json::Value>| {
        let mut one = json!({ "text": "修路", "votes_for": 2 });
        one.as_object_mut().unwrap().extend(task.map(|task| ("task".to_owned(), task)));
        json!({ "minutes": "来了两个人", "resolutions": [one] })
    };
    let due = (app.app.now() + chrono::TimeDelta::days(9)).format("%Y-%m-%d").to_string();
    let task = json!({ "owner_id": village.member.person, "due_on": due });
    assert_eq!(chair.post(&path, said(Some(task))).await.refused(), "invalid_fields", "two of all decide nothing");
    let held = chair.post(&path, said(None)).await.ok();
    assert_eq!((held.get("resolution"), &held["resolutions"][0]["is_carried"]), (None, &json!(false)), "{held}");
    let shown = page(&villager, &format!("/meetings/{}", meeting.rsplit('/').next().unwrap())).await;
    assert!(shown.contains("村民会议靠表决决定"), "{shown}");
    app.stop().await;
}
