//! Reads of proxies: who casts for whom, for the public list, for both sides, for who checks.
use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::{
        Secrecy, office,
        rows::{roll_agent, roll_entry, vote},
    },
    ALTERNATE, CHECKED, NAMED, PROXY, STRUCK, TOOK_PART, row,
};
use crate::{
    actor::Actor,
    clock,
    error::{Code, Result},
    ids::{PersonId, VoteId},
    media::{self, Media},
    people, text,
};

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProxyView {
    /// The vote.
    pub vote_id: VoteId,
    /// The elector's number on the roll.
    pub number: i32,
    /// The elector; masked for the public.
    pub elector_name: String,
    /// The agent's number on the roll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_number: Option<i32>,
    /// The agent; masked for the public.
    pub agent_name: String,
    /// What the agent is to the elector, as was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relation: Option<String>,
    /// The same in Chinese.
    pub relation_name: String,
    /// named, checked, revoked, void.
    pub state: String,
    /// The same in Chinese.
    pub state_name: String,
    /// Has a ballot of this elector come in? While a secret vote is open only both sides are told: with the board beside it, the
    /// moment would tell which ballot it was.
    pub has_cast: bool,
    /// Is there a photo of the paper?
    pub has_proof: bool,
    /// When it was named.
    pub recorded_at: DateTime<FixedOffset>,
    /// When a second person checked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<DateTime<FixedOffset>>,
}

/// The proxies of a vote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProxiesView {
    /// Until when they may be named and checked; absent: the rule knows none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<FixedOffset>>,
    /// Those that hold, by number; for who checks, all of them.
    pub items: Vec<ProxyView>,
}

/// The place of a person on the roll; of who was struck none.
pub(in crate::votes) async fn entry_of(
    db: &impl ConnectionTrait,
    vote: VoteId,
    person: PersonId,
) -> Result<Option<roll_entry::Model>> {
    let own = roll_entry::Entity::find().filter(roll_entry::Column::VoteId.eq(vote));
    let own = own.filter(roll_entry::Column::Channel.ne(STRUCK));
    Ok(own.filter(roll_entry::Column::PersonId.eq(person)).one(db).await?)
}

/// Proxies that hold, or wait to be checked.
fn standing(vote: VoteId) -> Select<roll_agent::Entity> {
    roll_agent::Entity::find()
        .filter(roll_agent::Column::VoteId.eq(vote))
        .filter(roll_agent::Column::Kind.eq(PROXY))
        .filter(roll_agent::Column::State.is_in([NAMED, CHECKED]))
}

/// The proxy of an elector that holds, or waits to be checked.
pub(in crate::votes) async fn active(
    db: &impl ConnectionTrait,
    vote: VoteId,
    number: i32,
) -> Result<Option<roll_agent::Model>> {
    Ok(standing(vote).filter(roll_agent::Column::Number.eq(number)).one(db).await?)
}

/// The same with the elector's place on the roll.
///
/// # Errors
/// `not_found`.
pub(in crate::votes) async fn agent_row(
    db: &impl ConnectionTrait,
    vote: VoteId,
    number: i32,
) -> Result<(roll_entry::Model, roll_agent::Model)> {
    let row = active(db, vote, number).await?.ok_or(Code::NotFound)?;
    let entry = roll_entry::Entity::find_by_id((vote, number)).one(db).await?.ok_or(Code::NotFound)?;
    Ok((entry, row))
}

/// The electors for whom somebody is named or checked, each with the proxy.
pub(in crate::votes) async fn held_by(
    db: &impl ConnectionTrait,
    vote: VoteId,
    agent: PersonId,
) -> Result<Vec<(roll_entry::Model, roll_agent::Model)>> {
    let mut held = Vec::new();
    for row in standing(vote).filter(roll_agent::Column::PersonId.eq(agent)).all(db).await? {
        held.push(agent_row(db, vote, row.number).await?);
    }
    Ok(held)
}

/// For how many electors somebody is named or checked.
pub(in crate::votes) async fn principals(db: &impl ConnectionTrait, vote: VoteId, agent: PersonId) -> Result<u64> {
    Ok(standing(vote).filter(roll_agent::Column::PersonId.eq(agent)).count(db).await?)
}

/// The number of the household for which somebody is an alternate.
pub(in crate::votes) async fn alternate_of(
    db: &impl ConnectionTrait,
    vote: VoteId,
    person: PersonId,
) -> Result<Option<i32>> {
    let number = roll_agent::Entity::find()
        .select_only()
        .column(roll_agent::Column::Number)
        .filter(roll_agent::Column::VoteId.eq(vote))
        .filter(roll_agent::Column::PersonId.eq(person))
        .filter(roll_agent::Column::Kind.eq(ALTERNATE));
    Ok(number.into_tuple().one(db).await?)
}

/// Votes with proxies that nobody checked in time.
pub(in crate::votes) async fn overdue(
    db: &impl ConnectionTrait,
    (now, limit): (DateTime<Utc>, u64),
) -> Result<Vec<VoteId>> {
    let late = vote::Entity::find().select_only().column(vote::Column::Id).filter(vote::Column::ProxiesUntil.lte(now));
    let rows = roll_agent::Entity::find()
        .select_only()
        .column(roll_agent::Column::VoteId)
        .distinct()
        .filter(roll_agent::Column::State.eq(NAMED))
        .filter(roll_agent::Column::VoteId.in_subquery(sea_orm::QueryTrait::into_query(late)))
        .limit(limit);
    Ok(rows.into_tuple().all(db).await?)
}

/// The proxies of a vote: the list that is published, for those who see its roll; all of them with full names for who checks.
///
/// # Errors
/// `not_found`, also for who does not see the roll.
pub async fn proxies(db: &impl ConnectionTrait, actor: &Actor, id: VoteId) -> Result<ProxiesView> {
    let vote = row(db, id).await?;
    office::require_sees(db, actor, &vote).await?;
    let is_full = office::runs(actor, &vote);
    let mut rows = roll_agent::Entity::find()
        .filter(roll_agent::Column::VoteId.eq(id))
        .filter(roll_agent::Column::Kind.eq(PROXY))
        .order_by_asc(roll_agent::Column::Number)
        .order_by_asc(roll_agent::Column::RecordedAt);
    if !is_full {
        rows = rows.filter(roll_agent::Column::State.eq(CHECKED));
    }
    let tells = vote.secrecy != Secrecy::Secret.as_str() || vote.state != super::OPEN;
    let items = views(db, &vote, rows.all(db).await?, (is_full, tells)).await?;
    Ok(ProxiesView { until: vote.proxies_until.map(clock::local), items })
}

/// One, as both sides and the office see it (`is_full`), or as the public does.
pub(in crate::votes) async fn view(
    db: &impl ConnectionTrait,
    vote: &vote::Model,
    row: roll_agent::Model,
    is_full: bool,
) -> Result<ProxyView> {
    views(db, vote, vec![row], (is_full, true)).await?.pop().ok_or_else(|| Code::NotFound.into())
}

/// Those for whom somebody may cast here, and the own proxy.
pub(in crate::votes) async fn around(
    db: &impl ConnectionTrait,
    vote: &vote::Model,
    (person, own): (PersonId, Option<i32>),
) -> Result<(Option<ProxyView>, Vec<ProxyView>)> {
    let mine = match own {
        Some(number) => active(db, vote.id, number).await?,
        None => None,
    };
    let mine = match mine {
        Some(row) => Some(view(db, vote, row, true).await?),
        None => None,
    };
    let rows =
        standing(vote.id).filter(roll_agent::Column::PersonId.eq(person)).order_by_asc(roll_agent::Column::Number);
    let others = views(db, vote, rows.all(db).await?, (true, true)).await?;
    Ok((mine, others))
}

async fn views(
    db: &impl ConnectionTrait,
    vote: &vote::Model,
    rows: Vec<roll_agent::Model>,
    (is_full, tells): (bool, bool),
) -> Result<Vec<ProxyView>> {
    let entries = roll_entry::Entity::find()
        .filter(roll_entry::Column::VoteId.eq(vote.id))
        .filter(
            sea_orm::Condition::any()
                .add(roll_entry::Column::Number.is_in(rows.iter().map(|row| row.number)))
                .add(roll_entry::Column::PersonId.is_in(rows.iter().map(|row| row.person_id))),
        )
        .all(db)
        .await?;
    let people = entries.iter().map(|entry| entry.person_id).chain(rows.iter().map(|row| row.person_id)).collect();
    let names = people::names(db, people).await?;
    let name = |person: PersonId| {
        let full = names.get(&person).map(String::as_str).unwrap_or_default();
        if is_full { full.to_owned() } else { people::mask_name(full) }
    };
    let show = |row: roll_agent::Model| {
        let entry = entries.iter().find(|entry| entry.number == row.number);
        let relation = row.relation.as_deref().unwrap_or("other");
        ProxyView {
            vote_id: row.vote_id,
            number: row.number,
            elector_name: entry.map(|entry| name(entry.person_id)).unwrap_or_default(),
            agent_number: entries.iter().find(|entry| entry.person_id == row.person_id).map(|entry| entry.number),
            agent_name: name(row.person_id),
            relation_name: text::word("proxy-relation", relation),
            state_name: text::word("proxy-state", &row.state),
            has_cast: tells && entry.is_some_and(|entry| TOOK_PART.contains(&entry.channel.as_str())),
            has_proof: row.proof_media_id.is_some(),
            recorded_at: clock::local(row.recorded_at),
            checked_at: row.checked_at.map(clock::local),
            relation: row.relation,
            state: row.state,
        }
    };
    Ok(rows.into_iter().map(show).collect())
}

/// The photo of a written proxy, for both sides and who checks.
///
/// # Errors
/// `not_found`, also for everybody else.
pub async fn proof(db: &impl ConnectionTrait, actor: &Actor, (id, number): (VoteId, i32)) -> Result<Media> {
    let vote = row(db, id).await?;
    let (entry, row) = agent_row(db, id, number).await?;
    let is_own = [entry.person_id, row.person_id].contains(&actor.person);
    let media = row.proof_media_id.filter(|_| is_own || office::runs(actor, &vote));
    media::queries::row(db, media.ok_or(Code::NotFound)?).await?.ok_or_else(|| Code::NotFound.into())
}
