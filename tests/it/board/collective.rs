//! 集体经济组织: a register of members that changes with a reason and is posted, and the votes whose rolls are drawn from it.
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::votes::checked;
use crate::support::{Raw, Somebody, TestApp, Village, count, import, person_of};

const ROSTER: &str = include_str!("../../data/roster_small.csv");
const CHILD: &str = "00060,H003,330521103202,4,费小宝,男,2015-01-02,,,子,1,1\n";

pub(super) fn ballot() -> Value {
    json!({ "cast_id": Uuid::new_v4(), "choice": "for" })
}

/// Item of article 26, and that it was discussed before.
pub(super) fn item(number: u8) -> Value {
    json!({ "number": number, "discussed": "11月1日村党总支会议" })
}

/// A body of the village, with these people in its seats.
pub(super) async fn founded(
    app: &TestApp,
    village: &Village,
    kind: &str,
    seats: &[(&str, &str)],
) -> (String, Vec<Somebody>) {
    let found = json!({ "kind": kind, "name": "东衡村经济合作社", "areas": [village.area] });
    let body = village.town.post("/v1/bodies", found).await.ok()["id"].as_str().unwrap().to_owned();
    let mut people = Vec::new();
    for (number, role) in seats {
        let person = person_of(&app.app, &village.area, number).await;
        let seat = json!({ "person_id": person, "role": role });
        village.town.post(&format!("/v1/bodies/{body}/seats"), seat).await.ok();
        people.push(Somebody::signed_in(app, person).await);
    }
    (body, people)
}

pub(super) fn change(is_entered: bool, numbers: &[&str]) -> Value {
    json!({ "is_entered": is_entered, "roster_numbers": numbers, "reason": "成员身份确认", "since": "2026-11-01" })
}

async fn cards(app: &TestApp, said: &str) -> i64 {
    count(app.folder.path(), &format!("SELECT count(*) FROM entries WHERE kind = 'card' AND body LIKE '%{said}%'"))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_comes_onto_the_register_or_leaves_it_without_a_reason_that_its_members_read() {
    let (app, village) = Village::start().await;
    let (body, keepers) = founded(&app, &village, "collective", &[("00010", "clerk")]).await;
    let (keeper, path) = (&keepers[0], format!("/v1/bodies/{body}/register"));
    let (member, stranger) = (village.villager(&app, "00007").await, village.villager(&app, "00020").await);
    for who in [&member, &village.chair, &village.town] {
        assert_eq!(who.post(&path, change(true, &["00007"])).await.refused(), "not_allowed");
    }
    let without = json!({ "person_id": member.person });
    let refused = keeper.post(&format!("/v1/bodies/{body}/members"), without).await;
    assert!(refused.body.to_string().contains("needs_a_reason"), "{}", refused.body);
    let mut wrong = change(true, &["00007"]);
    for (field, value, code) in [
        ("roster_numbers", json!(["00007", "99999"]), "not_on_roster"),
        ("roster_numbers", json!(["00007", "00007"]), "duplicate"),
        ("roster_numbers", json!([]), "out_of_range"),
        ("since", json!("2026-12-01"), "out_of_range"),
        ("reason", json!("x"), "too_short"),
    ] {
        let before = wrong[field].take();
        wrong[field] = value;
        let refused = keeper.post(&path, wrong.clone()).await;
        assert!(refused.body.to_string().contains(code), "{field}: {}", refused.body);
        wrong[field] = before;
    }
    let done = keeper.post(&path, change(true, &["00007", "00008", "00010"])).await.ok();
    assert_eq!((&done["changed"], &done["count"]), (&json!(3), &json!(3)));
    let twice = keeper.post(&path, change(true, &["00009", "00008"])).await;
    assert!(twice.body.to_string().contains("duplicate"), "{}", twice.body);
    app.settle().await;
    assert_eq!((cards(&app, "您已列入集体成员名册").await, cards(&app, "成员可以查看名册").await), (3, 1));
    assert_eq!(cards(&app, "成员身份确认").await, 3, "the rest of the village does not read why");
    // its members and whoever sits over the village read it, the rest does not
    let read = member.get(&path).await.ok();
    assert_eq!((&read["is_listed"], &read["members"][0]["name"]), (&json!(true), &json!("费**")));
    assert_eq!((&read["changes"][0]["reason"], &read["changes"][2]["name"]), (&json!("成员身份确认"), &json!("费**")));
    assert!(!read.to_string().contains("roster_number"), "{read}");
    assert_eq!(keeper.get(&path).await.ok()["members"][0]["name"], "费海荣");
    assert_eq!(village.supervisor.get(&path).await.ok()["is_listed"], false);
    for who in [&stranger, &village.neighbour(&app).await] {
        assert_eq!(who.get(&path).await.refused(), "not_found");
        assert_eq!(who.download(&format!("/collectives/{body}")).await.0, 404);
    }
    assert_eq!(member.get(&format!("/v1/bodies/{}/register", village.council)).await.refused(), "not_found");
    let register = format!("href=\"/collectives/{body}\"");
    for (who, is_linked) in [(&member, true), (&stranger, false)] {
        let home = String::from_utf8(who.download("/household").await.1).unwrap();
        assert_eq!(home.contains(&register), is_linked, "{home}");
    }
    let page = member.download(&format!("/collectives/{body}")).await;
    assert!(String::from_utf8(page.1).unwrap().contains("您在名册上"));
    let desk = String::from_utf8(keeper.download("/desk/members").await.1).unwrap();
    assert!(desk.contains("增减成员") && desk.contains("00007"), "{desk}");
    // who was struck reads why
    let gone = keeper.post(&path, change(false, &["00007", "00009"])).await;
    assert!(gone.body.to_string().contains("not_on_register"), "{}", gone.body);
    keeper.post(&path, change(false, &["00007"])).await.ok();
    app.settle().await;
    assert_eq!(cards(&app, "您已从集体成员名册划出").await, 1);
    let read = member.get(&path).await.ok();
    assert_eq!((&read["is_listed"], &read["changes"][0]["is_entered"]), (&json!(false), &json!(false)));
    // who left the roster has no vote, and everybody sees it
    let without: Vec<&str> = ROSTER.lines().filter(|line| !line.starts_with("00008,")).collect();
    import(&app.app, without.join("\n")).await;
    let read = keeper.get(&path).await.ok();
    let members = &read["members"];
    assert_eq!((&members[0]["has_left"], members[1].get("has_left")), (&json!(true), None), "{members}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_thirds_of_all_members_of_age_decide_one_person_one_vote() {
    let (app, village) = Village::start().await;
    import(&app.app, format!("{ROSTER}{CHILD}")).await;
    let (body, keepers) = founded(&app, &village, "collective", &[("00010", "clerk")]).await;
    let keeper = &keepers[0];
    let members = ["00007", "00008", "00009", "00010", "00011", "00012", "00060"];
    keeper.post(&format!("/v1/bodies/{body}/register"), change(true, &members)).await.ok();
    let call = json!({ "area_code": village.area, "body_id": body, "audience": "members", "title": "成员大会",
        "agenda": "表决", "place": "文化礼堂", "starts_at": app.app.now() + TimeDelta::days(10) + TimeDelta::hours(3) });
    assert_eq!(village.chair.post("/v1/meetings", call.clone()).await.refused(), "not_allowed");
    let meeting = keeper.post("/v1/meetings", call).await.ok();
    assert_eq!(meeting["listed"], 6, "those of age on the register, and not who keeps it besides");
    let ask = json!({ "meeting_id": meeting["id"], "question": "是否同意入股？", "preset": "collective_members",
        "closes_at": app.app.now() + TimeDelta::days(15), "collective_item": item(11) });
    let early = keeper.post("/v1/votes", ask.clone()).await;
    assert!(early.body.to_string().contains("called_too_late"), "{}", early.body);
    app.pass(TimeDelta::days(10)).await;
    for (field, value, code) in [
        ("preset", json!("zj_collective_assets"), "called_too_late"),
        ("preset", json!("council_charter"), "not_of_this_body"),
        ("preset", json!("collective_board"), "not_of_this_body"),
        ("preset", json!("zj_coop_members"), "rule_not_votable"),
        ("collective_item", Value::Null, "required"),
        ("collective_item", item(14), "unknown"),
        ("collective_item", json!({ "number": 11, "discussed": " " }), "collective_item.discussed"),
        (
            "by_charter",
            json!({ "article": "章程", "passing": { "num": 1, "den": 2, "strict": true, "basis": "P" } }),
            "by_law",
        ),
    ] {
        let mut wrong = ask.clone();
        wrong[field] = value;
        if field == "preset" {
            wrong["collective_item"] = Value::Null;
            // its province asks for secrecy, and is followed in nothing else
            wrong["secrecy"] = json!(if wrong["preset"] == "zj_coop_members" { "secret" } else { "open" });
        }
        let refused = keeper.post("/v1/votes", wrong).await;
        assert!(refused.body.to_string().contains(code), "{field} {code}: {}", refused.body);
    }
    assert_eq!(village.chair.post("/v1/votes", ask.clone()).await.refused(), "not_allowed");
    let desk = keeper.download(&format!("/desk/meetings/{}", meeting["id"].as_str().unwrap())).await;
    let desk = String::from_utf8(desk.1).unwrap();
    assert!(desk.contains("collective_members") && !desk.contains("by_charter.article"), "{desk}");
    let vote = keeper.post("/v1/votes", ask).await.ok();
    assert_eq!(
        (&vote["on_roll"], &vote["is_binding"]),
        (&json!(6), &json!(true)),
        "a child is a member without a vote"
    );
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    // what is decided and by which article is read before voting
    let law = vote["law"].as_str().unwrap();
    assert!(["第（十一）项", "第27条", "11月1日村党总支会议"].iter().all(|words| law.contains(words)), "{law}");
    app.settle().await;
    assert_eq!(cards(&app, "由集体成员名册上 6 位").await, 1, "in the village's channel, once");
    let (agent, elector) = (village.villager(&app, "00007").await, village.villager(&app, "00008").await);
    let named = json!({ "agent": { "name": "费海荣" }, "relation": "spouse" });
    assert_eq!(keeper.post(&format!("{path}/proxies"), named.clone()).await.refused(), "proxy_not_allowed");
    let named = elector.post(&format!("{path}/proxies"), named).await.ok();
    keeper.post(&format!("{path}/proxies/{}/check", named["number"]), json!(null)).await.ok();
    let mut other = ballot();
    other["elector"] = named["number"].clone();
    agent.post(&format!("{path}/ballots"), other).await.ok();
    for who in [&agent, &village.villager(&app, "00009").await, keeper] {
        who.post(&format!("{path}/ballots"), ballot()).await.ok();
    }
    for who in [&village.chair, &village.villager(&app, "00020").await] {
        assert_eq!(who.post(&format!("{path}/ballots"), ballot()).await.refused(), "not_on_roll");
    }
    app.pass(TimeDelta::days(6)).await;
    let result = app.get(&format!("{path}/result")).await.ok();
    let counted = &result["count"];
    assert_eq!((&counted["on_roll"], &counted["yes"], &result["outcome"]), (&json!(6), &json!(4), &json!("passed")));
    assert_eq!(result["law"], vote["law"]);
    assert_eq!(checked(&app, &path[10..], &[]).await["manifest"]["law"], vote["law"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_member_who_lives_elsewhere_by_now_reads_who_casts_for_whom() {
    let (app, village) = Village::start().await;
    let (body, keepers) = founded(&app, &village, "collective", &[("00010", "clerk")]).await;
    let keeper = &keepers[0];
    keeper.post(&format!("/v1/bodies/{body}/register"), change(true, &["00007", "00008", "00012"])).await.ok();
    let call = json!({ "area_code": village.area, "body_id": body, "audience": "members", "title": "成员大会",
        "agenda": "表决", "place": "文化礼堂", "starts_at": app.app.now() + TimeDelta::days(10) + TimeDelta::hours(3) });
    let meeting = keeper.post("/v1/meetings", call).await.ok();
    app.pass(TimeDelta::days(10)).await;
    let ask = json!({ "meeting_id": meeting["id"], "question": "是否同意入股？", "preset": "collective_members",
        "closes_at": app.app.now() + TimeDelta::days(5), "collective_item": item(11) });
    let vote = keeper.post("/v1/votes", ask).await.ok()["id"].as_str().unwrap().to_owned();
    let away = person_of(&app.app, &village.area, "00012").await;
    let raw = Raw::open(app.folder.path()).await;
    raw.execute(
        "UPDATE people SET area_code = '330521103203', roster_number = '90012'
         WHERE area_code = '330521103202' AND roster_number = '00012'",
    )
    .await;
    raw.close().await;
    let away = Somebody::signed_in(&app, away).await;
    let path = format!("/votes/{vote}/proxies");
    assert_eq!((away.download(&path).await.0, away.get(&format!("/v1{path}")).await.status), (200, 200));
    let stranger = village.neighbour(&app).await;
    assert_eq!(stranger.get(&format!("/v1{path}")).await.refused(), "not_found");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_a_hall_too_a_collective_is_called_ten_days_ahead_and_counts_those_of_age() {
    let (app, village) = Village::start().await;
    import(&app.app, format!("{ROSTER}{CHILD}")).await;
    let (body, keepers) = founded(&app, &village, "collective", &[("00010", "clerk")]).await;
    let keeper = &keepers[0];
    let members = ["00007", "00008", "00009", "00010", "00011", "00012", "00060"];
    keeper.post(&format!("/v1/bodies/{body}/register"), change(true, &members)).await.ok();
    let call = |days| {
        json!({ "area_code": village.area, "body_id": body, "audience": "members", "title": "成员大会",
            "agenda": "表决", "place": "文化礼堂", "starts_at": app.app.now() + TimeDelta::days(days) })
    };
    let refused = keeper.post("/v1/meetings", call(9)).await;
    assert!(refused.body.to_string().contains("short_notice"), "{}", refused.body);
    // who lives in another village by now is a member still, and is told there
    let away = person_of(&app.app, &village.area, "00012").await;
    let raw = Raw::open(app.folder.path()).await;
    raw.execute(
        "UPDATE people SET area_code = '330521103203', roster_number = '90012'
         WHERE area_code = '330521103202' AND roster_number = '00012'",
    )
    .await;
    raw.close().await;
    let meeting = keeper.post("/v1/meetings", call(10)).await.ok();
    app.settle().await;
    let told = format!(
        "SELECT count(*) FROM entries JOIN streams ON streams.id = entries.stream_id
         WHERE streams.kind = 'mailbox' AND streams.subject_id = '{away}' AND entries.body LIKE '%成员大会%'"
    );
    assert_eq!((&meeting["listed"], count(app.folder.path(), &told).await), (&json!(6), 1));
    let path = format!("/v1/meetings/{}", meeting["id"].as_str().unwrap());
    app.pass(TimeDelta::days(10) + TimeDelta::minutes(1)).await;
    for number in &members[..4] {
        let person = person_of(&app.app, &village.area, number).await;
        keeper.post(&format!("{path}/attendances"), json!({ "person_id": person, "via": "paper" })).await.ok();
    }
    let minutes = json!({ "minutes": "到会四人。", "resolutions": [{ "text": "入股", "votes_for": 4 },
        { "text": "分红", "votes_for": 3 }] });
    let held = keeper.post(&format!("{path}/minutes"), minutes).await.ok();
    let (quorum, resolved) = (&held["quorum"], &held["resolutions"]);
    assert_eq!((&quorum["entitled"], &quorum["needed"], &quorum["is_met"]), (&json!(6), &json!(4), &json!(true)));
    assert_eq!((&resolved[0]["is_carried"], &resolved[1]["is_carried"]), (&json!(true), &json!(false)), "{held}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_board_and_the_representatives_of_a_collective_vote_at_their_own_meetings() {
    let (app, village) = Village::start().await;
    let numbers: Vec<String> = (14..35).map(|number| format!("{number:05}")).collect();
    let role = |at| if at == 0 { "chair" } else { "member" };
    let people: Vec<(&str, &str)> =
        numbers.iter().enumerate().map(|(at, number)| (number.as_str(), role(at))).collect();
    for (kind, seats, enough) in [("collective_board", 3, 2), ("collective_reps", 21, 14)] {
        let (body, seated) = founded(&app, &village, kind, &people[..seats]).await;
        // who leads them makes nobody one of them
        let more = json!({ "person_id": person_of(&app.app, &village.area, "00020").await });
        let refused = seated[0].post(&format!("/v1/bodies/{body}/members"), more).await;
        assert!(refused.body.to_string().contains("needs_a_seat"), "{kind}: {}", refused.body);
        let call = json!({ "area_code": village.area, "body_id": body, "audience": "members", "title": "会议",
            "agenda": "表决", "place": "办公室", "starts_at": app.app.now() + TimeDelta::hours(3) });
        assert_eq!(seated[1].post("/v1/meetings", call.clone()).await.refused(), "not_allowed");
        let meeting = seated[0].post("/v1/meetings", call).await.ok()["id"].clone();
        let mut ask = json!({ "meeting_id": meeting, "question": "是否同意？", "preset": kind,
            "closes_at": app.app.now() + TimeDelta::days(1) });
        // what the charter says, who is a member, land, compensation, merging: for all members alone
        for number in [1, 3, 8, 10, 12] {
            ask["collective_item"] = item(number);
            let refused = seated[0].post("/v1/votes", ask.clone()).await.body.to_string();
            let code = if kind == "collective_reps" { "reserved_to_members" } else { "not_of_an_assembly" };
            assert!(refused.contains(code), "{kind} {number}: {refused}");
        }
        ask["collective_item"] = if kind == "collective_reps" { item(7) } else { Value::Null };
        let vote = seated[0].post("/v1/votes", ask).await.ok();
        assert_eq!(vote["on_roll"], seats);
        let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
        for who in &seated[..enough] {
            who.post(&format!("{path}/ballots"), ballot()).await.ok();
        }
        app.pass(TimeDelta::days(2)).await;
        let result = app.get(&format!("{path}/result")).await.ok();
        assert_eq!(result["outcome"], "passed", "two of three, {kind}: {result}");
    }
    // twenty are no assembly of representatives
    let (body, seated) = founded(&app, &village, "collective_reps", &people[..20]).await;
    let call = json!({ "area_code": village.area, "body_id": body, "audience": "members", "title": "会议",
        "agenda": "表决", "place": "办公室", "starts_at": app.app.now() + TimeDelta::hours(3) });
    let meeting = seated[0].post("/v1/meetings", call).await.ok()["id"].clone();
    let ask = json!({ "meeting_id": meeting, "question": "是否同意？", "preset": "collective_reps",
        "closes_at": app.app.now() + TimeDelta::days(1), "collective_item": item(7) });
    let refused = seated[0].post("/v1/votes", ask).await;
    assert!(refused.body.to_string().contains("too_few_representatives"), "{}", refused.body);
    app.stop().await;
}

/// By a choice among offers nobody is elected, and no term of the board ends by it before its time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_board_chooses_is_no_election_of_the_board() {
    let (app, village) = Village::start().await;
    let seats = [("00014", "chair"), ("00015", "member"), ("00016", "member")];
    let (body, seated) = founded(&app, &village, "collective_board", &seats).await;
    let call = json!({ "area_code": village.area, "body_id": body, "audience": "members", "title": "会议",
        "agenda": "选施工队", "place": "办公室", "starts_at": app.app.now() + TimeDelta::hours(3) });
    let meeting = seated[0].post("/v1/meetings", call).await.ok()["id"].clone();
    let ask = json!({ "meeting_id": meeting, "question": "请哪一家施工？", "preset": "collective_board",
        "challenge_days": 1, "options": ["甲公司", "乙公司"], "closes_at": app.app.now() + TimeDelta::days(1) });
    let vote = seated[0].post("/v1/votes", ask).await.ok();
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    for who in &seated[..2] {
        let ballot = json!({ "cast_id": Uuid::new_v4(), "choices": ["1"] });
        who.post(&format!("{path}/ballots"), ballot).await.ok();
    }
    app.pass(TimeDelta::days(2)).await;
    app.pass(TimeDelta::days(3)).await;
    let result = app.get(&format!("{path}/result")).await.ok();
    assert_eq!((&result["reason"], &result["settlement"]), (&json!("elected"), &json!("final")), "{result}");
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM body_elections").await, 0);
    app.stop().await;
}
