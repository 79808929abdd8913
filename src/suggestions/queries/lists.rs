//! Lists of voices: one's own, the village's public ones, those on one's desk.
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, Order, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};

use super::{Scope, Shown, SuggestionSummary, SuggestionsQuery, summaries};
use crate::{
    actor::Actor,
    app::App,
    error::{Code, Result},
    ids::BodyId,
    page::{Cursor, Page, PageQuery},
    streams,
    suggestions::{
        about,
        rows::suggestion,
        rules::{self, SuggestionState, Visibility},
        words,
    },
};

/// Rows on a desk's list of what is to be done.
const TODO: u64 = 50;

/// A page of voices, newest first.
///
/// # Errors
/// `not_allowed` for a desk that the actor does not have; `invalid_cursor`.
pub async fn list(app: &App, actor: &Actor, query: SuggestionsQuery) -> Result<Page<SuggestionSummary>> {
    let db = app.store.read();
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let (limit, after) = (page.limit()?, page.after()?);
    let (which, shown) = match query.scope {
        Scope::Mine => (Condition::all().add(suggestion::Column::AuthorId.eq(actor.person)), Shown::All),
        Scope::Village => (public_of(&actor.area), Shown::PublicOnly),
        Scope::Desk => (on_desk(actor).ok_or(Code::NotAllowed)?, Shown::PublicOnly),
    };
    let mut found = suggestion::Entity::find().filter(which);
    if let Some(state) = query.state {
        found = found.filter(suggestion::Column::State.eq(state));
    }
    if let Some(Cursor { at, id }) = after {
        let same = suggestion::Column::CreatedAt.eq(at).and(suggestion::Column::Id.lt(id));
        found = found.filter(suggestion::Column::CreatedAt.lt(at).or(same));
    }
    let newest = found.order_by_desc(suggestion::Column::CreatedAt).order_by_desc(suggestion::Column::Id);
    let rows = newest.limit(limit + 1).all(db).await?;
    let page = Page::cut(rows, limit, |row| Cursor { at: row.created_at, id: row.id.0 }, |row| row);
    let rows = if shown == Shown::All { words::open(db, &app.keys, page.items).await? } else { page.items };
    Ok(Page { items: summaries(db, rows, shown).await?, next_cursor: page.next_cursor })
}

pub(in crate::suggestions) fn public_of(area: &str) -> Condition {
    Condition::all()
        .add(suggestion::Column::AreaCode.eq(area))
        .add(suggestion::Column::Visibility.eq(Visibility::Public))
}

/// What the actor handles: by a right of the body responsible, or because it was given to the actor; nothing that is about
/// the actor, and nothing that its author had erased.
fn on_desk(actor: &Actor) -> Option<Condition> {
    let (of_village, of_town) = rules::desk_bodies(actor);
    let seats: Vec<BodyId> = actor.seats.iter().map(|seat| seat.body_id).collect();
    if seats.is_empty() {
        return None;
    }
    let for_town = suggestion::Column::Visibility.eq(Visibility::Town);
    let in_village =
        suggestion::Column::Visibility.ne(Visibility::Town).and(suggestion::Column::BodyId.is_in(of_village));
    let in_town = for_town.and(suggestion::Column::BodyId.is_in(of_town));
    let given = suggestion::Column::AssigneeId.eq(actor.person).and(suggestion::Column::BodyId.is_in(seats));
    let handed = suggestion::Column::Level.gt(0).or(suggestion::Column::Handed.gt(0));
    let opening = actor.seats.iter().filter(|seat| streams::opens(&seat.body_kind, &seat.role));
    let went_up = handed.and(suggestion::Column::BodyId.is_in(opening.map(|seat| seat.body_id)));
    let handled = Condition::any().add(in_village).add(in_town).add(given).add(went_up);
    Some(Condition::all().add(handled).add(about::not_about(actor)).add(words::is_kept()))
}

/// What waits on the actor's desk, the most urgent first, 50 at most. Empty without a desk.
///
/// # Errors
/// When the database cannot be read.
pub async fn desk_todo(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<SuggestionSummary>> {
    let Some(desk) = on_desk(actor) else { return Ok(Vec::new()) };
    let is_submitted = suggestion::Column::State.eq(SuggestionState::Submitted);
    let deadline: Expr = Expr::case(is_submitted, Expr::col(suggestion::Column::AcceptDueAt))
        .finally(Expr::col(suggestion::Column::AnswerDueAt))
        .into();
    let rows = suggestion::Entity::find()
        .filter(desk)
        .filter(suggestion::Column::State.is_in([SuggestionState::Submitted, SuggestionState::Accepted]))
        .order_by(deadline, Order::Asc)
        .limit(TODO)
        .all(db)
        .await?;
    summaries(db, rows, Shown::PublicOnly).await
}
