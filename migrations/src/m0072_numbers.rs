//! Members of a collective who were entered by name and identity number: the digest by which nobody is entered twice, and a number
//! of the register's own, which tells nothing of whether a roster knows them.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["register_number", "number_hmac"] {
            let column = ColumnDef::new(column).string().null().to_owned();
            manager.alter_table(Table::alter().table("body_members").add_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
