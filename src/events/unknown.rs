//! What a relay does before an event of a kind that only a newer build knows: it stops there, says so and lets another go on.
//!
//! # Why
//! While one build takes the place of another, both may run on one database. Whoever moved past such an event would leave out
//! for ever what follows from it. The older one numbers nothing either while it stands back: where no newer one goes on, the
//! log is seen to stand still.
use std::time::Duration;

use tokio::time::Instant;

use super::{Event, Kind, lease::let_go, rows::event};
use crate::{error::Result, store::Store};

/// So long the lease is left to others.
const REST: Duration = Duration::from_secs(30);

/// What a unit took.
pub(super) struct Taken {
    /// So many events.
    pub(super) count: usize,
    /// The number of the one before which it stopped, because this build does not know its kind.
    pub(super) stopped_at: Option<i64>,
}

/// `None`: a kind that this build does not know, recorded by a newer one.
pub(super) fn open(row: event::Model) -> Option<Event> {
    Some(Event {
        id: row.id,
        number: row.number?,
        kind: Kind::parse(&row.kind)?,
        area: row.area_code,
        actor: row.actor_id,
        subject: row.subject_id,
        data: serde_json::from_str(&row.data).unwrap_or_default(),
        at: row.at,
    })
}

/// These up to the first that this build does not know, and the number of that one.
pub(super) fn known(rows: Vec<event::Model>) -> (Vec<Event>, Option<i64>) {
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        let number = row.number;
        match open(row) {
            Some(event) => events.push(event),
            None => return (events, number),
        }
    }
    (events, None)
}

/// Whether a relay stands back, and how long.
#[derive(Default)]
pub(super) struct Aside {
    is_outdated: bool,
    until: Option<Instant>,
}

impl Aside {
    /// Is the lease left to others now?
    pub(super) fn rests(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }

    /// Has it met what it does not know, and nobody is known to have gone on?
    pub(super) fn is_outdated(&self) -> bool {
        self.is_outdated
    }

    /// Lets go of the lease where all was taken up to what this build does not know. Says whether it did; the log hears of it
    /// once.
    ///
    /// # Errors
    /// When the database refuses.
    pub(super) async fn stands_back(&mut self, store: &Store, token: i64, taken: &Taken) -> Result<bool> {
        let Some(number) = taken.stopped_at.filter(|_| taken.count == 0) else {
            self.is_outdated = false;
            metrics::gauge!("relay_outdated").set(0.0);
            return Ok(false);
        };
        if !self.is_outdated {
            tracing::error!(
                number,
                "an event of a kind that only a newer build knows: the relay of this one stands back"
            );
        }
        self.is_outdated = true;
        self.until = Some(Instant::now() + REST);
        metrics::gauge!("relay_outdated").set(1.0);
        store.write(move |tx| Box::pin(let_go(tx, token))).await?;
        Ok(true)
    }
}
