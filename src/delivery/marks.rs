//! Who was told at the door of a meeting's call or of a vote: written down by who goes round and seen by who was told; taken
//! back by who wrote it down, within a day, or by the person at any time. Of notices their confirmations say it.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, Set, TryInsertResult,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    board::{DOOR, ReachRow},
    doors::{Call, Called},
    rows::door_mark,
};
use crate::{
    actor::Actor,
    clock,
    error::{Checks, Code, Error, Result},
    events::{self, Event, Happening, Kind},
    ids::PersonId,
    notices::{DoorWay, OfPerson, reached::AtDoor, rules::UNDO_WITHIN},
    people::{self, audience::Among},
    store::Tx,
    streams::commands::{Card, mailbox, post_card},
};

/// Newest marks of the own visits shown.
const SHOWN: u64 = 20;

/// Somebody was told at the door.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TellAtDoor {
    /// Who; is called to the meeting, or on the roll of the vote.
    pub person_id: PersonId,
    /// How it was done; read out when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<DoorWay>,
    /// Up to 200 characters.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub note: String,
}

/// That somebody was told at the door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DoorMarkView {
    /// What it was that they were told.
    pub about: Call,
    /// Who.
    pub person_id: PersonId,
    /// When it was written down.
    pub told_at: DateTime<FixedOffset>,
    /// Full name of who told them.
    pub by_name: String,
}

/// Writes down that somebody was told at the door; that person hears of it. Once more, by whomever, is the first answer.
/// Records `door.told`.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not go round there; `wrong_state` when it is over; `invalid_fields` for oneself and
/// for who is not called, nor in an open vote asked any more.
pub async fn tell(tx: &Tx, actor: &Actor, ((call, id), input): ((Call, Uuid), TellAtDoor)) -> Result<DoorMarkView> {
    let called = Called::find(tx, (call, id)).await?;
    let scope = called.scope(tx, actor).await?;
    let kind = called.kind()?;
    let person = people::person(tx, input.person_id).await?;
    if person.as_ref().is_some_and(|one| !scope.has(one.group_number)) {
        return Err(Code::NotAllowed.into());
    }
    let is_called = match &person {
        Some(person) => called.concerns(tx, (person, tx.now())).await?,
        None => false,
    };
    let mut checks = Checks::default();
    checks.require(input.person_id != actor.person, "person_id", "not_yourself");
    checks.require(is_called, "person_id", "not_a_member");
    checks.text("note", &input.note, 0..=200);
    checks.done()?;
    let row = door_mark::ActiveModel {
        kind: Set(kind.as_str().to_owned()),
        about: Set(id),
        person_id: Set(input.person_id),
        at: Set(tx.now()),
        by_id: Set(actor.person),
        way: Set(input.way.unwrap_or_default().as_str().to_owned()),
        note: Set(Some(input.note.trim().to_owned()).filter(|note| !note.is_empty())),
    };
    let once = [door_mark::Column::Kind, door_mark::Column::About, door_mark::Column::PersonId];
    let made = door_mark::Entity::insert(row).on_conflict_do_nothing_on(once).exec_without_returning(tx).await?;
    if matches!(made, TryInsertResult::Inserted(1)) {
        let data = json!({ "about": call.as_str(), "person": input.person_id });
        events::record(tx, Happening::new(Kind::DoorTold, id).at(called.area()).by(actor.person).with(data)).await?;
    }
    let row = found(tx, (kind, id), input.person_id).await?;
    view(tx, row.ok_or_else(|| Error::broken("a mark that is neither new nor known"))?).await
}

/// Takes back that somebody was told: who wrote it down, within a day; the person, at any time. Records `door.taken_back`.
///
/// # Errors
/// `not_found` for what is not there or not the actor's to take back; `wrong_state` when it is over; `period_over` after a day.
pub async fn undo(tx: &Tx, actor: &Actor, ((call, id), input): ((Call, Uuid), OfPerson)) -> Result<()> {
    let called = Called::find(tx, (call, id)).await?;
    let kind = called.kind()?;
    let known = found(tx, (kind, id), input.person_id).await?;
    let is_own = input.person_id == actor.person;
    let known = known.filter(|row| row.by_id == actor.person || is_own).ok_or(Code::NotFound)?;
    if !is_own && known.at + UNDO_WITHIN < tx.now() {
        return Err(Code::PeriodOver.into());
    }
    door_mark::Entity::delete_by_id((kind.as_str().to_owned(), id, input.person_id)).exec(tx).await?;
    let data = json!({ "about": call.as_str(), "person": input.person_id, "by": known.by_id });
    events::record(tx, Happening::new(Kind::DoorTakenBack, id).at(called.area()).by(actor.person).with(data)).await?;
    Ok(())
}

/// Whoever was told, or is said to have been, hears that it was written down, and who wrote it down that it was taken back.
pub(super) async fn tell_marked(tx: &Tx, event: &Event) -> Result<()> {
    let named = match event.kind {
        Kind::DoorTold => ("door_told", "delivery-card-told"),
        Kind::DoorTakenBack => ("door_taken_back", "delivery-card-not-told"),
        _ => return Ok(()),
    };
    let call = event.data["about"].as_str().and_then(Call::parse);
    let (Some(call), Some(person)) = (call, event.get::<PersonId>("person")) else { return Ok(()) };
    let called = Called::find(tx, (call, event.subject_id()?)).await?;
    let by = event.actor.unwrap_or(person);
    // who takes something back knows of it
    let concerned = [Some(person), event.get::<PersonId>("by")].into_iter().flatten().filter(|one| *one != by);
    let name = people::name(tx, by).await?;
    let blanks = [("title", called.title().into()), ("name", name.as_str().into())];
    let card = Card::worded(named, &blanks, format!("/{}s/{}", call.as_str(), event.subject));
    for one in concerned {
        post_card(tx, mailbox(tx, one).await?, card.clone()).await?;
    }
    Ok(())
}

/// Everybody who was told at the door of it.
pub(super) async fn told(db: &impl ConnectionTrait, about: (Kind, Uuid)) -> Result<HashMap<PersonId, AtDoor>> {
    let marked = |row: door_mark::Model| (row.person_id, AtDoor { at: row.at, by: Some(row.by_id), note: row.note });
    Ok(of(about).all(db).await?.into_iter().map(marked).collect())
}

/// Those of these people who were.
pub(super) async fn told_among(db: &impl ConnectionTrait, about: (Kind, Uuid), among: &Among) -> Result<Vec<PersonId>> {
    let rows = of(about).select_only().column(door_mark::Column::PersonId);
    Ok(rows.filter(among.holds(door_mark::Column::PersonId)).into_tuple().all(db).await?)
}

/// Who was told at the door stands there by that, whatever else was sent: somebody saw them.
pub(super) async fn at_door(
    db: &impl ConnectionTrait,
    mut told: HashMap<PersonId, AtDoor>,
    rows: &mut [ReachRow],
) -> Result<()> {
    let names = people::names(db, told.values().filter_map(|one| one.by).collect()).await?;
    for row in rows {
        let Some(one) = told.remove(&row.person_id) else { continue };
        row.way = Some(DOOR.to_owned());
        row.at = Some(clock::local(one.at));
        row.by_name = one.by.and_then(|by| names.get(&by).cloned());
        (row.note, row.why) = (one.note, None);
    }
    Ok(())
}

/// What the actor wrote down within a day and can take back, newest first, 20 at most.
///
/// # Errors
/// `wrong_state` when it is over.
pub async fn made_by(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (called, now): (&Called, DateTime<Utc>),
) -> Result<Vec<(PersonId, String)>> {
    let rows = of((called.kind()?, called.id()))
        .filter(door_mark::Column::ById.eq(actor.person))
        .filter(door_mark::Column::At.gt(now - UNDO_WITHIN))
        .order_by_desc(door_mark::Column::At)
        .limit(SHOWN)
        .all(db)
        .await?;
    let ids: Vec<PersonId> = rows.iter().map(|row| row.person_id).collect();
    let known = people::queries::on_rolls(db, &ids).await?;
    let named = |id: PersonId| (id, known.get(&id).map(|one| one.name.clone()).unwrap_or_default());
    Ok(ids.into_iter().map(named).collect())
}

/// That the actor was told at the door; `None` when nobody says so, or it is over.
///
/// # Errors
/// When the database cannot be read.
pub async fn own(db: &impl ConnectionTrait, actor: &Actor, called: &Called) -> Result<Option<DoorMarkView>> {
    let Ok(kind) = called.kind() else { return Ok(None) };
    match found(db, (kind, called.id()), actor.person).await? {
        Some(row) => view(db, row).await.map(Some),
        None => Ok(None),
    }
}

fn of((kind, id): (Kind, Uuid)) -> Select<door_mark::Entity> {
    door_mark::Entity::find().filter(door_mark::Column::Kind.eq(kind.as_str())).filter(door_mark::Column::About.eq(id))
}

async fn found(
    db: &impl ConnectionTrait,
    (kind, id): (Kind, Uuid),
    person: PersonId,
) -> Result<Option<door_mark::Model>> {
    Ok(door_mark::Entity::find_by_id((kind.as_str().to_owned(), id, person)).one(db).await?)
}

async fn view(db: &impl ConnectionTrait, row: door_mark::Model) -> Result<DoorMarkView> {
    let by_name = people::name(db, row.by_id).await?;
    let about = if row.kind == Kind::VoteOpened.as_str() { Call::Vote } else { Call::Meeting };
    Ok(DoorMarkView { about, person_id: row.person_id, told_at: clock::local(row.at), by_name })
}
