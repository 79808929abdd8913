//! Boxes of paper that are carried to those who cannot come: which they are, and which sheet goes into one.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let boxes = ColumnDef::new("mobile_boxes").string().null().to_owned();
        manager.alter_table(Table::alter().table("votes").add_column(boxes).to_owned()).await?;
        let carried = ColumnDef::new("mobile_box").integer().null().to_owned();
        manager.alter_table(Table::alter().table("paper_sheets").add_column(carried).to_owned()).await
    }
}
