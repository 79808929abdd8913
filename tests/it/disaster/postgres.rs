//! PostgreSQL killed under load, again and again: clear refusals, nothing acknowledged lost, writes again by itself.
use std::{sync::Arc, time::Instant};

use super::{Duration, House, Load, Ordering, Process, Round, SETTINGS, copy, counted, is_full_run, run, wait};
use crate::support::{OwnPostgres, is_postgres};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgresql_may_be_killed_under_load() {
    let what = "disaster: PostgreSQL killed";
    if !is_postgres(what) {
        return;
    }
    let Some(mut postgres) = OwnPostgres::start(what) else { return };
    let mut load = Load::new().await;
    let prepared = load.kept.take().unwrap();
    postgres.copy(&prepared.url(), "killed");
    let house = House::at(postgres.url("killed"));
    copy(prepared.path(), house.path());
    load.data_dir = house.path().to_owned();
    let server = Process::serve(&load.data_dir, load.port, SETTINGS, &load.log()).await;
    let round = Arc::new(Round::with(server, &load.ledger));
    let (ledger, refusing) = (Arc::clone(&load.ledger), Arc::clone(&round));
    let kills = if is_full_run() { 10 } else { 3 };
    let harm = async {
        let mut longest = Duration::ZERO;
        for count in 0..kills {
            wait(700 + 90 * count).await;
            let before = refusing.put_off.load(Ordering::SeqCst);
            postgres.kill();
            // who asks for a connection waits three seconds for one
            wait(5000).await;
            let refused = refusing.put_off.load(Ordering::SeqCst) - before;
            assert!(refused > 5, "who comes meanwhile is told when to come again: {refused}");
            postgres.revive();
            let (known, began) = (counted(&ledger), Instant::now());
            while counted(&ledger) <= known + 5 {
                assert!(began.elapsed() < Duration::from_secs(10), "writes do not work again");
                wait(20).await;
            }
            longest = longest.max(began.elapsed());
        }
        println!("PostgreSQL killed {kills} times, writes again after {longest:?} at most");
        postgres
    };
    let postgres = load.during(&round, harm).await;
    load.settle("PostgreSQL killed", &round).await;
    assert_eq!(run(&load.data_dir, &["verify", "--log"], &[]).status.code(), Some(0), "{}", postgres.said());
    drop(round);
}
