//! The households that choose a representative of the villagers together.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let homes = ColumnDef::new("household_ids").text().null().to_owned();
        manager.alter_table(Table::alter().table("votes").add_column(homes).to_owned()).await
    }
}
