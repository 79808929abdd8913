//! The relay under stress: a reaction that is far behind holds up no other, and one that takes too long gets less at once.
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use liusheng::{
    calendar::Calendar,
    clock::Clock,
    error::{Code, Result},
    events::{self, Event, Happening, Kind, Reaction, Relay},
    ids::SuggestionId,
    keys::Keys,
    store::{self, Store, Tx},
};
use sea_orm::ConnectionTrait;
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::support::{House, READERS, Raw, Village};

/// A database in which a relay of our own runs, and no server.
struct Ground {
    house: House,
    store: Store,
}

impl Ground {
    async fn laid() -> Self {
        Self::at(Clock::system()).await
    }

    async fn at(clock: Clock) -> Self {
        let house = House::new();
        let keys = Arc::new(Keys::load_or_make(house.path()).unwrap());
        let calendar = Calendar::load(None).unwrap();
        let (store, _rung) = store::open((&house.url(), READERS), clock, calendar, keys).await.unwrap();
        Self { house, store }
    }

    async fn happen(&self, times: usize) {
        let happening = self.store.write(move |tx| {
            Box::pin(async move {
                for _ in 0..times {
                    events::record(tx, Happening::new(Kind::SuggestionRated, SuggestionId::new())).await?;
                }
                Ok(())
            })
        });
        happening.await.unwrap();
    }

    /// Runs these until all is followed that is to be, as `done` says; nothing is set aside.
    async fn follow(&self, reactions: Vec<Reaction>, done: impl Fn() -> bool) {
        self.run(reactions, done).await;
        assert_eq!(events::backlog(&self.store, Utc::now()).await.unwrap().dead_letters, 0);
    }

    async fn run(&self, reactions: Vec<Reaction>, done: impl Fn() -> bool) {
        // the place of the relay before is taken at once
        self.store.write(|tx| Box::pin(events::end_leases(tx, 0))).await.unwrap();
        self.go_on(reactions, done).await;
    }

    async fn change(&self, statement: &'static str) {
        let changed =
            self.store.write(move |tx| Box::pin(async move { Ok(tx.execute_unprepared(statement).await.map(drop)?) }));
        changed.await.unwrap();
    }

    /// By whatever lease there is.
    async fn go_on(&self, reactions: Vec<Reaction>, done: impl Fn() -> bool) {
        let stop = CancellationToken::new();
        let relay = Relay::new(self.store.clone(), reactions, Arc::new(Notify::new()));
        let running = tokio::spawn(relay.run(stop.clone()));
        let waiting = async {
            while !done() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let followed = tokio::time::timeout(Duration::from_secs(60), waiting).await;
        stop.cancel();
        running.await.unwrap();
        assert!(followed.is_ok(), "not everything was followed within a minute");
    }
}

/// What was seen by whom, in order.
struct Seen(Mutex<Vec<(&'static str, i64)>>);

impl Seen {
    const fn nothing() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    fn all(&self) -> Vec<(&'static str, i64)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, who: &'static str, event: &Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((who, event.number));
    }

    fn has(&self, who: &'static str, number: i64) -> bool {
        self.all().contains(&(who, number))
    }
}

static BEHIND: Seen = Seen::nothing();

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_far_behind_holds_up_no_other() {
    let slow = Reaction {
        name: "test.slow",
        run: |_, event| {
            BEHIND.note("slow", event);
            Box::pin(async { Ok(()) })
        },
    };
    let quick = Reaction {
        name: "test.quick",
        run: |_, event| {
            BEHIND.note("quick", event);
            Box::pin(async { Ok(()) })
        },
    };
    let ground = Ground::laid().await;
    ground.happen(300).await;
    ground.follow(vec![quick], || BEHIND.has("quick", 300)).await;
    // a new build brings a reaction that has all of it before it, and something happens
    ground.happen(1).await;
    ground.follow(vec![slow, quick], || BEHIND.has("quick", 301) && BEHIND.has("slow", 301)).await;
    let seen = BEHIND.all();
    let place = |who, number| seen.iter().position(|one| *one == (who, number)).unwrap();
    assert!(place("quick", 301) < place("slow", 101), "the quick one waited for the slow one");
    for who in ["quick", "slow"] {
        let own: Vec<i64> = seen.iter().filter(|one| one.0 == who).map(|one| one.1).collect();
        assert_eq!(own, (1..=301).collect::<Vec<_>>(), "{who}: each once and in order");
    }
}

static NEWER: Seen = Seen::nothing();

/// Two builds run on one database while one takes the place of the other, and the older has the lease.
#[tokio::test(flavor = "multi_thread")]
async fn before_what_only_a_newer_build_knows_an_older_relay_stands_back() {
    let reaction = Reaction {
        name: "test.newer",
        run: |_, event| {
            NEWER.note("seen", event);
            Box::pin(async { Ok(()) })
        },
    };
    let ground = Ground::laid().await;
    ground.happen(1).await;
    ground.follow(vec![reaction], || NEWER.has("seen", 1)).await;
    ground.happen(1).await;
    ground.change("UPDATE events SET kind = 'suggestion.sung' WHERE number IS NULL").await;
    ground.happen(1).await;
    ground.store.write(|tx| Box::pin(events::end_leases(tx, 0))).await.unwrap();
    let stop = CancellationToken::new();
    let older = Relay::new(ground.store.clone(), vec![reaction], Arc::new(Notify::new()));
    let older = tokio::spawn(older.run(stop.clone()));
    // it has taken the lease, and let go of it
    let let_go = "SELECT count(*) FROM leases WHERE holder <> '' AND expires_at < '1971-01-01 00:00:00+00:00'";
    let mut looks = 0;
    while crate::support::count(ground.house.path(), let_go).await == 0 {
        looks += 1;
        assert!(looks < 500, "the older relay keeps the lease: {:?}", NEWER.all());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(NEWER.all(), [("seen", 1)], "nothing is passed over");
    let behind = events::behind(ground.store.read()).await.unwrap();
    assert!(behind.contains(&("test.newer".to_owned(), 2)), "{behind:?}");
    // to the newer build it is a kind like any other
    ground.change("UPDATE events SET kind = 'suggestion.rated' WHERE kind = 'suggestion.sung'").await;
    ground.go_on(vec![reaction], || NEWER.has("seen", 3)).await;
    stop.cancel();
    older.await.unwrap();
    assert_eq!(NEWER.all(), [("seen", 1), ("seen", 2), ("seen", 3)], "each once and in order");
}

static LATER: Seen = Seen::nothing();

/// The clock was a day ahead until somebody put it right and started the server anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_of_before_the_clock_was_put_back_holds_up_nobody() {
    let reaction = Reaction {
        name: "test.later",
        run: |_, event| {
            LATER.note("later", event);
            Box::pin(async { Ok(()) })
        },
    };
    let clock = Clock::standing_at(Utc::now());
    let ground = Ground::at(clock.clone()).await;
    ground.happen(1).await;
    ground.go_on(vec![reaction], || LATER.has("later", 1)).await;
    clock.advance(TimeDelta::days(-1));
    ground.happen(1).await;
    ground.go_on(vec![reaction], || LATER.has("later", 2)).await;
}

/// When the present unit began, and the events that it has seen.
static UNIT: Mutex<(Option<DateTime<Utc>>, Vec<i64>)> = Mutex::new((None, Vec::new()));
static DONE: Seen = Seen::nothing();

/// Takes ten events in a unit and is too slow for the eleventh.
fn slow(tx: &Tx, event: &Event) -> Result<()> {
    let mut unit = UNIT.lock().unwrap_or_else(PoisonError::into_inner);
    if unit.0 != Some(tx.now()) {
        *unit = (Some(tx.now()), Vec::new());
    }
    unit.1.push(event.number);
    if unit.1.len() > 10 {
        return Err(Code::Busy.into());
    }
    DONE.note("slow", event);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_takes_too_long_gets_less_at_once_and_none_is_set_aside() {
    let reaction = Reaction {
        name: "test.long",
        run: |tx, event| {
            let done = slow(tx, event);
            Box::pin(async { done })
        },
    };
    let ground = Ground::laid().await;
    ground.happen(60).await;
    ground.follow(vec![reaction], || DONE.has("slow", 60)).await;
    // and when it goes on alone, the others that are quick give it no more than it takes
    let quick = |name| Reaction { name, run: |_, _| Box::pin(async { Ok(()) }) };
    let others = ["a", "b", "c", "d", "e", "f", "g", "h"].map(quick);
    ground.happen(60).await;
    let all: Vec<Reaction> = [reaction].into_iter().chain(others).collect();
    ground.follow(all, || DONE.has("slow", 120)).await;
}

static BESIDE: Seen = Seen::nothing();

#[tokio::test(flavor = "multi_thread")]
async fn one_that_never_ends_in_time_holds_up_no_other() {
    let endless = Reaction { name: "test.endless", run: |_, _| Box::pin(async { Err(Code::Busy.into()) }) };
    let quick = Reaction {
        name: "test.beside",
        run: |_, event| {
            BESIDE.note("quick", event);
            Box::pin(async { Ok(()) })
        },
    };
    let ground = Ground::laid().await;
    ground.happen(3).await;
    ground.follow(vec![endless, quick], || BESIDE.has("quick", 3)).await;
}

static AFTER: Seen = Seen::nothing();

/// For whom the second event always takes too long, and nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_takes_too_long_by_itself_is_set_aside_for_the_operator() {
    let heavy = Reaction {
        name: "test.heavy",
        run: |_, event| {
            let is_heavy = event.number == 2;
            if !is_heavy {
                AFTER.note("heavy", event);
            }
            Box::pin(async move { if is_heavy { Err(Code::Busy.into()) } else { Ok(()) } })
        },
    };
    let quick = Reaction { name: "test.light", run: |_, _| Box::pin(async { Ok(()) }) };
    let ground = Ground::laid().await;
    ground.happen(4).await;
    ground.run(vec![heavy, quick], || AFTER.has("heavy", 4)).await;
    let letters = events::dead_letters(ground.store.read()).await.unwrap();
    let letters: Vec<_> = letters.iter().map(|letter| (letter.reaction.as_str(), letter.number)).collect();
    assert_eq!(letters, [("test.heavy", 2)]);
    // by itself it knows not whether the database is well, and goes on trying
    let ground = Ground::laid().await;
    ground.happen(2).await;
    let began = tokio::time::Instant::now();
    ground.run(vec![heavy], || began.elapsed() > Duration::from_secs(10)).await;
    assert!(events::dead_letters(ground.store.read()).await.unwrap().is_empty(), "the database may be away");
}

/// What is due is done together: a kind of it that breaks each time holds up none that comes after it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_and_breaks_holds_up_nothing_else_that_is_due() {
    let (app, village) = Village::start().await;
    let notice = json!({ "area_code": village.area, "title": "公示", "text": "全文", "period_days": 5 });
    let notice = village.clerk.post("/v1/notices", notice).await.ok();
    app.settle().await;
    let raw = Raw::open(app.folder.path()).await;
    raw.execute("ALTER TABLE guest_tries RENAME TO elsewhere").await;
    app.pass(TimeDelta::days(12)).await;
    let shown = app.get(&format!("/v1/notices/{}", notice["id"].as_str().unwrap())).await.ok();
    assert_eq!(shown["state"], "concluded");
    raw.execute("ALTER TABLE elsewhere RENAME TO guest_tries").await;
    raw.close().await;
    app.stop().await;
}
