//! 服务小组: in which service group a member of a council works.
use sea_orm::{ActiveModelTrait, EntityTrait, Set};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    queries::{self, SeatView},
    registration,
    rows::seat,
    rules::{BodyKind, SeatState},
};
use crate::{
    actor::Actor,
    error::{Checks, Code, Result},
    ids::SeatId,
    rights::{Right, require},
    store::Tx,
};

/// The service group of a seat.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceGroup {
    /// As the council calls it, 1 to 20 characters; none: in no group any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 20)]
    pub service_group: Option<String>,
}

/// Of a council's member alone.
pub(super) fn check(checks: &mut Checks, (kind, group): (BodyKind, Option<&str>)) {
    let Some(group) = group else { return };
    checks.require(kind == BodyKind::Council, "service_group", "group_unfit");
    checks.text("service_group", group, 1..=20);
}

/// Says in which service group somebody works, for who manages bodies there. Records `body.registered` when it is another one.
///
/// # Errors
/// `not_found`; `not_allowed`; `invalid_fields`; `wrong_state` for a seat that has ended.
pub async fn set_service_group(tx: &Tx, actor: &Actor, (id, input): (SeatId, ServiceGroup)) -> Result<SeatView> {
    let row = seat::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let body = queries::get(tx, row.body_id).await?;
    body.areas.iter().try_for_each(|area| require(actor, Right::ManageBodies, area).map(drop))?;
    let mut checks = Checks::default();
    check(&mut checks, (body.kind, input.service_group.as_deref()));
    checks.done()?;
    if row.state != SeatState::Active {
        return Err(Code::WrongState.into());
    }
    let group = input.service_group.map(|group| group.trim().to_owned());
    if row.service_group == group {
        return queries::seat_view(tx, &body, row).await;
    }
    let changed = seat::ActiveModel { id: Set(id), service_group: Set(group), ..Default::default() };
    let row = changed.update(tx).await?;
    registration::record(tx, actor, (&body, &["service_group"])).await?;
    queries::seat_view(tx, &body, row).await
}
