//! Reads of messages that were given up.
use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{rows::letter, rules};
use crate::{clock, error::Result};

/// A message that was given up. Not its words, and not whose it is.
#[derive(Clone, Debug)]
pub struct DeadMessage {
    /// Its id.
    pub id: Uuid,
    /// How often it was tried.
    pub tries: i32,
    /// Why the last try failed: a stable name.
    pub why: String,
    /// When it came.
    pub at: DateTime<FixedOffset>,
}

/// Messages that were given up, oldest first, 100 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn dead(db: &impl ConnectionTrait) -> Result<Vec<DeadMessage>> {
    let rows = letter::Entity::find()
        .filter(letter::Column::State.eq(rules::DEAD))
        .order_by_asc(letter::Column::CreatedAt)
        .limit(100)
        .all(db)
        .await?;
    let show = |row: letter::Model| DeadMessage {
        id: row.id,
        tries: row.tries - row.tries_before,
        why: row.why.unwrap_or_default(),
        at: clock::local(row.created_at),
    };
    Ok(rows.into_iter().map(show).collect())
}

/// How many were given up.
///
/// # Errors
/// When the database cannot be read.
pub async fn given_up(db: &impl ConnectionTrait) -> Result<u64> {
    Ok(letter::Entity::find().filter(letter::Column::State.eq(rules::DEAD)).count(db).await?)
}
