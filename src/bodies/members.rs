//! Who belongs to a body without a seat in it: party members of a branch, members of a council, of the village's collective.
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::OnConflict};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Right,
    queries::{self, Body},
    register,
    rows::{body_member, member_change},
    rules::{BodyKind, Role},
};
use crate::{
    actor::{Actor, HeldSeat, covers},
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::{BodyId, HouseholdId, PersonId},
    people::{self, Resident, queries::Named},
    store::Tx,
};

/// People on one list at most.
pub(super) const MAX_MEMBERS: u64 = 10_000;

/// Somebody to be entered.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterMember {
    /// Who: somebody on a roster of the body's areas.
    pub person_id: PersonId,
}

/// Somebody who belongs to a body without a seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BodyMemberView {
    /// Who.
    pub person_id: PersonId,
    /// Full name, for whoever holds the body's meetings.
    pub name: String,
}

/// Enters somebody. Once more changes nothing. Records `member.entered`.
///
/// # Errors
/// `not_found`; `not_allowed` without a seat in the body that holds its meetings; `invalid_fields` for somebody who is on no
/// roster there, when the list is full, for a collective, whose register changes with a reason, and for its board and its
/// representatives, who are elected.
pub async fn enter(tx: &Tx, actor: &Actor, (id, input): (BodyId, EnterMember)) -> Result<BodyMemberView> {
    let body = held(tx, actor, id).await?;
    without_reason(&body)?;
    let mut checks = Checks::default();
    checks.require(!is_of_seats(body.kind), "person_id", "needs_a_seat");
    checks.done()?;
    let person = people::person(tx, input.person_id).await?;
    let is_here =
        |one: &people::Resident| one.left_on.is_none() && body.areas.iter().any(|area| covers(area, &one.area));
    let Some(person) = person.filter(is_here) else {
        return Err(Error::field("person_id", "not_a_member"));
    };
    let mut checks = Checks::default();
    checks.require(
        ids(tx, id).await?.len() < usize::try_from(MAX_MEMBERS).unwrap_or(usize::MAX),
        "person_id",
        "too_long",
    );
    checks.done()?;
    let row = body_member::ActiveModel {
        body_id: Set(id),
        person_id: Set(person.id),
        recorded_by: Set(actor.person),
        recorded_at: Set(tx.now()),
        is_off_roster: Set(false),
        household_id: Set(None),
        register_number: Set(None),
        number_hmac: Set(None),
    };
    let known =
        OnConflict::columns([body_member::Column::BodyId, body_member::Column::PersonId]).do_nothing().to_owned();
    let new = body_member::Entity::insert(row).on_conflict(known).exec_without_returning(tx).await?;
    if new > 0 {
        tell(tx, actor, (Kind::MemberEntered, &body), None).await?;
    }
    Ok(BodyMemberView { person_id: person.id, name: person.name })
}

/// Takes somebody off the list. Records `member.struck`.
///
/// # Errors
/// `not_found` for a body that is not there, or somebody who is not on it; `not_allowed`; `invalid_fields` for a collective.
pub async fn strike(tx: &Tx, actor: &Actor, (id, person): (BodyId, PersonId)) -> Result<()> {
    let body = held(tx, actor, id).await?;
    without_reason(&body)?;
    let gone = body_member::Entity::delete_by_id((id, person)).exec(tx).await?;
    if gone.rows_affected == 0 {
        return Err(Code::NotFound.into());
    }
    tell(tx, actor, (Kind::MemberStruck, &body), None).await
}

/// Who is a member of the collective is written down with the reason, in its register.
fn without_reason(body: &Body) -> Result<()> {
    let mut checks = Checks::default();
    checks.require(body.kind != BodyKind::Collective, "person_id", "needs_a_reason");
    checks.done()
}

/// Directors and representatives of a collective are elected and sit in public: who leads them makes nobody one of them.
fn is_of_seats(kind: BodyKind) -> bool {
    matches!(kind, BodyKind::CollectiveBoard | BodyKind::CollectiveReps)
}

/// That the list changed, and who changed it; never whom it was about: the log is for ever. Of a register, which of its changes
/// they are, from which on and how many.
pub(super) async fn tell(
    tx: &Tx,
    actor: &Actor,
    (kind, body): (Kind, &Body),
    changes: Option<(i32, usize)>,
) -> Result<()> {
    let count = ids(tx, body.id).await?.len();
    let data = match changes {
        Some((first, changed)) => json!({ "count": count, "first": first, "changed": changed }),
        None => json!({ "count": count }),
    };
    let mut happening = Happening::new(kind, body.id).by(actor.person).with(data);
    if let Some(area) = body.areas.first() {
        happening = happening.at(area);
    }
    events::record(tx, happening).await?;
    Ok(())
}

/// The list, by name.
///
/// # Errors
/// `not_found`; `not_allowed` without a seat in the body that holds its meetings.
pub async fn list(db: &impl ConnectionTrait, actor: &Actor, id: BodyId) -> Result<Vec<BodyMemberView>> {
    held(db, actor, id).await?;
    let ids: Vec<PersonId> = ids(db, id).await?.into_iter().collect();
    let names = people::names(db, ids).await?;
    let mut found: Vec<BodyMemberView> =
        names.into_iter().map(|(person_id, name)| BodyMemberView { person_id, name }).collect();
    found.sort_by(|one, other| (&one.name, one.person_id.0).cmp(&(&other.name, other.person_id.0)));
    Ok(found)
}

/// May the actor hold the meetings of exactly this body?
#[must_use]
pub fn holds(actor: &Actor, id: BodyId) -> bool {
    leads(&actor.seats, id)
}

/// The same of somebody's seats.
#[must_use]
pub fn leads(seats: &[HeldSeat], id: BodyId) -> bool {
    let right = |kind: &str, role: &str| super::rights(kind, role).contains(&Right::HoldMeeting);
    seats.iter().any(|seat| seat.body_id == id && right(&seat.body_kind, &seat.role))
}

async fn held(db: &impl ConnectionTrait, actor: &Actor, id: BodyId) -> Result<Body> {
    let body = queries::get(db, id).await?;
    if holds(actor, id) { Ok(body) } else { Err(Code::NotAllowed.into()) }
}

/// The bodies to which a person belongs without a seat.
///
/// # Errors
/// When the database cannot be read.
pub async fn bodies_of(db: &impl ConnectionTrait, person: PersonId) -> Result<HashSet<BodyId>> {
    let rows = body_member::Entity::find()
        .select_only()
        .column(body_member::Column::BodyId)
        .filter(body_member::Column::PersonId.eq(person));
    Ok(rows.into_tuple().all(db).await?.into_iter().collect())
}

/// Who belongs to a body without a seat.
///
/// # Errors
/// When the database cannot be read.
pub async fn ids(db: &impl ConnectionTrait, id: BodyId) -> Result<HashSet<PersonId>> {
    let rows = body_member::Entity::find()
        .select_only()
        .column(body_member::Column::PersonId)
        .filter(body_member::Column::BodyId.eq(id))
        .limit(MAX_MEMBERS);
    Ok(rows.into_tuple().all(db).await?.into_iter().collect())
}

/// The collectives on whose registers this person is, or was: who may read them.
///
/// # Errors
/// When the database cannot be read.
pub async fn registers_of(db: &impl ConnectionTrait, person: PersonId) -> Result<Vec<Body>> {
    let listed = body_member::Entity::find()
        .select_only()
        .column(body_member::Column::BodyId)
        .filter(body_member::Column::PersonId.eq(person));
    let changed = member_change::Entity::find()
        .select_only()
        .column(member_change::Column::BodyId)
        .filter(member_change::Column::PersonId.eq(person));
    let mut ids: Vec<BodyId> = listed.into_tuple().all(db).await?;
    ids.extend(changed.into_tuple::<BodyId>().all(db).await?);
    ids.sort();
    ids.dedup();
    let mut found = queries::bodies(db, ids).await?;
    found.retain(|body| body.kind == BodyKind::Collective);
    Ok(found)
}

/// Those on the register of a collective who count though they are on no roster, because who keeps it says so: who belongs to
/// it is not where somebody lives (农村集体经济组织法, article 11).
///
/// # Errors
/// When the database cannot be read.
pub async fn off_roster(db: &impl ConnectionTrait, id: BodyId) -> Result<HashSet<PersonId>> {
    let rows = body_member::Entity::find()
        .select_only()
        .column(body_member::Column::PersonId)
        .filter(body_member::Column::BodyId.eq(id))
        .filter(body_member::Column::IsOffRoster.eq(true));
    Ok(rows.into_tuple().all(db).await?.into_iter().collect())
}

/// The households of a collective to which members belong who live in none of them.
///
/// # Errors
/// When the database cannot be read.
pub async fn households(db: &impl ConnectionTrait, id: BodyId) -> Result<HashMap<PersonId, HouseholdId>> {
    let rows = body_member::Entity::find()
        .filter(body_member::Column::BodyId.eq(id))
        .filter(body_member::Column::HouseholdId.is_not_null());
    Ok(rows.all(db).await?.into_iter().filter_map(|row| Some((row.person_id, row.household_id?))).collect())
}

/// The member of this name, wherever the roster has them; of several, the one with this number.
///
/// # Errors
/// When the database cannot be read.
pub async fn called(db: &impl ConnectionTrait, id: BodyId, (name, number): (&str, Option<&str>)) -> Result<Named> {
    let ids: Vec<PersonId> = ids(db, id).await?.into_iter().collect();
    let known = people::queries::on_rolls(db, &ids).await?;
    let own = register::numbers(db, id).await?;
    let has =
        |one: &Resident, number: &str| one.roster_number == number || own.get(&one.id).is_some_and(|own| own == number);
    let is_meant = |one: &&Resident| one.name == name && number.is_none_or(|number| has(one, number));
    let mut meant = known.values().filter(is_meant);
    Ok(match (meant.next(), meant.next()) {
        (None, _) => Named::Nobody,
        (Some(one), None) => Named::One(one.id),
        (Some(_), Some(_)) => Named::Several,
    })
}

/// Who counts when it is asked how many of how many came to a meeting of a body: its members with or without a seat, not
/// those who only work for it; of a collective those on its register alone, of its board and its representatives those who
/// sit there alone.
///
/// # Errors
/// `not_found`.
pub async fn entitled(db: &impl ConnectionTrait, id: BodyId, now: DateTime<Utc>) -> Result<HashSet<PersonId>> {
    let counts = |role: Role| matches!(role, Role::Chair | Role::ViceChair | Role::Secretary | Role::Member);
    let kind = queries::get(db, id).await?.kind;
    let is_collective = kind == BodyKind::Collective;
    let seats = if is_collective { Vec::new() } else { queries::members_of(db, id, now).await? };
    let listed: Vec<PersonId> = if is_of_seats(kind) { Vec::new() } else { ids(db, id).await?.into_iter().collect() };
    // who moved away or died counts no more
    let mut found: HashSet<PersonId> = people::queries::homes(db, &listed).await?.into_keys().collect();
    if is_collective {
        found.extend(off_roster(db, id).await?);
    }
    found.extend(seats.into_iter().filter(|seat| counts(seat.role)).map(|seat| seat.person_id));
    Ok(found)
}

/// Those of them who have a vote on that day: children are members of a collective, too, and its assembly is made up of those
/// of age alone (农村集体经济组织法, article 26).
///
/// # Errors
/// `not_found`.
pub async fn voting(
    db: &impl ConnectionTrait,
    id: BodyId,
    (now, day): (DateTime<Utc>, NaiveDate),
) -> Result<HashSet<PersonId>> {
    let mut found = entitled(db, id, now).await?;
    if queries::get(db, id).await?.kind == BodyKind::Collective {
        let ids: Vec<PersonId> = found.iter().copied().collect();
        let known = people::queries::on_rolls(db, &ids).await?;
        found.retain(|person| known.get(person).is_some_and(|one| people::rules::is_adult(one.birth_date, day)));
    }
    Ok(found)
}
