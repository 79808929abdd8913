//! Who stands in a vote, where candidates are known as persons, so that they have no hand in it.
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let candidates = text_null("candidate_ids");
        manager.alter_table(Table::alter().table("votes").add_column(candidates).to_owned()).await
    }
}
