//! What is due to many at the same minute is offered in the order of an index, however many there are.
use sea_orm_migration::prelude::*;

use crate::schema::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        index(manager, "deliveries", &["channel", "state", "due_at", "id"]).await?;
        manager.get_connection().execute_unprepared("DROP INDEX ix_deliveries_channel_state_due_at").await.map(drop)
    }
}
