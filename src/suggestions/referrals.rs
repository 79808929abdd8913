//! 转办: the body responsible passes a voice on. It stays responsible until the other takes it (首接负责); whoever does not
//! take it says who should.
use chrono::{DateTime, FixedOffset};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DeriveActiveEnum, EntityTrait, EnumIter, QueryFilter, QueryOrder,
    QuerySelect, Set, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Suggestion,
    commands::{checked, join_public_thread, moved, promised, record},
    extensions,
    queries::{self, SuggestionSummary},
    rows::{referral, suggestion},
    rules::{self, Deadline, Step, SuggestionKind, SuggestionState, Visibility},
    words,
};
use crate::{
    actor::{Actor, HeldSeat},
    bodies::{self, queries::Body},
    clock,
    error::{Checks, Code, Result},
    events::Kind,
    ids::{BodyId, ReferralId, SuggestionId},
    keys::Keys,
    store::Tx,
    streams,
};

const REASON: std::ops::RangeInclusive<usize> = 2..=500;
/// Offers that are listed at once.
const SHOWN: u64 = 100;

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

/// One step of a voice from body to body, for its author and those who handle it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReferralView {
    /// Its id.
    pub id: ReferralId,
    /// The body that was responsible.
    pub from_body_name: String,
    /// The body that was asked.
    pub to_body_name: String,
    /// Why.
    pub reason: String,
    /// What came of it.
    pub state: ReferralState,
    /// Why it was not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Who should have it, as the one that did not take it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_body_name: Option<String>,
    /// When it was asked.
    pub offered_at: DateTime<FixedOffset>,
    /// When it was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<FixedOffset>>,
}

/// A voice that another body wants to pass on to one's own: not its words, and not whose it is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReferralOffer {
    /// Its id.
    pub id: ReferralId,
    /// The voice's number.
    pub number: String,
    /// What is wanted.
    pub kind: SuggestionKind,
    /// Code of the village.
    pub area_code: String,
    /// The body responsible.
    pub from_body_id: BodyId,
    /// Its name.
    pub from_body_name: String,
    /// The own body that is asked.
    pub to_body_name: String,
    /// Why it is to be passed on.
    pub reason: String,
    /// To be answered before this moment, whoever does it.
    pub answer_due_at: DateTime<FixedOffset>,
    /// When it was asked.
    pub offered_at: DateTime<FixedOffset>,
}

/// Asks another body to take a voice; the asking one stays responsible. Records `suggestion.referral_offered`.
///
/// # Errors
/// `not_found`; `not_allowed` for others than the body responsible; `wrong_state` when it is answered, or another was
/// asked already; `invalid_fields` for a body that cannot take it.
pub async fn refer(tx: &Tx, actor: &Actor, (id, input): (SuggestionId, ReferSuggestion)) -> Result<SuggestionSummary> {
    let row = checked(tx, actor, id, Step::Refer).await?;
    let mut checks = Checks::default();
    checks.text("reason", input.reason.trim(), REASON);
    checks.require(takes(tx, &row, input.body_id).await?, "body_id", "cannot_take_it");
    checks.require(input.body_id != row.body_id, "body_id", "cannot_take_it");
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

/// Can this body be given this voice? One that covers its village and answers residents; what is for the town alone comes
/// back to no body of the village.
pub(super) async fn takes(db: &impl ConnectionTrait, row: &Suggestion, id: BodyId) -> Result<bool> {
    let found = bodies::queries::bodies(db, vec![id]).await?;
    Ok(found.iter().any(|body| fits(row, body)))
}

/// Is it a body that answers residents?
#[must_use]
pub fn answers(body: &Body) -> bool {
    rules::takes_voices(body.kind.as_str())
}

fn fits(row: &Suggestion, body: &Body) -> bool {
    let covers = body.areas.iter().any(|code| crate::actor::covers(code, &row.area_code));
    let is_above = body.areas.iter().all(|code| code.len() < row.area_code.len());
    let is_about = row.about_body_id == Some(body.id);
    covers && answers(body) && !is_about && (row.visibility != Visibility::Town || is_above)
}

/// Bodies to which the voice can be passed on, those of the village first.
///
/// # Errors
/// When the database cannot be read.
pub async fn choices(db: &impl ConnectionTrait, row: &SuggestionSummary) -> Result<Vec<Body>> {
    let Some(voice) = queries::row(db, row.id).await? else { return Ok(Vec::new()) };
    let mut found = bodies::queries::over(db, &voice.area_code).await?;
    found.retain(|body| body.id != voice.body_id && fits(&voice, body));
    found.sort_by_key(|body| std::cmp::Reverse(body.areas.iter().map(String::len).max()));
    Ok(found)
}

/// Bodies that may be named by who does not take an offer.
///
/// # Errors
/// When the database cannot be read.
pub async fn instead(db: &impl ConnectionTrait, offer: &ReferralOffer) -> Result<Vec<Body>> {
    let Some(kept) = referral::Entity::find_by_id(offer.id).one(db).await? else { return Ok(Vec::new()) };
    let Some(voice) = queries::row(db, kept.suggestion_id).await? else { return Ok(Vec::new()) };
    let mut found = bodies::queries::over(db, &voice.area_code).await?;
    found.retain(|body| body.id != kept.to_body_id && fits(&voice, body));
    Ok(found)
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

async fn decided(tx: &Tx, actor: &Actor, offer: referral::Model, change: referral::ActiveModel) -> Result<()> {
    let row = referral::ActiveModel {
        id: Set(offer.id),
        decided_by: Set(Some(actor.person)),
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
/// when it is over.
pub async fn accept(tx: &Tx, actor: &Actor, id: ReferralId) -> Result<SuggestionSummary> {
    let (offer, row, _) = offered(tx, actor, id).await?;
    let change = suggestion::ActiveModel {
        body_id: Set(offer.to_body_id),
        offered_to: Set(None),
        handed: Set(row.handed + 1),
        assignee_id: Set(None),
        // whoever takes it takes care of it; until when it is answered stays what was promised
        state: Set(SuggestionState::Accepted),
        accepted_at: Set(row.accepted_at.or(Some(tx.now()))),
        overdue: Set(row.overdue.filter(|passed| *passed == Deadline::Answer)),
        warn_at: Set(promised(&row).answer.reminder(tx, (row.answer_due_at, rules::WARN_ANSWER_WORKING_DAYS))),
        ..Default::default()
    };
    let now = moved(tx, &row, change).await?;
    let now = extensions::end_open(tx, now).await?;
    let state = referral::ActiveModel { state: Set(ReferralState::Accepted), ..Default::default() };
    decided(tx, actor, offer, state).await?;
    streams::commands::give(tx, now.stream_id, now.body_id).await?;
    let data = json!({ "referral": id, "from": row.body_id, "to": now.body_id });
    record(tx, Kind::SuggestionReferred, &now, Some(actor), data).await?;
    join_public_thread(tx, &now, actor.person).await?;
    queries::summary(tx, now).await
}

/// Does not take a voice, and says why and who should. Records `suggestion.referral_refused`.
///
/// # Errors
/// As [`accept`]; `invalid_fields` without a reason or with a body that cannot take it either.
pub async fn refuse(tx: &Tx, actor: &Actor, (id, input): (ReferralId, RefuseReferral)) -> Result<()> {
    let (offer, row, seat) = offered(tx, actor, id).await?;
    let mut checks = Checks::default();
    checks.text("reason", input.reason.trim(), REASON);
    let names_another = input.next_body_id != seat.body_id && takes(tx, &row, input.next_body_id).await?;
    checks.require(names_another, "next_body_id", "cannot_take_it");
    checks.done()?;
    let answer = words::seal(tx, &row, "refusal", input.reason.trim()).await?;
    let free = suggestion::ActiveModel { offered_to: Set(None), ..Default::default() };
    let row = moved(tx, &row, free).await?;
    let data = json!({ "referral": id, "from": row.body_id, "to": offer.to_body_id, "next": input.next_body_id });
    let change = referral::ActiveModel {
        state: Set(ReferralState::Refused),
        answer: Set(Some(answer)),
        next_body_id: Set(Some(input.next_body_id)),
        ..Default::default()
    };
    decided(tx, actor, offer, change).await?;
    record(tx, Kind::SuggestionReferralRefused, &row, Some(actor), data).await
}

/// The body responsible keeps a voice after all. Records `suggestion.referral_ended`.
///
/// # Errors
/// `not_found`; `not_allowed` for others than the body responsible; `wrong_state` when nobody is asked.
pub async fn keep(tx: &Tx, actor: &Actor, id: SuggestionId) -> Result<SuggestionSummary> {
    let row = checked(tx, actor, id, Step::Keep).await?;
    let row = end_offer(tx, actor, row).await?;
    queries::summary(tx, row).await
}

/// Ends the offer that is open, if any: the body responsible keeps the voice, or has just answered it.
pub(super) async fn end_offer(tx: &Tx, actor: &Actor, row: Suggestion) -> Result<Suggestion> {
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
        record(tx, Kind::SuggestionReferralEnded, &row, Some(actor), data).await?;
    }
    Ok(row)
}

/// How a voice went from body to body, oldest first.
pub(super) async fn of_voice(db: &impl ConnectionTrait, keys: &Keys, of: &Suggestion) -> Result<Vec<ReferralView>> {
    let rows = referral::Entity::find()
        .filter(referral::Column::SuggestionId.eq(of.id))
        .order_by_asc(referral::Column::OfferedAt)
        .order_by_asc(referral::Column::Id)
        .all(db)
        .await?;
    let named = rows.iter().flat_map(|row| [Some(row.from_body_id), Some(row.to_body_id), row.next_body_id]);
    let names = bodies::queries::names(db, named.flatten().collect()).await?;
    let name = |id: BodyId| names.get(&id).cloned().unwrap_or_default();
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        let answer = match &row.answer {
            Some(sealed) => Some(words::open_one(db, keys, of, ("refusal", sealed)).await?),
            None => None,
        };
        views.push(ReferralView {
            id: row.id,
            from_body_name: name(row.from_body_id),
            to_body_name: name(row.to_body_id),
            reason: words::open_one(db, keys, of, ("referral", &row.reason)).await?,
            state: row.state,
            answer,
            next_body_name: row.next_body_id.map(name),
            offered_at: clock::local(row.offered_at),
            decided_at: row.decided_at.map(clock::local),
        });
    }
    Ok(views)
}

/// Voices that others want to pass on to a body for which the actor speaks, the most urgent first, 100 at most. Never the
/// actor's own, nor one that is about the actor.
///
/// # Errors
/// When the database cannot be read.
pub async fn offers(db: &impl ConnectionTrait, keys: &Keys, actor: &Actor) -> Result<Vec<ReferralOffer>> {
    let mine: Vec<BodyId> = actor.seats.iter().filter(|seat| rules::speaks(seat)).map(|seat| seat.body_id).collect();
    let voices = suggestion::Entity::find()
        .filter(suggestion::Column::OfferedTo.is_in(mine))
        .filter(suggestion::Column::AuthorId.ne(actor.person))
        .order_by_asc(suggestion::Column::AnswerDueAt)
        .limit(SHOWN)
        .all(db)
        .await?;
    let open = referral::Entity::find()
        .filter(referral::Column::SuggestionId.is_in(voices.iter().map(|voice| voice.id)))
        .filter(referral::Column::State.eq(ReferralState::Offered))
        .all(db)
        .await?;
    let named = open.iter().flat_map(|row| [row.from_body_id, row.to_body_id]);
    let names = bodies::queries::names(db, named.collect()).await?;
    let mut offers = Vec::with_capacity(open.len());
    for voice in voices.into_iter().filter(|voice| !rules::is_about(actor, voice)) {
        let Some(row) = open.iter().find(|row| row.suggestion_id == voice.id) else { continue };
        offers.push(ReferralOffer {
            id: row.id,
            kind: voice.kind,
            area_code: voice.area_code.clone(),
            from_body_id: row.from_body_id,
            from_body_name: names.get(&row.from_body_id).cloned().unwrap_or_default(),
            to_body_name: names.get(&row.to_body_id).cloned().unwrap_or_default(),
            reason: words::open_one(db, keys, &voice, ("referral", &row.reason)).await?,
            answer_due_at: clock::local(voice.answer_due_at),
            offered_at: clock::local(row.offered_at),
            number: voice.number,
        });
    }
    Ok(offers)
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
