//! Terms of bodies, and who sat in them or during some days, whether or not the seats count any more.
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationTrait,
};

use super::{
    super::rows::{seat, term},
    Body, SeatView, TermView, view_of,
};
use crate::{
    clock,
    error::Result,
    ids::{BodyId, PersonId, TermId},
    people,
};

/// The terms of these bodies, the newest of each first; of all bodies when none is named.
///
/// # Errors
/// When the database cannot be read.
pub async fn terms(db: &impl ConnectionTrait, ids: Option<Vec<BodyId>>) -> Result<Vec<TermView>> {
    let of = ids.map(|ids| term::Column::BodyId.is_in(ids));
    let rows = term::Entity::find()
        .filter(Condition::all().add_option(of))
        .order_by_desc(term::Column::EndsOn)
        .order_by_desc(term::Column::Number)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(TermView::from).collect())
}

/// The seats of these terms of a body, in the order in which they were taken.
pub(in crate::bodies) async fn seated_in_terms(
    db: &impl ConnectionTrait,
    (body, terms): (&Body, Vec<TermId>),
) -> Result<Vec<SeatView>> {
    let rows = seat::Entity::find()
        .filter(seat::Column::BodyId.eq(body.id))
        .filter(seat::Column::TermId.is_in(terms))
        .order_by_asc(seat::Column::StartsOn)
        .order_by_asc(seat::Column::Id)
        .all(db)
        .await?;
    let names = people::names(db, rows.iter().map(|row| row.person_id).collect()).await?;
    let view = |row: seat::Model| {
        let name = names.get(&row.person_id).cloned().unwrap_or_default();
        view_of(body, row, name)
    };
    Ok(rows.into_iter().map(view).collect())
}

/// Who sat in these bodies on some day from a moment to another, each with the body.
///
/// # Errors
/// When the database cannot be read.
pub async fn sat_in(
    db: &impl ConnectionTrait,
    bodies: &[BodyId],
    (from, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<(BodyId, PersonId)>> {
    let (first, last) = (clock::local_date(from), clock::local_date(until));
    let unending = Condition::any().add(seat::Column::EndsOn.is_null()).add(seat::Column::EndsOn.gte(first));
    let in_term = Condition::any().add(seat::Column::TermId.is_null()).add(term::Column::EndsOn.gte(first));
    let rows = seat::Entity::find()
        .join(JoinType::LeftJoin, seat::Relation::Term.def())
        .filter(seat::Column::BodyId.is_in(bodies.iter().copied()))
        .filter(seat::Column::StartsOn.lte(last))
        .filter(unending)
        .filter(in_term)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (row.body_id, row.person_id)).collect())
}
