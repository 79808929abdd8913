//! When a mandate was ended before its time, by whom and why.
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [timestamp_with_time_zone_null("ended_at"), uuid_null("ended_by"), text_null("end_reason")] {
            manager.alter_table(Table::alter().table("mandates").add_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
