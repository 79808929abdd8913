//! Terms of bodies, and who sat in them, whether or not the seats count any more.
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{
    super::rows::{seat, term},
    Body, SeatView, TermView, view_of,
};
use crate::{
    error::Result,
    ids::{BodyId, TermId},
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
