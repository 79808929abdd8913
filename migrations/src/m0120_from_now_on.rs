//! What follows from the meetings of secretaries follows from those that are held from now on.
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

/// A reaction that has no place yet would begin with the first event of all: the turn would go round with every meeting of years,
/// and each would be told of today.
const FROM_NOW_ON: &str = "INSERT INTO reaction_cursors (reaction, number) \
    SELECT 'joint.go_on', number FROM chain_heads WHERE id = 1 \
    AND NOT EXISTS (SELECT 1 FROM reaction_cursors WHERE reaction = 'joint.go_on')";
