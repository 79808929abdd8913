//! Lists of voices: one's own, the village's public ones, those on one's desk.
use std::{cmp::Reverse, collections::HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, Order, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, sea_query::Expr,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{Shown, SuggestionSummary, summaries};
use crate::{
    actor::Actor,
    error::{Code, Result},
    ids::{BodyId, PersonId, SuggestionId},
    keys::Keys,
    page::{Cursor, Page, PageQuery},
    people, streams,
    suggestions::{
        Suggestion, about,
        rows::{answer, hiding, reading, suggestion},
        rules::{self, HidingState, SuggestionState, Visibility},
        words,
    },
};

/// Rows on a desk's list of what is to be done.
pub const DESK_TODO: u64 = 50;
/// Voices that are offered for the same answer.
const ALIKE: u64 = 20;
/// Whoever was not called back after this time is not any more.
const CALLED_WITHIN: TimeDelta = TimeDelta::days(90);

/// Whose voices are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One's own.
    Mine,
    /// The public ones of one's village.
    Village,
    /// Those one handles.
    Desk,
}

/// Which voices are listed.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SuggestionsQuery {
    /// mine, village, desk.
    #[param(inline)]
    pub scope: Scope,
    /// Only those in this state.
    pub state: Option<SuggestionState>,
    /// The `next_cursor` of the page before; absent for the first.
    pub cursor: Option<String>,
    /// Rows wanted, 1 to 100; 20 when absent.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u64>,
}

/// A page of voices, newest first.
///
/// # Errors
/// `not_allowed` for a desk that the actor does not have; `invalid_cursor`.
pub async fn list(
    db: &impl ConnectionTrait,
    keys: &Keys,
    actor: &Actor,
    query: SuggestionsQuery,
) -> Result<Page<SuggestionSummary>> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let (limit, after) = (page.limit()?, page.after()?);
    let (places, shown) = match query.scope {
        Scope::Mine => (vec![Condition::all().add(suggestion::Column::AuthorId.eq(actor.person))], Shown::All),
        Scope::Village => (vec![public_of(&actor.area)], Shown::PublicOnly),
        Scope::Desk => (on_desk(actor), Shown::PublicOnly),
    };
    if places.is_empty() {
        return Err(Code::NotAllowed.into());
    }
    let mut rows = Vec::new();
    for place in places {
        let mut found = suggestion::Entity::find().filter(place);
        if let Some(state) = query.state {
            found = found.filter(suggestion::Column::State.eq(state));
        }
        if let Some(Cursor { at, id }) = after {
            let same = suggestion::Column::CreatedAt.eq(at).and(suggestion::Column::Id.lt(id));
            found = found.filter(suggestion::Column::CreatedAt.lt(at).or(same));
        }
        let newest = found.order_by_desc(suggestion::Column::CreatedAt).order_by_desc(suggestion::Column::Id);
        rows.extend(newest.limit(limit + 1).all(db).await?);
    }
    rows.sort_by_key(|row| Reverse((row.created_at, row.id.0)));
    let page = Page::cut(rows, limit, |row| Cursor { at: row.created_at, id: row.id.0 }, |row| row);
    let rows = if shown == Shown::All { words::open(db, keys, page.items).await? } else { page.items };
    Ok(Page { items: summaries(db, rows, shown).await?, next_cursor: page.next_cursor })
}

pub(in crate::suggestions) fn public_of(area: &str) -> Condition {
    Condition::all()
        .add(suggestion::Column::AreaCode.eq(area))
        .add(suggestion::Column::Visibility.eq(Visibility::Public))
        .add(suggestion::Column::Hiding.is_null().or(suggestion::Column::HidesOnlyMedia.eq(true)))
}

/// There is something that the actor may handle.
///
/// # Errors
/// `not_allowed` without a desk.
pub(in crate::suggestions) fn require_desk(actor: &Actor) -> Result<()> {
    if on_desk(actor).is_empty() { Err(Code::NotAllowed.into()) } else { Ok(()) }
}

/// What the actor handles, for each body apart: by a right of the body responsible, or because it was given to the actor;
/// nothing that is about the actor, and nothing that its author had erased. Apart, because each is then read in the order of an
/// index and no further than it is shown, however many voices there are.
fn on_desk(actor: &Actor) -> Vec<Condition> {
    use suggestion::Column as C;
    let (of_village, of_town) = rules::desk_bodies(actor);
    let opening = actor.seats.iter().filter(|seat| streams::opens(&seat.body_kind, &seat.role));
    let opening: Vec<BodyId> = opening.map(|seat| seat.body_id).collect();
    let mut bodies: Vec<BodyId> = actor.seats.iter().map(|seat| seat.body_id).collect();
    bodies.sort_unstable_by_key(|body| body.0);
    bodies.dedup();
    let of = |body: BodyId| {
        let mut handled = Condition::any().add(C::AssigneeId.eq(actor.person));
        if of_village.contains(&body) {
            handled = handled.add(C::Visibility.ne(Visibility::Town));
        }
        if of_town.contains(&body) {
            handled = handled.add(C::Visibility.eq(Visibility::Town));
        }
        if opening.contains(&body) {
            handled = handled.add(C::Level.gt(0).or(C::Handed.gt(0)));
        }
        let all = Condition::all().add(C::BodyId.eq(body)).add(handled);
        all.add(about::not_about(actor)).add(words::is_kept())
    };
    bodies.into_iter().map(of).collect()
}

/// What waits on the actor's desk, the most urgent first, 50 at most. Empty without a desk.
///
/// # Errors
/// When the database cannot be read.
pub async fn desk_todo(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<SuggestionSummary>> {
    let is_submitted = suggestion::Column::State.eq(SuggestionState::Submitted);
    let deadline: Expr = Expr::case(is_submitted, Expr::col(suggestion::Column::AcceptDueAt))
        .finally(Expr::col(suggestion::Column::AnswerDueAt))
        .into();
    let mut rows: Vec<Suggestion> = Vec::new();
    for desk in on_desk(actor) {
        let waiting = suggestion::Entity::find()
            .filter(desk)
            .filter(suggestion::Column::State.is_in([SuggestionState::Submitted, SuggestionState::Accepted]))
            .order_by(deadline.clone(), Order::Asc)
            .limit(DESK_TODO);
        rows.extend(waiting.all(db).await?);
    }
    rows.sort_by_key(|row| match row.state {
        SuggestionState::Submitted => row.accept_due_at,
        _ => row.answer_due_at,
    });
    rows.truncate(usize::try_from(DESK_TODO).unwrap_or(usize::MAX));
    summaries(db, rows, Shown::PublicOnly).await
}

/// Public voices on the actor's desk that wait, or of which photos and clip wait, for somebody who looks, the oldest first, 50 at
/// most. Answered ones, too: no deadline reminds of these any more.
///
/// # Errors
/// When the database cannot be read.
pub async fn desk_unseen(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<SuggestionSummary>> {
    let unseen = hiding::Entity::find()
        .select_only()
        .column(hiding::Column::SuggestionId)
        .filter(hiding::Column::EndedAt.is_null())
        .filter(hiding::Column::HiddenBy.is_null())
        .into_query();
    let mut rows: Vec<Suggestion> = Vec::new();
    for desk in on_desk(actor) {
        let waiting = suggestion::Entity::find()
            .filter(desk)
            .filter(suggestion::Column::Hiding.eq(HidingState::Hidden))
            .filter(suggestion::Column::Id.in_subquery(unseen.clone()))
            .order_by_asc(suggestion::Column::CreatedAt)
            .limit(DESK_TODO);
        rows.extend(waiting.all(db).await?);
    }
    rows.sort_by_key(|row| row.created_at);
    rows.truncate(usize::try_from(DESK_TODO).unwrap_or(usize::MAX));
    summaries(db, rows, Shown::PublicOnly).await
}

/// Answered voices on the actor's desk that were taken down for somebody else, of whom nobody knows yet whether the answer helped;
/// of the last 90 days, the oldest first, 50 at most. Not those that the actor took down, or answered last: another asks.
///
/// # Errors
/// When the database cannot be read.
pub async fn desk_to_call(
    db: &impl ConnectionTrait,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Vec<SuggestionSummary>> {
    let mut rows: Vec<Suggestion> = Vec::new();
    for desk in on_desk(actor) {
        let waiting = suggestion::Entity::find()
            .filter(desk)
            .filter(suggestion::Column::State.eq(SuggestionState::Answered))
            .filter(suggestion::Column::CreatedAt.gte(now - CALLED_WITHIN))
            .filter(suggestion::Column::TakenBy.ne(actor.person))
            .order_by_asc(suggestion::Column::CreatedAt)
            .limit(DESK_TODO);
        rows.extend(waiting.all(db).await?);
    }
    let answered = answered_by(db, rows.iter().map(|row| row.id).collect()).await?;
    rows.retain(|row| answered.get(&row.id) != Some(&actor.person));
    rows.sort_by_key(|row| row.created_at);
    rows.truncate(usize::try_from(DESK_TODO).unwrap_or(usize::MAX));
    summaries(db, rows, Shown::PublicOnly).await
}

/// Other voices of the same body about the same kind of thing that wait on the actor's desk, and that the actor has read or
/// everybody may: they can get the same answer. The most urgent first, 20 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn desk_alike(
    db: &impl ConnectionTrait,
    actor: &Actor,
    of: &SuggestionSummary,
) -> Result<Vec<SuggestionSummary>> {
    let own = (reading::Entity, reading::Column::SuggestionId);
    let opened = reading::Entity::find()
        .select_only()
        .column(reading::Column::SuggestionId)
        .filter(reading::Column::PersonId.eq(actor.person))
        .filter(Expr::col(own).equals((suggestion::Entity, suggestion::Column::Id)))
        .into_query();
    let is_read = Condition::any()
        .add(suggestion::Column::Visibility.eq(Visibility::Public))
        .add(suggestion::Column::Id.in_subquery(opened));
    let mut rows: Vec<Suggestion> = Vec::new();
    for desk in on_desk(actor) {
        let waiting = suggestion::Entity::find()
            .filter(desk)
            .filter(is_read.clone())
            .filter(suggestion::Column::BodyId.eq(of.body_id))
            .filter(suggestion::Column::Category.eq(of.category))
            .filter(suggestion::Column::Id.ne(of.id))
            .filter(suggestion::Column::AuthorId.ne(actor.person))
            .filter(suggestion::Column::State.is_in([SuggestionState::Submitted, SuggestionState::Accepted]))
            // not by when it was left: a database would go through all that ever was
            .order_by_asc(suggestion::Column::AnswerDueAt)
            .limit(ALIKE);
        rows.extend(waiting.all(db).await?);
    }
    summaries(db, rows, Shown::PublicOnly).await
}

/// Who answered each of these last.
async fn answered_by(db: &impl ConnectionTrait, ids: Vec<SuggestionId>) -> Result<HashMap<SuggestionId, PersonId>> {
    let answers = answer::Entity::find()
        .select_only()
        .columns([answer::Column::SuggestionId, answer::Column::PersonId])
        .filter(answer::Column::SuggestionId.is_in(ids))
        .order_by_asc(answer::Column::CreatedAt)
        .order_by_asc(answer::Column::Id);
    Ok(answers.into_tuple().all(db).await?.into_iter().collect())
}

/// Who was given each of these voices, by name.
///
/// # Errors
/// When the database cannot be read.
pub async fn assignees(
    db: &impl ConnectionTrait,
    voices: &[SuggestionSummary],
) -> Result<HashMap<SuggestionId, String>> {
    let given: Vec<SuggestionId> = voices.iter().filter(|one| one.is_assigned).map(|one| one.id).collect();
    let given: Vec<(SuggestionId, PersonId)> = suggestion::Entity::find()
        .select_only()
        .columns([suggestion::Column::Id, suggestion::Column::AssigneeId])
        .filter(suggestion::Column::Id.is_in(given))
        .filter(suggestion::Column::AssigneeId.is_not_null())
        .into_tuple()
        .all(db)
        .await?;
    let names = people::queries::names(db, given.iter().map(|(_, person)| *person).collect()).await?;
    let named = |(voice, person): (SuggestionId, PersonId)| Some((voice, names.get(&person)?.clone()));
    Ok(given.into_iter().filter_map(named).collect())
}
