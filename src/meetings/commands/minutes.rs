//! Minutes: that a meeting was held, how many of how many came, what was resolved, and the tasks that follow from it.
use std::collections::HashSet;

use chrono::NaiveDate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{called, end, lists, seat_in, tell};
use crate::{
    actor::{Actor, HeldSeat},
    bodies::{self, Right},
    error::{Checks, Code, Result},
    events::Kind,
    ids::{MeetingId, PersonId, TaskId},
    meetings::{
        queries::{self, MeetingView},
        rows::{attendance, meeting, resolution},
        rules::{self, Audience},
    },
    store::Tx,
    tasks::{self, commands::ResolvedToDo},
};

/// Resolutions of one meeting at most.
const MAX_RESOLUTIONS: usize = 20;

/// What was said and resolved.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeMinutes {
    /// 1 to 5,000 characters.
    #[schema(min_length = 1, max_length = 5000)]
    pub minutes: String,
    /// At most 1,000 characters: what was put to them and nobody counted. It is written down, and carried by nobody; see
    /// `resolutions`.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub resolution: String,
    /// What was resolved, one by one; 20 at most. None together with `resolution`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub resolutions: Vec<Resolve>,
}

/// One thing that was put to those who were there.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    /// 1 to 500 characters.
    #[schema(min_length = 1, max_length = 500)]
    pub text: String,
    /// Hands for it; without them it is not carried, nor ever at the villagers' own meeting, which decides by its vote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes_for: Option<u32>,
    /// Against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes_against: Option<u32>,
    /// Neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abstentions: Option<u32>,
    /// Who does it until when, if it is something to be done; only of what was carried, by who gives tasks there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<ResolvedTask>,
}

/// The task that a resolution becomes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolvedTask {
    /// Somebody with a seat over the area.
    pub owner_id: PersonId,
    /// Until the end of this day.
    pub due_on: NaiveDate,
}

/// How many came.
#[derive(Clone, Copy)]
struct There {
    entitled: Option<u64>,
    entitled_present: Option<u64>,
    all: u64,
}

/// Takes the minutes: the meeting was held. Records `meeting.held`, and `task.given` for what is to be done.
///
/// # Errors
/// `not_found`; `not_allowed` without the right in that body; `wrong_state`; `too_early` before it began;
/// `evidence_missing` when nobody signed in; `invalid_fields`, also for more hands than people. `not_allowed` also for a task
/// by somebody who gives none there.
pub async fn take_minutes(tx: &Tx, actor: &Actor, (id, input): (MeetingId, TakeMinutes)) -> Result<MeetingView> {
    let meeting = called(tx, id).await?;
    let seat = seat_in(actor, meeting.body_id, &meeting.area_code)?;
    let there = there(tx, &meeting).await?;
    check(tx, &input, &there)?;
    if tx.now() < meeting.starts_at {
        return Err(Code::TooEarly.into());
    }
    if there.all == 0 {
        return Err(Code::EvidenceMissing.into());
    }
    let audience = queries::audience(&meeting)?;
    let minutes = input.minutes.trim().to_owned();
    let judged: Vec<(bool, Resolve)> =
        one_by_one(input).into_iter().map(|one| (is_carried(&seat.body_kind, audience, there, &one), one)).collect();
    let count = |n: Option<u64>| n.map(|n| i32::try_from(n).unwrap_or(i32::MAX));
    let held = meeting::Entity::update_many()
        .col_expr(meeting::Column::State, Expr::value(queries::HELD))
        .col_expr(meeting::Column::HeldAt, Expr::value(tx.now()))
        .col_expr(meeting::Column::Minutes, Expr::value(minutes))
        .col_expr(meeting::Column::Resolution, Expr::value(in_one(&judged)))
        .col_expr(meeting::Column::Entitled, Expr::value(count(there.entitled)))
        .col_expr(meeting::Column::EntitledPresent, Expr::value(count(there.entitled_present)));
    let row = end(tx, id, held).await?;
    for (number, (is_carried, one)) in (1..).zip(judged) {
        keep(tx, (actor, seat, &row), (number, is_carried, one)).await?;
    }
    let data = json!({ "matter": row.matter_id, "body": row.body_id, "present": there.all });
    tell(tx, actor, Kind::MeetingHeld, &row, data).await?;
    queries::view(tx, row).await
}

/// What too few resolved is written down, and carried by nobody. The villagers' own meeting decides by its vote, which knows
/// how many they are; hands in a hall do not.
fn is_carried(body_kind: &str, audience: Audience, there: There, one: &Resolve) -> bool {
    let (Some(entitled), Some(present)) = (there.entitled, there.entitled_present) else { return false };
    rules::is_quorate((body_kind, audience), entitled, present)
        && rules::is_carried(body_kind, one.votes_for.map(u64::from), entitled, present)
}

fn check(tx: &Tx, input: &TakeMinutes, there: &There) -> Result<()> {
    let mut checks = Checks::default();
    checks.text("minutes", &input.minutes, 1..=5000);
    checks.text("resolution", &input.resolution, 0..=1000);
    checks.require(input.resolutions.len() <= MAX_RESOLUTIONS, "resolutions", "too_long");
    let is_twice = !input.resolutions.is_empty() && !input.resolution.trim().is_empty();
    checks.require(!is_twice, "resolution", "duplicate");
    for (n, one) in input.resolutions.iter().take(MAX_RESOLUTIONS).enumerate() {
        let field = |name: &str| format!("resolutions[{n}].{name}");
        checks.text(&field("text"), &one.text, 1..=500);
        let others = [one.votes_against, one.abstentions];
        let hands: u64 = others.iter().chain([&one.votes_for]).map(|votes| u64::from(votes.unwrap_or_default())).sum();
        // who is there without being a member raises no hand
        let may_vote = there.entitled_present.unwrap_or(there.all);
        checks.require(hands <= may_vote, &field("votes_for"), "more_than_present");
        let is_counted = one.votes_for.is_some() || others.iter().all(Option::is_none);
        checks.require(is_counted, &field("votes_for"), "required");
        if let Some(task) = &one.task {
            let due = tasks::rules::due_at(tx.calendar(), tx.now(), None, Some(task.due_on));
            checks.require(due.is_some(), &field("task.due_on"), "out_of_range");
        }
    }
    checks.done()
}

/// Everything that was carried, in one text.
fn in_one(judged: &[(bool, Resolve)]) -> Option<String> {
    let carried = judged.iter().filter(|(is_carried, _)| *is_carried).map(|(_, one)| one.text.trim());
    Some(carried.collect::<Vec<_>>().join("\n")).filter(|text| !text.is_empty())
}

fn one_by_one(input: TakeMinutes) -> Vec<Resolve> {
    let one = input.resolution.trim().to_owned();
    if one.is_empty() {
        return input.resolutions;
    }
    vec![Resolve { text: one, votes_for: None, votes_against: None, abstentions: None, task: None }]
}

/// How many of how many came: of those on the list with which it was called. The villagers' meeting has its vote.
async fn there(tx: &Tx, meeting: &meeting::Model) -> Result<There> {
    let present = attendance::Entity::find()
        .select_only()
        .column(attendance::Column::PersonId)
        .filter(attendance::Column::MeetingId.eq(meeting.id));
    let present: HashSet<PersonId> = present.into_tuple().all(tx).await?.into_iter().collect();
    let all = present.len() as u64;
    let entitled = match queries::lists::entitled(tx, meeting).await? {
        Some(people) => Some(people),
        // called before there were lists
        None => {
            let called = (queries::audience(meeting)?, meeting.starts_at);
            lists::entitled(tx, (meeting.body_id, &meeting.area_code), called).await?
        }
    };
    let came = entitled.as_ref().map(|people| people.intersection(&present).count() as u64);
    Ok(There { entitled: entitled.map(|people| people.len() as u64), entitled_present: came, all })
}

async fn keep(
    tx: &Tx,
    (actor, seat, meeting): (&Actor, &HeldSeat, &meeting::Model),
    (number, is_carried, one): (i32, bool, Resolve),
) -> Result<()> {
    let task_id = match &one.task {
        Some(task) => Some(give(tx, (actor, seat, meeting), (number, is_carried, task, one.text.as_str())).await?),
        None => None,
    };
    let count = |votes: Option<u32>| votes.map(|votes| i32::try_from(votes).unwrap_or(i32::MAX));
    let row = resolution::ActiveModel {
        meeting_id: Set(meeting.id),
        number: Set(number),
        text: Set(one.text.trim().to_owned()),
        votes_for: Set(count(one.votes_for)),
        votes_against: Set(count(one.votes_against)),
        abstentions: Set(count(one.abstentions)),
        is_carried: Set(is_carried),
        task_id: Set(task_id),
    };
    resolution::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Tasks are given by who gives them elsewhere in the area, to somebody with a seat there; a council asks the committee.
async fn give(
    tx: &Tx,
    (actor, seat, meeting): (&Actor, &HeldSeat, &meeting::Model),
    (number, is_carried, task, text): (i32, bool, &ResolvedTask, &str),
) -> Result<TaskId> {
    bodies::require(actor, Right::GiveTask, &meeting.area_code)?;
    let seats = bodies::seats_of(tx, task.owner_id, tx.now()).await?;
    let is_bound = |held: &HeldSeat| held.covers(&meeting.area_code);
    let field = format!("resolutions[{}].task", number - 1);
    let mut checks = Checks::default();
    checks.require(is_carried, &field, "not_carried");
    checks.require(seats.iter().any(is_bound), &format!("{field}.owner_id"), "not_a_member");
    checks.done()?;
    let to_do = ResolvedToDo {
        area_code: meeting.area_code.clone(),
        matter_id: meeting.matter_id,
        body_id: seat.body_id,
        owner_id: task.owner_id,
        title: text.trim().chars().take(tasks::commands::MAX_TITLE).collect(),
        due_on: task.due_on,
    };
    tasks::commands::give_resolved(tx, actor, to_do).await
}
