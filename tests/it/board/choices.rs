//! Choosing among options: k of n for s places, ties that nobody breaks, a second vote; real ballots of elsewhere.
use std::{collections::BTreeMap, fs, path::Path};

use chrono::TimeDelta;
use liusheng::votes::{
    rules::{Count, Question, elect, preset},
    verify::{Reopened, reopen, verify},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Sealed, by_browser, by_python,
    paper::{issue, number, photo, tally},
};
use crate::support::{TestApp, Village};

async fn ask(app: &TestApp, village: &Village, more: Value) -> crate::support::Answer {
    let mut vote = json!({ "question": "选一个做法", "preset": "village_assembly_person", "challenge_days": 0,
        "closes_at": app.app.now() + TimeDelta::days(2) });
    vote.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    village.chair.post("/v1/votes", vote).await
}

fn ballot(choices: &[&str]) -> Value {
    json!({ "cast_id": Uuid::new_v4(), "choices": choices })
}

/// The archive, found good by all three.
async fn checked(app: &TestApp, vote: &str) -> Value {
    app.settle().await;
    let archive = app.get(&format!("/v1/votes/{vote}/archive")).await.ok();
    let report = verify(&archive, None);
    assert_eq!(report.fault, None, "{:#?}", report.lines);
    assert!(report.lines.iter().any(|line| line.contains("票") && line.contains("桥")), "{:#?}", report.lines);
    let asked = [json!({ "archive": archive, "fingerprint": null })];
    assert_eq!((by_browser("verify", &asked), by_python(&asked)), (vec!["ok".to_owned()], vec!["ok".to_owned()]));
    archive
}

/// So many of the roll, from 00001 on, cast these.
async fn cast_all(app: &TestApp, village: &Village, vote: &str, ballots: &[&[&str]]) {
    for (number, choices) in (1..).zip(ballots) {
        let elector = village.villager(app, &format!("{number:05}")).await;
        elector.post(&format!("/v1/votes/{vote}/ballots"), ballot(choices)).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_may_be_asked_and_what_may_stand_on_a_ballot() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let about = |more: Value| {
        let mut all = json!({ "matter_id": matter, "options": ["石桥", "木桥", "铁桥"], "seats": 1, "max_choices": 2 });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    for wrong in [
        json!({ "options": ["石桥"] }),
        json!({ "options": ["石桥", "石桥"] }),
        json!({ "options": ["石桥", ""] }),
        json!({ "seats": 4 }),
        json!({ "seats": 0 }),
        json!({ "max_choices": 4 }),
        json!({ "options": [] }),
        json!({ "preset": "committee_recall", "secrecy": "secret" }),
        json!({ "options": (0..65).map(|n| n.to_string()).collect::<Vec<_>>() }),
    ] {
        assert_eq!(ask(&app, &village, about(wrong.clone())).await.refused(), "invalid_fields", "{wrong}");
    }
    // what the law keeps on paper is refused, and it is said why
    for election in ["committee_election_round1", "committee_election_round2"] {
        let law = ask(&app, &village, about(json!({ "preset": election, "secrecy": "secret" }))).await;
        assert!(law.body["title"].as_str().unwrap_or_default().contains("纸票"), "{}", law.body);
        assert_eq!(law.refused(), "paper_required");
    }
    let desk = String::from_utf8(village.chair.download(&format!("/desk/matters/{matter}")).await.1).unwrap();
    assert!(desk.contains("依法要设秘密写票处") && desk.contains("选项，一行一个"));
    let vote = ask(&app, &village, about(json!({}))).await.ok();
    assert_eq!((&vote["kind"], &vote["options"][2]), (&json!("choice"), &json!({ "key": "3", "text": "铁桥" })));
    let ballots = format!("/v1/votes/{}/ballots", vote["id"].as_str().unwrap());
    let elector = village.villager(&app, "00007").await;
    for (wrong, code) in [
        (ballot(&["1", "2", "3"]), "invalid_fields"),
        (ballot(&["4"]), "invalid_fields"),
        (ballot(&["1", "1"]), "invalid_fields"),
        (json!({ "cast_id": Uuid::new_v4(), "choice": "for" }), "ballot_kind"),
        (json!({ "cast_id": Uuid::new_v4() }), "ballot_kind"),
        (json!({ "cast_id": Uuid::new_v4(), "choice": "for", "choices": ["1"] }), "ballot_kind"),
    ] {
        assert_eq!(elector.post(&ballots, wrong.clone()).await.refused(), code, "{wrong}");
    }
    let same = ballot(&["2", "1"]);
    let receipt = elector.post(&ballots, same.clone()).await.ok();
    assert_eq!(elector.post(&ballots, same).await.ok(), receipt);
    // a motion takes no options
    let other = village.matter_to_decide(&app, "修一条路").await;
    let motion = village.open_vote(&app, &other, TimeDelta::days(1)).await;
    let refused = elector.post(&format!("/v1/votes/{motion}/ballots"), ballot(&["1"])).await.refused();
    assert_eq!(refused, "ballot_kind");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_tie_is_told_and_decided_by_another_vote_among_the_tied() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let more =
        json!({ "matter_id": matter, "options": ["石桥", "木桥", "铁桥", "浮桥"], "seats": 2, "max_choices": 3 });
    let vote = ask(&app, &village, more).await.ok()["id"].as_str().unwrap().to_owned();
    // 55 on the roll: 30 take part; 石桥 has them all, two others 20 each, the last too few
    let mut ballots: Vec<&[&str]> = vec![&["1", "2", "3"]; 10];
    ballots.extend([["1", "2"].as_slice(); 10]);
    ballots.extend([["1", "3"].as_slice(); 10]);
    cast_all(&app, &village, &vote, &ballots).await;
    app.pass(TimeDelta::days(2)).await;
    let result = app.get(&format!("/v1/votes/{vote}/result")).await.ok();
    assert_eq!((&result["outcome"], &result["reason"]), (&json!("tie"), &json!("tie")), "{result}");
    let told: Vec<_> = result["choice"]["options"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["votes"].as_u64().unwrap(), one["is_elected"] == true, one["is_tied"] == true))
        .collect();
    assert_eq!(told, [(30, true, false), (20, false, true), (20, false, true), (0, false, false)]);
    assert_eq!(result["choice"]["seats_open"], 1);
    let archive = checked(&app, &vote).await;
    assert_eq!(archive["result"]["choice"]["tied"], json!(["2", "3"]));
    app.settle().await;
    let cards = village.cards(&app, &matter).await;
    assert!(cards.contains("得票相同：木桥、铁桥") && cards.contains("选出：石桥"), "{cards}");
    let page = app.http.get(app.url(&format!("/votes/{vote}/result"))).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("得票相同时系统不替大家决定") && page.contains("石桥"), "{page}");
    // only the tied, only the open place, only about this matter
    let other = village.matter_to_decide(&app, "修一条路").await;
    let again = |more: Value| {
        let mut all = json!({ "matter_id": matter, "parent_vote_id": vote });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    assert_eq!(ask(&app, &village, again(json!({ "options": ["石桥", "浮桥"] }))).await.refused(), "invalid_fields");
    assert_eq!(ask(&app, &village, again(json!({ "matter_id": other }))).await.refused(), "not_found");
    let second = ask(&app, &village, again(json!({}))).await.ok();
    assert_eq!((&second["seats"], &second["parent_vote_id"]), (&json!(1), &json!(vote)));
    assert_eq!(second["options"], json!([{ "key": "1", "text": "木桥" }, { "key": "2", "text": "铁桥" }]));
    let second = second["id"].as_str().unwrap().to_owned();
    let mut ballots: Vec<&[&str]> = vec![&["1"]; 10];
    ballots.extend([["2"].as_slice(); 19]);
    ballots.push(&[]);
    cast_all(&app, &village, &second, &ballots).await;
    app.pass(TimeDelta::days(2)).await;
    let result = app.get(&format!("/v1/votes/{second}/result")).await.ok();
    assert_eq!((&result["outcome"], &result["count"]["abstain"]), (&json!("passed"), &json!(1)), "{result}");
    assert!(result["choice"]["options"][1]["is_elected"] == true);
    checked(&app, &second).await;
    // neither left a tie that is not decided
    for before in [&second, &vote] {
        let more = json!({ "matter_id": matter, "parent_vote_id": before });
        assert_eq!(ask(&app, &village, more).await.refused(), "wrong_state", "decided once more");
    }
    let desk = String::from_utf8(village.chair.download(&format!("/desk/votes/{vote}")).await.1).unwrap();
    assert!(!desk.contains(&format!("/desk/votes/{vote}/again")), "{desk}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_secret_choice_is_sealed_by_the_phone_or_by_the_server() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let more = json!({ "options": ["石桥", "木桥", "铁桥"], "seats": 1, "max_choices": 2 });
    let vote = Sealed::open(&app, &village, &matter, more).await;
    let manifest = vote.manifest(&app).await;
    // the order in which the phone marked two is not shown
    let said: [&[&str]; 5] = [&["1"], &["2", "1"], &[], &["1", "2", "3"], &["7"]];
    let asked: Vec<Value> = said
        .iter()
        .map(|choices| json!({ "manifest": manifest, "cast_id": Uuid::new_v4(), "choices": choices }))
        .collect();
    for (number, (sealed, told)) in (7..).zip(by_browser("seal", &asked).iter().zip(&asked)) {
        let elector = village.villager(&app, &format!("{number:05}")).await;
        let envelope = json!({ "cast_id": told["cast_id"], "sealed": sealed });
        elector.post(&vote.path("/envelopes"), envelope).await.ok();
    }
    let elector = village.villager(&app, "00013").await;
    let ballots = vote.path("/ballots");
    assert_eq!(elector.post(&ballots, ballot(&["1", "2", "3"])).await.refused(), "invalid_fields");
    assert_eq!(
        elector.post(&ballots, json!({ "cast_id": Uuid::new_v4(), "choice": "for" })).await.refused(),
        "ballot_kind"
    );
    assert_eq!(elector.post(&ballots, ballot(&["1"])).await.ok()["sealed_by"], "server");
    app.pass(TimeDelta::days(2)).await;
    let result = village.town.post(&vote.path("/opening"), vote.two(0, 2)).await.ok();
    let counted = &result["count"];
    assert_eq!(
        (&counted["present"], &counted["yes"], &counted["abstain"]),
        (&json!(6), &json!(3), &json!(1)),
        "{result}"
    );
    assert_eq!((&counted["invalid"], &result["choice"]["options"][0]["votes"]), (&json!(2), &json!(3)));
    let archive = checked(&app, &vote.id).await;
    assert_eq!(archive["plaintexts"], json!([["1", "2"], ["1"], ["1"], [], null, null]));
    // two trustees open them once more, away from the server: one key is not enough, and what was read out is what is in them
    let keys = format!("选一个做法 · 村民委员会\r\n{}\r\n{}\r\n", vote.keys[0], vote.keys[2]);
    let found = |opened, closed| Ok(Reopened { opened, closed, paper: 0 });
    assert_eq!(reopen(&archive, &keys), found(6, 0));
    // what does not open says nothing against anybody, and is told
    let envelope = archive["envelopes"][0].as_str().unwrap();
    let spoilt_at = |place: usize| {
        let mut spoilt = archive.clone();
        let turned = if envelope.as_bytes()[place] == b'A' { "B" } else { "A" };
        spoilt["envelopes"][0] = json!(format!("{}{turned}{}", &envelope[..place], &envelope[place + 1..]));
        spoilt
    };
    assert_eq!(reopen(&spoilt_at(100), &keys), found(5, 1));
    // what was sealed to the committee alone is spoilt: the other two open it
    assert_eq!(reopen(&spoilt_at(480), &keys), found(5, 1));
    assert_eq!(reopen(&spoilt_at(480), &vote.keys.join("\n")), found(6, 0));
    assert_eq!(reopen(&archive, &vote.keys[1]), Err("keys"));
    let mut other = archive.clone();
    other["plaintexts"][1] = json!(["2"]);
    assert_eq!(reopen(&other, &keys), Err("reopened"), "one ballot read out as another");
    app.stop().await;
}

/// On the pages: boxes to tick, the look once more, the ballot.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn options_are_ticked_on_a_page_without_a_script() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let more = json!({ "matter_id": matter, "options": ["石桥", "木桥", "铁桥"], "seats": 1, "max_choices": 2 });
    let vote = ask(&app, &village, more).await.ok()["id"].as_str().unwrap().to_owned();
    let elector = village.villager(&app, "00007").await;
    let page = String::from_utf8(elector.download(&format!("/votes/{vote}")).await.1).unwrap();
    assert!(page.contains("type=\"checkbox\" name=\"choice\" value=\"3\"") && page.contains("最多选 2 个"), "{page}");
    let send = async |path: &str, body: &str| {
        let form = elector.request(reqwest::Method::POST, &format!("/votes/{vote}/{path}"));
        let form =
            form.header("sec-fetch-site", "same-origin").header("content-type", "application/x-www-form-urlencoded");
        let answer = form.body(body.to_owned()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, page) = send("confirm", "choice=1&choice=2&choice=3").await;
    assert!(status == 422 && page.contains("选得太多了"), "{status} {page}");
    let (status, page) = send("confirm", "choice=1&choice=3").await;
    assert!(status == 200 && page.contains("石桥、铁桥"), "{page}");
    let id = Uuid::new_v4();
    assert_eq!(send("ballots", &format!("choice=1&choice=3&cast_id={id}")).await.0, 303);
    assert_eq!(send("ballots", &format!("choice=1&choice=3&cast_id={id}")).await.0, 303, "the same once more");
    // from another phone, say: the page does not let it pass for a ballot that was taken
    let (status, page) = send("ballots", &format!("choice=2&cast_id={}", Uuid::new_v4())).await;
    assert!(status == 409 && page.contains("这一次的没有收") && page.contains("您的票已经收到"), "{status} {page}");
    app.pass(TimeDelta::days(2)).await;
    let listed = elector.get(&format!("/v1/votes/{vote}/ballots?limit=100")).await.ok();
    let row = listed["items"].as_array().unwrap().iter().find(|row| row.get("choices").is_some()).unwrap();
    assert_eq!((&row["choices"], &row["choice_name"]), (&json!(["1", "3"]), &json!("石桥、铁桥")));
    app.stop().await;
}

/// Projects with their published votes, and ballots with how they were cast, of a file of pabulib.org.
struct Election {
    projects: Vec<(String, u64)>,
    ballots: Vec<(String, Vec<String>)>,
}

impl Election {
    fn read(text: &str) -> Self {
        let (mut section, mut head) = ("", Vec::new());
        let mut read = Self { projects: Vec::new(), ballots: Vec::new() };
        for line in text.lines().filter(|line| !line.is_empty()) {
            if ["META", "PROJECTS", "VOTES"].contains(&line) {
                (section, head) = (line, Vec::new());
                continue;
            }
            let cells: Vec<&str> = line.split(';').collect();
            if head.is_empty() {
                head = cells;
                continue;
            }
            let cell = |name: &str| head.iter().position(|own| *own == name).and_then(|at| cells.get(at)).copied();
            match section {
                "PROJECTS" => {
                    read.projects.push((cell("project_id").unwrap().into(), cell("votes").unwrap().parse().unwrap()))
                }
                "VOTES" => {
                    let vote = cell("vote").unwrap().split(',').filter(|one| !one.is_empty()).map(str::to_owned);
                    read.ballots.push((cell("voting_method").unwrap_or_default().to_owned(), vote.collect()));
                }
                _ => {}
            }
        }
        read
    }
}

const REAL: &str = "/work/shared/data/votes/pabulib";

/// Every real ballot of six elections, counted: each project has the votes that were published.
#[test]
fn real_ballots_give_the_published_counts() {
    let Ok(files) = fs::read_dir(REAL) else {
        eprintln!("skipped, because {REAL} is not there: real ballots");
        return;
    };
    let mut elections = 0;
    for file in files.map(Result::unwrap).map(|file| file.path()) {
        let Election { projects, ballots } = Election::read(&fs::read_to_string(&file).unwrap());
        let options: Vec<String> = projects.iter().map(|(id, _)| id.clone()).collect();
        let asked = Question { max_choices: options.len(), seats: 1, options };
        let mut count = Count { on_roll: ballots.len() as u64, ..Count::default() };
        let mut votes = asked.no_votes();
        for (_, ballot) in &ballots {
            asked.add((&mut count, &mut votes), Some(ballot), 1);
        }
        let paper = ballots.iter().filter(|(method, _)| method == "paper").count();
        let (_, elected) = elect(preset("village_assembly_person").unwrap(), &asked, (&count, votes)).unwrap();
        let published: BTreeMap<String, u64> = projects.into_iter().collect();
        assert_eq!(elected.votes, published, "{}", file.display());
        assert_eq!((count.present, count.invalid), (ballots.len() as u64, 0));
        println!("{}: {} ballots, {paper} on paper", file.file_name().unwrap().display(), ballots.len());
        elections += 1;
    }
    assert!(elections > 0);
}

/// The smallest of them, cast as its people did, by phones and on paper, and closed by the clock.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn real_ballots_cast_by_phones_and_on_paper_give_the_published_counts() {
    let Ok(text) = fs::read_to_string(Path::new(REAL).join("poland_warszawa_2017_plac-wojska-polskiego.pb")) else {
        eprintln!("skipped, because {REAL} is not there: real ballots by phone and on paper");
        return;
    };
    let Election { projects, ballots } = Election::read(&text);
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let options: Vec<String> = projects.iter().map(|project| format!("桥 {}", project.0)).collect();
    let more = json!({ "matter_id": matter, "options": options, "max_choices": options.len(), "has_paper": true });
    let vote = ask(&app, &village, more).await.ok()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/votes/{vote}");
    let mut in_box: BTreeMap<String, u64> = BTreeMap::new();
    for (place, (method, named)) in (1..).zip(&ballots) {
        let elector = village.villager(&app, &format!("{place:05}")).await;
        // as the ballot has them
        let keys = (1..).zip(&projects).filter(|(_, project)| named.contains(&project.0));
        let marks: Vec<String> = keys.map(|(key, _): (usize, _)| key.to_string()).collect();
        if method == "paper" {
            issue(&village.clerk, &path, number(&elector, &path).await).await.ok();
            *in_box.entry(marks.join(",")).or_default() += 1;
        } else {
            let marks: Vec<&str> = marks.iter().map(String::as_str).collect();
            elector.post(&format!("{path}/ballots"), ballot(&marks)).await.ok();
        }
    }
    assert!(!in_box.is_empty(), "nobody voted on paper");
    app.pass(TimeDelta::days(2)).await;
    let counts = format!("{path}/paper/counts");
    let told = |photo| tally(json!(in_box), (0, 0), photo);
    village.clerk.post(&counts, told(photo(&village.clerk).await)).await.ok();
    village.supervisor.post(&counts, told(None)).await.ok();
    village.chair.post(&format!("{path}/paper/signature"), json!({})).await.ok();
    let result = app.get(&format!("{path}/result")).await.ok();
    assert_eq!(result["count"]["present"], json!(ballots.len()));
    let counted: Vec<u64> =
        result["choice"]["options"].as_array().unwrap().iter().map(|one| one["votes"].as_u64().unwrap()).collect();
    assert_eq!(counted, projects.iter().map(|project| project.1).collect::<Vec<_>>());
    checked(&app, &vote).await;
    app.stop().await;
}
