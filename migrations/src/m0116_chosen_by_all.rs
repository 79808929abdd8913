//! What one group or one vote for a post alone chose is no more a result by which everybody's term may end before its time.
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

/// Each vote was noted by itself, and none says whether all were elected: the next of them that stands within ninety days is noted
/// if they were. A body that was elected anew just before this step ends its term when that is over.
const OF_SOME: &str =
    "DELETE FROM body_elections WHERE vote_id NOT IN (SELECT ended_by_vote FROM terms WHERE ended_by_vote IS NOT NULL)";
