//! Areas are public; bodies, terms and seats are filled by the offices, and rights come and go with the seats.
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    councils::at_work,
    county,
    support::{Somebody, Village, answer, person_of},
};

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap_or_else(|| panic!("no id in {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn areas_and_their_bodies_are_for_everybody_and_are_kept_by_their_tag() {
    let (app, village) = Village::start().await;
    let response = app.http.get(app.url("/v1/areas")).send().await.unwrap();
    let tag = response.headers()["etag"].to_str().unwrap().to_owned();
    let again = app.http.get(app.url("/v1/areas")).header("if-none-match", &tag).send().await.unwrap();
    assert_eq!((again.status().as_u16(), again.bytes().await.unwrap().len()), (304, 0));
    assert_eq!(app.get(&format!("/v1/areas/{}", village.area)).await.ok()["code"], json!(village.area));
    assert_eq!(app.get("/v1/areas/330521103999").await.refused(), "not_found");
    let bodies = app.get(&format!("/v1/areas/{}/bodies", village.area)).await.ok();
    let text = bodies.to_string();
    assert!(
        text.contains("东衡村村民委员会") && text.contains("章建明"),
        "who speaks for the village is named: {text}"
    );
    assert!(!text.contains("1950000") && !text.contains("330599"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_founds_bodies_in_its_own_areas_only() {
    let (app, village) = Village::start().await;
    let town = &village.town;
    let found = |kind: &str, areas: Value| json!({ "kind": kind, "name": "某机构", "areas": areas });
    let new = found("federation", json!(["330521103203"]));
    let first = town.post_once("/v1/bodies", "found-1", new.clone()).await.ok();
    assert_eq!(town.post_once("/v1/bodies", "found-1", new).await.ok(), first, "sent twice, founded once");
    let other = found("federation", json!([village.area]));
    assert_eq!(town.post_once("/v1/bodies", "found-1", other.clone()).await.refused(), "idempotency_mismatch");
    let elsewhere = town.post_once(
        "/v1/mandates",
        "found-1",
        json!({ "from_body_id": village.committee,
        "to_body_id": village.council, "scope": "publish_notice", "source": "会议" }),
    );
    assert_eq!(elsewhere.await.refused(), "idempotency_mismatch", "a key belongs to one operation");
    assert_eq!(town.post_once("/v1/bodies", &"k".repeat(256), other.clone()).await.refused(), "invalid_request");
    for (body, code) in [
        (found("village_committee", json!(["330521103"])), "invalid_fields"),
        (found("council", json!([])), "invalid_fields"),
        (found("emperor", json!([village.area])), "invalid_request"),
        (found("council", json!(["330521001001"])), "not_allowed"),
        (json!({ "kind": "council", "name": "x", "areas": [village.area], "id": 1 }), "invalid_request"),
    ] {
        let refused = town.post("/v1/bodies", body.clone()).await.refused();
        assert!(refused == code || (code == "invalid_request" && refused == "invalid_fields"), "{body}: {refused}");
    }
    for who in [&village.chair, &village.council_chair, &village.villager(&app, "00007").await] {
        assert_eq!(who.post("/v1/bodies", other.clone()).await.refused(), "not_allowed");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seat_is_taken_once_ended_once_and_nobody_supervises_themselves() {
    let (app, village) = Village::start().await;
    let town = &village.town;
    let seats = format!("/v1/bodies/{}/seats", village.committee);
    let person = person_of(&app.app, &village.area, "00049").await;
    let member = json!({ "person_id": person, "role": "member" });
    let seat = town.post(&seats, member.clone()).await.ok();
    assert_eq!(town.post(&seats, member.clone()).await.status, 422, "held already");
    assert_eq!(village.chair.post(&seats, member.clone()).await.refused(), "not_allowed");
    let supervision = json!({ "kind": "supervision_committee", "name": "监委", "areas": [village.area] });
    let supervision = town.post("/v1/bodies", supervision).await.ok();
    let excluded = town.post(&format!("/v1/bodies/{}/seats", id(&supervision)), member).await;
    assert_eq!(excluded.refused(), "seats_exclude", "who governs does not supervise");
    // the wife of the chair, and that of who supervises
    for (body, number) in [(id(&supervision), "00002"), (&village.committee.to_string(), "00029")] {
        let kin = json!({ "person_id": person_of(&app.app, &village.area, number).await, "role": "member" });
        let kin = town.post(&format!("/v1/bodies/{body}/seats"), kin).await;
        assert_eq!(kin.refused(), "seats_exclude", "{number} lives with who does the other");
    }
    let end = format!("/v1/seats/{}/end", id(&seat));
    town.post(&end, json!(null)).await.ok();
    assert_eq!(town.post(&end, json!(null)).await.refused(), "wrong_state");
    // so it is with one that was over by its day: who sat there until when is known for good
    let past = json!({ "person_id": person, "role": "member", "starts_on": "2025-01-01", "ends_on": "2025-12-31" });
    let past = town.post(&seats, past).await.ok();
    assert_eq!(town.post(&format!("/v1/seats/{}/end", id(&past)), json!(null)).await.refused(), "wrong_state");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_end_with_the_term() {
    let (app, village) = Village::start().await;
    let term = json!({ "number": 12, "starts_on": "2026-11-01", "ends_on": "2026-11-04" });
    let term = village.town.post(&format!("/v1/bodies/{}/terms", village.committee), term).await.ok();
    let person = person_of(&app.app, &village.area, "00049").await;
    let seat = json!({ "person_id": person, "role": "clerk", "term_id": id(&term) });
    village.town.post(&format!("/v1/bodies/{}/seats", village.committee), seat.clone()).await.ok();
    let council_term = village.town.post(&format!("/v1/bodies/{}/seats", village.council), seat).await;
    assert_eq!(council_term.status, 422, "the term of another body");
    let notice = json!({ "area_code": village.area, "title": "停水", "text": "明天停水。" });
    let clerk = Somebody::signed_in(&app, person).await;
    clerk.post("/v1/notices", notice.clone()).await.ok();
    app.pass(TimeDelta::hours(24 * 2 + 14)).await;
    Somebody::signed_in(&app, person).await.post("/v1/notices", notice.clone()).await.ok();
    // 00:00 in the county, the day after the last
    app.pass(TimeDelta::hours(1)).await;
    let late = Somebody::signed_in(&app, person).await;
    assert_eq!(late.post("/v1/notices", notice).await.refused(), "not_allowed");
    assert_eq!(late.get("/v1/suggestions?scope=desk").await.refused(), "not_allowed");
    let text = app.get(&format!("/v1/areas/{}/bodies", village.area)).await.ok().to_string();
    assert!(!text.contains("嵇国强"), "who sits there no more is not shown");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_that_is_open_loses_the_rights_of_a_seat_that_ends() {
    let (app, village) = Village::start().await;
    let notice = json!({ "area_code": village.area, "title": "停水", "text": "明天停水。" });
    village.clerk.post("/v1/notices", notice.clone()).await.ok();
    village.end_seat_of(&app, village.clerk.person).await;
    assert_eq!(village.clerk.post("/v1/notices", notice).await.refused(), "not_allowed");
    village.clerk.get("/v1/me").await.ok();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_council_publishes_only_with_a_mandate_of_the_committee() {
    let (app, village) = Village::start().await;
    let notice = json!({ "area_code": village.area, "title": "倡议", "text": "爱护溪水。" });
    let chair = &village.council_chair;
    assert_eq!(chair.post("/v1/notices", notice.clone()).await.refused(), "mandate_needed");
    let ends = app.app.now() + TimeDelta::days(1);
    let mandate = json!({ "from_body_id": village.committee, "to_body_id": village.council, "scope": "publish_notice",
        "source": "11 月 1 日村委会会议", "ends_at": ends });
    let own = chair.post("/v1/mandates", mandate.clone()).await.refused();
    assert_eq!(own, "not_allowed", "nobody mandates themselves");
    village.chair.post("/v1/mandates", mandate).await.ok();
    let published = chair.post("/v1/notices", notice.clone()).await.ok();
    assert_eq!(published["body_name"], "东衡村村民委员会", "{published}");
    assert_eq!(published["mandate_source"], "11 月 1 日村委会会议");
    let page = String::from_utf8(chair.download(&format!("/notices/{}", id(&published))).await.1).unwrap();
    assert!(page.contains("委托的依据：11 月 1 日村委会会议"), "by which decision");
    assert_eq!(village.member.post("/v1/notices", notice.clone()).await.refused(), "not_allowed");
    app.pass(TimeDelta::days(1)).await;
    assert_eq!(chair.post("/v1/notices", notice).await.refused(), "mandate_needed", "the mandate is over");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_with_a_code_and_never_with_a_fault() {
    let (app, village) = Village::start().await;
    let send = |text: &str| {
        let request = village.town.request(Method::POST, "/v1/bodies").header("content-type", "application/json");
        answer(request.body(text.to_owned()))
    };
    for text in
        ["", "{", "[]", "null", "\"x\"", "{\"kind\":7}", "{\"kind\":\"council\",\"name\":\"\\u0000\",\"areas\":[]}"]
    {
        let refused = send(text).await;
        assert!([400, 422].contains(&refused.status) && refused.body["code"].is_string(), "{text}: {refused:?}");
    }
    assert_eq!(send(&format!("{{\"name\":\"{}\"}}", "x".repeat(70_000))).await.refused(), "too_large");
    let plain = village.town.request(Method::POST, "/v1/bodies").body("{}");
    assert_eq!(answer(plain).await.refused(), "unsupported_type");
    assert_eq!(village.town.post("/v1/bodies/rubbish/terms", json!({ "number": 1 })).await.status, 404);
    assert_eq!(app.get("/v1/nowhere").await.refused(), "not_found");
    assert_eq!(answer(app.http.delete(app.url("/v1/areas"))).await.refused(), "method_not_allowed");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_council_has_one_grant_and_its_members_came_step_by_step() {
    let (app, village) = Village::start().await;
    let town = &village.town;
    let put = async |who: &Somebody, body: &str, input: Value| {
        answer(who.request(Method::PUT, &format!("/v1/bodies/{body}/registration")).json(&input)).await
    };
    let (council, committee) = (village.council.to_string(), village.committee.to_string());
    let grant = |fen: i64| json!({ "grant": { "fen": fen, "on": "2026-10-08" } });
    assert_eq!(put(&village.council_chair, &council, grant(2_000_000)).await.refused(), "not_allowed");
    for wrong in [
        grant(999_999),
        grant(3_000_001),
        json!({ "grant": { "fen": 2_000_000, "on": "2030-01-01" } }),
        json!({ "registration": "" }),
    ] {
        assert_eq!(put(town, &council, wrong.clone()).await.refused(), "invalid_fields", "{wrong}");
    }
    assert_eq!(put(town, &committee, grant(2_000_000)).await.refused(), "invalid_fields", "of a council alone");
    put(town, &council, json!({ "registration": "浙德社备第12号" })).await.ok();
    assert_eq!(put(town, &council, grant(2_000_000)).await.refused(), "invalid_fields", "it has done nothing yet");
    at_work(&app, &village).await;
    put(town, &council, grant(2_000_000)).await.ok();
    let kept = put(town, &council, grant(2_000_000)).await.ok();
    assert_eq!((&kept["grant"]["fen"], &kept["registration"]), (&json!(2_000_000), &json!("浙德社备第12号")));
    assert_eq!(put(town, &council, grant(1_000_000)).await.refused(), "wrong_state", "once");
    let person = person_of(&app.app, &village.area, "00049").await;
    let member = |nomination: Value| {
        json!({ "person_id": person, "role": "member", "kind": "away", "route": "recommended",
            "starts_on": "2026-11-02", "nomination": nomination })
    };
    let seats = format!("/v1/bodies/{council}/seats");
    for wrong in [
        json!({ "nominated_on": "2026-10-09", "checked_on": "2026-10-08" }),
        json!({ "publicised_on": "2026-11-03" }),
        json!({ "recommended_by": "荐".repeat(201) }),
    ] {
        assert_eq!(town.post(&seats, member(wrong.clone())).await.refused(), "invalid_fields", "{wrong}");
    }
    let steps = json!({ "recommended_by": "十二名村民", "nominated_on": "2026-10-08", "checked_on": "2026-10-09",
        "publicised_on": "2026-10-12" });
    let elsewhere = format!("/v1/bodies/{committee}/seats");
    assert_eq!(town.post(&elsewhere, member(steps.clone())).await.refused(), "invalid_fields", "of a council alone");
    assert_eq!(town.post(&seats, member(steps.clone())).await.ok()["nomination"], steps);
    let shown = app.get(&format!("/v1/areas/{}/bodies", village.area)).await.ok().to_string();
    assert!(shown.contains("十二名村民") && shown.contains("浙德社备第12号"), "{shown}");
    let desk = village.clerk.download(&format!("/desk/bodies?area={}", village.area)).await.1;
    let desk = String::from_utf8(desk).unwrap();
    assert!(desk.contains("推荐：十二名村民") && desk.contains("20,000.00"), "{desk}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_somebody_listens_in_person_is_said_where_one_speaks_and_on_paper() {
    let (app, village) = Village::start().await;
    let path = format!("/v1/bodies/{}/room", village.committee);
    assert_eq!(app.get(&path).await.ok(), json!({}), "there is none yet");
    let bodies = app.get(&format!("/v1/areas/{}/bodies", village.area)).await.ok();
    let seats: Vec<Value> =
        bodies["items"].as_array().unwrap().iter().flat_map(|body| body["seats"].as_array().unwrap().clone()).collect();
    let of = |who: &Somebody| seats.iter().find(|seat| seat["person_id"] == json!(who.person)).unwrap().clone();
    let (clerk, chair, stranger) = (of(&village.clerk), of(&village.chair), of(&village.council_chair));
    let put = async |who: &Somebody, input: Value| answer(who.request(Method::PUT, &path).json(&input)).await;
    let room = |roster: Value| json!({ "place": "村委会一楼", "hours": "每天 8:30–17:00", "roster": roster });
    // a Monday
    let monday = json!({ "weekday": 1, "seat_id": clerk["id"] });
    for who in [&village.council_chair, &village.town, &village.villager(&app, "00007").await] {
        assert_eq!(put(who, room(json!([monday]))).await.refused(), "not_allowed");
    }
    for wrong in [
        room(json!([{ "weekday": 0, "seat_id": clerk["id"] }])),
        room(json!([{ "weekday": 8, "seat_id": clerk["id"] }])),
        room(json!([{ "weekday": 1, "seat_id": stranger["id"] }])),
        room(json!([monday, monday])),
        json!({ "place": "", "hours": "每天" }),
    ] {
        assert_eq!(put(&village.clerk, wrong.clone()).await.refused(), "invalid_fields", "{wrong}");
    }
    let roster = json!([monday, { "weekday": 2, "seat_id": chair["id"] }]);
    let kept = put(&village.clerk, room(roster)).await.ok();
    assert_eq!((&kept["today"], kept["roster"].as_array().map(Vec::len)), (&json!([clerk["name"]]), Some(2)));
    let notice = json!({ "area_code": village.area, "title": "修水池", "text": "修水池的方案。", "period_days": 7 });
    let notice = village.chair.post("/v1/notices", notice).await.ok();
    let author = village.villager(&app, "00008").await;
    for (who, page) in [(&author, "/speak".to_owned()), (&author, format!("/notices/{}/poster", id(&notice)))] {
        let shown = String::from_utf8(who.download(&page).await.1).unwrap();
        assert!(shown.contains("村委会一楼") && shown.contains("周二"), "{page}: {shown}");
    }
    // the next day another is there, and who sits there no more is not named
    app.clock.advance(TimeDelta::days(1));
    assert_eq!(app.get(&path).await.ok()["today"], json!([chair["name"]]));
    let town = Somebody::signed_in(&app, village.town.person).await;
    town.post(&format!("/v1/seats/{}/end", id(&clerk)), json!(null)).await.ok();
    app.clock.advance(TimeDelta::days(6));
    assert_eq!(app.get(&path).await.ok().get("today"), None);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_sets_up_a_council_at_the_desk_and_the_committee_lets_it_publish() {
    let (app, village) = Village::start().await;
    let area = village.area.as_str();
    let send = async |who: &Somebody, form: &str, fields: &[(&str, &str)]| {
        let mut all = vec![("area", area)];
        all.extend_from_slice(fields);
        county::form(who, &format!("/desk/bodies/{form}"), &all).await.0
    };
    let page =
        async |who: &Somebody| String::from_utf8(who.download(&format!("/desk/bodies?area={area}")).await.1).unwrap();
    let council = [("kind", "council"), ("name", "洛舍片乡贤参事会"), ("also", "330521103203")];
    assert_eq!(send(&village.town, "found", &council).await, 303);
    assert_eq!(
        send(&village.town, "found", &[("kind", "county_office"), ("name", "县局")]).await,
        422,
        "not of a village"
    );
    assert_eq!(send(&village.chair, "found", &council).await, 403);
    let bodies = app.get(&format!("/v1/areas/{area}/bodies")).await.ok();
    let items = bodies["items"].as_array().unwrap().clone();
    let new = items.iter().find(|body| body["name"] == "洛舍片乡贤参事会").unwrap();
    assert_eq!(new["areas"], json!([area, "330521103203"]), "it covers two villages");
    // its term runs with that of the committee
    let committee = village.committee.to_string();
    let days =
        [("body_id", committee.as_str()), ("number", "12"), ("starts_on", "2026-10-01"), ("ends_on", "2031-09-30")];
    assert_eq!(send(&village.town, "term", &days).await, 303);
    assert_eq!(send(&village.town, "term", &days).await, 422, "there is a twelfth already");
    let overlapping =
        [("body_id", committee.as_str()), ("number", "13"), ("starts_on", "2031-09-30"), ("ends_on", "2036-09-29")];
    assert_eq!(send(&village.town, "term", &overlapping).await, 422, "a day in two terms");
    let shown = page(&village.town).await;
    assert!(shown.contains("第 12 届（2026年10月1日 到 2031年9月30日）"), "{shown}");
    assert!(shown.contains("village_committee\">村（居）民委员会<"), "{shown}");
    let followed = shown.split_once("id=\"term-follows_term_id\"").unwrap().1.split("option value=\"").nth(2).unwrap();
    let term = followed.split_once('"').unwrap().0;
    let follows = [("body_id", id(new)), ("number", "1"), ("follows_term_id", term)];
    assert_eq!(send(&village.town, "term", &follows).await, 303);
    assert!(page(&village.town).await.contains("第 1 届（2026年10月1日 到 2031年9月30日）"));
    // only the committee's chair, or the office above, lets a council act in its name
    let council = village.council.to_string();
    let given = [
        ("scope", "publish_notice"),
        ("from_body_id", committee.as_str()),
        ("to_body_id", council.as_str()),
        ("source", "11 月 1 日村委会会议"),
        ("ends_on", "2026-12-31"),
    ];
    assert_eq!(send(&village.council_chair, "mandate", &given).await, 403, "nobody mandates themselves");
    assert!(!page(&village.council_chair).await.contains("id=\"give-mandate\""));
    assert!(page(&village.chair).await.contains("id=\"give-mandate\""));
    assert_eq!(send(&village.chair, "mandate", &given[..4]).await, 422, "to the end of which day?");
    assert_eq!(send(&village.chair, "mandate", &given).await, 303);
    assert!(page(&village.council_chair).await.contains("到 2026年12月31日。依据：11 月 1 日村委会会议"));
    let notice = json!({ "area_code": area, "title": "倡议", "text": "爱护溪水。" });
    village.council_chair.post("/v1/notices", notice).await.ok();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changed_the_registration_or_the_room_stands_at_the_body() {
    let (app, village) = Village::start().await;
    let put = async |who: &Somebody, what: &str, input: Value| {
        let path = format!("/v1/bodies/{}/{what}", village.committee);
        answer(who.request(Method::PUT, &path).json(&input)).await.ok()
    };
    let path = format!("/desk/bodies?area={}", village.area);
    let page = async || String::from_utf8(village.council_chair.download(&path).await.1).unwrap();
    assert!(!page().await.contains("改动记录"), "nothing was changed yet");
    // said again, nothing is other than before
    for _ in 0..2 {
        put(&village.town, "registration", json!({ "registration": "浙德社备第12号" })).await;
    }
    for hours in ["每天 8:30–17:00", "每天 8:30–17:00", "每周三"] {
        put(&village.clerk, "room", json!({ "place": "村委会一楼", "hours": hours })).await;
    }
    let name = async |who: &Somebody| who.get("/v1/me").await.ok()["name"].as_str().unwrap().to_owned();
    let (town, clerk) = (name(&village.town).await, name(&village.clerk).await);
    let shown = page().await;
    assert_eq!(shown.matches("改了：").count(), 3, "{shown}");
    for line in [
        format!("{town}改了：登记（备案）号"),
        format!("{clerk}改了：留声室地点、开放时间"),
        format!("{clerk}改了：开放时间"),
    ] {
        assert!(shown.contains(&line), "{line}: {shown}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mandate_ends_before_its_time_with_a_reason_that_everybody_at_the_desk_reads() {
    let (app, village) = Village::start().await;
    let notice = json!({ "area_code": village.area, "title": "倡议", "text": "爱护溪水。" });
    let mandate = json!({ "from_body_id": village.committee, "to_body_id": village.council, "scope": "publish_notice",
        "source": "11 月 1 日村委会会议" });
    let (council, committee) = (&village.council_chair, &village.chair);
    let given = committee.post("/v1/mandates", mandate.clone()).await.ok();
    let end = format!("/v1/mandates/{}/end", id(&given));
    let why = json!({ "reason": "村委会会议决定不再委托" });
    for who in [council, &village.villager(&app, "00007").await] {
        assert_eq!(who.post(&end, why.clone()).await.refused(), "not_allowed");
    }
    assert_eq!(committee.post(&end, json!({ "reason": "" })).await.refused(), "invalid_fields");
    let published = council.post("/v1/notices", notice.clone()).await.ok();
    let ended = committee.post(&end, why.clone()).await.ok();
    assert_eq!((&ended["end_reason"], &ended["ended_by"]), (&why["reason"], &json!(committee.person)));
    assert_eq!(council.post("/v1/notices", notice.clone()).await.refused(), "mandate_needed");
    app.get(&format!("/v1/notices/{}", id(&published))).await.ok();
    assert_eq!(committee.post(&end, why).await.refused(), "wrong_state", "once");
    // and at the desk
    let given = committee.post("/v1/mandates", mandate).await.ok();
    let fields = [("area", village.area.as_str()), ("mandate_id", id(&given)), ("reason", "另行委托")];
    assert_eq!(county::form(council, "/desk/bodies/mandate-end", &fields).await.0, 403);
    assert_eq!(county::form(committee, "/desk/bodies/mandate-end", &fields).await.0, 303);
    assert_eq!(council.post("/v1/notices", notice).await.refused(), "mandate_needed");
    let shown = council.download(&format!("/desk/bodies?area={}", village.area)).await.1;
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("原因：另行委托") && shown.contains("原因：村委会会议决定不再委托"), "{shown}");
    app.stop().await;
}
