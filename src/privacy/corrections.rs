//! Wishes to have something on the roster put right: asked by the person, decided by who keeps the roster.
use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Set,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    rows::correction,
    rules::{CORRECTION_WORKING_DAYS, CorrectionField, CorrectionState},
};
use crate::{
    actor::Actor,
    app::App,
    bodies::{self, Right},
    clock,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{CorrectionId, PersonId},
    keys::Keys,
    people,
    store::Tx,
};

const MAX_WANTED: usize = 200;
const SHOWN: u64 = 100;
/// Wishes of one person that may wait at a time.
const WAITING: u64 = 5;

/// Something is wrong.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskCorrection {
    /// What is wrong.
    pub field: CorrectionField,
    /// How it should be; 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub wanted: String,
}

/// What the office says.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideCorrection {
    /// Was it put right?
    pub done: bool,
    /// Why not; 2 to 200 characters, needed when refusing.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub reason: String,
}

/// A wish as its owner and the office see it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CorrectionView {
    /// Its id.
    pub id: CorrectionId,
    /// What is wrong.
    pub field: CorrectionField,
    /// How it should be.
    pub wanted: String,
    /// How far it has come.
    pub state: CorrectionState,
    /// Whose; in full, for the office.
    pub person_name: String,
    /// When it was asked.
    pub asked_at: DateTime<FixedOffset>,
    /// To be decided before this moment.
    pub due_at: DateTime<FixedOffset>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Asks. Records `correction.asked`.
///
/// # Errors
/// `invalid_fields`; `too_many_requests` with five waiting.
pub async fn ask(tx: &Tx, actor: &Actor, input: AskCorrection) -> Result<CorrectionView> {
    let mut checks = Checks::default();
    checks.text("wanted", &input.wanted, 1..=MAX_WANTED);
    checks.done()?;
    let waiting = correction::Entity::find()
        .filter(correction::Column::PersonId.eq(actor.person))
        .filter(correction::Column::State.eq(CorrectionState::Waiting));
    if waiting.count(tx).await? >= WAITING {
        return Err(Code::TooManyRequests.after_secs(24 * 3600));
    }
    let row = correction::ActiveModel {
        id: Set(CorrectionId::new()),
        person_id: Set(actor.person),
        area_code: Set(actor.area.clone()),
        field: Set(input.field),
        wanted_sealed: Set(tx.keys().seal("correction", input.wanted.trim())?),
        state: Set(CorrectionState::Waiting),
        asked_at: Set(tx.now()),
        due_at: Set(tx.calendar().add_working_days(tx.now(), CORRECTION_WORKING_DAYS)),
        decided_by: Set(None),
        decided_at: Set(None),
        reason: Set(None),
    };
    let row = row.insert(tx).await?;
    let data = json!({ "field": row.field });
    let happening = Happening::new(Kind::CorrectionAsked, row.id).at(&row.area_code).by(actor.person);
    events::record(tx, happening.with(data)).await?;
    view(tx.keys(), row, actor.name.clone())
}

/// Decides; what was put right comes with the next roster. Records `correction.decided`.
///
/// # Errors
/// `not_found` for whoever does not keep the roster there, `second_person_needed` about oneself, `wrong_state`.
pub async fn decide(tx: &Tx, actor: &Actor, (id, input): (CorrectionId, DecideCorrection)) -> Result<()> {
    let row = correction::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    bodies::require(actor, Right::ImportRoster, &row.area_code).map_err(|_| Code::NotFound)?;
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, if input.done { 0 } else { 2 }..=MAX_WANTED);
    checks.done()?;
    if row.person_id == actor.person {
        return Err(Code::SecondPersonNeeded.into());
    }
    let state = if input.done { CorrectionState::Done } else { CorrectionState::Refused };
    let decided = correction::ActiveModel {
        state: Set(state),
        decided_by: Set(Some(actor.person)),
        decided_at: Set(Some(tx.now())),
        reason: Set(Some(input.reason.trim().to_owned()).filter(|reason| !reason.is_empty())),
        ..Default::default()
    };
    let done = correction::Entity::update_many()
        .set(decided)
        .filter(correction::Column::Id.eq(id))
        .filter(correction::Column::State.eq(CorrectionState::Waiting))
        .exec(tx)
        .await?;
    if done.rows_affected != 1 {
        return Err(Code::WrongState.into());
    }
    let data = json!({ "field": row.field, "state": state });
    let happening = Happening::new(Kind::CorrectionDecided, id).at(&row.area_code).by(actor.person);
    events::record(tx, happening.with(data)).await?;
    Ok(())
}

/// One's own wishes, newest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn of_person(app: &App, actor: &Actor) -> Result<Vec<CorrectionView>> {
    let rows = correction::Entity::find()
        .filter(correction::Column::PersonId.eq(actor.person))
        .order_by_desc(correction::Column::AskedAt)
        .limit(SHOWN)
        .all(app.store.read())
        .await?;
    rows.into_iter().map(|row| view(&app.keys, row, actor.name.clone())).collect()
}

/// Whose wish it is.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn owner(tx: &Tx, id: CorrectionId) -> Result<Option<PersonId>> {
    Ok(correction::Entity::find_by_id(id).one(tx).await?.map(|row| row.person_id))
}

/// Wishes that wait in an area and below, the oldest first.
///
/// # Errors
/// `not_allowed` for others than those who keep the roster there.
pub async fn waiting(app: &App, actor: &Actor, area: &str) -> Result<Vec<CorrectionView>> {
    bodies::require(actor, Right::ImportRoster, area)?;
    let rows = correction::Entity::find()
        .filter(correction::Column::State.eq(CorrectionState::Waiting))
        .filter(correction::Column::AreaCode.starts_with(area))
        .order_by_asc(correction::Column::AskedAt)
        .limit(SHOWN)
        .all(app.store.read())
        .await?;
    let names = people::names(app.store.read(), rows.iter().map(|row| row.person_id).collect()).await?;
    let named = |row: correction::Model| {
        let name = names.get(&row.person_id).cloned().unwrap_or_default();
        view(&app.keys, row, name)
    };
    rows.into_iter().map(named).collect()
}

/// Wishes of an area and below it that wait past their day: where, and since when. The longest first, so many at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn late(
    db: &impl ConnectionTrait,
    (area, now, limit): (&str, DateTime<Utc>, u64),
) -> Result<Vec<(String, DateTime<Utc>)>> {
    let late = correction::Entity::find()
        .select_only()
        .columns([correction::Column::AreaCode, correction::Column::DueAt])
        .filter(correction::Column::AreaCode.starts_with(area))
        .filter(correction::Column::State.eq(CorrectionState::Waiting))
        .filter(correction::Column::DueAt.lte(now))
        .order_by_asc(correction::Column::DueAt)
        .limit(limit);
    Ok(late.into_tuple().all(db).await?)
}

fn view(keys: &Keys, row: correction::Model, person_name: String) -> Result<CorrectionView> {
    let sealed = Some(row.wanted_sealed).filter(|sealed| !sealed.is_empty());
    let wanted = sealed.and_then(|sealed| keys.shown("correction", &sealed)).unwrap_or_default();
    Ok(CorrectionView {
        id: row.id,
        field: row.field,
        wanted,
        state: row.state,
        person_name,
        asked_at: clock::local(row.asked_at),
        due_at: clock::local(row.due_at),
        reason: row.reason,
    })
}

/// Forgets what somebody wished who closes the account; what waits is refused.
pub(super) async fn blank_of(tx: &Tx, person: PersonId) -> Result<()> {
    let of = || correction::Entity::update_many().filter(correction::Column::PersonId.eq(person));
    let blank = correction::ActiveModel { wanted_sealed: Set(String::new()), ..Default::default() };
    of().set(blank).exec(tx).await?;
    let refused = correction::ActiveModel {
        state: Set(CorrectionState::Refused),
        decided_at: Set(Some(tx.now())),
        ..Default::default()
    };
    of().set(refused).filter(correction::Column::State.eq(CorrectionState::Waiting)).exec(tx).await?;
    Ok(())
}
