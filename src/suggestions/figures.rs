//! How well voices are answered in some areas: counts and whole percents, never a single voice.
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, QueryFilter, QuerySelect,
    sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Visibility,
    rows::suggestion,
    rules::{Deadline, SuggestionState},
};
use crate::{app::App, error::Result};

/// A deadline within this is soon.
const SOON_HOURS: i64 = 48;
/// The author is satisfied from this rating on.
const SATISFIED_RATING: i32 = 4;

/// Figures of voices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Figures {
    /// Voices left.
    pub left: i64,
    /// Answered now.
    pub answered: i64,
    /// Answered before the deadline.
    pub on_time: i64,
    /// Rated.
    pub rated: i64,
    /// Rated 4 or 5.
    pub satisfied: i64,
    /// Waiting to be accepted or answered, with a deadline within two days.
    pub due_soon: i64,
    /// Waiting, with a deadline that has passed.
    pub overdue: i64,
    /// Of those left, how many of a hundred are answered; rounded down; absent when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_percent: Option<i64>,
    /// Of those answered, how many of a hundred before the deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_time_percent: Option<i64>,
    /// Of those rated, how many of a hundred with 4 or 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub satisfied_percent: Option<i64>,
}

#[derive(FromQueryResult)]
struct Counts {
    left: i64,
    answered: Option<i64>,
    on_time: Option<i64>,
    rated: Option<i64>,
    satisfied: Option<i64>,
}

#[derive(FromQueryResult)]
struct Due {
    due_soon: Option<i64>,
    overdue: Option<i64>,
}

/// Counts the voices of these areas (codes of villages): what is due now, and the rates as they were worked out within the last
/// ten minutes, because those are asked of every voice that ever was.
///
/// # Errors
/// When the database cannot be read.
pub async fn figures(app: &App, areas: &[String]) -> Result<Figures> {
    let db = app.store.read();
    let rates = app.counted.figures(format!("desk {}", areas.join(" ")), || rates(db, areas)).await?;
    let (due_soon, overdue) = due(db, areas, app.now()).await?;
    Ok(Figures { due_soon, overdue, ..rates })
}

async fn rates(db: &impl ConnectionTrait, areas: &[String]) -> Result<Figures> {
    use suggestion::Column::{AnswerDueAt, AnsweredAt, Id, Rating};
    let on_time = AnsweredAt.is_not_null().and(Expr::col(AnsweredAt).lte(Expr::col(AnswerDueAt)));
    let counts = suggestion::Entity::find()
        .select_only()
        .column_as(Id.count(), "left")
        .column_as(how_many(AnsweredAt.is_not_null()), "answered")
        .column_as(how_many(on_time), "on_time")
        .column_as(how_many(Rating.is_not_null()), "rated")
        .column_as(how_many(Rating.gte(SATISFIED_RATING)), "satisfied")
        .filter(counted_in(areas))
        .into_model::<Counts>()
        .one(db)
        .await?;
    Ok(counts.map(percents).unwrap_or_default())
}

/// How many are due within two days, and how many are late.
async fn due(db: &impl ConnectionTrait, areas: &[String], now: DateTime<Utc>) -> Result<(i64, i64)> {
    let soon = now + TimeDelta::hours(SOON_HOURS);
    let counts = suggestion::Entity::find()
        .select_only()
        // what went up or was passed on is no longer the village's to answer
        .column_as(how_many(below(waiting_between(Some(now), soon))), "due_soon")
        .column_as(how_many(below(waiting_between(None, now))), "overdue")
        .filter(counted_in(areas))
        .filter(suggestion::Column::State.is_in([SuggestionState::Submitted, SuggestionState::Accepted]))
        .into_model::<Due>()
        .one(db)
        .await?;
    let of = |count: fn(&Due) -> Option<i64>| counts.as_ref().and_then(count).unwrap_or(0);
    Ok((of(|due| due.due_soon), of(|due| due.overdue)))
}

/// The village must not learn by counting that somebody spoke to the town, or of one of theirs. What was taken back is counted
/// nowhere.
fn counted_in(areas: &[String]) -> Condition {
    Condition::all()
        .add(suggestion::Column::AreaCode.is_in(areas))
        .add(suggestion::Column::Visibility.ne(Visibility::Town))
        .add(suggestion::Column::AboutPersonId.is_null())
        .add(suggestion::Column::State.ne(SuggestionState::Withdrawn))
}

/// What waits in one area.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Waiting {
    /// Code of the village.
    pub area_code: String,
    /// For the town alone, past the village?
    pub visibility: Visibility,
    /// Voices that wait to be accepted or answered.
    pub waiting: Option<i64>,
    /// Of these, past their deadline.
    pub overdue: Option<i64>,
}

/// What waits below an area, by village; what is for the town alone apart from the rest, and nothing that is about somebody.
///
/// # Errors
/// When the database cannot be read.
pub async fn waiting_by_area(db: &impl ConnectionTrait, above: &str, now: DateTime<Utc>) -> Result<Vec<Waiting>> {
    use suggestion::Column::{AreaCode, State};
    Ok(suggestion::Entity::find()
        .select_only()
        .column(AreaCode)
        .column(suggestion::Column::Visibility)
        .column_as(suggestion::Column::Id.count(), "waiting")
        .column_as(how_many(waiting_between(None, now)), "overdue")
        .filter(State.is_in([SuggestionState::Submitted, SuggestionState::Accepted]))
        .filter(AreaCode.starts_with(above))
        .filter(suggestion::Column::AboutPersonId.is_null())
        .group_by(AreaCode)
        .group_by(suggestion::Column::Visibility)
        .into_model()
        .all(db)
        .await?)
}

/// And never went up, nor to another body.
fn below(which: Condition) -> Condition {
    Condition::all().add(which).add(suggestion::Column::Level.eq(0)).add(suggestion::Column::Handed.eq(0))
}

fn how_many(which: impl Into<Condition>) -> Expr {
    let one: Expr = Expr::case(which, 1).finally(0).into();
    one.sum()
}

/// What waits with a deadline after the one moment (if any) and not after the other.
fn waiting_between(after: Option<DateTime<Utc>>, until: DateTime<Utc>) -> Condition {
    let waits = |deadline: Deadline| {
        let (state, due) = match deadline {
            Deadline::Accept => (SuggestionState::Submitted, suggestion::Column::AcceptDueAt),
            Deadline::Answer => (SuggestionState::Accepted, suggestion::Column::AnswerDueAt),
        };
        let which = Condition::all().add(suggestion::Column::State.eq(state)).add(due.lte(until));
        which.add_option(after.map(|after| due.gt(after)))
    };
    Condition::any().add(waits(Deadline::Accept)).add(waits(Deadline::Answer))
}

fn percents(counts: Counts) -> Figures {
    let (answered, on_time) = (counts.answered.unwrap_or(0), counts.on_time.unwrap_or(0));
    let (rated, satisfied) = (counts.rated.unwrap_or(0), counts.satisfied.unwrap_or(0));
    Figures {
        left: counts.left,
        answered,
        on_time,
        rated,
        satisfied,
        due_soon: 0,
        overdue: 0,
        answered_percent: percent(answered, counts.left),
        on_time_percent: percent(on_time, answered),
        satisfied_percent: percent(satisfied, rated),
    }
}

fn percent(part: i64, whole: i64) -> Option<i64> {
    (part * 100).checked_div(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_of_nothing_is_not_a_hundred() {
        assert_eq!(percent(0, 0), None);
        assert_eq!(percent(2, 3), Some(66));
        assert_eq!(percent(3, 3), Some(100));
    }
}
