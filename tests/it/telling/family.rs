//! One number that stands for several people: one text, for how many, and nobody disturbed beyond the three.
use std::collections::BTreeSet;

use fake_providers::{Fake, Fault};

use super::*;
use crate::support::answer;

/// 00053 and 00054, who are married.
const PHONE: &str = "19500000052";
const AREA: &str = "330521103202";

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_two_gets_one_text_that_says_for_how_many_and_both_share_its_end() {
    let fake = Fake::start().await.unwrap();
    let scene = Scene::set_with(0, |config| by_fake(config, &fake)).await;
    let notice = scene.publish("停水", true).await;
    scene.pass(TimeDelta::seconds(16)).await;
    let told = told_to(&fake, PHONE);
    assert_eq!(told.len(), 1, "one text for the number: {told:?}");
    assert!(told[0].1.contains("停水（2人）"), "{}", told[0].1);
    assert!(!told_to(&fake, "19500000050")[0].1.contains("人"), "one alone");
    let pair = [
        person_of(&scene.app.app, &scene.village.area, "00053").await,
        person_of(&scene.app.app, &scene.village.area, "00054").await,
    ];
    let field = async |name: &str| -> BTreeSet<String> {
        let rows = board(&scene, &notice).await;
        let rows = rows.as_array().unwrap().iter();
        let ours = rows.filter(|row| pair.iter().any(|id| row["person_id"] == id.to_string()));
        ours.map(|row| row[name].as_str().unwrap_or("-").to_owned()).collect()
    };
    assert_eq!(field("way").await, BTreeSet::from(["family".to_owned(), "sms".to_owned()]));
    // nothing more at the step of the SMS
    scene.pass(TimeDelta::hours(5)).await;
    assert_eq!(told_to(&fake, PHONE).len(), 1);
    // it did not arrive: neither of them has it
    let receipt = json!([{ "success": false, "out_id": told[0].0, "biz_id": "b", "phone_number": PHONE }]);
    let url = scene.app.url("/sms/receipts/canary-receipt-key");
    answer(scene.app.http.post(url).json(&receipt)).await.ok();
    assert_eq!(field("way").await, BTreeSet::from(["-".to_owned()]));
    assert_eq!(field("why").await, BTreeSet::from(["not_arrived".to_owned()]));
    scene.app.stop().await;
}

/// Those of the village's roster up to this number have the number of one, and nobody after them has any.
pub(super) async fn one_number_up_to(scene: &Scene, last: &'static str) {
    let select = "SELECT phone_sealed, phone_hmac FROM people WHERE roster_number = '00053'";
    let row = scene.rows(select).await;
    let (sealed, hmac): (String, String) = (row[0].try_get_by_index(0).unwrap(), row[0].try_get_by_index(1).unwrap());
    let shared = scene.app.app.store.write(move |tx| {
        Box::pin(async move {
            let shared = Query::update()
                .table("people")
                .values([("phone_sealed", sealed.into()), ("phone_hmac", hmac.into())])
                .and_where(Expr::col("area_code").eq(AREA))
                .and_where(Expr::col("roster_number").lte(last))
                .to_owned();
            tx.execute(&shared).await?;
            let none = Query::update()
                .table("people")
                .values([("phone_sealed", None::<String>.into()), ("phone_hmac", None::<String>.into())])
                .and_where(Expr::col("area_code").eq(AREA))
                .and_where(Expr::col("roster_number").gt(last))
                .to_owned();
            tx.execute(&none).await?;
            Ok(())
        })
    });
    shared.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_eleven_or_a_made_up_one_tells_nobody_but_who_has_proven_it() {
    const MADE_UP: &str = "13800000000";
    let fake = Fake::start().await.unwrap();
    let scene = Scene::set_with(0, |config| by_fake(config, &fake)).await;
    one_number_up_to(&scene, "00011").await;
    let keys = &scene.app.app.keys;
    let (sealed, hmac) = (keys.seal("phone", MADE_UP).unwrap(), keys.lookup("phone", MADE_UP));
    let changed = scene.app.app.store.write(move |tx| {
        Box::pin(async move {
            let proven = Query::update()
                .table("people")
                .value("phone_approved_at", tx.now())
                .and_where(Expr::col("area_code").eq(AREA))
                .and_where(Expr::col("roster_number").eq("00007"))
                .to_owned();
            tx.execute(&proven).await?;
            let made_up = Query::update()
                .table("people")
                .values([("phone_sealed", sealed.into()), ("phone_hmac", hmac.into())])
                .and_where(Expr::col("area_code").eq(AREA))
                .and_where(Expr::col("roster_number").eq("00012"))
                .to_owned();
            tx.execute(&made_up).await?;
            Ok(())
        })
    });
    changed.await.unwrap();
    let notice = scene.publish("停水", true).await;
    // those whose phones are signed in are told at the step of the SMS
    scene.pass(TimeDelta::seconds(20)).await;
    scene.pass(TimeDelta::hours(5)).await;
    let told = told_to(&fake, PHONE);
    assert_eq!(told.len(), 1, "to the one whose number it is: {told:?}, {:?}", scene.states().await);
    assert!(!told[0].1.contains("人"), "and for that one alone: {}", told[0].1);
    assert!(told_to(&fake, MADE_UP).is_empty(), "a stranger hears nothing of the village");
    let rows = board(&scene, &notice).await;
    let rows = rows.as_array().unwrap();
    let why = |why: &str| rows.iter().filter(|row| row["why"] == why && Value::is_null(&row["way"])).count();
    assert_eq!((why("crowded_number"), why("made_up_number")), (10, 1), "none of them counts as told: {rows:?}");
    let by_sms = rows.iter().filter(|row| row["way"] == "sms" || row["way"] == "family").count();
    assert_eq!(by_sms, 1);
    // the clerk reads why, and which numbers to look at
    let clerk = &scene.village.clerk;
    for (page, shows) in [
        (format!("/desk/notices/{notice}/reach"), "并核对号码"),
        (format!("/desk/roster?area={AREA}"), "要核对：十人以上登记了这个号码"),
        (format!("/desk/roster?area={AREA}"), "要核对：不像真的号码"),
    ] {
        let (status, bytes) = clerk.download(&page).await;
        assert_eq!(status, 200, "{page}");
        assert!(String::from_utf8_lossy(&bytes).contains(shows), "{page}: {shows}");
    }
    let people = clerk.get(&format!("/v1/areas/{AREA}/people?limit=100")).await.ok();
    let people = people["items"].as_array().unwrap();
    let doubted = |why: &str| people.iter().filter(|one| one["phone_doubt"] == why).count();
    assert_eq!((doubted("crowded_number"), doubted("made_up_number")), (10, 1), "{people:?}");
    scene.app.stop().await;
}

/// Two servers, each with workers that take what they find.
#[tokio::test(flavor = "multi_thread")]
async fn two_workers_at_once_tell_a_number_of_ten_once_of_each_notice() {
    let fake = Fake::start().await.unwrap();
    let scene = Scene::set_with(0, |config| by_fake(config, &fake)).await;
    one_number_up_to(&scene, "00010").await;
    let beside = scene.app.start_beside().await;
    for number in 0..4 {
        scene.publish(&format!("第{number}件"), true).await;
        scene.pass(TimeDelta::seconds(20)).await;
    }
    for _ in 0..4 {
        scene.pass(TimeDelta::minutes(1)).await;
    }
    let told = told_to(&fake, PHONE);
    let events: BTreeSet<&String> = told.iter().map(|(_, blanks)| blanks).collect();
    assert_eq!((told.len(), events.len()), (4, 4), "one text for each: {told:?}");
    let states = scene.states().await;
    assert_eq!(states["sent"], 4, "{states:?}");
    assert!(states.keys().all(|state| ["sent", "sent family"].contains(&state.as_str())), "{states:?}");
    beside.stop().await;
    scene.app.stop().await;
}

/// Everybody agrees to be told of news by SMS.
async fn all_agree(scene: &Scene) {
    let agreed = scene.app.app.store.write(move |tx| {
        Box::pin(async move {
            let people = Query::select()
                .column("id")
                .exprs([Expr::value(true), Expr::value(true), Expr::value(true), Expr::value(tx.now())])
                .from("people")
                .to_owned();
            let mut choices = Query::insert();
            choices.into_table("telling_choices").columns([
                "person_id",
                "by_wechat",
                "by_sms",
                "sms_news",
                "changed_at",
            ]);
            choices.select_from(people).unwrap();
            tx.execute(&choices).await?;
            Ok(())
        })
    });
    agreed.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_at_once_disturb_a_number_of_ten_three_times_a_week() {
    let fake = Fake::start().await.unwrap();
    let scene = Scene::set_with(0, |config| by_fake(config, &fake)).await;
    one_number_up_to(&scene, "00010").await;
    all_agree(&scene).await;
    let beside = scene.app.start_beside().await;
    for number in 0..8 {
        scene.publish(&format!("第{number}件"), false).await;
    }
    scene.pass(TimeDelta::hours(8)).await;
    for _ in 0..4 {
        scene.pass(TimeDelta::minutes(1)).await;
    }
    let told = told_to(&fake, PHONE);
    assert_eq!(told.len(), 3, "disturbed too often: {told:?}, {:?}", scene.states().await);
    beside.stop().await;
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_disturbed_enough_is_not_disturbed_by_what_is_meant_for_a_relative_at_the_same_number() {
    let fake = Fake::start().await.unwrap();
    let scene = Scene::set_with(0, |config| by_fake(config, &fake)).await;
    let one = scene.village.villager(&scene.app, "00053").await;
    let other = scene.village.villager(&scene.app, "00054").await;
    agrees(&one).await;
    for day in 0..3 {
        scene.publish(&format!("第{day}天"), false).await;
        scene.pass(TimeDelta::hours(8)).await;
        scene.pass(TimeDelta::hours(16)).await;
    }
    assert_eq!(told_to(&fake, PHONE).len(), 3);
    agrees(&other).await;
    scene.publish("第四件", false).await;
    scene.pass(TimeDelta::hours(8)).await;
    // whoever stood behind the other for a moment is on its own again
    scene.pass(TimeDelta::seconds(10)).await;
    assert_eq!(told_to(&fake, PHONE).len(), 3, "the phone rings for both: {:?}", scene.states().await);
    assert_eq!(scene.states().await["queued enough"], 2);
    // a week after the first, one text tells both
    scene.pass(TimeDelta::hours(16)).await;
    for _ in 0..3 {
        scene.pass(TimeDelta::days(1)).await;
    }
    scene.pass(TimeDelta::hours(8) + TimeDelta::minutes(2)).await;
    assert_eq!(told_to(&fake, PHONE).len(), 4, "{:?}", scene.states().await);
    assert_eq!(scene.states().await["sent family"], 1);
    // what must be done is never held back
    scene.publish("停水", true).await;
    scene.pass(TimeDelta::hours(4)).await;
    assert_eq!(told_to(&fake, PHONE).len(), 5, "{:?}", scene.states().await);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_sent_disturbed_nobody() {
    let fake = Fake::start().await.unwrap();
    let scene = Scene::set_with(0, |config| by_fake(config, &fake)).await;
    let who = scene.village.villager(&scene.app, "00007").await;
    agrees(&who).await;
    fake.world.fail("/", Fault::Sms("isv.MOBILE_IN_BLACK".to_owned()), 1);
    scene.publish("没有发出去", false).await;
    scene.pass(TimeDelta::hours(8)).await;
    assert_eq!(scene.states().await["dead refuses"], 1);
    assert_eq!(scene.number("SELECT count(*) FROM disturbances").await, 0);
    scene.pass(TimeDelta::hours(16)).await;
    for day in 0..3 {
        scene.publish(&format!("第{day}天"), false).await;
        scene.pass(TimeDelta::hours(8)).await;
        scene.pass(TimeDelta::hours(16)).await;
    }
    assert_eq!(told_to(&fake, "19500000007").len(), 3, "{:?}", scene.states().await);
    // two weeks later nothing of it is kept
    scene.app.clock.advance(TimeDelta::days(14));
    liusheng::delivery::commands::forget_old(&scene.app.app.store).await.unwrap();
    assert_eq!(scene.number("SELECT count(*) FROM disturbances").await, 0);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_twice_because_nobody_knows_how_it_ended_disturbs_once() {
    let fake = Fake::start().await.unwrap();
    let scene = Scene::set_with(0, |config| by_fake(config, &fake)).await;
    let who = scene.village.villager(&scene.app, "00007").await;
    agrees(&who).await;
    fake.world.fail("/", Fault::DupAccept, 1);
    scene.publish("断在中间", false).await;
    scene.pass(TimeDelta::hours(8)).await;
    assert_eq!(scene.states().await["queued unknown"], 1);
    scene.pass(TimeDelta::minutes(2)).await;
    assert_eq!(told_to(&fake, "19500000007").len(), 2, "{:?}", scene.states().await);
    assert_eq!(scene.number("SELECT count(*) FROM disturbances").await, 1, "counted twice");
    // heard perhaps, then refused: it has disturbed all the same
    fake.world.fail("/", Fault::DupAccept, 1);
    scene.pass(TimeDelta::hours(16)).await;
    scene.publish("又断了", false).await;
    scene.pass(TimeDelta::hours(8)).await;
    fake.world.fail("/", Fault::Sms("isv.MOBILE_IN_BLACK".to_owned()), 1);
    scene.pass(TimeDelta::minutes(2)).await;
    assert_eq!(scene.states().await["dead refuses"], 1);
    assert_eq!(scene.number("SELECT count(*) FROM disturbances").await, 2);
    scene.app.stop().await;
}
