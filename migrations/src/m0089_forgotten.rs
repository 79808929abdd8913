//! In which second a sealed ballot came is forgotten of the votes that had their result before it was forgotten with the result.
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in [TIMES, HEADS, LINKS] {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

const TIMES: &str = "UPDATE board_envelopes SET accepted = '' WHERE EXISTS \
    (SELECT 1 FROM boards b WHERE b.vote_id = board_envelopes.vote_id AND b.result IS NOT NULL)";
/// The first stays, the last of each day, and the last three: those that archives show.
const HEADS: &str = "DELETE FROM board_heads WHERE EXISTS \
    (SELECT 1 FROM boards b WHERE b.vote_id = board_heads.vote_id AND b.result IS NOT NULL) \
    AND size > (SELECT min(h.size) FROM board_heads h WHERE h.vote_id = board_heads.vote_id) \
    AND size < (SELECT h.size FROM board_heads h WHERE h.vote_id = board_heads.vote_id \
    ORDER BY h.size DESC LIMIT 1 OFFSET 2) \
    AND EXISTS (SELECT 1 FROM board_heads h WHERE h.vote_id = board_heads.vote_id AND h.size > board_heads.size \
    AND substr(h.signed_at, 1, 10) = substr(board_heads.signed_at, 1, 10))";
/// They leave the files, too.
const LINKS: &str = "UPDATE votes SET links_left = TRUE WHERE secrecy = 'secret' AND EXISTS \
    (SELECT 1 FROM boards b WHERE b.vote_id = votes.id AND b.result IS NOT NULL)";
