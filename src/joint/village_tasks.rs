//! What a joint meeting carried, as a task in each village that it concerns.
use std::collections::HashMap;

use chrono::NaiveDate;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    agenda::villages_of,
    queries::{self, JointView, joint_body},
    rows::village_task,
    rules::MAX_VILLAGES,
};
use crate::{
    actor::Actor,
    areas,
    bodies::{BodyKind, Role, queries::in_role},
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{BodyId, MeetingId, PersonId, TaskId},
    meetings::{self, MeetingView},
    store::Tx,
    tasks::{
        self,
        commands::{MAX_TITLE, ResolvedToDo, give_resolved},
    },
};

/// Tasks of a joint meeting shown: of one resolution all.
const SHOWN: u64 = 200;
/// Meetings of it looked through.
const MEETINGS: u64 = 20;

/// A resolution that is to be done in several villages.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveVillageTasks {
    /// The resolution's number in the minutes, from 1; it was carried.
    #[schema(minimum = 1)]
    pub number: i32,
    /// Codes of the villages, one or more of those of the joint meeting.
    #[schema(min_items = 1, max_items = 200)]
    pub villages: Vec<String>,
    /// Until the end of this day.
    pub due_on: NaiveDate,
}

/// What a resolution became in a village.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VillageTaskView {
    /// The meeting.
    pub meeting_id: MeetingId,
    /// Its resolution.
    pub number: i32,
    /// The village.
    pub area_code: String,
    /// Its name.
    pub area_name: String,
    /// The task there.
    pub task_id: TaskId,
    /// What is to be done.
    pub title: String,
    /// open or done.
    pub state: String,
}

/// Gives what a joint meeting carried as a task to each of these villages: to the secretary of its council, or where there is
/// none to the chair of its committee. Records `joint.tasks_given`, and `task.given` for each.
///
/// # Errors
/// `not_found`; `not_allowed` for others than members of the joint meeting; `wrong_state` before its minutes were taken;
/// `invalid_fields`, also where the village has it already, or has nobody who could do it.
pub async fn give(tx: &Tx, actor: &Actor, (id, input): (MeetingId, GiveVillageTasks)) -> Result<JointView> {
    let meeting = meetings::queries::meeting(tx, id).await?;
    if !actor.sits_in(meeting.body_id) {
        return Err(Code::NotAllowed.into());
    }
    let body = joint_body(tx, meeting.body_id).await?;
    if meeting.held_at.is_none() {
        return Err(Code::WrongState.into());
    }
    let own = villages_of(tx, &body).await?;
    let owners = owners(tx, (&meeting, &own), &input).await?;
    let text = meeting.resolutions.iter().find(|one| one.number == input.number).map(|one| one.text.as_str());
    let title: String = text.unwrap_or_default().trim().chars().take(MAX_TITLE).collect();
    for (village, owner_id) in owners {
        let to_do = ResolvedToDo {
            area_code: village.clone(),
            matter_id: meeting.matter_id,
            body_id: body.id,
            owner_id,
            title: title.clone(),
            due_on: input.due_on,
        };
        let task_id = give_resolved(tx, actor, to_do).await?;
        let row = village_task::ActiveModel {
            meeting_id: Set(id),
            number: Set(input.number),
            area_code: Set(village),
            task_id: Set(task_id),
        };
        village_task::Entity::insert(row).exec_without_returning(tx).await?;
    }
    let happening = Happening::new(Kind::JointTasksGiven, body.id).at(&meeting.area_code).by(actor.person);
    events::record(tx, happening.with(json!({ "meeting": id, "number": input.number }))).await?;
    queries::view(tx, actor, body.id, tx.now()).await
}

/// Who does it in each of the villages, if all of that may be.
async fn owners(
    tx: &Tx,
    (meeting, own): (&MeetingView, &[String]),
    input: &GiveVillageTasks,
) -> Result<Vec<(String, PersonId)>> {
    let mut villages = input.villages.clone();
    villages.sort();
    villages.dedup();
    let mut checks = Checks::default();
    let is_carried = meeting.resolutions.iter().any(|one| one.number == input.number && one.is_carried);
    checks.require(is_carried, "number", "not_carried");
    checks.require((1..=MAX_VILLAGES).contains(&villages.len()), "villages", "out_of_range");
    checks.require(villages.iter().all(|code| own.contains(code)), "villages", "unknown");
    let given = village_task::Entity::find()
        .filter(village_task::Column::MeetingId.eq(meeting.id))
        .filter(village_task::Column::Number.eq(input.number))
        .filter(village_task::Column::AreaCode.is_in(villages.clone()));
    checks.require(given.one(tx).await?.is_none(), "villages", "duplicate");
    if checks.count() > 0 {
        return checks.done().map(|()| Vec::new());
    }
    let mut owners = Vec::new();
    for village in villages {
        match bound(tx, &village).await? {
            Some(owner) => owners.push((village, owner)),
            None => checks.wrong("villages", "nobody_there"),
        }
    }
    checks.done().map(|()| owners)
}

async fn bound(tx: &Tx, village: &str) -> Result<Option<PersonId>> {
    for (role, kind) in [(Role::Secretary, BodyKind::Council), (Role::Chair, BodyKind::VillageCommittee)] {
        let seated = in_role(tx, village, (role, tx.now())).await?;
        if let Some((_, seat)) = seated.into_iter().find(|(body, _)| body.kind == kind) {
            return Ok(Some(seat.person_id));
        }
    }
    Ok(None)
}

/// What the resolutions of a joint meeting became, the newest meeting first, 200 at most.
pub(super) async fn of(db: &impl ConnectionTrait, body: BodyId) -> Result<Vec<VillageTaskView>> {
    let held = meetings::queries::held::newest_of_body(db, body, MEETINGS).await?;
    let rows = village_task::Entity::find()
        .filter(village_task::Column::MeetingId.is_in(held.iter().map(|one| one.id)))
        .order_by_desc(village_task::Column::MeetingId)
        .order_by_asc(village_task::Column::Number)
        .order_by_asc(village_task::Column::AreaCode)
        .limit(SHOWN)
        .all(db)
        .await?;
    let places = areas::names(db, rows.iter().map(|row| row.area_code.clone()).collect()).await?;
    let states: HashMap<TaskId, (String, String)> =
        tasks::queries::states(db, rows.iter().map(|row| row.task_id).collect()).await?;
    let view = |row: village_task::Model| {
        let (title, state) = states.get(&row.task_id).cloned().unwrap_or_default();
        VillageTaskView {
            area_name: places.get(&row.area_code).cloned().unwrap_or_default(),
            meeting_id: row.meeting_id,
            number: row.number,
            area_code: row.area_code,
            task_id: row.task_id,
            title,
            state,
        }
    };
    Ok(rows.into_iter().map(view).collect())
}
