//! Writes of meetings: call, sign in, take minutes, call off.
use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set, UpdateMany, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    door,
    queries::{self, AttendanceView, MeetingView},
    rows::{attendance, meeting},
    rules::{self, Audience, Business, Via, Who},
};
use crate::{
    actor::{Actor, HeldSeat, covers},
    areas,
    bodies::{self, Right},
    clock,
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::{BodyId, MatterId, MeetingId, PersonId},
    people,
    store::Tx,
};

mod lists;
mod minutes;

pub use self::{
    lists::{ChangeList, change_list},
    minutes::{Resolve, ResolvedTask, TakeMinutes, take_minutes},
};

/// Rows in one insert: five columns each, well under SQLite's 32,766 variables.
const CHUNK: usize = 1000;

/// A meeting to be called.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallMeeting {
    /// Where.
    pub area_code: String,
    /// The body that calls.
    pub body_id: BodyId,
    /// Who is called; the body's own members when absent.
    #[serde(default)]
    pub audience: Audience,
    /// Which villagers' group, by its number on the roster; when a group is called, and only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_number: Option<i32>,
    /// What a council meets about; for councils only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business: Option<Business>,
    /// The matter it is about, if about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matter_id: Option<MatterId>,
    /// 1 to 60 characters.
    #[schema(min_length = 1, max_length = 60)]
    pub title: String,
    /// 1 to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    pub agenda: String,
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub place: String,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: DateTime<Utc>,
}

/// Somebody is there.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attend {
    /// Who, when the convener signs somebody in; absent: oneself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_id: Option<PersonId>,
    /// `paper` or `proxy` for somebody else; absent: by phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Via>,
    /// For oneself, at the door: what the screen there shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100)]
    pub code: Option<String>,
}

/// Why a meeting is called off.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelMeeting {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub reason: String,
}

/// Calls a meeting. Records `meeting.called`.
///
/// # Errors
/// `not_allowed` without the right in that body; `not_found` when there is no such area; `invalid_fields`.
pub async fn call(tx: &Tx, actor: &Actor, input: CallMeeting) -> Result<MeetingView> {
    let seat = seat_in(actor, input.body_id, &input.area_code)?;
    areas::get(tx, &input.area_code).await?;
    if !rules::may_call(&seat.body_kind, input.audience) {
        return Err(Code::NotAllowed.into());
    }
    let now = tx.now();
    let mut checks = Checks::default();
    checks.text("title", &input.title, 1..=60);
    checks.text("agenda", &input.agenda, 1..=2000);
    checks.text("place", &input.place, 1..=100);
    checks.require(rules::can_start(input.starts_at, now), "starts_at", "out_of_range");
    let is_fit = |one: Business| one.fits(&seat.body_kind, input.matter_id.is_some());
    checks.require(input.business.is_none_or(is_fit), "business", "out_of_range");
    let is_short = rules::is_short_notice(&seat.body_kind, (now, input.starts_at));
    checks.require(!is_short, "starts_at", "short_notice");
    checks.require(input.group_number.is_some() == (input.audience == Audience::Group), "group_number", "out_of_range");
    checks.done()?;
    require_group(tx, &input.area_code, input.group_number).await?;
    let list = lists::entitled(tx, (input.body_id, &input.area_code), (input.audience, input.starts_at)).await?;
    let row = meeting::ActiveModel {
        id: Set(MeetingId::new()),
        area_code: Set(input.area_code),
        body_id: Set(input.body_id),
        matter_id: Set(input.matter_id),
        audience: Set(input.audience.as_str().to_owned()),
        title: Set(input.title.trim().to_owned()),
        agenda: Set(input.agenda.trim().to_owned()),
        place: Set(input.place.trim().to_owned()),
        state: Set(queries::CALLED.to_owned()),
        called_at: Set(now),
        starts_at: Set(input.starts_at),
        held_at: Set(None),
        minutes: Set(None),
        resolution: Set(None),
        cancel_reason: Set(None),
        created_by: Set(actor.person),
        entitled: Set(None),
        entitled_present: Set(None),
        business: Set(input.business.map(|one| one.as_str().to_owned())),
        listed: Set(list.as_ref().map(|people| i32::try_from(people.len()).unwrap_or(i32::MAX))),
        group_number: Set(input.group_number),
        kept_from: Set(None),
    };
    let row = row.insert(tx).await?;
    lists::keep(tx, row.id, list.unwrap_or_default()).await?;
    tell(tx, actor, Kind::MeetingCalled, &row, json!({ "matter": row.matter_id, "body": row.body_id })).await?;
    queries::view(tx, row).await
}

/// Signs oneself in by phone, also at the door, or somebody else by paper or proxy. Once more changes nothing.
///
/// # Errors
/// `not_found`; `wrong_state` when it was held or called off; `too_early`; `not_allowed` for somebody who does not
/// belong there; `door_code_expired` for a code that is not shown any more, or never was; `invalid_fields`.
pub async fn sign_in(tx: &Tx, actor: &Actor, (id, input): (MeetingId, Attend)) -> Result<AttendanceView> {
    let meeting = called(tx, id).await?;
    if !rules::may_sign_in(meeting.starts_at, tx.now()) {
        return Err(Code::TooEarly.into());
    }
    let (person, via) = who_and_how(tx, actor, &meeting, &input).await?;
    if let Some(known) = attendance::Entity::find_by_id((id, person)).one(tx).await? {
        return queries::attendance_view(known);
    }
    let row = attendance::ActiveModel {
        meeting_id: Set(id),
        person_id: Set(person),
        via: Set(via.as_str().to_owned()),
        recorded_by: Set(actor.person),
        at: Set(tx.now()),
    };
    queries::attendance_view(row.insert(tx).await?)
}

/// Who casts a ballot by phone, or has it cast by a proxy (the second of each pair), takes part in the meeting that the vote belongs to: one after the other, or, where their
/// order would tell something, all at its end, which may be after the minutes. The sign-in that is there stays.
///
/// # Errors
/// When the database refuses.
pub async fn attend_by_phone(tx: &Tx, id: MeetingId, people: &[(PersonId, PersonId)], at: DateTime<Utc>) -> Result<()> {
    let meeting = meeting::Entity::find_by_id(id).one(tx).await?;
    if meeting.is_none_or(|meeting| meeting.state == queries::CANCELLED) {
        return Ok(());
    }
    let key = [attendance::Column::MeetingId, attendance::Column::PersonId];
    for some in people.chunks(CHUNK) {
        let via = |(person, caster): &(PersonId, PersonId)| if person == caster { Via::Phone } else { Via::Proxy };
        let rows = some.iter().map(|one| attendance::ActiveModel {
            meeting_id: Set(id),
            person_id: Set(one.0),
            via: Set(via(one).as_str().to_owned()),
            recorded_by: Set(one.1),
            at: Set(at),
        });
        attendance::Entity::insert_many(rows).on_conflict_do_nothing_on(key).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Who voted on paper takes part in the meeting that the vote belongs to. The sign-in that is there stays.
///
/// # Errors
/// When the database refuses.
pub async fn attend_on_paper(tx: &Tx, id: MeetingId, people: &[PersonId], by: PersonId) -> Result<()> {
    let meeting = meeting::Entity::find_by_id(id).one(tx).await?;
    if meeting.is_none_or(|meeting| meeting.state == queries::CANCELLED) {
        return Ok(());
    }
    let key = [attendance::Column::MeetingId, attendance::Column::PersonId];
    for some in people.chunks(CHUNK) {
        let rows = some.iter().map(|person| attendance::ActiveModel {
            meeting_id: Set(id),
            person_id: Set(*person),
            via: Set(Via::Paper.as_str().to_owned()),
            recorded_by: Set(by),
            at: Set(tx.now()),
        });
        attendance::Entity::insert_many(rows).on_conflict_do_nothing_on(key).exec_without_returning(tx).await?;
    }
    Ok(())
}

async fn who_and_how(tx: &Tx, actor: &Actor, meeting: &meeting::Model, input: &Attend) -> Result<(PersonId, Via)> {
    let audience = queries::audience(meeting)?;
    let (body, area) = (meeting.body_id, meeting.area_code.as_str());
    let via = input.via.unwrap_or(Via::Phone);
    let Some(person) = input.person_id.filter(|person| *person != actor.person || via != Via::Phone) else {
        let mut checks = Checks::default();
        checks.require(via == Via::Phone, "person_id", "required");
        checks.done()?;
        let lives_there = counts_as_villager(tx, actor.person, meeting).await?;
        let is_member = is_member(tx, body, actor.person).await?;
        let who = Who { seats: &actor.seats, is_member, lives_there };
        let is_there =
            rules::belongs(audience, body, area, who) || queries::lists::holds(tx, meeting, actor.person).await?;
        return if is_there {
            Ok((actor.person, own_way(tx, actor, meeting, input)?))
        } else {
            Err(Code::NotAllowed.into())
        };
    };
    seat_in(actor, meeting.body_id, area)?;
    let seats = bodies::seats_of(tx, person, tx.now()).await?;
    let lives_there = counts_as_villager(tx, person, meeting).await?;
    let mut checks = Checks::default();
    // nobody is at the door for somebody else
    checks.require(matches!(via, Via::Paper | Via::Proxy), "via", "out_of_range");
    checks.require(input.code.is_none(), "code", "unknown");
    let who = Who { seats: &seats, is_member: is_member(tx, body, person).await?, lives_there };
    let is_there = rules::belongs(audience, body, area, who) || queries::lists::holds(tx, meeting, person).await?;
    checks.require(is_there, "person_id", "not_a_member");
    checks.done()?;
    Ok((person, via))
}

/// By phone, or at the door for who holds what its screen shows.
fn own_way(tx: &Tx, actor: &Actor, meeting: &meeting::Model, input: &Attend) -> Result<Via> {
    match input.code.as_deref() {
        None => Ok(Via::Phone),
        Some(code) if door::opens(tx.keys(), (meeting.id, actor.person), code, tx.now()) => Ok(Via::Door),
        Some(_) => Err(Code::DoorCodeExpired.into()),
    }
}

/// Belongs to the body without a seat, and has not left.
async fn is_member(tx: &Tx, body: BodyId, person: PersonId) -> Result<bool> {
    Ok(bodies::members::bodies_of(tx, person).await?.contains(&body))
}

/// The villagers' meeting is made up of the villagers of eighteen years and more (组织法, article 21), that of a group of its own.
async fn counts_as_villager(tx: &Tx, person: PersonId, meeting: &meeting::Model) -> Result<bool> {
    let Some(one) = people::person(tx, person).await? else { return Ok(false) };
    let is_here = one.left_on.is_none() && covers(&meeting.area_code, &one.area);
    if !is_here || !people::rules::is_adult(one.birth_date, clock::local_date(meeting.starts_at)) {
        return Ok(false);
    }
    match meeting.group_number {
        Some(group) => Ok(people::village_groups::of(tx, &one).await?.contains(&group)),
        None => Ok(true),
    }
}

/// A group is one that the roster of exactly this village knows.
async fn require_group(tx: &Tx, area: &str, group: Option<i32>) -> Result<()> {
    let Some(group) = group else { return Ok(()) };
    let mut checks = Checks::default();
    let is_known = people::village_groups::numbers(tx, area).await?.contains(&group);
    checks.require(is_known, "group_number", "unknown");
    checks.done()
}

/// Keeps people from calling a meeting off: a vote that belongs to it is about them, and decides nothing where there was none.
///
/// # Errors
/// `not_found`.
pub async fn keep_from(tx: &Tx, id: MeetingId, people: &[PersonId]) -> Result<()> {
    if people.is_empty() {
        return Ok(());
    }
    let row = meeting::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let all: Vec<String> = row.kept_from.into_iter().chain(people.iter().map(ToString::to_string)).collect();
    meeting::Entity::update_many()
        .col_expr(meeting::Column::KeptFrom, Expr::value(all.join(",")))
        .filter(meeting::Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

fn is_kept_from(meeting: &meeting::Model, person: PersonId) -> bool {
    let mut ids = meeting.kept_from.iter().flat_map(|ids| ids.split(','));
    ids.any(|id| id.parse::<PersonId>().ok() == Some(person))
}

/// Calls the meeting off. Records `meeting.cancelled`.
///
/// # Errors
/// `not_found`; `not_allowed` without the right in that body, and for whom a vote that belongs to it is about; `wrong_state`;
/// `invalid_fields`.
pub async fn cancel(tx: &Tx, actor: &Actor, (id, input): (MeetingId, CancelMeeting)) -> Result<MeetingView> {
    let meeting = called(tx, id).await?;
    seat_in(actor, meeting.body_id, &meeting.area_code)?;
    if is_kept_from(&meeting, actor.person) {
        return Err(Code::NotAllowed.into());
    }
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 1..=200);
    checks.done()?;
    let cancelled = meeting::Entity::update_many()
        .col_expr(meeting::Column::State, Expr::value(queries::CANCELLED))
        .col_expr(meeting::Column::CancelReason, Expr::value(input.reason.trim()));
    let row = end(tx, id, cancelled).await?;
    tell(tx, actor, Kind::MeetingCancelled, &row, json!({ "matter": row.matter_id, "body": row.body_id })).await?;
    queries::view(tx, row).await
}

/// Ends a meeting that is still called; of two at once one wins.
async fn end(tx: &Tx, id: MeetingId, change: UpdateMany<meeting::Entity>) -> Result<meeting::Model> {
    let ended = change
        .filter(meeting::Column::Id.eq(id))
        .filter(meeting::Column::State.eq(queries::CALLED))
        .exec_with_returning(tx)
        .await?;
    ended.into_iter().next().ok_or_else(|| Code::WrongState.into())
}

async fn called(tx: &Tx, id: MeetingId) -> Result<meeting::Model> {
    let row = meeting::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    if row.state == queries::CALLED { Ok(row) } else { Err(Code::WrongState.into()) }
}

/// The actor's seat in exactly this body, with the right to hold its meetings in the area.
fn seat_in<'a>(actor: &'a Actor, body: BodyId, area: &str) -> Result<&'a HeldSeat> {
    let holds = |seat: &&HeldSeat| {
        seat.body_id == body
            && seat.covers(area)
            && bodies::rights(&seat.body_kind, &seat.role).contains(&Right::HoldMeeting)
    };
    actor.seats.iter().find(holds).ok_or_else(|| Error::from(Code::NotAllowed))
}

async fn tell(tx: &Tx, actor: &Actor, kind: Kind, row: &meeting::Model, data: Value) -> Result<()> {
    events::record(tx, Happening::new(kind, row.id).at(&row.area_code).by(actor.person).with(data)).await?;
    Ok(())
}
