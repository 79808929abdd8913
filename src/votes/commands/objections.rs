//! 名册异议: somebody says that one is missing on a roll, or should not be on it; one of the office decides with a reason, and
//! it holds once a second person has confirmed it. While ballots are cast nobody is struck by the office alone.
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{amend, proxies::Called};
use crate::{
    actor::Actor,
    bodies,
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::{PersonId, RollObjectionId, VoteId},
    people::{self, queries::Named},
    store::Tx,
    votes::{
        office,
        queries::{
            self,
            roll_list::{OPEN, PROPOSED, REJECTED, RollObjectionView, UPHELD, objection_view},
        },
        rows::{roll_entry, roll_objection, vote},
        rules::{
            RollFault,
            roll::{answer_until, objections_until},
        },
    },
};

/// Objections of one resident to one roll that wait at the same time.
const MAX_OPEN: u64 = 3;

/// An objection to the roll of a vote.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RaiseRollObjection {
    /// What is wrong.
    pub kind: RollFault,
    /// Whom it is about; absent: oneself.
    #[serde(default)]
    pub about: Option<Called>,
    /// Why; read by the office and its author. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
}

/// What the first of two people decides.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideRollObjection {
    /// Is the objection right?
    pub upholds: bool,
    /// Why, by which article; where the roll changes it is published, so it names nobody. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
}

/// What the second of two people confirms, as it was read.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmRollObjection {
    /// Was the objection said to be right?
    pub upholds: bool,
    /// For which reason. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub reason: String,
}

/// Objects to a roll. Recorded: `vote.roll_objected`.
///
/// # Errors
/// `not_found`, also for who does not see the area; `roll_objection_too_late`; `wrong_state` when the vote is over;
/// `too_many_objections` when several of the same resident wait;
/// `not_on_roll` for somebody who is said to be on it wrongly and is not on it; `invalid_fields`.
pub async fn raise_roll_objection(
    tx: &Tx,
    actor: &Actor,
    (id, input): (VoteId, RaiseRollObjection),
) -> Result<RollObjectionView> {
    let vote = queries::row(tx, id).await?;
    office::require_may_object(tx, actor, &vote).await?;
    in_time(tx, actor, &vote)?;
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=200);
    checks.done()?;
    let whom = whom(tx, actor, &vote, &input).await?;
    if !office::runs(actor, &vote) && open_of(tx, actor, id).await? >= MAX_OPEN {
        return Err(Code::TooManyObjections.into());
    }
    let row = roll_objection::ActiveModel {
        id: Set(RollObjectionId::new()),
        vote_id: Set(id),
        kind: Set(input.kind.as_str().to_owned()),
        name: Set(whom.name),
        roster_number: Set(whom.roster_number),
        person_id: Set(whom.person),
        reason: Set(input.reason.trim().to_owned()),
        raised_by: Set(actor.person),
        raised_at: Set(tx.now()),
        due_at: Set(answer_until(tx.calendar(), queries::rule_of(&vote)?.roll, tx.now())),
        state: Set(OPEN.to_owned()),
        upholds: Set(None),
        decision: Set(None),
        decided_by: Set(None),
        decided_at: Set(None),
        confirmed_by: Set(None),
        confirmed_at: Set(None),
        is_passed_on: Set(false),
    };
    let row = roll_objection::Entity::insert(row).exec_with_returning(tx).await?;
    record(tx, Kind::RollObjected, (&vote, &row), actor.person).await?;
    Ok(objection_view(row))
}

/// How many of this person wait.
async fn open_of(tx: &Tx, actor: &Actor, id: VoteId) -> Result<u64> {
    let own = roll_objection::Entity::find()
        .filter(roll_objection::Column::VoteId.eq(id))
        .filter(roll_objection::Column::RaisedBy.eq(actor.person))
        .filter(roll_objection::Column::State.is_in([OPEN, PROPOSED]));
    Ok(own.count(tx).await?)
}

/// Residents object in the days for it; the office, to which somebody's death is told, until the end.
fn in_time(tx: &Tx, actor: &Actor, vote: &vote::Model) -> Result<()> {
    if !queries::runs(&vote.state) {
        return Err(Code::WrongState.into());
    }
    let (rule, times) = (queries::rule_of(vote)?.roll, (vote.opens_at, vote.closes_at));
    let until = objections_until(tx.calendar(), rule, vote.roll_posted_at, times);
    let is_office = office::runs(actor, vote) && tx.now() < vote.closes_at;
    if is_office || tx.now() < until { Ok(()) } else { Err(Code::RollObjectionTooLate.into()) }
}

/// Whom an objection is about; who is on no roster may be missing all the same.
struct Whom {
    name: String,
    roster_number: Option<String>,
    person: Option<PersonId>,
}

async fn whom(tx: &Tx, actor: &Actor, vote: &vote::Model, input: &RaiseRollObjection) -> Result<Whom> {
    let whom = match &input.about {
        None => {
            let name = people::name(tx, actor.person).await?;
            Whom { name, roster_number: None, person: Some(actor.person) }
        }
        Some(called) => {
            let mut checks = Checks::default();
            checks.text("about.name", &called.name, 1..=50);
            checks.done()?;
            let number = called.roster_number.as_deref().map(str::trim).filter(|number| !number.is_empty());
            let name = called.name.trim().to_owned();
            let there = match input.kind {
                RollFault::Wrong => on_roll(tx, vote, (&name, number)).await?,
                RollFault::Missing => None,
            };
            let person = match there {
                None => find(tx, vote, (&name, number)).await?,
                known => known,
            };
            Whom { name, roster_number: number.map(str::to_owned), person }
        }
    };
    // what cannot be is told at once; never whether somebody has cast
    let place = match whom.person {
        Some(person) => {
            let place = amend::place(tx, vote, person).await?.filter(|entry| entry.channel != queries::STRUCK);
            // who is only of a household is none of the roll: striking one would strike them all
            place.filter(|entry| input.kind == RollFault::Missing || entry.person_id == person)
        }
        None => None,
    };
    match (input.kind, place) {
        (RollFault::Wrong, None) => Err(Code::NotOnRoll.into()),
        (RollFault::Missing, Some(_)) => Err(amend::refused("already_on_roll")),
        _ => Ok(whom),
    }
}

/// Whom of those on the roll a name means: who has died or moved away is on no roster any more, and on the roll still. The
/// number is that on the roll, or that on the roster.
async fn on_roll(tx: &Tx, vote: &vote::Model, (name, number): (&str, Option<&str>)) -> Result<Option<PersonId>> {
    let entries = roll_entry::Entity::find()
        .filter(roll_entry::Column::VoteId.eq(vote.id))
        .filter(roll_entry::Column::Channel.ne(queries::STRUCK))
        .all(tx)
        .await?;
    let names = people::names(tx, entries.iter().map(|entry| entry.person_id).collect()).await?;
    let mut found = Vec::new();
    for entry in &entries {
        if names.get(&entry.person_id).is_none_or(|own| own != name) {
            continue;
        }
        let is_meant = match number {
            None => true,
            Some(number) => {
                let own = people::person(tx, entry.person_id).await?;
                entry.number.to_string() == number || own.is_some_and(|own| own.roster_number == number)
            }
        };
        if is_meant {
            found.push(entry.person_id);
        }
    }
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        _ => Err(amend::refused("several_of_that_name")),
    }
}

/// Somebody of the village; of a collective a member before, who may live elsewhere.
async fn find(db: &impl ConnectionTrait, vote: &vote::Model, whom: (&str, Option<&str>)) -> Result<Option<PersonId>> {
    let member = match queries::is_of_collective(&vote.preset) {
        true => bodies::members::called(db, vote.body_id, whom).await?,
        false => Named::Nobody,
    };
    let named = match member {
        Named::Nobody => people::queries::named(db, std::slice::from_ref(&vote.area_code), whom).await?,
        known => known,
    };
    let mut checks = Checks::default();
    match named {
        Named::One(person) => return Ok(Some(person)),
        Named::Nobody => {}
        Named::Several => checks.wrong("about.name", "several_of_that_name"),
    }
    checks.done()?;
    Ok(None)
}

/// Decides an objection, as the first of two; another may decide otherwise before it is confirmed.
///
/// # Errors
/// `not_found`; `not_allowed` for who neither runs the vote nor, once its day has passed, stands in for the office;
/// `second_person_needed` for whom it is about; `vote_restored` while the vote rests; `wrong_state`
/// when it was confirmed, or the vote is over; what [`amend::change`] refuses; `invalid_fields`.
pub async fn decide_roll_objection(
    tx: &Tx,
    actor: &Actor,
    (id, objection, input): (VoteId, RollObjectionId, DecideRollObjection),
) -> Result<RollObjectionView> {
    let (vote, row) = waiting(tx, actor, (id, objection)).await?;
    if row.person_id == Some(actor.person) {
        return Err(Code::SecondPersonNeeded.into());
    }
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, 2..=200);
    checks.done()?;
    let number = row.roster_number.as_deref();
    let person = match row.person_id {
        None => find(tx, &vote, (&row.name, number)).await?,
        known => known,
    };
    if person == Some(actor.person) {
        return Err(Code::SecondPersonNeeded.into());
    }
    if input.upholds {
        let fault = RollFault::parse(&row.kind).ok_or_else(|| Error::broken("the kind of an objection"))?;
        let person = person.ok_or_else(|| amend::refused("not_on_roster"))?;
        amend::change(tx, &vote, (fault, person)).await?;
    }
    let change = roll_objection::Entity::update_many()
        .col_expr(roll_objection::Column::State, Expr::value(PROPOSED))
        .col_expr(roll_objection::Column::PersonId, Expr::value(person))
        .col_expr(roll_objection::Column::Upholds, Expr::value(input.upholds))
        .col_expr(roll_objection::Column::Decision, Expr::value(input.reason.trim()))
        .col_expr(roll_objection::Column::DecidedBy, Expr::value(actor.person))
        .col_expr(roll_objection::Column::DecidedAt, Expr::value(tx.now()));
    let row = changed(tx, change, &row).await?;
    Ok(objection_view(row))
}

/// Confirms what another decided: the roll is amended, or stays, as it does after the end, and it is told. Recorded:
/// `vote.roll_objection_decided`, `vote.roll_amended`.
///
/// # Errors
/// `not_found`; `not_allowed`; `second_person_needed` for who decided or raised it and whom it is about, and, where somebody is
/// struck while ballots are cast, while neither of the two is of the supervision committee or the office above and does not run
/// the vote; `wrong_state` when nothing was decided yet, or the vote is over; `changed` when somebody decided otherwise since it
/// was read; what [`amend::change`] and [`amend::apply`] refuse.
pub async fn confirm_roll_objection(
    tx: &Tx,
    actor: &Actor,
    (id, objection, input): (VoteId, RollObjectionId, ConfirmRollObjection),
) -> Result<RollObjectionView> {
    let (_, before) = decidable(tx, actor, (id, objection)).await?;
    if before.confirmed_by == Some(actor.person) {
        // sent again because the answer was lost
        return Ok(objection_view(before));
    }
    let (vote, row) = waiting(tx, actor, (id, objection)).await?;
    let (Some(upholds), Some(decision)) = (row.upholds, row.decision.clone()) else {
        return Err(Code::WrongState.into());
    };
    if [row.decided_by, row.person_id, Some(row.raised_by)].contains(&Some(actor.person)) {
        return Err(Code::SecondPersonNeeded.into());
    }
    if input.upholds != upholds || input.reason.trim() != decision {
        return Err(Code::Changed.into());
    }
    if is_late_strike(tx, &vote, &row) && !has_one_apart(tx, actor, (&vote, &row)).await? {
        return Err(Code::SecondPersonNeeded.into());
    }
    // after the end it is known who took part: the decision is kept and told, the roll stays, a challenge may follow
    if upholds && tx.now() < vote.closes_at {
        let fault = RollFault::parse(&row.kind).ok_or_else(|| Error::broken("the kind of an objection"))?;
        let person = row.person_id.ok_or_else(|| amend::refused("not_on_roster"))?;
        let change = amend::change(tx, &vote, (fault, person)).await?;
        let told = amend::stated(tx, &vote, (&decision, &[row.decided_by, Some(actor.person)])).await?;
        amend::apply(tx, &vote, change, (&told, row.id, actor.person)).await?;
    }
    let change = roll_objection::Entity::update_many()
        .col_expr(roll_objection::Column::State, Expr::value(if upholds { UPHELD } else { REJECTED }))
        .col_expr(roll_objection::Column::ConfirmedBy, Expr::value(actor.person))
        .col_expr(roll_objection::Column::ConfirmedAt, Expr::value(tx.now()));
    let row = changed(tx, change, &row).await?;
    record(tx, Kind::RollObjectionDecided, (&vote, &row), actor.person).await?;
    Ok(objection_view(row))
}

async fn row(db: &impl ConnectionTrait, (id, objection): (VoteId, RollObjectionId)) -> Result<roll_objection::Model> {
    let found = roll_objection::Entity::find_by_id(objection).one(db).await?;
    found.filter(|row| row.vote_id == id).ok_or_else(|| Code::NotFound.into())
}

fn is_late_strike(tx: &Tx, vote: &vote::Model, row: &roll_objection::Model) -> bool {
    office::is_late_strike((&row.kind, row.upholds), (&vote.state, vote.closes_at), tx.now())
}

/// Is one of the two who decide it apart from the office?
async fn has_one_apart(tx: &Tx, actor: &Actor, (vote, row): (&vote::Model, &roll_objection::Model)) -> Result<bool> {
    if office::stands_in(actor, vote) {
        return Ok(true);
    }
    let Some(first) = row.decided_by else { return Ok(false) };
    Ok(office::is_apart(&bodies::seats_of(tx, first, tx.now()).await?, vote))
}

/// An objection, for who may decide it: in its days the office; after them, and where the office would strike somebody while
/// ballots are cast, who stands in for it, too.
async fn decidable(
    tx: &Tx,
    actor: &Actor,
    (id, objection): (VoteId, RollObjectionId),
) -> Result<(vote::Model, roll_objection::Model)> {
    let vote = queries::going(tx, id).await?;
    let found = row(tx, (id, objection)).await;
    let is_theirs = found.as_ref().is_ok_and(|row| row.due_at <= tx.now() || is_late_strike(tx, &vote, row));
    let is_about = office::is_voted_on(&vote, actor.person);
    if !(is_theirs && !is_about && office::stands_in(actor, &vote)) {
        office::require(actor, &vote)?;
    }
    Ok((vote, found?))
}

/// One that may still be decided, by somebody who may.
async fn waiting(
    tx: &Tx,
    actor: &Actor,
    (id, objection): (VoteId, RollObjectionId),
) -> Result<(vote::Model, roll_objection::Model)> {
    let (vote, row) = decidable(tx, actor, (id, objection)).await?;
    let waits = matches!(row.state.as_str(), OPEN | PROPOSED) && queries::runs(&vote.state);
    if waits { Ok((vote, row)) } else { Err(Code::WrongState.into()) }
}

/// From the state in which it was read; `changed` when somebody was first.
async fn changed(
    tx: &Tx,
    change: sea_orm::UpdateMany<roll_objection::Entity>,
    row: &roll_objection::Model,
) -> Result<roll_objection::Model> {
    let done = change
        .filter(roll_objection::Column::Id.eq(row.id))
        .filter(roll_objection::Column::State.eq(row.state.as_str()))
        .exec_with_returning(tx)
        .await?;
    done.into_iter().next().ok_or_else(|| Code::Changed.into())
}

async fn record(tx: &Tx, kind: Kind, (vote, row): (&vote::Model, &roll_objection::Model), by: PersonId) -> Result<()> {
    let data = json!({ "vote": vote.id, "kind": row.kind, "outcome": row.state });
    events::record(tx, Happening::new(kind, row.id).at(&vote.area_code).by(by).with(data)).await?;
    Ok(())
}
