//! Members of a collective on no roster: that they count all the same, and to which household of it a member belongs.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ColumnDef::new("is_off_roster").boolean().not_null().default(false).to_owned(),
            ColumnDef::new("household_id").uuid().null().to_owned(),
        ];
        for column in columns {
            manager.alter_table(Table::alter().table("body_members").add_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
