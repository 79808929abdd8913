//! What is written for every ballot (the envelope, its promise, its leaf) no longer has the database look for its vote or board.
//!
//! # Why
//! The unit of work that writes it has read the vote or the board, on the one writer, and nothing takes either away. The
//! database looked again for each row, on PostgreSQL with a plan made anew each time: more than a third of all that it did
//! while a village voted.
use sea_orm_migration::prelude::*;

use crate::schema::{Reference, forget};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const HOT: [Reference; 3] = [
    Reference { table: "envelopes", column: "vote_id", other: "votes", key: "id" },
    Reference { table: "board_pending", column: "vote_id", other: "boards", key: "vote_id" },
    Reference { table: "board_entries", column: "vote_id", other: "boards", key: "vote_id" },
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
