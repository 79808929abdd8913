//! Rolls, ballots and heads of votes that are over lie apart: what is written anew when a secret vote closes is what still runs.
use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

use crate::schema::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["board_heads", "envelopes", "roll_entries"] {
            let column = ColumnDef::new("is_over").boolean().not_null().default(false).to_owned();
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
            let over = format!(
                "UPDATE {table} SET is_over = TRUE \
                 WHERE vote_id IN (SELECT id FROM votes WHERE state IN ('closed', 'annulled'))"
            );
            manager.get_connection().execute_unprepared(&over).await?;
        }
        if manager.get_database_backend() == DatabaseBackend::Postgres {
            part(manager, "board_heads", "vote_id, size", HEADS).await?;
            part(manager, "envelopes", "vote_id, elector_number, rev", ENVELOPES).await?;
            part(manager, "roll_entries", "vote_id, number", ROLLS).await?;
            index(manager, "roll_entries", &["person_id"]).await?;
        }
        Ok(())
    }
}

/// The keys as they were, each with the column that says which part a row is of.
const HEADS: &str = "ADD PRIMARY KEY (vote_id, size, is_over), ADD FOREIGN KEY (vote_id) REFERENCES boards (vote_id)";
const ENVELOPES: &str = "ADD PRIMARY KEY (vote_id, cast_id, is_over), \
    ADD CONSTRAINT uq_envelopes_vote_id_elector_number_rev UNIQUE (vote_id, elector_number, rev, is_over), \
    ADD FOREIGN KEY (vote_id) REFERENCES votes (id)";
const ROLLS: &str = "ADD PRIMARY KEY (vote_id, number, is_over), \
    ADD CONSTRAINT uq_roll_entries_vote_id_person_id UNIQUE (vote_id, person_id, is_over), \
    ADD FOREIGN KEY (vote_id) REFERENCES votes (id), ADD FOREIGN KEY (person_id) REFERENCES people (id)";

/// Two files under the one name. All rows are copied, because the old file holds what was changed in them, too, and in an order
/// that says nothing.
async fn part(manager: &SchemaManager<'_>, table: &str, order: &str, keys: &str) -> Result<(), DbErr> {
    for statement in [
        format!("ALTER TABLE {table} RENAME TO {table}_whole"),
        format!("CREATE TABLE {table} (LIKE {table}_whole INCLUDING DEFAULTS) PARTITION BY LIST (is_over)"),
        format!("CREATE TABLE {table}_running PARTITION OF {table} FOR VALUES IN (FALSE)"),
        format!("CREATE TABLE {table}_over PARTITION OF {table} FOR VALUES IN (TRUE)"),
        format!("INSERT INTO {table} SELECT * FROM {table}_whole ORDER BY {order}"),
        format!("DROP TABLE {table}_whole"),
        format!("ALTER TABLE {table} {keys}"),
    ] {
        manager.get_connection().execute_unprepared(&statement).await?;
    }
    Ok(())
}
