//! What cannot be planned, and what stands behind it.
use super::*;

/// More than take turns at once.
const BROKEN: i64 = 20;

/// What is told to an audience that nobody knows.
async fn tell_nobody(app: &App) {
    for number in 1..=BROKEN {
        tell_everybody(app, number).await;
    }
    let spoiled = app.store.write(|tx| {
        Box::pin(async move {
            tx.execute_unprepared("UPDATE announcements SET audience = 'nobody'").await?;
            Ok(())
        })
    });
    spoiled.await.unwrap();
}

#[tokio::test]
async fn what_can_never_be_planned_holds_up_nothing_behind_it_however_much_it_is() {
    let (house, people_there) = (House::new(), 30);
    let mut config = crate::support::config(&house);
    config.sms_provider = SmsProvider::File;
    config.redis_url = String::new();
    let (app, _rung) = server::open(config, Clock::system(), false).await.unwrap();
    people(&app, people_there).await;
    tell_nobody(&app).await;
    tell_everybody(&app, BROKEN + 1).await;
    while plan::round(&app).await.unwrap() {}
    assert_eq!(states(&app).await, BTreeMap::from([("queued".to_owned(), 30)]), "everybody is told of the last");
    let waits = "SELECT count(*) FROM ladder_steps WHERE state = 'waiting' AND channel IN ('wechat', 'sms')";
    assert_eq!(count(house.path(), waits).await, 2 * BROKEN, "the others are there still");
}

/// They are tried again every second, and a line for each of them would fill the disk in a night.
#[tokio::test]
async fn of_many_that_can_never_be_planned_the_log_names_some() {
    let house = House::new();
    let mut config = crate::support::config(&house);
    config.redis_url = String::new();
    let (app, _rung) = server::open(config, Clock::system(), false).await.unwrap();
    tell_nobody(&app).await;
    let worker = Process::start(house.path(), ("worker", free_port()), &[], &house.path().join("worker.log"));
    let began = Instant::now();
    while !worker.said().contains("steps are not planned") && began.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let said = worker.said();
    let lines = said.lines().filter(|line| line.contains("a step is not planned"));
    let words = lines.flat_map(|line| line.split(|letter: char| !letter.is_ascii_hexdigit() && letter != '-'));
    let named: BTreeSet<&str> = words.filter(|word| word.len() == 36).collect();
    assert!(!named.is_empty() && named.len() < usize::try_from(BROKEN).unwrap(), "{said}");
}
