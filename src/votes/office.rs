//! 主办: whose a vote is. One of the village is run by who opens votes there; one inside a body by who holds that body's meetings.
//! Whom a vote recalls, and who stands in it, known as a person, has no hand in it.
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;

use super::{
    queries::{self, VoteView},
    rows::vote,
    rules::{RollFault, roll::answer_until},
    sealed,
};
use crate::{
    actor::{Actor, HeldSeat},
    areas::TOWN_CODE,
    board::sealing::Trustee,
    bodies::{self, BodyKind, Right, SPEAKERS},
    calendar::Calendar,
    error::{Code, Result},
    ids::{BodyId, PersonId},
    people::{self, village_groups},
    store::Tx,
};

/// By which rule a vote is, where, and of which body.
#[derive(Clone, Copy, Debug)]
pub struct Whose<'a> {
    preset: &'a str,
    area: &'a str,
    body: BodyId,
}

impl<'a> From<&'a vote::Model> for Whose<'a> {
    fn from(vote: &'a vote::Model) -> Self {
        Self { preset: &vote.preset, area: &vote.area_code, body: vote.body_id }
    }
}

impl<'a> From<&'a VoteView> for Whose<'a> {
    fn from(vote: &'a VoteView) -> Self {
        Self { preset: &vote.preset, area: &vote.area_code, body: vote.body_id }
    }
}

/// May the actor run this vote: its roll, its paper, its answers? Not one that is about the actor.
pub(super) fn runs(actor: &Actor, vote: &vote::Model) -> bool {
    !is_voted_on(vote, actor.person) && is_run_by(&actor.seats, vote.into())
}

/// The same of a vote as everybody sees it.
#[must_use]
pub fn may_run(actor: &Actor, vote: &VoteView) -> bool {
    !is_about(actor, vote) && is_run_by(&actor.seats, vote.into())
}

/// Is this one recalled by the vote, or a candidate who is known as a person?
pub(super) fn is_voted_on(vote: &vote::Model, person: PersonId) -> bool {
    vote.recalled_id == Some(person) || queries::candidates_of(vote).contains(&person)
}

/// The same of the actor, and of a vote as everybody sees it.
#[must_use]
pub fn is_about(actor: &Actor, vote: &VoteView) -> bool {
    vote.recalled_id == Some(actor.person) || vote.candidates.contains(&actor.person)
}

fn is_run_by(seats: &[HeldSeat], whose: Whose<'_>) -> bool {
    if queries::is_inside(whose.preset) {
        bodies::members::leads(seats, whose.body)
    } else {
        bodies::gives(seats, Right::OpenVote, whose.area)
    }
}

/// # Errors
/// `not_allowed` for who does not run it.
pub(super) fn require(actor: &Actor, vote: &vote::Model) -> Result<()> {
    if runs(actor, vote) { Ok(()) } else { Err(Code::NotAllowed.into()) }
}

/// May the actor see who is on its roll: who sees its area; of a villagers' group its people and whoever sits over the village; of a
/// vote inside a body its people, too, who may live in another village?
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn sees(db: &impl ConnectionTrait, actor: &Actor, vote: &vote::Model) -> Result<bool> {
    if let Some(group) = vote.group_number {
        return is_concerned(db, actor, (vote, group)).await;
    }
    may_object(db, actor, vote).await
}

/// May the actor object to its roll? Of a villagers' group everybody in the village, or who is counted to another one by mistake
/// could not say so.
pub(super) async fn may_object(db: &impl ConnectionTrait, actor: &Actor, vote: &vote::Model) -> Result<bool> {
    if actor.sees(&vote.area_code) || !queries::is_inside(&vote.preset) {
        return Ok(actor.sees(&vote.area_code));
    }
    Ok(actor.sits_in(vote.body_id) || bodies::members::ids(db, vote.body_id).await?.contains(&actor.person))
}

/// # Errors
/// `not_found` for who may not.
pub(super) async fn require_may_object(db: &impl ConnectionTrait, actor: &Actor, vote: &vote::Model) -> Result<()> {
    if may_object(db, actor, vote).await? { Ok(()) } else { Err(Code::NotFound.into()) }
}

/// # Errors
/// `not_found` for who does not.
pub(super) async fn require_sees(db: &impl ConnectionTrait, actor: &Actor, vote: &vote::Model) -> Result<()> {
    if sees(db, actor, vote).await? { Ok(()) } else { Err(Code::NotFound.into()) }
}

/// Whoever sits over the village; whom the roster counts to the group; who has a place on the roll.
async fn is_concerned(db: &impl ConnectionTrait, actor: &Actor, (vote, group): (&vote::Model, i32)) -> Result<bool> {
    if actor.seats.iter().any(|seat| seat.serves(&vote.area_code)) {
        return Ok(true);
    }
    let own = people::person(db, actor.person).await?.filter(|own| own.area == vote.area_code && own.left_on.is_none());
    let is_of_it = match own {
        Some(own) => village_groups::of(db, &own).await?.contains(&group),
        None => false,
    };
    Ok(is_of_it || queries::own_place(db, vote, actor.person).await?.is_some())
}

/// May the actor annul it? Of a vote inside a body that is the office above, not the body itself: it would judge its own chair's
/// election. So it is of a recall from the village committee, whose chair would end the own one, and of a choice of
/// representatives, among whom the committee's may stand.
#[must_use]
pub fn may_bend<'a>(actor: &Actor, vote: impl Into<Whose<'a>>) -> bool {
    let whose = vote.into();
    let preset = whose.preset;
    if queries::is_inside(preset) || queries::is_recall(preset) || queries::is_selection(preset) {
        stands_above(actor, whose)
    } else {
        bodies::may(actor, Right::BendPath, whose.area)
    }
}

/// May the actor say that a result does not stand? An office that lost would find somebody who challenges it, so that never is the one
/// whose vote it is; a council is not the village's to overturn, whoever supervises the village.
#[must_use]
pub fn may_overturn<'a>(actor: &Actor, vote: impl Into<Whose<'a>>) -> bool {
    let whose = vote.into();
    if queries::is_inside(whose.preset) { stands_above(actor, whose) } else { stands_in(actor, whose) }
}

/// Does the actor speak for the office above and not run the vote?
#[must_use]
pub fn stands_above<'a>(actor: &Actor, vote: impl Into<Whose<'a>>) -> bool {
    let whose = vote.into();
    sits_above(&actor.seats, whose.area) && !is_run_by(&actor.seats, whose)
}

/// The office above is the town's; over what is wider than a town the county's.
fn sits_above(seats: &[HeldSeat], area: &str) -> bool {
    let is_county = |seat: &HeldSeat| {
        seat.body_kind == BodyKind::CountyOffice.as_str() && SPEAKERS.contains(&seat.role.as_str()) && seat.covers(area)
    };
    sealed::sits(seats, Trustee::Town, area) || (area.len() < TOWN_CODE && seats.iter().any(is_county))
}

/// The bodies of which one stands in, by kind.
pub(super) fn kinds_apart(area: &str) -> &'static [BodyKind] {
    if area.len() < TOWN_CODE {
        &[BodyKind::CountyOffice]
    } else {
        &[BodyKind::TownOffice, BodyKind::SupervisionCommittee]
    }
}

/// # Errors
/// `not_allowed` for who may not.
pub(super) fn require_bend(actor: &Actor, vote: &vote::Model) -> Result<()> {
    let bends = !is_voted_on(vote, actor.person) && may_bend(actor, vote);
    if bends { Ok(()) } else { Err(Code::NotAllowed.into()) }
}

/// # Errors
/// `not_allowed` for who neither runs it nor may bend it: what is lost or void is said by the latter, who need not be the former.
pub(super) fn require_either(actor: &Actor, vote: &vote::Model) -> Result<()> {
    require(actor, vote).or_else(|_| require_bend(actor, vote))
}

/// Does an objection with this answer strike somebody while ballots are cast? It lowers the number by which the turnout is
/// measured, and who runs the vote sees how many came: one of the two who decide it is apart from the office.
#[must_use]
pub fn is_late_strike(
    (kind, upholds): (&str, Option<bool>),
    (state, closes_at): (&str, DateTime<Utc>),
    now: DateTime<Utc>,
) -> bool {
    let is_strike = kind == RollFault::Wrong.as_str() && upholds == Some(true);
    is_strike && state == queries::OPEN && now < closes_at
}

/// May the actor decide for an office that let the day pass: the office above, the supervision committee?
#[must_use]
pub fn stands_in<'a>(actor: &Actor, vote: impl Into<Whose<'a>>) -> bool {
    is_apart(&actor.seats, vote)
}

/// Has an office that counts what is on paper let the days pass in which it would have signed it?
#[must_use]
pub fn is_left_lying(
    calendar: &Calendar,
    (state, closed_at): (&str, Option<DateTime<Utc>>),
    now: DateTime<Utc>,
) -> bool {
    let due = closed_at.map(|at| answer_until(calendar, None, at));
    queries::paper::is_counting(state) && due.is_some_and(|due| due <= now)
}

/// Does the actor see to the end of a counting that the office let lie? It would decide nothing for ever.
pub(super) fn sees_it_through(tx: &Tx, actor: &Actor, vote: &vote::Model) -> bool {
    let is_late = is_left_lying(tx.calendar(), (&vote.state, vote.closed_at), tx.now());
    is_late && !is_voted_on(vote, actor.person) && stands_in(actor, vote)
}

/// The same of somebody's seats. Whoever runs the vote is not apart from it, wherever else they sit.
pub(super) fn is_apart<'a>(seats: &[HeldSeat], vote: impl Into<Whose<'a>>) -> bool {
    let whose = vote.into();
    let sits = sits_above(seats, whose.area) || sealed::sits(seats, Trustee::Supervision, whose.area);
    sits && !is_run_by(seats, whose)
}
