//! What is written for everything said (the entry, and each pair of its characters to find it by) no longer has the database look
//! for its stream.
//!
//! # Why
//! The unit of work that writes an entry has moved its stream on, and pairs are taken from entries; nothing takes a stream away.
//! A message of a hundred characters had PostgreSQL look for its stream two hundred times, each with a plan made anew: the
//! writer's session asks that of all plans, and no setting makes an exception for these.
use sea_orm_migration::prelude::*;

use crate::schema::{Reference, forget};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const HOT: [Reference; 3] = [
    Reference { table: "entries", column: "stream_id", other: "streams", key: "id" },
    Reference { table: "grams", column: "stream_id", other: "streams", key: "id" },
    Reference { table: "grams_due", column: "stream_id", other: "streams", key: "id" },
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        forget(manager, &HOT).await
    }
}
