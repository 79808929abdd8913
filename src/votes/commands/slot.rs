//! What is known when ballots arrive: the vote, the elector's place on the roll, who may cast for it, who did.
use std::{collections::HashMap, ops::Deref, sync::Arc};

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, EntityTrait, FromQueryResult, QueryResult, QuerySelect,
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

/// What is known of the vote when ballots arrive, once for all of them.
#[derive(FromQueryResult)]
pub(super) struct Ground {
    pub(super) state: String,
    pub(super) secrecy: String,
    allows_revote: bool,
    pub(super) has_board: bool,
    /// When the roll was drawn up.
    pub(super) created_at: DateTime<Utc>,
    pub(super) opens_at: DateTime<Utc>,
    pub(super) closes_at: DateTime<Utc>,
    pub(super) meeting_id: Option<MeetingId>,
    preset: String,
    options: Option<String>,
    max_choices: i32,
    seats: i32,
    pub(super) area_code: String,
    /// Since when it rests.
    pub(super) restored_at: Option<DateTime<Utc>>,
}

/// What is known when a ballot arrives.
pub(super) struct Slot {
    vote: Arc<Ground>,
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

impl Deref for Slot {
    type Target = Ground;

    fn deref(&self) -> &Ground {
        &self.vote
    }
}

impl Slot {
    /// No place on the roll.
    fn nowhere(vote: Arc<Ground>) -> Self {
        Self {
            vote,
            number: None,
            channel: None,
            elector: None,
            household_id: None,
            cast_by: None,
            agent_rank: None,
            caster_rank: None,
            newest: None,
        }
    }

    /// A place, as what the one who casts may cast for it.
    fn at(vote: Arc<Ground>, row: &QueryResult, agent_rank: Option<i32>) -> Result<Self> {
        Ok(Self {
            vote,
            number: row.try_get("", "number")?,
            channel: row.try_get("", "channel")?,
            elector: row.try_get("", "person_id")?,
            household_id: row.try_get("", "household_id")?,
            cast_by: row.try_get("", "cast_by")?,
            agent_rank,
            caster_rank: row.try_get("", "caster_rank")?,
            newest: row.try_get("", "newest")?,
        })
    }

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
    let ground = ground(tx, vote).await?.ok_or(Code::NotFound)?;
    let found = slot(tx, (person, paper.elector), (vote, &ground)).await?;
    if found.number.is_some() || paper.elector.is_some() {
        return Ok(found);
    }
    let Some(number) = queries::alternate_of(tx, vote, person).await? else { return Ok(found) };
    slot(tx, (person, Some(number)), (vote, &ground)).await
}

async fn ground(tx: &Tx, id: VoteId) -> Result<Option<Arc<Ground>>> {
    let found = vote::Entity::find_by_id(id)
        .select_only()
        .columns([
            vote::Column::State,
            vote::Column::Secrecy,
            vote::Column::AllowsRevote,
            vote::Column::HasBoard,
            vote::Column::CreatedAt,
            vote::Column::OpensAt,
            vote::Column::ClosesAt,
            vote::Column::MeetingId,
            vote::Column::Preset,
            vote::Column::Options,
            vote::Column::MaxChoices,
            vote::Column::Seats,
            vote::Column::AreaCode,
            vote::Column::RestoredAt,
        ])
        .into_model::<Ground>()
        .one(tx)
        .await?;
    Ok(found.map(Arc::new))
}

async fn slot(
    tx: &Tx,
    (person, number): (PersonId, Option<i32>),
    (vote, ground): (VoteId, &Arc<Ground>),
) -> Result<Slot> {
    let whose = match number {
        Some(number) => entry(roll_entry::Column::Number).eq(number),
        None => entry(roll_entry::Column::PersonId).eq(person),
    };
    let agent = Alias::new("agent");
    let agent_column = |column: roll_agent::Column| Expr::col((agent.clone(), column));
    let is_agent = of_entry(&agent)
        .and(agent_column(roll_agent::Column::PersonId).eq(person))
        .and(agent_column(roll_agent::Column::State).eq(queries::CHECKED));
    let mut select = places(vote, whose);
    select.expr_as(agent_column(roll_agent::Column::Rank), "agent_rank").join_as(
        JoinType::LeftJoin,
        roll_agent::Entity,
        agent.clone(),
        is_agent,
    );
    match tx.query_one(&select).await? {
        Some(row) => Slot::at(Arc::clone(ground), &row, row.try_get("", "agent_rank")?),
        None => Ok(Slot::nowhere(Arc::clone(ground))),
    }
}

/// Of each of these people the own place on the roll, while the vote runs; whoever has none is not in it.
pub(super) async fn own_slots(tx: &Tx, vote: VoteId, people: Vec<PersonId>) -> Result<HashMap<PersonId, Slot>> {
    let Some(ground) = ground(tx, vote).await? else { return Ok(HashMap::new()) };
    let mut select = places(vote, entry(roll_entry::Column::PersonId).is_in(padded(people)));
    select.and_where(entry(roll_entry::Column::IsOver).eq(false));
    let mut slots = HashMap::new();
    for row in tx.query_all(&select).await? {
        // for the own place nobody needs to be named
        let slot = Slot::at(Arc::clone(&ground), &row, None)?;
        slots.extend(slot.elector.map(|elector| (elector, slot)));
    }
    Ok(slots)
}

fn entry(column: roll_entry::Column) -> Expr {
    Expr::col((roll_entry::Entity, column))
}

fn of_entry(who: &Alias) -> Expr {
    let column = |column: roll_agent::Column| Expr::col((who.clone(), column));
    column(roll_agent::Column::VoteId)
        .equals((roll_entry::Entity, roll_entry::Column::VoteId))
        .and(column(roll_agent::Column::Number).equals((roll_entry::Entity, roll_entry::Column::Number)))
}

/// Places on the roll of a vote, with who did cast for them.
fn places(vote: VoteId, whose: Expr) -> SelectStatement {
    let caster = Alias::new("caster");
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
        .column((roll_entry::Entity, roll_entry::Column::Number))
        .column((roll_entry::Entity, roll_entry::Column::Channel))
        .column((roll_entry::Entity, roll_entry::Column::PersonId))
        .column((roll_entry::Entity, roll_entry::Column::HouseholdId))
        .column((roll_entry::Entity, roll_entry::Column::CastBy))
        .expr_as(Expr::col((caster.clone(), roll_agent::Column::Rank)), "caster_rank")
        .expr_as(Expr::SubQuery(None, Box::new(newest.into())), "newest")
        .from(roll_entry::Entity)
        .join_as(JoinType::LeftJoin, roll_agent::Entity, caster, is_caster)
        .and_where(entry(roll_entry::Column::VoteId).eq(vote))
        .and_where(whose)
        .to_owned()
}
