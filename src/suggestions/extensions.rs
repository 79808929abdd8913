//! 延期: more days for what is hard, asked by the body responsible and given by the office above, once.
use chrono::{DateTime, FixedOffset};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DeriveActiveEnum, EntityTrait, EnumIter, QueryFilter, QueryOrder,
    Set, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Suggestion, asked, clocks,
    commands::{checked, moved, record},
    escalation,
    queries::{self, SuggestionSummary},
    rows::{extension, suggestion},
    rules::{self, Step, SuggestionKind, SuggestionState},
    words,
};
use crate::{
    actor::Actor,
    bodies, clock,
    error::{Checks, Code, Result},
    events::Kind,
    ids::{ExtensionId, SuggestionId},
    keys::Keys,
    store::Tx,
};

const REASON: std::ops::RangeInclusive<usize> = 2..=500;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ExtensionState {
    /// The office above has not said anything yet.
    Asked,
    /// More days were given.
    Granted,
    /// They were not.
    Refused,
    /// It was answered, or passed on, before anybody said anything.
    Ended,
}

/// Why it takes longer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskExtension {
    /// 2 to 500 characters; the author reads it, too.
    #[schema(min_length = 2, max_length = 500)]
    pub reason: String,
}

/// What the office above says.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideExtension {
    /// Does it get fifteen working days, counted from when it was accepted, or opened again?
    pub approve: bool,
    /// 2 to 500 characters; the author reads it, too.
    #[schema(min_length = 2, max_length = 500)]
    pub reason: String,
}

/// That more days were asked for, for the author and those who handle the voice.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExtensionView {
    /// Its id.
    pub id: ExtensionId,
    /// The office that decides.
    pub office_name: String,
    /// Why it takes longer.
    pub reason: String,
    /// What came of it.
    pub state: ExtensionState,
    /// What the office said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// When it was asked.
    pub asked_at: DateTime<FixedOffset>,
}

/// A request for more days, for the office above: not the voice's words, and not whose it is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExtensionRequest {
    /// Its id.
    pub id: ExtensionId,
    /// The voice's number.
    pub number: String,
    /// What is wanted.
    pub kind: SuggestionKind,
    /// Code of the village.
    pub area_code: String,
    /// The body responsible.
    pub body_name: String,
    /// Why it takes longer.
    pub reason: String,
    /// To be answered before this moment as yet.
    pub answer_due_at: DateTime<FixedOffset>,
}

/// Asks the office above for fifteen working days in all. The deadline stands until it says yes. Records
/// `suggestion.extension_asked`.
///
/// # Errors
/// `not_found`; `not_allowed` for others than the body responsible; `wrong_state` unless accepted, when hours were promised,
/// for a praise, when the deadline has passed, when it was asked since it was opened, and where there is no office above;
/// `invalid_fields`.
pub async fn ask(tx: &Tx, actor: &Actor, (id, input): (SuggestionId, AskExtension)) -> Result<SuggestionSummary> {
    let row = checked(tx, actor, id, Step::Extend).await?;
    let mut checks = Checks::default();
    checks.text("reason", input.reason.trim(), REASON);
    checks.done()?;
    if row.answer_due_at <= tx.now() {
        return Err(Code::WrongState.into());
    }
    let office = escalation::next(tx, &row, tx.now()).await?.ok_or(Code::WrongState)?;
    let asked = suggestion::ActiveModel {
        asks_office: Set(Some(office)),
        days_asked_at: Set(Some(tx.now())),
        ..Default::default()
    };
    let row = moved(tx, &row, asked).await?;
    let kept = extension::ActiveModel {
        id: Set(ExtensionId::new()),
        suggestion_id: Set(id),
        body_id: Set(row.body_id),
        office_id: Set(office),
        reason: Set(words::seal(tx, &row, "extension", input.reason.trim()).await?),
        state: Set(ExtensionState::Asked),
        asked_by: Set(actor.person),
        asked_at: Set(tx.now()),
        ..Default::default()
    };
    let kept = kept.insert(tx).await?;
    let data = json!({ "extension": kept.id, "office": office });
    record(tx, Kind::SuggestionExtensionAsked, &row, Some(actor), data).await?;
    queries::summary(tx, row).await
}

/// Gives the days, or does not. Records `suggestion.extended` or `suggestion.extension_refused`.
///
/// # Errors
/// `not_found` for who does not sit in the office that is asked; `not_allowed` for who does not speak for it;
/// `wrong_state` when it is over, and when the days would give none: the author is not told of more that are none;
/// `invalid_fields`.
pub async fn decide(tx: &Tx, actor: &Actor, (id, input): (ExtensionId, DecideExtension)) -> Result<()> {
    let asked = extension::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let row = queries::row(tx, asked.suggestion_id).await?.ok_or(Code::NotFound)?;
    rules::speaking_seat(actor, &row, asked.office_id)?;
    let mut checks = Checks::default();
    checks.text("reason", input.reason.trim(), REASON);
    checks.done()?;
    if asked.state != ExtensionState::Asked || row.state != SuggestionState::Accepted {
        return Err(Code::WrongState.into());
    }
    let answer = words::seal(tx, &row, "extension answer", input.reason.trim()).await?;
    let row = if input.approve { clocks::lapsed(tx, row).await? } else { row };
    let mut change = suggestion::ActiveModel { asks_office: Set(None), ..Default::default() };
    if input.approve {
        // since it was taken care of, or since "not solved" opened it again
        let since = row.accepted_at.max(row.rated_at).unwrap_or(row.created_at);
        let due_at = tx.calendar().add_working_days(since, rules::MOST_WORKING_DAYS);
        if due_at <= row.answer_due_at.max(tx.now()) {
            return Err(Code::WrongState.into());
        }
        change.answer_due_at = Set(due_at);
        change.calendar_version = Set(tx.calendar().version().to_owned());
        change.warn_at = Set(clocks::warning(tx, due_at, rules::WARN_ANSWER_WORKING_DAYS));
        // that it was late already stays in the record, and who watches that looks again when the days are over
        change.supervise_at = Set(row.supervise_at.map(|_| due_at));
    }
    let row = moved(tx, &row, change).await?;
    let state = if input.approve { ExtensionState::Granted } else { ExtensionState::Refused };
    let decided = extension::ActiveModel {
        id: Set(id),
        state: Set(state),
        answer: Set(Some(answer)),
        decided_by: Set(Some(actor.person)),
        decided_at: Set(Some(tx.now())),
        ..Default::default()
    };
    decided.update(tx).await?;
    let kind = if input.approve { Kind::SuggestionExtended } else { Kind::SuggestionExtensionRefused };
    let data = json!({ "extension": id, "office": asked.office_id });
    record(tx, kind, &row, Some(actor), data).await
}

/// Ends the request that is open, if any: the voice was answered, or went to another body.
pub(super) async fn end_open(tx: &Tx, row: Suggestion) -> Result<Suggestion> {
    if row.asks_office.is_none() {
        return Ok(row);
    }
    extension::Entity::update_many()
        .col_expr(extension::Column::State, Expr::value("ended"))
        .col_expr(extension::Column::DecidedAt, Expr::value(tx.now()))
        .filter(extension::Column::SuggestionId.eq(row.id))
        .filter(extension::Column::State.eq(ExtensionState::Asked))
        .exec(tx)
        .await?;
    moved(tx, &row, suggestion::ActiveModel { asks_office: Set(None), ..Default::default() }).await
}

/// Requests of a voice, oldest first.
pub(super) async fn of_voice(db: &impl ConnectionTrait, keys: &Keys, of: &Suggestion) -> Result<Vec<ExtensionView>> {
    let rows = extension::Entity::find()
        .filter(extension::Column::SuggestionId.eq(of.id))
        .order_by_asc(extension::Column::AskedAt)
        .all(db)
        .await?;
    let names = bodies::queries::names(db, rows.iter().map(|row| row.office_id).collect()).await?;
    let opened = words::keys_of(db, keys, &[of]).await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        let answer = row.answer.as_deref().map(|kept| words::said(&opened, of, ("extension answer", kept)));
        views.push(ExtensionView {
            id: row.id,
            office_name: names.get(&row.office_id).cloned().unwrap_or_default(),
            reason: words::said(&opened, of, ("extension", &row.reason))?,
            state: row.state,
            answer: answer.transpose()?,
            asked_at: clock::local(row.asked_at),
        });
    }
    Ok(views)
}

/// Requests to an office for which the actor speaks, with the voice, the most urgent first, 100 at most. Never about the
/// actor's own voice, nor about one that is about the actor.
pub(super) async fn waiting(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<(extension::Model, Suggestion)>> {
    let voices = asked::voices(db, actor, suggestion::Column::AsksOffice).await?;
    let open = extension::Entity::find()
        .filter(extension::Column::SuggestionId.is_in(voices.iter().map(|voice| voice.id)))
        .filter(extension::Column::State.eq(ExtensionState::Asked))
        .all(db)
        .await?;
    Ok(asked::beside(voices, &open, |row| row.suggestion_id))
}

/// Requests to an office for which the actor speaks, the most urgent first, 100 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn requests(db: &impl ConnectionTrait, keys: &Keys, actor: &Actor) -> Result<Vec<ExtensionRequest>> {
    let asked = waiting(db, actor).await?;
    let names = bodies::queries::names(db, asked.iter().map(|(row, _)| row.body_id).collect()).await?;
    let voices: Vec<&Suggestion> = asked.iter().map(|(_, voice)| voice).collect();
    let opened = words::keys_of(db, keys, &voices).await?;
    let mut requests = Vec::with_capacity(asked.len());
    for (row, voice) in &asked {
        requests.push(ExtensionRequest {
            id: row.id,
            kind: voice.kind,
            area_code: voice.area_code.clone(),
            body_name: names.get(&row.body_id).cloned().unwrap_or_default(),
            reason: words::said(&opened, voice, ("extension", &row.reason))?,
            answer_due_at: clock::local(voice.answer_due_at),
            number: voice.number.clone(),
        });
    }
    Ok(requests)
}

/// What was said about these voices is blanked: it was kept before voices were sealed.
pub(super) async fn blank(tx: &Tx, voices: &[SuggestionId]) -> Result<()> {
    extension::Entity::update_many()
        .col_expr(extension::Column::Reason, Expr::value(""))
        .col_expr(extension::Column::Answer, Expr::value(None::<String>))
        .filter(extension::Column::SuggestionId.is_in(voices.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}
