//! 纸票: a sheet is handed out at the desk to an elector by number, and given back, spoilt or lost; one channel each, so that
//! nobody votes on paper and by phone.
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set, SqlErr, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    actor::Actor,
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::{PersonId, VoteId},
    store::Tx,
    votes::{
        office,
        queries::{
            self,
            paper::{ISSUED, LOST, RETURNED, SPOILT, SheetView, agreed, boxes, has_counted, sheet_view, sheets},
            proxies::active,
        },
        rows::{paper_sheet, roll_entry, vote},
        rules::{
            mobile::numbers,
            paper::{Reconciled, reconcile},
        },
    },
};

/// A sheet for an elector.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueSheet {
    /// The elector's number on the roll.
    pub number: i32,
    /// Is it the elector's checked proxy who takes it?
    #[serde(default)]
    pub to_proxy: bool,
    /// The carried box into which it goes; none that stands.
    #[serde(default)]
    pub mobile_box: Option<i32>,
}

/// What became of a sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SheetEnd {
    /// It was given back unused.
    Returned,
    /// It was given back spoilt; another may be handed out.
    Spoilt,
    /// It is in no box and was never seen again; known after the end alone.
    Lost,
}

impl SheetEnd {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Returned => RETURNED,
            Self::Spoilt => SPOILT,
            Self::Lost => LOST,
        }
    }
}

/// The end of a sheet that is in no box.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndSheet {
    /// What became of it.
    pub outcome: SheetEnd,
}

/// Hands out a sheet. From now on nobody casts for this elector by phone; where one may cast again, a ballot that is there
/// counts no more unless the sheet is given back. Recorded: `vote.sheet_issued`.
///
/// # Errors
/// `not_found`; `not_allowed` without the right to open votes; `no_paper` where the vote has none; `vote_not_open`,
/// `vote_closed`; `vote_restored` while it rests; `invalid_fields` for a box that is not carried; `not_on_roll`; `paper_issued` to who has one; `already_cast`; `proxy_not_allowed` when the elector has no
/// checked proxy.
pub async fn issue_sheet(tx: &Tx, actor: &Actor, (id, input): (VoteId, IssueSheet)) -> Result<SheetView> {
    let vote = queries::going(tx, id).await?;
    office::require(actor, &vote)?;
    is_open(tx, &vote)?;
    let mut checks = Checks::default();
    let carried = numbers(vote.mobile_boxes.as_deref());
    checks.require(input.mobile_box.is_none_or(|number| carried.contains(&number)), "mobile_box", "unknown");
    checks.done()?;
    let entry = roll_entry::Entity::find_by_id((id, input.number)).one(tx).await?;
    let entry = entry.filter(|entry| entry.channel != queries::STRUCK).ok_or(Code::NotOnRoll)?;
    match entry.channel.as_str() {
        queries::NOT_CAST => {}
        queries::PAPER_ISSUED => return Err(Code::PaperIssued.into()),
        // paper comes before the phone, where one may cast again
        queries::ONLINE | queries::PROXY if vote.allows_revote => {}
        _ => return Err(Code::AlreadyCast.into()),
    }
    let taken_by = match input.to_proxy {
        true => {
            let proxy = active(tx, id, input.number).await?.filter(|proxy| proxy.state == queries::CHECKED);
            Some(proxy.ok_or(Code::ProxyNotAllowed)?.person_id)
        }
        false => None,
    };
    // a proxy comes after the elector: in the place of what the elector cast nobody else takes a sheet
    let is_own = entry.channel != queries::NOT_CAST && entry.cast_by != taken_by;
    if taken_by.is_some() && is_own {
        return Err(Code::AlreadyCast.into());
    }
    turn(tx, &entry, (queries::PAPER_ISSUED, taken_by)).await?;
    let last = paper_sheet::Entity::find().filter(paper_sheet::Column::VoteId.eq(id));
    let last = last.order_by_desc(paper_sheet::Column::Serial).one(tx).await?;
    let row = paper_sheet::ActiveModel {
        vote_id: Set(id),
        serial: Set(last.map_or(0, |row| row.serial) + 1),
        number: Set(input.number),
        channel_before: Set(entry.channel.clone()),
        before_cast_by: Set(entry.cast_by),
        taken_by: Set(taken_by),
        issued_by: Set(actor.person),
        issued_at: Set(tx.now()),
        state: Set(ISSUED.to_owned()),
        ended_by: Set(None),
        ended_at: Set(None),
        mobile_box: Set(input.mobile_box),
    };
    let row = paper_sheet::Entity::insert(row).exec_with_returning(tx).await.map_err(one_each)?;
    let happening = Happening::new(Kind::SheetIssued, id).at(&vote.area_code).by(actor.person);
    let data = json!({ "number": input.number, "serial": row.serial, "person": entry.person_id });
    events::record(tx, happening.with(data)).await?;
    sheet_view(tx, row).await
}

fn is_open(tx: &Tx, vote: &vote::Model) -> Result<()> {
    if !vote.has_paper {
        return Err(Code::NoPaper.into());
    }
    match vote.state.as_str() {
        queries::WAITING_KEYS | queries::POSTED => Err(Code::VoteNotOpen.into()),
        queries::OPEN if tx.now() < vote.closes_at => Ok(()),
        _ => Err(Code::VoteClosed.into()),
    }
}

/// The unique key is the guard; the look beforehand only finds the right words.
fn one_each(error: sea_orm::DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Code::PaperIssued.into(),
        _ => error.into(),
    }
}

/// From the channel that was read into another: who was first has it.
pub(super) async fn turn(
    tx: &Tx,
    entry: &roll_entry::Model,
    (channel, cast_by): (&str, Option<PersonId>),
) -> Result<()> {
    let turned = roll_entry::Entity::update_many()
        .col_expr(roll_entry::Column::Channel, Expr::value(channel))
        .col_expr(roll_entry::Column::CastBy, Expr::value(cast_by))
        .filter(roll_entry::Column::VoteId.eq(entry.vote_id))
        .filter(roll_entry::Column::Number.eq(entry.number))
        .filter(roll_entry::Column::Channel.eq(entry.channel.as_str()))
        .exec(tx)
        .await?;
    if turned.rows_affected == 1 { Ok(()) } else { Err(Code::AlreadyCast.into()) }
}

/// Writes down that a sheet is in no box; its elector stands as before. Recorded: `vote.sheet_ended`.
///
/// # Errors
/// `not_found`; `not_allowed`; `vote_restored`; `wrong_state` when it ended otherwise, or the paper was signed; `invalid_fields` for one
/// that is said to be lost while it may still come into a box, or to be given back after the end; what [`may_lose`] refuses.
pub async fn end_sheet(tx: &Tx, actor: &Actor, (id, serial, input): (VoteId, i32, EndSheet)) -> Result<SheetView> {
    let vote = queries::going(tx, id).await?;
    let is_over = vote.state == queries::COUNTING_PAPER;
    let allowed = if is_over { office::require_either(actor, &vote) } else { office::require(actor, &vote) };
    if !office::sees_it_through(tx, actor, &vote) {
        allowed?;
    }
    let row = paper_sheet::Entity::find_by_id((id, serial)).one(tx).await?.ok_or(Code::NotFound)?;
    let end = input.outcome.as_str();
    if row.state == end {
        // sent again because the answer was lost
        return sheet_view(tx, row).await;
    }
    if row.state != ISSUED || !(is_over || vote.state == queries::OPEN) {
        return Err(Code::WrongState.into());
    }
    let mut checks = Checks::default();
    checks.require(input.outcome != SheetEnd::Lost || is_over, "outcome", "not_over_yet");
    // between the end and the count, too: what comes back then may have been in a box
    let in_time = !is_over && tx.now() < vote.closes_at;
    checks.require(input.outcome == SheetEnd::Lost || in_time, "outcome", "only_lost_now");
    checks.done()?;
    if is_over {
        may_lose(tx, actor, &vote).await?;
    }
    let entry = roll_entry::Entity::find_by_id((id, row.number)).one(tx).await?;
    let entry = entry.ok_or_else(|| Error::broken("a sheet without its elector"))?;
    turn(tx, &entry, (&row.channel_before, row.before_cast_by)).await?;
    let ended = paper_sheet::Entity::update_many()
        .col_expr(paper_sheet::Column::State, Expr::value(end))
        .col_expr(paper_sheet::Column::EndedBy, Expr::value(actor.person))
        .col_expr(paper_sheet::Column::EndedAt, Expr::value(tx.now()))
        .filter(paper_sheet::Column::VoteId.eq(id))
        .filter(paper_sheet::Column::Serial.eq(serial))
        .filter(paper_sheet::Column::State.eq(ISSUED))
        .exec_with_returning(tx)
        .await?;
    let row = ended.into_iter().next().ok_or(Code::Changed)?;
    let happening = Happening::new(Kind::SheetEnded, id).at(&vote.area_code).by(actor.person);
    let data = json!({ "number": entry.number, "serial": serial, "outcome": end, "person": entry.person_id });
    events::record(tx, happening.with(data)).await?;
    sheet_view(tx, row).await
}

/// Who knows what is in the boxes could void a vote with a sheet that is said to be lost and is not. So one is lost only by
/// who may bend a path, or sees a late counting through, and counted nothing, and once a box is agreed on only while ballots are missing.
///
/// # Errors
/// `not_allowed`; `second_person_needed` for who counted; `wrong_state` while no ballot is missing.
async fn may_lose(tx: &Tx, actor: &Actor, vote: &vote::Model) -> Result<()> {
    if !office::sees_it_through(tx, actor, vote) {
        office::require_bend(actor, vote)?;
    }
    let boxes = boxes(tx, vote.id).await?;
    if has_counted(&boxes, actor.person) {
        return Err(Code::SecondPersonNeeded.into());
    }
    if boxes.iter().all(|one| one.agreed.is_none()) {
        return Ok(());
    }
    match reconcile(&sheets(tx, vote.id).await?, agreed(&boxes)) {
        Reconciled::Short(_) => Ok(()),
        Reconciled::Exact | Reconciled::Over(_) => Err(Code::WrongState.into()),
    }
}
