//! Who wrote down an objection for somebody else.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let recorded = ColumnDef::new("recorded_by").uuid().null().to_owned();
        manager.alter_table(Table::alter().table("objections").add_column(recorded).to_owned()).await
    }
}
