//! When the phones of a decided claim are tried again, so that those that cannot be reached hold up no others.
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut again = Table::alter();
        again.table("phone_claims").add_column(timestamp_with_time_zone_null("tell_again_at"));
        manager.alter_table(again).await
    }
}
