//! What people can do, found as far as they allow it; and needs that one of them takes.
use chrono::TimeDelta;
use liusheng::{
    clock, people,
    skills::{EndNeed, PostNeed, needs},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    accused::past_commands,
    county,
    support::{Answer, Somebody, TestApp, Village, answer, cards_in, count, id, import},
};

const ROSTER: &str = include_str!("../data/roster_small.csv");
const NEIGHBOURS: &str = include_str!("../data/roster_neighbours.csv");

async fn put(who: &Somebody, input: Value) -> Answer {
    answer(who.request(Method::PUT, "/v1/me/skills").json(&input)).await
}

fn can(uses: Value) -> Value {
    json!({ "tags": ["水电", "种茶"], "availability": "周末", "place": "武康", "uses": uses })
}

async fn found(who: &Somebody, area: &str, text: &str) -> usize {
    who.get(&format!("/v1/areas/{area}/skills?text={text}")).await.ok().as_array().unwrap().len()
}

async fn page(who: &Somebody, path: &str) -> String {
    String::from_utf8(who.download(path).await.1).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_found_as_far_as_one_allows_it_and_forgotten_at_once() {
    let (app, village) = Village::start().await;
    let ann = village.villager(&app, "00007").await;
    let town = &village.area[..9];
    assert_eq!(ann.get("/v1/me/skills").await.ok()["tags"], json!([]));
    for wrong in [
        json!({ "tags": ["会修水泵会修电机会修拖拉机"] }),
        json!({ "tags": ["水", ""] }),
        json!({ "tags": vec!["水"; 11] }),
        json!({ "tags": ["水"], "place": "很".repeat(31) }),
    ] {
        assert_eq!(put(&ann, wrong.clone()).await.refused(), "invalid_fields", "{wrong}");
    }
    put(&ann, can(json!([]))).await.ok();
    assert_eq!(found(&village.secretary, &village.area, "").await, 0, "written down is not allowed");
    put(&ann, can(json!(["village"]))).await.ok();
    assert_eq!(found(&village.secretary, &village.area, "种茶 周末").await, 1);
    assert_eq!(found(&village.clerk, &village.area, "木工").await, 0);
    assert_eq!(found(&village.town, &village.area, "").await, 0, "the town is another use");
    put(&ann, can(json!(["town"]))).await.ok();
    assert_eq!((found(&village.town, town, "武康").await, found(&village.clerk, &village.area, "").await), (1, 0));
    for who in [&ann, &village.member, &village.supervisor, &village.branch_chair] {
        assert_eq!(who.get(&format!("/v1/areas/{}/skills", village.area)).await.refused(), "not_allowed");
    }
    assert_eq!(village.clerk.get(&format!("/v1/areas/{town}/skills")).await.refused(), "not_allowed");
    assert!(page(&village.town, "/desk/skills").await.contains("种茶"));
    let fields = [("tags", "水电 种茶"), ("availability", "周末"), ("place", "武康"), ("uses", "town")];
    assert_eq!(county::form(&ann, "/skills", &fields).await, (303, "/skills?saved=1".to_owned()));
    assert!(
        page(&ann, "/skills?saved=1").await.contains("已经保存") && !page(&ann, "/skills").await.contains("已经保存")
    );
    let export = ann.get("/v1/me/export").await.ok();
    assert_eq!(export["rows"]["skill_entries"][0]["place"], "武康", "one's own to take along");
    put(&ann, json!({ "tags": [] })).await.ok();
    assert_eq!(found(&village.town, town, "").await, 0);
    assert_eq!(ann.get("/v1/me/skills").await.ok()["uses"], json!([]));
    put(&ann, can(json!(["town", "needs"]))).await.ok();
    ann.post("/v1/me/closing", json!({ "understood": true })).await.ok();
    app.pass(TimeDelta::days(8)).await;
    assert_eq!(found(&village.town, town, "").await, 0, "with the account");
    app.stop().await;
}

/// Whoever leaves the roster can take no consent back, and whoever moves belongs elsewhere.
#[tokio::test]
async fn one_is_found_where_one_lives_today_and_nowhere_once_one_has_left() {
    let (app, village) = Village::start().await;
    let ann = village.villager(&app, "00008").await;
    put(&ann, can(json!(["village", "town"]))).await.ok();
    let (town, next) = (&village.area[..9], "330521103203");
    assert_eq!((found(&village.clerk, &village.area, "").await, found(&village.town, town, "").await), (1, 1));
    let (head, here) = ROSTER.split_once('\n').unwrap();
    let (gone, stay): (Vec<&str>, Vec<&str>) = here.lines().partition(|line| line.starts_with("00008,"));
    import(&app.app, format!("{head}\n{}\n", stay.join("\n"))).await;
    assert_eq!((found(&village.clerk, &village.area, "").await, found(&village.town, town, "").await), (0, 0));
    let moved = gone.concat().replace(&format!("00008,H003,{},4", village.area), &format!("00004,N001,{next},1"));
    import(&app.app, format!("{}\n{moved}\n", NEIGHBOURS.trim_end())).await;
    assert_eq!((found(&village.clerk, &village.area, "").await, found(&village.town, &village.area, "").await), (0, 0));
    let there = village.town.get(&format!("/v1/areas/{next}/skills")).await.ok();
    assert_eq!((&there[0]["area_code"], &there[0]["person_id"]), (&json!(next), &json!(ann.person)));
    app.stop().await;
}

async fn posted(app: &TestApp, village: &Village) -> String {
    let until = clock::local_date(app.app.now()) + TimeDelta::days(10);
    let need = json!({ "area_code": village.area, "body_id": village.council, "title": "茶园要人指点",
        "text": "新种了十亩茶。", "tags": ["种茶"], "contact": "找秘书长", "until_on": until });
    for who in [&village.clerk, &village.member, &village.town] {
        assert_eq!(who.post("/v1/needs", need.clone()).await.refused(), "not_allowed", "not in the council's name");
    }
    id(&village.secretary.post("/v1/needs", need).await.ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_need_is_taken_by_one_and_how_to_reach_each_other_is_for_the_two() {
    let (app, village) = Village::start().await;
    let (ann, bob) = (village.villager(&app, "00007").await, village.villager(&app, "00008").await);
    put(&ann, can(json!(["needs"]))).await.ok();
    put(&bob, can(json!(["village", "town"]))).await.ok();
    let need = posted(&app, &village).await;
    app.settle().await;
    assert!(cards_in(&app, ann.person, "mailbox").await.contains(&"need_posted".to_owned()));
    assert!(!cards_in(&app, bob.person, "mailbox").await.contains(&"need_posted".to_owned()), "did not ask for it");
    let path = format!("/v1/needs/{need}");
    assert_eq!(ann.get(&path).await.ok().get("contact"), None, "for whoever takes it");
    let take = |contact: &str| json!({ "contact": contact });
    assert_eq!(village.secretary.post(&format!("{path}/take"), take("我自己")).await.refused(), "not_allowed");
    let taken = ann.post(&format!("{path}/take"), take("安家在桥头")).await.ok();
    assert_eq!(taken["contact"], "找秘书长");
    assert_eq!(bob.post(&format!("{path}/take"), take("鲍家")).await.refused(), "wrong_state", "taken once");
    let seen = village.secretary.get(&path).await.ok();
    assert_eq!(seen["taker"]["contact"], "安家在桥头");
    for who in [&bob, &village.clerk, &village.town] {
        let seen = who.get(&path).await.ok();
        assert_eq!((seen.get("taker"), seen.get("contact"), &seen["state"]), (None, None, &json!("taken")));
        let ended = who.post(&format!("{path}/end"), json!({ "outcome": "done", "text": "好了" })).await;
        assert_eq!(ended.refused(), "not_allowed");
    }
    assert!(page(&village.secretary, "/desk").await.contains("茶园要人指点"), "what waits for the council");
    assert!(
        page(&ann, "/").await.contains("茶园要人指点")
            && page(&ann, &format!("/needs/{need}")).await.contains("找秘书长")
    );
    let end = |outcome: &str| json!({ "outcome": outcome, "text": "教了三次剪枝" });
    assert_eq!(
        ann.post(&format!("{path}/end"), end("withdrawn")).await.refused(),
        "not_allowed",
        "the council's to say"
    );
    ann.post(&format!("{path}/end"), end("returned")).await.ok();
    bob.post(&format!("{path}/take"), take("鲍家在村口")).await.ok();
    assert_eq!(ann.get(&path).await.ok().get("contact"), None, "no side any more");
    let done = village.secretary.post(&format!("{path}/end"), end("done")).await.ok();
    assert_eq!((&done["state"], &done["outcome"]), (&json!("done"), &json!("教了三次剪枝")));
    assert_eq!(bob.post(&format!("{path}/end"), end("returned")).await.refused(), "not_allowed", "over");
    app.settle().await;
    assert!(cards_in(&app, bob.person, "mailbox").await.contains(&"need_ended".to_owned()));
    let late = posted(&app, &village).await;
    app.pass(TimeDelta::days(11)).await;
    assert_eq!(ann.post(&format!("/v1/needs/{late}/take"), take("还在")).await.refused(), "period_over");
    app.stop().await;
}

/// A page on which Ann stands gives back what Ann took, not what Bob did since.
#[tokio::test]
async fn who_took_it_since_the_page_was_opened_keeps_it() {
    let (app, village) = Village::start().await;
    let (ann, bob) = (village.villager(&app, "00007").await, village.villager(&app, "00008").await);
    let need = format!("/v1/needs/{}", posted(&app, &village).await);
    let (take, end) = (format!("{need}/take"), format!("{need}/end"));
    let contact = json!({ "contact": "在村口" });
    let seen = |state: &str, taker: Option<&Somebody>, outcome: &str| {
        let taker = taker.map(|one| one.person);
        json!({ "outcome": outcome, "text": "不合适", "seen": state, "taker": taker })
    };
    let shown = page(&village.secretary, &need[3..]).await;
    assert!(shown.contains("name=\"seen\" value=\"open\"") && !shown.contains("name=\"taker\""), "{shown}");
    // nobody is offered what they could only be refused
    let child = village.villager(&app, "00055").await;
    let form = format!("action=\"{}/take\"", &need[3..]);
    assert!(page(&ann, &need[3..]).await.contains(&form) && !page(&child, &need[3..]).await.contains(&form));
    assert!(!page(&child, "/skills").await.contains("action=\"/skills\""));
    assert!(page(&child, &need[3..]).await.contains("满十八周岁以后才能"), "and is told why");
    ann.post(&take, contact.clone()).await.ok();
    assert_eq!(village.secretary.post(&end, seen("open", None, "withdrawn")).await.refused(), "wrong_state");
    let shown = page(&village.secretary, &need[3..]).await;
    assert!(shown.contains(&format!("name=\"taker\" value=\"{}\"", ann.person)), "{shown}");
    ann.post(&end, json!({ "outcome": "returned", "text": "没有空" })).await.ok();
    bob.post(&take, contact).await.ok();
    for outcome in ["returned", "done", "withdrawn"] {
        let stale = village.secretary.post(&end, seen("taken", Some(&ann), outcome)).await;
        assert_eq!(stale.refused(), "wrong_state", "{outcome}");
    }
    assert_eq!(bob.get(&need).await.ok()["is_taker"], true);
    village.secretary.post(&end, seen("taken", Some(&bob), "returned")).await.ok();
    app.stop().await;
}

/// A hundred who can do something that only sounds alike do not keep the need from whoever can do it.
#[tokio::test]
async fn who_can_do_just_that_is_told_before_those_whose_words_only_hold_it() {
    let (app, village) = Village::start().await;
    let mut roster = ROSTER.to_owned();
    for n in 0..110 {
        let name = ["甲", "乙", "丙"][n % 3];
        roster += &format!("2{n:04},Y{n:03},330521103202,1,测试{name},男,1970-01-01,,,户主,1,1\n");
    }
    assert_eq!(import(&app.app, roster).await, 110);
    let theirs = "FROM people WHERE roster_number LIKE '2____'";
    let last = "(SELECT person_id FROM skill_entries ORDER BY person_id DESC LIMIT 1)";
    for sql in [
        format!("INSERT INTO skill_entries SELECT id, area_code, '种茶叶', '', '', created_at {theirs}"),
        format!("INSERT INTO skill_consents SELECT id, 'needs', created_at {theirs}"),
        format!("UPDATE skill_entries SET tags = '水电\n种茶' WHERE person_id = {last}"),
    ] {
        past_commands(&app, sql).await.unwrap();
    }
    posted(&app, &village).await;
    app.settle().await;
    let told = "SELECT count(*) FROM entries WHERE body LIKE '%need_posted%'";
    assert_eq!(count(app.folder.path(), told).await, 1, "the one who can do it was not told");
    app.stop().await;
}

/// What somebody had taken who closes the account waits for somebody else, and the body that needs it knows.
#[tokio::test]
async fn what_was_taken_is_given_back_with_the_account_and_the_body_is_told() {
    let (app, village) = Village::start().await;
    let ann = village.villager(&app, "00007").await;
    let need = format!("/v1/needs/{}", posted(&app, &village).await);
    ann.post(&format!("{need}/take"), json!({ "contact": "安家在桥头" })).await.ok();
    ann.post("/v1/me/closing", json!({ "understood": true })).await.ok();
    app.pass(TimeDelta::days(8)).await;
    let seen = village.secretary.get(&need).await.ok();
    assert_eq!((&seen["state"], seen.get("taker")), (&json!("open"), None));
    let told = cards_in(&app, village.secretary.person, "office").await;
    assert!(told.contains(&"need_ended".to_owned()), "{told:?}");
    app.stop().await;
}

/// Nobody is told of a need that is wanted no more by then.
#[tokio::test]
async fn nobody_is_called_to_a_need_that_was_withdrawn_before() {
    let (app, village) = Village::start().await;
    let ann = village.villager(&app, "00007").await;
    put(&ann, can(json!(["needs"]))).await.ok();
    let (who, session) = (village.secretary.person, village.secretary.session);
    let actor = people::actor_of_session(&app.app, who, session).await.unwrap();
    let until = clock::local_date(app.app.now()) + TimeDelta::days(10);
    let need = json!({ "area_code": village.area, "body_id": village.council, "title": "茶园要人指点",
        "text": "新种了十亩茶。", "tags": ["种茶"], "contact": "找秘书长", "until_on": until });
    let need: PostNeed = serde_json::from_value(need).unwrap();
    let no_more: EndNeed = serde_json::from_value(json!({ "outcome": "withdrawn", "text": "不用了" })).unwrap();
    // in one commit, so that nothing can follow in between
    let both = app.app.store.write(move |tx| {
        Box::pin(async move {
            let need = needs::post(tx, &actor, need).await?;
            needs::end(tx, &actor, (need.id, no_more)).await
        })
    });
    both.await.unwrap();
    assert!(!cards_in(&app, ann.person, "mailbox").await.contains(&"need_posted".to_owned()));
    app.stop().await;
}

/// Whom the body replaces cannot be quicker than everybody else a second time, and is no side of it any more.
#[tokio::test]
async fn whom_the_body_replaced_does_not_take_it_again() {
    let (app, village) = Village::start().await;
    let (ann, bob) = (village.villager(&app, "00007").await, village.villager(&app, "00008").await);
    let need = format!("/v1/needs/{}", posted(&app, &village).await);
    let (take, end) = (format!("{need}/take"), format!("{need}/end"));
    let contact = json!({ "contact": "在村口" });
    ann.post(&take, contact.clone()).await.ok();
    village.secretary.post(&end, json!({ "outcome": "returned", "text": "要会剪枝的" })).await.ok();
    let (seen, own) = (village.secretary.get(&need).await.ok(), ann.get(&need).await.ok());
    assert_eq!((&seen["state"], seen.get("taker"), own.get("contact")), (&json!("open"), None, None));
    assert_eq!(ann.post(&take, contact.clone()).await.refused(), "not_allowed");
    bob.post(&take, contact.clone()).await.ok();
    bob.post(&end, json!({ "outcome": "returned", "text": "没有空" })).await.ok();
    bob.post(&take, contact).await.ok();
    village.secretary.post(&end, json!({ "outcome": "returned", "text": "又没有来" })).await.ok();
    village.secretary.post(&end, json!({ "outcome": "withdrawn", "text": "自己做" })).await.ok();
    let (seen, own) = (village.secretary.get(&need).await.ok(), bob.get(&need).await.ok());
    assert_eq!((&seen["state"], seen.get("taker"), own.get("contact")), (&json!("withdrawn"), None, None));
    app.stop().await;
}
