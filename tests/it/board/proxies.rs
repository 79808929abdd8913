//! Who casts for another: named, checked by a second person, published, limited; and whoever was cast for is told.
use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use uuid::Uuid;

use super::{Sealed, paper::number};
use crate::support::{Answer, Raw, Somebody, TestApp, Village, count};

const PHOTO: &[u8] = include_bytes!("../../data/media/clear.png");

/// A vote about a bridge that lasts six days, and the elector of each number.
async fn vote_of_a_week(app: &TestApp, village: &Village, more: Value) -> String {
    let matter = village.matter_to_decide(app, "修一座桥").await;
    let mut vote = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person",
        "closes_at": app.app.now() + TimeDelta::days(6) });
    vote.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let vote = village.chair.post("/v1/votes", vote).await.ok();
    format!("/v1/votes/{}", vote["id"].as_str().unwrap())
}

fn agent(name: &str) -> Value {
    json!({ "agent": { "name": name }, "relation": "other" })
}

fn ballot(elector: Option<i64>, choice: &str) -> Value {
    json!({ "cast_id": Uuid::new_v4(), "choice": choice, "elector": elector })
}

/// What lies in somebody's own mailbox.
async fn mailbox(app: &TestApp, who: &Somebody) -> String {
    app.settle().await;
    let list = who.get("/v1/sync").await.ok();
    let own = list["streams"].as_array().unwrap().iter().find(|stream| stream["kind"] == "mailbox").unwrap();
    who.get(&format!("/v1/streams/{}/entries?limit=100", own["id"].as_str().unwrap())).await.ok().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_proxy_holds_once_a_second_person_has_checked_it_and_its_elector_is_told() {
    let (app, village) = Village::start().await;
    let vote = vote_of_a_week(&app, &village, json!({})).await;
    let (proxies, ballots) = (format!("{vote}/proxies"), format!("{vote}/ballots"));
    // 费海荣 names 欧阳水根, on the own phone
    let (elector, proxy) = (village.villager(&app, "00007").await, village.villager(&app, "00010").await);
    let own = number(&elector, &vote).await;
    let named = elector.post(&proxies, agent("欧阳水根")).await.ok();
    assert_eq!(
        (&named["state"], &named["number"], &named["agent_name"]),
        (&json!("named"), &json!(own), &json!("欧阳水根"))
    );
    assert_eq!(elector.post(&proxies, agent("欧阳水根")).await.ok(), named, "once, however often it is sent");
    assert_eq!(elector.post(&proxies, agent("邱小妹")).await.refused(), "wrong_state");
    assert_eq!(proxy.post(&ballots, ballot(Some(own), "for")).await.refused(), "proxy_not_allowed");
    assert_eq!(proxy.get(&proxies).await.ok()["items"], json!([]), "published before it was checked");
    let check = format!("{proxies}/{own}/check");
    assert_eq!(proxy.post(&check, json!(null)).await.refused(), "not_allowed");
    assert_eq!(village.clerk.post(&check, json!(null)).await.ok()["state"], "checked");
    let listed = village.villager(&app, "00013").await.get(&proxies).await.ok();
    assert_eq!(
        (&listed["items"][0]["elector_name"], &listed["items"][0]["agent_name"]),
        (&json!("费**"), &json!("欧阳**"))
    );
    // it waits for the proxy beside the own ballot
    let me = proxy.get(&format!("{vote}/me")).await.ok();
    assert_eq!((&me["casts_for"][0]["number"], &me["casts_for"][0]["has_cast"]), (&json!(own), &json!(false)));
    proxy.post(&ballots, ballot(None, "against")).await.ok();
    let own_ballot = ballot(Some(own), "for");
    let receipt = proxy.post(&ballots, own_ballot.clone()).await.ok();
    assert_eq!(proxy.post(&ballots, own_ballot).await.ok(), receipt, "the same receipt again");
    assert_eq!(proxy.post(&ballots, ballot(Some(own), "for")).await.refused(), "already_cast");
    // the page of that elector shows whoever cast the receipt, and nobody else
    let page = async |who: &Somebody| {
        let page = who.download(&format!("{}?for={own}", &vote[3..])).await.1;
        String::from_utf8(page).unwrap().contains(receipt["ballot_hash"].as_str().unwrap())
    };
    assert_eq!((page(&proxy).await, page(&village.villager(&app, "00013").await).await), (true, false));
    assert_eq!(proxy.post(&format!("{proxies}/{own}/revoke"), json!(null)).await.refused(), "already_cast");
    let late = elector.post(&ballots, ballot(None, "against")).await;
    assert_eq!(late.body["more"], json!({ "cast_by": "欧阳**" }));
    assert_eq!(late.refused(), "already_cast");
    let me = elector.get(&format!("{vote}/me")).await.ok();
    assert_eq!((&me["has_cast"], &me["cast_by"], &me["receipt"]), (&json!(true), &json!("欧阳**"), &receipt));
    let told = mailbox(&app, &elector).await;
    assert!(told.contains("欧阳水根 替您投了票"), "{told}");
    let announced = "SELECT count(*) FROM announcements WHERE kind = 'vote.cast_for' AND audience = 'person'";
    assert_eq!(count(app.folder.path(), announced).await, 1);
    app.pass(TimeDelta::days(6)).await;
    let result = elector.get(&format!("{vote}/result")).await.ok();
    assert_eq!((&result["count"]["yes"], &result["count"]["no"]), (&json!(1), &json!(1)));
    let listed = elector.get(&format!("{ballots}?limit=100")).await.ok();
    let row = listed["items"].as_array().unwrap().iter().find(|row| row["number"] == json!(own)).unwrap();
    assert_eq!((&row["choice"], &row["cast_by"]), (&json!("for"), &json!("欧阳**")));
    // told also when it is over
    assert_eq!(count(app.folder.path(), &format!("{announced} AND ended_at IS NULL")).await, 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_proxy_on_paper_is_written_down_by_one_and_checked_by_another() {
    let (app, village) = Village::start().await;
    let vote = vote_of_a_week(&app, &village, json!({})).await;
    let proxies = format!("{vote}/proxies");
    let paper = json!({ "elector": { "name": "俞美娟" }, "agent": { "name": "费海荣" }, "relation": "spouse" });
    let elector = village.villager(&app, "00008").await;
    assert_eq!(elector.post(&proxies, paper.clone()).await.refused(), "not_allowed");
    let without = village.clerk.post(&proxies, paper.clone()).await;
    assert!(without.body.to_string().contains("proof_media_id"), "{}", without.body);
    let photo = village.clerk.upload(PHOTO.to_vec()).await.ok()["id"].clone();
    let mut whole = paper.clone();
    whole["proof_media_id"] = photo;
    let mut nobody = whole.clone();
    nobody["elector"]["name"] = json!("无此人");
    assert_eq!(village.clerk.post(&proxies, nobody).await.refused(), "invalid_fields");
    let named = village.clerk.post(&proxies, whole).await.ok();
    assert_eq!((&named["elector_name"], &named["relation_name"]), (&json!("俞美娟"), &json!("配偶")));
    let at = format!("{proxies}/{}", named["number"]);
    assert_eq!(village.clerk.post(&format!("{at}/check"), json!(null)).await.refused(), "second_person_needed");
    // the paper is for both sides and who checks
    let proof = format!("{at}/proof");
    assert_eq!(village.chair.download(&proof).await.0, 200);
    assert_eq!(elector.download(&proof).await.0, 200);
    assert_eq!(village.villager(&app, "00013").await.get(&proof).await.refused(), "not_found");
    assert_eq!(village.chair.post(&format!("{at}/check"), json!(null)).await.ok()["state"], "checked");
    app.settle().await;
    let page = String::from_utf8(village.chair.download(&format!("/desk{}", &vote[3..])).await.1).unwrap();
    assert!(page.contains("俞美娟") && page.contains("已审核，公布"), "{page}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_may_be_a_proxy_and_until_when() {
    let (app, village) = Village::start().await;
    let vote = vote_of_a_week(&app, &village, json!({})).await;
    let proxies = format!("{vote}/proxies");
    let who = async |number: &str| village.villager(&app, number).await;
    let (a, b, c, d) = (who("00007").await, who("00008").await, who("00010").await, who("00011").await);
    for (name, code) in
        [("费海荣", "proxy_not_allowed"), ("潘新来", "proxy_not_allowed"), ("章小童", "proxy_not_allowed")]
    {
        assert_eq!(a.post(&proxies, agent(name)).await.refused(), code, "{name}");
    }
    let two = a.post(&proxies, agent("费文斌")).await;
    assert!(two.body.to_string().contains("several_of_that_name"), "{}", two.body);
    let son = json!({ "agent": { "name": "费文斌", "roster_number": "00009" }, "relation": "child" });
    assert_eq!(a.post(&proxies, son).await.ok()["agent_name"], "费文斌");
    // not passed on: neither by who has a proxy, nor by who is one
    assert_eq!(b.post(&proxies, agent("费海荣")).await.refused(), "proxy_passed_on");
    let i = who("00009").await;
    assert_eq!(i.post(&proxies, agent("欧阳水根")).await.refused(), "proxy_passed_on");
    // who is named may say no, and the elector may think better of it
    let at = |number: i64| format!("{proxies}/{number}/revoke");
    let own = number(&a, &vote).await;
    assert_eq!(b.post(&at(own), json!(null)).await.refused(), "not_found");
    assert_eq!(i.post(&at(own), json!(null)).await.ok()["state"], "revoked");
    assert_eq!(i.post(&at(own), json!(null)).await.refused(), "not_found");
    assert_eq!(a.post(&proxies, agent("邱小妹")).await.ok()["state"], "named");
    assert_eq!(a.post(&at(own), json!(null)).await.ok()["state"], "revoked");
    // who votes in person has no proxy
    assert_eq!(c.post(&proxies, agent("邱小妹")).await.ok()["state"], "named");
    let of_c = number(&c, &vote).await;
    assert_eq!(village.chair.post(&format!("{proxies}/{of_c}/check"), json!(null)).await.ok()["state"], "checked");
    c.post(&format!("{vote}/ballots"), ballot(None, "for")).await.ok();
    let late = d.post(&format!("{vote}/ballots"), ballot(Some(of_c), "against")).await;
    assert_eq!((late.body["more"]["cast_by"].clone(), late.refused()), (json!("欧阳**"), "already_cast".to_owned()));
    // not checked in time, not named in time
    let (e, f) = (who("00013").await, who("00014").await);
    e.post(&proxies, agent("闵玉琴")).await.ok();
    let of_e = number(&e, &vote).await;
    app.pass(TimeDelta::days(3)).await;
    app.pass(TimeDelta::hours(23)).await;
    let check = format!("{proxies}/{of_e}/check");
    assert!(
        ["proxy_too_late", "not_found"].contains(&village.chair.post(&check, json!(null)).await.refused().as_str())
    );
    assert!(mailbox(&app, &e).await.contains("委托没有生效"));
    assert_eq!(f.post(&proxies, agent("费海荣")).await.refused(), "proxy_too_late");
    let closed = "SELECT count(*) FROM roll_agents WHERE state = 'void'";
    assert_eq!(count(app.folder.path(), closed).await, 1);
    // representatives come themselves
    app.pass(TimeDelta::days(3)).await;
    let matter = village.matter_to_decide(&app, "修一条路").await;
    let ask = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_representatives",
        "closes_at": app.app.now() + TimeDelta::days(6) });
    let vote = village.chair.post("/v1/votes", ask).await.ok()["id"].as_str().unwrap().to_owned();
    let one = &village.representatives[0];
    assert_eq!(one.post(&format!("/v1/votes/{vote}/proxies"), agent("费文斌")).await.refused(), "proxy_not_allowed");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_one_may_cast_again_the_elector_comes_before_the_proxy() {
    let (app, village) = Village::start().await;
    let vote = vote_of_a_week(&app, &village, json!({ "allows_revote": true })).await;
    let ballots = format!("{vote}/ballots");
    let (elector, proxy) = (village.villager(&app, "00007").await, village.villager(&app, "00010").await);
    elector.post(&format!("{vote}/proxies"), agent("欧阳水根")).await.ok();
    let own = number(&elector, &vote).await;
    village.clerk.post(&format!("{vote}/proxies/{own}/check"), json!(null)).await.ok();
    for choice in ["for", "against"] {
        proxy.post(&ballots, ballot(Some(own), choice)).await.ok();
    }
    elector.post(&ballots, ballot(None, "abstain")).await.ok();
    assert_eq!(proxy.post(&ballots, ballot(Some(own), "for")).await.refused(), "already_cast", "the elector stands");
    assert_eq!(elector.get(&format!("{vote}/me")).await.ok().get("cast_by"), None);
    app.pass(TimeDelta::days(6)).await;
    let counted = elector.get(&format!("{vote}/result")).await.ok()["count"].clone();
    assert_eq!((&counted["present"], &counted["abstain"]), (&json!(1), &json!(1)), "{counted}");
    app.stop().await;
}

/// From two desks and many phones at once: three others at most.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_casts_for_more_than_three_others_from_whatever_desk() {
    let (app, village) = Village::start().await;
    let vote = vote_of_a_week(&app, &village, json!({})).await;
    let proxies = format!("{vote}/proxies");
    let mut asking: Vec<(Somebody, Value)> = Vec::new();
    for number in ["00008", "00011", "00012", "00014", "00015", "00020", "00021", "00023"] {
        asking.push((village.villager(&app, number).await, agent("欧阳水根")));
    }
    // and two desks with papers
    for (desk, name) in
        [(&village.chair, "潘阿珍"), (&village.clerk, "姚玉琴"), (&village.chair, "臧志刚"), (&village.clerk, "钮阿珍")]
    {
        let photo = desk.upload(PHOTO.to_vec()).await.ok()["id"].clone();
        let paper = json!({ "elector": { "name": name }, "agent": { "name": "欧阳水根" }, "relation": "other",
            "proof_media_id": photo });
        asking.push((desk.clone(), paper));
    }
    let start = Arc::new(Barrier::new(asking.len()));
    let asked: Vec<_> = asking
        .into_iter()
        .map(|(who, body)| {
            let (path, start) = (proxies.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                who.post(&path, body).await
            })
        })
        .collect();
    let mut answers: Vec<Answer> = Vec::new();
    for one in asked {
        answers.push(one.await.unwrap());
    }
    let taken = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(taken, 3, "casts for {taken} others");
    for refused in answers.into_iter().filter(|answer| answer.status != 201) {
        assert_eq!(refused.refused(), "proxy_limit");
    }
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM roll_agents").await, 3);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_secret_ballot_many_are_told_together() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let closes = json!({ "closes_at": app.app.now() + TimeDelta::days(6) });
    let vote = Sealed::open(&app, &village, &matter, closes).await;
    let path = vote.path("");
    let told = "SELECT count(*) FROM events WHERE kind = 'vote.cast_for'";
    let pairs = [("00007", "00010", "欧阳水根"), ("00008", "00011", "邱小妹"), ("00013", "00012", "欧阳静芳")];
    let mut electors = Vec::new();
    for (elector, _, name) in pairs {
        let elector = village.villager(&app, elector).await;
        elector.post(&vote.path("/proxies"), agent(name)).await.ok();
        let own = number(&elector, &path).await;
        village.clerk.post(&vote.path(&format!("/proxies/{own}/check")), json!(null)).await.ok();
        electors.push((elector, own));
    }
    let cast = async |at: usize| {
        let proxy = village.villager(&app, pairs[at].1).await;
        let receipt = proxy.post(&vote.path("/ballots"), ballot(Some(electors[at].1), "for")).await.ok();
        assert_eq!(receipt["sealed_by"], "server");
    };
    // few ballots in a day: the evening tells nobody
    cast(0).await;
    // with the board beside it, a list that said so would tell which ballot it was
    let shown = async |who: &Somebody| who.get(&vote.path("/proxies")).await.ok()["items"][0]["has_cast"].clone();
    for watcher in [&village.clerk, &village.villager(&app, "00026").await] {
        assert_eq!(shown(watcher).await, json!(false), "the list tells whose secret ballot is there");
    }
    app.pass(TimeDelta::days(1)).await;
    assert_eq!(count(app.folder.path(), told).await, 0, "one ballot in a day is told of in the evening");
    // many: all who wait are told in the evening, and not before
    for number in ["00014", "00015", "00019", "00020", "00021", "00022", "00023", "00024", "00025"] {
        village.villager(&app, number).await.post(&vote.path("/ballots"), ballot(None, "against")).await.ok();
    }
    cast(1).await;
    app.pass(TimeDelta::minutes(1)).await;
    assert_eq!(count(app.folder.path(), told).await, 0, "a secret ballot is told of at once");
    app.pass(TimeDelta::days(1)).await;
    assert_eq!(count(app.folder.path(), told).await, 2);
    assert!(mailbox(&app, &electors[0].0).await.contains("欧阳水根 替您投了票"));
    cast(2).await;
    app.pass(TimeDelta::days(6)).await;
    assert_eq!(count(app.folder.path(), told).await, 3, "the end tells who is left");
    assert_eq!(shown(&Somebody::signed_in(&app, village.clerk.person).await).await, json!(true));
    let raw = Raw::open(app.folder.path()).await;
    let moments: i64 = raw.one("SELECT count(DISTINCT at) FROM events WHERE kind = 'vote.cast_for'").await;
    raw.close().await;
    assert_eq!(moments, 2);
    let result = village.town.post(&vote.path("/opening"), vote.two(0, 1)).await.ok();
    assert_eq!((&result["count"]["yes"], &result["count"]["no"]), (&json!(3), &json!(9)), "{result}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_has_only_the_caster_s_phone_is_told_at_the_door() {
    let (app, village) = Village::start().await;
    let vote = vote_of_a_week(&app, &village, json!({})).await;
    let (elector, proxy) = (village.villager(&app, "00007").await, village.villager(&app, "00010").await);
    elector.post(&format!("{vote}/proxies"), agent("欧阳水根")).await.ok();
    let own = number(&elector, &vote).await;
    village.clerk.post(&format!("{vote}/proxies/{own}/check"), json!(null)).await.ok();
    proxy.post(&format!("{vote}/ballots"), ballot(Some(own), "for")).await.ok();
    let doors = async |who: &Somebody| {
        let desk = String::from_utf8(who.download(&format!("/desk{}", &vote[3..])).await.1).unwrap();
        desk.contains(&format!("<li>{own} · 费海荣"))
    };
    assert!(!doors(&village.chair).await, "told by a phone of his own");
    let raw = Raw::open(app.folder.path()).await;
    let shared = "UPDATE people SET phone_hmac = (SELECT phone_hmac FROM people WHERE roster_number = '00010' AND \
        area_code = '330521103202') WHERE roster_number = '00007' AND area_code = '330521103202'";
    assert_eq!(raw.execute(shared).await, 1);
    raw.close().await;
    assert!(doors(&village.chair).await, "told only by the phone of who cast");
    assert!(doors(&village.supervisor).await, "who supervises does not see whom the office keeps from knowing");
    app.stop().await;
}
