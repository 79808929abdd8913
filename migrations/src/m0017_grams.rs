//! Finding words in conversations, and pins.
use sea_orm_migration::{prelude::*, schema::*};

use crate::schema::create;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, "grams", |table| {
            table
                .col(uuid("stream_id"))
                .col(string("gram"))
                .col(big_integer("seq"))
                .primary_key(Index::create().col("stream_id").col("gram").col("seq"))
                .foreign_key(ForeignKey::create().from("grams", "stream_id").to("streams", "id"));
        })
        .await?;
        create(manager, "grams_due", |table| {
            table
                .col(uuid("stream_id"))
                .col(big_integer("seq"))
                .primary_key(Index::create().col("stream_id").col("seq"))
                .foreign_key(ForeignKey::create().from("grams_due", "stream_id").to("streams", "id"));
        })
        .await?;
        let db = manager.get_connection();
        // what was said before this step
        db.execute_unprepared(
            "INSERT INTO grams_due (stream_id, seq) SELECT e.stream_id, e.seq FROM entries e \
             JOIN streams s ON s.id = e.stream_id \
             WHERE s.key_id IS NULL AND e.kind IN ('message', 'card', 'chain') AND e.state = 'said'",
        )
        .await?;
        db.execute_unprepared("CREATE INDEX ix_entries_pinned ON entries (stream_id) WHERE is_pinned = TRUE").await?;
        Ok(())
    }
}
