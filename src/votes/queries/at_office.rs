//! What waits at an office about its votes: objections to rolls, challenges of results, boxes to be counted, and what
//! came out of a backup.
use std::collections::HashMap;

use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{SelectStatement, SimpleExpr},
};

use super::{
    super::{
        office,
        rows::{challenge, roll_objection, vote},
        rules::{RollFault, roll::answer_until},
    },
    COUNTING_PAPER, OPEN, PROVISIONAL, challenges, roll_list,
};
use crate::{actor::Actor, board, calendar::Calendar, clock, error::Result, ids::VoteId};

/// Read at once, of each of them.
const MOST: u64 = 500;

/// What waits for an office.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Somebody says that a roll is wrong.
    Objection,
    /// Somebody is to be struck from a roll, as one decided; while ballots are cast one of the two stands in for the office.
    Strike,
    /// Somebody says that a result is.
    Challenge,
    /// What is on paper is to be counted and signed; by one at least who stands in for the office.
    Count,
    /// It rests since a backup was loaded, until its board is confirmed or it is annulled.
    Restored,
    /// On the board of its result, which may still be challenged, nothing is said since then, until it is confirmed.
    Halted,
}

/// A vote in which something waits for an office.
#[derive(Clone, Debug)]
pub struct AtOffice {
    /// The vote.
    pub vote_id: VoteId,
    /// What is asked in it.
    pub question: String,
    /// What it is.
    pub said: Said,
    /// How many say so.
    pub count: usize,
    /// Until when the first of them is to be answered, or the paper signed; since when it rests, or its board does.
    pub due_at: DateTime<FixedOffset>,
}

/// Votes in which something waits for the actor: for who runs them, and, when its day is over, for who stands in; these count with
/// them from the beginning, and confirm at once whom they strike while ballots are cast. An objection that the actor has decided
/// waits for another. One that rests, or whose board does, waits for whoever may annul it or let it go on.
///
/// # Errors
/// When the database cannot be read.
pub async fn at_office(
    db: &impl ConnectionTrait,
    actor: &Actor,
    (calendar, now): (&Calendar, DateTime<Utc>),
) -> Result<Vec<AtOffice>> {
    if actor.seats.is_empty() {
        return Ok(Vec::new());
    }
    let mut said = said(db, actor).await?;
    let counted = counted(db, calendar, vote::Column::Id.in_subquery(near(actor))).await?;
    said.extend(counted.into_iter().map(|(vote, _, due_at)| (vote, Said::Count, due_at)));
    let votes = vote::Entity::find().filter(vote::Column::Id.is_in(said.iter().map(|(id, _, _)| *id))).all(db).await?;
    let mut waiting: Vec<AtOffice> = Vec::new();
    for (id, what, due_at) in said {
        let Some(vote) = votes.iter().find(|vote| vote.id == id) else { continue };
        let is_about = office::is_voted_on(vote, actor.person);
        let is_urgent = what == Said::Strike && vote.state == OPEN && now < vote.closes_at;
        let is_theirs = due_at <= now || what == Said::Count || is_urgent;
        let stands_in = is_theirs && !is_about && office::stands_in(actor, vote);
        if !stands_in && !office::runs(actor, vote) {
            continue;
        }
        match waiting.iter_mut().find(|one| one.vote_id == id && one.said == what) {
            Some(known) => known.count += 1,
            None => waiting.push(AtOffice {
                vote_id: id,
                question: vote.question.clone(),
                said: what,
                count: 1,
                due_at: clock::local(due_at),
            }),
        }
    }
    waiting.extend(resting(db, (actor, now)).await?);
    Ok(waiting)
}

/// Votes that rest since a backup was loaded, or whose boards do, and that the actor may confirm or annul; the longest first.
async fn resting(db: &impl ConnectionTrait, (actor, now): (&Actor, DateTime<Utc>)) -> Result<Vec<AtOffice>> {
    let votes = restored(db, (vote::Column::Id.in_subquery(near(actor)), now)).await?;
    let may = |(said, vote, _): &(Said, vote::Model, DateTime<Utc>)| {
        // what was counted after the backup nobody sees here
        let annuls = if vote.has_paper { office::stands_above(actor, vote) } else { office::may_bend(actor, vote) };
        let is_theirs = (annuls && *said == Said::Restored) || office::may_overturn(actor, vote);
        is_theirs && !office::is_voted_on(vote, actor.person)
    };
    let waiting = |(said, vote, since): (Said, vote::Model, DateTime<Utc>)| AtOffice {
        vote_id: vote.id,
        question: vote.question,
        said,
        count: 1,
        due_at: clock::local(since),
    };
    Ok(votes.into_iter().filter(may).map(waiting).collect())
}

/// Of these, the votes that rest since a backup was loaded, and those with a result that may still be challenged and a board on
/// which nothing is said since then; with since when, the longest first.
async fn restored(
    db: &impl ConnectionTrait,
    (these, now): (SimpleExpr, DateTime<Utc>),
) -> Result<Vec<(Said, vote::Model, DateTime<Utc>)>> {
    let in_its_days =
        Condition::all().add(vote::Column::Settlement.eq(PROVISIONAL)).add(vote::Column::ChallengeUntil.gt(now));
    let may_wait = Condition::any().add(vote::Column::RestoredAt.is_not_null()).add(in_its_days);
    let votes = vote::Entity::find().filter(may_wait).filter(these).all(db).await?;
    let boards: Vec<VoteId> = votes.iter().filter(|vote| vote.restored_at.is_none()).map(|vote| vote.id).collect();
    let halted = board::halts::halted_of(db, &boards).await?;
    let since = |vote: vote::Model| match vote.restored_at {
        Some(since) => Some((Said::Restored, vote, since)),
        None => halted.get(&vote.id).copied().map(|since| (Said::Halted, vote, since)),
    };
    let mut restored: Vec<_> = votes.into_iter().filter_map(since).collect();
    restored.sort_by_key(|(_, _, since)| *since);
    Ok(restored)
}

/// What waits about the votes of the actor's areas, of each of the two the first due first.
async fn said(db: &impl ConnectionTrait, actor: &Actor) -> Result<Vec<(VoteId, Said, DateTime<Utc>)>> {
    let objections = roll_objection::Entity::find()
        .filter(roll_objection::Column::State.is_in([roll_list::OPEN, roll_list::PROPOSED]))
        .filter(roll_objection::Column::VoteId.in_subquery(near(actor)))
        .order_by_asc(roll_objection::Column::DueAt)
        .limit(MOST)
        .all(db)
        .await?;
    let challenges: Vec<(VoteId, DateTime<Utc>)> = challenge::Entity::find()
        .select_only()
        .columns([challenge::Column::VoteId, challenge::Column::DueAt])
        .filter(challenge::Column::State.eq(challenges::OPEN))
        .filter(challenge::Column::VoteId.in_subquery(near(actor)))
        .order_by_asc(challenge::Column::DueAt)
        .limit(MOST)
        .into_tuple()
        .all(db)
        .await?;
    let objections = objections.into_iter().filter(|row| row.decided_by != Some(actor.person));
    let objections = objections.map(|row| {
        let is_strike = row.upholds == Some(true) && row.kind == RollFault::Wrong.as_str();
        (row.vote_id, if is_strike { Said::Strike } else { Said::Objection }, row.due_at)
    });
    Ok(objections.chain(challenges.into_iter().map(|(vote, due_at)| (vote, Said::Challenge, due_at))).collect())
}

/// Votes of these whose paper is not signed, with their area and until when it is to be; the longest first.
async fn counted(
    db: &impl ConnectionTrait,
    calendar: &Calendar,
    these: SimpleExpr,
) -> Result<Vec<(VoteId, String, DateTime<Utc>)>> {
    let rows: Vec<(VoteId, String, Option<DateTime<Utc>>)> = vote::Entity::find()
        .select_only()
        .columns([vote::Column::Id, vote::Column::AreaCode, vote::Column::ClosedAt])
        .filter(vote::Column::State.eq(COUNTING_PAPER))
        .filter(these)
        .order_by_asc(vote::Column::ClosedAt)
        .limit(MOST)
        .into_tuple()
        .all(db)
        .await?;
    let due = |(vote, area, closed_at): (VoteId, String, Option<DateTime<Utc>>)| {
        Some((vote, area, answer_until(calendar, None, closed_at?)))
    };
    Ok(rows.into_iter().filter_map(due).collect())
}

/// Votes of the areas in which the actor sits, and below.
fn near(actor: &Actor) -> SelectStatement {
    let areas = actor.seats.iter().flat_map(|seat| seat.areas.iter());
    let near = areas.fold(Condition::any(), |near, area| near.add(vote::Column::AreaCode.starts_with(area)));
    vote::Entity::find().select_only().column(vote::Column::Id).filter(near).into_query()
}

/// Objections, challenges and paper of an area and below it that wait past their day, and votes that rest, or whose boards do:
/// which, where, and since when. Of each the longest first, so many at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn late(
    db: &impl ConnectionTrait,
    calendar: &Calendar,
    (area, now, limit): (&str, DateTime<Utc>, u64),
) -> Result<Vec<(Said, String, DateTime<Utc>)>> {
    let near = || {
        let near = vote::Entity::find().filter(vote::Column::AreaCode.starts_with(area));
        near.select_only().column(vote::Column::Id).into_query()
    };
    let objections: Vec<(VoteId, DateTime<Utc>)> = roll_objection::Entity::find()
        .select_only()
        .columns([roll_objection::Column::VoteId, roll_objection::Column::DueAt])
        .filter(roll_objection::Column::State.is_in([roll_list::OPEN, roll_list::PROPOSED]))
        .filter(roll_objection::Column::DueAt.lte(now))
        .filter(roll_objection::Column::VoteId.in_subquery(near()))
        .order_by_asc(roll_objection::Column::DueAt)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    let challenges: Vec<(VoteId, DateTime<Utc>)> = challenge::Entity::find()
        .select_only()
        .columns([challenge::Column::VoteId, challenge::Column::DueAt])
        .filter(challenge::Column::State.eq(challenges::OPEN))
        .filter(challenge::Column::DueAt.lte(now))
        .filter(challenge::Column::VoteId.in_subquery(near()))
        .order_by_asc(challenge::Column::DueAt)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    let said = objections.into_iter().map(|(vote, due_at)| (Said::Objection, vote, due_at));
    let said: Vec<_> =
        said.chain(challenges.into_iter().map(|(vote, due_at)| (Said::Challenge, vote, due_at))).collect();
    let places: Vec<(VoteId, String)> = vote::Entity::find()
        .select_only()
        .columns([vote::Column::Id, vote::Column::AreaCode])
        .filter(vote::Column::Id.is_in(said.iter().map(|(_, vote, _)| *vote)))
        .into_tuple()
        .all(db)
        .await?;
    let places: HashMap<VoteId, String> = places.into_iter().collect();
    let placed = |(said, vote, due_at): (Said, VoteId, DateTime<Utc>)| Some((said, places.get(&vote)?.clone(), due_at));
    let mut late: Vec<_> = said.into_iter().filter_map(placed).collect();
    let counted = counted(db, calendar, vote::Column::AreaCode.starts_with(area)).await?;
    let counted = counted.into_iter().filter(|(_, _, due_at)| *due_at <= now);
    late.extend(counted.map(|(_, area, due_at)| (Said::Count, area, due_at)));
    let restored = restored(db, (vote::Column::AreaCode.starts_with(area), now)).await?.into_iter();
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    late.extend(restored.take(most).map(|(said, vote, since)| (said, vote.area_code, since)));
    Ok(late)
}
