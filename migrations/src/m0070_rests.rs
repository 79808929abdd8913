//! Until when an address that kept its try waiting in vain is left alone.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let rest = ColumnDef::new("rests_until").timestamp_with_time_zone().null().to_owned();
        manager.alter_table(Table::alter().table("webhooks").add_column(rest).to_owned()).await
    }
}
