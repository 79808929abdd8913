//! What bodies did for people in a period: voices answered and parts done, and for how many people.
use std::collections::HashMap;

use chrono::NaiveDate;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, JoinType, QueryFilter, QuerySelect, sea_query::Expr,
};

use super::{
    by_body::seen_from,
    rows::{answer, assist, suggestion},
    rules::SuggestionState,
};
use crate::{clock, error::Result, ids::BodyId};

/// What one body did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Voices that it answered, and parts that it did for others who answered.
    pub services: i64,
    /// People whose voices it answered, each once.
    pub people: i64,
}

/// What each body did in an area and below it, from one day to before another; nothing of what is about somebody.
///
/// # Errors
/// When the database cannot be read.
pub async fn served(
    db: &impl ConnectionTrait,
    (area, from, to): (&str, NaiveDate, NaiveDate),
) -> Result<HashMap<BodyId, Served>> {
    let (from, to) = (clock::start_of_day(from), clock::start_of_day(to));
    let of =
        answer::Entity::belongs_to(suggestion::Entity).from(answer::Column::SuggestionId).to(suggestion::Column::Id);
    let author = Expr::col((suggestion::Entity, suggestion::Column::AuthorId));
    let answered: Vec<(BodyId, i64, i64)> = answer::Entity::find()
        .select_only()
        .column(answer::Column::BodyId)
        .column_as(answer::Column::Id.count(), "services")
        .column_as(author.count_distinct(), "people")
        .join(JoinType::InnerJoin, of.into())
        .filter(seen_from(area))
        .filter(suggestion::Column::AboutPersonId.is_null())
        .filter(answer::Column::CreatedAt.gte(from))
        .filter(answer::Column::CreatedAt.lt(to))
        .group_by(answer::Column::BodyId)
        .into_tuple()
        .all(db)
        .await?;
    let of =
        assist::Entity::belongs_to(suggestion::Entity).from(assist::Column::SuggestionId).to(suggestion::Column::Id);
    let parts: Vec<(BodyId, i64)> = assist::Entity::find()
        .select_only()
        .column(assist::Column::BodyId)
        .column_as(assist::Column::Id.count(), "services")
        .join(JoinType::InnerJoin, of.into())
        .filter(seen_from(area))
        .filter(suggestion::Column::AboutPersonId.is_null())
        .filter(assist::Column::GivenAt.gte(from))
        .filter(assist::Column::GivenAt.lt(to))
        .group_by(assist::Column::BodyId)
        .into_tuple()
        .all(db)
        .await?;
    let mut found: HashMap<BodyId, Served> =
        answered.into_iter().map(|(body, services, people)| (body, Served { services, people })).collect();
    for (body, services) in parts {
        found.entry(body).or_default().services += services;
    }
    Ok(found)
}

/// How many of the voices left in an area and below it, from one day to before another, each body answered that does not have
/// them any more: only what was not solved goes on after an answer. Not those that it was late with as well, nor what was taken
/// back.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn unsolved(
    db: &impl ConnectionTrait,
    (area, from, to): (&str, NaiveDate, NaiveDate),
) -> Result<Vec<(BodyId, i64)>> {
    use suggestion::Column as C;
    let of = answer::Entity::belongs_to(suggestion::Entity).from(answer::Column::SuggestionId).to(C::Id);
    let column = |column: C| Expr::col((suggestion::Entity, column));
    let by = || Expr::col((answer::Entity, answer::Column::BodyId));
    let answered = answer::Entity::find()
        .select_only()
        .column(answer::Column::BodyId)
        .column_as(Expr::col((answer::Entity, answer::Column::SuggestionId)).count_distinct(), "voices")
        .join(JoinType::InnerJoin, of.into())
        .filter(seen_from(area))
        .filter(C::AboutPersonId.is_null())
        .filter(C::State.ne(SuggestionState::Withdrawn))
        .filter(column(C::CreatedAt).gte(clock::start_of_day(from)))
        .filter(column(C::CreatedAt).lt(clock::start_of_day(to)))
        .filter(by().ne(column(C::BodyId)))
        .filter(column(C::LateBodyId).is_null().or(column(C::LateBodyId).ne(by())))
        .group_by(answer::Column::BodyId);
    Ok(answered.into_tuple().all(db).await?)
}
