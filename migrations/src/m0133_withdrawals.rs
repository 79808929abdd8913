//! That the author of a voice took it back, and why.
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
        create(manager, "suggestion_withdrawals", |table| {
            table
                .col(uuid("suggestion_id").primary_key())
                .col(text_null("reason"))
                .col(timestamp_with_time_zone("withdrawn_at"))
                .foreign_key(
                    ForeignKey::create().from("suggestion_withdrawals", "suggestion_id").to("suggestions", "id"),
                );
        })
        .await
    }
}
