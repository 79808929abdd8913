//! Votes that ran when a backup was made: what was cast after it is gone, though people hold receipts.
use std::path::Path;

use chrono::TimeDelta;
use liusheng::votes::{
    commands,
    queries::at_office::{self, Said},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Sealed, after::agreed, votes::checked};
use crate::support::{House, Somebody, TestApp, Village, count, run};

fn ballot() -> Value {
    json!({ "cast_id": Uuid::new_v4(), "choice": "for" })
}

fn backed_up(data_dir: &Path, folder: &Path) {
    let made = run(data_dir, &["backup", folder.to_str().unwrap(), "--with-keys"], &[]);
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
}

/// What was copied, in another house, and what the operator reads.
fn restored(folder: &Path) -> (House, String) {
    let house = House::empty();
    let done = run(house.path(), &["restore", folder.to_str().unwrap()], &[]);
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    (house, String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Leaves of the board, its heads, and digests that wait for it.
async fn on_board(app: &TestApp) -> [i64; 3] {
    let of = async |select: &str| count(app.folder.path(), select).await;
    [
        of("SELECT count(*) FROM board_entries").await,
        of("SELECT max(size) FROM board_heads").await,
        of("SELECT count(*) FROM board_pending").await,
    ]
}

/// Does the first page of this one's desk tell of a vote that rests, or whose board does?
async fn is_told(who: &Somebody, vote: &str) -> bool {
    let (_, desk) = who.download("/desk").await;
    let desk = String::from_utf8(desk).unwrap();
    desk.contains("从备份里恢复") && desk.contains(&format!("href=\"/desk/votes/{vote}\""))
}

/// Does the home page of this one tell of the vote as one to cast in?
async fn waits_for(who: &Somebody, vote: &str) -> bool {
    let (_, home) = who.download("/").await;
    String::from_utf8(home).unwrap().contains(&format!("href=\"/votes/{vote}\""))
}

async fn page(app: &TestApp, path: &str) -> String {
    app.http.get(app.url(path)).send().await.unwrap().text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_vote_that_was_restored_rests_and_signs_nothing_until_it_is_annulled() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = Sealed::open(&app, &village, &matter, json!({})).await;
    let (ballots, first) = (vote.path("/ballots"), ballot());
    let early = village.villager(&app, "00007").await;
    let receipt = early.post(&ballots, first.clone()).await.ok();
    app.pass(TimeDelta::minutes(1)).await;
    village.villager(&app, "00008").await.post(&ballots, ballot()).await.ok();
    assert_eq!(on_board(&app).await, [3, 3, 1], "one waits to come on the board with others");
    let outside = tempfile::tempdir().unwrap();
    backed_up(app.folder.path(), &outside.path().join("backup"));
    village.villager(&app, "00009").await.post(&ballots, ballot()).await.ok();
    app.pass(TimeDelta::minutes(1)).await;
    assert_eq!(on_board(&app).await, [5, 5, 0], "signed, and gone with the disk");
    let late = village.villager(&app, "00010").await.person;
    let (at, chair, town) = (app.app.now(), village.chair.person, village.town.person);
    app.stop().await;

    let (house, said) = restored(&outside.path().join("backup"));
    assert!(said.contains("有 1 次没有结束的表决停下了"), "{said}");
    let app = TestApp::start_in(house, at + TimeDelta::minutes(1)).await;
    let (early, late) = (Somebody::signed_in(&app, early.person).await, Somebody::signed_in(&app, late).await);
    assert_eq!(early.post(&ballots, first).await.ok(), receipt, "what is there is acknowledged as before");
    assert_eq!(late.post(&ballots, ballot()).await.refused(), "vote_restored");
    for place in ["votes", "board"] {
        assert!(page(&app, &format!("/{place}/{}", vote.id)).await.contains("从备份里恢复"), "{place}");
    }
    // an evening, and then the end
    for _ in 0..2 {
        app.pass(TimeDelta::days(1)).await;
        commands::due(&app.app).await.unwrap();
    }
    let rests = app.get(&vote.path("")).await.ok();
    assert_eq!((&rests["state"], rests["restored_at"].is_string()), (&json!("open"), true), "{rests}");
    assert_eq!(app.get(&vote.path("/result")).await.refused(), "wrong_state");
    assert_eq!(on_board(&app).await, [3, 3, 1], "another head over a size that was signed before");
    let told = "SELECT count(*) FROM votes WHERE told_until > opens_at";
    assert_eq!(count(app.folder.path(), told).await, 0, "the evening tells who cast for whom in what may be lost");
    let shown = "SELECT count(*) FROM events WHERE kind = 'vote.board_shown'";
    assert_eq!(count(app.folder.path(), shown).await, 0, "a board that lost ballots is told as that of the day");
    let (chair, town) = (Somebody::signed_in(&app, chair).await, Somebody::signed_in(&app, town).await);
    assert_eq!(town.post(&vote.path("/opening"), vote.two(0, 1)).await.refused(), "vote_restored");
    let last = app.get(&vote.path("/board/head")).await.ok()["fingerprint"].clone();
    let late = town.post(&vote.path("/restored/confirm"), json!({ "fingerprint": last })).await;
    assert_eq!(late.body["code"], "wrong_state", "its time went by while nobody could cast: {}", late.body);

    let why = json!({ "reason": "备份以后的票没有了", "authority": "镇政府同意" });
    let annulled = chair.post(&vote.path("/annul"), why).await.ok();
    assert_eq!((&annulled["state"], &annulled["restored_at"]), (&json!("annulled"), &Value::Null), "{annulled}");
    assert_eq!(on_board(&app).await, [3, 3, 0]);
    assert_eq!(app.get(&vote.path("/archive")).await.refused(), "not_found");
    assert_eq!(count(app.folder.path(), "SELECT count(*) FROM envelopes").await, 0, "whose a ballot was is known");
    app.stop().await;
}

/// Its roll hung when the backup was made: let go on after its end, it would open and close with nobody asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_vote_that_would_have_opened_and_closed_while_it_rested_does_not_go_on() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let ask = json!({ "matter_id": matter, "question": "是否同意？", "preset": "village_assembly_person", "roll_days": 1,
        "closes_at": app.app.now() + TimeDelta::days(3), "challenge_days": 0 });
    let path = format!("/v1/votes/{}", village.chair.post("/v1/votes", ask).await.ok()["id"].as_str().unwrap());
    let published = app.get(&format!("{path}/board/head")).await.ok()["fingerprint"].clone();
    let outside = tempfile::tempdir().unwrap();
    backed_up(app.folder.path(), &outside.path().join("backup"));
    let (at, supervisor) = (app.app.now(), village.supervisor.person);
    app.stop().await;

    let (house, _) = restored(&outside.path().join("backup"));
    let app = TestApp::start_in(house, at + TimeDelta::days(3)).await;
    let supervisor = Somebody::signed_in(&app, supervisor).await;
    let rests = app.get(&path).await.ok();
    assert_eq!((&rests["state"], rests["restored_at"].is_string()), (&json!("posted"), true), "{rests}");
    let late = supervisor.post(&format!("{path}/restored/confirm"), json!({ "fingerprint": published })).await;
    assert_eq!(late.body["code"], "wrong_state", "it would open after its end: {}", late.body);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_vote_whose_board_was_the_last_one_published_goes_on() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(2)).await;
    let path = |end: &str| format!("/v1/votes/{vote}{end}");
    let early = village.villager(&app, "00007").await;
    early.post(&path("/ballots"), ballot()).await.ok();
    app.settle().await;
    let head = app.get(&path("/board/head")).await.ok();
    let published = head["fingerprint"].as_str().unwrap().to_owned();
    let outside = tempfile::tempdir().unwrap();
    backed_up(app.folder.path(), &outside.path().join("backup"));
    let late = village.villager(&app, "00008").await.person;
    let (at, chair, clerk) = (app.app.now(), village.chair.person, village.clerk.person);
    let supervisor = village.supervisor.person;
    app.stop().await;

    let (house, _) = restored(&outside.path().join("backup"));
    let app = TestApp::start_in(house, at + TimeDelta::minutes(1)).await;
    let (chair, clerk) = (Somebody::signed_in(&app, chair).await, Somebody::signed_in(&app, clerk).await);
    let (late, supervisor) = (Somebody::signed_in(&app, late).await, Somebody::signed_in(&app, supervisor).await);
    let (_, desk) = supervisor.download(&format!("/desk/votes/{vote}")).await;
    let desk = String::from_utf8(desk).unwrap();
    assert!(desk.contains("核对以后继续这次表决"), "{desk}");
    assert!(!desk.contains(&published), "what is to be typed from paper stands beside it");
    assert_eq!(
        (is_told(&chair, &vote).await, is_told(&supervisor, &vote).await, is_told(&clerk, &vote).await),
        (true, true, false),
        "waits for who may annul it, and who may let it go on"
    );
    let (confirm, typed) = (path("/restored/confirm"), |text: &str| json!({ "fingerprint": text }));
    assert_eq!(clerk.post(&confirm, typed(&published)).await.refused(), "not_allowed");
    assert_eq!(chair.post(&confirm, typed(&published)).await.refused(), "not_allowed", "whose vote it is");
    let other = supervisor.post(&confirm, typed(&"0123-4567-".repeat(4))).await;
    assert_eq!(other.body["errors"][0]["code"], "fingerprint_differs", "{}", other.body);
    assert_eq!(late.post(&path("/ballots"), ballot()).await.refused(), "vote_restored");
    assert!(!waits_for(&late, &vote).await, "offered as one to cast in, though nobody can");
    let goes_on = supervisor.post(&confirm, typed(&published.replace('-', " ").to_lowercase())).await.ok();
    assert_eq!((&goes_on["state"], &goes_on["restored_at"]), (&json!("open"), &Value::Null), "{goes_on}");
    assert_eq!(supervisor.post(&confirm, typed(&published)).await.refused(), "wrong_state");
    assert!(!is_told(&chair, &vote).await, "it goes on and still waits for somebody");
    assert!(waits_for(&late, &vote).await);
    late.post(&path("/ballots"), ballot()).await.ok();
    app.settle().await;
    let grown = app.get(&path("/board/head")).await.ok();
    assert_eq!((&head["n"], &grown["n"]), (&json!(3), &json!(4)));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_board_of_a_result_that_may_be_challenged_goes_on_when_it_was_the_last_one_published() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修一座桥").await;
    let path = agreed(&app, &village, &matter, 5).await;
    let (vote, confirm) = (path[10..].to_owned(), format!("{path}/restored/confirm"));
    let head = app.get(&format!("{path}/board/head")).await.ok();
    let published = head["fingerprint"].as_str().unwrap().to_owned();
    let outside = tempfile::tempdir().unwrap();
    backed_up(app.folder.path(), &outside.path().join("backup"));
    let (at, chair, supervisor) = (app.app.now(), village.chair.person, village.supervisor.person);
    app.stop().await;

    let (house, _) = restored(&outside.path().join("backup"));
    let app = TestApp::start_in(house, at + TimeDelta::minutes(1)).await;
    let (chair, by) = (Somebody::signed_in(&app, chair).await, Somebody::signed_in(&app, supervisor).await);
    let typed = |text: &str| json!({ "fingerprint": text });
    let (_, desk) = by.download(&format!("/desk/votes/{vote}")).await;
    let desk = String::from_utf8(desk).unwrap();
    assert!(desk.contains("核对以后公示板继续") && !desk.contains("核对以后继续这次表决"), "{desk}");
    assert!(!desk.contains(&published), "what is to be typed from paper stands beside it");
    let (_, desk) = chair.download(&format!("/desk/votes/{vote}")).await;
    assert!(!String::from_utf8(desk).unwrap().contains("核对以后公示板继续"), "whose vote it is");
    let waits = (is_told(&chair, &vote).await, is_told(&by, &vote).await);
    assert_eq!(waits, (false, true), "waits for who may let it go on alone: there is nothing to annul");
    let county = async || {
        let asked = (&*village.area, app.app.now(), 10);
        let late = at_office::late(app.app.store.read(), &app.app.calendar, asked).await.unwrap();
        late.iter().filter(|(said, area, _)| *said == Said::Halted && *area == village.area).count()
    };
    assert_eq!(county().await, 1);
    assert_eq!(chair.post(&confirm, typed(&published)).await.refused(), "not_allowed");
    let other = by.post(&confirm, typed(&"0123-4567-".repeat(4))).await;
    assert_eq!(other.body["errors"][0]["code"], "fingerprint_differs", "{}", other.body);
    assert_eq!(by.post(&confirm, typed(&published)).await.ok()["state"], "closed");
    assert_eq!(by.post(&confirm, typed(&published)).await.refused(), "wrong_state");
    assert_eq!((is_told(&by, &vote).await, county().await), (false, 0));
    app.pass(TimeDelta::days(6)).await;
    app.settle().await;
    let archive = checked(&app, &vote, &[]).await;
    assert_eq!(archive["entries"].as_array().unwrap().last().unwrap()["s"], "final", "the board does not say so");
    app.stop().await;

    // nobody compared it in its days: it stands, and the board has no more to say
    let (house, _) = restored(&outside.path().join("backup"));
    let app = TestApp::start_in(house, at + TimeDelta::minutes(1)).await;
    app.pass(TimeDelta::days(6)).await;
    app.settle().await;
    assert_eq!(app.get(&format!("{path}/result")).await.ok()["settlement"], "final");
    let by = Somebody::signed_in(&app, supervisor).await;
    assert_eq!(by.post(&confirm, typed(&published)).await.refused(), "wrong_state");
    assert!(!is_told(&by, &vote).await, "it waits for ever");
    assert_eq!(app.get(&format!("{path}/board/head")).await.ok()["n"], head["n"]);
    app.stop().await;
}
