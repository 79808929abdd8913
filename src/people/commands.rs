//! Brings a village's roster in: all or nothing, again and again without harm.
//!
//! # Why
//! Reading, hashing and sealing happen before the unit of work, off the runtime's threads; the unit only compares and
//! writes. Most lines of a roster that comes again are unchanged, and unchanged lines cost a comparison.
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use chrono::NaiveDate;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable, QueryFilter, QueryOrder,
    Set, sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    accounts, claims, desk_login,
    matching::{self, Listed},
    numbers, replaced,
    roster::{self, RosterRow},
    rows::{household, person, roster_import},
    rules::Sex,
    sessions, strangers,
};
use crate::{
    app::App,
    areas,
    broker::Bell,
    clock,
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::{HouseholdId, PersonId},
    keys::{Keys, sha256_hex},
    store::Tx,
};

/// Rows of one statement: SQLite takes 32,766 values.
const CHUNK: usize = 500;
/// More people than this, and a fifth of the village, do not leave between two rosters without somebody saying so.
const MANY: usize = 20;

/// A roster to import.
#[derive(Clone, Debug)]
pub struct RosterFile {
    /// The file: CSV, UTF-8.
    pub bytes: Vec<u8>,
    /// The village it must be of; `None`: whichever it names, for the command line.
    pub area: Option<String>,
    /// Who imports it; `None`: the operator at the command line.
    pub imported_by: Option<PersonId>,
    /// How many people leave with it, said by somebody who was asked.
    pub confirm_left: Option<usize>,
}

/// What an import did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RosterImported {
    /// The village.
    pub area: String,
    /// People in the file.
    pub rows: usize,
    /// People who were not known.
    pub added: usize,
    /// People of whom something changed.
    pub changed: usize,
    /// People who are no longer on the roster.
    pub left: usize,
    /// People whose phone in the file differs from the one approved for them, which stays.
    pub phones_kept: usize,
    /// People to whom the file gave another phone than they had, or one where they had none: by it they cast in no vote whose roll
    /// was drawn up before, until a second person has approved it.
    pub phones_changed: usize,
    /// People whose phone in the file cannot be their own: more than ten have it there, or somebody made it up.
    pub phones_doubtful: usize,
    /// Was everything known already?
    pub unchanged: bool,
}

/// A roster, read and sealed, ready for the unit of work.
struct Roster {
    area: String,
    digest: String,
    listed: Vec<Listed>,
}

/// Imports a roster.
///
/// # Errors
/// `roster_invalid` with every wrong line; `roster_many_leave` with their number, until it is confirmed.
pub async fn import_roster(app: &App, file: RosterFile) -> Result<RosterImported> {
    let (keys, today) = (Arc::clone(&app.keys), clock::local_date(app.now()));
    let RosterFile { bytes, area, imported_by, confirm_left } = file;
    let ready = tokio::task::spawn_blocking(move || prepare(&keys, &bytes, area, today));
    let roster = ready.await.map_err(Error::broken)??;
    let area = roster.area.clone();
    let outcome = app.store.write(move |tx| Box::pin(import(tx, roster, imported_by, confirm_left))).await;
    strangers::tell_refused(app, (area, imported_by), outcome.as_ref().err()).await?;
    outcome
}

fn prepare(keys: &Keys, bytes: &[u8], area: Option<String>, today: NaiveDate) -> Result<Roster> {
    let rows = roster::parse(bytes, today)?;
    let area = area.or_else(|| rows.first().map(|row| row.village_code.clone())).unwrap_or_default();
    let mut checks = Checks::default();
    for row in rows.iter().filter(|row| row.village_code != area).take(50) {
        checks.wrong(format!("line {}, column village_code", row.line), "other_village");
    }
    checks.done_as(Code::RosterInvalid)?;
    let seal = |row: RosterRow| {
        let phone = row.phone.as_deref();
        Ok(Listed {
            id_hmac: row.id_no.as_ref().map(|id| keys.lookup("id", id.as_str())),
            phone_sealed: phone.map(|phone| keys.seal("phone", phone)).transpose()?,
            phone_hmac: phone.map(|phone| keys.lookup("phone", phone)),
            // with the day of birth and the village's code beside them, the last characters would tell the whole number
            id_last4_sealed: row.id_no.as_ref().map(|id| keys.seal("id-last4", id.last_four())).transpose()?,
            claim_hmac: row.id_no.as_ref().map(|id| claims::digest(keys, &row.village_code, &row.name, id.last_six())),
            row,
        })
    };
    let listed = rows.into_iter().map(seal).collect::<Result<_>>()?;
    Ok(Roster { area, digest: keys.lookup("roster", &sha256_hex(bytes)), listed })
}

async fn import(
    tx: &Tx,
    mut roster: Roster,
    by: Option<PersonId>,
    confirm_left: Option<usize>,
) -> Result<RosterImported> {
    let area = areas::get(tx, &roster.area).await?;
    if !area.level.is_village() || area.valid_to.is_some() {
        return Err(Code::NotFound.into());
    }
    let mut known = known(tx, &roster).await?;
    let others = strangers::set_apart(tx, (&roster.area, &mut roster.listed), &mut known).await?;
    let found = matching::people(&roster.area, &roster.listed, &known);
    strangers::refuse_foreign((&roster.area, &roster.listed), &found, &known)?;
    let staying: HashSet<PersonId> = found.iter().flatten().filter_map(|at| known.get(*at)).map(|old| old.id).collect();
    let is_here = |old: &&person::Model| old.area_code == roster.area && old.left_on.is_none();
    let gone: Vec<PersonId> =
        known.iter().filter(is_here).filter(|old| !staying.contains(&old.id)).map(|old| old.id).collect();
    let present = known.iter().filter(is_here).count();
    if gone.len() > MANY && gone.len() * 5 > present && confirm_left != Some(gone.len()) {
        return Err(Code::RosterManyLeave.with(json!({ "left": gone.len() })));
    }
    let households = households(tx, &roster).await?;
    let change = compare(tx, &roster, &found, &known, &households)?;
    free_numbers(tx, &roster, &change, &known).await?;
    let done = RosterImported {
        area: roster.area.clone(),
        rows: roster.listed.len(),
        added: change.fresh.len(),
        changed: change.changed.len(),
        left: gone.len(),
        phones_kept: phones_kept(&roster, &found, &known),
        phones_changed: change.changed.iter().filter(|(old, new)| old.phone_listed_at != new.phone_listed_at).count(),
        phones_doubtful: numbers::doubtful(roster.listed.iter().filter_map(|line| line.row.phone.as_deref())),
        unchanged: change.fresh.is_empty() && change.changed.is_empty() && gone.is_empty(),
    };
    write(tx, change).await?;
    accounts::leave(tx, &gone).await?;
    note(tx, &roster.digest, &done, by).await?;
    if !done.unchanged {
        strangers::tell(tx, (&roster.area, by), &others).await?;
    }
    Ok(done)
}

/// Whoever proved a phone at the office keeps it, whatever the file says.
fn phones_kept(roster: &Roster, found: &[Option<usize>], known: &[person::Model]) -> usize {
    let lines = roster.listed.iter().zip(found).filter_map(|(line, at)| Some((line, known.get((*at)?)?)));
    lines.filter(|(line, old)| old.phone_approved_at.is_some() && old.phone_hmac != line.phone_hmac).count()
}

/// Everybody of the village, those who left too, and whoever elsewhere has one of the identity numbers.
async fn known(tx: &Tx, roster: &Roster) -> Result<Vec<person::Model>> {
    let mut known = person::Entity::find().filter(person::Column::AreaCode.eq(&roster.area)).all(tx).await?;
    let here: HashSet<&str> = known.iter().filter_map(|old| old.id_hmac.as_deref()).collect();
    let ids: Vec<&str> = roster.listed.iter().filter_map(|line| line.id_hmac.as_deref()).collect();
    let unknown: Vec<&str> = ids.into_iter().filter(|id| !here.contains(id)).collect();
    let mut elsewhere = Vec::new();
    for chunk in unknown.chunks(CHUNK) {
        let ids = chunk.iter().copied();
        elsewhere.extend(person::Entity::find().filter(person::Column::IdHmac.is_in(ids)).all(tx).await?);
    }
    known.append(&mut elsewhere);
    Ok(known)
}

/// Households of the village by number; new ones are written, a changed group too.
async fn households(tx: &Tx, roster: &Roster) -> Result<HashMap<String, HouseholdId>> {
    let old = household::Entity::find().filter(household::Column::AreaCode.eq(&roster.area)).all(tx).await?;
    let mut groups: HashMap<String, i32> = old.iter().map(|row| (row.number.clone(), row.group_number)).collect();
    let mut ids: HashMap<String, HouseholdId> = old.into_iter().map(|row| (row.number, row.id)).collect();
    let mut rows = Vec::new();
    let mut seen = HashSet::new();
    for line in roster.listed.iter().map(|line| &line.row).filter(|row| seen.insert(row.household_no.as_str())) {
        let group = i32::from(line.group);
        let id = *ids.entry(line.household_no.clone()).or_insert_with(HouseholdId::new);
        if groups.insert(line.household_no.clone(), group) != Some(group) {
            rows.push(household::ActiveModel {
                id: Set(id),
                area_code: Set(roster.area.clone()),
                number: Set(line.household_no.clone()),
                group_number: Set(group),
            });
        }
    }
    let known = OnConflict::column(household::Column::Id).update_column(household::Column::GroupNumber).to_owned();
    for chunk in rows.chunks(CHUNK) {
        let insert = household::Entity::insert_many(chunk.to_vec()).on_conflict(known.clone());
        insert.exec_without_returning(tx).await?;
    }
    Ok(ids)
}

/// What must be written.
struct Change {
    fresh: Vec<person::Model>,
    /// As it was, as it shall be.
    changed: Vec<(person::Model, person::Model)>,
}

fn compare(
    tx: &Tx,
    roster: &Roster,
    found: &[Option<usize>],
    known: &[person::Model],
    households: &HashMap<String, HouseholdId>,
) -> Result<Change> {
    let mut change = Change { fresh: Vec::new(), changed: Vec::new() };
    for (line, at) in roster.listed.iter().zip(found) {
        let household =
            households.get(&line.row.household_no).ok_or_else(|| Error::broken("a household is missing"))?;
        let old = at.and_then(|at| known.get(at));
        let mut wanted = wanted(tx, &roster.area, *household, line, old);
        match old {
            None => change.fresh.push(wanted),
            Some(old) if *old == wanted => {}
            Some(old) => {
                wanted.updated_at = tx.now();
                change.changed.push((old.clone(), wanted));
            }
        }
    }
    Ok(change)
}

fn wanted(tx: &Tx, area: &str, household: HouseholdId, line: &Listed, old: Option<&person::Model>) -> person::Model {
    let today = clock::local_date(tx.now());
    let row = &line.row;
    let stayed = old.filter(|old| old.left_on.is_none() && old.area_code == area);
    // sealing the same number again gives other bytes
    let kept_phone = old.filter(|old| old.phone_hmac == line.phone_hmac).and_then(|old| old.phone_sealed.clone());
    let roster_phone = (kept_phone.or_else(|| line.phone_sealed.clone()), line.phone_hmac.clone());
    let (phone_sealed, phone_hmac) = match old {
        Some(old) if old.closed_at.is_some() => (None, None),
        Some(old) if old.phone_approved_at.is_some() => (old.phone_sealed.clone(), old.phone_hmac.clone()),
        _ => roster_phone,
    };
    let is_another = old.is_some_and(|old| phone_hmac.is_some() && old.phone_hmac != phone_hmac);
    // rows of before hold the four characters in clear: a seal has a point in it
    let is_sealed = |kept: &&person::Model| kept.id_last4.as_deref().is_some_and(|text| text.contains('.'));
    let kept_last4 =
        old.filter(|old| old.id_hmac == line.id_hmac).filter(is_sealed).and_then(|old| old.id_last4.clone());
    person::Model {
        id: old.map_or_else(PersonId::new, |old| old.id),
        area_code: area.to_owned(),
        household_id: household,
        roster_number: row.person_no.clone(),
        name: row.name.clone(),
        sex: match row.sex {
            Sex::Female => "female".to_owned(),
            Sex::Male => "male".to_owned(),
        },
        birth_date: row.birth,
        id_hmac: line.id_hmac.clone(),
        id_last4: kept_last4.or_else(|| line.id_last4_sealed.clone()),
        phone_sealed,
        phone_hmac,
        group_number: i32::from(row.group),
        relation: row.relation.clone(),
        is_registered: row.registered,
        lives_here: row.resident_here,
        joined_on: stayed.map_or(today, |old| old.joined_on),
        left_on: None,
        created_at: old.map_or_else(|| tx.now(), |old| old.created_at),
        updated_at: old.map_or_else(|| tx.now(), |old| old.updated_at),
        claim_hmac: line.claim_hmac.clone(),
        phone_approved_at: old.and_then(|old| old.phone_approved_at),
        closed_at: old.and_then(|old| old.closed_at),
        phone_listed_at: if is_another { Some(tx.now()) } else { old.and_then(|old| old.phone_listed_at) },
    }
}

/// Numbers and identity numbers change hands within one file: whoever gives one up does so before anybody takes it. Who
/// has left and whose number is now another's keeps a number that no file can hold.
async fn free_numbers(tx: &Tx, roster: &Roster, change: &Change, known: &[person::Model]) -> Result<()> {
    let givers =
        change.changed.iter().filter(|(old, new)| old.roster_number != new.roster_number || old.id_hmac != new.id_hmac);
    let mut giving: HashSet<PersonId> = givers.map(|(old, _)| old.id).collect();
    let fresh = change.fresh.iter().map(|new| (new.roster_number.as_str(), new.id));
    let moved = change.changed.iter().map(|(_, new)| (new.roster_number.as_str(), new.id));
    let claims: HashMap<&str, PersonId> = fresh.chain(moved).collect();
    let is_claimed = |old: &&person::Model| {
        old.area_code == roster.area && claims.get(old.roster_number.as_str()).is_some_and(|claimer| *claimer != old.id)
    };
    giving.extend(known.iter().filter(is_claimed).map(|old| old.id));
    let takes_id: HashSet<PersonId> = change.changed.iter().map(|(old, _)| old.id).collect();
    let freed = known.iter().filter(|old| giving.contains(&old.id)).map(|old| person::Model {
        roster_number: old.id.to_string(),
        id_hmac: old.id_hmac.clone().filter(|_| !takes_id.contains(&old.id)),
        ..old.clone()
    });
    put(tx, freed.collect()).await
}

async fn write(tx: &Tx, change: Change) -> Result<()> {
    // whoever holds the new number signs in anew; whoever held the old one does not stay signed in
    let renumbered =
        change.changed.iter().filter(|(old, new)| old.phone_hmac.is_some() && old.phone_hmac != new.phone_hmac);
    let renumbered: Vec<&person::Model> = renumbered.map(|(old, _)| old).collect();
    replaced::note(tx, renumbered.iter().filter_map(|old| old.phone_sealed.clone()).collect()).await?;
    let renumbered: Vec<PersonId> = renumbered.iter().map(|old| old.id).collect();
    for some in renumbered.chunks(CHUNK) {
        desk_login::forget(tx, some).await?;
        sessions::end_all_of(tx, some, "phone_changed").await?;
    }
    for (old, new) in &change.changed {
        if old.area_code != new.area_code {
            tx.ring(Bell::RightsChanged { person: new.id });
        }
    }
    put(tx, change.changed.into_iter().map(|(_, new)| new).chain(change.fresh).collect()).await
}

/// Writes people as they shall be, who are known or not: a statement for many of them.
async fn put(tx: &Tx, people: Vec<person::Model>) -> Result<()> {
    use person::Column;
    let all_else = Column::iter().filter(|column| !matches!(column, Column::Id));
    let known = OnConflict::column(Column::Id).update_columns(all_else).to_owned();
    let rows: Vec<person::ActiveModel> = people.into_iter().map(|new| new.into_active_model().reset_all()).collect();
    for chunk in rows.chunks(CHUNK) {
        let insert = person::Entity::insert_many(chunk.to_vec()).on_conflict(known.clone());
        insert.exec_without_returning(tx).await?;
    }
    Ok(())
}

/// The same file twice in a row is noted once.
async fn note(tx: &Tx, digest: &str, done: &RosterImported, by: Option<PersonId>) -> Result<()> {
    if done.unchanged && newest_digest(tx, &done.area).await?.as_deref() == Some(digest) {
        return Ok(());
    }
    let count = |number: usize| i32::try_from(number).map_err(Error::broken);
    let id = Uuid::now_v7();
    let row = roster_import::ActiveModel {
        id: Set(id),
        area_code: Set(done.area.clone()),
        digest: Set(digest.to_owned()),
        rows: Set(count(done.rows)?),
        added: Set(count(done.added)?),
        changed: Set(count(done.changed)?),
        left: Set(count(done.left)?),
        imported_by: Set(by),
        at: Set(tx.now()),
    };
    row.insert(tx).await?;
    let data = json!({
        "rows": done.rows, "added": done.added, "changed": done.changed, "left": done.left, "phones": done.phones_changed,
        "digest": digest,
    });
    let happening = Happening { actor: by, ..Happening::new(Kind::RosterImported, id) };
    events::record(tx, happening.at(&done.area).with(data)).await?;
    Ok(())
}

async fn newest_digest(db: &impl ConnectionTrait, area: &str) -> Result<Option<String>> {
    let newest = roster_import::Entity::find()
        .filter(roster_import::Column::AreaCode.eq(area))
        .order_by_desc(roster_import::Column::At)
        .order_by_desc(roster_import::Column::Id)
        .one(db)
        .await?;
    Ok(newest.map(|row| row.digest))
}
