//! Objections that were withdrawn: when, by whom, and why, where it was done for somebody.
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in
            [timestamp_with_time_zone_null("withdrawn_at"), uuid_null("withdrawn_by"), text_null("withdrawal")]
        {
            manager.alter_table(Table::alter().table("objections").add_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
