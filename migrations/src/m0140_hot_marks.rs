//! What is written for everybody who comes to a meeting, and for everybody whom a card of many reaches, no longer has the database
//! look for meeting, person, round and stream.
//!
//! # Why
//! Who casts an open ballot signs in at its meeting, and a card goes to each of a village: two and three looks a row, on PostgreSQL
//! each with a plan made anew, as it was with ballots. The unit that writes them has read the meeting and the roll, or has made the
//! round and read the audience, and none of these is ever taken away.
use sea_orm_migration::prelude::*;

use crate::schema::{Reference, forget};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const HOT: [Reference; 5] = [
    Reference { table: "attendances", column: "meeting_id", other: "meetings", key: "id" },
    Reference { table: "attendances", column: "person_id", other: "people", key: "id" },
    Reference { table: "card_readers", column: "round_id", other: "card_rounds", key: "id" },
    Reference { table: "card_readers", column: "person_id", other: "people", key: "id" },
    Reference { table: "card_readers", column: "stream_id", other: "streams", key: "id" },
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
