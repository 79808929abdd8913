//! Streams with their entries and memberships; outgoing deliveries.
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
        create(manager, "streams", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("kind"))
                .col(string("subject_id"))
                .col(string_null("area_code"))
                .col(uuid_null("body_id"))
                .col(string("title"))
                .col(big_integer("epoch"))
                .col(big_integer("last_seq"))
                .col(big_integer("last_no"))
                .col(timestamp_with_time_zone("last_at"))
                .col(string("last_preview"))
                .col(timestamp_with_time_zone("created_at"))
                .foreign_key(ForeignKey::create().from("streams", "area_code").to("areas", "code"))
                .foreign_key(ForeignKey::create().from("streams", "body_id").to("bodies", "id"))
                .index(Index::create().unique().name("uq_streams_kind_subject_id").col("kind").col("subject_id"));
        })
        .await?;
        index(manager, "streams", &["area_code"]).await?;
        index(manager, "streams", &["body_id"]).await?;
        create(manager, "entries", |table| {
            table
                .col(uuid("stream_id"))
                .col(big_integer("seq"))
                .col(big_integer("no"))
                .col(string("kind"))
                .col(uuid_null("sender_id"))
                .col(uuid_null("body_id"))
                .col(uuid("client_id"))
                .col(big_integer_null("reply_to"))
                .col(text("body"))
                .col(timestamp_with_time_zone("created_at"))
                .primary_key(Index::create().col("stream_id").col("seq"))
                .foreign_key(ForeignKey::create().from("entries", "stream_id").to("streams", "id"))
                .index(
                    Index::create().unique().name("uq_entries_sender_id_client_id").col("sender_id").col("client_id"),
                );
        })
        .await?;
        create(manager, "memberships", |table| {
            table
                .col(uuid("person_id"))
                .col(uuid("stream_id"))
                .col(string("role"))
                .col(big_integer("read_seq"))
                .col(big_integer("read_no"))
                .col(timestamp_with_time_zone("joined_at"))
                .col(timestamp_with_time_zone_null("left_at"))
                .primary_key(Index::create().col("person_id").col("stream_id"))
                .foreign_key(ForeignKey::create().from("memberships", "person_id").to("people", "id"))
                .foreign_key(ForeignKey::create().from("memberships", "stream_id").to("streams", "id"));
        })
        .await?;
        index(manager, "memberships", &["stream_id", "person_id"]).await?;
        create(manager, "webhooks", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("area_code"))
                .col(text("url"))
                .col(text("secret_sealed"))
                .col(uuid_null("created_by"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone_null("removed_at"))
                .foreign_key(ForeignKey::create().from("webhooks", "area_code").to("areas", "code"));
        })
        .await?;
        index(manager, "webhooks", &["area_code"]).await?;
        create(manager, "deliveries", |table| {
            table
                .col(uuid("id").primary_key())
                .col(string("kind"))
                .col(string("channel"))
                .col(big_integer("event_number"))
                .col(string("target_id"))
                .col(string("subject_id"))
                .col(string("state"))
                .col(integer("tries"))
                .col(timestamp_with_time_zone("due_at"))
                .col(timestamp_with_time_zone_null("sent_at"))
                .col(timestamp_with_time_zone("created_at"))
                .index(
                    Index::create()
                        .unique()
                        .name("uq_deliveries_event_number_channel_target_id")
                        .col("event_number")
                        .col("channel")
                        .col("target_id"),
                );
        })
        .await?;
        index(manager, "deliveries", &["state", "due_at"]).await?;
        index(manager, "deliveries", &["target_id", "state"]).await?;
        create(manager, "attempts", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("delivery_id"))
                .col(string("outcome"))
                .col(integer("status"))
                .col(timestamp_with_time_zone("at"))
                .foreign_key(ForeignKey::create().from("attempts", "delivery_id").to("deliveries", "id"));
        })
        .await?;
        index(manager, "attempts", &["delivery_id"]).await?;
        Ok(())
    }
}
