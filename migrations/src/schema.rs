//! How every step makes a table and an index, and takes a reference away.
use sea_orm_migration::{
    prelude::*,
    sea_orm::{DatabaseBackend, Statement},
};

/// Makes a table.
pub(crate) async fn create(
    manager: &SchemaManager<'_>,
    name: &'static str,
    fill: impl FnOnce(&mut TableCreateStatement),
) -> Result<(), DbErr> {
    let mut table = Table::create();
    table.table(name);
    fill(&mut table);
    manager.create_table(table).await
}

/// Makes an index named after its columns.
pub(crate) async fn index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    let mut index = Index::create();
    index.name(format!("ix_{table}_{}", columns.join("_"))).table(table);
    for column in columns {
        index.col(*column);
    }
    manager.create_index(index).await
}

/// That a column of a table points at the key of another.
pub(crate) struct Reference {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    pub(crate) other: &'static str,
    pub(crate) key: &'static str,
}

/// Takes references away that were made without a name.
pub(crate) async fn forget(manager: &SchemaManager<'_>, references: &[Reference]) -> Result<(), DbErr> {
    let db = manager.get_connection();
    if manager.get_database_backend() == DatabaseBackend::Sqlite {
        db.execute_unprepared("PRAGMA writable_schema = ON").await?;
        let forgotten = rewrite(db, references).await;
        // not even after a failure does the connection keep it
        db.execute_unprepared("PRAGMA writable_schema = OFF").await?;
        return forgotten;
    }
    for Reference { table, column, .. } in references {
        db.execute_unprepared(&format!("ALTER TABLE {table} DROP CONSTRAINT {table}_{column}_fkey")).await?;
    }
    Ok(())
}

/// SQLite takes a reference away by changing what it remembers of the table, not the table.
async fn rewrite(db: &impl ConnectionTrait, references: &[Reference]) -> Result<(), DbErr> {
    let select = "SELECT schema_version FROM pragma_schema_version";
    let version = db.query_one_raw(Statement::from_string(DatabaseBackend::Sqlite, select)).await?;
    let version: i64 = version.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    for Reference { table, column, other, key } in references {
        let refers = format!(", FOREIGN KEY (\"{column}\") REFERENCES \"{other}\" (\"{key}\")");
        let forget = format!(
            "UPDATE sqlite_master SET sql = replace(sql, '{refers}', '') \
             WHERE type = 'table' AND name = '{table}' AND instr(sql, '{refers}') > 0"
        );
        if db.execute_unprepared(&forget).await?.rows_affected() != 1 {
            return Err(DbErr::Migration(format!("{table} is not what it was")));
        }
    }
    db.execute_unprepared(&format!("PRAGMA schema_version = {}", version + 1)).await.map(drop)
}
