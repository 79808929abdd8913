//! A vote is told by every way to the door, too: whoever no message reached stands on the list of who runs it.
use uuid::Uuid;

use super::{family::one_number_up_to, *};
use crate::support::Raw;

/// A vote that everybody is asked about for five days.
async fn asked(scene: &Scene) -> String {
    let matter = scene.village.matter_to_decide(&scene.app, "修桥").await;
    scene.village.open_vote(&scene.app, &matter, TimeDelta::days(5)).await
}

/// The same once it was told.
pub(super) async fn told(scene: &Scene) -> String {
    let vote = asked(scene).await;
    scene.app.settle().await;
    scene.pass(TimeDelta::seconds(20)).await;
    vote
}

/// Whom the list of a vote names, as its page.
async fn list(scene: &Scene, vote: &str) -> String {
    let (status, page) = scene.village.chair.download(&format!("/desk/votes/{vote}/doors")).await;
    assert_eq!(status, 200);
    String::from_utf8_lossy(&page).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn electors_whom_no_message_reached_are_named_for_the_door() {
    let scene = Scene::set().await;
    let (app, village) = (&scene.app, &scene.village);
    let vote = told(&scene).await;
    let first = list(&scene, &vote).await;
    // 沈阿婆 and 费无证 have no phone; 费海荣 has one, and no app in which to hear of it
    assert!(first.contains("沈阿婆") && first.contains("费无证") && !first.contains("费海荣"), "{first}");
    let cards = "SELECT count(*) FROM entries WHERE body LIKE '%vote_doors%'";
    assert_eq!(scene.number(cards).await, 0, "the messages have their time");
    scene.pass(TimeDelta::hours(36)).await;
    assert_eq!(scene.number(cards).await, 1, "then the office has the list");
    let script = format!("SELECT count(*) FROM entries WHERE body LIKE '%loudspeaker_script%/desk/aloud/vote/{vote}%'");
    assert_eq!(scene.number(&script).await, 1, "and before it what is read out");
    let (status, words) = village.clerk.download(&format!("/desk/aloud/vote/{vote}")).await;
    assert_eq!((status, String::from_utf8_lossy(&words).contains("是否同意")), (200, true));
    // who has cast in an open vote need not be told any more
    let voter = village.villager(app, "00056").await;
    let ballot = json!({ "cast_id": Uuid::new_v4(), "choice": "for" });
    voter.post(&format!("/v1/votes/{vote}/ballots"), ballot).await.ok();
    let last = list(&scene, &vote).await;
    assert!(last.contains("沈阿婆") && !last.contains("费无证"), "{last}");
    for other in [&village.secretary, &village.town] {
        assert_eq!(other.download(&format!("/desk/votes/{vote}/doors")).await.0, 403);
    }
    assert_eq!(village.chair.download(&format!("/desk/votes/{}/doors", Uuid::now_v7())).await.0, 404);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_a_secret_vote_says_of_nobody_that_no_message_was_needed() {
    let scene = Scene::set().await;
    let (app, village) = (&scene.app, &scene.village);
    let vote = told(&scene).await;
    let raw = Raw::open(app.folder.path()).await;
    assert_eq!(raw.execute("UPDATE votes SET secrecy = 'secret'").await, 1);
    let rows = async || list(&scene, &vote).await.split("tbody>").nth(1).map(str::to_owned).unwrap();
    let before = rows().await;
    assert!(before.contains("费无证") && before.contains("没有可用的号码") && !before.contains("费海荣"), "{before}");
    let change = async |number: &str, values: &str| {
        let person = person_of(&app.app, &village.area, number).await;
        let changed = raw.execute(&format!("UPDATE deliveries SET {values} WHERE target_id = '{person}'")).await;
        assert!(changed > 0, "no message to {number}");
    };
    // as it is of who had cast when the message was due
    change("00007", "state = 'cancelled', reason = 'read', sent_at = NULL").await;
    assert_eq!(rows().await, before, "the list tells who has cast");
    // as it is of who had cast before the text was due that everybody else is sent whose other message failed
    change("00007", "state = 'dead', channel = 'wechat', reason = 'no_answer', sent_at = NULL").await;
    assert_eq!(rows().await, before, "the list tells who has cast, because nothing was planned for them");
    // when it waits, and when it was planned for those alone who had not cast
    change("00007", "state = 'queued', reason = 'quiet', due_at = '2099-01-01 00:00:00+00:00'").await;
    assert_eq!(rows().await, before, "the list tells who has not cast");
    change("00007", "state = 'cancelled', target_id = 'nobody'").await;
    assert_eq!(rows().await, before, "the list tells for whom nothing was planned");
    // whose message failed is told at the door
    change("00008", "state = 'dead', reason = 'no_answer', sent_at = NULL").await;
    let failed = rows().await;
    assert!(failed.contains("多次发送失败") && failed.len() > before.len(), "{failed}");
    // also once the reminder has come, which only who has not cast is sent
    scene.pass(TimeDelta::days(4)).await;
    scene.pass(TimeDelta::hours(3)).await;
    let person = person_of(&app.app, &village.area, "00008").await;
    let sent = format!("SELECT count(*) FROM deliveries WHERE target_id = '{person}' AND state = 'sent'");
    assert!(scene.number(&sent).await > 0, "who has not cast is reminded");
    assert_eq!(rows().await, failed, "the list tells who had not cast when it was nearly over");
    raw.close().await;
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_an_offices_number_alone_is_told_at_the_door_that_a_sheet_was_handed_out() {
    let scene = Scene::set().await;
    let (app, village) = (&scene.app, &scene.village);
    let vote = asked(&scene).await;
    let elector = person_of(&app.app, &village.area, "00007").await;
    let handed_out = app.app.store.write(move |tx| {
        Box::pin(async move {
            let sheet = Query::update()
                .table("roll_entries")
                .value("channel", "paper_issued")
                .and_where(Expr::col("person_id").eq(elector))
                .to_owned();
            tx.execute(&sheet).await?;
            Ok(())
        })
    });
    handed_out.await.unwrap();
    let must_go = async || {
        let (status, page) = village.chair.download(&format!("/desk/votes/{vote}")).await;
        (status, String::from_utf8_lossy(&page).contains("请代投人以外的人上门告知"))
    };
    assert_eq!(must_go().await, (200, false), "the own phone hears of it");
    one_number_up_to(&scene, "00011").await;
    assert_eq!(must_go().await, (200, true), "a number of eleven is nobody's own");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sent_to_cast_in_a_vote_that_rests_before_it_goes_on() {
    let scene = Scene::set().await;
    let (app, village) = (&scene.app, &scene.village);
    let vote = asked(&scene).await;
    // ten at night: planned, and kept for the morning
    app.clock.advance(TimeDelta::hours(13));
    app.settle().await;
    scene.pass(TimeDelta::seconds(20)).await;
    let sent = format!("SELECT count(*) FROM deliveries WHERE subject_id = '{vote}' AND state = 'sent'");
    let waiting = format!("SELECT count(*) FROM deliveries WHERE subject_id = '{vote}' AND state = 'queued'");
    let (planned, handed) =
        (scene.number(&waiting).await, "SELECT count(*) FROM entries WHERE body LIKE '%vote_doors%'");
    assert_eq!((planned > 0, scene.number(&sent).await), (true, 0), "{planned}");
    let raw = Raw::open(app.folder.path()).await;
    let rests = async |since: &str| raw.execute(&format!("UPDATE votes SET restored_at = {since}")).await;
    assert_eq!(rests("'2026-11-02 00:00:00+00:00'").await, 1);
    // the second morning: what was planned is due, and so is the list for the doors
    app.pass(TimeDelta::hours(36)).await;
    for look in 0..100 {
        app.ring_for_deliveries(look).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((scene.number(&sent).await, scene.number(handed).await), (0, 0), "sent to cast where nothing is cast");
    assert_eq!(scene.number(&waiting).await, planned, "what waits is lost");
    let doors = format!("/v1/doors/vote/{vote}");
    assert_eq!(village.chair.get(&doors).await.refused(), "vote_restored");
    let granny = json!({ "person_id": person_of(&app.app, &village.area, "00052").await });
    assert_eq!(village.chair.post(&doors, granny.clone()).await.refused(), "vote_restored");
    let visit = format!("/votes/{vote}/doors");
    assert!(!list(&scene, &vote).await.contains(&format!("href=\"{visit}\"")));
    let (_, page) = village.chair.download(&format!("/votes/{vote}")).await;
    assert!(!String::from_utf8_lossy(&page).contains(&visit), "its page sends to the doors");

    assert_eq!(rests("NULL").await, 1);
    scene.pass(TimeDelta::hours(2)).await;
    assert_eq!(
        (scene.number(&sent).await > 0, scene.number(handed).await),
        (true, 1),
        "it goes on and nobody hears of it"
    );
    village.chair.post(&doors, granny).await.ok();
    assert!(list(&scene, &vote).await.contains(&format!("href=\"{visit}\"")));
    raw.close().await;
    scene.app.stop().await;
}
