//! 村民小组: of which group of a village a meeting and a vote are.
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["meetings", "votes"] {
            let mut table = Table::alter();
            table.table(name).add_column(integer_null("group_number"));
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}
