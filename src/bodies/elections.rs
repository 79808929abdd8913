//! 换届日程: when a council's term nears its end, the days of the next election, counted back from it, for the secretary to keep.
use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    By,
    queries::{self, Body, SeatView, TermView, seated_in_terms},
    rows::{body, body_area, election, election_day, term},
    rules::{BodyKind, DRAFTED_DAYS, ElectionStep, Role, election_days},
};
use crate::{
    actor::Actor,
    areas::TOWN_CODE,
    clock,
    error::{Checks, Code, Error, Result},
    events::{self, Kind},
    ids::{BodyId, TermId},
    rights::{Right, areas_with},
    store::Tx,
};

/// Calendars drafted in one go.
const AT_ONCE: u64 = 50;

/// The calendar of an election, in place of what it was before.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetElection {
    /// Every step once, in their order, none before the one above it.
    #[schema(min_items = 5, max_items = 5)]
    pub days: Vec<SetElectionDay>,
    /// Why days were moved; everybody reads it. 2 to 200 characters, if any was.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub reason: String,
    /// Since when it was as it was read: its `changed_at`, or else its `drafted_at`. What another changed after that stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<DateTime<FixedOffset>>,
}

/// One step of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetElectionDay {
    /// Which.
    pub step: ElectionStep,
    /// Until which day it is done.
    pub day: NaiveDate,
    /// It is done.
    #[serde(default)]
    pub is_done: bool,
}

/// One step of an election.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ElectionDayView {
    /// Which.
    pub step: ElectionStep,
    /// Until which day.
    pub day: NaiveDate,
    /// When somebody said that it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<DateTime<FixedOffset>>,
}

/// The calendar of the election that follows a term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ElectionView {
    /// The term that ends.
    pub term_id: TermId,
    /// In the order of the steps.
    pub days: Vec<ElectionDayView>,
    /// When it was drafted.
    pub drafted_at: DateTime<FixedOffset>,
    /// When it was changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<DateTime<FixedOffset>>,
    /// Why days were moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl ElectionView {
    /// Since when it is as it is.
    #[must_use]
    pub fn since(&self) -> DateTime<FixedOffset> {
        self.changed_at.unwrap_or(self.drafted_at)
    }
}

/// A term, with who sat in it and the election that follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TermHistory {
    /// The term.
    #[serde(flatten)]
    pub term: TermView,
    /// Who sat in it, those whose seat ended before, too, in the order in which they came.
    pub seats: Vec<SeatView>,
    /// The election that follows, once it is drafted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub election: Option<ElectionView>,
}

/// The next step of an election that waits for somebody.
#[derive(Clone, Debug)]
pub struct NextStep {
    /// The body.
    pub body: Body,
    /// Which.
    pub step: ElectionStep,
    /// Until which day.
    pub day: NaiveDate,
}

/// Drafts the calendars of councils and federations whose term ends soon, or has ended, and that have no later one. Records
/// `election.drafted`. Says how many terms were looked at; none is looked at twice.
///
/// # Errors
/// When the database refuses.
pub async fn due(tx: &Tx) -> Result<u64> {
    let today = clock::local_date(tx.now());
    let electing = body::Entity::find()
        .select_only()
        .column(body::Column::Id)
        .filter(body::Column::Kind.is_in([BodyKind::Council, BodyKind::Federation]))
        .into_query();
    let drafted = election::Entity::find().select_only().column(election::Column::TermId).into_query();
    let ending = term::Entity::find()
        .filter(term::Column::EndsOn.lte(today + TimeDelta::days(DRAFTED_DAYS)))
        .filter(term::Column::BodyId.in_subquery(electing))
        .filter(term::Column::Id.not_in_subquery(drafted))
        .order_by_asc(term::Column::EndsOn)
        .limit(AT_ONCE)
        .all(tx)
        .await?;
    for one in &ending {
        draft(tx, one, today).await?;
    }
    Ok(ending.len() as u64)
}

/// Of a term after which another is open already only that it was looked at.
async fn draft(tx: &Tx, ending: &term::Model, today: NaiveDate) -> Result<()> {
    let row = election::ActiveModel {
        term_id: Set(ending.id),
        body_id: Set(ending.body_id),
        drafted_at: Set(tx.now()),
        calendar_version: Set(tx.calendar().version().to_owned()),
        changed_by: Set(None),
        changed_at: Set(None),
        reason: Set(None),
    };
    election::Entity::insert(row).exec_without_returning(tx).await?;
    let later = term::Entity::find()
        .filter(term::Column::BodyId.eq(ending.body_id))
        .filter(term::Column::StartsOn.gt(ending.ends_on));
    if later.one(tx).await?.is_some() {
        return Ok(());
    }
    let days = election_days(tx.calendar(), (ending.ends_on, today)).map(|(step, day)| election_day::ActiveModel {
        term_id: Set(ending.id),
        step: Set(step),
        day: Set(day),
        done_by: Set(None),
        done_at: Set(None),
    });
    election_day::Entity::insert_many(days).exec_without_returning(tx).await?;
    let body = queries::get(tx, ending.body_id).await?;
    record(tx, By::Operator, (Kind::ElectionDrafted, ending.id, &body)).await
}

async fn record(tx: &Tx, by: By<'_>, (kind, term, body): (Kind, TermId, &Body)) -> Result<()> {
    events::record(tx, by.happening(kind, term, &body.areas).with(json!({ "body": body.id }))).await?;
    Ok(())
}

/// Moves days of an election, or says that a step is done. Records `election.changed`.
///
/// # Errors
/// `not_found` where there is no calendar; `not_allowed` for others than the chair and the secretary of the body and who fills
/// its seats; `invalid_fields`; `changed` when somebody changed it after it was read.
pub async fn set(tx: &Tx, actor: &Actor, (id, input): (TermId, SetElection)) -> Result<ElectionView> {
    let row = election::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let body = queries::get(tx, row.body_id).await?;
    if !may_set(actor, &body) {
        return Err(Code::NotAllowed.into());
    }
    let before = days_of(tx, vec![id]).await?;
    if before.is_empty() {
        return Err(Code::NotFound.into());
    }
    if input.seen_at.is_some_and(|seen| seen != row.changed_at.unwrap_or(row.drafted_at)) {
        return Err(Code::Changed.into());
    }
    let is_moved = input.days.iter().any(|one| before.iter().all(|row| (row.step, row.day) != (one.step, one.day)));
    check(&input, is_moved)?;
    for one in &input.days {
        let was_done = before.iter().any(|row| row.step == one.step && row.done_at.is_some());
        let mut change = election_day::ActiveModel { day: Set(one.day), ..Default::default() };
        if was_done != one.is_done {
            change.done_by = Set(one.is_done.then_some(actor.person));
            change.done_at = Set(one.is_done.then(|| tx.now()));
        }
        election_day::Entity::update_many()
            .set(change)
            .filter(election_day::Column::TermId.eq(id))
            .filter(election_day::Column::Step.eq(one.step))
            .exec(tx)
            .await?;
    }
    let mut changed = election::ActiveModel {
        changed_by: Set(Some(actor.person)),
        changed_at: Set(Some(tx.now())),
        ..Default::default()
    };
    if is_moved {
        changed.reason = Set(Some(input.reason.trim().to_owned()));
    }
    election::Entity::update_many().set(changed).filter(election::Column::TermId.eq(id)).exec(tx).await?;
    record(tx, By::Actor(actor), (Kind::ElectionChanged, id, &body)).await?;
    views(tx, vec![id]).await?.pop().ok_or_else(|| Error::broken("an election without days"))
}

fn check(input: &SetElection, is_moved: bool) -> Result<()> {
    let steps: Vec<ElectionStep> = input.days.iter().map(|one| one.step).collect();
    let mut checks = Checks::default();
    checks.require(steps == ElectionStep::ALL, "days", "steps_out_of_order");
    let mut before: Option<NaiveDate> = None;
    for (n, one) in input.days.iter().enumerate().take(ElectionStep::ALL.len()) {
        let field = format!("days[{n}].day");
        checks.day(&field, one.day);
        checks.require(before.is_none_or(|before| before <= one.day), &field, "steps_out_of_order");
        before = Some(one.day);
    }
    checks.text("reason", &input.reason, if is_moved { 2 } else { 0 }..=200);
    checks.done()
}

/// The chair and the secretary of the body, and who fills its seats.
#[must_use]
pub fn may_set(actor: &Actor, body: &Body) -> bool {
    leads(actor, body.id) || By::Actor(actor).manages(&body.areas).is_ok()
}

fn leads(actor: &Actor, body: BodyId) -> bool {
    let roles = [Role::Chair.as_str(), Role::Secretary.as_str()];
    actor.seats.iter().any(|seat| seat.body_id == body && roles.contains(&seat.role.as_str()))
}

/// The terms of a body, the newest first, with who sat in them and the elections that follow. Nothing of it goes.
///
/// # Errors
/// `not_found`.
pub async fn history(db: &impl ConnectionTrait, id: BodyId) -> Result<Vec<TermHistory>> {
    let body = queries::get(db, id).await?;
    let terms = queries::terms(db, Some(vec![id])).await?;
    let ids: Vec<TermId> = terms.iter().map(|term| term.id).collect();
    let seats = seated_in_terms(db, (&body, ids.clone())).await?;
    let elections = views(db, ids).await?;
    let of = |term: TermView| TermHistory {
        seats: seats.iter().filter(|seat| seat.term_id == Some(term.id)).cloned().collect(),
        election: elections.iter().find(|one| one.term_id == term.id).cloned(),
        term,
    };
    Ok(terms.into_iter().map(of).collect())
}

/// The next step of each election that the actor leads as the chair or the secretary; of the office that fills the seats each
/// that is late: once the term is over nobody of the body is left to keep it. Where the next term is open already, only its first
/// meeting can be missing.
///
/// # Errors
/// When the database cannot be read.
pub async fn waiting(db: &impl ConnectionTrait, actor: &Actor, now: DateTime<Utc>) -> Result<Vec<NextStep>> {
    let led: Vec<BodyId> = actor.seats.iter().map(|seat| seat.body_id).filter(|body| leads(actor, *body)).collect();
    let mut rows = election::Entity::find().filter(election::Column::BodyId.is_in(led)).all(db).await?;
    for row in late(db, (actor, clock::local_date(now))).await? {
        if rows.iter().all(|known| known.term_id != row.term_id) {
            rows.push(row);
        }
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let days = days_of(db, rows.iter().map(|row| row.term_id).collect()).await?;
    let bodies = queries::bodies(db, rows.iter().map(|row| row.body_id).collect()).await?;
    let terms = term::Entity::find().filter(term::Column::BodyId.is_in(rows.iter().map(|row| row.body_id)));
    let terms = terms.all(db).await?;
    let is_followed = |ended: &term::Model| {
        terms.iter().any(|later| later.body_id == ended.body_id && later.starts_on > ended.ends_on)
    };
    let next = |row: &election::Model| {
        let open = days.iter().filter(|day| day.term_id == row.term_id && day.done_at.is_none());
        let first = open.min_by_key(|day| place(day.step))?;
        let is_over = first.step != ElectionStep::FirstMeeting
            && terms.iter().any(|term| term.id == row.term_id && is_followed(term));
        let body = bodies.iter().find(|body| body.id == row.body_id).filter(|_| !is_over)?.clone();
        Some(NextStep { body, step: first.step, day: first.day })
    };
    Ok(rows.iter().filter_map(next).collect())
}

/// Elections of which a step should have been done before today, in the towns whose bodies the actor fills, and of a county's own.
async fn late(db: &impl ConnectionTrait, (actor, today): (&Actor, NaiveDate)) -> Result<Vec<election::Model>> {
    let filled = areas_with(actor, Right::ManageBodies);
    if filled.is_empty() {
        return Ok(Vec::new());
    }
    let there = |area: &String| {
        let column = body_area::Column::AreaCode;
        if area.len() == TOWN_CODE { column.starts_with(area) } else { column.eq(area) }
    };
    let theirs = body_area::Entity::find()
        .select_only()
        .column(body_area::Column::BodyId)
        .filter(filled.iter().fold(Condition::any(), |any, area| any.add(there(area))))
        .into_query();
    let open = election_day::Entity::find()
        .select_only()
        .column(election_day::Column::TermId)
        .filter(election_day::Column::DoneAt.is_null())
        .filter(election_day::Column::Day.lt(today))
        .into_query();
    let late = election::Entity::find()
        .filter(election::Column::BodyId.in_subquery(theirs))
        .filter(election::Column::TermId.in_subquery(open));
    Ok(late.all(db).await?)
}

fn place(step: ElectionStep) -> usize {
    ElectionStep::ALL.iter().position(|one| *one == step).unwrap_or_default()
}

async fn days_of(db: &impl ConnectionTrait, terms: Vec<TermId>) -> Result<Vec<election_day::Model>> {
    let rows = election_day::Entity::find().filter(election_day::Column::TermId.is_in(terms));
    let mut rows = rows.all(db).await?;
    rows.sort_by_key(|row| place(row.step));
    Ok(rows)
}

/// Those that have days.
async fn views(db: &impl ConnectionTrait, terms: Vec<TermId>) -> Result<Vec<ElectionView>> {
    let rows = election::Entity::find().filter(election::Column::TermId.is_in(terms.clone())).all(db).await?;
    let days = days_of(db, terms).await?;
    let view = |row: election::Model| {
        let own = days.iter().filter(|day| day.term_id == row.term_id).map(|day| ElectionDayView {
            step: day.step,
            day: day.day,
            done_at: day.done_at.map(clock::local),
        });
        ElectionView {
            days: own.collect(),
            term_id: row.term_id,
            drafted_at: clock::local(row.drafted_at),
            changed_at: row.changed_at.map(clock::local),
            reason: row.reason,
        }
    };
    Ok(rows.into_iter().map(view).filter(|view| !view.days.is_empty()).collect())
}

/// The body whose election this is, if it is known.
///
/// # Errors
/// When the database cannot be read.
pub async fn body_of(db: &impl ConnectionTrait, term: TermId) -> Result<Option<Body>> {
    let Some(row) = election::Entity::find_by_id(term).one(db).await? else { return Ok(None) };
    queries::get(db, row.body_id).await.map(Some)
}
