//! How many electors a ballot that waits for its board adds to those whose ballots wait with it: none when its own cast before.
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let electors = integer("electors").default(1).to_owned();
        manager.alter_table(Table::alter().table("board_pending").add_column(electors).to_owned()).await
    }
}
