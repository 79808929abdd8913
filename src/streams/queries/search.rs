//! Finding what was said, in the conversations of the one who asks.
use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Alias, Expr, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::{
        grams::{grams, plain, words},
        rows::{entry, gram},
        rules::SAID,
    },
    EntryView,
    entries::shown,
    own,
};
use crate::{
    actor::Actor,
    app::App,
    error::{Checks, Result},
    ids::StreamId,
};

/// Found entries shown at most.
const SHOWN: usize = 50;
/// Looked at to find them.
const LOOKED_AT: u64 = 200;
const LENGTHS: std::ops::RangeInclusive<usize> = 2..=30;

/// What to look for.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// 2 to 30 characters; blanks, case and width make no difference.
    #[schema(min_length = 2, max_length = 30)]
    pub text: String,
}

/// Something that was found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Found {
    /// Where it stands.
    pub stream_id: StreamId,
    /// The title of that conversation.
    pub stream_title: String,
    /// The entry.
    pub entry: EntryView,
}

/// What the words of the one who asks are found in, newest first, 50 at most: the conversations on the own list, save
/// sealed ones (one's own voices and letters to the office), of which there is no index. New words are found after seconds.
///
/// # Errors
/// `invalid_fields` for less than two characters or more than thirty.
pub async fn search(app: &App, actor: &Actor, input: &Search) -> Result<Vec<Found>> {
    let wanted = plain(&input.text);
    let mut checks = Checks::default();
    checks.text("text", &wanted, LENGTHS);
    checks.done()?;
    let db = app.store.read();
    let titles: HashMap<StreamId, String> = own(db, actor)
        .await?
        .into_iter()
        .filter(|(stream, _)| stream.key_id.is_none())
        .map(|(stream, _)| (stream.id, stream.title))
        .collect();
    let rows = entry::Entity::find()
        .filter(entry::Column::StreamId.is_in(titles.keys().copied()))
        .filter(entry::Column::State.eq(SAID))
        .filter(grams(&wanted).iter().fold(Condition::all(), |all, two| all.add(holds(two))))
        .order_by_desc(entry::Column::CreatedAt)
        .order_by_desc(entry::Column::Seq)
        .limit(LOOKED_AT)
        .all(db)
        .await?;
    let is_there = |row: &entry::Model| words(&serde_json::from_str(&row.body).unwrap_or_default()).contains(&wanted);
    let rows: Vec<entry::Model> = rows.into_iter().filter(is_there).take(SHOWN).collect();
    let order: HashMap<(StreamId, i64), usize> =
        rows.iter().enumerate().map(|(place, row)| ((row.stream_id, row.seq), place)).collect();
    let mut by_stream: HashMap<StreamId, Vec<entry::Model>> = HashMap::new();
    for row in rows {
        by_stream.entry(row.stream_id).or_default().push(row);
    }
    let mut found = Vec::new();
    for (stream_id, rows) in by_stream {
        let stream_title = titles.get(&stream_id).cloned().unwrap_or_default();
        let entries = shown(app, stream_id, rows).await?;
        found.extend(entries.into_iter().map(|entry| Found { stream_id, stream_title: stream_title.clone(), entry }));
    }
    found.sort_by_key(|one| order.get(&(one.stream_id, one.entry.seq)).copied());
    Ok(found)
}

/// An entry in which these two characters follow one another.
fn holds(two: &str) -> Expr {
    let column = |name: &'static str| Expr::col((Alias::new("entries"), Alias::new(name)));
    let there = Query::select()
        .expr(Expr::val(1))
        .from(gram::Entity)
        .and_where(Expr::col((gram::Entity, gram::Column::StreamId)).eq(column("stream_id")))
        .and_where(Expr::col((gram::Entity, gram::Column::Gram)).eq(two))
        .and_where(Expr::col((gram::Entity, gram::Column::Seq)).eq(column("seq")))
        .to_owned();
    Expr::exists(there)
}
