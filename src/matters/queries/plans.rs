//! The plan of a matter, as everybody may see it: every version, and what changed with it.
use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    row,
    stays::{ActorView, Names},
};
use crate::{
    clock,
    error::{Code, Result},
    ids::MatterId,
    matters::{
        rows::plan,
        rules::changes::{self, Change},
    },
};

/// Which version.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PlanQuery {
    /// The newest when absent.
    pub version: Option<i32>,
}

/// One version of a plan.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PlanView {
    /// The matter.
    pub matter_id: MatterId,
    /// Which one, from 1.
    pub version: i32,
    /// How many there are.
    pub versions: i32,
    /// What it says.
    pub text: String,
    /// Why it changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who wrote it.
    pub by: ActorView,
    /// When.
    pub written_at: DateTime<FixedOffset>,
    /// What changed since the version before; empty for the first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub changes: Vec<Change>,
}

/// One version of a plan.
///
/// # Errors
/// `not_found` when the matter, its plan or this version is not there.
pub async fn plan(db: &impl ConnectionTrait, (id, version): (MatterId, Option<i32>)) -> Result<PlanView> {
    row(db, id).await?;
    let newest = plan_row(db, id).await?.ok_or(Code::NotFound)?;
    let versions = newest.version;
    let shown = match version {
        Some(version) if version != versions => {
            plan::Entity::find_by_id((id, version)).one(db).await?.ok_or(Code::NotFound)?
        }
        _ => newest,
    };
    let before = plan::Entity::find_by_id((id, shown.version - 1)).one(db).await?;
    let names = Names::of(db, vec![(shown.actor_id, Some(shown.body_id))]).await?;
    Ok(PlanView {
        matter_id: id,
        version: shown.version,
        versions,
        changes: before.map(|before| changes::between(&before.text, &shown.text)).unwrap_or_default(),
        by: names.actor(shown.actor_id, Some(shown.body_id)),
        written_at: clock::local(shown.written_at),
        text: shown.text,
        reason: shown.reason,
    })
}

/// The newest version, if there is one.
pub(in crate::matters) async fn plan_row(db: &impl ConnectionTrait, id: MatterId) -> Result<Option<plan::Model>> {
    let own = plan::Entity::find().filter(plan::Column::MatterId.eq(id)).order_by_desc(plan::Column::Version);
    Ok(own.one(db).await?)
}
