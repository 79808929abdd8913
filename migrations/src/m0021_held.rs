//! Conversations in which messages are looked at before they are shown, and messages that wait.
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
        create(manager, "held_entries", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("stream_id"))
                .col(uuid("author_id"))
                .col(uuid("client_id"))
                .col(string("area_code"))
                .col(string("reason"))
                .col(uuid("key_id"))
                .col(text("body"))
                .col(string("state"))
                .col(uuid_null("decided_by"))
                .col(text_null("decision_reason"))
                .col(timestamp_with_time_zone_null("decided_at"))
                .col(text_null("appeal"))
                .col(timestamp_with_time_zone_null("appealed_at"))
                .col(uuid_null("appeal_decided_by"))
                .col(text_null("appeal_reason"))
                .col(timestamp_with_time_zone_null("appeal_decided_at"))
                .col(big_integer_null("sent_seq"))
                .col(timestamp_with_time_zone("created_at"))
                .index(
                    Index::create()
                        .unique()
                        .name("uq_held_entries_author_id_client_id")
                        .col("author_id")
                        .col("client_id"),
                )
                .foreign_key(ForeignKey::create().from("held_entries", "stream_id").to("streams", "id"))
                .foreign_key(ForeignKey::create().from("held_entries", "author_id").to("people", "id"));
        })
        .await?;
        index(manager, "held_entries", &["area_code", "state"]).await?;
        create(manager, "reviewed_streams", |table| {
            table
                .col(uuid("stream_id").primary_key())
                .col(uuid("set_by"))
                .col(timestamp_with_time_zone("since"))
                .foreign_key(ForeignKey::create().from("reviewed_streams", "stream_id").to("streams", "id"));
        })
        .await
    }
}
