//! What is said of a matter beside its text: the seat that answers for it, and what it may cost out of which money.
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [uuid_null("responsible_seat_id"), big_integer_null("budget_fen"), text_null("budget_source")] {
            manager.alter_table(Table::alter().table("matters").add_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
