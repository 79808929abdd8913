//! In which other matter one goes on that was taken back.
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut merged = Table::alter();
        merged.table("matters").add_column(uuid_null("merged_into_id"));
        manager.alter_table(merged).await
    }
}
