//! What waits for somebody who looks is found by an index.
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
        index(manager, "suggestions", &["body_id", "hiding", "created_at"]).await?;
        index(manager, "suggestion_hidings", &["ended_at", "hidden_by"]).await
    }
}
