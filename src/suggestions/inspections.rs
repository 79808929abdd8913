//! How whoever runs the county opens a voice that is not public: by its number, with a reason that its author reads.
//!
//! # Why
//! An operator handles no voices; yet a complaint about a handler, or a danger to somebody, must be looked at by someone
//! above. The reason is asked before anything is shown, stands in the author's list of who opened it, and is told to the
//! author; by midnight the door is closed again. The thread stays closed, and names stay masked.
use chrono::{DateTime, FixedOffset};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Suggestion,
    commands::record,
    queries::{self, Shown, SuggestionAnswerView, SuggestionSummary},
    readings::Opening,
    rows::{reading, suggestion},
    rules::{self, Sight},
    words,
};
use crate::{
    actor::Actor,
    app::App,
    clock,
    error::{Checks, Code, Result},
    events::Kind,
    ids::SuggestionId,
    people,
    rights::{self, Right},
    store::Tx,
};

/// Characters of a reason.
const REASON: std::ops::RangeInclusive<usize> = 10..=300;
/// Bytes of all reasons of one day.
const REASONS_OF_A_DAY: usize = 8000;
/// Openings shown to those who run the county.
const SHOWN: u64 = 50;

/// What is asked before a voice is opened.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inspect {
    /// The number that people read out.
    pub number: String,
    /// Why; the author reads it.
    pub reason: String,
}

/// How the voice is open to the one who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Inspected {
    /// It was already: public, one's own, or one that one handles. Nothing was written down.
    Anyway(SuggestionId),
    /// From now on until midnight.
    Today(SuggestionId),
}

/// A voice, as it is shown for a reason.
#[derive(Clone, Debug)]
pub struct InspectedVoice {
    /// With its words; the author's name is masked.
    pub summary: SuggestionSummary,
    /// Its answers.
    pub answers: Vec<SuggestionAnswerView>,
    /// The reason given.
    pub reason: String,
}

/// That a voice was opened for a reason.
#[derive(Clone, Debug)]
pub struct InspectionView {
    /// The voice's number.
    pub number: String,
    /// Code of its village.
    pub area_code: String,
    /// Who opened it.
    pub person_name: String,
    /// In which body's seat.
    pub body_name: String,
    /// Why.
    pub reason: String,
    /// When.
    pub first_at: DateTime<FixedOffset>,
}

/// Writes down who wants to see a voice and why. Records `suggestion.inspected`.
///
/// # Errors
/// `not_found` without the right; `invalid_fields` for a number that is none of the county's.
pub async fn inspect(tx: &Tx, actor: &Actor, input: Inspect) -> Result<Inspected> {
    if rights::areas_with(actor, Right::OperateCounty).is_empty() {
        return Err(Code::NotFound.into());
    }
    let reason = input.reason.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut checks = Checks::default();
    checks.text("reason", &reason, REASON);
    let row = suggestion::Entity::find().filter(suggestion::Column::Number.eq(input.number.trim())).one(tx).await?;
    let row = row.filter(|row| operates(actor, row) && !rules::is_about(actor, row));
    checks.require(row.is_some(), "number", "unknown");
    checks.done()?;
    let row = row.ok_or(Code::NotFound)?;
    let standing = rules::standing(actor, &row);
    if rules::sight(row.visibility, standing) != Sight::Hidden && rules::sees_media(&row, standing) {
        return Ok(Inspected::Anyway(row.id));
    }
    write_down(tx, actor, &row, reason).await?;
    Ok(Inspected::Today(row.id))
}

fn operates(actor: &Actor, row: &Suggestion) -> bool {
    rights::may(actor, Right::OperateCounty, &row.area_code)
}

/// The first reason of a day, or one more: none is lost.
async fn write_down(tx: &Tx, actor: &Actor, row: &Suggestion, reason: String) -> Result<()> {
    let seat = rights::require(actor, Right::OperateCounty, &row.area_code)?;
    let day = clock::local_date(tx.now());
    if let Some(earlier) = reading::Entity::find_by_id((row.id, actor.person, day)).one(tx).await? {
        let reasons = earlier.reason.into_iter().chain([reason]).collect::<Vec<_>>().join("\n");
        if reasons.len() > REASONS_OF_A_DAY {
            return Err(Code::TooManyRequests.into());
        }
        let again = reading::Entity::update_many()
            .col_expr(reading::Column::Times, Expr::col(reading::Column::Times).add(1))
            .col_expr(reading::Column::Reason, Expr::value(reasons))
            .filter(reading::Column::SuggestionId.eq(row.id))
            .filter(reading::Column::PersonId.eq(actor.person))
            .filter(reading::Column::Day.eq(day))
            // not over a reason that was given meanwhile
            .filter(reading::Column::Times.eq(earlier.times))
            .exec(tx)
            .await?;
        if again.rows_affected != 1 {
            return Err(Code::Changed.into());
        }
    } else {
        let first = reading::ActiveModel {
            suggestion_id: Set(row.id),
            person_id: Set(actor.person),
            day: Set(day),
            body_name: Set(seat.body_name.clone()),
            first_at: Set(tx.now()),
            times: Set(1),
            reason: Set(Some(reason)),
        };
        first.insert(tx).await?;
    }
    record(tx, Kind::SuggestionInspected, row, Some(actor), json!({ "day": day })).await
}

/// The reason that the actor gave today, while the seat lasts.
async fn reason_of_today(app: &App, actor: &Actor, row: &Suggestion) -> Result<Option<String>> {
    if !operates(actor, row) {
        return Ok(None);
    }
    let day = clock::local_date(app.now());
    let today = reading::Entity::find_by_id((row.id, actor.person, day)).one(app.store.read()).await?;
    Ok(today.and_then(|row| row.reason))
}

/// Lets in whoever gave a reason today, to the photos and clips alone: the voice itself has a page of its own.
///
/// # Errors
/// `not_found` for everybody else.
pub(super) async fn let_in(app: &App, actor: &Actor, row: &Suggestion, what: Opening) -> Result<()> {
    let reason = if what == Opening::Attachment { reason_of_today(app, actor, row).await? } else { None };
    reason.map(drop).ok_or_else(|| Code::NotFound.into())
}

/// The voice, for whoever gave a reason today.
///
/// # Errors
/// `not_found` for everybody else.
pub async fn inspected(app: &App, actor: &Actor, id: SuggestionId) -> Result<InspectedVoice> {
    let db = app.store.read();
    let row = queries::row(db, id).await?.ok_or(Code::NotFound)?;
    let reason = reason_of_today(app, actor, &row).await?.ok_or(Code::NotFound)?;
    let author = people::queries::name(db, row.author_id).await?;
    let row = words::open(db, &app.keys, vec![row]).await?.pop().ok_or(Code::NotFound)?;
    let answers = queries::answers(db, &app.keys, &row).await?;
    let summary = queries::summaries(db, vec![row], Shown::All).await?.pop().ok_or(Code::NotFound)?;
    let author_name = Some(people::mask_name(&author));
    Ok(InspectedVoice { summary: SuggestionSummary { author_name, ..summary }, answers, reason })
}

/// The newest openings for a reason in what the actor runs, whoever opened: operators see one another.
///
/// # Errors
/// When the database cannot be read.
pub async fn inspections(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<InspectionView>> {
    let rows = reading::Entity::find()
        .filter(reading::Column::Reason.is_not_null())
        .order_by_desc(reading::Column::FirstAt)
        .limit(SHOWN)
        .all(db)
        .await?;
    let voices = suggestion::Entity::find()
        .filter(suggestion::Column::Id.is_in(rows.iter().map(|row| row.suggestion_id)))
        .all(db)
        .await?;
    let names = people::queries::names(db, rows.iter().map(|row| row.person_id).collect()).await?;
    let show = |row: reading::Model| {
        let voice = voices
            .iter()
            .find(|voice| voice.id == row.suggestion_id)
            .filter(|voice| operates(actor, voice) && !rules::is_about(actor, voice))?;
        Some(InspectionView {
            number: voice.number.clone(),
            area_code: voice.area_code.clone(),
            person_name: names.get(&row.person_id).cloned().unwrap_or_default(),
            body_name: row.body_name,
            reason: row.reason?,
            first_at: clock::local(row.first_at),
        })
    };
    Ok(rows.into_iter().filter_map(show).collect())
}
