//! What is kept about people, how it is found nowhere in clear, how it is taken along, put right and destroyed; how a
//! phone is claimed.
mod canary;
mod claims;
mod closing;
mod desk;
mod guests;
mod lost_keys;

use std::collections::BTreeSet;

use liusheng::privacy;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::support::TestApp;

/// Every column of the real schema is in the table of personal fields, and nothing else is.
#[tokio::test(flavor = "multi_thread")]
async fn every_column_has_an_entry_that_says_what_for() {
    let app = TestApp::start().await;
    let db = app.app.store.read();
    let select = match db.get_database_backend() {
        DbBackend::Sqlite => {
            "SELECT m.name AS t, p.name AS c FROM sqlite_master m, pragma_table_info(m.name) p \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
        }
        _ => {
            "SELECT table_name AS t, column_name AS c FROM information_schema.columns WHERE table_schema = 'public' \
             AND table_name NOT IN (SELECT relname FROM pg_class WHERE relispartition)"
        }
    };
    // what is compared with a person's id must be one
    for field in
        privacy::fields().unwrap().iter().filter(|field| ["self", "act", "about"].contains(&field.kind.as_str()))
    {
        let is_id = ["_id", "_by", "id"].iter().any(|end| field.column.ends_with(end));
        assert!(is_id, "{}.{} names no person", field.table, field.column);
    }
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), select)).await.unwrap();
    let text = |row: &sea_orm::QueryResult, name: &str| row.try_get::<String>("", name).unwrap();
    let real: BTreeSet<(String, String)> = rows.iter().map(|row| (text(row, "t"), text(row, "c"))).collect();
    assert!(real.len() > 400, "{}", real.len());
    let told: Vec<(String, String)> =
        privacy::fields().unwrap().into_iter().map(|field| (field.table, field.column)).collect();
    let known: BTreeSet<(String, String)> = told.iter().cloned().collect();
    assert_eq!(known.len(), told.len(), "a column is told twice");
    let missing: Vec<_> = real.difference(&known).collect();
    assert!(missing.is_empty(), "columns without an entry in src/privacy/fields.csv: {missing:?}");
    let stale: Vec<_> = known.difference(&real).filter(|(table, _)| table != "media_files").collect();
    assert!(stale.is_empty(), "entries without a column: {stale:?}");
    app.stop().await;
}
