//! What people report, and what was decided about it.
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
        create(manager, "reports", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("stream_id"))
                .col(big_integer("seq"))
                .col(uuid("reporter_id"))
                .col(string("area_code"))
                .col(text("reason"))
                .col(uuid("key_id"))
                .col(text("evidence"))
                .col(string("state"))
                .col(uuid_null("decided_by"))
                .col(text_null("decision_reason"))
                .col(timestamp_with_time_zone_null("decided_at"))
                .col(timestamp_with_time_zone("created_at"))
                .index(
                    Index::create()
                        .unique()
                        .name("uq_reports_stream_id_seq_reporter_id")
                        .col("stream_id")
                        .col("seq")
                        .col("reporter_id"),
                )
                .foreign_key(ForeignKey::create().from("reports", "stream_id").to("streams", "id"))
                .foreign_key(ForeignKey::create().from("reports", "reporter_id").to("people", "id"));
        })
        .await?;
        index(manager, "reports", &["area_code", "state"]).await
    }
}
