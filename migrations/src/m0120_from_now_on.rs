//! What follows from meetings, and began to later than they, follows from those that are held from now on.
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

/// A reaction that has no place yet would begin with the first event of all: the turn among secretaries would go round with every
/// meeting of years, and whoever was ever signed in by somebody else would be told of it today.
const FROM_NOW_ON: &str = "INSERT INTO reaction_cursors (reaction, number) \
    SELECT n.reaction, h.number FROM chain_heads h \
    CROSS JOIN (SELECT 'joint.go_on' AS reaction UNION ALL SELECT 'meetings.tell_members') n \
    WHERE h.id = 1 AND NOT EXISTS (SELECT 1 FROM reaction_cursors c WHERE c.reaction = n.reaction)";
