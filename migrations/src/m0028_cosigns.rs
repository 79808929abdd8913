//! Who says of a public voice that it is theirs, too.
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
        let mut table = Table::alter();
        table.table("suggestions").add_column(integer("cosigns").default(0));
        manager.alter_table(table).await?;
        create(manager, "suggestion_cosigns", |table| {
            table
                .col(uuid("suggestion_id"))
                .col(uuid("person_id"))
                .col(timestamp_with_time_zone("created_at"))
                .primary_key(Index::create().col("suggestion_id").col("person_id"))
                .foreign_key(ForeignKey::create().from("suggestion_cosigns", "suggestion_id").to("suggestions", "id"))
                .foreign_key(ForeignKey::create().from("suggestion_cosigns", "person_id").to("people", "id"));
        })
        .await?;
        index(manager, "suggestion_cosigns", &["person_id", "created_at"]).await
    }
}
