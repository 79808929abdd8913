//! 不是急事: whoever answers a voice makes it ordinary that was called urgent, and its author reads why.
//!
//! # Why
//! What its author calls urgent wakes people; whoever may call everything so is heard less each time. The promises are then
//! those that it would have had from the beginning, and what was late by them is late. The office above hears of each, by number and
//! kind: who made everything ordinary would be seen.
use chrono::{DateTime, FixedOffset};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Suggestion, clocks,
    commands::{checked, moved, record},
    escalation,
    promises::{self, Urgency},
    queries::{self, SuggestionSummary},
    rows::{downgrade, suggestion},
    rules::{self, Deadline, Step, SuggestionState},
    words,
};
use crate::{
    actor::Actor,
    bodies, clock,
    error::{Checks, Code, Result},
    events::Kind,
    ids::SuggestionId,
    keys::Keys,
    store::Tx,
};

const REASON: std::ops::RangeInclusive<usize> = 2..=500;

/// Why it does not press.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeOrdinary {
    /// 2 to 500 characters; the author is told.
    #[schema(min_length = 2, max_length = 500)]
    pub reason: String,
}

/// That a voice which was called urgent was made ordinary.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MadeOrdinaryView {
    /// The body that said so.
    pub body_name: String,
    /// Why.
    pub reason: String,
    /// When.
    pub made_at: DateTime<FixedOffset>,
}

/// Makes an urgent voice ordinary: nobody is woken any more, and it is promised what an ordinary one is, counted from when it was
/// left, or opened again. Records `suggestion.made_ordinary`, and before it what was late as an urgent one.
///
/// # Errors
/// `not_found`; `not_allowed` for others than the body responsible, and for the author; `wrong_state` when it is not urgent, or
/// is answered; `invalid_fields`.
pub async fn make_ordinary(
    tx: &Tx,
    actor: &Actor,
    (id, input): (SuggestionId, MakeOrdinary),
) -> Result<SuggestionSummary> {
    let row = checked(tx, actor, id, Step::MakeOrdinary).await?;
    let seat = rules::handling_seat(actor, &row).ok_or(Code::NotAllowed)?;
    let mut checks = Checks::default();
    checks.text("reason", input.reason.trim(), REASON);
    checks.done()?;
    let row = clocks::lapsed(tx, row).await?;
    let promise = promises::promise(row.kind, row.category, Urgency::Ordinary);
    let since = row.rated_at.unwrap_or(row.created_at);
    let (accept_due_at, answer_due_at) = (promise.accept.after(tx, since), promise.answer.after(tx, since));
    let warn_at = match row.state {
        SuggestionState::Submitted => promise.accept.reminder(tx, (accept_due_at, rules::WARN_ACCEPT_WORKING_DAYS)),
        _ => promise.answer.reminder(tx, (answer_due_at, rules::WARN_ANSWER_WORKING_DAYS)),
    };
    let overdue = row.overdue.filter(|passed| match passed {
        Deadline::Accept => accept_due_at <= tx.now(),
        Deadline::Answer => answer_due_at <= tx.now(),
    });
    let made = suggestion::ActiveModel {
        urgency: Set(Urgency::Ordinary),
        accept_due_at: Set(accept_due_at),
        answer_due_at: Set(answer_due_at),
        calendar_version: Set(tx.calendar().version().to_owned()),
        warn_at: Set(warn_at),
        overdue: Set(overdue),
        supervise_at: Set(row.supervise_at.filter(|_| overdue == Some(Deadline::Answer))),
        ..Default::default()
    };
    let row = moved(tx, &row, made).await?;
    let kept = downgrade::ActiveModel {
        suggestion_id: Set(id),
        body_id: Set(seat.body_id),
        person_id: Set(actor.person),
        reason: Set(words::seal(tx, &row, "downgrade", input.reason.trim()).await?),
        made_at: Set(tx.now()),
    };
    kept.insert(tx).await?;
    let mut data = json!({ "body": seat.body_id });
    if let Some(office) = escalation::next(tx, &row, tx.now()).await? {
        data["office"] = json!(office);
    }
    record(tx, Kind::SuggestionMadeOrdinary, &row, Some(actor), data).await?;
    queries::summary(tx, row).await
}

/// That a voice was made ordinary, if it was, and why.
pub(super) async fn of_voice(
    db: &impl ConnectionTrait,
    keys: &Keys,
    of: &Suggestion,
) -> Result<Option<MadeOrdinaryView>> {
    let Some(row) = downgrade::Entity::find_by_id(of.id).one(db).await? else { return Ok(None) };
    let opened = words::keys_of(db, keys, &[of]).await?;
    Ok(Some(MadeOrdinaryView {
        body_name: bodies::queries::name(db, row.body_id).await?,
        reason: words::said(&opened, of, ("downgrade", &row.reason))?,
        made_at: clock::local(row.made_at),
    }))
}

/// What was said about these voices is blanked: it was kept before voices were sealed.
pub(super) async fn blank(tx: &Tx, voices: &[SuggestionId]) -> Result<()> {
    downgrade::Entity::update_many()
        .col_expr(downgrade::Column::Reason, Expr::value(""))
        .filter(downgrade::Column::SuggestionId.is_in(voices.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}
