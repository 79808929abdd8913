//! The roll that hangs before a vote: who is missing, who should not be on it, and changes that two people make and all see.
use chrono::TimeDelta;
use liusheng::{board::sealing::Trustee, keys::sha256_hex, people};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{key_pairs, paper::number, votes::checked};
use crate::support::{Raw, Somebody, TestApp, Village, count, import, person_of};

const ROSTER: &str = include_str!("../../data/roster_small.csv");

pub(super) fn ballot() -> Value {
    json!({ "cast_id": Uuid::new_v4(), "choice": "for" })
}

pub(super) fn objection(kind: &str, name: &str) -> Value {
    json!({ "kind": kind, "about": { "name": name }, "reason": "大家都知道" })
}

/// What two people say to an objection.
pub(super) fn decision(upholds: bool) -> Value {
    json!({ "upholds": upholds, "reason": "经核对，按组织法办理" })
}

/// Decided by one, confirmed by another.
pub(super) async fn settled(by: (&Somebody, &Somebody), objections: &str, (id, upholds): (&Value, bool)) -> Value {
    let at = format!("{objections}/{}", id.as_str().unwrap());
    assert_eq!(by.0.post(&format!("{at}/decision"), decision(upholds)).await.ok()["state"], "proposed");
    assert_eq!(by.0.post(&format!("{at}/confirm"), decision(upholds)).await.refused(), "second_person_needed");
    by.1.post(&format!("{at}/confirm"), decision(upholds)).await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_roll_hangs_before_the_vote_and_changes_only_by_two_people_on_the_board() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let mut ask = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person",
        "roll_days": 31, "closes_at": app.app.now() + TimeDelta::days(10) });
    assert_eq!(village.chair.post("/v1/votes", ask.clone()).await.refused(), "invalid_fields");
    ask["roll_days"] = json!(10);
    let late = village.chair.post("/v1/votes", ask.clone()).await;
    assert!(late.body.to_string().contains("closes_at"), "it would close before it opens: {}", late.body);
    ask["roll_days"] = json!(5);
    let vote = village.chair.post("/v1/votes", ask).await.ok();
    let path = format!("/v1/votes/{}", vote["id"].as_str().unwrap());
    let (objections, ballots) = (format!("{path}/roll/objections"), format!("{path}/ballots"));
    assert_eq!((&vote["state"], vote["opens_at"].as_str().unwrap().contains("T00:00:00")), (&json!("posted"), true));
    // what hangs is what the manifest binds
    let roll = app.get(&format!("{path}/roll")).await.ok();
    let manifest = app.get(&format!("{path}/manifest")).await.ok();
    assert_eq!((&roll["root"], &roll["frozen"]), (&manifest["roll"]["root"], &manifest["roll"]["n"]));
    assert_eq!(manifest["opens"].as_str().unwrap(), "2026-11-19T16:00:00Z", "{manifest}");
    app.settle().await;
    assert!(village.cards(&app, &matter).await.contains("名册公示：是否同意？"));
    let (resident, wrongly) = (village.villager(&app, "00007").await, village.villager(&app, "00020").await);
    assert_eq!(resident.post(&ballots, ballot()).await.refused(), "vote_not_open");
    // somebody is missing whom the roster does not know: the office puts the roster right first
    let missing = resident.post(&objections, objection("missing", "费新生")).await.ok();
    assert_eq!((&missing["state"], &missing["is_on_roster"]), (&json!("open"), &json!(false)));
    let at = format!("{objections}/{}", missing["id"].as_str().unwrap());
    let upholds = json!({ "upholds": true, "reason": "漏登" });
    assert_eq!(resident.post(&format!("{at}/decision"), upholds.clone()).await.refused(), "not_allowed");
    let unknown = village.clerk.post(&format!("{at}/decision"), upholds).await;
    assert!(unknown.body.to_string().contains("not_on_roster"), "{}", unknown.body);
    import(&app.app, format!("{ROSTER}00060,H003,330521103202,4,费新生,男,1990-01-02,,,子,1,1\n")).await;
    assert_eq!(village.chair.post(&format!("{at}/confirm"), decision(true)).await.refused(), "wrong_state");
    let upheld = settled((&village.clerk, &village.chair), &objections, (&missing["id"], true)).await;
    assert_eq!(upheld["state"], "upheld");
    assert_eq!(village.chair.post(&format!("{at}/confirm"), decision(true)).await.ok(), upheld, "sent again");
    // who is on it cannot be missing, who is not on it cannot be wrong on it
    let known = resident.post(&objections, json!({ "kind": "missing", "reason": "没有我" })).await;
    assert!(known.body.to_string().contains("already_on_roll"), "{}", known.body);
    assert_eq!(resident.post(&objections, objection("wrong", "无此人")).await.refused(), "not_on_roll");
    // somebody has died; who wrote it down decides, another confirms
    let died = village.clerk.post(&objections, objection("wrong", "沈静芳")).await.ok();
    settled((&village.clerk, &village.chair), &objections, (&died["id"], true)).await;
    // and one that is not right
    let other = resident.post(&objections, objection("wrong", "俞美娟")).await.ok();
    settled((&village.chair, &village.clerk), &objections, (&other["id"], false)).await;
    let roll = app.get(&format!("{path}/roll")).await.ok();
    let n = roll["frozen"].as_i64().unwrap();
    assert_eq!((&roll["on_roll"], &roll["open_objections"]), (&json!(n), &json!(0)), "one more, one less");
    let told = roll["amendments"].to_string();
    assert!(told.contains("补入") && told.contains("划去") && !told.contains("沈静芳"), "{told}");
    let entries = app.get(&format!("{path}/board/entries")).await.ok()["items"].to_string();
    assert_eq!(entries.matches("amend").count(), 2, "the roll is not what the board says: {entries}");
    // who decided and by which article stands beside the reason, and the digest on the board is that of all of it
    let deciders = people::names(app.app.store.read(), vec![village.clerk.person, village.chair.person]).await.unwrap();
    for one in roll["amendments"].as_array().unwrap() {
        let stated = one["decision"].as_str().unwrap();
        assert!(deciders.values().all(|name| stated.contains(name)) && stated.contains("村民委员会组织法"), "{stated}");
        assert!(entries.contains(&sha256_hex(stated.as_bytes())), "{stated}: {entries}");
    }
    // the list for the village is masked, the sheet of the office is not; neither has a phone
    let listed = resident.get(&format!("{path}/roll/entries?limit=100")).await.ok().to_string();
    assert!(listed.contains("费**") && !listed.contains("费海荣"), "{listed}");
    let sheet = village.chair.download(&format!("/desk/votes/{}/roll", vote["id"].as_str().unwrap())).await;
    let sheet = String::from_utf8(sheet.1).unwrap();
    assert!(sheet.contains("费海荣") && !sheet.contains("19500000007") && !sheet.contains("1970"), "{sheet}");
    // on paper, so that everybody who reads it knows which board it is
    let head = app.get(&format!("{path}/board/head")).await.ok();
    assert!(sheet.contains(head["fingerprint"].as_str().unwrap()), "{sheet}");
    let page = resident.download(&format!("/votes/{}/roll", vote["id"].as_str().unwrap())).await;
    assert!(String::from_utf8(page.1).unwrap().contains("您在名册上"));
    // it opens by the clock; from then on residents object no more, and the office writes down a death still
    app.pass(TimeDelta::days(6)).await;
    assert_eq!(app.get(&path).await.ok()["state"], "open");
    assert_eq!(resident.post(&objections, objection("wrong", "俞美娟")).await.refused(), "roll_objection_too_late");
    let added = Somebody::signed_in(&app, person_of(&app.app, &village.area, "00060").await).await;
    added.post(&ballots, ballot()).await.ok();
    assert_eq!(wrongly.post(&ballots, ballot()).await.refused(), "not_on_roll");
    resident.post(&ballots, ballot()).await.ok();
    let cast = village.clerk.post(&objections, objection("wrong", "费海荣")).await.ok();
    // one alone is not told whether somebody has cast; what is confirmed is what was read
    let at = format!("{objections}/{}", cast["id"].as_str().unwrap());
    assert_eq!(village.clerk.post(&format!("{at}/decision"), decision(true)).await.ok()["state"], "proposed");
    assert_eq!(village.chair.post(&format!("{at}/confirm"), decision(false)).await.refused(), "changed");
    let stands = village.supervisor.post(&format!("{at}/confirm"), decision(true)).await;
    assert_eq!(stands.refused(), "already_cast", "a ballot that is there stands");
    let late = village.clerk.post(&objections, objection("wrong", "俞美娟")).await.ok();
    // its time is over, and an objection waits: so does the result, but no ballot is taken
    app.pass(TimeDelta::days(5)).await;
    assert_eq!(app.get(&path).await.ok()["state"], "open");
    assert_eq!(village.villager(&app, "00008").await.post(&ballots, ballot()).await.refused(), "vote_closed");
    settled((&village.clerk, &village.chair), &objections, (&cast["id"], false)).await;
    // who took part is known by now: the roll does not change any more, whatever is decided
    let upheld = settled((&village.clerk, &village.chair), &objections, (&late["id"], true)).await;
    assert_eq!(upheld["state"], "upheld");
    app.pass(TimeDelta::minutes(5)).await;
    let result = app.get(&format!("{path}/result")).await.ok();
    assert_eq!((&result["count"]["on_roll"], &result["count"]["present"]), (&json!(n), &json!(2)));
    let archive = checked(&app, vote["id"].as_str().unwrap(), &[]).await;
    let amends: Vec<&Value> =
        archive["entries"].as_array().unwrap().iter().filter(|entry| entry["k"] == "amend").collect();
    assert_eq!(amends.len(), 2);
    assert_eq!((&amends[0]["op"], &amends[0]["n"], &amends[1]["op"]), (&json!("add"), &json!(n + 1), &json!("strike")));
    assert_eq!(archive["roll"].as_array().unwrap().len(), usize::try_from(n).unwrap(), "the frozen roll is untouched");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_secret_vote_waits_for_its_keys_and_its_roll_and_who_was_struck_by_mistake_comes_back() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let ask = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_household",
        "secrecy": "secret", "roll_days": 3, "closes_at": app.app.now() + TimeDelta::days(8) });
    let vote = village.chair.post("/v1/votes", ask).await.ok();
    let (id, path) = (vote["id"].as_str().unwrap(), format!("/v1/votes/{}", vote["id"].as_str().unwrap()));
    assert_eq!(vote["state"], "waiting_keys");
    let objections = format!("{path}/roll/objections");
    // before there is a board; of a household who casts for it is named, nobody else
    assert_eq!(village.clerk.post(&objections, objection("wrong", "欧阳静芳")).await.refused(), "not_on_roll");
    let gone = village.clerk.post(&objections, objection("wrong", "欧阳水根")).await.ok();
    settled((&village.clerk, &village.chair), &objections, (&gone["id"], true)).await;
    for ((trustee, (public, _)), holder) in
        Trustee::ALL.into_iter().zip(key_pairs(3)).zip([&village.chair, &village.supervisor, &village.town])
    {
        holder.post(&format!("{path}/keys"), json!({ "trustee": trustee, "public_key": public })).await.ok();
    }
    assert_eq!(app.get(&path).await.ok()["state"], "posted", "the keys are there, the roll still hangs");
    let resident = village.villager(&app, "00010").await;
    assert_eq!(resident.post(&format!("{path}/ballots"), ballot()).await.refused(), "not_on_roll", "struck by mistake");
    let other = village.villager(&app, "00007").await;
    assert_eq!(other.post(&format!("{path}/ballots"), ballot()).await.refused(), "vote_not_open");
    let back = resident.post(&objections, json!({ "kind": "missing", "reason": "我家没有迁走" })).await.ok();
    settled((&village.clerk, &village.chair), &objections, (&back["id"], true)).await;
    app.pass(TimeDelta::days(4)).await;
    assert_eq!(app.get(&path).await.ok()["state"], "open");
    resident.post(&format!("{path}/ballots"), ballot()).await.ok();
    app.pass(TimeDelta::days(5)).await;
    assert_eq!(app.get(&path).await.ok()["state"], "counting");
    let entries = app.get(&format!("{path}/board/entries")).await.ok()["items"].to_string();
    assert!(entries.contains("strike") && entries.contains("restore"), "{entries}");
    let roll = app.get(&format!("{path}/roll")).await.ok();
    assert_eq!(roll["on_roll"], roll["frozen"]);
    let page = village.chair.download(&format!("/desk/votes/{id}")).await;
    assert_eq!(page.0, 200);
    app.stop().await;
}

/// A vote that is open at once, as its path.
pub(super) async fn opened(app: &TestApp, village: &Village, preset: &str, more: Value) -> String {
    let matter = village.matter_to_decide(app, "修一座桥").await;
    let mut ask = json!({ "matter_id": matter, "question": "是否同意？", "preset": preset,
        "closes_at": app.app.now() + TimeDelta::days(6) });
    ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let vote = village.chair.post("/v1/votes", ask).await.ok();
    format!("/v1/votes/{}", vote["id"].as_str().unwrap())
}

/// The roster without this line, or with another in its place.
pub(super) fn roster(number: &str, instead: &str) -> String {
    let lines = ROSTER.lines().filter(|line| !line.starts_with(number));
    let kept = lines.map(|line| format!("{line}\n")).collect::<String>();
    kept + instead
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_left_the_roster_is_struck_all_the_same_and_casts_for_nobody_else() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, "village_assembly_person", json!({})).await;
    let objections = format!("{vote}/roll/objections");
    let (elector, agent) = (village.villager(&app, "00008").await, village.villager(&app, "00007").await);
    let named = json!({ "agent": { "name": "费海荣" }, "relation": "spouse" });
    let named = elector.post(&format!("{vote}/proxies"), named).await.ok();
    village.clerk.post(&format!("{vote}/proxies/{}/check", named["number"]), json!(null)).await.ok();
    let own = number(&agent, &vote).await;
    // he has moved away, and the office has the new roster already
    import(&app.app, roster("00007", "")).await;
    let mut gone = objection("wrong", "费海荣");
    gone["about"]["roster_number"] = json!("999");
    assert_eq!(village.clerk.post(&objections, gone.clone()).await.refused(), "not_on_roll");
    gone["about"]["roster_number"] = json!(own.to_string());
    let gone = village.clerk.post(&objections, gone).await.ok();
    settled((&village.clerk, &village.supervisor), &objections, (&gone["id"], true)).await;
    assert_eq!(app.get(&format!("{vote}/roll")).await.ok()["amendments"][0]["number"], own);
    let mut other = ballot();
    other["elector"] = named["number"].clone();
    let cast = agent.post(&format!("{vote}/ballots"), other).await;
    assert!([401, 403].contains(&cast.status), "who was struck casts for others: {}", cast.body);
    elector.post(&format!("{vote}/ballots"), ballot()).await.ok();
    let ended = "SELECT count(*) FROM roll_agents WHERE kind = 'proxy' AND state = 'void'";
    assert_eq!(count(app.folder.path(), ended).await, 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_moved_between_households_is_struck_where_the_roll_has_them_and_never_has_two_places() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, "village_assembly_household", json!({})).await;
    let objections = format!("{vote}/roll/objections");
    let (mover, neighbour) = (village.villager(&app, "00010").await, village.villager(&app, "00013").await);
    let (own, theirs) = (number(&mover, &vote).await, number(&neighbour, &vote).await);
    let moved = "00010,H005,330521103202,6,欧阳水根,男,1975-12-04,330599197512041031,19500000010,其他,1,1\n";
    import(&app.app, roster("00010", moved)).await;
    let wrong = village.clerk.post(&objections, objection("wrong", "欧阳水根")).await.ok();
    settled((&village.clerk, &village.town), &objections, (&wrong["id"], true)).await;
    let struck = app.get(&format!("{vote}/roll")).await.ok()["amendments"][0]["number"].clone();
    assert_eq!((struck == own, struck == theirs), (true, false), "the household that he casts for, not where he lives");
    neighbour.post(&format!("{vote}/ballots"), ballot()).await.ok();
    // the one who casts for a household makes one of his own: no second place
    let split = "00016,H099,330521103202,1,嵇文斌,男,1985-12-08,330599198512081038,19500000016,户主,1,1\n";
    import(&app.app, roster("00016", split)).await;
    let again = village.villager(&app, "00016").await;
    let again = again.post(&objections, json!({ "kind": "missing", "reason": "我另立了户" })).await;
    assert!(again.body.to_string().contains("already_on_roll"), "{}", again.body);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_vote_does_not_end_over_an_objection_and_who_objected_may_challenge() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, "village_representatives", json!({ "challenge_days": 3 })).await;
    let objections = format!("{vote}/roll/objections");
    let author = village.villager(&app, "00007").await;
    let raised = author.post(&objections, json!({ "kind": "missing", "reason": "我也是代表" })).await.ok();
    for elector in village.representatives.iter().chain([&village.chair]) {
        elector.post(&format!("{vote}/ballots"), ballot()).await.ok();
    }
    app.pass(TimeDelta::minutes(5)).await;
    assert_eq!(app.get(&vote).await.ok()["state"], "open", "closed over an objection that waits");
    settled((&village.clerk, &village.chair), &objections, (&raised["id"], false)).await;
    app.pass(TimeDelta::minutes(5)).await;
    assert_eq!(app.get(&vote).await.ok()["state"], "closed");
    author.post(&format!("{vote}/challenges"), json!({ "reason": "我没能投" })).await.ok();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_objection_that_nobody_answers_holds_up_no_vote_for_ever() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, "village_assembly_person", json!({})).await;
    app.pass(TimeDelta::days(5)).await;
    let resident = village.villager(&app, "00007").await;
    let objections = format!("{vote}/roll/objections");
    for name in ["俞美娟", "欧阳水根", "邱小妹"] {
        resident.post(&objections, objection("wrong", name)).await.ok();
    }
    assert_eq!(resident.post(&objections, objection("wrong", "欧阳静芳")).await.refused(), "too_many_objections");
    app.pass(TimeDelta::days(2)).await;
    assert_eq!(app.get(&vote).await.ok()["state"], "open");
    app.pass(TimeDelta::days(6)).await;
    assert_eq!(app.get(&vote).await.ok()["state"], "closed");
    app.settle().await;
    let own = resident.get(&objections).await.ok();
    assert!(own.as_array().unwrap().iter().all(|one| one["state"] == "lapsed"), "{own}");
    let told = "SELECT count(*) FROM entries WHERE kind = 'card' AND body LIKE '%名册异议到截止没有人处理%'";
    assert_eq!(count(app.folder.path(), told).await, 3, "their author is not told");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_the_office_lets_lie_is_decided_by_the_office_above_and_who_supervises_it() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, "village_assembly_person", json!({})).await;
    let objections = format!("{vote}/roll/objections");
    let resident = village.villager(&app, "00007").await;
    let raised = resident.post(&objections, objection("wrong", "俞美娟")).await.ok();
    let at = format!("{objections}/{}", raised["id"].as_str().unwrap());
    // in its days the office alone
    for early in [&village.town, &village.supervisor] {
        assert_eq!(early.post(&format!("{at}/decision"), decision(true)).await.refused(), "not_allowed");
    }
    let todo = async |who: &Somebody| String::from_utf8(who.download("/desk").await.1).unwrap();
    let waits = "对名册的异议 1 条，要答复";
    assert!(todo(&village.clerk).await.contains(waits) && !todo(&village.town).await.contains(waits));
    app.pass(TimeDelta::days(4)).await;
    app.settle().await;
    assert!(todo(&village.town).await.contains(waits), "on the list of who stands in");
    let told = "SELECT count(*) FROM entries WHERE kind = 'card' AND body LIKE '%没有按时处理名册异议%'";
    assert_eq!(count(app.folder.path(), told).await, 2, "the town's office and the supervision committee");
    app.pass(TimeDelta::minutes(5)).await;
    app.settle().await;
    assert_eq!(count(app.folder.path(), told).await, 2, "passed on twice");
    assert_eq!(resident.post(&format!("{at}/decision"), decision(true)).await.refused(), "not_allowed");
    let desk = village.town.download(&format!("/desk{}/roll", &vote[3..])).await;
    assert!(String::from_utf8(desk.1).unwrap().contains("您可以代为处理"), "{}", desk.0);
    let upheld = settled((&village.town, &village.supervisor), &objections, (&raised["id"], true)).await;
    assert_eq!(upheld["state"], "upheld");
    assert_eq!(app.get(&format!("{vote}/roll")).await.ok()["amendments"][0]["op"], "strike");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_household_is_who_belonged_to_it_on_the_day_of_the_roll() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, "village_assembly_household", json!({})).await;
    let (objections, ballots) = (format!("{vote}/roll/objections"), format!("{vote}/ballots"));
    // 俞美娟 of H003, who casts for nobody, founds a household of her own the day after
    let own = number(&village.villager(&app, "00008").await, &vote).await;
    app.pass(TimeDelta::days(1)).await;
    let line = ROSTER.lines().find(|line| line.starts_with("00008")).unwrap();
    let split: Vec<&str> = line.split(',').collect();
    let split = split.iter().enumerate().map(|(at, cell)| match at {
        1 => "H098",
        9 => "户主",
        _ => *cell,
    });
    let split = split.collect::<Vec<_>>().join(",") + "\n";
    import(&app.app, roster("00008", &split)).await;
    let founder = village.villager(&app, "00008").await;
    let of_hers = founder.get(&format!("{vote}/me")).await.ok()["number"].clone();
    assert_eq!(of_hers, own, "the household that she belonged to");
    let missing = founder.post(&objections, json!({ "kind": "missing", "reason": "我另立了户" })).await;
    assert!(missing.body.to_string().contains("already_on_roll"), "{}", missing.body);
    assert_eq!(founder.post(&ballots, ballot()).await.refused(), "not_on_roll");
    // who casts for it tells those who belonged to it, and who came into it since is told nothing
    let newcomer = "00060,H003,330521103202,4,费新生,男,1990-01-02,,,子,1,1\n";
    import(&app.app, roster("00008", &(split + newcomer))).await;
    village.villager(&app, "00007").await.post(&ballots, ballot()).await.ok();
    app.settle().await;
    let told = async |number: &str| {
        let person = person_of(&app.app, &village.area, number).await;
        let events = format!("SELECT count(*) FROM events WHERE kind = 'vote.cast_for' AND data LIKE '%{person}%'");
        count(app.folder.path(), &events).await
    };
    assert_eq!((told("00008").await, told("00060").await), (1, 0), "who belonged to it on the day of the roll");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_roll_is_that_of_the_day_of_the_first_ballot() {
    let (app, village) = Village::start().await;
    // eighteen between the day on which the roll is hung and the opening, and the day after it
    let young = |number: &str, day: u32| format!("{number},H003,330521103202,4,费小弟,男,2008-11-{day},,,子,1,1\n");
    import(&app.app, format!("{ROSTER}{}{}", young("00060", 18), young("00061", 22))).await;
    let vote = opened(&app, &village, "village_assembly_person", json!({ "roll_days": 5 })).await;
    assert_eq!(app.get(&vote).await.ok()["opens_at"].as_str().map(|at| at[..10].to_owned()), Some("2026-11-20".into()));
    for (person, is_on_roll) in [("00060", true), ("00061", false)] {
        let mine = village.villager(&app, person).await.get(&format!("{vote}/me")).await.ok();
        assert_eq!(mine["is_on_roll"], is_on_roll, "{person}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_moved_and_stands_on_two_villages_rolls_is_marked_on_both() {
    let (app, village) = Village::start().await;
    let vote = opened(&app, &village, "village_assembly_person", json!({})).await;
    let mover = village.villager(&app, "00007").await;
    let desk = format!("/desk{}/roll", &vote[3..]);
    let marked =
        async || String::from_utf8(village.chair.download(&desk).await.1).unwrap().contains("还在别的村的名册上");
    opened(&app, &village, "village_assembly_person", json!({})).await;
    assert!(!marked().await, "another vote of the same village");
    let raw = Raw::open(app.folder.path()).await;
    let moved = "UPDATE votes SET area_code = '330521103203' WHERE created_at = (SELECT max(created_at) FROM votes)";
    assert_eq!(raw.execute(moved).await, 1);
    raw.close().await;
    assert!(marked().await, "registered in two villages, and nobody is told");
    let page = String::from_utf8(mover.download(&format!("{}/roll", &vote[3..])).await.1).unwrap();
    assert!(page.contains("您还在另一个村"), "{page}");
    app.stop().await;
}
