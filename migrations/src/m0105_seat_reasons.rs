//! Why somebody else than the rule names sits somewhere.
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let reason = text_null("reason");
        manager.alter_table(Table::alter().table("seats").add_column(reason).to_owned()).await
    }
}
