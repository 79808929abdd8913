//! What one group alone chose is no more a result by which the term of all representatives may end before its time.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(OF_SOME).await?;
        Ok(())
    }
}

const OF_SOME: &str = "DELETE FROM body_elections \
    WHERE body_id IN (SELECT id FROM bodies WHERE kind = 'representatives') \
    AND vote_id NOT IN (SELECT ended_by_vote FROM terms WHERE ended_by_vote IS NOT NULL)";
