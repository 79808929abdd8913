//! The charter of a council, version by version.
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
        create(manager, "body_charters", |table| {
            table
                .col(uuid("body_id"))
                .col(integer("version"))
                .col(text("text"))
                .col(date("adopted_on"))
                .col(string("source"))
                .col(uuid("recorded_by"))
                .col(timestamp_with_time_zone("recorded_at"))
                .primary_key(Index::create().col("body_id").col("version"))
                .foreign_key(ForeignKey::create().from("body_charters", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("body_charters", "recorded_by").to("people", "id"));
        })
        .await
    }
}
