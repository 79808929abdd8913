//! The reach board (送达情况): who has a notice, by which way and since when, and who has not.
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    broadcast::NIGHT,
    carried::{DIGEST, FAMILY},
    marks,
    queries::{CANCELLED, DEAD, QUEUED, SENDING, SENT},
    reached,
    rows::{announcement, delivery, step},
    rules::ladder::Channel,
};
use crate::{
    actor::{Actor, covers},
    areas::VILLAGE_CODE,
    clock,
    error::{Code, Error, Result},
    ids::{NoticeId, PersonId},
    notices,
    people::{self, Resident, audience::Among},
};

/// By the app, which is no channel to the outside.
pub const APP: &str = "app";
/// By somebody at the door.
pub const DOOR: &str = "door";
/// Why a message was not sent: it was read in the app, or what it asks for is done.
const READ: &str = "read";
/// It was not sent yet.
pub(super) const WAITING: &str = "waiting";

/// How far a notice has come. Counts alone, so they are public.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReachView {
    /// The notice.
    pub notice_id: NoticeId,
    /// Residents whom it concerns.
    pub audience: u64,
    /// Those who have it, whichever way; absent above a village, where nobody is looked up one by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reached: Option<u64>,
    /// How many have it by each way; who has it by two counts in both.
    pub ways: Vec<WayCount>,
    /// Messages that wait to be sent.
    pub waiting: u64,
    /// The steps after the app, in order.
    pub steps: Vec<StepView>,
    /// What became of the script for the loudspeaker's gateway; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broadcast: Option<BroadcastView>,
}

/// What became of the script for the loudspeaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BroadcastView {
    /// waiting, needs_release, spoken, failed, void.
    pub state: String,
    /// When it is handed over, or was.
    pub at: DateTime<FixedOffset>,
}

/// How many have it by one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WayCount {
    /// app, wechat, sms; family: by the text to a number that others have, too; digest: in an evening's message; door: by
    /// somebody who came to the door.
    pub way: String,
    /// People.
    pub count: u64,
}

/// One step of the ladder.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StepView {
    /// wechat, sms, loudspeaker, door.
    pub channel: Channel,
    /// waiting, done, void.
    pub state: String,
    /// When it is taken.
    pub due_at: DateTime<FixedOffset>,
    /// Residents looked at so far.
    pub looked_at: u64,
    /// Messages planned so far.
    pub planned: u64,
}

/// One resident on the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReachRow {
    /// The person.
    pub person_id: PersonId,
    /// Full name.
    pub name: String,
    /// The household's number on the roster.
    pub household_number: String,
    /// Villagers' group; 0 where there is none.
    pub group_number: i32,
    /// The way by which it came; absent: not reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<String>,
    /// When a message went out, or somebody was at the door.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<FixedOffset>>,
    /// Full name of who told it at the door.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_name: Option<String>,
    /// What was written down at the door.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Why a message did not reach them: a stable name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What is told of the version that hangs; `None`: nothing was planned, as for notices of before this version.
pub(super) async fn told_of(db: &impl ConnectionTrait, id: NoticeId) -> Result<Option<announcement::Model>> {
    Ok(announcement::Entity::find()
        .filter(announcement::Column::SubjectId.eq(id.to_string()))
        .order_by_desc(announcement::Column::EventNumber)
        .one(db)
        .await?)
}

/// How far a notice has come.
///
/// # Errors
/// `not_found` when there is no such notice.
pub async fn reach(db: &impl ConnectionTrait, id: NoticeId) -> Result<ReachView> {
    let (mut view, village) = begun(db, id).await?;
    if let Some((area, told)) = village {
        view.hold(in_village(db, (&area, id), &told).await?);
    }
    Ok(view)
}

impl ReachView {
    pub(super) fn hold(&mut self, (reached, by_app): (u64, u64)) {
        self.reached = Some(reached);
        self.ways.insert(0, WayCount { way: APP.to_owned(), count: by_app });
    }
}

/// Whom it has reached in a village, and by the app: a look at everybody who lives there.
pub(super) async fn in_village(
    db: &impl ConnectionTrait,
    (area, id): (&str, NoticeId),
    told: &announcement::Model,
) -> Result<(u64, u64)> {
    let rows = rows(db, area, (id, Some(told))).await?;
    let count = |is: fn(&ReachRow) -> bool| rows.iter().filter(|row| is(row)).count() as u64;
    Ok((count(|row| row.way.is_some()), count(|row| row.way.as_deref() == Some(APP))))
}

/// What is known without a look at anybody; with the village in which it is still to be looked.
pub(super) async fn begun(
    db: &impl ConnectionTrait,
    id: NoticeId,
) -> Result<(ReachView, Option<(String, announcement::Model)>)> {
    let notice = notices::reached::hanging(db, id).await?.ok_or(Code::NotFound)?;
    let told = told_of(db, id).await?;
    let audience = people::queries::count_by_area(db, &notice.area).await?;
    let mut view = ReachView {
        notice_id: id,
        audience: audience.iter().map(|(_, count)| count.unsigned_abs()).sum(),
        reached: None,
        ways: Vec::new(),
        waiting: 0,
        steps: Vec::new(),
        broadcast: None,
    };
    let at_door = notices::reached::count_at_door(db, id).await?;
    if at_door > 0 {
        add(&mut view.ways, DOOR.to_owned(), at_door);
    }
    let Some(told) = told else { return Ok((view, None)) };
    let counts: Vec<(String, String, Option<String>, i64)> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Channel)
        .column(delivery::Column::State)
        .column(delivery::Column::Reason)
        .column_as(delivery::Column::Id.count(), "count")
        .filter(delivery::Column::EventNumber.eq(told.event_number))
        .filter(delivery::Column::Channel.is_in([Channel::Wechat.as_str(), Channel::Sms.as_str()]))
        .group_by(delivery::Column::Channel)
        .group_by(delivery::Column::State)
        .group_by(delivery::Column::Reason)
        .into_tuple()
        .all(db)
        .await?;
    for (channel, state, reason, count) in counts {
        match state.as_str() {
            SENT => add(&mut view.ways, way(channel, reason), count.unsigned_abs()),
            QUEUED | SENDING => view.waiting += count.unsigned_abs(),
            _ => {}
        }
    }
    view.ways.sort_by(|one, other| one.way.cmp(&other.way));
    let steps = step::Entity::find().filter(step::Column::AnnouncementId.eq(told.id)).order_by_asc(step::Column::Step);
    for row in steps.all(db).await? {
        view.steps.push(StepView {
            channel: Channel::parse(&row.channel).ok_or_else(|| Error::broken("a step of an unknown channel"))?,
            state: row.state,
            due_at: clock::local(row.due_at),
            looked_at: row.looked_at.unsigned_abs(),
            planned: row.planned.unsigned_abs(),
        });
    }
    view.broadcast = broadcast(db, told.event_number).await?;
    Ok((view, Some((notice.area, told)).filter(|(area, _)| area.len() >= VILLAGE_CODE)))
}

/// The way of a message: what another one told is no message of its own.
fn way(channel: String, reason: Option<String>) -> String {
    reason.filter(|reason| [FAMILY, DIGEST].contains(&reason.as_str())).unwrap_or(channel)
}

fn add(ways: &mut Vec<WayCount>, way: String, count: u64) {
    match ways.iter_mut().find(|known| known.way == way) {
        Some(known) => known.count += count,
        None => ways.push(WayCount { way, count }),
    }
}

async fn broadcast(db: &impl ConnectionTrait, event: i64) -> Result<Option<BroadcastView>> {
    let row = delivery::Entity::find()
        .filter(delivery::Column::EventNumber.eq(event))
        .filter(delivery::Column::Channel.eq(Channel::Loudspeaker.as_str()))
        .one(db)
        .await?;
    Ok(row.map(|row| BroadcastView {
        state: match row.state.as_str() {
            QUEUED if row.reason.as_deref() == Some(NIGHT) => "needs_release",
            QUEUED | SENDING => "waiting",
            SENT => "spoken",
            DEAD => "failed",
            _ => "void",
        }
        .to_owned(),
        at: clock::local(row.sent_at.unwrap_or(row.due_at)),
    }))
}

/// Everybody in a village whom a notice concerns, by household: for those who serve there. Of a notice of the town or the
/// county each village is asked for by its code.
///
/// # Errors
/// `not_found`, also of a village that it does not concern; `not_allowed` without a seat over the village; `wrong_state` above
/// a village.
pub async fn people_of(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (id, village): (NoticeId, Option<&str>),
) -> Result<Vec<ReachRow>> {
    let notice = notices::reached::hanging(db, id).await?.ok_or(Code::NotFound)?;
    let area = village.unwrap_or(&notice.area);
    if !covers(&notice.area, area) {
        return Err(Code::NotFound.into());
    }
    if !actor.seats.iter().any(|seat| seat.serves(area)) {
        return Err(Code::NotAllowed.into());
    }
    if area.len() < VILLAGE_CODE {
        return Err(Code::WrongState.into());
    }
    rows(db, area, (id, told_of(db, id).await?.as_ref())).await
}

/// By group and household.
pub(super) fn as_one_goes_round(row: &ReachRow) -> (i32, String, PersonId) {
    (row.group_number, notices::rules::in_order(&row.household_number), row.person_id)
}

/// What became of the messages to one person.
#[derive(Default)]
pub(super) struct Messages {
    pub(super) sent: Option<(String, DateTime<Utc>)>,
    /// One of them was not needed any more.
    pub(super) is_read: bool,
    /// One of them was a text.
    pub(super) is_texted: bool,
    pub(super) why: Option<String>,
}

/// One message to one person.
#[derive(FromQueryResult)]
struct Message {
    target_id: String,
    channel: String,
    state: String,
    sent_at: Option<DateTime<Utc>>,
    reason: Option<String>,
}

pub(super) async fn messages(
    db: &impl ConnectionTrait,
    (event, people): (i64, Vec<PersonId>),
) -> Result<HashMap<PersonId, Messages>> {
    let mut found: Vec<Message> = Vec::new();
    for some in people.chunks(1000) {
        let told = delivery::Entity::find()
            .select_only()
            .columns([delivery::Column::TargetId, delivery::Column::Channel, delivery::Column::State])
            .columns([delivery::Column::SentAt, delivery::Column::Reason])
            .filter(delivery::Column::EventNumber.eq(event))
            .filter(delivery::Column::Channel.is_in([Channel::Wechat.as_str(), Channel::Sms.as_str()]))
            .filter(delivery::Column::TargetId.is_in(some.iter().map(ToString::to_string)));
        found.extend(told.into_model::<Message>().all(db).await?);
    }
    let mut messages: HashMap<PersonId, Messages> = HashMap::new();
    for message in found {
        let Ok(person) = message.target_id.parse() else { continue };
        let one = messages.entry(person).or_default();
        one.is_read |= message.state == CANCELLED && message.reason.as_deref() == Some(READ);
        one.is_texted |= message.channel == Channel::Sms.as_str();
        match (message.state.as_str(), message.sent_at) {
            (SENT, Some(at)) if one.sent.as_ref().is_none_or(|(_, known)| at < *known) => {
                one.sent = Some((way(message.channel, message.reason), at));
            }
            (QUEUED | SENDING, _) => one.why = Some(WAITING.to_owned()),
            (DEAD | CANCELLED, _) if one.why.is_none() => one.why = message.reason,
            _ => {}
        }
    }
    Ok(messages)
}

async fn rows(
    db: &impl ConnectionTrait,
    area: &str,
    (id, told): (NoticeId, Option<&announcement::Model>),
) -> Result<Vec<ReachRow>> {
    let mut rows = named(db, people::residents(db, area).await?, told).await?;
    let ids = rows.iter().map(|row| row.person_id);
    if let (Some(first), Some(last)) = (ids.clone().min(), ids.max()) {
        let told = notices::reached::at_door(db, id, &Among::Between(first, last)).await?;
        marks::at_door(db, told, &mut rows).await?;
    }
    Ok(rows)
}

/// These people with the way by which it came to each, by group and household.
pub(super) async fn named(
    db: &impl ConnectionTrait,
    residents: Vec<Resident>,
    told: Option<&announcement::Model>,
) -> Result<Vec<ReachRow>> {
    let mut households = HashMap::new();
    let areas: HashSet<String> = residents.iter().map(|one| one.area.clone()).collect();
    for area in &areas {
        households.extend(people::household_numbers(db, area).await?);
    }
    let ids = residents.iter().map(|one| one.id);
    let everybody: Vec<PersonId> = ids.clone().collect();
    let among = match (ids.clone().min(), ids.max()) {
        (Some(first), Some(last)) => Among::Between(first, last),
        _ => return Ok(Vec::new()),
    };
    let (in_app, mut messages) = match told {
        Some(told) => (reached::in_app(db, told, &among).await?, messages(db, (told.event_number, everybody)).await?),
        None => (HashSet::new(), HashMap::new()),
    };
    let mut rows: Vec<ReachRow> = residents
        .into_iter()
        .map(|one| {
            let Messages { sent, why, .. } = messages.remove(&one.id).unwrap_or_default();
            let (way, at) = match sent {
                _ if in_app.contains(&one.id) => (Some(APP.to_owned()), None),
                Some((channel, at)) => (Some(channel), Some(clock::local(at))),
                None => (None, None),
            };
            ReachRow {
                person_id: one.id,
                name: one.name,
                household_number: households.get(&one.household).cloned().unwrap_or_default(),
                group_number: one.group_number,
                why: if way.is_some() { None } else { why },
                way,
                at,
                by_name: None,
                note: None,
            }
        })
        .collect();
    rows.sort_by_cached_key(as_one_goes_round);
    Ok(rows)
}
