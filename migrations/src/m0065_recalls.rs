//! Whom a vote recalls from the village committee, so that nobody is asked about the same again within a year.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let recalled = ColumnDef::new("recalled_id").uuid().null().to_owned();
        manager.alter_table(Table::alter().table("votes").add_column(recalled).to_owned()).await
    }
}
