//! What is written for every ballot (the envelope, its promise, its leaf) no longer has the database look for its vote or board.
//!
//! # Why
//! The unit of work that writes it has read the vote or the board, on the one writer, and nothing takes either away. The
//! database looked again for each row, on PostgreSQL with a plan made anew each time: more than a third of all that it did
//! while a village voted.
use sea_orm_migration::{
    prelude::*,
    sea_orm::{DatabaseBackend, Statement},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Each with the table that it refers to, and the column there.
const HOT: [(&str, &str, &str); 3] =
    [("envelopes", "votes", "id"), ("board_pending", "boards", "vote_id"), ("board_entries", "boards", "vote_id")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if manager.get_database_backend() == DatabaseBackend::Sqlite {
            return forget(db).await;
        }
        for (table, ..) in HOT {
            db.execute_unprepared(&format!("ALTER TABLE {table} DROP CONSTRAINT {table}_vote_id_fkey")).await?;
        }
        Ok(())
    }
}

/// SQLite takes a reference away by changing what it remembers of the table, not the table.
async fn forget(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let select = "SELECT schema_version FROM pragma_schema_version";
    let version = db.query_one_raw(Statement::from_string(DatabaseBackend::Sqlite, select)).await?;
    let version: i64 = version.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    db.execute_unprepared("PRAGMA writable_schema = ON").await?;
    for (table, other, column) in HOT {
        let refers = format!(", FOREIGN KEY (\"vote_id\") REFERENCES \"{other}\" (\"{column}\")");
        let forget = format!(
            "UPDATE sqlite_master SET sql = replace(sql, '{refers}', '') \
             WHERE type = 'table' AND name = '{table}' AND instr(sql, '{refers}') > 0"
        );
        if db.execute_unprepared(&forget).await?.rows_affected() != 1 {
            return Err(DbErr::Migration(format!("{table} is not what it was")));
        }
    }
    db.execute_unprepared(&format!("PRAGMA schema_version = {}", version + 1)).await?;
    db.execute_unprepared("PRAGMA writable_schema = OFF").await?;
    Ok(())
}
