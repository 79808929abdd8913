//! Who answers for matters, what they may cost, and the photos put to them.
use std::collections::HashMap;

use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    bodies,
    error::Result,
    ids::{MatterId, SeatId},
    matters::rows::matter,
    media::{self, MediaView},
};

/// What photos of a matter are attached to.
pub(in crate::matters) const MEDIA_KIND: &str = "matter";

/// The seat that answers for a matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Responsible {
    /// The seat.
    pub seat_id: SeatId,
    /// Who holds it, or held it last.
    pub name: String,
    /// As what.
    pub role_name: String,
    /// In which body.
    pub body_name: String,
}

/// What a matter may cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Budget {
    /// How much, in fen.
    pub fen: i64,
    /// Out of which money.
    pub source: String,
}

impl Budget {
    /// That of a row.
    pub(super) fn of(row: &matter::Model) -> Option<Self> {
        Some(Self { fen: row.budget_fen?, source: row.budget_source.clone()? })
    }
}

/// The seats that answer for these matters, looked up once for all of them.
pub(super) async fn responsible(
    db: &impl ConnectionTrait,
    rows: &[matter::Model],
) -> Result<HashMap<SeatId, Responsible>> {
    let ids = rows.iter().filter_map(|row| row.responsible_seat_id).collect();
    let seats = bodies::queries::seats(db, ids).await?;
    let shown = seats.into_iter().map(|(body, seat)| {
        let shown = Responsible { seat_id: seat.id, name: seat.name, role_name: seat.role_name, body_name: body.name };
        (seat.id, shown)
    });
    Ok(shown.collect())
}

/// The photos of a matter, in the order in which they came.
///
/// # Errors
/// When the database cannot be read.
pub(in crate::matters) async fn photos(db: &impl ConnectionTrait, id: MatterId) -> Result<Vec<MediaView>> {
    let key = id.to_string();
    Ok(media::queries::attached(db, MEDIA_KIND, vec![key.clone()]).await?.remove(&key).unwrap_or_default())
}
