//! 主办: whose a vote is. One of the village is run by who opens votes there; one inside a body by who holds that body's meetings.
//! Whom a vote recalls, and who stands in it, known as a person, has no hand in it.
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;

use super::{
    queries::{self, VoteView},
    rows::vote,
    rules::roll::answer_until,
    sealed,
};
use crate::{
    actor::{Actor, HeldSeat},
    board::sealing::Trustee,
    bodies::{self, Right},
    calendar::Calendar,
    error::{Code, Result},
    ids::{BodyId, PersonId},
    people::{self, village_groups},
    store::Tx,
};

/// May the actor run this vote: its roll, its paper, its answers? Not one that is about the actor.
pub(super) fn runs(actor: &Actor, vote: &vote::Model) -> bool {
    !is_voted_on(vote, actor.person) && is_run_by(actor, (&vote.preset, &vote.area_code, vote.body_id))
}

/// The same of a vote as everybody sees it.
#[must_use]
pub fn may_run(actor: &Actor, vote: &VoteView) -> bool {
    !is_about(actor, vote) && is_run_by(actor, (&vote.preset, &vote.area_code, vote.body_id))
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

fn is_run_by(actor: &Actor, (preset, area, body): (&str, &str, BodyId)) -> bool {
    if queries::is_inside(preset) {
        bodies::members::holds(actor, body)
    } else {
        bodies::may(actor, Right::OpenVote, area)
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

/// May the actor annul it? Of a vote inside a body that is the town's office, not the body itself: it would judge its own chair's
/// election. So it is of a recall from the village committee, whose chair would end the own one, and of a choice of
/// representatives, among whom the committee's may stand.
#[must_use]
pub fn may_bend(actor: &Actor, (preset, area): (&str, &str)) -> bool {
    if queries::is_inside(preset) || queries::is_recall(preset) || queries::is_selection(preset) {
        sealed::holds(actor, Trustee::Town, area)
    } else {
        bodies::may(actor, Right::BendPath, area)
    }
}

/// May the actor say that a result does not stand? An office that lost would find somebody who challenges it, so that never is the one
/// whose vote it is; a council is not the village's to overturn, whoever supervises the village.
#[must_use]
pub fn may_overturn(actor: &Actor, (preset, area): (&str, &str)) -> bool {
    if queries::is_inside(preset) { sealed::holds(actor, Trustee::Town, area) } else { stands_in(actor, area) }
}

/// # Errors
/// `not_allowed` for who may not.
pub(super) fn require_bend(actor: &Actor, vote: &vote::Model) -> Result<()> {
    let bends = !is_voted_on(vote, actor.person) && may_bend(actor, (&vote.preset, &vote.area_code));
    if bends { Ok(()) } else { Err(Code::NotAllowed.into()) }
}

/// # Errors
/// `not_allowed` for who neither runs it nor may bend it: what is lost or void is said by the latter, who need not be the former.
pub(super) fn require_either(actor: &Actor, vote: &vote::Model) -> Result<()> {
    require(actor, vote).or_else(|_| require_bend(actor, vote))
}

/// May the actor decide for an office that let the day pass: the town's office, the supervision committee?
#[must_use]
pub fn stands_in(actor: &Actor, area: &str) -> bool {
    is_apart(&actor.seats, area)
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
    is_late && !is_voted_on(vote, actor.person) && stands_in(actor, &vote.area_code)
}

/// The same of somebody's seats.
pub(super) fn is_apart(seats: &[HeldSeat], area: &str) -> bool {
    [Trustee::Town, Trustee::Supervision].into_iter().any(|one| sealed::sits(seats, one, area))
}
