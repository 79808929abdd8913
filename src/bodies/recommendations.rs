//! 会员推荐: who is recommended for a council (个人荐、群众推、组织选), and what became of it.
use chrono::{DateTime, FixedOffset};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    queries::{self, Body},
    rows::recommendation,
    rules::{BodyKind, RecommendationState, Role, SeatRoute},
    services::keeps,
};
use crate::{
    actor::{Actor, HeldSeat, covers},
    clock,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{BodyId, PersonId, RecommendationId},
    people::{self, queries::Named},
    rights::{Right, may},
    store::Tx,
    text,
};

/// Of one person for one council that wait, at most.
const MOST_OPEN: usize = 10;
/// Recommendations that are listed.
const LISTED: u64 = 100;

/// Somebody for a council.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecommendMember {
    /// Who, by the name alone: who bears it on the rosters there alone is told. 2 to 40 characters. Absent: oneself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 2, max_length = 40)]
    pub name: Option<String>,
    /// What they would do for the village, and where who is on no roster is to be found; 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
}

/// What is decided about it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideRecommendation {
    /// `fit` or `unfit` by the village's party organisation; then `seated` or `not_elected` by who fills the seats.
    pub outcome: RecommendationState,
    /// Why, for who recommended; asked for with `unfit` and `not_elected`. 200 characters at most.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub note: String,
}

/// Somebody who is recommended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecommendationView {
    /// The recommendation.
    pub id: RecommendationId,
    /// The council.
    pub body_id: BodyId,
    /// Who.
    pub name: String,
    /// By themselves, by others, or by an organisation.
    pub route: SeatRoute,
    /// What they would do.
    pub reason: String,
    /// Who recommended; empty for whom it is about, who is not told.
    pub recommended_by_name: String,
    /// When.
    pub recommended_at: DateTime<FixedOffset>,
    /// What became of it.
    pub state: RecommendationState,
    /// When that was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<FixedOffset>>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The asker recommended.
    pub is_own: bool,
    /// It is about the asker, who recommended oneself or is the only one of this name on the rosters there.
    #[serde(default)]
    pub is_about_me: bool,
}

/// Who checks for the party: its deputy, too, since nobody checks whom the same person recommended.
pub const CHECKERS: [Role; 2] = [Role::Chair, Role::ViceChair];

/// Does the actor lead the party's organisation of a village of this council, which checks who is recommended?
#[must_use]
pub fn checks_for(actor: &Actor, body: &Body) -> bool {
    let leads = |seat: &HeldSeat| {
        seat.body_kind == BodyKind::PartyBranch.as_str()
            && CHECKERS.iter().any(|role| role.as_str() == seat.role)
            && body.areas.iter().any(|area| seat.covers(area))
    };
    actor.seats.iter().any(leads)
}

/// Does the actor fill this council's seats?
#[must_use]
pub fn settles(actor: &Actor, body: &Body) -> bool {
    body.areas.iter().all(|area| may(actor, Right::ManageBodies, area))
}

/// Does the actor see everybody who is recommended for this council?
#[must_use]
pub fn sees_all(actor: &Actor, body: &Body) -> bool {
    body.kind == BodyKind::Council && (keeps(actor, body.id) || checks_for(actor, body) || settles(actor, body))
}

/// May the actor recommend somebody for this council? Whoever lives there may, and who leads it or checks for it.
#[must_use]
pub fn recommends(actor: &Actor, body: &Body) -> bool {
    let lives_there = body.areas.iter().any(|area| covers(area, &actor.area));
    body.kind == BodyKind::Council && (lives_there || keeps(actor, body.id) || checks_for(actor, body))
}

/// Recommends somebody, or oneself, for a council. Records `recommendation.made`.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not live there and has no seat in it, and for who is not of age; `invalid_fields`.
pub async fn recommend(tx: &Tx, actor: &Actor, (id, input): (BodyId, RecommendMember)) -> Result<RecommendationView> {
    let body = queries::get(tx, id).await?;
    let own = people::person(tx, actor.person).await?.ok_or(Code::NotAllowed)?;
    if !people::queries::is_of_age(tx, actor.person, tx.now()).await? || !recommends(actor, &body) {
        return Err(Code::NotAllowed.into());
    }
    let name = input.name.as_deref().map_or(own.name.as_str(), str::trim);
    let open = open_of(tx, (id, actor.person)).await?;
    let mut checks = Checks::default();
    checks.text("name", name, 2..=40);
    checks.text("reason", &input.reason, 2..=200);
    checks.require(open.len() < MOST_OPEN, "name", "too_many_waiting");
    checks.require(open.iter().all(|row| row.name != name), "name", "duplicate");
    checks.done()?;
    let route = match input.name {
        None => SeatRoute::SelfNominated,
        Some(_) if keeps(actor, id) || checks_for(actor, &body) => SeatRoute::Selected,
        Some(_) => SeatRoute::Recommended,
    };
    let person_id = match input.name {
        None => Some(actor.person),
        Some(_) => match people::queries::named(tx, &body.areas, (name, None)).await? {
            Named::One(person) => Some(person),
            Named::Nobody | Named::Several => None,
        },
    };
    let row = recommendation::ActiveModel {
        id: Set(RecommendationId::new()),
        body_id: Set(id),
        name: Set(name.to_owned()),
        person_id: Set(person_id),
        route: Set(route),
        reason: Set(input.reason.trim().to_owned()),
        recommended_by: Set(actor.person),
        recommended_at: Set(tx.now()),
        state: Set(RecommendationState::Waiting),
        decided_by: Set(None),
        decided_at: Set(None),
        note: Set(None),
    };
    let row = row.insert(tx).await?;
    record(tx, actor, (Kind::RecommendationMade, &row, &body)).await?;
    view(tx, actor, row).await
}

/// Those that somebody made for a council and that are not decided for good.
async fn open_of(tx: &Tx, (body, person): (BodyId, PersonId)) -> Result<Vec<recommendation::Model>> {
    let open = recommendation::Entity::find()
        .filter(recommendation::Column::BodyId.eq(body))
        .filter(recommendation::Column::RecommendedBy.eq(person))
        .filter(recommendation::Column::State.is_in([RecommendationState::Waiting, RecommendationState::Fit]));
    Ok(open.all(tx).await?)
}

/// Says whether somebody is fit, for the party's organisation; or what came of it, for who fills the seats. Records
/// `recommendation.decided`.
///
/// # Errors
/// `not_found`; `not_allowed` for others than these, for who recommended, and for whom it is about; `invalid_fields`;
/// `wrong_state` when it is not its turn.
pub async fn decide(
    tx: &Tx,
    actor: &Actor,
    (id, input): (RecommendationId, DecideRecommendation),
) -> Result<RecommendationView> {
    use RecommendationState::{Fit, NotElected, Seated, Unfit, Waiting};
    let row = recommendation::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let body = queries::get(tx, row.body_id).await?;
    let (before, is_allowed) = match input.outcome {
        Fit | Unfit => (Some(Waiting), checks_for(actor, &body)),
        Seated | NotElected => (Some(Fit), settles(actor, &body)),
        _ => (None, sees_all(actor, &body)),
    };
    if !is_allowed || row.person_id == Some(actor.person) || row.recommended_by == actor.person {
        return Err(Code::NotAllowed.into());
    }
    let is_no = matches!(input.outcome, Unfit | NotElected);
    let mut checks = Checks::default();
    checks.require(before.is_some(), "outcome", "unknown");
    checks.text("note", &input.note, if is_no { 2 } else { 0 }..=200);
    checks.done()?;
    let note = Some(input.note.trim().to_owned()).filter(|note| !note.is_empty());
    let decided = recommendation::Entity::update_many()
        .col_expr(recommendation::Column::State, Expr::value(input.outcome.as_str()))
        .col_expr(recommendation::Column::DecidedBy, Expr::value(actor.person))
        .col_expr(recommendation::Column::DecidedAt, Expr::value(tx.now()))
        .col_expr(recommendation::Column::Note, Expr::value(note))
        .filter(recommendation::Column::Id.eq(id))
        .filter(recommendation::Column::State.eq(before.unwrap_or(Waiting)))
        .exec_with_returning(tx)
        .await?;
    let row = decided.into_iter().next().ok_or(Code::WrongState)?;
    record(tx, actor, (Kind::RecommendationDecided, &row, &body)).await?;
    view(tx, actor, row).await
}

/// Takes a recommendation back, before it is decided for good: whoever made it, or whom it is about. Records
/// `recommendation.withdrawn`.
///
/// # Errors
/// `not_found`; `not_allowed` for others than these; `wrong_state`.
pub async fn withdraw(tx: &Tx, actor: &Actor, id: RecommendationId) -> Result<RecommendationView> {
    let row = recommendation::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    if row.recommended_by != actor.person && row.person_id != Some(actor.person) {
        return Err(Code::NotAllowed.into());
    }
    let body = queries::get(tx, row.body_id).await?;
    let withdrawn = recommendation::Entity::update_many()
        .col_expr(recommendation::Column::State, Expr::value(RecommendationState::Withdrawn.as_str()))
        .filter(recommendation::Column::Id.eq(id))
        .filter(recommendation::Column::State.is_in([RecommendationState::Waiting, RecommendationState::Fit]))
        .exec_with_returning(tx)
        .await?;
    let row = withdrawn.into_iter().next().ok_or(Code::WrongState)?;
    record(tx, actor, (Kind::RecommendationWithdrawn, &row, &body)).await?;
    view(tx, actor, row).await
}

async fn record(tx: &Tx, actor: &Actor, (kind, row, body): (Kind, &recommendation::Model, &Body)) -> Result<()> {
    let data = json!({ "body": row.body_id, "outcome": row.state });
    let happening = Happening::new(kind, row.id).by(actor.person).with(data);
    events::record(tx, Happening { area: body.areas.first().cloned(), ..happening }).await?;
    Ok(())
}

/// Who is recommended for a council, the newest first, 100 at most: everybody for who leads it, checks for it or fills its seats,
/// else those whom the actor recommended, and those that are about the actor.
///
/// # Errors
/// `not_found`.
pub async fn list(db: &impl ConnectionTrait, actor: &Actor, id: BodyId) -> Result<Vec<RecommendationView>> {
    let body = queries::get(db, id).await?;
    let own = Condition::any()
        .add(recommendation::Column::RecommendedBy.eq(actor.person))
        .add(recommendation::Column::PersonId.eq(actor.person));
    let rows = recommendation::Entity::find()
        .filter(recommendation::Column::BodyId.eq(id))
        .filter(Condition::all().add_option((!sees_all(actor, &body)).then_some(own)))
        .order_by_desc(recommendation::Column::RecommendedAt)
        .order_by_desc(recommendation::Column::Id)
        .limit(LISTED);
    views(db, actor, rows.all(db).await?).await
}

/// Those that wait for the actor to check them.
///
/// # Errors
/// When the database cannot be read.
pub async fn waiting(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<RecommendationView>> {
    let mut bodies = Vec::new();
    for area in actor.seats.iter().filter(|seat| seat.body_kind == "party_branch").flat_map(|seat| &seat.areas) {
        bodies.extend(queries::over(db, area).await?);
    }
    bodies.retain(|body| body.kind == BodyKind::Council && checks_for(actor, body));
    let ids: Vec<BodyId> = bodies.into_iter().map(|body| body.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = recommendation::Entity::find()
        .filter(recommendation::Column::BodyId.is_in(ids))
        .filter(recommendation::Column::State.eq(RecommendationState::Waiting))
        .filter(recommendation::Column::RecommendedBy.ne(actor.person))
        .order_by_asc(recommendation::Column::RecommendedAt)
        .limit(LISTED);
    let mut waiting = views(db, actor, rows.all(db).await?).await?;
    waiting.retain(|one| !one.is_about_me);
    Ok(waiting)
}

async fn view(db: &impl ConnectionTrait, actor: &Actor, row: recommendation::Model) -> Result<RecommendationView> {
    views(db, actor, vec![row]).await?.pop().ok_or_else(|| Code::NotFound.into())
}

async fn views(
    db: &impl ConnectionTrait,
    actor: &Actor,
    rows: Vec<recommendation::Model>,
) -> Result<Vec<RecommendationView>> {
    // whoever is recommended is not told by whom, whatever else they see as the council's chair, say
    let is_told =
        |row: &recommendation::Model| row.recommended_by == actor.person || row.person_id != Some(actor.person);
    let tellers = rows.iter().filter(|row| is_told(row)).map(|row| row.recommended_by).collect();
    let names = people::names(db, tellers).await?;
    let shown = |row: recommendation::Model| RecommendationView {
        recommended_by_name: names.get(&row.recommended_by).filter(|_| is_told(&row)).cloned().unwrap_or_default(),
        id: row.id,
        body_id: row.body_id,
        name: row.name,
        route: row.route,
        reason: row.reason,
        recommended_at: clock::local(row.recommended_at),
        state: row.state,
        decided_at: row.decided_at.map(clock::local),
        note: row.note,
        is_own: row.recommended_by == actor.person,
        is_about_me: row.person_id == Some(actor.person),
    };
    Ok(rows.into_iter().map(shown).collect())
}

/// What is told of a recommendation.
pub struct Told {
    /// Who recommended.
    pub by: PersonId,
    /// Whom, where that is known and somebody else.
    pub about: Option<PersonId>,
    /// The name.
    pub name: String,
    /// For which council.
    pub body: BodyId,
    /// What became of it, in words.
    pub state: String,
}

/// What who recommended somebody, and who was, are told.
///
/// # Errors
/// When the database cannot be read.
pub async fn told(db: &impl ConnectionTrait, id: RecommendationId) -> Result<Option<Told>> {
    let row = recommendation::Entity::find_by_id(id).one(db).await?;
    Ok(row.map(|row| Told {
        by: row.recommended_by,
        about: row.person_id.filter(|person| *person != row.recommended_by),
        name: row.name,
        body: row.body_id,
        state: text::word("recommendation-state", row.state.as_str()),
    }))
}
