//! Which version of an election's calendar it is, so that nobody's change is lost by another's.
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let version = integer("version").default(1).to_owned();
        manager.alter_table(Table::alter().table("elections").add_column(version).to_owned()).await
    }
}
