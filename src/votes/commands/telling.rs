//! Telling who it concerns that somebody cast for them: of an open ballot at once; of secret ones many together, in the
//! order of the roll, so that no time links anything.
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::Expr,
};
use serde_json::json;

use super::{Secrecy, slot::Casting};
use crate::{
    app::App,
    clock,
    error::{Error, Result},
    events::{self, Happening, Kind},
    ids::{HouseholdId, PersonId, VoteId},
    store::Tx,
    votes::{
        queries::{self, members::grown_ups},
        rows::{envelope, roll_entry, vote},
    },
};

/// The hour at which those are told for whom somebody cast a secret ballot.
const EVENING: TimeDelta = TimeDelta::hours(20);
/// With fewer ballots in a day, being told in the evening would tell which of them it was: the end is waited for.
const FEW: u64 = 10;
/// States in which a ballot, or a sheet that is given back, may still change who cast for whom.
const NOT_OVER: [&str; 4] = [queries::OPEN, queries::POSTED, queries::WAITING_KEYS, queries::COUNTING_PAPER];
/// Of the roll, told in one unit.
const AT_ONCE: u64 = 100;

/// Tells of an open ballot. Recorded: `vote.cast_for`, once for everybody who is told.
pub(super) async fn tell_of(tx: &Tx, (vote, area): (VoteId, &str), casting: Casting) -> Result<()> {
    let about = Ballot { number: casting.number, elector: casting.elector, caster: casting.caster, home: casting.home };
    tell(tx, (vote, area), &about).await
}

struct Ballot {
    number: i32,
    elector: PersonId,
    caster: PersonId,
    home: Option<HouseholdId>,
}

async fn tell(tx: &Tx, (vote, area): (VoteId, &str), ballot: &Ballot) -> Result<()> {
    let how = if ballot.home.is_some() { "household" } else { "proxy" };
    for person in concerned(tx, vote, ballot).await? {
        let happening = Happening::new(Kind::VoteCastFor, vote).at(area).by(ballot.caster);
        let data = json!({ "number": ballot.number, "person": person, "how": how });
        events::record(tx, happening.with(data)).await?;
    }
    Ok(())
}

/// The elector; of a household all who were its grown-ups on the day of the roll. Never who cast.
async fn concerned(tx: &Tx, vote: VoteId, ballot: &Ballot) -> Result<Vec<PersonId>> {
    if ballot.home.is_none() {
        return Ok(Some(ballot.elector).filter(|elector| *elector != ballot.caster).into_iter().collect());
    }
    let members = grown_ups(tx, (vote, ballot.number)).await?;
    Ok(members.into_iter().filter(|one| *one != ballot.caster).collect())
}

/// Tells what the evening or the end brings, some of the roll at a time. A vote of which nobody can be told holds up no other.
pub(super) async fn due(app: &App) -> Result<()> {
    for id in evening(app).await? {
        let tell = async || app.store.write(move |tx| Box::pin(tell_in_the_evening(tx, id))).await;
        while tell().await.unwrap_or_else(|error| failed(id, &error)) {}
    }
    for id in ended(app).await? {
        let tell = async || app.store.write(move |tx| Box::pin(tell_after_the_end(tx, id))).await;
        while tell().await.unwrap_or_else(|error| failed(id, &error)) {}
    }
    Ok(())
}

fn failed(vote: VoteId, error: &Error) -> bool {
    tracing::error!(%vote, %error, "telling of a vote");
    false
}

/// The secret votes whose evening has come. Of one that rests nobody is told before it goes on, or is annulled.
async fn evening(app: &App) -> Result<Vec<VoteId>> {
    let waits = Condition::any()
        .add(vote::Column::ToldUntil.is_null())
        .add(vote::Column::ToldUntil.lt(last_evening(app.now())));
    let ids = vote::Entity::find()
        .select_only()
        .column(vote::Column::Id)
        .filter(queries::taking())
        // one that only waits for an objection is over: what is left is told at its end
        .filter(vote::Column::ClosesAt.gt(app.now()))
        .filter(vote::Column::Secrecy.eq(Secrecy::Secret.as_str()))
        .filter(waits);
    Ok(ids.into_tuple().all(app.store.read()).await?)
}

/// Tells the next of those for whom somebody cast a secret ballot before the evening, if there were ballots of many. Says
/// whether more of them wait. Recorded: `vote.cast_for`.
///
/// # Errors
/// When the database refuses.
async fn tell_in_the_evening(tx: &Tx, id: VoteId) -> Result<bool> {
    let vote = queries::row(tx, id).await?;
    let evening = last_evening(tx.now());
    let is_on = vote.takes_ballots() && vote.closes_at > tx.now();
    if !is_on || vote.told_until.is_some_and(|told| told >= evening) {
        return Ok(false);
    }
    // whoever casts again and again is one all the same
    let electors = envelope::Entity::find()
        .select_only()
        .column(envelope::Column::ElectorNumber)
        .distinct()
        .filter(envelope::Column::VoteId.eq(id))
        .filter(envelope::Column::CastAt.lte(evening))
        .filter(envelope::Column::CastAt.gt(evening - TimeDelta::days(1)));
    if electors.count(tx).await? >= FEW && tell_some(tx, &vote, Some(evening)).await? {
        return Ok(true);
    }
    told(tx, id, evening).await?;
    Ok(false)
}

/// The secret votes that are over while some were not told that somebody cast for them.
async fn ended(app: &App) -> Result<Vec<VoteId>> {
    let waits = Condition::any()
        .add(vote::Column::ToldUntil.is_null())
        .add(ExprTrait::lt(Expr::col(vote::Column::ToldUntil), Expr::col(vote::Column::ClosesAt)));
    let ids = vote::Entity::find()
        .select_only()
        .column(vote::Column::Id)
        .filter(vote::Column::State.is_not_in(NOT_OVER))
        .filter(vote::Column::Secrecy.eq(Secrecy::Secret.as_str()))
        .filter(waits);
    Ok(ids.into_tuple().all(app.store.read()).await?)
}

/// The same for a vote that is over; in units of their own, so that the end of a large one fits into its own.
///
/// # Errors
/// When the database refuses.
async fn tell_after_the_end(tx: &Tx, id: VoteId) -> Result<bool> {
    let vote = queries::row(tx, id).await?;
    if tell_some(tx, &vote, None).await? {
        return Ok(true);
    }
    told(tx, id, Ord::max(vote.closes_at, tx.now())).await?;
    Ok(false)
}

async fn told(tx: &Tx, id: VoteId, until: DateTime<Utc>) -> Result<()> {
    vote::Entity::update_many()
        .col_expr(vote::Column::ToldUntil, Expr::value(until))
        .filter(vote::Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Tells the next of those who were not told yet, whose ballots came until then, in the order of the roll; says whether there
/// were as many as fit into a unit.
async fn tell_some(tx: &Tx, vote: &vote::Model, until: Option<DateTime<Utc>>) -> Result<bool> {
    let is_of_households = queries::is_of_households(&vote.preset);
    let mut waiting = roll_entry::Entity::find()
        .filter(roll_entry::Column::VoteId.eq(vote.id))
        .filter(roll_entry::Column::IsTold.eq(false))
        .filter(roll_entry::Column::Channel.is_in([queries::ONLINE, queries::PROXY]))
        .order_by_asc(roll_entry::Column::Number)
        .limit(AT_ONCE);
    if !is_of_households {
        waiting = waiting.filter(roll_entry::Column::CastBy.is_not_null());
    }
    if let Some(until) = until {
        let came = envelope::Entity::find()
            .select_only()
            .column(envelope::Column::ElectorNumber)
            .filter(envelope::Column::VoteId.eq(vote.id))
            .filter(envelope::Column::CastAt.lte(until));
        waiting = waiting.filter(roll_entry::Column::Number.in_subquery(came.into_query()));
    }
    let rows = waiting.all(tx).await?;
    let is_full = rows.len() as u64 == AT_ONCE;
    tell_all(tx, vote, rows).await?;
    Ok(is_full)
}

async fn tell_all(tx: &Tx, vote: &vote::Model, rows: Vec<roll_entry::Model>) -> Result<()> {
    let is_of_households = queries::is_of_households(&vote.preset);
    for row in &rows {
        let caster = row.cast_by.unwrap_or(row.person_id);
        let home = Some(row.household_id).filter(|_| is_of_households);
        let about = Ballot { number: row.number, elector: row.person_id, caster, home };
        tell(tx, (vote.id, &vote.area_code), &about).await?;
    }
    let numbers: Vec<i32> = rows.iter().map(|row| row.number).collect();
    for some in numbers.chunks(500) {
        roll_entry::Entity::update_many()
            .col_expr(roll_entry::Column::IsTold, Expr::value(true))
            .filter(roll_entry::Column::VoteId.eq(vote.id))
            .filter(roll_entry::Column::Number.is_in(some.iter().copied()))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Eight in the evening, the last time it was.
pub(super) fn last_evening(now: DateTime<Utc>) -> DateTime<Utc> {
    clock::start_of_day(clock::local_date(now - EVENING)) + EVENING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_evening_is_at_eight_in_the_county() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let eight = at("2026-11-10T20:00:00+08:00");
        assert_eq!(last_evening(eight), eight);
        assert_eq!(last_evening(at("2026-11-11T19:59:59+08:00")), eight);
        assert_eq!(last_evening(at("2026-11-10T23:59:59+08:00")), eight);
    }
}
