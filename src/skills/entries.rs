//! What people can do: written down by themselves, found as far as they allow it.
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    sea_query::{Expr, OnConflict},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    rows::{consent, entry},
    rules::{self, SkillUse},
};
use crate::{
    actor::Actor,
    areas::{self, TOWN_CODE},
    bodies,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::PersonId,
    people,
    store::Tx,
};

/// Tags of one person at most.
const MAX_TAGS: usize = 10;
/// People on one list at most, and told of one need.
const MAX_FOUND: u64 = 100;

/// What one can do, in place of what was written before. Without tags nothing is kept.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSkills {
    /// Up to ten, of twelve characters each; none: everything is taken away.
    #[schema(max_items = 10)]
    pub tags: Vec<String>,
    /// When one has time, in words; 60 characters at most.
    #[serde(default)]
    #[schema(max_length = 60)]
    pub availability: String,
    /// About where one lives, a town or a city; 30 characters at most.
    #[serde(default)]
    #[schema(max_length = 30)]
    pub place: String,
    /// For what one may be found. What is not named here is taken back at once.
    #[serde(default)]
    #[schema(max_items = 3)]
    pub uses: Vec<SkillUse>,
}

/// What one has written down about oneself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SkillsView {
    /// What one can do; none: nothing is kept.
    pub tags: Vec<String>,
    /// When one has time.
    pub availability: String,
    /// About where one lives.
    pub place: String,
    /// For what one may be found.
    pub uses: Vec<SkillUse>,
}

/// Somebody who can do something, and allows it to be known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SkillFound {
    /// Who.
    pub person_id: PersonId,
    /// Full name.
    pub name: String,
    /// Home village.
    pub area_code: String,
    /// Its name.
    pub area_name: String,
    /// What this person can do.
    pub tags: Vec<String>,
    /// When there is time for it.
    pub availability: String,
    /// About where.
    pub place: String,
}

/// Writes down what the actor can do, and for what that may be found. Records `skills.changed`.
///
/// # Errors
/// `not_allowed` for who is not of age; `invalid_fields`.
pub async fn set(tx: &Tx, actor: &Actor, input: SetSkills) -> Result<SkillsView> {
    require_adult(tx, actor).await?;
    let mut checks = Checks::default();
    rules::check(&mut checks, &input.tags, 0..=MAX_TAGS);
    checks.text("availability", &input.availability, 0..=60);
    checks.text("place", &input.place, 0..=30);
    checks.done()?;
    if input.tags.is_empty() {
        forget(tx, actor.person).await?;
    } else {
        keep(tx, actor, &input).await?;
    }
    events::record(tx, Happening::new(Kind::SkillsChanged, actor.person).at(&actor.area).by(actor.person)).await?;
    of(tx, actor.person).await
}

/// Children are found by nobody, and take nothing.
pub(super) async fn require_adult(tx: &Tx, actor: &Actor) -> Result<()> {
    let is_adult = people::queries::is_of_age(tx, actor.person, tx.now()).await?;
    if is_adult { Ok(()) } else { Err(Code::NotAllowed.into()) }
}

async fn keep(tx: &Tx, actor: &Actor, input: &SetSkills) -> Result<()> {
    let row = entry::ActiveModel {
        person_id: Set(actor.person),
        area_code: Set(actor.area.clone()),
        tags: Set(rules::kept(&input.tags)),
        availability: Set(input.availability.trim().to_owned()),
        place: Set(input.place.trim().to_owned()),
        changed_at: Set(tx.now()),
    };
    let again = OnConflict::column(entry::Column::PersonId)
        .update_columns([
            entry::Column::AreaCode,
            entry::Column::Tags,
            entry::Column::Availability,
            entry::Column::Place,
            entry::Column::ChangedAt,
        ])
        .to_owned();
    entry::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    let before = uses_of(tx, actor.person).await?;
    for purpose in SkillUse::ALL {
        match (before.contains(&purpose), input.uses.contains(&purpose)) {
            (false, true) => {
                let given = consent::ActiveModel {
                    person_id: Set(actor.person),
                    purpose: Set(purpose),
                    given_at: Set(tx.now()),
                };
                consent::Entity::insert(given).exec_without_returning(tx).await?;
            }
            (true, false) => {
                consent::Entity::delete_by_id((actor.person, purpose)).exec(tx).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// What somebody has written down; nothing when nothing is kept.
///
/// # Errors
/// When the database cannot be read.
pub async fn of(db: &impl ConnectionTrait, person: PersonId) -> Result<SkillsView> {
    let Some(row) = entry::Entity::find_by_id(person).one(db).await? else { return Ok(SkillsView::default()) };
    let uses = uses_of(db, person).await?;
    Ok(SkillsView { tags: rules::tags_of(&row.tags), availability: row.availability, place: row.place, uses })
}

/// In the order of a form.
async fn uses_of(db: &impl ConnectionTrait, person: PersonId) -> Result<Vec<SkillUse>> {
    let given = consent::Entity::find().filter(consent::Column::PersonId.eq(person)).all(db).await?;
    let is_given = |one: &SkillUse| given.iter().any(|row| row.purpose == *one);
    Ok(SkillUse::ALL.into_iter().filter(is_given).collect())
}

/// Who belongs to an area today, by home or by a seat there, can do what these words name, and allows the actor to find it; 100
/// at most. Whoever is on no roster any more can take nothing back, and is found by nobody.
///
/// # Errors
/// `not_allowed` for who may not look there; `not_found` for an unknown area; `invalid_fields`.
pub async fn find(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (area, words): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Vec<SkillFound>> {
    let uses = rules::uses(actor, area);
    if uses.is_empty() {
        return Err(Code::NotAllowed.into());
    }
    let mut checks = Checks::default();
    checks.text("text", words, 0..=60);
    checks.done()?;
    let here = bodies::bodies_in(db, area, now).await?;
    let seated: Vec<PersonId> = here.iter().flat_map(|body| &body.seats).map(|seat| seat.person_id).collect();
    let seated = people::queries::homes(db, &seated).await?.into_keys();
    let belongs = Condition::any().add(lives_in(area)).add(entry::Column::PersonId.is_in(seated));
    let mut found = entry::Entity::find().filter(allowing(uses)).filter(belongs);
    for word in rules::typed(words) {
        let named = Condition::any()
            .add(entry::Column::Tags.contains(&word))
            .add(entry::Column::Availability.contains(&word))
            .add(entry::Column::Place.contains(&word));
        found = found.filter(named);
    }
    let rows = found.order_by_asc(entry::Column::AreaCode).order_by_asc(entry::Column::PersonId).limit(MAX_FOUND);
    shown(db, rows.all(db).await?).await
}

/// Whoever allows one of these uses.
fn allowing(uses: Vec<SkillUse>) -> Expr {
    let given = consent::Entity::find()
        .select_only()
        .column(consent::Column::PersonId)
        .filter(consent::Column::Purpose.is_in(uses))
        .into_query();
    entry::Column::PersonId.in_subquery(given)
}

/// Whose home today is in an area or below it.
fn lives_in(area: &str) -> Expr {
    people::queries::is_below(Expr::col((entry::Entity, entry::Column::PersonId)), area)
}

async fn shown(db: &impl ConnectionTrait, mut rows: Vec<entry::Model>) -> Result<Vec<SkillFound>> {
    let ids: Vec<PersonId> = rows.iter().map(|row| row.person_id).collect();
    let mut homes = people::queries::homes(db, &ids).await?;
    for row in &mut rows {
        if let Some(home) = homes.remove(&row.person_id) {
            row.area_code = home;
        }
    }
    let names = people::names(db, ids).await?;
    let places = areas::names(db, rows.iter().map(|row| row.area_code.clone()).collect()).await?;
    let show = |row: entry::Model| SkillFound {
        name: names.get(&row.person_id).cloned().unwrap_or_default(),
        area_name: places.get(&row.area_code).cloned().unwrap_or_default(),
        person_id: row.person_id,
        area_code: row.area_code,
        tags: rules::tags_of(&row.tags),
        availability: row.availability,
        place: row.place,
    };
    Ok(rows.into_iter().map(show).collect())
}

/// Who in the same town can do one of these things, and wants to hear of it; 100 at most.
pub(super) async fn to_be_told(tx: &Tx, (area, tags): (&str, &[String])) -> Result<Vec<PersonId>> {
    if tags.is_empty() {
        return Ok(Vec::new());
    }
    let named = tags.iter().fold(Condition::any(), |any, tag| any.add(has(tag)));
    let rows = entry::Entity::find()
        .filter(allowing(vec![SkillUse::Needs]))
        .filter(lives_in(area.get(..TOWN_CODE).unwrap_or(area)))
        .filter(named)
        .order_by_asc(entry::Column::PersonId)
        .limit(MAX_FOUND)
        .all(tx)
        .await?;
    let can = |row: &entry::Model| row.tags.lines().any(|own| tags.iter().any(|tag| tag == own));
    Ok(rows.into_iter().filter(can).map(|row| row.person_id).collect())
}

/// Has written down just this, a line of its own. What a database takes for any character makes it find more, never less.
fn has(tag: &str) -> Condition {
    let tags = entry::Column::Tags;
    Condition::any()
        .add(tags.eq(tag))
        .add(tags.starts_with(format!("{tag}\n")))
        .add(tags.ends_with(format!("\n{tag}")))
        .add(tags.contains(format!("\n{tag}\n")))
}

pub(super) async fn forget(tx: &Tx, person: PersonId) -> Result<()> {
    consent::Entity::delete_many().filter(consent::Column::PersonId.eq(person)).exec(tx).await?;
    entry::Entity::delete_by_id(person).exec(tx).await?;
    Ok(())
}
