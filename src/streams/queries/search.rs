//! Finding what was said, where the one who asks may read.
use std::collections::{HashMap, HashSet};

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Alias, Expr, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::{
        Stream,
        grams::{plain, to_look_for, words},
        rows::{entry, gram, stream},
        rules::{Access, SAID, StreamKind, access, chain_of_areas},
    },
    EntryView,
    entries::shown,
    list::{listed, role_in, with_member},
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
const LENGTHS: std::ops::RangeInclusive<usize> = 1..=30;

/// What to look for.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// 1 to 30 characters; blanks, case and width make no difference.
    #[schema(min_length = 1, max_length = 30)]
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

/// What the words of the one who asks are found in, newest first, 50 at most: all conversations on the own list however
/// long it is, and the channels and discussions of the own area and of those served in; save sealed ones (one's own voices
/// and letters to the office), of which there is no index. New words are found after seconds.
///
/// # Errors
/// `invalid_fields` for nothing or more than thirty characters.
pub async fn search(app: &App, actor: &Actor, input: &Search) -> Result<Vec<Found>> {
    let wanted = plain(&input.text);
    let mut checks = Checks::default();
    checks.text("text", &wanted, LENGTHS);
    checks.done()?;
    let rows = entry::Entity::find()
        .filter(places(actor, &wanted))
        .filter(entry::Column::State.eq(SAID))
        .order_by_desc(entry::Column::CreatedAt)
        .order_by_desc(entry::Column::Seq)
        .limit(LOOKED_AT)
        .all(app.store.read())
        .await?;
    let is_there = |row: &entry::Model| words(&serde_json::from_str(&row.body).unwrap_or_default()).contains(&wanted);
    let rows: Vec<entry::Model> = rows.into_iter().filter(is_there).collect();
    let titles = readable(app, actor, &rows).await?;
    let rows: Vec<_> = rows.into_iter().filter(|row| titles.contains_key(&row.stream_id)).take(SHOWN).collect();
    let of: Vec<StreamId> = rows.iter().map(|row| row.stream_id).collect();
    let title = |id: StreamId| titles.get(&id).cloned().unwrap_or_default();
    let entries = shown(app, rows).await?;
    Ok(of
        .into_iter()
        .zip(entries)
        .map(|(stream_id, entry)| Found { stream_id, stream_title: title(stream_id), entry })
        .collect())
}

/// Titles of those of their streams that the actor may read: a row in the table of places is not yet a right.
async fn readable(app: &App, actor: &Actor, rows: &[entry::Model]) -> Result<HashMap<StreamId, String>> {
    let ids: HashSet<StreamId> = rows.iter().map(|row| row.stream_id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = with_member(actor.person).filter(stream::Column::Id.is_in(ids)).all(app.store.read()).await?;
    let readable =
        found.into_iter().filter(|(row, member)| access(row, actor, role_in(member.as_ref())) != Access::None);
    Ok(readable.map(|(row, _): (Stream, _)| (row.id, row.title)).collect())
}

/// Where all of the characters stand, in what the actor may come by.
fn places(actor: &Actor, wanted: &str) -> Expr {
    let mut looked_for = to_look_for(wanted).into_iter();
    let served = actor.seats.iter().flat_map(|seat| seat.areas.iter().cloned());
    let here = chain_of_areas(&actor.area).into_iter().chain(served);
    let by_area = Condition::all()
        .add(stream::Column::Kind.is_in([StreamKind::Channel.as_str(), StreamKind::Discussion.as_str()]))
        .add(stream::Column::AreaCode.is_in(here));
    let streams = Query::select()
        .column((stream::Entity, stream::Column::Id))
        .from(stream::Entity)
        .cond_where(Condition::any().add(listed(actor)).add(by_area))
        .and_where(stream::Column::KeyId.is_null())
        .to_owned();
    let column = |column| Expr::col((gram::Entity, column));
    let mut places = Query::select();
    places
        .columns([(gram::Entity, gram::Column::StreamId), (gram::Entity, gram::Column::Seq)])
        .from(gram::Entity)
        .and_where(column(gram::Column::StreamId).in_subquery(streams))
        .and_where(column(gram::Column::Gram).eq(looked_for.next().unwrap_or_default()));
    for gram in looked_for {
        places.and_where(beside(&gram));
    }
    let entry = [entry::Column::StreamId, entry::Column::Seq].map(|column| Expr::col((entry::Entity, column)));
    Expr::tuple(entry).in_subquery(places)
}

/// These characters stand in the same entry, too.
fn beside(gram: &str) -> Expr {
    let other = Alias::new("other");
    let other_column = |column| Expr::col((other.clone(), column));
    let column = |column| Expr::col((gram::Entity, column));
    let there = Query::select()
        .expr(Expr::val(1))
        .from_as(gram::Entity, other.clone())
        .and_where(other_column(gram::Column::StreamId).eq(column(gram::Column::StreamId)))
        .and_where(other_column(gram::Column::Gram).eq(gram))
        .and_where(other_column(gram::Column::Seq).eq(column(gram::Column::Seq)))
        .to_owned();
    Expr::exists(there)
}
