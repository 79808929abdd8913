//! Lists that people add a row to.
use sea_orm_migration::{prelude::*, schema::*};

use crate::schema::create;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, "chains", |table| {
            table
                .col(uuid("stream_id"))
                .col(big_integer("seq"))
                .col(uuid("started_by"))
                .col(text("title"))
                .col(text("example"))
                .col(integer("max_rows"))
                .col(integer("last_row"))
                .col(timestamp_with_time_zone_null("closes_at"))
                .col(timestamp_with_time_zone_null("closed_at"))
                .primary_key(Index::create().col("stream_id").col("seq"))
                .foreign_key(ForeignKey::create().from("chains", "stream_id").to("streams", "id"));
        })
        .await?;
        create(manager, "chain_rows", |table| {
            table
                .col(uuid("stream_id"))
                .col(big_integer("seq"))
                .col(uuid("person_id"))
                .col(integer("row_no"))
                .col(text("text"))
                .col(integer("quantity"))
                .col(timestamp_with_time_zone_null("removed_at"))
                .col(timestamp_with_time_zone("created_at"))
                .primary_key(Index::create().col("stream_id").col("seq").col("person_id"))
                .foreign_key(ForeignKey::create().from("chain_rows", "stream_id").to("streams", "id"))
                .foreign_key(ForeignKey::create().from("chain_rows", "person_id").to("people", "id"));
        })
        .await
    }
}
