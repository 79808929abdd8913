//! Cards for many, which are posted in pieces.
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
        create(manager, "card_rounds", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("about"))
                .col(string("title"))
                .col(text("body"))
                .col(timestamp_with_time_zone("created_at"));
        })
        .await?;
        create(manager, "card_readers", |table| {
            table
                .col(uuid("round_id"))
                .col(integer("place"))
                .col(uuid_null("person_id"))
                .col(uuid_null("stream_id"))
                .primary_key(Index::create().col("round_id").col("place"))
                .foreign_key(ForeignKey::create().from("card_readers", "round_id").to("card_rounds", "id"))
                .foreign_key(ForeignKey::create().from("card_readers", "person_id").to("people", "id"))
                .foreign_key(ForeignKey::create().from("card_readers", "stream_id").to("streams", "id"));
        })
        .await
    }
}
