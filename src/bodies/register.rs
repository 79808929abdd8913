//! 成员名册: whom a village's collective counts among its members; who came onto it and who left it, why, since when, by whom.
mod off_roster;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, FixedOffset, NaiveDate};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    Set,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use self::off_roster::Meant;
pub use self::off_roster::OffRosterMember;
pub(super) use self::off_roster::numbers;
use super::{
    members::{self, MAX_MEMBERS},
    queries::{self, Body},
    rows::{body_member, member_change},
    rules::BodyKind,
};
use crate::{
    actor::{Actor, covers},
    clock,
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::{BodyId, PersonId},
    people::{self, Resident},
    store::Tx,
};

/// People of one change at most.
const MAX_AT_ONCE: usize = 500;
/// Changes shown at most, the newest first; one's own are shown beside them.
const SHOWN: u64 = 200;

/// Some come onto a register, or leave it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRegister {
    /// Do they come, or leave?
    pub is_entered: bool,
    /// Who: numbers on the village's roster, or on the register of who is on none, of another village after its code and a dash;
    /// 500 at most.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub roster_numbers: Vec<String>,
    /// Who comes and is on no roster of the village; 50 at most. Who left the roster and is on the register still has a vote
    /// again by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub off_roster: Vec<OffRosterMember>,
    /// Why; every member reads it. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
    /// Since which day; today at the latest.
    pub since: NaiveDate,
}

/// What a change came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegisterChanged {
    /// How many came, or left.
    pub changed: usize,
    /// How many are on the register now.
    pub count: usize,
}

/// A register, for its members, whoever was one, and whoever sits over the village.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegisterView {
    /// The collective.
    pub body_id: BodyId,
    /// Its name.
    pub body_name: String,
    /// Does the asker stand on it?
    pub is_listed: bool,
    /// Who does, in the order of the roster.
    pub members: Vec<RegisteredView>,
    /// What changed, the newest first: the last 200, and what is about the asker.
    pub changes: Vec<RegisterChangeView>,
}

/// Somebody on a register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegisteredView {
    /// The name; masked but for who keeps the register.
    pub name: String,
    /// The number on the roster, for who keeps the register; after the code of the village where it may be another's. Of who was
    /// entered by an identity number and is on no roster of the collective's villages, a number of the register's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roster_number: Option<String>,
    /// Is this person on no roster any more? Then there is no vote either, though nobody was struck.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub has_left: bool,
    /// On no roster of the collective's villages, and counted all the same: who keeps the register said so.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub is_off_roster: bool,
}

/// That somebody came onto a register, or left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegisterChangeView {
    /// Its place among those of the register, from 1.
    pub number: i32,
    /// Came, or left?
    pub is_entered: bool,
    /// Who; masked but for who keeps the register.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Since which day.
    pub since: NaiveDate,
    /// Who wrote it down; full name, because it was done in a seat.
    pub by_name: String,
    /// When.
    pub at: DateTime<FixedOffset>,
}

/// Changes a register: all who are named, or nobody. Records `member.entered` or `member.struck`, and `number.disputed` for an
/// identity number that the county knows under another name.
///
/// # Errors
/// `not_found` for a body that is no collective; `not_allowed` for who does not keep its register; `invalid_fields` for a number
/// that nobody has there, for who is on it already or is not, for an identity number that is none or was given for another, and
/// when it is full.
pub async fn change(tx: &Tx, actor: &Actor, (id, input): (BodyId, ChangeRegister)) -> Result<RegisterChanged> {
    let body = kept(tx, actor, id).await?;
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=200);
    checks.day("since", input.since);
    checks.require(input.since <= clock::local_date(tx.now()), "since", "out_of_range");
    let least = usize::from(input.off_roster.is_empty());
    checks.require((least..=MAX_AT_ONCE).contains(&input.roster_numbers.len()), "roster_numbers", "out_of_range");
    // who leaves has a number on the register, whoever they are
    checks.require(input.is_entered || input.off_roster.is_empty(), "off_roster", "unknown");
    checks.done()?;
    let listed = members::ids(tx, id).await?;
    let mut named = named(tx, &body, (&input, &listed)).await?;
    if input.is_entered {
        let standing = members::entitled(tx, id, tx.now()).await?;
        let others = off_roster::meant(tx, (&body, &input.off_roster), (&listed, &standing)).await?;
        let mut checks = Checks::default();
        let most = usize::try_from(MAX_MEMBERS).unwrap_or(usize::MAX);
        checks.require(listed.len() + named.len() + others.len() <= most, "roster_numbers", "too_long");
        let is_twice = others.iter().any(|one| named.contains(&one.person));
        checks.require(!is_twice, "off_roster", "duplicate");
        checks.done()?;
        enter(tx, actor, id, (&named, &others)).await?;
        named.extend(others.iter().map(|one| one.person));
    } else {
        body_member::Entity::delete_many()
            .filter(body_member::Column::BodyId.eq(id))
            .filter(body_member::Column::PersonId.is_in(named.iter().copied()))
            .exec(tx)
            .await?;
    }
    note(tx, actor, (&body, &input), &named).await?;
    Ok(RegisterChanged { changed: named.len(), count: members::ids(tx, id).await?.len() })
}

/// Writes down who comes; who is on the register without a vote has one from now on.
async fn enter(tx: &Tx, actor: &Actor, id: BodyId, (named, others): (&[PersonId], &[Meant])) -> Result<()> {
    let row = |person: PersonId| body_member::ActiveModel {
        body_id: Set(id),
        person_id: Set(person),
        recorded_by: Set(actor.person),
        recorded_at: Set(tx.now()),
        is_off_roster: Set(false),
        household_id: Set(None),
        register_number: Set(None),
        number_hmac: Set(None),
    };
    let mut rows: Vec<body_member::ActiveModel> = named.iter().map(|person| row(*person)).collect();
    let taken = off_roster::numbers(tx, id).await?;
    let mut free = off_roster::free_numbers(&taken);
    for one in others {
        let entered = body_member::ActiveModel {
            is_off_roster: Set(one.is_off_roster),
            household_id: Set(one.household),
            register_number: Set(one.is_off_roster.then(|| free.next()).flatten()),
            number_hmac: Set(Some(one.number_hmac.clone())),
            ..row(one.person)
        };
        if one.is_listed {
            // who came, and when, stays
            let (recorded_by, recorded_at) = Default::default();
            body_member::ActiveModel { recorded_by, recorded_at, ..entered }.update(tx).await?;
        } else {
            rows.push(entered);
        }
    }
    if !rows.is_empty() {
        body_member::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    for one in others {
        dispute(tx, actor, id, one).await?;
    }
    Ok(())
}

/// Writes down for the county that a number is another's. Records `number.disputed`.
async fn dispute(tx: &Tx, actor: &Actor, id: BodyId, one: &Meant) -> Result<()> {
    let Some(others) = one.others else { return Ok(()) };
    let body = queries::get(tx, id).await?;
    let area = body.areas.first().map(String::as_str).unwrap_or_default();
    let data = json!({ "area": area, "count": 1, "people": [others], "body": id });
    events::record(tx, Happening::new(Kind::NumberDisputed, one.person).at(area).by(actor.person).with(data)).await?;
    Ok(())
}

/// The collective, for who keeps its register: who holds its meetings.
async fn kept(db: &impl ConnectionTrait, actor: &Actor, id: BodyId) -> Result<Body> {
    let body = queries::get(db, id).await?;
    if !members::holds(actor, id) {
        return Err(Code::NotAllowed.into());
    }
    if body.kind == BodyKind::Collective { Ok(body) } else { Err(Code::NotFound.into()) }
}

/// Whom the numbers mean: who comes is on the roster, who leaves may have died or moved away.
async fn named(tx: &Tx, body: &Body, (input, listed): (&ChangeRegister, &HashSet<PersonId>)) -> Result<Vec<PersonId>> {
    let mut meant: Vec<Resident> = Vec::new();
    if input.is_entered {
        for area in &body.areas {
            meant.extend(people::residents(tx, area).await?);
        }
    } else {
        let ids: Vec<PersonId> = listed.iter().copied().collect();
        meant.extend(people::queries::on_rolls(tx, &ids).await?.into_values());
    }
    let own = off_roster::numbers(tx, body.id).await?;
    let mut by_number: HashMap<String, Vec<PersonId>> = HashMap::new();
    for one in meant {
        // whoever has a number of the register has none that tells of a roster elsewhere
        if let Some(number) = own.get(&one.id).filter(|_| !off_roster::is_here(body, &one)) {
            by_number.entry(number.clone()).or_default().push(one.id);
            continue;
        }
        by_number.entry(with_village(&one)).or_default().push(one.id);
        // numbers are a village's own: another's are not taken for those of this one
        if body.areas.contains(&one.area) {
            by_number.entry(one.roster_number).or_default().push(one.id);
        }
    }
    let (mut checks, mut found) = (Checks::default(), Vec::new());
    let mut seen = HashSet::new();
    for (at, number) in input.roster_numbers.iter().enumerate() {
        let field = format!("roster_numbers[{at}]");
        match by_number.get(number.trim()).map(Vec::as_slice) {
            Some([one]) if !seen.insert(*one) || (input.is_entered && listed.contains(one)) => {
                checks.wrong(field, "duplicate");
            }
            Some([one]) => found.push(*one),
            None => checks.wrong(field, if input.is_entered { "not_on_roster" } else { "not_on_register" }),
            Some(_) => checks.wrong(field, "several_of_that_name"),
        }
    }
    checks.done()?;
    Ok(found)
}

/// The number on a roster of whichever village.
fn with_village(one: &Resident) -> String {
    format!("{}-{}", one.area, one.roster_number)
}

/// Writes down who came or left, and tells that the register changed; whom the rows say, never the log.
async fn note(tx: &Tx, actor: &Actor, (body, input): (&Body, &ChangeRegister), people: &[PersonId]) -> Result<()> {
    let so_far = member_change::Entity::find().filter(member_change::Column::BodyId.eq(body.id)).count(tx).await?;
    let first = i32::try_from(so_far).map_err(Error::broken)?.saturating_add(1);
    let row = |(number, person): (i32, &PersonId)| member_change::ActiveModel {
        body_id: Set(body.id),
        number: Set(number),
        person_id: Set(*person),
        is_entered: Set(input.is_entered),
        reason: Set(input.reason.trim().to_owned()),
        since: Set(input.since),
        actor_id: Set(actor.person),
        at: Set(tx.now()),
    };
    member_change::Entity::insert_many((first..).zip(people).map(row)).exec_without_returning(tx).await?;
    let kind = if input.is_entered { Kind::MemberEntered } else { Kind::MemberStruck };
    members::tell(tx, actor, (kind, body), Some((first, people.len()))).await
}

/// The register, for its members, whoever was one, and whoever sits over the village.
///
/// # Errors
/// `not_found` for a body that is no collective, and for everybody else.
pub async fn register(db: &impl ConnectionTrait, actor: &Actor, id: BodyId) -> Result<RegisterView> {
    let body = queries::get(db, id).await?;
    let listed = members::ids(db, id).await?;
    let is_listed = listed.contains(&actor.person);
    let serves = body.areas.iter().any(|area| actor.seats.iter().any(|seat| seat.serves(area)));
    // who was struck reads why
    let own = member_change::Entity::find()
        .filter(member_change::Column::BodyId.eq(id))
        .filter(member_change::Column::PersonId.eq(actor.person));
    if body.kind != BodyKind::Collective || !(is_listed || serves || own.one(db).await?.is_some()) {
        return Err(Code::NotFound.into());
    }
    let keeps = members::holds(actor, id);
    let off_roster = members::off_roster(db, id).await?;
    let own = off_roster::numbers(db, id).await?;
    let ids: Vec<PersonId> = listed.into_iter().collect();
    let mut people: Vec<Resident> = people::queries::on_rolls(db, &ids).await?.into_values().collect();
    let number = |one: &Resident| {
        let is_plain = body.areas.iter().all(|area| *area == one.area);
        let of_roster = || if is_plain { one.roster_number.clone() } else { with_village(one) };
        own.get(&one.id).filter(|_| !off_roster::is_here(&body, one)).cloned().unwrap_or_else(of_roster)
    };
    people.sort_by_cached_key(number);
    let show = |one: &Resident| RegisteredView {
        roster_number: keeps.then(|| number(one)),
        name: if keeps { one.name.clone() } else { people::mask_name(&one.name) },
        has_left: one.left_on.is_some() && !off_roster.contains(&one.id),
        is_off_roster: off_roster.contains(&one.id) && !off_roster::is_here(&body, one),
    };
    let members = people.iter().map(show).collect();
    Ok(RegisterView {
        body_id: id,
        is_listed,
        members,
        body_name: body.name,
        changes: changes(db, id, (actor.person, keeps)).await?,
    })
}

async fn changes(
    db: &impl ConnectionTrait,
    id: BodyId,
    (asker, keeps): (PersonId, bool),
) -> Result<Vec<RegisterChangeView>> {
    let of_body = || member_change::Entity::find().filter(member_change::Column::BodyId.eq(id));
    // they are numbered without a gap
    let older = i32::try_from(of_body().count(db).await?.saturating_sub(SHOWN)).map_err(Error::broken)?;
    let is_shown =
        Condition::any().add(member_change::Column::Number.gt(older)).add(member_change::Column::PersonId.eq(asker));
    let rows = of_body().filter(is_shown).order_by_desc(member_change::Column::Number).all(db).await?;
    let whom: Vec<PersonId> = rows.iter().map(|row| row.person_id).collect();
    let people = people::queries::on_rolls(db, &whom).await?;
    let writers = people::names(db, rows.iter().map(|row| row.actor_id).collect()).await?;
    let name = |person: PersonId| {
        let full = people.get(&person).map(|one| one.name.as_str()).unwrap_or_default();
        if keeps { full.to_owned() } else { people::mask_name(full) }
    };
    let show = |row: member_change::Model| RegisterChangeView {
        number: row.number,
        is_entered: row.is_entered,
        name: name(row.person_id),
        reason: row.reason,
        since: row.since,
        by_name: writers.get(&row.actor_id).cloned().unwrap_or_default(),
        at: clock::local(row.at),
    };
    Ok(rows.into_iter().map(show).collect())
}

/// Those on a register who are on a roster outside its areas by now: what is told in the channels there does not reach them.
///
/// # Errors
/// When the database cannot be read.
pub async fn outside(db: &impl ConnectionTrait, body: &Body) -> Result<Vec<PersonId>> {
    let listed: Vec<PersonId> = members::ids(db, body.id).await?.into_iter().collect();
    let homes = people::queries::homes(db, &listed).await?;
    let is_outside = |home: &str| !body.areas.iter().any(|area| covers(area, home));
    let mut found: Vec<PersonId> =
        homes.into_iter().filter(|(_, home)| is_outside(home)).map(|(person, _)| person).collect();
    // always the same way, whichever process asks
    found.sort_unstable();
    Ok(found)
}

/// Whom some changes, one after the other, were about, each with the reason: for who tells them.
///
/// # Errors
/// When the database cannot be read.
pub async fn changed(
    db: &impl ConnectionTrait,
    id: BodyId,
    (first, count): (i32, usize),
) -> Result<Vec<(PersonId, String)>> {
    let last = first.saturating_add(i32::try_from(count).map_err(Error::broken)?);
    let rows = member_change::Entity::find()
        .filter(member_change::Column::BodyId.eq(id))
        .filter(member_change::Column::Number.gte(first))
        .filter(member_change::Column::Number.lt(last))
        .order_by_asc(member_change::Column::Number);
    Ok(rows.all(db).await?.into_iter().map(|row| (row.person_id, row.reason)).collect())
}
