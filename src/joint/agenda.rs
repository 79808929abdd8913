//! The agenda of a joint meeting: matters that concern several of its villages.
use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    queries::{self, JointView, joint_body},
    rows::item,
    rules::{MAX_VILLAGES, fills},
};
use crate::{
    actor::{Actor, covers},
    areas::{self, VILLAGE_CODE},
    bodies::{self, queries::Body},
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{BodyId, JointItemId, MatterId, MeetingId},
    matters::{self, queries::Reaching},
    store::Tx,
};

/// A matter for the agenda.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeItem {
    /// Under way, in the area that the joint meeting covers, or above it.
    pub matter_id: MatterId,
    /// Codes of the villages that it concerns, two or more of those of the joint meeting.
    #[schema(min_items = 2, max_items = 200)]
    pub villages: Vec<String>,
    /// What is to be talked about; 200 characters at most.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub note: String,
}

/// Puts a matter on the agenda. Records `joint.item_proposed`.
///
/// # Errors
/// `not_found` for what is no joint meeting; `not_allowed` for others than its members and who fills its seats;
/// `invalid_fields`, also for a matter that is not under way there, or stands on the agenda already.
pub async fn propose(tx: &Tx, actor: &Actor, (id, input): (BodyId, ProposeItem)) -> Result<JointView> {
    let body = joint_body(tx, id).await?;
    if !actor.sits_in(id) && !fills(actor, &body) {
        return Err(Code::NotAllowed.into());
    }
    let own = villages_of(tx, &body).await?;
    let is_there = !matters::queries::reaching(tx, &body.areas, Some(input.matter_id)).await?.is_empty();
    let mut villages = input.villages;
    villages.sort();
    villages.dedup();
    let mut checks = Checks::default();
    checks.require(is_there, "matter_id", "not_under_way");
    checks.require((2..=MAX_VILLAGES).contains(&villages.len()), "villages", "out_of_range");
    checks.require(villages.iter().all(|code| own.contains(code)), "villages", "unknown");
    checks.text("note", &input.note, 0..=200);
    let known = item::Entity::find()
        .filter(item::Column::BodyId.eq(id))
        .filter(item::Column::MatterId.eq(input.matter_id))
        .filter(item::Column::MeetingId.is_null());
    checks.require(known.one(tx).await?.is_none(), "matter_id", "duplicate");
    checks.done()?;
    let row = item::ActiveModel {
        id: Set(JointItemId::new()),
        body_id: Set(id),
        matter_id: Set(input.matter_id),
        villages: Set(villages.join("\n")),
        note: Set(input.note.trim().to_owned()),
        proposed_by: Set(actor.person),
        proposed_at: Set(tx.now()),
        meeting_id: Set(None),
    };
    row.insert(tx).await?;
    let happening = Happening { area: body.areas.first().cloned(), ..Happening::new(Kind::JointItemProposed, id) };
    events::record(tx, happening.by(actor.person).with(json!({ "matter": input.matter_id }))).await?;
    queries::view(tx, actor, id, tx.now()).await
}

/// Takes a matter off the agenda again. Records `joint.item_withdrawn`.
///
/// # Errors
/// `not_found` for what stands on no agenda; `not_allowed` for others than who proposed it, who leads now, who convenes the joint
/// meeting and who fills its seats; `wrong_state` for what a meeting has talked about.
pub async fn withdraw(tx: &Tx, actor: &Actor, id: JointItemId) -> Result<JointView> {
    let row = item::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let (body, matter) = (joint_body(tx, row.body_id).await?, row.matter_id);
    let shown = queries::view(tx, actor, body.id, tx.now()).await?;
    if row.meeting_id.is_some() {
        return Err(Code::WrongState.into());
    }
    if !shown.items.iter().any(|one| one.id == id && one.may_withdraw) {
        return Err(Code::NotAllowed.into());
    }
    item::Entity::delete_by_id(id).exec(tx).await?;
    let happening =
        Happening { area: body.areas.first().cloned(), ..Happening::new(Kind::JointItemWithdrawn, body.id) };
    events::record(tx, happening.by(actor.person).with(json!({ "matter": matter }))).await?;
    queries::view(tx, actor, body.id, tx.now()).await
}

/// What stood on the agenda when the minutes of this meeting were taken was talked about there.
pub(super) async fn settle(tx: &Tx, body: BodyId, (meeting, taken_at): (MeetingId, DateTime<Utc>)) -> Result<()> {
    item::Entity::update_many()
        .col_expr(item::Column::MeetingId, Expr::value(meeting))
        .filter(item::Column::BodyId.eq(body))
        .filter(item::Column::MeetingId.is_null())
        .filter(item::Column::ProposedAt.lt(taken_at))
        .exec(tx)
        .await?;
    Ok(())
}

/// The villages that a body covers.
pub(super) async fn villages_of(db: &impl ConnectionTrait, body: &Body) -> Result<Vec<String>> {
    let mut villages = Vec::new();
    for area in &body.areas {
        if area.len() >= VILLAGE_CODE {
            villages.push(area.clone());
        } else {
            villages.extend(areas::queries::villages_below(db, area).await?);
        }
    }
    Ok(villages)
}

/// The matters under way that concern two villages of a joint meeting or more, each with these: those of an area above them, and
/// those raised by a body that covers several.
pub(super) async fn spanning(
    db: &impl ConnectionTrait,
    (body, own): (&Body, &[String]),
) -> Result<Vec<(Reaching, Vec<String>)>> {
    let matters = matters::queries::reaching(db, &body.areas, None).await?;
    let raising = bodies::queries::bodies(db, matters.iter().map(|one| one.body_id).collect()).await?;
    let concerned = |one: &Reaching| -> Vec<String> {
        if one.area_code.len() < VILLAGE_CODE {
            return own.iter().filter(|village| covers(&one.area_code, village)).cloned().collect();
        }
        let by = raising.iter().find(|body| body.id == one.body_id);
        let covered = |village: &&String| by.is_some_and(|body| body.areas.contains(village));
        own.iter().filter(covered).cloned().collect()
    };
    let all = matters.into_iter().map(|one| (concerned(&one), one));
    Ok(all.filter(|(villages, _)| villages.len() > 1).map(|(villages, one)| (one, villages)).collect())
}
