//! 转办: the body responsible passes a voice on. It stays responsible until the other takes it (首接负责); whoever does not
//! take it says who should.
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DeriveActiveEnum, EntityTrait, EnumIter, PaginatorTrait,
    QueryFilter, Set, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

pub use super::offers::{ReferralOffer, ReferralView, choices, instead, offers};
use super::{
    Suggestion, about, assists, clocks,
    commands::{checked, join_public_thread, moved, promised, record},
    extensions,
    queries::{self, SuggestionSummary},
    routing,
    rows::{referral, suggestion},
    rules::{self, Deadline, Step, SuggestionState},
    words,
};
use crate::{
    actor::{Actor, HeldSeat},
    bodies::queries::Body,
    error::{Checks, Code, Result},
    events::Kind,
    ids::{BodyId, ReferralId, SuggestionId},
    store::Tx,
    streams,
};

const REASON: std::ops::RangeInclusive<usize> = 2..=500;
/// So often bodies are asked to take a voice; then the county's office is asked, and what it says holds.
const MOST: u64 = 5;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ReferralState {
    /// The other has not said anything yet.
    Offered,
    /// The other has it.
    Accepted,
    /// The other did not take it.
    Refused,
    /// The body responsible keeps it.
    Ended,
}

/// To whom it is to go, and why.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferSuggestion {
    /// A body of the voice's area or above it.
    pub body_id: BodyId,
    /// 2 to 500 characters; the author reads it, too.
    #[schema(min_length = 2, max_length = 500)]
    pub reason: String,
}

/// Why it is not taken, and who should.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefuseReferral {
    /// 2 to 500 characters; the author reads it, too.
    #[schema(min_length = 2, max_length = 500)]
    pub reason: String,
    /// The body that should have it; the one responsible, if it should keep it.
    pub next_body_id: BodyId,
}

/// Asks another body to take a voice; the asking one stays responsible. After five times it is the county's office that is
/// asked, and what it says holds. Records `suggestion.referral_offered`.
///
/// # Errors
/// `not_found`; `not_allowed` for others than the body responsible; `wrong_state` when it is answered, or another was
/// asked already; `invalid_fields` for a body that cannot take it.
pub async fn refer(tx: &Tx, actor: &Actor, (id, input): (SuggestionId, ReferSuggestion)) -> Result<SuggestionSummary> {
    let row = checked(tx, actor, id, Step::Refer).await?;
    let asked = times(tx, id).await?;
    let can =
        targets(tx, &row, tx.now()).await?.iter().any(|body| body.id == input.body_id && is_next(&row, body, asked));
    let mut checks = Checks::default();
    checks.text("reason", input.reason.trim(), REASON);
    checks.require(can, "body_id", if asked < MOST { "cannot_take_it" } else { "county_decides" });
    checks.done()?;
    let offered = suggestion::ActiveModel { offered_to: Set(Some(input.body_id)), ..Default::default() };
    let row = moved(tx, &row, offered).await?;
    let kept = referral::ActiveModel {
        id: Set(ReferralId::new()),
        suggestion_id: Set(id),
        from_body_id: Set(row.body_id),
        to_body_id: Set(input.body_id),
        reason: Set(words::seal(tx, &row, "referral", input.reason.trim()).await?),
        state: Set(ReferralState::Offered),
        offered_by: Set(actor.person),
        offered_at: Set(tx.now()),
        ..Default::default()
    };
    let kept = kept.insert(tx).await?;
    let data = json!({ "referral": kept.id, "from": row.body_id, "to": input.body_id });
    record(tx, Kind::SuggestionReferralOffered, &row, Some(actor), data).await?;
    queries::summary(tx, row).await
}

/// How often others were asked to take it.
pub(super) async fn times(db: &impl ConnectionTrait, id: SuggestionId) -> Result<u64> {
    Ok(referral::Entity::find().filter(referral::Column::SuggestionId.eq(id)).count(db).await?)
}

/// Can it be asked to take the voice now, after so many were?
pub(super) fn is_next(row: &Suggestion, body: &Body, asked: u64) -> bool {
    let is_turn = asked < MOST || (asked == MOST && body.kind.as_str() == "county_office");
    body.id != row.body_id && is_turn
}

/// Bodies that can be given this voice, the nearest first: none that it is kept from.
pub(super) async fn targets(db: &impl ConnectionTrait, row: &Suggestion, now: DateTime<Utc>) -> Result<Vec<Body>> {
    let found = routing::targets(db, &row.area_code, (row.visibility, now)).await?;
    past_accused(db, row, (found, now)).await
}

/// Those of the bodies that can be given what is left in its place.
pub(super) async fn past_accused(
    db: &impl ConnectionTrait,
    row: &Suggestion,
    (mut found, now): (Vec<Body>, DateTime<Utc>),
) -> Result<Vec<Body>> {
    let accused = about::kept_from(db, row, now).await?;
    found.retain(|body| !accused.contains(&body.id));
    found.sort_by_key(|body| std::cmp::Reverse(body.areas.iter().map(String::len).max()));
    Ok(found)
}

/// Was it ever another's than whose it is now? A voice that the county's routes give to a body at once was not.
pub(super) async fn was_passed_on(db: &impl ConnectionTrait, row: &Suggestion) -> Result<bool> {
    let others = referral::Entity::find()
        .filter(referral::Column::SuggestionId.eq(row.id))
        .filter(referral::Column::FromBodyId.ne(row.body_id));
    Ok(others.count(db).await? > 0)
}

/// The open offer, its voice, and the seat by which the actor speaks for the body that is asked.
async fn offered<'a>(tx: &Tx, actor: &'a Actor, id: ReferralId) -> Result<(referral::Model, Suggestion, &'a HeldSeat)> {
    let offer = referral::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let row = queries::row(tx, offer.suggestion_id).await?.ok_or(Code::NotFound)?;
    let seat = rules::speaking_seat(actor, &row, offer.to_body_id)?;
    if offer.state != ReferralState::Offered {
        return Err(Code::WrongState.into());
    }
    Ok((offer, row, seat))
}

async fn decided(tx: &Tx, actor: Option<&Actor>, offer: referral::Model, change: referral::ActiveModel) -> Result<()> {
    let row = referral::ActiveModel {
        id: Set(offer.id),
        decided_by: Set(actor.map(|actor| actor.person)),
        decided_at: Set(Some(tx.now())),
        ..change
    };
    row.update(tx).await?;
    Ok(())
}

/// Takes a voice: from now on the body is responsible, with the thread, the rights and the deadlines as they are. Records
/// `suggestion.referred`.
///
/// # Errors
/// `not_found` for who does not sit in the body that is asked; `not_allowed` for who does not speak for it; `wrong_state`
/// when it is over, and when the body can no longer be given it.
pub async fn accept(tx: &Tx, actor: &Actor, id: ReferralId) -> Result<SuggestionSummary> {
    let (offer, row, _) = offered(tx, actor, id).await?;
    // somebody whom it is about may have come to sit there since
    if !targets(tx, &row, tx.now()).await?.iter().any(|body| body.id == offer.to_body_id) {
        return Err(Code::WrongState.into());
    }
    let row = clocks::lapsed(tx, row).await?;
    // whoever takes it takes care of it; until when it is answered stays what was promised
    let taken = suggestion::ActiveModel {
        state: Set(SuggestionState::Accepted),
        accepted_at: Set(row.accepted_at.or(Some(tx.now()))),
        overdue: Set(row.overdue.filter(|passed| *passed == Deadline::Answer)),
        warn_at: Set(promised(&row).answer.reminder(tx, (row.answer_due_at, rules::WARN_ANSWER_WORKING_DAYS))),
        ..Default::default()
    };
    let now = give(tx, actor, (&row, offer.to_body_id), taken).await?;
    let state = referral::ActiveModel { state: Set(ReferralState::Accepted), ..Default::default() };
    decided(tx, Some(actor), offer, state).await?;
    let data = json!({ "referral": id, "from": row.body_id, "to": now.body_id });
    record(tx, Kind::SuggestionReferred, &now, Some(actor), data).await?;
    join_public_thread(tx, &now, actor.person).await?;
    queries::summary(tx, now).await
}

/// The voice goes to another body; the thread goes along, and whoever handled it before is no longer in it. What is late
/// already is looked at again: the office above whoever has it now is told when it stays so.
async fn give(
    tx: &Tx,
    actor: &Actor,
    (row, to): (&Suggestion, BodyId),
    mut change: suggestion::ActiveModel,
) -> Result<Suggestion> {
    if row.answer_due_at <= tx.now() {
        change.supervise_at = Set(Some(clocks::supervision(tx)));
    }
    let change = suggestion::ActiveModel {
        body_id: Set(to),
        offered_to: Set(None),
        handed: Set(row.handed + 1),
        assignee_id: Set(None),
        ..change
    };
    let now = moved(tx, row, change).await?;
    let now = extensions::end_open(tx, now).await?;
    assists::end_of_owner(tx, actor, &now).await?;
    streams::commands::give(tx, now.stream_id, to).await?;
    Ok(now)
}

/// Does not take a voice, and says why and who should; the county's office, asked last, decides by that. Records
/// `suggestion.referral_refused`, or `suggestion.referred` when it was decided.
///
/// # Errors
/// As [`accept`]; `invalid_fields` without a reason or with a body that cannot take it either.
pub async fn refuse(tx: &Tx, actor: &Actor, (id, input): (ReferralId, RefuseReferral)) -> Result<()> {
    let (offer, row, seat) = offered(tx, actor, id).await?;
    let next = input.next_body_id;
    let others = targets(tx, &row, tx.now()).await?;
    // whoever has it can keep it, whoever speaks for it now
    let can = next != seat.body_id && (next == row.body_id || others.iter().any(|body| body.id == next));
    let mut checks = Checks::default();
    checks.text("reason", input.reason.trim(), REASON);
    checks.require(can, "next_body_id", "cannot_take_it");
    checks.done()?;
    let is_decided = times(tx, row.id).await? > MOST && next != row.body_id;
    let change = referral::ActiveModel {
        state: Set(ReferralState::Refused),
        answer: Set(Some(words::seal(tx, &row, "refusal", input.reason.trim()).await?)),
        next_body_id: Set(Some(next)),
        ..Default::default()
    };
    let asked = offer.to_body_id;
    decided(tx, Some(actor), offer, change).await?;
    if is_decided {
        let row = clocks::lapsed(tx, row).await?;
        let now = give(tx, actor, (&row, next), <suggestion::ActiveModel as Default>::default()).await?;
        let data = json!({ "referral": id, "from": row.body_id, "to": next, "office": asked, "decided": true });
        return record(tx, Kind::SuggestionReferred, &now, Some(actor), data).await;
    }
    let free = suggestion::ActiveModel { offered_to: Set(None), ..Default::default() };
    let row = moved(tx, &row, free).await?;
    let data = json!({ "referral": id, "from": row.body_id, "to": asked, "next": next });
    record(tx, Kind::SuggestionReferralRefused, &row, Some(actor), data).await
}

/// The body responsible keeps a voice after all. Records `suggestion.referral_ended`.
///
/// # Errors
/// `not_found`; `not_allowed` for others than the body responsible; `wrong_state` when nobody is asked.
pub async fn keep(tx: &Tx, actor: &Actor, id: SuggestionId) -> Result<SuggestionSummary> {
    let row = checked(tx, actor, id, Step::Keep).await?;
    let row = end_offer(tx, Some(actor), row).await?;
    queries::summary(tx, row).await
}

/// Ends the offer that is open, if any: the body responsible keeps the voice or has just answered it, or it was erased.
pub(super) async fn end_offer(tx: &Tx, actor: Option<&Actor>, row: Suggestion) -> Result<Suggestion> {
    if row.offered_to.is_none() {
        return Ok(row);
    }
    let open = referral::Entity::find()
        .filter(referral::Column::SuggestionId.eq(row.id))
        .filter(referral::Column::State.eq(ReferralState::Offered))
        .one(tx)
        .await?;
    let free = suggestion::ActiveModel { offered_to: Set(None), ..Default::default() };
    let row = moved(tx, &row, free).await?;
    if let Some(offer) = open {
        let data = json!({ "referral": offer.id, "from": row.body_id, "to": offer.to_body_id });
        let ended = referral::ActiveModel { state: Set(ReferralState::Ended), ..Default::default() };
        decided(tx, actor, offer, ended).await?;
        record(tx, Kind::SuggestionReferralEnded, &row, actor, data).await?;
    }
    Ok(row)
}

/// What was said about these voices when they were passed on is blanked: it was kept before voices were sealed.
pub(super) async fn blank(tx: &Tx, voices: &[SuggestionId]) -> Result<()> {
    referral::Entity::update_many()
        .col_expr(referral::Column::Reason, Expr::value(""))
        .col_expr(referral::Column::Answer, Expr::value(None::<String>))
        .filter(referral::Column::SuggestionId.is_in(voices.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}
