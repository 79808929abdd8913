//! Sheets on which people signed that a public voice is theirs, too, and who stands on which of them.
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
        let mut signed = Table::alter();
        signed.table("suggestion_cosigns").add_column(uuid_null("sheet_id"));
        manager.alter_table(signed).await?;
        create(manager, "cosign_sheets", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("suggestion_id"))
                .col(text("source"))
                .col(uuid("recorded_by"))
                .col(timestamp_with_time_zone("recorded_at"))
                .foreign_key(ForeignKey::create().from("cosign_sheets", "suggestion_id").to("suggestions", "id"));
        })
        .await?;
        index(manager, "suggestion_cosigns", &["sheet_id"]).await?;
        index(manager, "cosign_sheets", &["suggestion_id"]).await
    }
}
