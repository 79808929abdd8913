//! What cannot be planned, and what stands behind it.
use super::*;

/// More than take turns at once.
const BROKEN: i64 = 20;

#[tokio::test]
async fn what_can_never_be_planned_holds_up_nothing_behind_it_however_much_it_is() {
    let (house, people_there) = (House::new(), 30);
    let mut config = crate::support::config(&house);
    config.sms_provider = SmsProvider::File;
    config.redis_url = String::new();
    let (app, _rung) = server::open(config, Clock::system(), false).await.unwrap();
    people(&app, people_there).await;
    for number in 1..=BROKEN {
        tell_everybody(&app, number).await;
    }
    let spoiled = app.store.write(|tx| {
        Box::pin(async move {
            tx.execute_unprepared("UPDATE announcements SET audience = 'nobody'").await?;
            Ok(())
        })
    });
    spoiled.await.unwrap();
    tell_everybody(&app, BROKEN + 1).await;
    while plan::round(&app).await.unwrap() {}
    assert_eq!(states(&app).await, BTreeMap::from([("queued".to_owned(), 30)]), "everybody is told of the last");
    let waits = "SELECT count(*) FROM ladder_steps WHERE state = 'waiting' AND channel IN ('wechat', 'sms')";
    assert_eq!(count(house.path(), waits).await, 2 * BROKEN, "the others are there still");
}
