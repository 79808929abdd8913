//! Accounts of WeChat are let go when their owner signs out everywhere from now on, not for what was done years ago.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(FROM_NOW_ON).await.map(drop)
    }
}

/// As for those that began before it (`m0120_from_now_on`).
const FROM_NOW_ON: &str = "INSERT INTO reaction_cursors (reaction, number) \
    SELECT 'wechat.let_go', h.number FROM chain_heads h WHERE h.id = 1 \
    AND NOT EXISTS (SELECT 1 FROM reaction_cursors c WHERE c.reaction = 'wechat.let_go')";
