//! Members of a collective on no roster of its village: entered by name and identity number, counted, and never left out.
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    collective::{ballot, change, founded, item},
    paper::{issue, photo},
    votes::checked,
};
use crate::{
    county::operator,
    support::{Somebody, TestApp, Village, cards_in, count, import, person_of},
};

const ROSTER: &str = include_str!("../../data/roster_small.csv");
const NEIGHBOURS: &str = include_str!("../../data/roster_neighbours.csv");
/// Of 费小兰, who married out of the county.
const AWAY: &str = "330599199305051025";
/// Of 邻村乙, who married into the next village.
const NEXT: &str = "330599198002031022";

fn off_roster(name: &str, id_number: &str, household: Option<&str>) -> Value {
    json!({ "is_entered": true, "reason": "出嫁后仍是成员", "since": "2026-11-01",
        "off_roster": [{ "name": name, "id_number": id_number, "household_number": household }] })
}

/// The one of this name on a register, as its keeper reads it.
async fn read(keeper: &Somebody, path: &str, name: &str) -> Value {
    let register = keeper.get(path).await.ok();
    let members = register["members"].as_array().unwrap();
    members.iter().find(|one| one["name"] == name).unwrap().clone()
}

/// Of 费无证, whom the roster has without a number.
const UNNUMBERED: &str = "330599193310100015";

async fn call(app: &TestApp, keeper: &Somebody, (area, body): (&str, &str)) -> Value {
    let call = json!({ "area_code": area, "body_id": body, "audience": "members", "title": "成员大会", "agenda": "表决",
        "place": "文化礼堂", "starts_at": app.app.now() + TimeDelta::days(10) + TimeDelta::hours(3) });
    keeper.post("/v1/meetings", call).await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_is_on_no_roster_is_entered_by_name_and_has_a_vote_by_a_proxy_or_on_paper() {
    let (app, village) = Village::start().await;
    let (body, keepers) = founded(&app, &village, "collective", &[("00010", "clerk"), ("00011", "chair")]).await;
    let (keeper, path) = (&keepers[0], format!("/v1/bodies/{body}/register"));
    keeper.post(&path, change(true, &["00007", "00008", "00010"])).await.ok();
    let people = "SELECT count(*) FROM people";
    let before = count(app.folder.path(), people).await;
    let mut leaves = off_roster("费小兰", AWAY, None);
    leaves["is_entered"] = json!(false);
    for (told, code) in [
        (off_roster("费小兰", "330599199305051026", None), "id_check"),
        (off_roster("费小兰", "33059919930505102", None), "not_an_id"),
        (off_roster(" ", AWAY, None), "off_roster[0].name"),
        (off_roster("费小兰", AWAY, Some("H999")), "off_roster[0].household_number"),
        (off_roster("费海荣", "330599197012161037", None), "duplicate"),
        (leaves, "off_roster"),
    ] {
        let refused = keeper.post(&path, told).await;
        assert!(refused.body.to_string().contains(code), "{code}: {}", refused.body);
    }
    assert_eq!(count(app.folder.path(), people).await, before, "nobody is made for nothing");
    let told = off_roster("费小兰", AWAY, Some("H003"));
    assert_eq!(village.chair.post(&path, told.clone()).await.refused(), "not_allowed");
    assert_eq!(keeper.post(&path, told.clone()).await.ok()["count"], 4);
    assert!(keeper.post(&path, told).await.body.to_string().contains("duplicate"));
    // who is on another village's roster is that person, and belongs to a household here all the same
    assert_eq!(keeper.post(&path, off_roster("邻村乙", NEXT, Some("H003"))).await.ok()["count"], 5);
    assert_eq!(count(app.folder.path(), people).await, before + 1);
    let (away, next) = (read(keeper, &path, "费小兰").await, read(keeper, &path, "邻村乙").await);
    assert_eq!((&away["roster_number"], &away["is_off_roster"]), (&json!("@1"), &json!(true)));
    assert_eq!(
        (&next["roster_number"], &next["is_off_roster"]),
        (&json!("@2"), &json!(true)),
        "nothing tells them apart"
    );
    assert_eq!((away.get("has_left"), next.get("has_left")), (None, None));
    let in_clear = format!("SELECT count(*) FROM people WHERE id_hmac LIKE '%{AWAY}%' OR id_last4 LIKE '1025'");
    assert_eq!(count(app.folder.path(), &in_clear).await, 0);
    // she is no villager by it
    let villagers = "SELECT count(*) FROM people WHERE area_code = '330521103202' AND left_on IS NULL";
    assert_eq!(count(app.folder.path(), villagers).await, 59);

    let meeting = call(&app, keeper, (&village.area, &body)).await;
    assert_eq!(meeting["listed"], 5);
    app.pass(TimeDelta::days(10)).await;
    let hall = format!("/v1/meetings/{}", meeting["id"].as_str().unwrap());
    let desk = format!("/desk{}?find=%E8%B4%B9%E5%B0%8F%E5%85%B0", &hall[3..]);
    assert!(String::from_utf8(keeper.download(&desk).await.1).unwrap().contains("费小兰"), "found at the door");
    let ask = |has_paper: bool| {
        json!({ "meeting_id": meeting["id"], "question": "是否同意？", "preset": "collective_members",
            "collective_item": item(12), "has_paper": has_paper, "closes_at": app.app.now() + TimeDelta::days(5) })
    };
    let vote = keeper.post("/v1/votes", ask(false)).await.ok();
    assert_eq!(vote["on_roll"], 5);
    let vote = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    let (proxies, ballots) = (format!("{vote}/proxies"), format!("{vote}/ballots"));
    // each names somebody of the household to which they belong here, by phone or on paper; nobody else may cast for them
    let next = village.neighbour(&app).await;
    let stranger = json!({ "agent": { "name": "欧阳水根" }, "relation": "other" });
    assert_eq!(next.post(&proxies, stranger).await.refused(), "proxy_not_allowed");
    let of_next = json!({ "agent": { "name": "费海荣" }, "relation": "other" });
    let of_next = next.post(&proxies, of_next).await.ok()["number"].clone();
    assert_eq!(next.get(&proxies).await.status, 200);
    let of_away = json!({ "elector": { "name": "费小兰" }, "agent": { "name": "俞美娟" }, "relation": "parent",
        "proof_media_id": photo(keeper).await });
    let of_away = keeper.post(&proxies, of_away).await.ok()["number"].clone();
    for number in [&of_next, &of_away] {
        keepers[1].post(&format!("{proxies}/{number}/check"), json!(null)).await.ok();
    }
    let untold = format!("/desk{}/doors", &vote[3..]);
    assert!(String::from_utf8(keeper.download(&untold).await.1).unwrap().contains("费小兰"), "told at the door");
    for (agent, number) in [("00007", &of_next), ("00008", &of_away)] {
        let agent = village.villager(&app, agent).await;
        let mut other = ballot();
        other["elector"] = number.clone();
        agent.post(&ballots, other).await.ok();
        agent.post(&ballots, ballot()).await.ok();
    }
    // in another vote on paper
    let other = keeper.post("/v1/votes", ask(true)).await.ok();
    let other = format!("/v1/votes/{}", other["id"].as_str().unwrap());
    assert_eq!(issue(keeper, &other, of_away.as_i64().unwrap()).await.ok()["name"], "费小兰");
    app.pass(TimeDelta::hours(4)).await;
    let person = person_of(&app.app, &village.area, "@1").await;
    keeper.post(&format!("{hall}/attendances"), json!({ "person_id": person, "via": "paper" })).await.ok();
    app.pass(TimeDelta::days(6)).await;
    let result = app.get(&format!("{vote}/result")).await.ok();
    let counted = &result["count"];
    assert_eq!((&counted["on_roll"], &counted["yes"], &result["outcome"]), (&json!(5), &json!(4), &json!("passed")));
    checked(&app, &vote[10..], &[]).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_left_the_roster_is_counted_again_and_who_comes_onto_it_stays_the_same_person() {
    let (app, village) = Village::start().await;
    let (body, keepers) = founded(&app, &village, "collective", &[("00010", "clerk")]).await;
    let (keeper, path) = (&keepers[0], format!("/v1/bodies/{body}/register"));
    keeper.post(&path, change(true, &["00007", "00008", "00010"])).await.ok();
    let without: Vec<&str> = ROSTER.lines().filter(|line| !line.starts_with("00008,")).collect();
    import(&app.app, without.join("\n")).await;
    assert_eq!(read(keeper, &path, "俞美娟").await["has_left"], true);
    assert_eq!(call(&app, keeper, (&village.area, &body)).await["listed"], 2);
    let again = off_roster("俞美娟", "330599197101171026", None);
    let done = keeper.post(&path, again.clone()).await.ok();
    assert_eq!((&done["changed"], &done["count"]), (&json!(1), &json!(3)));
    assert!(keeper.post(&path, again).await.body.to_string().contains("duplicate"));
    let counted = read(keeper, &path, "俞美娟").await;
    assert_eq!((&counted["is_off_roster"], counted.get("has_left")), (&json!(true), None));
    assert_eq!(call(&app, keeper, (&village.area, &body)).await["listed"], 3);
    // a roster that names the identity number finds who was made by the register
    keeper.post(&path, off_roster("费小兰", AWAY, None)).await.ok();
    let person = person_of(&app.app, &village.area, "@1").await;
    import(&app.app, format!("{ROSTER}00060,H003,{},4,费小兰,女,1993-05-05,{AWAY},,女,1,1\n", village.area)).await;
    assert_eq!(person_of(&app.app, &village.area, "00060").await, person);
    for name in ["俞美娟", "费小兰"] {
        let one = read(keeper, &path, name).await;
        assert_eq!((one.get("is_off_roster"), one.get("has_left")), (None, None), "{name}");
    }
    // and strikes her by the number she has now
    keeper.post(&path, change(false, &["00060"])).await.ok();
    assert_eq!(call(&app, keeper, (&village.area, &body)).await["listed"], 3);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whom_the_roster_has_without_an_identity_number_is_not_there_twice() {
    let (app, village) = Village::start().await;
    let (body, keepers) = founded(&app, &village, "collective", &[("00010", "clerk")]).await;
    let (keeper, path) = (&keepers[0], format!("/v1/bodies/{body}/register"));
    let people = "SELECT count(*) FROM people";
    let before = count(app.folder.path(), people).await;
    keeper.post(&path, change(true, &["00056", "00010"])).await.ok();
    let entered = off_roster("费无证", UNNUMBERED, None);
    let twice = keeper.post(&path, entered.clone()).await;
    assert!(twice.body.to_string().contains("duplicate"), "{}", twice.body);
    // who has left is counted again as the same person, and stays that person when the roster has them again
    let without: Vec<&str> = ROSTER.lines().filter(|line| !line.starts_with("00056,")).collect();
    import(&app.app, without.join("\n")).await;
    assert_eq!(keeper.post(&path, entered).await.ok()["count"], 2);
    assert_eq!(read(keeper, &path, "费无证").await["is_off_roster"], true);
    import(&app.app, ROSTER).await;
    assert_eq!(read(keeper, &path, "费无证").await.get("is_off_roster"), None);
    assert_eq!(call(&app, keeper, (&village.area, &body)).await["listed"], 2);
    assert_eq!(count(app.folder.path(), people).await, before);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_number_of_another_village_is_not_taken_for_one_of_this() {
    let (app, village) = Village::start().await;
    let (body, keepers) = founded(&app, &village, "collective", &[("00010", "clerk")]).await;
    let (keeper, path) = (&keepers[0], format!("/v1/bodies/{body}/register"));
    keeper.post(&path, change(true, &["00007"])).await.ok();
    keeper.post(&path, off_roster("邻村乙", NEXT, None)).await.ok();
    let elsewhere = "@1";
    assert_eq!(read(keeper, &path, "邻村乙").await["roster_number"], elsewhere);
    let of_there = keeper.post(&path, change(false, &["330521103203-00002"])).await;
    assert!(of_there.body.to_string().contains("not_on_register"), "nobody finds out by trying: {}", of_there.body);
    let nobody = keeper.post(&path, change(false, &["00002"])).await;
    assert!(nobody.body.to_string().contains("not_on_register"), "another's is struck: {}", nobody.body);
    // and where both are on it, each can be struck
    keeper.post(&path, change(true, &["00002"])).await.ok();
    keeper.post(&path, change(false, &["00002"])).await.ok();
    assert_eq!(keeper.post(&path, change(false, &[elsewhere])).await.ok()["count"], 1);
    assert_eq!(read(keeper, &path, "费海荣").await["roster_number"], "00007");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whether_a_number_is_known_in_the_county_is_not_told() {
    let (app, village) = Village::start().await;
    let county = operator(&app).await;
    let (body, keepers) = founded(&app, &village, "collective", &[("00010", "clerk")]).await;
    let (keeper, path) = (&keepers[0], format!("/v1/bodies/{body}/register"));
    // of one somebody in the next village has the number, of the other nobody; both come under a wrong name
    let mut shown = Vec::new();
    for (wrong, right, number) in [("别人甲", "邻村乙", NEXT), ("别人乙", "费小兰", AWAY)] {
        let done = keeper.post(&path, off_roster(wrong, number, None)).await.ok();
        let again = keeper.post(&path, off_roster(wrong, number, None)).await;
        let named = keeper.post(&path, off_roster(right, number, None)).await;
        for refused in [again, named] {
            assert_eq!(refused.body["errors"][0]["code"], "duplicate", "a number is entered once: {}", refused.body);
        }
        let mut one = read(keeper, &path, wrong).await;
        one["name"] = json!("");
        shown.push((done["changed"].clone(), one));
    }
    shown[1].1["roster_number"] = json!("@1");
    assert_eq!(shown[0], shown[1]);
    // the county hears of the one, and nobody has become another
    app.settle().await;
    let disputed = "SELECT count(*) FROM events WHERE kind = 'number.disputed'";
    assert_eq!(count(app.folder.path(), disputed).await, 1);
    assert!(cards_in(&app, county.person, "office").await.contains(&"number_disputed".to_owned()));
    let next = village.neighbour(&app).await;
    assert_eq!(next.get("/v1/me").await.ok()["name"], "邻村乙");
    assert_eq!(next.get(&path).await.status, 404, "another was entered");
    // a roster that has the number takes it from whom no roster ever had
    let line = format!("00004,N004,330521103203,1,费小兰,女,1993-05-05,{AWAY},,女,1,1\n");
    import(&app.app, format!("{NEIGHBOURS}{line}")).await;
    let held = "SELECT count(*) FROM people WHERE name = '费小兰' AND id_hmac IS NOT NULL";
    assert_eq!(count(app.folder.path(), held).await, 1);
    // and who tries many does not get far
    let tried = json!({ "is_entered": true, "reason": "试一试", "since": "2026-11-01",
        "off_roster": vec![json!({ "name": "某人", "id_number": "1" }); 50] });
    let mut last = String::new();
    for _ in 0..4 {
        last = keeper.post(&path, tried.clone()).await.refused();
    }
    assert_eq!(last, "too_many_requests");
    app.stop().await;
}
