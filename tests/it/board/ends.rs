//! How votes end: by the clock and never before, one beside another that cannot, by hand with a reason and without a count.
use chrono::TimeDelta;
use liusheng::{
    board,
    ids::VoteId,
    votes::{commands, verify::verify},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Sealed, assembly, by_browser, by_python};
use crate::{
    accused::past_commands,
    support::{Raw, TestApp, Village, count},
};

fn why() -> Value {
    json!({ "reason": "问题写错了", "authority": "镇政府同意" })
}

fn ballot(choice: &str) -> Value {
    json!({ "cast_id": Uuid::new_v4(), "choice": choice })
}

async fn close(app: &TestApp, id: VoteId) -> bool {
    app.app.store.write(move |tx| Box::pin(commands::close(tx, id))).await.unwrap()
}

/// Its archive says why, and all three agree with it.
async fn is_annulled(app: &TestApp, vote: &str) {
    app.settle().await;
    let archive = app.get(&format!("/v1/votes/{vote}/archive")).await.ok();
    let told = archive.to_string();
    assert_eq!(archive["result"]["annulled"], why());
    assert!(archive["result"].get("count").is_none() && archive["plaintexts"].is_null(), "{archive}");
    assert!(!told.contains("\"named\"") && !told.contains("\"c\":"), "{told}");
    let report = verify(&archive, None);
    assert_eq!(report.fault, None, "{:?}", report.lines);
    assert!(report.lines.iter().any(|line| line.starts_with("这次表决作废：问题写错了")), "{:?}", report.lines);
    let mut lines = vec![json!({ "archive": archive, "fingerprint": null })];
    // another reason, a count beside it, ballots named all the same
    for path in ["/result/annulled/reason", "/result/t", "/result/root"] {
        let mut bad = archive.clone();
        *bad.pointer_mut(path).unwrap() = json!("另一个");
        lines.push(json!({ "archive": bad, "fingerprint": null }));
    }
    let mut bad = archive.clone();
    bad["result"]["count"] = json!({ "yes": 9 });
    lines.push(json!({ "archive": bad, "fingerprint": null }));
    let ours: Vec<_> =
        lines.iter().map(|line| verify(&line["archive"], None).fault.unwrap_or("ok").to_owned()).collect();
    assert!(ours[1..].iter().all(|found| found != "ok"), "{ours:?}");
    assert_eq!((by_browser("verify", &lines), by_python(&lines)), (ours.clone(), ours));
    let result = app.get(&format!("/v1/votes/{vote}/result")).await.ok();
    assert_eq!((&result["outcome"], &result["annulled"]), (&json!("annulled"), &why()));
    let page = app.http.get(app.url(&format!("/votes/{vote}/result"))).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("理由：问题写错了（批准：镇政府同意）") && !page.contains("每一个数字"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_vote_or_board_that_is_broken_holds_up_no_other() {
    let (app, village) = Village::start().await;
    let (one, other) =
        (village.matter_to_decide(&app, "修一座桥").await, village.matter_to_decide(&app, "修一条路").await);
    let broken = village.open_vote(&app, &one, TimeDelta::hours(3)).await;
    let sound = village.open_vote(&app, &other, TimeDelta::hours(4)).await;
    let elector = village.villager(&app, "00007").await;
    let raw = Raw::open(app.folder.path()).await;
    let edge: String = raw.one("SELECT peaks FROM boards ORDER BY vote_id LIMIT 1").await;
    let first = "UPDATE boards SET peaks = 'x' WHERE vote_id = (SELECT vote_id FROM boards ORDER BY vote_id LIMIT 1)";
    assert_eq!(raw.execute(first).await, 1);
    for vote in [&broken, &sound] {
        elector.post(&format!("/v1/votes/{vote}/ballots"), ballot("for")).await.ok();
    }
    board::tick(&app.app).await.unwrap();
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM board_pending").await, 1, "the sound board did not grow");
    raw.execute(&format!("UPDATE boards SET peaks = '{edge}' WHERE peaks = 'x'")).await;
    let rule: String = raw.one("SELECT rule FROM votes LIMIT 1").await;
    raw.execute("UPDATE votes SET rule = 'x' WHERE closes_at = (SELECT min(closes_at) FROM votes)").await;
    app.clock.advance(TimeDelta::hours(5));
    commands::due(&app.app).await.unwrap();
    let states: Vec<String> = {
        let rows = raw.rows("SELECT state FROM votes ORDER BY closes_at").await;
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    };
    assert_eq!(states, ["open", "closed"]);
    for table in ["board_heads", "envelopes", "roll_entries"] {
        // what is over is not written anew with the secret votes that close later
        let of = async |which: &str| raw.one::<i64>(&format!("SELECT count(*) FROM {table} r {which}")).await;
        let astray = of("JOIN votes v ON v.id = r.vote_id WHERE r.is_over <> (v.state = 'closed')").await;
        let (over, all) = (of("WHERE r.is_over").await, of("").await);
        assert!(astray == 0 && 0 < over && over < all, "{table}: {astray} astray, {over} over, {all}");
    }
    raw.execute(&format!("UPDATE votes SET rule = '{rule}' WHERE rule = 'x'")).await;
    raw.close().await;
    commands::due(&app.app).await.unwrap();
    assert_eq!(app.get(&format!("/v1/votes/{broken}")).await.ok()["state"], "closed");
    app.stop().await;
}

/// In a whole county that elects, many rolls are objected to on one day.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_votes_that_wait_for_an_answer_hold_up_no_other() {
    let (app, village) = Village::start().await;
    let (one, other) =
        (village.matter_to_decide(&app, "修一座桥").await, village.matter_to_decide(&app, "修一条路").await);
    let disputed = village.open_vote(&app, &one, TimeDelta::hours(3)).await;
    let about = json!({ "name": "费海荣", "roster_number": "00007" });
    let wrong = json!({ "kind": "wrong", "about": about, "reason": "大家都知道" });
    village.clerk.post(&format!("/v1/votes/{disputed}/roll/objections"), wrong).await.ok();
    let run = async |sql: String| past_commands(&app, sql).await.unwrap();
    let tables = ["votes", "roll_objections"];
    for table in tables {
        run(format!("CREATE TABLE one_of_{table} AS SELECT * FROM {table}")).await;
    }
    let fresh = if app.folder.is_sqlite() { "randomblob(16)" } else { "gen_random_uuid()" };
    for _ in 0..100 {
        run(format!("UPDATE one_of_votes SET id = {fresh}")).await;
        let of_vote = "vote_id = (SELECT id FROM one_of_votes)";
        run(format!("UPDATE one_of_roll_objections SET id = {fresh}, {of_vote}")).await;
        for table in tables {
            run(format!("INSERT INTO {table} SELECT * FROM one_of_{table}")).await;
        }
    }
    for table in tables {
        run(format!("DROP TABLE one_of_{table}")).await;
    }
    let sound = village.open_vote(&app, &other, TimeDelta::hours(4)).await;
    app.clock.advance(TimeDelta::hours(5));
    commands::due(&app.app).await.unwrap();
    let state = async |vote: &str| app.get(&format!("/v1/votes/{vote}")).await.ok()["state"].clone();
    assert_eq!((state(&disputed).await, state(&sound).await), (json!("open"), json!("closed")));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_closes_before_its_time_or_twice() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = Sealed::open(&app, &village, &matter, json!({})).await;
    let id = vote.id.parse().unwrap();
    village.villager(&app, "00007").await.post(&vote.path("/ballots"), ballot("for")).await.ok();
    // a server whose clock was ahead found it over, and it is not
    assert!(!close(&app, id).await);
    assert_eq!(app.get(&vote.path("")).await.ok()["state"], "open");
    app.clock.advance(TimeDelta::days(2));
    assert!(close(&app, id).await);
    let running = "SELECT count(*) FROM roll_entries WHERE NOT is_over";
    assert_eq!(count(app.folder.path(), running).await, 0, "the roll is moved after the closing, not with it");
    // two servers found it over
    assert!(!close(&app, id).await);
    assert_eq!(app.get(&vote.path("")).await.ok()["state"], "counting");
    let result = village.town.post(&vote.path("/opening"), vote.two(1, 2)).await.ok();
    assert_eq!(result["count"]["yes"], 1, "{result}");
    assert!(!close(&app, id).await);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_secret_vote_is_annulled_while_it_is_open_and_while_it_waits_for_lost_keys() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    for is_over in [false, true] {
        let vote = Sealed::open(&app, &village, &matter, json!({ "allows_revote": true })).await;
        let (annul, elector) = (vote.path("/annul"), village.villager(&app, "00007").await);
        for choice in ["for", "against"] {
            elector.post(&vote.path("/ballots"), ballot(choice)).await.ok();
        }
        if is_over {
            app.pass(TimeDelta::days(2)).await;
            assert_eq!(app.get(&vote.path("")).await.ok()["state"], "counting");
        }
        assert_eq!(village.clerk.post(&annul, why()).await.refused(), "not_allowed");
        assert_eq!(
            village.chair.post(&annul, json!({ "reason": "x", "authority": "镇" })).await.refused(),
            "invalid_fields"
        );
        assert_eq!(village.chair.post(&annul, why()).await.ok()["state"], "annulled");
        assert_eq!(village.chair.post(&annul, why()).await.refused(), "wrong_state");
        assert_eq!(elector.post(&vote.path("/ballots"), ballot("for")).await.refused(), "vote_closed");
        assert_eq!(village.town.post(&vote.path("/opening"), vote.two(0, 1)).await.refused(), "wrong_state");
        assert_eq!(count(app.folder.path(), "SELECT count(*) FROM envelopes").await, 0, "whose a ballot was is known");
        is_annulled(&app, &vote.id).await;
        assert!(village.cards(&app, &matter).await.contains("理由：问题写错了（批准：镇政府同意）"));
        let listed = elector.get(&vote.path("/ballots?limit=100")).await.ok();
        assert!(listed["items"].as_array().unwrap().iter().all(|one| one.get("choice").is_none()));
        app.pass(TimeDelta::minutes(1)).await;
        assert_eq!(count(app.folder.path(), "SELECT count(*) FROM votes WHERE links_left").await, 0);
    }
    // and once more before its keys are made: the matter is free each time
    let ask = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person", "secrecy": "secret",
        "closes_at": app.app.now() + TimeDelta::days(1) });
    let vote = village.chair.post("/v1/votes", ask).await.ok()["id"].as_str().unwrap().to_owned();
    assert_eq!(village.chair.post(&format!("/v1/votes/{vote}/annul"), why()).await.ok()["state"], "annulled");
    app.settle().await;
    village.open_vote(&app, &matter, TimeDelta::days(1)).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_open_vote_is_annulled_at_the_desk_and_nobody_is_named() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(1)).await;
    let elector = village.villager(&app, "00007").await;
    elector.post(&format!("/v1/votes/{vote}/ballots"), ballot("against")).await.ok();
    let (page, path) = (format!("/desk/votes/{vote}"), format!("/desk/votes/{vote}/annul"));
    let (_, shown) = village.clerk.download(&page).await;
    assert!(!String::from_utf8(shown).unwrap().contains("作废这次表决"), "the clerk may not");
    let (_, shown) = village.chair.download(&page).await;
    assert!(String::from_utf8(shown).unwrap().contains("作废这次表决"));
    let send = |reason: &'static str| {
        let form = village.chair.request(reqwest::Method::POST, &path).header("sec-fetch-site", "same-origin");
        let coded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let body = format!("reason={}&authority={}", coded(reason), coded("镇政府同意"));
        form.header("content-type", "application/x-www-form-urlencoded").body(body).send()
    };
    let refused = send("x").await.unwrap();
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("镇政府同意"), "what was typed is gone");
    assert_eq!(send("问题写错了").await.unwrap().status(), 303);
    is_annulled(&app, &vote).await;
    let listed = elector.get(&format!("/v1/votes/{vote}/ballots?limit=100")).await.ok();
    let told = listed["items"].as_array().unwrap();
    assert!(told.iter().all(|one| one.get("choice").is_none() && one.get("ballot_hash").is_none()), "{listed}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_vote_that_decides_takes_no_ballots_before_the_days_of_its_meeting_have_run() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let meeting = assembly(&app, &village, &matter).await;
    let ask = |days: i64| {
        json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person", "meeting_id": meeting,
            "closes_at": app.app.now() + TimeDelta::days(days) })
    };
    app.pass(TimeDelta::days(9)).await;
    let early = village.chair.post("/v1/votes", ask(2)).await;
    assert!(early.body.to_string().contains("called_too_late"), "{}", early.body);
    assert_eq!(early.refused(), "invalid_fields");
    app.pass(TimeDelta::days(1)).await;
    assert_eq!(village.chair.post("/v1/votes", ask(1)).await.ok()["is_binding"], true);
    // owners vote by floor area, which is in no register here
    let members = json!({ "matter_id": matter, "question": "是否同意？", "preset": "owners_ordinary",
        "closes_at": app.app.now() + TimeDelta::days(1) });
    assert_eq!(village.chair.post("/v1/votes", members).await.refused(), "rule_not_votable");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_vote_of_the_representatives_does_not_ask_the_whole_village_and_its_roll_is_that_of_its_day() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let ask = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_representatives",
        "closes_at": app.app.now() + TimeDelta::days(1) });
    let vote = village.chair.post("/v1/votes", ask).await.ok()["id"].as_str().unwrap().to_owned();
    app.settle().await;
    let cards = village.cards(&app, &matter).await;
    assert!(cards.contains("位村民代表和村民委员会成员投票") && !cards.contains("请您投票"), "{cards}");
    // whatever becomes of the key or of a person, the roll is the one that was frozen
    let neighbour = village.neighbour(&app).await.person;
    let raw = Raw::open(app.folder.path()).await;
    let id = if app.folder.is_sqlite() { format!("x'{}'", neighbour.0.simple()) } else { format!("'{neighbour}'") };
    assert_eq!(raw.execute(&format!("UPDATE roll_entries SET person_id = {id} WHERE number = 1")).await, 1);
    raw.close().await;
    app.pass(TimeDelta::days(2)).await;
    let archive = app.get(&format!("/v1/votes/{vote}/archive")).await.ok();
    assert_eq!(verify(&archive, None).fault, None);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_is_pressed_to_vote_tells_the_town_and_not_the_village() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修桥").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(2)).await;
    let pressed = village.villager(&app, "00007").await;
    let page = async |path: String| String::from_utf8(pressed.download(&path).await.1).unwrap();
    let way = "/speak?kind=complaint&amp;visibility=town";
    assert!(page(format!("/votes/{vote}")).await.contains(way));
    let speak = page(way.replace("&amp;", "&")).await;
    for chosen in ["name=\"kind\" value=\"complaint\" checked", "name=\"visibility\" value=\"town\" checked"] {
        assert!(speak.contains(chosen), "{chosen}: {speak}");
    }
    assert_eq!(speak.matches(" checked>").count(), 2, "nothing else is chosen beside it");
    app.pass(TimeDelta::days(2)).await;
    app.settle().await;
    assert!(!page(format!("/votes/{vote}")).await.contains(way), "there is no ballot to be pressed for any more");
    app.stop().await;
}
