//! 需求–认领: a body says what is needed, one person takes it, the two reach each other, and one of them says what came of it.
use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    entries::require_adult,
    rows::need,
    rules::{self, NeedOutcome, NeedState, stands_for},
};
use crate::{
    actor::Actor,
    areas, bodies, clock,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{BodyId, NeedId, PersonId},
    people,
    store::Tx,
};

/// Tags of one need at most.
const MAX_TAGS: usize = 5;
/// Days for which somebody is sought at most.
const MAX_DAYS: i64 = 366;
/// Needs on one list at most.
const MAX_NEEDS: u64 = 100;

/// Something for which somebody is sought.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostNeed {
    /// Where.
    pub area_code: String,
    /// In whose name; the actor sits there and may look for people in the area.
    pub body_id: BodyId,
    /// 2 to 60 characters.
    #[schema(min_length = 2, max_length = 60)]
    pub title: String,
    /// 2 to 1,000 characters, for everybody who has a log-in.
    #[schema(min_length = 2, max_length = 1000)]
    pub text: String,
    /// Up to five: who can do one of these things, and wants to hear of needs, is told.
    #[serde(default)]
    #[schema(max_items = 5)]
    pub tags: Vec<String>,
    /// How whoever takes it reaches the body, for that one alone; 2 to 60 characters.
    #[schema(min_length = 2, max_length = 60)]
    pub contact: String,
    /// The last day on which it can be taken, within a year.
    pub until_on: NaiveDate,
}

/// Somebody takes a need.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeNeed {
    /// How the body reaches whoever takes it, for that body alone; 2 to 60 characters.
    #[schema(min_length = 2, max_length = 60)]
    pub contact: String,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndNeed {
    /// Done, given back, or wanted no more.
    pub outcome: NeedOutcome,
    /// What was done, or why; 2 to 500 characters, for the two sides.
    #[schema(min_length = 2, max_length = 500)]
    pub text: String,
    /// Who has it, as it was read: where another has it by now, that one keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taker_id: Option<PersonId>,
}

/// Who has taken a need, for the body that posted it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NeedTaker {
    /// Who.
    pub person_id: PersonId,
    /// Full name.
    pub name: String,
    /// How this person is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

/// A need. What only the two sides read is there for them alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NeedView {
    /// Its id.
    pub id: NeedId,
    /// Where.
    pub area_code: String,
    /// Its name.
    pub area_name: String,
    /// In whose name it was posted.
    pub body_id: BodyId,
    /// Its name.
    pub body_name: String,
    /// Who posted it, in that seat.
    pub posted_by_name: String,
    /// When.
    pub posted_at: DateTime<FixedOffset>,
    /// What is needed.
    pub title: String,
    /// More of it.
    pub text: String,
    /// What one has to be able to do.
    pub tags: Vec<String>,
    /// The last day on which it can be taken.
    pub until_on: NaiveDate,
    /// How far it has come.
    pub state: NeedState,
    /// The asker stands for the body that posted it.
    pub is_of_body: bool,
    /// The asker has taken it.
    pub is_taker: bool,
    /// How the body is reached, for whoever took it and the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Who took it, for the two sides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taker: Option<NeedTaker>,
    /// What came of it, or why it was given back, for the two sides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// Posts a need. Records `need.posted`.
///
/// # Errors
/// `not_allowed` for who does not stand for the body in the area; `not_found` for an unknown area; `invalid_fields`.
pub async fn post(tx: &Tx, actor: &Actor, input: PostNeed) -> Result<NeedView> {
    if !stands_for(actor, input.body_id, &input.area_code) {
        return Err(Code::NotAllowed.into());
    }
    areas::get(tx, &input.area_code).await?;
    let today = clock::local_date(tx.now());
    let mut checks = Checks::default();
    checks.text("title", &input.title, 2..=60);
    checks.text("text", &input.text, 2..=1000);
    rules::check(&mut checks, &input.tags, 0..=MAX_TAGS);
    checks.text("contact", &input.contact, 2..=60);
    let in_time = (today..=today + TimeDelta::days(MAX_DAYS)).contains(&input.until_on);
    checks.require(in_time, "until_on", "out_of_range");
    checks.done()?;
    let row = need::ActiveModel {
        id: Set(NeedId::new()),
        area_code: Set(input.area_code),
        body_id: Set(input.body_id),
        title: Set(input.title.trim().to_owned()),
        text: Set(input.text.trim().replace("\r\n", "\n")),
        tags: Set(rules::kept(&input.tags)),
        contact: Set(input.contact.trim().to_owned()),
        until_on: Set(input.until_on),
        state: Set(NeedState::Open),
        posted_by: Set(actor.person),
        posted_at: Set(tx.now()),
        ..Default::default()
    };
    let row = row.insert(tx).await?;
    record(tx, (Kind::NeedPosted, None), (&row, actor)).await?;
    view(tx, actor, row).await
}

/// Takes a need; of two at once one does. Records `need.taken`.
///
/// # Errors
/// `not_found`; `not_allowed` for who stands for the body that posted it, for whom that body has replaced, and for who is not of
/// age; `period_over`; `wrong_state` when it is not open; `invalid_fields`.
pub async fn take(tx: &Tx, actor: &Actor, (id, input): (NeedId, TakeNeed)) -> Result<NeedView> {
    let row = need::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let is_replaced = row.state == NeedState::Open && row.taken_by == Some(actor.person);
    if is_replaced || stands_for(actor, row.body_id, &row.area_code) {
        return Err(Code::NotAllowed.into());
    }
    require_adult(tx, actor).await?;
    let mut checks = Checks::default();
    checks.text("contact", &input.contact, 2..=60);
    checks.done()?;
    if row.until_on < clock::local_date(tx.now()) {
        return Err(Code::PeriodOver.into());
    }
    let taken = need::ActiveModel {
        state: Set(NeedState::Taken),
        taken_by: Set(Some(actor.person)),
        taker_contact: Set(Some(input.contact.trim().to_owned())),
        taken_at: Set(Some(tx.now())),
        outcome: Set(None),
        ..Default::default()
    };
    let rows = need::Entity::update_many()
        .set(taken)
        .filter(need::Column::Id.eq(id))
        .filter(need::Column::State.eq(NeedState::Open))
        .exec_with_returning(tx)
        .await?;
    let row = rows.into_iter().next().ok_or(Code::WrongState)?;
    record(tx, (Kind::NeedTaken, row.taken_by), (&row, actor)).await?;
    view(tx, actor, row).await
}

/// Says what came of it: done or given back by one of the two sides, withdrawn by the body. Records `need.ended`.
///
/// # Errors
/// `not_found`; `not_allowed` for others than these; `wrong_state`; `changed` where another has it by now; `invalid_fields`.
pub async fn end(tx: &Tx, actor: &Actor, (id, input): (NeedId, EndNeed)) -> Result<NeedView> {
    let row = need::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let is_body = stands_for(actor, row.body_id, &row.area_code);
    let is_taker = row.state == NeedState::Taken && row.taken_by == Some(actor.person);
    if !(is_body || is_taker && input.outcome != NeedOutcome::Withdrawn) {
        return Err(Code::NotAllowed.into());
    }
    if input.taker_id.is_some() && input.taker_id != row.taken_by {
        return Err(Code::Changed.into());
    }
    let mut checks = Checks::default();
    checks.text("text", &input.text, 2..=500);
    checks.done()?;
    if !input.outcome.ends(row.state) {
        return Err(Code::WrongState.into());
    }
    let taker = row.taken_by.filter(|_| row.state == NeedState::Taken);
    let mut ended = need::ActiveModel {
        state: Set(input.outcome.state()),
        outcome: Set(Some(input.text.trim().replace("\r\n", "\n"))),
        ..Default::default()
    };
    if input.outcome == NeedOutcome::Returned {
        // whom the body replaces stands there until somebody else takes it
        let replaced = taker.filter(|_| !is_taker);
        (ended.taken_by, ended.taker_contact, ended.taken_at) = (Set(replaced), Set(None), Set(None));
    } else {
        (ended.taken_by, ended.ended_by, ended.ended_at) = (Set(taker), Set(Some(actor.person)), Set(Some(tx.now())));
    }
    let rows = need::Entity::update_many()
        .set(ended)
        .filter(need::Column::Id.eq(id))
        .filter(need::Column::State.eq(row.state))
        .exec_with_returning(tx)
        .await?;
    let row = rows.into_iter().next().ok_or(Code::WrongState)?;
    let data = json!({ "body": row.body_id, "person": taker, "outcome": input.outcome });
    let happening = Happening::new(Kind::NeedEnded, row.id).at(&row.area_code).by(actor.person).with(data);
    events::record(tx, happening).await?;
    view(tx, actor, row).await
}

async fn record(tx: &Tx, (kind, person): (Kind, Option<PersonId>), (row, actor): (&need::Model, &Actor)) -> Result<()> {
    let data = json!({ "body": row.body_id, "person": person });
    events::record(tx, Happening::new(kind, row.id).at(&row.area_code).by(actor.person).with(data)).await?;
    Ok(())
}

/// One need.
///
/// # Errors
/// `not_found`.
pub async fn read(db: &impl ConnectionTrait, actor: &Actor, id: NeedId) -> Result<NeedView> {
    let row = need::Entity::find_by_id(id).one(db).await?.ok_or(Code::NotFound)?;
    view(db, actor, row).await
}

/// The needs of an area and below it for which somebody is still sought, and those of the actor's own bodies and own hands; the
/// newest first, 100 at most.
///
/// # Errors
/// `not_found` for an unknown area.
pub async fn list(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (area, now): (&str, DateTime<Utc>),
) -> Result<Vec<NeedView>> {
    areas::get(db, area).await?;
    let open = Condition::all()
        .add(need::Column::State.eq(NeedState::Open))
        .add(need::Column::UntilOn.gte(clock::local_date(now)));
    let own = Condition::all().add(need::Column::TakenBy.eq(actor.person)).add(need::Column::State.ne(NeedState::Open));
    let shown = Condition::any().add(open).add(own).add(need::Column::BodyId.is_in(own_bodies(actor)));
    let rows = need::Entity::find()
        .filter(need::Column::AreaCode.starts_with(area))
        .filter(shown)
        .order_by_desc(need::Column::PostedAt)
        .order_by_desc(need::Column::Id)
        .limit(MAX_NEEDS);
    views(db, actor, rows.all(db).await?).await
}

/// What waits for the actor's bodies: somebody has taken it, or nobody has in time.
///
/// # Errors
/// When the database cannot be read.
pub async fn waiting(db: &impl ConnectionTrait, actor: &Actor, now: DateTime<Utc>) -> Result<Vec<NeedView>> {
    let over = Condition::all()
        .add(need::Column::State.eq(NeedState::Open))
        .add(need::Column::UntilOn.lt(clock::local_date(now)));
    let rows = need::Entity::find()
        .filter(need::Column::BodyId.is_in(own_bodies(actor)))
        .filter(Condition::any().add(need::Column::State.eq(NeedState::Taken)).add(over))
        .order_by_asc(need::Column::UntilOn)
        .limit(MAX_NEEDS);
    views(db, actor, rows.all(db).await?).await
}

/// What the actor has taken and not ended.
///
/// # Errors
/// When the database cannot be read.
pub async fn taken(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<NeedView>> {
    let rows = need::Entity::find()
        .filter(need::Column::TakenBy.eq(actor.person))
        .filter(need::Column::State.eq(NeedState::Taken))
        .order_by_asc(need::Column::UntilOn)
        .limit(MAX_NEEDS);
    views(db, actor, rows.all(db).await?).await
}

fn own_bodies(actor: &Actor) -> Vec<BodyId> {
    actor.seats.iter().filter(|seat| rules::finds(seat)).map(|seat| seat.body_id).collect()
}

async fn view(db: &impl ConnectionTrait, actor: &Actor, row: need::Model) -> Result<NeedView> {
    views(db, actor, vec![row]).await?.pop().ok_or_else(|| Code::NotFound.into())
}

async fn views(db: &impl ConnectionTrait, actor: &Actor, rows: Vec<need::Model>) -> Result<Vec<NeedView>> {
    let people = rows.iter().flat_map(|row| [Some(row.posted_by), row.taken_by]).flatten().collect();
    let names = people::names(db, people).await?;
    let bodies = bodies::queries::names(db, rows.iter().map(|row| row.body_id).collect()).await?;
    let places = areas::names(db, rows.iter().map(|row| row.area_code.clone()).collect()).await?;
    let name = |id: PersonId| names.get(&id).cloned().unwrap_or_default();
    let show = |row: need::Model| {
        let is_of_body = stands_for(actor, row.body_id, &row.area_code);
        let taken_by = row.taken_by.filter(|_| row.state != NeedState::Open);
        let is_taker = taken_by == Some(actor.person);
        let is_side = is_of_body || is_taker;
        let taker = taken_by.map(|id| NeedTaker { person_id: id, name: name(id), contact: row.taker_contact.clone() });
        NeedView {
            area_name: places.get(&row.area_code).cloned().unwrap_or_default(),
            body_name: bodies.get(&row.body_id).cloned().unwrap_or_default(),
            posted_by_name: name(row.posted_by),
            posted_at: clock::local(row.posted_at),
            contact: is_side.then_some(row.contact),
            taker: taker.filter(|_| is_side),
            outcome: row.outcome.filter(|_| is_side),
            tags: rules::tags_of(&row.tags),
            id: row.id,
            area_code: row.area_code,
            body_id: row.body_id,
            title: row.title,
            text: row.text,
            until_on: row.until_on,
            state: row.state,
            is_of_body,
            is_taker,
        }
    };
    Ok(rows.into_iter().map(show).collect())
}

/// A need, as it stands when it is told.
pub(super) async fn told(tx: &Tx, id: NeedId) -> Result<Option<need::Model>> {
    Ok(need::Entity::find_by_id(id).one(tx).await?)
}

/// What the person has taken and not ended is open again, as if it had been given back. Records `need.ended`.
pub(super) async fn forget(tx: &Tx, person: PersonId) -> Result<()> {
    let open = need::ActiveModel {
        state: Set(NeedState::Open),
        taken_by: Set(None),
        taken_at: Set(None),
        taker_contact: Set(None),
        ..Default::default()
    };
    let given_back = need::Entity::update_many()
        .set(open)
        .filter(need::Column::TakenBy.eq(person))
        .filter(need::Column::State.eq(NeedState::Taken))
        .exec_with_returning(tx)
        .await?;
    for row in given_back {
        let data = json!({ "body": row.body_id, "outcome": NeedOutcome::Returned });
        events::record(tx, Happening::new(Kind::NeedEnded, row.id).at(&row.area_code).with(data)).await?;
    }
    let nobody = need::ActiveModel { taken_by: Set(None), ..Default::default() };
    need::Entity::update_many()
        .set(nobody)
        .filter(need::Column::TakenBy.eq(person))
        .filter(need::Column::State.eq(NeedState::Open))
        .exec(tx)
        .await?;
    let silent = need::ActiveModel { taker_contact: Set(None), ..Default::default() };
    need::Entity::update_many().set(silent).filter(need::Column::TakenBy.eq(person)).exec(tx).await?;
    Ok(())
}
