//! What time does with a voice: a reminder before a deadline, a mark after it, and then the office above is told.
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Select, Set};
use serde_json::json;
use uuid::Uuid;

use super::{
    Suggestion,
    commands::{moved, record},
    escalation, queries,
    rows::{hiding, suggestion},
    rules::{self, Deadline, SuggestionState},
    words,
};
use crate::{
    error::Result,
    events::Kind,
    ids::{BodyId, SuggestionId},
    store::Tx,
};

/// Voices looked at in one go, of each kind.
const DUE_AT_ONCE: u64 = 50;
/// Objections to hiding that are looked at in one go.
const APPEALS_AT_ONCE: u64 = 500;
/// Working days for the office that is asked whether a voice stays hidden; then the one above it is.
const APPEAL_WORKING_DAYS: u32 = 5;

/// When the body responsible is reminded of a deadline: at the end of a day after which so many working days are left;
/// `None` when there are not.
pub(super) fn warning(tx: &Tx, due_at: DateTime<Utc>, left: u32) -> Option<DateTime<Utc>> {
    // 24:00 of a day is 00:00 of the next, from which one day too many would be counted
    let leaves = |at: &DateTime<Utc>| tx.calendar().add_working_days(*at - TimeDelta::milliseconds(1), left) <= due_at;
    (0..=rules::MOST_WORKING_DAYS).map(|days| tx.calendar().add_working_days(tx.now(), days)).take_while(leaves).last()
}

/// Reminds of deadlines that are near, marks those that have passed, each once, and tells the offices above of what stays
/// late. Records `suggestion.due_soon`, `suggestion.overdue`, `suggestion.supervised`. Says how many.
///
/// # Errors
/// When the database fails.
pub async fn due(tx: &Tx) -> Result<u64> {
    let unaccepted = overdue(tx, unaccepted(tx.now()), Deadline::Accept).await?;
    let unanswered = overdue(tx, unanswered(tx.now()), Deadline::Answer).await?;
    Ok(warn(tx).await? + unaccepted + unanswered + supervise(tx).await? + pass_on(tx).await?)
}

/// What is looked for, and by which column it comes first: one of an index, because this is asked every two seconds, however
/// many voices there are.
type Sought = (Condition, suggestion::Column);

fn unaccepted(now: DateTime<Utc>) -> Sought {
    let passed = Condition::all()
        .add(suggestion::Column::State.eq(SuggestionState::Submitted))
        .add(suggestion::Column::AcceptDueAt.lte(now))
        // both at once is one lateness
        .add(suggestion::Column::AnswerDueAt.gt(now))
        .add(suggestion::Column::Overdue.is_null());
    (passed, suggestion::Column::AcceptDueAt)
}

fn unanswered(now: DateTime<Utc>) -> Sought {
    let passed = Condition::all()
        .add(suggestion::Column::State.is_in([SuggestionState::Submitted, SuggestionState::Accepted]))
        .add(suggestion::Column::AnswerDueAt.lte(now))
        .add(suggestion::Column::Overdue.is_null().or(suggestion::Column::Overdue.ne(Deadline::Answer)));
    (passed, suggestion::Column::AnswerDueAt)
}

fn near(now: DateTime<Utc>) -> Sought {
    (Condition::all().add(suggestion::Column::WarnAt.lte(now)), suggestion::Column::WarnAt)
}

fn still_late(now: DateTime<Utc>) -> Sought {
    (Condition::all().add(suggestion::Column::SuperviseAt.lte(now)), suggestion::Column::SuperviseAt)
}

fn first((which, by): Sought) -> Select<suggestion::Entity> {
    let kept = suggestion::Entity::find().filter(which).filter(words::is_kept());
    kept.order_by_asc(by).limit(DUE_AT_ONCE)
}

async fn warn(tx: &Tx) -> Result<u64> {
    let near = first(near(tx.now())).all(tx).await?;
    for row in &near {
        let row = moved(tx, row, suggestion::ActiveModel { warn_at: Set(None), ..Default::default() }).await?;
        let which = if row.state == SuggestionState::Submitted { Deadline::Accept } else { Deadline::Answer };
        let due_at = if which == Deadline::Accept { row.accept_due_at } else { row.answer_due_at };
        // a clock that stood still may have passed both
        if due_at > tx.now() {
            record(tx, Kind::SuggestionDueSoon, &row, None, json!({ "which": which })).await?;
        }
    }
    Ok(near.len() as u64)
}

async fn overdue(tx: &Tx, passed: Sought, deadline: Deadline) -> Result<u64> {
    let late = first(passed).all(tx).await?;
    for row in &late {
        mark(tx, row, deadline).await?;
    }
    Ok(late.len() as u64)
}

/// Writes down that a deadline passed, against whoever has the voice, and tells the office above.
async fn mark(tx: &Tx, row: &Suggestion, deadline: Deadline) -> Result<Suggestion> {
    let told = escalation::next(tx, row, tx.now()).await?;
    let marked = suggestion::ActiveModel {
        overdue: Set(Some(deadline)),
        late_body_id: Set(Some(row.body_id)),
        // the one above that hears of what is not answered, and not of what is not taken
        supervise_at: Set(told.map(|_| supervision(tx)).filter(|_| deadline == Deadline::Answer)),
        ..Default::default()
    };
    let row = moved(tx, row, marked).await?;
    let data = json!({ "which": deadline, "of": row.body_id });
    record(tx, Kind::SuggestionOverdue, &row, None, data).await?;
    if let Some(office) = told {
        tell_above(tx, &row, (office, deadline)).await?;
    }
    Ok(row)
}

/// The voice before it goes to another body, or gets more days: what passed since the clock looked last is written down
/// first, against the body that let it pass.
pub(super) async fn lapsed(tx: &Tx, row: Suggestion) -> Result<Suggestion> {
    match passed(&row, tx.now()) {
        Some(deadline) => mark(tx, &row, deadline).await,
        None => Ok(row),
    }
}

/// The deadline that has passed and is not written down yet.
fn passed(row: &Suggestion, now: DateTime<Utc>) -> Option<Deadline> {
    let is_to_accept = row.state == SuggestionState::Submitted;
    let waits = is_to_accept || row.state == SuggestionState::Accepted;
    if waits && row.answer_due_at <= now {
        return (row.overdue != Some(Deadline::Answer)).then_some(Deadline::Answer);
    }
    (is_to_accept && row.accept_due_at <= now && row.overdue.is_none()).then_some(Deadline::Accept)
}

/// Hidden voices whose authors wait for an office; no id is nil, and an index finds what is greater, not what is not null.
fn appealed() -> Select<suggestion::Entity> {
    let asked = suggestion::Entity::find().filter(suggestion::Column::HidingOffice.gt(Uuid::nil()));
    asked.order_by_asc(suggestion::Column::UpdatedAt).limit(APPEALS_AT_ONCE)
}

/// What an office does not say in time about a hidden voice is asked of the office above it, once. Records
/// `suggestion.hiding_appealed` once more.
async fn pass_on(tx: &Tx) -> Result<u64> {
    let waiting: Vec<SuggestionId> =
        appealed().select_only().column(suggestion::Column::Id).into_tuple().all(tx).await?;
    if waiting.is_empty() {
        return Ok(0);
    }
    let asked = hiding::Entity::find()
        .filter(hiding::Column::SuggestionId.is_in(waiting))
        .filter(hiding::Column::EndedAt.is_null())
        .filter(hiding::Column::AppealedAt.lte(tx.now() - TimeDelta::days(i64::from(APPEAL_WORKING_DAYS))))
        .all(tx)
        .await?;
    let mut passed = 0;
    for one in asked {
        let (Some(office), Some(at)) = (one.office_id, one.appealed_at) else { continue };
        let row = queries::row(tx, one.suggestion_id).await?.filter(|row| row.hiding_office == Some(office));
        let is_late = tx.calendar().add_working_days(at, APPEAL_WORKING_DAYS) <= tx.now();
        let Some(row) = row.filter(|_| is_late) else { continue };
        let above = escalation::above(tx, (office, &row.area_code), (&[], tx.now())).await?;
        let Some(above) = above else { continue };
        let asks = suggestion::ActiveModel { hiding_office: Set(Some(above)), ..Default::default() };
        let row = moved(tx, &row, asks).await?;
        record(tx, Kind::SuggestionHidingAppealed, &row, None, json!({ "office": above, "from": office })).await?;
        passed += 1;
    }
    Ok(passed)
}

/// When the office above is told, too, of what is late still.
pub(super) fn supervision(tx: &Tx) -> DateTime<Utc> {
    tx.calendar().add_working_days(tx.now(), rules::SUPERVISE_WORKING_DAYS)
}

/// What is late still some days after the office above was told is told to the one above that; of what another took when it
/// was late already, the office above whoever took it hears for the first time.
async fn supervise(tx: &Tx) -> Result<u64> {
    let waiting = first(still_late(tx.now())).all(tx).await?;
    for row in &waiting {
        let row = moved(tx, row, suggestion::ActiveModel { supervise_at: Set(None), ..Default::default() }).await?;
        let Some(above) = escalation::next(tx, &row, tx.now()).await? else { continue };
        // asked as if the office above were responsible
        let as_theirs = Suggestion { body_id: above, ..row.clone() };
        let was_taken_late = row.late_body_id.is_some_and(|late| late != row.body_id);
        let office = if was_taken_late { Some(above) } else { escalation::next(tx, &as_theirs, tx.now()).await? };
        if let Some(office) = office {
            tell_above(tx, &row, (office, Deadline::Answer)).await?;
        }
    }
    Ok(waiting.len() as u64)
}

async fn tell_above(tx: &Tx, row: &Suggestion, (office, which): (BodyId, Deadline)) -> Result<()> {
    let data = json!({ "office": office, "of": row.body_id, "which": which });
    record(tx, Kind::SuggestionSupervised, row, None, data).await
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectOptions, ConnectionTrait, Database, DbBackend, QueryTrait, Statement};

    use super::*;
    use crate::clock::Clock;

    #[tokio::test]
    async fn what_is_due_is_found_by_an_index() {
        let mut options = ConnectOptions::new("sqlite::memory:");
        options.max_connections(1).sqlx_logging(false);
        let database = Database::connect(options).await.unwrap();
        migrations::up(&database).await.unwrap();
        let now = Clock::system().now();
        let by_time = [unaccepted(now), unanswered(now), near(now), still_late(now)].map(first);
        for sought in by_time.into_iter().chain([appealed()]) {
            let asked = sought.build(DbBackend::Sqlite);
            let explained = Statement { sql: format!("EXPLAIN QUERY PLAN {}", asked.sql), ..asked };
            let plan = database.query_all_raw(explained).await.unwrap();
            let plan: Vec<String> = plan.iter().map(|row| row.try_get("", "detail").unwrap()).collect();
            assert!(plan.iter().any(|line| line.starts_with("SEARCH suggestions USING INDEX ix_")), "{plan:?}");
            assert!(!plan.iter().any(|line| line.starts_with("SCAN")), "{plan:?}");
        }
    }
}
