//! How the parts do: the one measurement behind `/readyz`, `/metrics` and the operators' page.
use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::ConnectionTrait;

use crate::{
    app::App,
    clock, delivery,
    error::Result,
    events::{self, Backlog, Head},
    inbox,
};

/// An outbox older than this is not normal.
pub const OLD_SECS: i64 = 60;
/// Less room than this on the disk of the data directory wants somebody's hands.
pub const SCARCE_BYTES: u64 = 2 << 30;
/// Deadlines reach this far ahead; in a year that the calendar does not know only weekends would be free.
const AHEAD_DAYS: i64 = 30;

/// Who looks at the health waits for the bucket no longer than this.
const ASKED_FOR: Duration = Duration::from_secs(1);

/// How everything is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Well.
    Ok,
    /// Something ails, requests are served.
    Degraded,
    /// The database is away.
    Down,
}

impl State {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }
}

/// Room on the disk of the data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Bytes that we may still write.
    pub free: u64,
    /// Bytes that there are.
    pub total: u64,
}

/// The parts.
#[derive(Clone, Debug)]
pub struct Health {
    /// Does the database answer?
    pub database: bool,
    /// What makes the database unfit to be relied on, in words for an operator; empty when all is well.
    pub doubts: Vec<String>,
    /// Does the broker?
    pub broker: bool,
    /// What waits; absent when the database is away.
    pub backlog: Option<Backlog>,
    /// Does the calendar know the days that deadlines reach?
    pub calendar: bool,
    /// Can log-in codes be sent?
    pub sms: bool,
    /// Did the place of photos and clips answer when it was asked last?
    pub media: bool,
    /// Room on the disk; absent when it cannot be asked.
    pub disk: Option<Disk>,
}

impl Health {
    /// Is the log numbered in time?
    #[must_use]
    pub fn relay(&self) -> bool {
        self.backlog.as_ref().is_some_and(|backlog| backlog.oldest_secs < OLD_SECS)
    }

    /// Is there room on the disk?
    #[must_use]
    pub fn room(&self) -> bool {
        self.disk.is_none_or(|disk| disk.free >= SCARCE_BYTES)
    }

    /// Events that a reaction could not take.
    #[must_use]
    pub fn dead_letters(&self) -> u64 {
        self.backlog.as_ref().map_or(0, |backlog| backlog.dead_letters)
    }

    /// Down only when the database is; everything else that ails is degraded.
    #[must_use]
    pub fn state(&self) -> State {
        let well = self.doubts.is_empty()
            && self.broker
            && self.relay()
            && self.dead_letters() == 0
            && self.calendar
            && self.media
            && self.room();
        match (self.database, well) {
            (false, _) => State::Down,
            (true, true) => State::Ok,
            (true, false) => State::Degraded,
        }
    }
}

/// Asks every part.
pub async fn measure(app: &App) -> Health {
    let doubts = app.store.doubts().await;
    Health {
        database: doubts.is_ok() && app.store.read().execute_unprepared("SELECT 1").await.is_ok(),
        doubts: doubts.unwrap_or_default(),
        broker: app.broker.ready().await,
        backlog: events::backlog(&app.store, app.now()).await.ok(),
        calendar: app.calendar.covers(clock::local_date(app.now() + TimeDelta::days(AHEAD_DAYS))),
        sms: app.gateways.sms.is_set_up(),
        media: media(app).await,
        disk: disk(app),
    }
}

/// What failed once is asked again, for a moment.
async fn media(app: &App) -> bool {
    tokio::time::timeout(ASKED_FOR, app.shelf.is_well()).await.unwrap_or(false)
}

fn disk(app: &App) -> Option<Disk> {
    let told = rustix::fs::statvfs(&app.config.data_dir).ok()?;
    Some(Disk { free: told.f_bavail * told.f_frsize, total: told.f_blocks * told.f_frsize })
}

/// What operators see beyond the parts.
#[derive(Clone, Debug)]
pub struct Work {
    /// Reactions that have not seen every event, and how many each has still to see.
    pub behind: Vec<(String, i64)>,
    /// The newest signed head of the log.
    pub head: Option<Head>,
    /// Deliveries that wait.
    pub deliveries_waiting: u64,
    /// Of these, those whose time has come.
    pub deliveries_due: u64,
    /// Deliveries given up.
    pub deliveries_dead: u64,
    /// Messages to the account of WeChat that could not be taken.
    pub messages_dead: u64,
    /// Bytes of the database.
    pub database_bytes: u64,
}

/// Asks for the work.
///
/// # Errors
/// When the database cannot be read.
pub async fn work(app: &App) -> Result<Work> {
    let db = app.store.read();
    Ok(Work {
        behind: events::behind(db).await?,
        head: events::head(&app.store).await?,
        deliveries_waiting: delivery::queries::waiting(db).await?,
        deliveries_due: delivery::queries::due_now(db, app.now()).await?,
        deliveries_dead: delivery::queries::given_up(db).await?,
        messages_dead: inbox::queries::given_up(db).await?,
        database_bytes: app.store.bytes().await?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well() -> Health {
        let backlog = Some(Backlog::default());
        let disk = Some(Disk { free: SCARCE_BYTES, total: 2 * SCARCE_BYTES });
        Health {
            database: true,
            doubts: Vec::new(),
            broker: true,
            backlog,
            calendar: true,
            sms: false,
            media: true,
            disk,
        }
    }

    #[test]
    fn only_the_database_takes_it_down_and_anything_else_shows() {
        assert_eq!(well().state(), State::Ok, "a trial without SMS is well");
        let old = Backlog { oldest_secs: OLD_SECS, ..Backlog::default() };
        let dead = Backlog { dead_letters: 1, ..Backlog::default() };
        let full = Disk { free: SCARCE_BYTES - 1, total: SCARCE_BYTES };
        for ailing in [
            Health { doubts: vec!["fsync is off".to_owned()], ..well() },
            Health { broker: false, ..well() },
            Health { backlog: Some(old), ..well() },
            Health { backlog: Some(dead), ..well() },
            Health { backlog: None, ..well() },
            Health { calendar: false, ..well() },
            Health { media: false, ..well() },
            Health { disk: Some(full), ..well() },
        ] {
            assert_eq!(ailing.state(), State::Degraded, "{ailing:?}");
            assert_eq!(Health { database: false, ..ailing }.state(), State::Down);
        }
    }
}
