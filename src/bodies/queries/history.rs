//! Who sat in a body's terms, whether or not the seats count any more.
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{super::rows::seat, Body, SeatView, view_of};
use crate::{error::Result, ids::TermId, people};

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
