//! 邀请: bodies are asked by name to deliberate a matter, and say no with a reason.
use chrono::{NaiveDate, TimeDelta};
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, Select, Set, TryInsertResult, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    actor::Actor,
    bodies::{self, Body, BodyKind, Right},
    clock,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{BodyId, MatterId, StreamId},
    matters::{
        queries::{self, MatterView, Standing},
        rows::invitation,
        rules::{Stage, State},
    },
    store::Tx,
    streams::{self, StreamKind},
};

/// Bodies invited in one stay.
const MOST: usize = 20;
/// Days that they may be given.
const MOST_DAYS: i64 = 60;
/// Stays whose guests are let in in one unit of work.
const SEATED_AT_ONCE: u64 = 20;

/// Bodies that are invited.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteBodies {
    /// Which; 20 in one stay at most. One that is invited already stays so.
    #[schema(min_items = 1, max_items = 20)]
    pub body_ids: Vec<BodyId>,
    /// The last day on which they are waited for: today, or 60 days from now at most.
    pub due_on: NaiveDate,
}

/// A body does not take part.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclineInvitation {
    /// Which.
    pub body_id: BodyId,
    /// Why; public. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
}

/// Invites bodies to the present deliberation, each once: what was said to one before stays. Whoever sits in one and is from
/// elsewhere, also since later, speaks in the discussion while the stage lasts. Recorded: `matter.body_invited`.
///
/// # Errors
/// `not_found`; `not_allowed` without a seat that moves matters there; `invalid_fields`; `wrong_state` when the matter is not
/// deliberated now.
pub async fn invite(tx: &Tx, actor: &Actor, (id, input): (MatterId, InviteBodies)) -> Result<MatterView> {
    let standing = queries::standing(tx, id).await?;
    bodies::require(actor, Right::MoveMatter, &standing.matter.area_code)?;
    let asked = named(tx, &standing, &input).await?;
    deliberated(&standing)?;
    for body in asked {
        let row = invitation::ActiveModel {
            matter_id: Set(id),
            ordinal: Set(standing.stay.ordinal),
            body_id: Set(body.id),
            invited_by: Set(actor.person),
            invited_at: Set(tx.now()),
            due_on: Set(input.due_on),
            declined_at: Set(None),
            declined_by: Set(None),
            reason: Set(None),
            seated_on: Set(Some(clock::local_date(tx.now()))),
        };
        let key = [invitation::Column::MatterId, invitation::Column::Ordinal, invitation::Column::BodyId];
        let insert = invitation::Entity::insert(row).on_conflict_do_nothing_on(key).exec_without_returning(tx).await?;
        if let TryInsertResult::Inserted(1) = insert {
            let data = json!({ "body": body.id, "ordinal": standing.stay.ordinal, "until": input.due_on });
            record(tx, actor, (&standing, Kind::BodyInvited), data).await?;
        }
    }
    welcome(tx, &standing).await?;
    queries::view(tx, id).await
}

/// Lets in who sits in the invited bodies today.
async fn welcome(tx: &Tx, standing: &Standing) -> Result<()> {
    let discussion = discussion(tx, standing.matter.id).await?;
    let invited = queries::invited(tx, &standing.stay).await?;
    streams::commands::let_in(tx, discussion, (&invited, &standing.matter.area_code)).await
}

/// Who came to sit in a body speaks for it wherever it is invited; who sits there no more, for another that is.
pub(in crate::matters) async fn seated_anew(tx: &Tx, body: BodyId) -> Result<()> {
    let open = stays().filter(invitation::Column::BodyId.eq(body)).filter(invitation::Column::SeatedOn.is_not_null());
    seat(tx, open.into_tuple().all(tx).await?).await
}

/// Seats begin and end with a day: those of the invited bodies are looked at on each. How many stays there were.
///
/// # Errors
/// When the database fails.
pub async fn seats_due(tx: &Tx) -> Result<u64> {
    let yesterday = stays().filter(invitation::Column::SeatedOn.lt(clock::local_date(tx.now()))).limit(SEATED_AT_ONCE);
    let stale: Vec<(MatterId, i32)> = yesterday.into_tuple().all(tx).await?;
    let count = stale.len() as u64;
    seat(tx, stale).await?;
    Ok(count)
}

/// The stays in which bodies are invited.
fn stays() -> Select<invitation::Entity> {
    let own = invitation::Entity::find().select_only().column(invitation::Column::MatterId);
    own.column(invitation::Column::Ordinal).distinct()
}

/// Nobody is let in where the stay is over.
async fn seat(tx: &Tx, stays: Vec<(MatterId, i32)>) -> Result<()> {
    for (matter, ordinal) in stays {
        let standing = queries::standing(tx, matter).await?;
        let lasts = standing.stay.ordinal == ordinal && deliberated(&standing).is_ok();
        if lasts {
            welcome(tx, &standing).await?;
        }
        let seated_on = lasts.then(|| clock::local_date(tx.now()));
        invitation::Entity::update_many()
            .col_expr(invitation::Column::SeatedOn, Expr::value(seated_on))
            .filter(invitation::Column::MatterId.eq(matter))
            .filter(invitation::Column::Ordinal.eq(ordinal))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// The bodies, if they may be invited: those over the area and of its town. Of others nobody's members are written to.
async fn named(tx: &Tx, standing: &Standing, input: &InviteBodies) -> Result<Vec<Body>> {
    let mut checks = Checks::default();
    checks.require((1..=MOST).contains(&input.body_ids.len()), "body_ids", "out_of_range");
    checks.done()?;
    let today = clock::local_date(tx.now());
    let mut asked = bodies::queries::near(tx, &standing.matter.area_code).await?;
    asked.retain(|body| input.body_ids.contains(&body.id));
    let before = invitation::Entity::find()
        .filter(invitation::Column::MatterId.eq(standing.matter.id))
        .filter(invitation::Column::Ordinal.eq(standing.stay.ordinal))
        .filter(invitation::Column::BodyId.is_not_in(input.body_ids.iter().copied()))
        .count(tx)
        .await?;
    let all = usize::try_from(before).unwrap_or(MOST).saturating_add(input.body_ids.len());
    let mut checks = Checks::default();
    checks.require(all <= MOST, "body_ids", "out_of_range");
    checks.require((today..=today + TimeDelta::days(MOST_DAYS)).contains(&input.due_on), "due_on", "out_of_range");
    for (n, id) in input.body_ids.iter().enumerate() {
        // who evaluates an area from outside takes no part
        let fits = asked.iter().any(|body| body.id == *id && body.kind != BodyKind::Evaluator);
        checks.require(fits, &format!("body_ids[{n}]"), "unknown");
        let again = input.body_ids.iter().take(n).any(|earlier| earlier == id);
        checks.require(!again, &format!("body_ids[{n}]"), "duplicate");
    }
    checks.done()?;
    Ok(asked)
}

/// Says no for an invited body, once; whoever was let in for it is no longer in the discussion. Recorded:
/// `matter.invitation_declined`.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not lead the body; `invalid_fields`; `wrong_state` when the matter is not deliberated
/// now, or the body is not invited to it, or declined already.
pub async fn decline(tx: &Tx, actor: &Actor, (id, input): (MatterId, DeclineInvitation)) -> Result<MatterView> {
    let standing = queries::standing(tx, id).await?;
    if !queries::leads(actor, input.body_id) {
        return Err(Code::NotAllowed.into());
    }
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=200);
    checks.done()?;
    deliberated(&standing)?;
    let declined = invitation::Entity::update_many()
        .col_expr(invitation::Column::DeclinedAt, Expr::value(tx.now()))
        .col_expr(invitation::Column::DeclinedBy, Expr::value(actor.person))
        .col_expr(invitation::Column::Reason, Expr::value(input.reason.trim()))
        .filter(invitation::Column::MatterId.eq(id))
        .filter(invitation::Column::Ordinal.eq(standing.stay.ordinal))
        .filter(invitation::Column::BodyId.eq(input.body_id))
        .filter(invitation::Column::DeclinedAt.is_null())
        .exec(tx)
        .await?;
    if declined.rows_affected != 1 {
        return Err(Code::WrongState.into());
    }
    let discussion = discussion(tx, id).await?;
    streams::commands::show_out(tx, discussion, Some(input.body_id)).await?;
    // somebody may sit in another that is invited, too
    welcome(tx, &standing).await?;
    let data = json!({ "body": input.body_id, "ordinal": standing.stay.ordinal });
    record(tx, actor, (&standing, Kind::InvitationDeclined), data).await?;
    queries::view(tx, id).await
}

/// The stage in which bodies were invited is over: nobody from elsewhere speaks any more.
pub(super) async fn over(tx: &Tx, standing: &Standing) -> Result<()> {
    if standing.position().stage != Stage::Deliberate {
        return Ok(());
    }
    let held_in = streams::queries::find(tx, StreamKind::Discussion, &standing.matter.id.to_string()).await?;
    match held_in {
        Some(discussion) => streams::commands::show_out(tx, discussion, None).await,
        None => Ok(()),
    }
}

fn deliberated(standing: &Standing) -> Result<()> {
    let position = standing.position();
    let is_now = position.state == State::Open && position.stage == Stage::Deliberate;
    if is_now { Ok(()) } else { Err(Code::WrongState.into()) }
}

async fn discussion(tx: &Tx, id: MatterId) -> Result<StreamId> {
    streams::queries::find(tx, StreamKind::Discussion, &id.to_string()).await?.ok_or_else(|| Code::NotFound.into())
}

async fn record(tx: &Tx, actor: &Actor, (of, kind): (&Standing, Kind), data: serde_json::Value) -> Result<()> {
    let happening = Happening::new(kind, of.matter.id).at(&of.matter.area_code).by(actor.person).with(data);
    events::record(tx, happening).await?;
    Ok(())
}
