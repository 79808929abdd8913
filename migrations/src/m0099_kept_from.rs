//! Who does not call a meeting off, because a vote that belongs to it is about them.
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let people = text_null("kept_from");
        manager.alter_table(Table::alter().table("meetings").add_column(people).to_owned()).await
    }
}
