//! What is known when ballots arrive: the vote, the elector's place on the roll, who may cast for it, who did.
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, FromQueryResult,
    sea_query::{Alias, Expr, ExprTrait, JoinType, Query, SelectStatement},
};

use super::{Cast, Paper, SealedBy};
use crate::{
    error::{Code, Result},
    ids::{HouseholdId, MeetingId, PersonId, VoteId},
    store::{Tx, padded},
    votes::{
        queries,
        rows::{envelope, roll_agent, roll_entry, vote},
        rules::{
            Question,
            proxies::{PROXY_RANK, may_replace},
        },
    },
};

/// What is known when a ballot arrives.
#[derive(FromQueryResult)]
pub(super) struct Slot {
    pub(super) state: String,
    pub(super) secrecy: String,
    allows_revote: bool,
    pub(super) has_board: bool,
    pub(super) opens_at: DateTime<Utc>,
    pub(super) closes_at: DateTime<Utc>,
    pub(super) meeting_id: Option<MeetingId>,
    preset: String,
    options: Option<String>,
    max_choices: i32,
    seats: i32,
    pub(super) area_code: String,
    pub(super) number: Option<i32>,
    pub(super) channel: Option<String>,
    pub(super) elector: Option<PersonId>,
    household_id: Option<HouseholdId>,
    pub(super) cast_by: Option<PersonId>,
    agent_rank: Option<i32>,
    caster_rank: Option<i32>,
    /// The number of the elector's newest ballot among all of that elector.
    pub(super) newest: Option<i32>,
}

impl Slot {
    /// As what this person casts here: 0 the elector, then those who may cast for the elector.
    pub(super) fn rank(&self, person: PersonId) -> Option<i32> {
        if self.elector == Some(person) { Some(0) } else { self.agent_rank }
    }

    /// Was this elector struck from the roll?
    pub(super) fn is_struck(&self) -> bool {
        self.channel.as_deref() == Some(queries::STRUCK)
    }

    /// Was a sheet of paper handed out for this elector?
    pub(super) fn has_sheet(&self) -> bool {
        self.channel.as_deref() == Some(queries::PAPER_ISSUED)
    }

    /// May somebody of this rank cast (again)?
    pub(super) fn is_free(&self, rank: i32) -> bool {
        let there = if self.cast_by.is_none() { 0 } else { self.caster_rank.unwrap_or(0) };
        self.has_not_cast() || (self.is_by_phone() && may_replace(rank, there, self.allows_revote))
    }

    pub(super) fn has_not_cast(&self) -> bool {
        self.channel.as_deref() == Some(queries::NOT_CAST)
    }

    fn is_by_phone(&self) -> bool {
        matches!(self.channel.as_deref(), Some(queries::ONLINE | queries::PROXY))
    }

    /// What may be chosen; `None`: it is a motion.
    pub(super) fn question(&self) -> Result<Option<Question>> {
        queries::question(self.options.as_deref(), (self.max_choices, self.seats))
    }

    /// The household that this elector is, where households vote.
    pub(super) fn home(&self) -> Option<HouseholdId> {
        self.household_id.filter(|_| queries::is_of_households(&self.preset))
    }
}

/// Who casts, for whom.
#[derive(Clone, Copy, Debug)]
pub(in crate::votes) struct Casting {
    pub(in crate::votes) number: i32,
    pub(in crate::votes) elector: PersonId,
    pub(in crate::votes) caster: PersonId,
    /// The household that the elector is.
    pub(in crate::votes) home: Option<HouseholdId>,
    pub(super) rank: i32,
}

impl Casting {
    pub(super) fn channel(&self) -> &'static str {
        if self.rank == PROXY_RANK { queries::PROXY } else { queries::ONLINE }
    }

    /// `None`: the elector in person.
    pub(super) fn by(&self) -> Option<PersonId> {
        (self.caster != self.elector).then_some(self.caster)
    }

    /// Who was at the meeting by it: the elector, by whom the proxy speaks; of a household whoever casts.
    pub(super) fn attends(&self) -> PersonId {
        if self.rank == PROXY_RANK { self.elector } else { self.caster }
    }
}

/// The same ballot again, as it was answered the first time.
///
/// # Errors
/// `cast_id_conflict` when that id holds another.
pub(super) fn again(known: envelope::Model, number: i32, paper: &Paper) -> Result<Cast> {
    let sealed_by = known.sealed_by.as_deref().and_then(SealedBy::parse);
    // sealing twice never gives the same envelope: what the server sealed is known by its id alone
    let by_server = sealed_by == Some(SealedBy::Server) && paper.sealed_by() == sealed_by;
    if known.elector_number == number && (known.ballot_hash == paper.hash || by_server) {
        let (vote, cast_id, hash, at) = (known.vote_id, known.cast_id, known.ballot_hash, known.cast_at);
        Ok(Cast { vote, cast_id, hash, at, sealed_by })
    } else {
        Err(Code::CastIdConflict.into())
    }
}

/// The own place on the roll, or that of the elector for whom one casts; without one, that of the own household.
pub(super) async fn find_slot(tx: &Tx, person: PersonId, vote: VoteId, paper: &Paper) -> Result<Slot> {
    let found = slot(tx, (person, paper.elector), vote).await?.ok_or(Code::NotFound)?;
    if found.number.is_some() || paper.elector.is_some() {
        return Ok(found);
    }
    let Some(number) = queries::alternate_of(tx, vote, person).await? else { return Ok(found) };
    slot(tx, (person, Some(number)), vote).await?.ok_or_else(|| Code::NotFound.into())
}

async fn slot(tx: &Tx, (person, number): (PersonId, Option<i32>), vote: VoteId) -> Result<Option<Slot>> {
    let whose = match number {
        Some(number) => entry(roll_entry::Column::Number).eq(number),
        None => entry(roll_entry::Column::PersonId).eq(person),
    };
    let row = tx.query_one(&select(vote, whose, Expr::value(person))).await?;
    Ok(row.map(|row| Slot::from_query_result(&row, "")).transpose()?)
}

/// Of each of these people the own place on the roll; whoever has none is not in it.
pub(super) async fn own_slots(tx: &Tx, vote: VoteId, people: Vec<PersonId>) -> Result<HashMap<PersonId, Slot>> {
    let whose = entry(roll_entry::Column::PersonId).is_in(padded(people));
    let rows = tx.query_all(&select(vote, whose, entry(roll_entry::Column::PersonId))).await?;
    let slots = rows.iter().map(|row| Slot::from_query_result(row, "")).collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(slots.into_iter().filter_map(|slot| Some((slot.elector?, slot))).collect())
}

fn entry(column: roll_entry::Column) -> Expr {
    Expr::col((roll_entry::Entity, column))
}

/// Vote, roll entries, who of those who cast may cast for them, and who did, in one statement.
fn select(id: VoteId, whose: Expr, casts: Expr) -> SelectStatement {
    let own_entry = entry(roll_entry::Column::VoteId).equals((vote::Entity, vote::Column::Id)).and(whose);
    let (agent, caster) = (Alias::new("agent"), Alias::new("caster"));
    let of_entry = |who: &Alias| {
        let column = |column: roll_agent::Column| Expr::col((who.clone(), column));
        column(roll_agent::Column::VoteId)
            .equals((roll_entry::Entity, roll_entry::Column::VoteId))
            .and(column(roll_agent::Column::Number).equals((roll_entry::Entity, roll_entry::Column::Number)))
    };
    let is_agent = of_entry(&agent)
        .and(Expr::col((agent.clone(), roll_agent::Column::PersonId)).eq(casts))
        .and(Expr::col((agent.clone(), roll_agent::Column::State)).eq(queries::CHECKED));
    let is_caster = of_entry(&caster).and(
        Expr::col((caster.clone(), roll_agent::Column::PersonId))
            .equals((roll_entry::Entity, roll_entry::Column::CastBy)),
    );
    // by the last key of each elector: it does not take longer when many have cast
    let newest = Query::select()
        .expr(Expr::col((envelope::Entity, envelope::Column::Rev)).max())
        .from(envelope::Entity)
        .and_where(Expr::col((envelope::Entity, envelope::Column::VoteId)).eq(entry(roll_entry::Column::VoteId)))
        .and_where(Expr::col((envelope::Entity, envelope::Column::ElectorNumber)).eq(entry(roll_entry::Column::Number)))
        .to_owned();
    Query::select()
        .column((vote::Entity, vote::Column::State))
        .column((vote::Entity, vote::Column::Secrecy))
        .column((vote::Entity, vote::Column::AllowsRevote))
        .column((vote::Entity, vote::Column::HasBoard))
        .column((vote::Entity, vote::Column::OpensAt))
        .column((vote::Entity, vote::Column::ClosesAt))
        .column((vote::Entity, vote::Column::MeetingId))
        .column((roll_entry::Entity, roll_entry::Column::Number))
        .column((vote::Entity, vote::Column::Preset))
        .column((vote::Entity, vote::Column::Options))
        .column((vote::Entity, vote::Column::MaxChoices))
        .column((vote::Entity, vote::Column::Seats))
        .column((vote::Entity, vote::Column::AreaCode))
        .column((roll_entry::Entity, roll_entry::Column::Channel))
        .expr_as(entry(roll_entry::Column::PersonId), "elector")
        .column((roll_entry::Entity, roll_entry::Column::HouseholdId))
        .column((roll_entry::Entity, roll_entry::Column::CastBy))
        .expr_as(Expr::col((agent.clone(), roll_agent::Column::Rank)), "agent_rank")
        .expr_as(Expr::col((caster.clone(), roll_agent::Column::Rank)), "caster_rank")
        .expr_as(Expr::SubQuery(None, Box::new(newest.into())), "newest")
        .from(vote::Entity)
        .left_join(roll_entry::Entity, own_entry)
        .join_as(JoinType::LeftJoin, roll_agent::Entity, agent, is_agent)
        .join_as(JoinType::LeftJoin, roll_agent::Entity, caster, is_caster)
        .and_where(Expr::col((vote::Entity, vote::Column::Id)).eq(id))
        .to_owned()
}
