//! Public voices of which the photos and the clip alone are hidden, while their words are shown; and how somebody wants to be
//! answered.
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut hidden = Table::alter();
        hidden.table("suggestions").add_column(boolean("hides_only_media").default(false));
        manager.alter_table(hidden).await?;
        let mut wish = Table::alter();
        wish.table("suggestions").add_column(string("reply_wish").default("here"));
        manager.alter_table(wish).await
    }
}
