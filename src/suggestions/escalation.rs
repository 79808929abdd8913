//! What was not solved twice goes to the office above, which is responsible from then on.
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Set};
use serde_json::json;

use super::{
    Suggestion, about,
    commands::{promised, record},
    rows::suggestion,
    rules::{self, SuggestionState},
};
use crate::{bodies, error::Result, events::Kind, ids::BodyId, store::Tx, streams};

/// The office that becomes responsible when the answer is "not solved" once more; `None` while the same body tries again, and
/// where there is no office above.
pub(super) async fn after(tx: &Tx, row: &Suggestion) -> Result<Option<BodyId>> {
    if !rules::goes_up(row.unsolved + 1) {
        return Ok(None);
    }
    next(tx, row, tx.now()).await
}

/// The nearest office above the body responsible that it is not about.
pub(super) async fn next(db: &impl ConnectionTrait, row: &Suggestion, now: DateTime<Utc>) -> Result<Option<BodyId>> {
    let accused = about::kept_from(db, row, now).await?;
    above(db, (row.body_id, &row.area_code), (&accused, now)).await
}

/// The nearest office above a body for which somebody speaks, past some; one for which nobody does, where there is no other.
pub(super) async fn above(
    db: &impl ConnectionTrait,
    (body, area): (BodyId, &str),
    (past, now): (&[BodyId], DateTime<Utc>),
) -> Result<Option<BodyId>> {
    let own = bodies::queries::get(db, body).await?;
    let widest = own.areas.iter().map(String::len).min().unwrap_or_default();
    let mut offices = Vec::new();
    for kind in rules::above(own.kind.as_str(), widest) {
        let office = bodies::queries::of_kind(db, *kind, area).await?;
        offices.extend(office.filter(|office| *office != body && !past.contains(office)));
    }
    let spoken_for = bodies::queries::spoken_for(db, &offices, now).await?;
    Ok(offices.iter().find(|office| spoken_for.contains(*office)).or(offices.first()).copied())
}

/// New days for the same body; or, for the one above, everything from the beginning.
pub(super) fn open_again(tx: &Tx, row: &Suggestion, above: Option<BodyId>, change: &mut suggestion::ActiveModel) {
    change.answered_at = Set(None);
    let promise = promised(row);
    let (answer, accept) = (promise.answer.until(tx), promise.accept.until(tx));
    change.answer_due_at = Set(answer);
    change.calendar_version = Set(tx.calendar().version().to_owned());
    change.overdue = Set(None);
    change.late_body_id = Set(None);
    change.supervise_at = Set(None);
    change.days_asked_at = Set(None);
    change.warn_at = Set(promise.answer.reminder(tx, (answer, rules::WARN_ANSWER_WORKING_DAYS)));
    change.state = Set(SuggestionState::Accepted);
    change.unsolved = Set(row.unsolved + 1);
    let Some(body) = above else { return };
    change.state = Set(SuggestionState::Submitted);
    change.unsolved = Set(0);
    change.level = Set(row.level + 1);
    change.body_id = Set(body);
    change.assignee_id = Set(None);
    change.accepted_at = Set(None);
    change.accept_due_at = Set(accept);
    change.warn_at = Set(promise.accept.reminder(tx, (accept, rules::WARN_ACCEPT_WORKING_DAYS)));
}

/// The thread goes along, and whoever had it before is no longer in it. Records `suggestion.escalated`.
pub(super) async fn hand_over(tx: &Tx, before: &Suggestion, now: &Suggestion) -> Result<()> {
    streams::commands::give(tx, now.stream_id, now.body_id).await?;
    let data = json!({ "from": before.body_id, "to": now.body_id, "level": now.level });
    record(tx, Kind::SuggestionEscalated, now, None, data).await
}
