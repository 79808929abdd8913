//! Reads of meetings: agenda, attendance by channel, minutes; who was there, for seat holders.
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    rows::{attendance, meeting},
    rules::{self, Audience, Business, Via},
};
use crate::{
    actor::Actor,
    bodies::{self, Body, Right},
    clock,
    error::{Code, Error, Result},
    ids::{BodyId, MatterId, MeetingId, PersonId},
    page::{Cursor, Page, PageQuery},
    people,
};

mod doors;
pub mod held;
pub(super) mod lists;
mod resolved;
mod signed;

pub use self::{
    doors::{DoorCodeView, door_code},
    lists::{ListChangeView, ListedView, invited},
    resolved::ResolutionView,
    signed::{signed_for, signed_in_to},
};

/// A meeting to come.
pub const CALLED: &str = "called";
/// A meeting with minutes.
pub const HELD: &str = "held";
/// A meeting that does not take place.
pub const CANCELLED: &str = "cancelled";
/// Meetings of one matter shown at most.
const MAX_MEETINGS: u64 = 100;
/// Names on one list at most.
const MAX_NAMES: u64 = 5000;

/// How many were there, by channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttendanceCounts {
    /// Signed in by phone.
    pub phone: u64,
    /// By phone, with the code at the door.
    #[serde(default)]
    pub door: u64,
    /// On the sheet of paper.
    pub paper: u64,
    /// By proxy.
    pub proxy: u64,
    /// All of them.
    pub total: u64,
}

/// A meeting, as everybody may see it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MeetingView {
    /// Its id.
    pub id: MeetingId,
    /// Where.
    pub area_code: String,
    /// The body that called it.
    pub body_id: BodyId,
    /// Its name.
    pub body_name: String,
    /// Who was called.
    pub audience: Audience,
    /// Which villagers' group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_number: Option<i32>,
    /// What a council met about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business: Option<Business>,
    /// The matter it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matter_id: Option<MatterId>,
    /// Its title.
    pub title: String,
    /// What is on it.
    pub agenda: String,
    /// In which room.
    pub place: String,
    /// called, held or cancelled.
    pub state: String,
    /// When it was called.
    pub called_at: DateTime<FixedOffset>,
    /// When it begins.
    pub starts_at: DateTime<FixedOffset>,
    /// When its minutes were taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_at: Option<DateTime<FixedOffset>>,
    /// How many were there.
    pub attendance: AttendanceCounts,
    /// How many were on its list when it was called; not for the villagers' own meeting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listed: Option<i32>,
    /// What changed on the list since.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub list_changes: Vec<ListChangeView>,
    /// How many of how many came; not for the villagers' own meeting, which its vote counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quorum: Option<QuorumView>,
    /// What was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<String>,
    /// What was carried, all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// What was put to those who were there, one by one.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub resolutions: Vec<ResolutionView>,
    /// Why it was called off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<String>,
}

/// How many of how many came to a meeting, when its minutes were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuorumView {
    /// How many members the body has, or how many representatives there are.
    pub entitled: u64,
    /// How many of them came.
    pub present: u64,
    /// How many must come.
    pub needed: u64,
    /// Were enough there?
    pub is_met: bool,
}

/// A meeting as one person sees it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MeetingDetail {
    /// The meeting.
    #[serde(flatten)]
    pub meeting: MeetingView,
    /// How the asker is signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub my_attendance: Option<AttendanceView>,
    /// Who was there, for those who hold a seat over the area.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present: Option<Vec<PresentView>>,
    /// Against whom it is counted, for who holds the body's meetings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<Vec<ListedView>>,
}

/// Somebody on the list of those present.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PresentView {
    /// Who; absent beside a masked name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person_id: Option<PersonId>,
    /// Full for those who are there by their seat and for the convener's eyes; masked otherwise.
    pub name: String,
    /// How.
    pub via: Via,
    /// When.
    pub at: DateTime<FixedOffset>,
}

/// A sign-in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AttendanceView {
    /// The meeting.
    pub meeting_id: MeetingId,
    /// Who is there.
    pub person_id: PersonId,
    /// How.
    pub via: Via,
    /// When.
    pub at: DateTime<FixedOffset>,
}

/// A meeting; the list of those present is for seat holders.
///
/// # Errors
/// `not_found` when there is none.
pub async fn detail(db: &impl ConnectionTrait, asker: Option<&Actor>, id: MeetingId) -> Result<MeetingDetail> {
    let row = meeting::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    let (mut mine, mut there, mut list) = (None, None, None);
    if let Some(actor) = asker {
        mine = attendance::Entity::find_by_id((id, actor.person)).one(db).await?.map(attendance_view).transpose()?;
        if actor.seats.iter().any(|seat| seat.serves(&row.area_code)) {
            there = Some(present(db, actor, &row).await?);
        }
        if bodies::members::holds(actor, row.body_id) {
            list = lists::names(db, &row).await?;
        }
    }
    Ok(MeetingDetail { meeting: view(db, row).await?, my_attendance: mine, present: there, list })
}

/// Is this person on the list against which the meeting is counted?
///
/// # Errors
/// When the database cannot be read.
pub async fn is_listed(db: &impl ConnectionTrait, id: MeetingId, person: PersonId) -> Result<bool> {
    let Some(row) = meeting::Entity::find_by_id(id).one(db).await? else { return Ok(false) };
    lists::holds(db, &row, person).await
}

/// The meetings about a matter in its area and below, oldest first, 100 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn meetings_of(db: &impl ConnectionTrait, (matter, area): (MatterId, &str)) -> Result<Vec<MeetingView>> {
    let rows = meeting::Entity::find()
        .filter(meeting::Column::MatterId.eq(matter))
        .filter(meeting::Column::AreaCode.starts_with(area))
        .order_by_asc(meeting::Column::StartsAt)
        .order_by_asc(meeting::Column::Id)
        .limit(MAX_MEETINGS)
        .all(db)
        .await?;
    views(db, rows).await
}

/// One meeting, for other subjects.
///
/// # Errors
/// `not_found` when there is none.
pub async fn meeting(db: &impl ConnectionTrait, id: MeetingId) -> Result<MeetingView> {
    let row = meeting::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    view(db, row).await
}

/// Meetings of an area, the latest first.
///
/// # Errors
/// `invalid_cursor`; when the database cannot be read.
pub async fn list(db: &impl ConnectionTrait, area: &str, page: &PageQuery) -> Result<Page<MeetingView>> {
    let limit = page.limit()?;
    let mut found = meeting::Entity::find().filter(meeting::Column::AreaCode.eq(area));
    if let Some(Cursor { at, id }) = page.after()? {
        let earlier = meeting::Column::StartsAt.lt(at);
        let same = meeting::Column::StartsAt.eq(at).and(meeting::Column::Id.lt(id));
        found = found.filter(earlier.or(same));
    }
    let rows = found
        .order_by_desc(meeting::Column::StartsAt)
        .order_by_desc(meeting::Column::Id)
        .limit(limit + 1)
        .all(db)
        .await?;
    let places: HashMap<MeetingId, Cursor> =
        rows.iter().map(|row| (row.id, Cursor { at: row.starts_at, id: row.id.0 })).collect();
    let views = views(db, rows).await?;
    let first = Cursor { at: DateTime::UNIX_EPOCH, id: uuid::Uuid::nil() };
    Ok(Page::cut(views, limit, |view| places.get(&view.id).copied().unwrap_or(first), |view| view))
}

async fn present(db: &impl ConnectionTrait, actor: &Actor, meeting: &meeting::Model) -> Result<Vec<PresentView>> {
    let rows = attendance::Entity::find()
        .filter(attendance::Column::MeetingId.eq(meeting.id))
        .order_by_asc(attendance::Column::At)
        // rows that came in together lie in an order that may tell something
        .order_by_asc(attendance::Column::PersonId)
        .limit(MAX_NAMES)
        .all(db)
        .await?;
    let names = people::names(db, rows.iter().map(|row| row.person_id).collect()).await?;
    let members = audience(meeting)? == Audience::Members;
    let in_full = if members {
        bodies::members::holds(actor, meeting.body_id)
    } else {
        !audience(meeting)?.is_assembly() || bodies::may(actor, Right::HoldMeeting, &meeting.area_code)
    };
    // whoever has a seat is there in a public role; who belongs to a body without one is known to who holds its meetings
    let seated: HashSet<PersonId> = if members && !in_full {
        let seats = bodies::queries::members_of(db, meeting.body_id, meeting.starts_at).await?;
        seats.into_iter().map(|seat| seat.person_id).collect()
    } else {
        HashSet::new()
    };
    let show = |row: attendance::Model| {
        let name = names.get(&row.person_id).cloned().unwrap_or_default();
        let is_public = in_full || seated.contains(&row.person_id);
        Ok(PresentView {
            person_id: Some(row.person_id).filter(|_| is_public),
            name: if is_public { name } else { people::rules::mask_name(&name) },
            via: via(&row)?,
            at: clock::local(row.at),
        })
    };
    rows.into_iter().map(show).collect()
}

pub(super) fn audience(row: &meeting::Model) -> Result<Audience> {
    Audience::parse(&row.audience).ok_or_else(|| Error::broken("a meeting's audience"))
}

fn quorum(row: &meeting::Model, body_kind: &str) -> Result<Option<QuorumView>> {
    let (Some(entitled), Some(present)) = (row.entitled, row.entitled_present) else { return Ok(None) };
    let (entitled, present) = (u64::from(entitled.unsigned_abs()), u64::from(present.unsigned_abs()));
    let called = (body_kind, audience(row)?);
    let needed = rules::quorum(called, entitled);
    Ok(Some(QuorumView { entitled, present, needed, is_met: rules::is_quorate(called, entitled, present) }))
}

fn via(row: &attendance::Model) -> Result<Via> {
    Via::parse(&row.via).ok_or_else(|| Error::broken("an attendance's channel"))
}

pub(super) fn attendance_view(row: attendance::Model) -> Result<AttendanceView> {
    Ok(AttendanceView {
        via: via(&row)?,
        meeting_id: row.meeting_id,
        person_id: row.person_id,
        at: clock::local(row.at),
    })
}

pub(super) async fn view(db: &impl ConnectionTrait, row: meeting::Model) -> Result<MeetingView> {
    views(db, vec![row]).await?.pop().ok_or_else(|| Error::broken("a meeting without a view"))
}

async fn views(db: &impl ConnectionTrait, rows: Vec<meeting::Model>) -> Result<Vec<MeetingView>> {
    let counts = counts(db, rows.iter().map(|row| row.id).collect()).await?;
    let bodies = bodies::queries::bodies(db, rows.iter().map(|row| row.body_id).collect()).await?;
    let bodies: HashMap<BodyId, Body> = bodies.into_iter().map(|body| (body.id, body)).collect();
    let mut resolved = resolved::of(db, rows.iter().map(|row| row.id).collect()).await?;
    let mut changes = lists::changes(db, rows.iter().map(|row| row.id).collect()).await?;
    let show = |row: meeting::Model| {
        let resolutions = resolved.remove(&row.id).unwrap_or_default();
        let body = bodies.get(&row.body_id);
        Ok(MeetingView {
            audience: audience(&row)?,
            quorum: quorum(&row, body.map_or("", |body| body.kind.as_str()))?,
            resolution: resolved::carried(&resolutions, row.resolution),
            resolutions,
            listed: row.listed,
            group_number: row.group_number,
            list_changes: changes.remove(&row.id).unwrap_or_default(),
            business: row.business.as_deref().and_then(Business::parse),
            attendance: counts.get(&row.id).copied().unwrap_or_default(),
            body_name: body.map(|body| body.name.clone()).unwrap_or_default(),
            id: row.id,
            area_code: row.area_code,
            body_id: row.body_id,
            matter_id: row.matter_id,
            title: row.title,
            agenda: row.agenda,
            place: row.place,
            state: row.state,
            called_at: clock::local(row.called_at),
            starts_at: clock::local(row.starts_at),
            held_at: row.held_at.map(clock::local),
            minutes: row.minutes,
            cancel_reason: row.cancel_reason,
        })
    };
    rows.into_iter().map(show).collect()
}

async fn counts(db: &impl ConnectionTrait, meetings: Vec<MeetingId>) -> Result<HashMap<MeetingId, AttendanceCounts>> {
    let groups: Vec<(MeetingId, String, i64)> = attendance::Entity::find()
        .select_only()
        .column(attendance::Column::MeetingId)
        .column(attendance::Column::Via)
        .column_as(attendance::Column::PersonId.count(), "count")
        .filter(attendance::Column::MeetingId.is_in(meetings))
        .group_by(attendance::Column::MeetingId)
        .group_by(attendance::Column::Via)
        .into_tuple()
        .all(db)
        .await?;
    let mut counts: HashMap<MeetingId, AttendanceCounts> = HashMap::new();
    for (meeting, via, count) in groups {
        let of = counts.entry(meeting).or_default();
        let count = count.unsigned_abs();
        of.total += count;
        match Via::parse(&via) {
            Some(Via::Phone) => of.phone += count,
            Some(Via::Door) => of.door += count,
            Some(Via::Paper) => of.paper += count,
            Some(Via::Proxy) => of.proxy += count,
            None => {}
        }
    }
    Ok(counts)
}
