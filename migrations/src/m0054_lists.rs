//! What keeps lists of voices as quick among hundreds of thousands as among a few: what is due, what lies on a desk, what was
//! left in a period.
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
        index(manager, "suggestions", &["state", "answer_due_at"]).await?;
        index(manager, "suggestions", &["body_id", "created_at"]).await?;
        index(manager, "suggestions", &["created_at"]).await
    }
}
