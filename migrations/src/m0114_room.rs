//! Room beside rows that are written again and again: a new version lies on the page of the old one, and no index is touched.
use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite writes a row anew in its place
        if manager.get_database_backend() == DatabaseBackend::Postgres {
            let room = "ALTER TABLE streams SET (fillfactor = 70); ALTER TABLE memberships SET (fillfactor = 80)";
            manager.get_connection().execute_unprepared(room).await?;
        }
        Ok(())
    }
}
