//! Since when a vote rests because a backup was loaded while it ran, and its board says nothing more.
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in [("votes", "restored_at"), ("boards", "halted_at")] {
            let since = timestamp_with_time_zone_null(column).to_owned();
            manager.alter_table(Table::alter().table(table).add_column(since).to_owned()).await?;
        }
        Ok(())
    }
}
