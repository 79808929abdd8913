//! Who has not confirmed a must-read notice is reminded half way and on the last day but one, each time once; with the last
//! reminder the doors of those who are left go to the grid workers.
use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::Datelike;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set, sea_query::Expr};
use serde_json::json;

use super::{
    audience, queries,
    rows::{confirmation, notice, reminder, village},
    rules,
};
use crate::{
    areas,
    bodies::{self, Role, grid},
    clock,
    error::Result,
    events::{self, Event, Happening, Kind, Reaction},
    ids::{BodyId, NoticeId, PersonId},
    people::{self, audience::Among},
    quiet::{self, Class, Hours, Wishes},
    store::Tx,
    streams::{
        self,
        commands::{Card, channel, mailbox, post_card},
    },
    tasks::commands::HandOver,
    text,
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[
    Reaction { name: "notices.plan_reminders", run: |tx, event| Box::pin(plan(tx, event)) },
    Reaction { name: "notices.hand_over_doors", run: |tx, event| Box::pin(hand_over(tx, event)) },
];
/// Villages whose ladder is climbed in one go.
const VILLAGES_AT_ONCE: u64 = 8;
/// Mailboxes written to in one go.
const TOLD_AT_ONCE: u64 = 100;
/// Rows written in one statement.
const CHUNK: usize = 500;
/// Whose grid workers go round in a village.
/// Working days after the last day within which the doors are to be visited.
const DOORS_WITHIN: u32 = 3;

/// Climbs the ladders whose time has come and tells those whose quiet is over. Records `notice.reminder_due`.
///
/// # Errors
/// When the database refuses.
pub async fn due(tx: &Tx) -> Result<u64> {
    // a few villages each time it is asked, and no sooner again: the relay plans for all of them in one unit
    climb(tx).await?;
    tell(tx).await
}

async fn climb(tx: &Tx) -> Result<()> {
    let now = tx.now();
    let rows = village::Entity::find()
        .filter(village::Column::RemindAt.lte(now))
        // who is reminded is written down first
        .filter(village::Column::FreezeAt.is_null())
        .order_by_asc(village::Column::RemindAt)
        .order_by_asc(village::Column::NoticeId)
        .order_by_asc(village::Column::AreaCode)
        .limit(VILLAGES_AT_ONCE)
        .all(tx)
        .await?;
    for row in rows {
        let notice = notice::Entity::find_by_id(row.notice_id).one(tx).await?;
        let notice = notice.filter(|notice| notice.version == row.version && notice.state == queries::PUBLISHED);
        let ladder = |notice: &notice::Model| notice.confirm_by.map(|by| rules::ladder(notice.published_at, by));
        let rungs = notice.as_ref().and_then(ladder).unwrap_or_default();
        let step = rungs.iter().filter(|rung| rung.at <= now).map(|rung| rung.step).max();
        let next = rungs.iter().find(|rung| rung.at > now).map(|rung| rung.at);
        village::Entity::update_many()
            .col_expr(village::Column::RemindAt, Expr::value(next))
            .col_expr(village::Column::Reminded, Expr::value(step.unwrap_or(row.reminded)))
            .filter(village::Column::NoticeId.eq(row.notice_id))
            .filter(village::Column::Version.eq(row.version))
            .filter(village::Column::AreaCode.eq(&row.area_code))
            .exec(tx)
            .await?;
        if let Some(step) = step {
            let data = json!({ "version": row.version, "step": step });
            let happening = Happening::new(Kind::NoticeReminderDue, row.notice_id).at(row.area_code).with(data);
            events::record(tx, happening).await?;
        }
    }
    Ok(())
}

/// The notice of a step, as long as it still hangs in that version.
async fn standing(tx: &Tx, event: &Event) -> Result<Option<notice::Model>> {
    if event.kind != Kind::NoticeReminderDue {
        return Ok(None);
    }
    let row = notice::Entity::find_by_id(event.subject_id::<NoticeId>()?).one(tx).await?;
    let is_same = |row: &notice::Model| event.data["version"] == row.version && row.state == queries::PUBLISHED;
    Ok(row.filter(is_same))
}

fn step_of(event: &Event) -> i32 {
    event.data["step"].as_i64().and_then(|step| i32::try_from(step).ok()).unwrap_or_default()
}

/// The village whose people are reminded.
fn village_of<'a>(event: &'a Event, notice: &'a notice::Model) -> &'a str {
    event.area.as_deref().unwrap_or(&notice.area_code)
}

/// Everybody of the village who has a phone and has not confirmed, from when the class and the own wishes allow it.
async fn plan(tx: &Tx, event: &Event) -> Result<()> {
    let Some(notice) = standing(tx, event).await? else { return Ok(()) };
    let left = audience::unreached(&notice, village_of(event, &notice)).all(tx).await?;
    let left: Vec<PersonId> = left.into_iter().map(|row| row.person_id).collect();
    let phones = people::queries::with_phone(tx, &left).await?;
    let hours = quiet::queries::hours_of(tx, &left).await?;
    let (Some(first), Some(last)) = (left.iter().min(), left.iter().max()) else { return Ok(()) };
    let among = Among::Between(*first, *last);
    let (class, now) = (Class::parse(&notice.class), tx.now());
    let channel = channel(tx, &notice.area_code).await?;
    let muted = streams::queries::who_muted(tx, (channel, now), &among).await?;
    let row = |person: PersonId| {
        let hours = hours.get(&person).copied().unwrap_or(Hours::DEFAULT);
        let wishes = Wishes { hours, is_muted: muted.contains(&person) };
        let not_before = quiet::may_tell(class, wishes, now)?;
        Some(reminder::ActiveModel {
            notice_id: Set(notice.id),
            version: Set(notice.version),
            step: Set(step_of(event)),
            person_id: Set(person),
            not_before: Set(not_before),
        })
    };
    let rows: Vec<_> = left.into_iter().filter(|person| phones.contains(person)).filter_map(row).collect();
    for some in rows.chunks(CHUNK) {
        reminder::Entity::insert_many(some.to_vec()).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Writes into the mailboxes of those who may be told now; never of who has confirmed meanwhile.
async fn tell(tx: &Tx) -> Result<u64> {
    let due = reminder::Entity::find()
        .filter(reminder::Column::NotBefore.lte(tx.now()))
        .order_by_asc(reminder::Column::NotBefore)
        .order_by_asc(reminder::Column::PersonId)
        .limit(TOLD_AT_ONCE)
        .all(tx)
        .await?;
    let mut by_notice: BTreeMap<NoticeId, Vec<reminder::Model>> = BTreeMap::new();
    for row in due {
        by_notice.entry(row.notice_id).or_default().push(row);
    }
    let mut told = 0;
    for (id, rows) in by_notice {
        let Some(notice) = notice::Entity::find_by_id(id).one(tx).await? else { continue };
        let people: Vec<PersonId> = rows.iter().map(|row| row.person_id).collect();
        let done: HashSet<PersonId> = confirmation::Entity::find()
            .filter(confirmation::Column::NoticeId.eq(id))
            .filter(confirmation::Column::Version.eq(notice.version))
            .filter(confirmation::Column::PersonId.is_in(people.iter().copied()))
            .all(tx)
            .await?
            .into_iter()
            .map(|row| row.person_id)
            .collect();
        for row in rows {
            reminder::Entity::delete_by_id((id, row.version, row.step, row.person_id)).exec(tx).await?;
            let is_asked = notice.state == queries::PUBLISHED && notice.version == row.version;
            if is_asked && !done.contains(&row.person_id) {
                post_card(tx, mailbox(tx, row.person_id).await?, card(&notice)).await?;
                told += 1;
            }
        }
    }
    Ok(told)
}

fn card(notice: &notice::Model) -> Card {
    let last = notice.confirm_by.map(clock::last_day);
    let is_emergency = Class::parse(&notice.class) == Class::Emergency;
    let blanks = [
        ("title", notice.title.as_str().into()),
        ("month", last.map_or(0, |day| day.month()).into()),
        ("day", last.map_or(0, |day| day.day()).into()),
    ];
    let text = if is_emergency { "notices-card-reminder-emergency-text" } else { "notices-card-reminder-text" };
    Card {
        code: "notice_reminder",
        title: text::say_with("notices-card-reminder-title", &blanks),
        text: text::say_with(text, &blanks),
        link: format!("/notices/{}", notice.id),
    }
}

/// Gives each grid worker a task with the doors of the own groups that are left. A group that is nobody's goes to a grid
/// worker of the whole village; where there is none, to who leads the committee.
async fn hand_over(tx: &Tx, event: &Event) -> Result<()> {
    let Some(notice) = standing(tx, event).await?.filter(|_| step_of(event) == rules::LAST_STEP) else {
        return Ok(());
    };
    let village = village_of(event, &notice);
    let left = audience::by_group(tx, audience::unreached(&notice, village)).await?;
    // a village's doors are its own committee's; where there is none, who published must find somebody
    let own = if village == notice.area_code { None } else { bodies::committee(tx, village).await? };
    let body_id = own.unwrap_or(notice.body_id);
    let workers = grid::workers(tx, body_id, tx.now()).await?;
    let of_all = workers.iter().find(|worker| worker.groups.is_empty()).map(|worker| worker.person);
    let of_nobody = match of_all {
        Some(person) => person,
        None => office(tx, (body_id, notice.created_by)).await?,
    };
    let mut doors: HashMap<PersonId, u64> = HashMap::new();
    for (group, count) in left {
        let own = workers.iter().find(|worker| worker.groups.contains(&group));
        *doors.entry(own.map_or(of_nobody, |worker| worker.person)).or_default() += count;
    }
    let by = notice.confirm_by.unwrap_or_else(|| tx.now());
    let name = areas::name(tx, village).await?;
    let key = if village == notice.area_code { "notices-doors-task" } else { "notices-doors-task-of" };
    for (owner_id, count) in doors {
        let blanks = [
            ("title", notice.title.as_str().into()),
            ("n", count.to_string().into()),
            ("village", name.as_str().into()),
        ];
        let task = HandOver {
            area_code: village.to_owned(),
            body_id,
            given_by: notice.created_by,
            owner_id,
            title: text::say_with(key, &blanks),
            due_at: tx.calendar().add_working_days(by, DOORS_WITHIN),
            notice_id: notice.id,
        };
        crate::tasks::commands::hand_over(tx, task).await?;
    }
    Ok(())
}

/// The chair of the body; who published the notice, where the chair is empty.
async fn office(tx: &Tx, (body, publisher): (BodyId, PersonId)) -> Result<PersonId> {
    let seats = bodies::members_of(tx, body, tx.now()).await?;
    Ok(seats.iter().find(|seat| seat.role == Role::Chair).map_or(publisher, |seat| seat.person_id))
}
