//! 事件: what happened, append-only and hash-chained: outbox, timeline and audit in one.
//!
//! Always true: an event is recorded in the transaction that does the thing; it says ids, codes and keyed digests only,
//! never text, phone, choice or ballot; the relay alone gives it its number and its hash in the chain; every reaction
//! sees it exactly once, and none is passed over for being of a newer build. What is its own record (stream entry, ballot, cursor) is not repeated as an event.
//! Tables owned: `events`, `chain_heads`, `reaction_cursors`, `dead_letters`, `checkpoints`, `leases`.
//! Events recorded: none of its own.
mod chain;
mod http;
mod kinds;
mod lease;
mod queries;
mod redrive;
mod relay;
mod rows;
mod unknown;

use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, Set};
use serde_json::Value;

pub use self::{
    chain::{ChainReport, is_signed, verify},
    http::routes,
    kinds::Kind,
    lease::{end_leases, newest_lease},
    queries::{
        Backlog, DeadLetter, Head, Standing, TimelineItem, backlog, behind, between, dead_letters, event_at, has_done,
        head, last, last_area, latest, newest, standing, timeline,
    },
    redrive::{redrive, redrive_letter},
    relay::{Reaction, Relay},
};
use crate::{
    broker::Bell,
    error::Result,
    ids::{EventId, PersonId},
    store::Tx,
};

/// Something that happened, as a reaction sees it.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Its place in the chain, from 1 without a gap.
    pub number: i64,
    /// What kind of thing.
    pub kind: Kind,
    /// Where, if somewhere.
    pub area: Option<String>,
    /// Who did it; `None`: the clock or a reaction.
    pub actor: Option<PersonId>,
    /// Id of the thing it happened to.
    pub subject: String,
    /// Further ids and codes.
    pub data: Value,
    /// When.
    pub at: DateTime<Utc>,
}

impl Event {
    /// An id or code in `data`, read as the type wanted.
    #[must_use]
    pub fn get<T: std::str::FromStr>(&self, field: &str) -> Option<T> {
        self.data.get(field)?.as_str()?.parse().ok()
    }

    /// The subject's id, read as the type wanted.
    ///
    /// # Errors
    /// `Error::Broken` when the event's subject is of another type.
    pub fn subject_id<T: std::str::FromStr>(&self) -> Result<T> {
        let broken = || crate::error::Error::broken(format!("event {}: subject", self.number));
        self.subject.parse().map_err(|_| broken())
    }
}

/// What a command records; see [`record`].
#[derive(Clone, Debug)]
pub struct Happening {
    /// What kind of thing.
    pub kind: Kind,
    /// Where.
    pub area: Option<String>,
    /// Who.
    pub actor: Option<PersonId>,
    /// Id of the thing.
    pub subject: String,
    /// Further ids and codes: never text, phone, choice.
    pub data: Value,
}

impl Happening {
    /// Something that happened to `subject`.
    pub fn new(kind: Kind, subject: impl std::fmt::Display) -> Self {
        Self { kind, area: None, actor: None, subject: subject.to_string(), data: Value::Null }
    }

    /// In this area.
    #[must_use]
    pub fn at(mut self, area: impl Into<String>) -> Self {
        self.area = Some(area.into());
        self
    }

    /// By this person.
    #[must_use]
    pub fn by(mut self, person: PersonId) -> Self {
        self.actor = Some(person);
        self
    }

    /// With these ids and codes.
    #[must_use]
    pub fn with(mut self, data: Value) -> Self {
        self.data = data;
        self
    }
}

/// Records an event in the unit of work; the relay wakes at its commit.
///
/// # Errors
/// When the database refuses the row.
pub async fn record(tx: &Tx, happening: Happening) -> Result<EventId> {
    let id = EventId::new();
    let row = rows::event::ActiveModel {
        id: Set(id),
        kind: Set(happening.kind.as_str().to_owned()),
        area_code: Set(happening.area),
        actor_id: Set(happening.actor),
        subject_id: Set(happening.subject),
        data: Set(happening.data.to_string()),
        at: Set(tx.now()),
        number: Set(None),
        hash: Set(None),
    };
    row.insert(tx).await?;
    tx.ring(Bell::Events);
    Ok(id)
}
