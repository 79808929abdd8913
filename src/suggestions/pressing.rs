//! 紧急: who is to take a voice that presses hears of it by day and by night, until somebody has taken it or made it ordinary.
//!
//! # Why
//! Two hours are promised, on holidays and by night, too; a card in the app is read in the morning. Because what is named urgent
//! is believed, one person wakes somebody once for as long as is promised, whether by a new voice or by one that goes up; what woke
//! nobody does not count, or who calls again and again would not be heard; what was made ordinary does, or calling wrongly would be
//! without end. A guest is whoever has the phone: a name is given as one likes. Who is on a roster is one person, and a family that
//! shares a phone is several.
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QuerySelect, QueryTrait,
};
use serde_json::json;

use super::{
    Suggestion, about,
    commands::record,
    promises::Urgency,
    queries,
    rows::{downgrade, suggestion},
    rules::SuggestionState,
    words,
};
use crate::{
    error::Result,
    events::{self, Kind},
    ids::{PersonId, SuggestionId},
    people,
    store::Tx,
};

/// After this time the same person wakes somebody again by another voice.
const AGAIN: TimeDelta = TimeDelta::hours(2);

/// Has those told who are to take a voice now, if it presses. Records `suggestion.pressing`; the body is named where its office
/// shows a card.
///
/// # Errors
/// When the database refuses.
pub(super) async fn press(tx: &Tx, row: &Suggestion) -> Result<()> {
    if row.urgency != Urgency::Urgent {
        return Ok(());
    }
    let since = tx.now() - AGAIN;
    let callers = people::callers(tx, row.author_id).await?;
    let eased = downgrade::Entity::find().select_only().column(downgrade::Column::SuggestionId).into_query();
    let was_urgent = suggestion::Column::Urgency.eq(Urgency::Urgent).or(suggestion::Column::Id.in_subquery(eased));
    // what pressed changed then
    let others = suggestion::Entity::find()
        .filter(suggestion::Column::AuthorId.is_in(callers))
        .filter(suggestion::Column::UpdatedAt.gt(since))
        .filter(was_urgent)
        .filter(suggestion::Column::Id.ne(row.id));
    for other in others.all(tx).await? {
        let pressed = events::last(tx, Kind::SuggestionPressing, &other.id.to_string()).await?;
        if pressed.is_some_and(|at| at > since) {
            return Ok(());
        }
    }
    let data = if row.about_person_id.is_none() { json!({ "body": row.body_id }) } else { json!({}) };
    record(tx, Kind::SuggestionPressing, row, None, data).await
}

/// Who is to take a voice: whoever speaks for the body responsible, but for its author, who took it down, and whom it concerns.
///
/// # Errors
/// When the database cannot be read.
pub async fn takers(db: &impl ConnectionTrait, id: SuggestionId, now: DateTime<Utc>) -> Result<Vec<PersonId>> {
    let Some(row) = queries::row(db, id).await? else { return Ok(Vec::new()) };
    let mut takers = about::speakers(db, &row, (row.body_id, now)).await?;
    takers.retain(|person| row.taken_by != Some(*person));
    Ok(takers)
}

/// Does a voice press, which nobody takes care of yet?
///
/// # Errors
/// When the database cannot be read.
pub async fn is_pressing(db: &impl ConnectionTrait, id: SuggestionId) -> Result<bool> {
    let untaken = suggestion::Entity::find_by_id(id)
        .filter(suggestion::Column::State.eq(SuggestionState::Submitted))
        .filter(suggestion::Column::Urgency.eq(Urgency::Urgent))
        .filter(words::is_kept());
    Ok(untaken.count(db).await? > 0)
}
