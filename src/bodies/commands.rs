//! Founds bodies, opens terms, fills and ends seats.
use chrono::NaiveDate;
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    early::{self, EarlyTerm},
    nomination::Nomination,
    queries::{self, Body, BodyView, SeatView, TermView},
    rows::{body, body_area, seat, term},
    rules::{self, BodyForm, BodyKind, Role, SeatKind, SeatRoute, SeatState},
    service,
};
use crate::{
    actor::Actor,
    areas,
    broker::Bell,
    clock,
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{BodyId, PersonId, SeatId, TermId},
    people,
    rights::{Right, require},
    store::Tx,
};

/// On whose word bodies are set up.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// A person, by a seat.
    Actor(&'a Actor),
    /// Whoever runs the machine: the first office of a county, the demo.
    Operator,
    /// Those who voted, by a result that stands.
    Electors,
}

impl By<'_> {
    fn person(self) -> Option<PersonId> {
        match self {
            Self::Actor(actor) => Some(actor.person),
            Self::Operator | Self::Electors => None,
        }
    }

    /// May bodies be managed in all of these areas?
    pub(super) fn manages(self, areas: &[String]) -> Result<()> {
        match self {
            Self::Operator | Self::Electors => Ok(()),
            Self::Actor(actor) => areas.iter().try_for_each(|area| require(actor, Right::ManageBodies, area).map(drop)),
        }
    }

    pub(super) fn happening(self, kind: Kind, subject: impl std::fmt::Display, areas: &[String]) -> Happening {
        Happening { actor: self.person(), area: areas.first().cloned(), ..Happening::new(kind, subject) }
    }
}

/// A body to found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FoundBody {
    /// What kind.
    pub kind: BodyKind,
    /// Its name in full.
    #[schema(min_length = 1, max_length = 60)]
    pub name: String,
    /// Codes of the areas it covers, one to twenty.
    #[schema(min_items = 1, max_items = 20)]
    pub areas: Vec<String>,
    /// The day; today when absent.
    #[serde(default)]
    pub founded_on: Option<NaiveDate>,
    /// For what a council stands together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<BodyForm>,
}

/// Founds a body.
///
/// # Errors
/// `not_allowed` without the right in every area; `invalid_fields` for an area that does not fit the kind.
pub async fn found_body(tx: &Tx, by: By<'_>, mut input: FoundBody) -> Result<BodyView> {
    input.areas.sort();
    input.areas.dedup();
    let mut checks = Checks::default();
    if let Some(day) = input.founded_on {
        checks.day("founded_on", day);
    }
    checks.text("name", &input.name, 1..=60);
    checks.require((1..=20).contains(&input.areas.len()), "areas", "out_of_range");
    for (at, code) in input.areas.iter().enumerate().take(20) {
        let area = areas::find(tx, code).await?.filter(|area| area.valid_to.is_none());
        let fits = area.is_some_and(|area| rules::fits_level(input.kind, area.level));
        checks.require(fits, &format!("areas[{at}]"), "unknown");
    }
    checks.require(input.form.is_none_or(|form| form.fits(input.kind, input.areas.len())), "form", "form_unfit");
    checks.done()?;
    by.manages(&input.areas)?;
    let id = BodyId::new();
    let row = body::ActiveModel {
        id: Set(id),
        kind: Set(input.kind),
        name: Set(input.name.trim().to_owned()),
        founded_on: Set(input.founded_on.unwrap_or_else(|| clock::local_date(tx.now()))),
        created_at: Set(tx.now()),
        form: Set(input.form),
        ..Default::default()
    };
    row.insert(tx).await?;
    let covered =
        input.areas.iter().map(|code| body_area::ActiveModel { body_id: Set(id), area_code: Set(code.clone()) });
    body_area::Entity::insert_many(covered).exec_without_returning(tx).await?;
    let data = json!({ "kind": input.kind });
    events::record(tx, by.happening(Kind::BodyFounded, id, &input.areas).with(data)).await?;
    Ok(BodyView { body: queries::get(tx, id).await?, seats: Vec::new() })
}

/// A term to open.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenTerm {
    /// Which one it is, from 1.
    #[schema(minimum = 1)]
    pub number: i32,
    /// First day; that of the followed term when absent.
    #[serde(default)]
    pub starts_on: Option<NaiveDate>,
    /// Last day; that of the followed term when absent.
    #[serde(default)]
    pub ends_on: Option<NaiveDate>,
    /// Term of another body that this one runs with.
    #[serde(default)]
    pub follows_term_id: Option<TermId>,
    /// Where the body was elected anew before its time: the term that runs ends on the day before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early: Option<EarlyTerm>,
}

/// Opens a term of a body; two of them have no day in common. Recorded: `term.opened`, `term.ended` of one that it ends early.
///
/// # Errors
/// `not_found`, `not_allowed`, `invalid_fields`.
pub async fn open_term(tx: &Tx, by: By<'_>, (body, input): (BodyId, OpenTerm)) -> Result<TermView> {
    let body = queries::get(tx, body).await?;
    by.manages(&body.areas)?;
    let followed = match input.follows_term_id {
        Some(id) => term::Entity::find_by_id(id).one(tx).await?,
        None => None,
    };
    let mut checks = Checks::default();
    checks.require(input.number >= 1, "number", "out_of_range");
    checks.require(followed.is_some() == input.follows_term_id.is_some(), "follows_term_id", "unknown");
    let starts_on = input.starts_on.or(followed.as_ref().map(|term| term.starts_on));
    let ends_on = input.ends_on.or(followed.as_ref().map(|term| term.ends_on));
    checks.require(starts_on.is_some(), "starts_on", "required");
    checks.require(ends_on.is_some(), "ends_on", "required");
    checks.require(ends_on >= starts_on, "ends_on", "ends_before_start");
    for (field, day) in [("starts_on", starts_on), ("ends_on", ends_on)] {
        if let Some(day) = day {
            checks.day(field, day);
        }
    }
    if let Some(early) = &input.early {
        checks.text("early.reason", &early.reason, 2..=200);
    }
    let same =
        term::Entity::find().filter(term::Column::BodyId.eq(body.id)).filter(term::Column::Number.eq(input.number));
    checks.require(same.one(tx).await?.is_none(), "number", "duplicate");
    let mut old = None;
    if checks.count() == 0
        && let (Some(starts_on), Some(ends_on)) = (starts_on, ends_on)
    {
        old = early::in_the_way(tx, &mut checks, (body.id, starts_on, ends_on), input.early.as_ref()).await?;
    }
    checks.done()?;
    let (Some(starts_on), Some(ends_on)) = (starts_on, ends_on) else { return Err(Code::InvalidFields.into()) };
    let row = term::Model {
        id: TermId::new(),
        body_id: body.id,
        number: input.number,
        starts_on,
        ends_on,
        follows_term_id: input.follows_term_id,
        was_until: None,
        ended_by_vote: None,
        end_reason: None,
    };
    term::ActiveModel::from(row.clone()).reset_all().insert(tx).await?;
    if let Some((old, early)) = old.zip(input.early.as_ref()) {
        early::end(tx, by, (&body, &row, early), old).await?;
    }
    let happening = by.happening(Kind::TermOpened, row.id, &body.areas).with(json!({ "body": body.id }));
    events::record(tx, happening).await?;
    Ok(TermView::from(row))
}

/// A seat to fill.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeSeat {
    /// Who.
    pub person_id: PersonId,
    /// As what.
    pub role: Role,
    /// Where a council's member comes from.
    #[serde(default)]
    pub kind: Option<SeatKind>,
    /// How a council's member was found.
    #[serde(default)]
    pub route: Option<SeatRoute>,
    /// Who recommended a council's member, and how it went on before the seat was taken.
    #[serde(default)]
    pub nomination: Option<Nomination>,
    /// In which term; none: until it is ended.
    #[serde(default)]
    pub term_id: Option<TermId>,
    /// First day; today when absent.
    #[serde(default)]
    pub starts_on: Option<NaiveDate>,
    /// Last day; that of the term, or none, when absent.
    #[serde(default)]
    pub ends_on: Option<NaiveDate>,
    /// Why a council's secretary is neither the party's secretary nor the committee's chair there; everybody reads it. 2 to 200
    /// characters, kept where it is asked for alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub reason: Option<String>,
    /// In which service group a council's member works; 1 to 20 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 20)]
    pub service_group: Option<String>,
}

/// Fills a seat.
///
/// # Errors
/// `not_found`, `not_allowed`, `invalid_fields`; `seats_exclude` for supervising where one, or somebody of the same household,
/// governs.
pub async fn take_seat(tx: &Tx, by: By<'_>, (body, input): (BodyId, TakeSeat)) -> Result<SeatView> {
    let body = queries::get(tx, body).await?;
    by.manages(&body.areas)?;
    // nobody appoints himself
    if by.person() == Some(input.person_id) {
        return Err(Code::NotAllowed.into());
    }
    let person = people::person(tx, input.person_id).await?.filter(|person| person.left_on.is_none());
    let starts_on = input.starts_on.unwrap_or_else(|| clock::local_date(tx.now()));
    let mut checks = Checks::default();
    checks.day("starts_on", starts_on);
    if let Some(day) = input.ends_on {
        checks.day("ends_on", day);
    }
    let is_adult = person.as_ref().is_none_or(|one| people::rules::is_adult(one.birth_date, starts_on));
    checks.require(person.is_some(), "person_id", "not_a_member");
    checks.require(is_adult, "person_id", "under_age");
    checks.require(rules::fits_role(body.kind, input.role), "role", "role_unfit");
    checks.require(input.ends_on.is_none_or(|end| end >= starts_on), "ends_on", "ends_before_start");
    let nomination = input.nomination.unwrap_or_default();
    nomination.check(&mut checks, (body.kind, starts_on));
    service::check(&mut checks, (body.kind, input.service_group.as_deref()));
    if let Some(id) = input.term_id {
        let term = term::Entity::find_by_id(id).one(tx).await?;
        let is_over = term.as_ref().is_some_and(|term| term.ends_on < clock::local_date(tx.now()));
        checks.require(!is_over, "term_id", "term_is_over");
        checks.require(term.is_some_and(|term| term.body_id == body.id), "term_id", "term_other_body");
    }
    let held = held_from(tx, input.person_id, starts_on).await?;
    let is_held = held.iter().any(|(other, role)| other.id == body.id && *role == input.role);
    checks.require(!is_held, "person_id", "duplicate");
    let asks_why = by.person().is_some() && is_exception((&body, input.role), &held);
    let reason = input.reason.unwrap_or_default();
    checks.text("reason", &reason, if asks_why { 2 } else { 0 }..=200);
    checks.done()?;
    require_apart(tx, (&body, input.role), (person, starts_on)).await?;
    let row = seat::Model {
        id: SeatId::new(),
        body_id: body.id,
        term_id: input.term_id,
        person_id: input.person_id,
        role: input.role,
        kind: input.kind,
        route: input.route,
        state: SeatState::Active,
        starts_on,
        ends_on: input.ends_on,
        recommended_by: nomination.recommended_by,
        nominated_on: nomination.nominated_on,
        checked_on: nomination.checked_on,
        publicised_on: nomination.publicised_on,
        reason: asks_why.then(|| reason.trim().to_owned()),
        service_group: input.service_group.map(|group| group.trim().to_owned()),
    };
    seat::ActiveModel::from(row.clone()).reset_all().insert(tx).await?;
    changed(tx, by, Kind::SeatTaken, (&body, &row)).await?;
    queries::seat_view(tx, &body, row).await
}

/// A council's books are kept, as a rule, by who leads the party's organisation or the committee of a village there.
fn is_exception((body, role): (&Body, Role), held: &[(Body, Role)]) -> bool {
    let leads = |(other, theirs): &(Body, Role)| {
        *theirs == Role::Chair
            && matches!(other.kind, BodyKind::PartyBranch | BodyKind::VillageCommittee)
            && rules::meet(&body.areas, &other.areas)
    };
    body.kind == BodyKind::Council && role == Role::Secretary && !held.iter().any(leads)
}

/// Who governs does not supervise where the areas meet, and neither do those who live with them: near kin, by the law.
async fn require_apart(
    tx: &Tx,
    (body, role): (&Body, Role),
    (person, day): (Option<people::Resident>, NaiveDate),
) -> Result<()> {
    let is_asked = matches!(body.kind, BodyKind::VillageCommittee | BodyKind::SupervisionCommittee);
    let Some(person) = person.filter(|_| is_asked) else { return Ok(()) };
    for one in people::queries::members(tx, person.household).await? {
        let held = held_from(tx, one.id, day).await?;
        let is_against = |(other, theirs): &(Body, Role)| {
            rules::exclude((body.kind, role), (other.kind, *theirs)) && rules::meet(&body.areas, &other.areas)
        };
        if held.iter().any(is_against) {
            return Err(Code::SeatsExclude.into());
        }
    }
    Ok(())
}

/// Bodies and roles in which somebody sits on or after a day.
async fn held_from(tx: &Tx, person: PersonId, day: NaiveDate) -> Result<Vec<(Body, Role)>> {
    let lasting = Condition::any().add(seat::Column::EndsOn.is_null()).add(seat::Column::EndsOn.gte(day));
    let rows = seat::Entity::find()
        .filter(seat::Column::PersonId.eq(person))
        .filter(seat::Column::State.eq(SeatState::Active))
        .filter(lasting)
        .all(tx)
        .await?;
    let terms =
        term::Entity::find().filter(term::Column::Id.is_in(rows.iter().filter_map(|row| row.term_id))).all(tx).await?;
    let is_over = |row: &seat::Model| terms.iter().any(|term| row.term_id == Some(term.id) && term.ends_on < day);
    let rows: Vec<_> = rows.into_iter().filter(|row| !is_over(row)).collect();
    let bodies = queries::bodies(tx, rows.iter().map(|row| row.body_id).collect()).await?;
    let held =
        rows.iter().filter_map(|row| Some((bodies.iter().find(|body| body.id == row.body_id)?.clone(), row.role)));
    Ok(held.collect())
}

/// Ends a seat at once.
///
/// # Errors
/// `not_found`, `not_allowed`; `wrong_state` when it has ended already, or its term has.
pub async fn end_seat(tx: &Tx, by: By<'_>, id: SeatId) -> Result<SeatView> {
    let row = seat::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let body = queries::get(tx, row.body_id).await?;
    by.manages(&body.areas)?;
    let today = clock::local_date(tx.now());
    // what is over by its own day, or with its term, keeps that day
    if last_day(tx, &row).await?.is_some_and(|last| last < today) {
        return Err(Code::WrongState.into());
    }
    let ended = seat::Entity::update_many()
        .col_expr(seat::Column::State, Expr::value(SeatState::Ended.as_str()))
        .col_expr(seat::Column::EndsOn, Expr::value(today))
        .filter(seat::Column::Id.eq(id))
        .filter(seat::Column::State.eq(SeatState::Active))
        .exec(tx)
        .await?;
    if ended.rows_affected != 1 {
        return Err(Code::WrongState.into());
    }
    let row = seat::Model { state: SeatState::Ended, ends_on: Some(today), ..row };
    changed(tx, by, Kind::SeatEnded, (&body, &row)).await?;
    queries::seat_view(tx, &body, row).await
}

/// The last day of a seat, if that is known: its own, or that of its term.
async fn last_day(tx: &Tx, seat: &seat::Model) -> Result<Option<NaiveDate>> {
    let term = match seat.term_id {
        Some(id) => term::Entity::find_by_id(id).one(tx).await?,
        None => None,
    };
    Ok([seat.ends_on, term.map(|term| term.ends_on)].into_iter().flatten().min())
}

async fn changed(tx: &Tx, by: By<'_>, kind: Kind, (body, seat): (&Body, &seat::Model)) -> Result<()> {
    let data = json!({ "body": body.id, "person": seat.person_id, "role": seat.role });
    events::record(tx, by.happening(kind, seat.id, &body.areas).with(data)).await?;
    tx.ring(Bell::RightsChanged { person: seat.person_id });
    Ok(())
}
