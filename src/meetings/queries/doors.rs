//! What the screen at a meeting's door shows.
use chrono::{DateTime, FixedOffset};
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::CALLED;
use crate::{
    actor::Actor,
    app::App,
    bodies, clock,
    error::{Code, Result},
    ids::MeetingId,
    meetings::{door, rows::meeting, rules},
};

/// The code of a meeting's door, for half a minute.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DoorCodeView {
    /// What is handed in with a sign-in.
    pub code: String,
    /// Where it leads who scans it.
    pub path: String,
    /// The whole address, where the address of the service is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// From then on it opens nothing.
    pub expires_at: DateTime<FixedOffset>,
    /// After so many seconds another one is shown.
    pub shown_secs: i64,
}

/// The code that the screen shows now.
///
/// # Errors
/// `not_found`; `not_allowed` for anybody who does not hold the meeting; `wrong_state` when it was held or called off;
/// `too_early` before its doors are open.
pub async fn door_code(app: &App, actor: &Actor, id: MeetingId) -> Result<DoorCodeView> {
    let row = meeting::Entity::find_by_id(id).one(app.store.read()).await?.ok_or(Code::NotFound)?;
    let holds = actor.seats.iter().any(|seat| seat.body_id == row.body_id && seat.covers(&row.area_code))
        && bodies::members::holds(actor, row.body_id);
    if !holds {
        return Err(Code::NotAllowed.into());
    }
    if row.state != CALLED {
        return Err(Code::WrongState.into());
    }
    let now = app.now();
    if !rules::may_sign_in(row.starts_at, now) {
        return Err(Code::TooEarly.into());
    }
    let code = door::code(&app.keys, id, now);
    let path = format!("/meetings/{id}/door/{code}");
    let base = app.config.public_url.trim_end_matches('/');
    Ok(DoorCodeView {
        url: (!base.is_empty()).then(|| format!("{base}{path}")),
        code,
        path,
        expires_at: clock::local(door::expires_at(now)),
        shown_secs: door::SHOWN_SECS,
    })
}
