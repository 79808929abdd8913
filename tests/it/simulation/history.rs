//! A stream as it was, kept beside the tables and put back as a restore does.
use liusheng::{ids::StreamId, streams};
use sea_orm::ConnectionTrait;

use crate::support::TestApp;

/// Parents first.
const TABLES: [&str; 4] = ["memberships", "entries", "chains", "chain_rows"];

/// Rows of one stream.
pub(crate) struct Kept {
    stream: StreamId,
    name: String,
}

impl Kept {
    pub(crate) async fn keep(app: &TestApp, stream: &str) -> Self {
        let stream: StreamId = stream.parse().unwrap();
        let kept = Self { stream, name: format!("kept_{}", stream.0.simple()) };
        // of a stream that was kept before
        let old = TABLES.iter().chain(&["streams", "epochs"]);
        let mut statements: Vec<_> = old.map(|table| format!("DROP TABLE IF EXISTS {}_{table}", kept.name)).collect();
        statements.push(format!(
            "CREATE TABLE {}_streams AS SELECT * FROM streams WHERE id = {}",
            kept.name,
            kept.id(app)
        ));
        for table in TABLES {
            let rows = format!("SELECT * FROM {table} WHERE stream_id = {}", kept.id(app));
            statements.push(format!("CREATE TABLE {}_{table} AS {rows}", kept.name));
        }
        run(app, statements, Vec::new()).await;
        kept
    }

    /// Everything since is gone. The epoch is begun by what a restore calls; other streams were not restored and keep
    /// theirs.
    pub(crate) async fn put_back(&self, app: &TestApp, bumps_epoch: bool) {
        let (id, name) = (self.id(app), &self.name);
        let mut statements = vec![format!("CREATE TABLE {name}_epochs AS SELECT id, epoch FROM streams")];
        let gone = TABLES.iter().rev().map(|table| format!("DELETE FROM {table} WHERE stream_id = {id}"));
        statements.extend(gone);
        statements.extend(TABLES.map(|table| format!("INSERT INTO {table} SELECT * FROM {name}_{table}")));
        for column in ["last_seq", "last_no", "last_at", "last_preview", "last_all_seq"] {
            let before = format!("(SELECT {column} FROM {name}_streams)");
            statements.push(format!("UPDATE streams SET {column} = {before} WHERE id = {id}"));
        }
        let before = format!("(SELECT k.epoch FROM {name}_epochs k WHERE k.id = streams.id)");
        let others = format!("UPDATE streams SET epoch = {before} WHERE id <> {id}");
        run(app, statements, if bumps_epoch { vec![others] } else { Vec::new() }).await;
    }

    fn id(&self, app: &TestApp) -> String {
        match app.folder.is_sqlite() {
            true => format!("X'{}'", self.stream.0.simple()),
            false => format!("'{}'", self.stream.0),
        }
    }
}

/// All of it in one unit; what comes `after` follows a new epoch of all streams.
async fn run(app: &TestApp, statements: Vec<String>, after: Vec<String>) {
    let done = app.app.store.write(move |tx| {
        Box::pin(async move {
            for statement in statements {
                tx.execute_unprepared(&statement).await?;
            }
            if !after.is_empty() {
                streams::begin_epoch(tx, 0).await?;
            }
            for statement in after {
                tx.execute_unprepared(&statement).await?;
            }
            Ok(())
        })
    });
    done.await.unwrap();
}
