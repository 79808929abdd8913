//! The log: events, their chain, progress of reactions, dead letters, checkpoints, leases.
use sea_orm_migration::{prelude::*, schema::*};

use crate::schema::{create, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, "events", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("kind"))
                .col(string_null("area_code"))
                .col(uuid_null("actor_id"))
                .col(string("subject_id"))
                .col(text("data"))
                .col(timestamp_with_time_zone("at"))
                .col(big_integer_null("number").unique_key())
                .col(string_null("hash"));
        })
        .await?;
        index(manager, "events", &["subject_id"]).await?;
        create(manager, "chain_heads", |table| {
            table.col(integer("id").primary_key()).col(big_integer("number")).col(string("hash"));
        })
        .await?;
        create(manager, "reaction_cursors", |table| {
            table.col(string("reaction").primary_key()).col(big_integer("number"));
        })
        .await?;
        create(manager, "dead_letters", |table| {
            table
                .col(string("reaction"))
                .col(big_integer("number"))
                .col(text("error"))
                .col(timestamp_with_time_zone("at"))
                .primary_key(Index::create().col("reaction").col("number"));
        })
        .await?;
        create(manager, "checkpoints", |table| {
            table
                .col(big_integer("number").primary_key())
                .col(string("hash"))
                .col(string("key_id"))
                .col(string("signature"))
                .col(timestamp_with_time_zone("at"));
        })
        .await?;
        create(manager, "leases", |table| {
            table
                .col(string("name").primary_key())
                .col(string("holder"))
                .col(big_integer("token"))
                .col(timestamp_with_time_zone("expires_at"));
        })
        .await?;
        let origin = Query::insert()
            .into_table("chain_heads")
            .columns(["id", "number", "hash"])
            .values_panic([1.into(), 0.into(), "".into()])
            .to_owned();
        manager.execute(origin).await?;
        manager
            .get_connection()
            .execute_unprepared("CREATE INDEX ix_events_unsequenced ON events (at) WHERE number IS NULL")
            .await?;
        Ok(())
    }
}
