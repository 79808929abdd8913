//! Lists of voices are found by indexes: what they cost does not grow with how many voices there are.
use std::sync::{Arc, Mutex};

use liusheng::{
    actor::Actor,
    bodies,
    ids::SessionId,
    suggestions::{
        self, SuggestionState, asked, by_body,
        queries::{self, Scope, SuggestionsQuery},
    },
};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::json;

use crate::{
    county::operator,
    support::{Raw, Somebody, TestApp, Village},
};

type Heard = Arc<Mutex<Vec<Statement>>>;

/// A connection that remembers what it was asked.
fn listening(raw: &Raw) -> (DatabaseConnection, Heard) {
    let (mut database, heard) = (raw.connection().clone(), Heard::default());
    let noted = Arc::clone(&heard);
    database.set_metric_callback(move |info| noted.lock().unwrap().push(info.statement.clone()));
    (database, heard)
}

/// How the database would answer, line by line.
async fn plan(raw: &Raw, asked: Statement) -> Vec<String> {
    let (explain, column) = if raw.spelled("", "yes").is_empty() { ("EXPLAIN QUERY PLAN", 3) } else { ("EXPLAIN", 0) };
    let explained = Statement { sql: format!("{explain} {}", asked.sql), ..asked };
    let rows = raw.connection().query_all_raw(explained).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(column).unwrap()).collect()
}

async fn actor(app: &TestApp, village: &Village, who: &Somebody) -> Actor {
    let seats = bodies::seats_of(app.app.store.read(), who.person, app.app.now()).await.unwrap();
    let (session, name, area) = (SessionId::new(), String::new(), village.area.clone());
    Actor { person: who.person, session, name, area, seats, phone_listed_at: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_voices_are_searched_by_an_index() {
    let (app, village) = Village::start().await;
    let (county, author) = (operator(&app).await, village.villager(&app, "00007").await);
    for visibility in ["public", "public", "handlers", "handlers", "town", "town"] {
        let voice = json!({ "kind": "help", "visibility": visibility, "text": "桥墩裂了" });
        author.post("/v1/suggestions", voice).await.ok();
    }
    app.settle().await;
    let raw = Raw::open(app.folder.path()).await;
    // of so few a database reads all there are, unless it is told not to where it can do otherwise
    raw.execute(raw.spelled("SELECT 1", "SET enable_seqscan = off")).await;
    let (database, heard) = listening(&raw);
    let mine = SuggestionsQuery { scope: Scope::Mine, state: None, cursor: None, limit: Some(1) };
    let by_author = actor(&app, &village, &author).await;
    let one = queries::list(&database, &app.app.keys, &by_author, mine).await.unwrap().items.remove(0);
    let everybody = [&author, &village.clerk, &village.member, &village.town, &county];
    for who in everybody {
        let actor = actor(&app, &village, who).await;
        for scope in [Scope::Mine, Scope::Village, Scope::Desk] {
            for state in [None, Some(SuggestionState::Submitted)] {
                let mut cursor = None;
                for _ in 0..2 {
                    let query = SuggestionsQuery { scope, state, cursor, limit: Some(1) };
                    let Ok(page) = queries::list(&database, &app.app.keys, &actor, query).await else { break };
                    cursor = page.next_cursor;
                }
            }
        }
        queries::desk_todo(&database, &actor).await.unwrap();
        queries::desk_unseen(&database, &actor).await.unwrap();
        queries::desk_to_call(&database, &actor, app.app.now()).await.unwrap();
        queries::desk_alike(&database, &actor, &one).await.unwrap();
        asked::waiting(&database, &actor).await.unwrap();
        by_body::late(&database, &actor, ("330521", app.app.now())).await.unwrap();
        by_body::late(&database, &actor, (village.area.as_str(), app.app.now())).await.unwrap();
    }
    suggestions::waiting_by_area(&database, "330521", app.app.now()).await.unwrap();
    let asked: Vec<Statement> = std::mem::take(&mut *heard.lock().unwrap());
    let of_voices: Vec<Statement> = asked.into_iter().filter(|one| one.sql.contains("FROM \"suggestions\"")).collect();
    assert!(of_voices.len() > 60, "{}", of_voices.len());
    for statement in of_voices {
        let sql = statement.sql.clone();
        let lines = plan(&raw, statement).await;
        let is_read_whole =
            |line: &String| line.starts_with("SCAN suggestions") || line.contains("Seq Scan on suggestions");
        let is_searched = |line: &String| line.starts_with("SEARCH suggestions") || line.contains("Index Cond");
        assert!(lines.iter().any(is_searched) && !lines.iter().any(is_read_whole), "{sql}\n{lines:#?}");
    }
    raw.close().await;
    app.stop().await;
}
