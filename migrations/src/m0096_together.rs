//! Until when the digest of a ballot may wait for others before it is on its board.
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // what waits now was promised without
        let due = timestamp_with_time_zone("due_at").default(Expr::cust("'1970-01-01T00:00:00+00:00'")).to_owned();
        manager.alter_table(Table::alter().table("board_pending").add_column(due).to_owned()).await
    }
}
