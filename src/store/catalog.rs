//! What tables the database has, asked of the database itself, parents before children: for a copy of everything. The parts
//! of a table are none of their own.
use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement};

use crate::error::{Error, Result};

/// The list of applied steps; it describes the others and is not one of them.
const STEPS: &str = "seaql_migrations";

/// What a column holds, whichever database keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Holds {
    Text,
    Integer,
    BigInteger,
    Boolean,
    Uuid,
    Instant,
    Day,
    Bytes,
    Real,
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub holds: Holds,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// In the order in which they were made.
    pub columns: Vec<Column>,
    /// Positions of the columns of its primary key.
    pub key: Vec<usize>,
    /// A row may point at another row of the same table: positions of the pointing and of the pointed column.
    pub own_parent: Option<(usize, usize)>,
    parents: BTreeSet<String>,
}

const SQLITE_COLUMNS: &str = "SELECT m.name, p.name, lower(p.type), CAST(p.pk AS INTEGER) \
    FROM sqlite_master m JOIN pragma_table_info(m.name) p \
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.name, p.cid";
const SQLITE_PARENTS: &str = "SELECT m.name, f.\"from\", f.\"table\", f.\"to\" \
    FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";
const POSTGRES_COLUMNS: &str = "SELECT c.relname::text, a.attname::text, t.typname::text, \
    coalesce(array_position(i.indkey::int2[], a.attnum), -1)::int8 + 1 \
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
    JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary \
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace \
    ORDER BY c.relname, a.attnum";
const POSTGRES_PARENTS: &str = "SELECT c.relname::text, a.attname::text, p.relname::text, b.attname::text \
    FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class p ON p.oid = f.confrelid \
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.conkey[1] \
    JOIN pg_attribute b ON b.attrelid = p.oid AND b.attnum = f.confkey[1] \
    WHERE f.contype = 'f' AND f.connamespace = current_schema()::regnamespace";

/// Names of all tables, whoever made them.
///
/// # Errors
/// When the database cannot be read.
pub async fn names(db: &impl ConnectionTrait) -> Result<Vec<String>> {
    let select = match db.get_database_backend() {
        DbBackend::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        }
        _ => {
            "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition \
             AND relnamespace = current_schema()::regnamespace"
        }
    };
    let mut names = Vec::new();
    for row in all(db, select).await? {
        names.push(row.try_get_by_index(0)?);
    }
    names.retain(|name| name != STEPS);
    Ok(names)
}

/// Every table, parents before children.
///
/// # Errors
/// When the database cannot be read, or has a table that this does not know how to copy.
pub async fn tables(db: &impl ConnectionTrait) -> Result<Vec<Table>> {
    let is_sqlite = db.get_database_backend() == DbBackend::Sqlite;
    let (columns, parents) =
        if is_sqlite { (SQLITE_COLUMNS, SQLITE_PARENTS) } else { (POSTGRES_COLUMNS, POSTGRES_PARENTS) };
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    let mut keys: BTreeMap<String, Vec<(i64, usize)>> = BTreeMap::new();
    for row in all(db, columns).await? {
        let (name, column, kind): (String, String, String) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        if name == STEPS {
            continue;
        }
        let place: i64 = row.try_get_by_index(3)?;
        let holds = holds(&kind).ok_or_else(|| Error::broken(format!("{name}.{column}: a copy cannot hold {kind}")))?;
        let table = tables.entry(name.clone()).or_insert_with(|| Table {
            name: name.clone(),
            columns: Vec::new(),
            key: Vec::new(),
            own_parent: None,
            parents: BTreeSet::new(),
        });
        if place > 0 {
            keys.entry(name).or_default().push((place, table.columns.len()));
        }
        table.columns.push(Column { name: column, holds });
    }
    for (name, mut key) in keys {
        key.sort_unstable();
        if let Some(table) = tables.get_mut(&name) {
            table.key = key.into_iter().map(|(_, column)| column).collect();
        }
    }
    for row in all(db, parents).await? {
        let (name, from, parent, to): (String, String, String, String) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?, row.try_get_by_index(3)?);
        let Some(table) = tables.get_mut(&name) else { continue };
        if parent == name {
            table.own_parent = table.place(&from).zip(table.place(&to));
        } else {
            table.parents.insert(parent);
        }
    }
    in_order(tables)
}

impl Table {
    /// Where a column is.
    #[must_use]
    pub fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name == column)
    }
}

/// Names of the applied steps of the schema, in order; none when there is no schema.
///
/// # Errors
/// When the database cannot be read.
pub async fn steps(db: &impl ConnectionTrait) -> Result<Vec<String>> {
    let known = if db.get_database_backend() == DbBackend::Sqlite {
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'"
    } else {
        "SELECT count(*) FROM pg_class WHERE relname = 'seaql_migrations' AND relnamespace = current_schema()::regnamespace"
    };
    let found: i64 = all(db, known).await?.first().map_or(Ok(0), |row| row.try_get_by_index(0))?;
    if found == 0 {
        return Ok(Vec::new());
    }
    let rows = all(db, "SELECT version FROM seaql_migrations ORDER BY version").await?;
    Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<std::result::Result<_, _>>()?)
}

async fn all(db: &impl ConnectionTrait, select: &str) -> Result<Vec<QueryResult>> {
    Ok(db.query_all_raw(Statement::from_string(db.get_database_backend(), select)).await?)
}

/// SQLite keeps the words of the `CREATE TABLE`, PostgreSQL has types.
fn holds(kind: &str) -> Option<Holds> {
    let word = kind.split(['(', ' ']).next().unwrap_or_default();
    Some(match word {
        "text" | "varchar" | "char" | "bpchar" | "enum_text" => Holds::Text,
        "int4" | "int2" => Holds::Integer,
        // SQLite has one whole number
        "integer" | "bigint" | "smallint" | "tinyint" | "int8" => Holds::BigInteger,
        "boolean" | "bool" => Holds::Boolean,
        "uuid" | "uuid_text" => Holds::Uuid,
        "timestamptz" | "timestamp_with_timezone_text" => Holds::Instant,
        "date" | "date_text" => Holds::Day,
        "blob" | "varbinary_blob" | "bytea" => Holds::Bytes,
        "float8" | "double" | "real" => Holds::Real,
        _ => return None,
    })
}

fn in_order(mut left: BTreeMap<String, Table>) -> Result<Vec<Table>> {
    let mut done = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let free = left.values().find(|table| table.parents.iter().all(|parent| !left.contains_key(parent)));
        let name = free.map(|table| table.name.clone()).ok_or_else(|| Error::broken("tables point at each other"))?;
        done.extend(left.remove(&name));
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, parents: &[&str]) -> (String, Table) {
        let parents = parents.iter().map(|parent| (*parent).to_owned()).collect();
        (name.into(), Table { name: name.into(), columns: vec![], key: vec![], own_parent: None, parents })
    }

    #[test]
    fn parents_come_first_and_a_ring_is_refused() {
        let tables = [table("a", &["b"]), table("b", &["c"]), table("c", &[]), table("d", &["a", "c"])];
        let names: Vec<String> = in_order(tables.into()).unwrap().into_iter().map(|table| table.name).collect();
        assert_eq!(names, ["c", "b", "a", "d"]);
        assert!(in_order([table("a", &["b"]), table("b", &["a"])].into()).is_err());
    }

    #[test]
    fn both_databases_words_are_known() {
        for (word, wanted) in [
            ("varchar", Holds::Text),
            ("varchar(40)", Holds::Text),
            ("integer", Holds::BigInteger),
            ("int4", Holds::Integer),
            ("uuid_text", Holds::Uuid),
            ("timestamptz", Holds::Instant),
        ] {
            assert_eq!(holds(word), Some(wanted), "{word}");
        }
        assert_eq!(holds("jsonb"), None);
    }
}
