//! Everything that is kept about somebody, for taking along: found by the table of fields, so that nothing is forgotten. That
//! somebody else spoke of them to an office (`about`) is neither shown nor counted: it would say that, and who.
use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ConnectionTrait, QueryResult,
    sea_query::{Alias, Expr, ExprTrait, Func, Query},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    corrections, queries,
    rules::{FieldRule, VERSION, fields},
};
use crate::{
    actor::Actor,
    app::App,
    clock,
    error::{Error, Result},
    ids::PersonId,
    legal::mediations::{self, MediationView},
    moderation,
    page::PageQuery,
    people,
    streams::queries::{Span, entries},
    suggestions::queries::{Scope, SuggestionsQuery, list, open},
};

/// Rows of one table.
const MAX_ROWS: u64 = 10_000;
/// Entries of one thread.
const MAX_ENTRIES: u64 = 1_000;
/// A row in which this column names somebody is about that person.
const SELF: &str = "self";
/// Somebody did something for others: counted, because the rest of the row is about others.
const ACT: &str = "act";

/// Everything about the actor. What is kept sealed comes opened; what is kept as a digest says nothing and is left out.
///
/// # Errors
/// When the database cannot be read.
pub async fn export(app: &App, actor: &Actor) -> Result<Value> {
    let db = app.store.read();
    let page = PageQuery { cursor: None, limit: Some(100) };
    let phone = people::phone_of(db, &app.keys, actor.person).await?;
    let (rows, acted) = rows(db, actor.person).await?;
    Ok(json!({
        "made_at": clock::local(app.now()),
        "version": VERSION,
        "me": people::queries::me(app, actor.clone()).await?,
        "phone": phone,
        "log_ins": people::queries::sessions_of(app, actor, &page).await?.items,
        "consents": queries::consents(db, actor.person).await?,
        "closing": queries::closing(db, actor.person).await?,
        "corrections": corrections::of_person(app, actor).await?,
        "voices": voices(app, actor).await?,
        "mediations": own_mediations(app, actor).await?,
        "held": moderation::queries::own(app, actor, None).await?,
        "ballots": ballots(db, actor.person).await?,
        "rows": rows,
        "done_for_others": acted,
    }))
}

async fn own_mediations(app: &App, actor: &Actor) -> Result<Vec<MediationView>> {
    let db = app.store.read();
    let mut own = Vec::new();
    for one in mediations::of_party(db, &app.keys, actor).await? {
        own.push(mediations::read(db, &app.keys, actor, one.id).await?);
    }
    Ok(own)
}

async fn voices(app: &App, actor: &Actor) -> Result<Vec<Value>> {
    let (mut voices, mut cursor) = (Vec::new(), None);
    loop {
        let query = SuggestionsQuery { scope: Scope::Mine, state: None, cursor, limit: Some(100) };
        let page = list(app.store.read(), &app.keys, actor, query).await?;
        for one in page.items {
            let voice = open(app, actor, one.id).await?;
            let thread = match voice.stream_id {
                Some(stream) => entries(app, stream, Span::After(0), MAX_ENTRIES).await?,
                None => Vec::new(),
            };
            voices.push(json!({ "voice": voice, "thread": thread }));
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(voices);
        }
    }
}

type Tables = BTreeMap<String, Vec<Value>>;

async fn rows(db: &impl ConnectionTrait, person: PersonId) -> Result<(Tables, BTreeMap<String, i64>)> {
    let (mut tables, mut acted) = (Tables::new(), BTreeMap::new());
    let all = fields().map_err(Error::broken)?;
    for field in all.iter().filter(|field| field.kind == SELF) {
        let of_table = all.iter().filter(|other| other.table == field.table && other.kept == "clear");
        let of_table = of_table.filter(|other| !is_kept_back(other));
        let found = about(db, field, of_table.map(|other| other.column.as_str()).collect(), person).await?;
        tables.entry(field.table.clone()).or_default().extend(found);
    }
    for field in all.iter().filter(|field| field.kind == ACT) {
        let count = count(db, field, person).await?;
        if count > 0 {
            acted.insert(format!("{}.{}", field.table, field.column), count);
        }
    }
    Ok((tables, acted))
}

async fn about(
    db: &impl ConnectionTrait,
    field: &FieldRule,
    columns: Vec<&str>,
    person: PersonId,
) -> Result<Vec<Value>> {
    let select = Query::select()
        .columns(columns.iter().map(|column| Alias::new(*column)))
        .from(Alias::new(&field.table))
        .and_where(names(field, person))
        .limit(MAX_ROWS)
        .to_owned();
    let found = db.query_all_raw(db.get_database_backend().build(&select)).await?;
    let row = |found: &QueryResult| {
        let cells = columns.iter().filter_map(|column| Some(((*column).to_owned(), cell(found, column)?)));
        Value::Object(cells.collect::<Map<_, _>>())
    };
    Ok(found.iter().map(row).collect())
}

/// Who recommended somebody for a council is not told to whom that is about.
fn is_kept_back(field: &FieldRule) -> bool {
    field.table == "recommendations" && field.column == "recommended_by"
}

/// The field names this person. As text where it may name something else: the subject of an event, the target of a message.
fn names(field: &FieldRule, person: PersonId) -> Expr {
    let who = Expr::col(Alias::new(&field.column));
    if ["subject_id", "target_id"].contains(&field.column.as_str()) {
        who.eq(person.to_string())
    } else {
        who.eq(person.0)
    }
}

async fn count(db: &impl ConnectionTrait, field: &FieldRule, person: PersonId) -> Result<i64> {
    let select = Query::select()
        .expr_as(Func::count(Expr::col(Alias::new(&field.column))), Alias::new("n"))
        .from(Alias::new(&field.table))
        .and_where(names(field, person))
        .to_owned();
    let row = db.query_one_raw(db.get_database_backend().build(&select)).await?;
    Ok(row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default())
}

/// A value by the habits of the schema: ids and times are named as such. `None` for NULL.
fn cell(row: &QueryResult, column: &str) -> Option<Value> {
    let is = |endings: &[&str]| endings.iter().any(|ending| column.ends_with(ending));
    if column == "id" || is(&["_id", "_by"]) {
        let id: Option<Uuid> = row.try_get("", column).ok();
        if let Some(id) = id {
            return Some(json!(id));
        }
    }
    if column == "at" || is(&["_at"]) {
        return row.try_get::<DateTime<Utc>>("", column).ok().map(|at| json!(clock::local(at)));
    }
    if column == "day" || is(&["_on", "_date"]) {
        return row.try_get::<NaiveDate>("", column).ok().map(|day| json!(day));
    }
    let text = row.try_get::<String>("", column).ok().map(Value::from);
    let number = || row.try_get::<i64>("", column).ok().map(Value::from);
    let small = || row.try_get::<i32>("", column).ok().map(Value::from);
    let is_so = || row.try_get::<bool>("", column).ok().map(Value::from);
    // SQLite would take any number for a yes or no
    if is_flag(column) { is_so() } else { text.or_else(number).or_else(small) }
}

/// A yes or no, by the habits of the schema.
fn is_flag(column: &str) -> bool {
    column.starts_with("is_") || ["lives_here", "must_read"].contains(&column)
}

/// Own ballots that everybody may read at the end; a secret one tells nothing here either.
async fn ballots(db: &impl ConnectionTrait, person: PersonId) -> Result<Vec<Value>> {
    let column = |table: &'static str, column: &'static str| Expr::col((Alias::new(table), Alias::new(column)));
    let select = Query::select()
        .expr(column("envelopes", "vote_id"))
        .expr(column("envelopes", "choice"))
        .expr(column("envelopes", "cast_at"))
        .from(Alias::new("envelopes"))
        .inner_join(
            Alias::new("roll_entries"),
            column("roll_entries", "vote_id")
                .equals((Alias::new("envelopes"), Alias::new("vote_id")))
                .and(column("roll_entries", "number").equals((Alias::new("envelopes"), Alias::new("elector_number")))),
        )
        .and_where(column("roll_entries", "person_id").eq(person.0))
        .and_where(column("envelopes", "choice").is_not_null())
        .limit(MAX_ROWS)
        .to_owned();
    let found = db.query_all_raw(db.get_database_backend().build(&select)).await?;
    let row = |found: &QueryResult| {
        let cells = ["vote_id", "choice", "cast_at"].into_iter();
        Value::Object(cells.filter_map(|name| Some((name.to_owned(), cell(found, name)?))).collect::<Map<_, _>>())
    };
    Ok(found.iter().map(row).collect())
}
