//! How somebody stands to a vote: as an elector, as one who casts for others, as one of a household.
use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::{
        commands::{BallotReceipt, Cast, SealedBy, sign},
        rows::{envelope, roll_agent, roll_entry, vote},
    },
    ALTERNATE, CHECKED, MAX_VOTES, NOT_CAST, PAPER_ISSUED, PROXY, STRUCK, TOOK_PART, is_of_households, label,
    members::household_of,
    proxies::{ProxyView, around, entry_of},
    row, taking,
};
use crate::{
    actor::Actor,
    app::App,
    board, clock,
    error::Result,
    ids::{MatterId, PersonId, VoteId},
    people,
};

/// How the asker stands to a vote.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MyVote {
    /// Is the asker on its roll, in person or as one who casts for the own household?
    pub is_on_roll: bool,
    /// The number on the roll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<i32>,
    /// Has the asker cast, or somebody in the asker's place?
    pub has_cast: bool,
    /// Was a sheet of paper handed out for the asker? Then the phone casts nothing.
    pub has_sheet: bool,
    /// Who did, masked, if it was somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cast_by: Option<String>,
    /// The receipt; gone after the end of a secret vote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<BallotReceipt>,
    /// Whom the asker named to cast.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxyView>,
    /// Electors who named the asker.
    pub casts_for: Vec<ProxyView>,
    /// The own household, where households vote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub household: Option<HouseholdSeat>,
}

/// The own household on a roll.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HouseholdSeat {
    /// Its number on the roll of the vote.
    pub number: i32,
    /// Who may cast for it: the representative, then the alternates.
    pub names: Vec<String>,
    /// Is the asker one of them?
    pub may_cast: bool,
}

/// A vote that somebody may take part in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OpenVoteView {
    /// The vote.
    pub id: VoteId,
    /// The matter; absent of a vote of a body's agenda.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matter_id: Option<MatterId>,
    /// What is asked.
    pub question: String,
    /// 会议表决 or 意见征询.
    pub label: String,
    /// Until when.
    pub closes_at: DateTime<FixedOffset>,
    /// Has that person cast, or the household?
    pub has_cast: bool,
    /// For how many others that person may cast, and has not.
    pub waiting_others: usize,
}

impl OpenVoteView {
    /// Is a ballot missing that this person may cast?
    #[must_use]
    pub fn waits(&self) -> bool {
        !self.has_cast || self.waiting_others > 0
    }
}

/// How the actor stands to a vote, with the receipt.
///
/// # Errors
/// `not_found`.
pub async fn my_vote(app: &App, actor: &Actor, id: VoteId) -> Result<MyVote> {
    let db = app.store.read();
    let vote = row(db, id).await?;
    let (own, household) = match is_of_households(&vote.preset) {
        true => own_household(db, (id, actor.person)).await?,
        false => (entry_of(db, id, actor.person).await?, None),
    };
    let (proxy, casts_for) = around(db, &vote, (actor.person, own.as_ref().map(|own| own.number))).await?;
    let Some(entry) = own else {
        let (is_on_roll, has_cast) = (false, false);
        return Ok(MyVote {
            is_on_roll,
            number: None,
            has_cast,
            has_sheet: false,
            cast_by: None,
            receipt: None,
            proxy,
            casts_for,
            household,
        });
    };
    let may_cast = household.as_ref().is_none_or(|home| home.may_cast);
    let caster = entry.cast_by.unwrap_or(entry.person_id);
    // of a household whoever cast has the receipt, and its representative
    let is_ours = entry.person_id == actor.person || caster == actor.person;
    let has_cast = TOOK_PART.contains(&entry.channel.as_str());
    let names = people::names(db, vec![caster]).await?;
    let cast_by = names.get(&caster).filter(|_| has_cast && caster != actor.person).map(|name| people::mask_name(name));
    Ok(MyVote {
        is_on_roll: may_cast,
        number: Some(entry.number),
        has_cast,
        has_sheet: entry.channel == PAPER_ISSUED,
        cast_by,
        receipt: if is_ours { receipt(app, &entry).await? } else { None },
        proxy,
        casts_for,
        household,
    })
}

/// The receipt of the ballot that the actor cast as a proxy for the elector with this number: who casts checks it on the board, too.
/// `None` where it is another's, and after the end of a secret vote.
///
/// # Errors
/// When the database cannot be read.
pub async fn receipt_for(app: &App, actor: &Actor, (id, number): (VoteId, i32)) -> Result<Option<BallotReceipt>> {
    let entry = roll_entry::Entity::find_by_id((id, number)).one(app.store.read()).await?;
    match entry.filter(|entry| entry.channel == PROXY && entry.cast_by == Some(actor.person)) {
        Some(entry) => receipt(app, &entry).await,
        None => Ok(None),
    }
}

/// The place of somebody on the roll: the own one, or that of the household.
pub(in crate::votes) async fn own_place(
    db: &impl ConnectionTrait,
    vote: &vote::Model,
    person: PersonId,
) -> Result<Option<roll_entry::Model>> {
    match is_of_households(&vote.preset) {
        true => Ok(own_household(db, (vote.id, person)).await?.0),
        false => entry_of(db, vote.id, person).await,
    }
}

async fn receipt(app: &App, entry: &roll_entry::Model) -> Result<Option<BallotReceipt>> {
    let envelope = envelope::Entity::find()
        .filter(envelope::Column::VoteId.eq(entry.vote_id))
        .filter(envelope::Column::ElectorNumber.eq(entry.number))
        .order_by_desc(envelope::Column::Rev)
        .one(app.store.read())
        .await?;
    let Some(row) = envelope else { return Ok(None) };
    let sealed_by = row.sealed_by.as_deref().and_then(SealedBy::parse);
    let cast = Cast { vote: entry.vote_id, cast_id: row.cast_id, hash: row.ballot_hash, at: row.cast_at, sealed_by };
    sign(&app.keys, board::queries::signer(app, cast.vote).await?, cast).map(Some)
}

type Own = (Option<roll_entry::Model>, Option<HouseholdSeat>);

/// The household for which somebody casts, or to which somebody belonged when the roll was frozen.
async fn own_household(db: &impl ConnectionTrait, (id, person): (VoteId, PersonId)) -> Result<Own> {
    let of_vote = || {
        let of_vote = roll_entry::Entity::find().filter(roll_entry::Column::VoteId.eq(id));
        of_vote.filter(roll_entry::Column::Channel.ne(STRUCK))
    };
    let mut entry = entry_of(db, id, person).await?;
    if entry.is_none() {
        entry = match super::alternate_of(db, id, person).await? {
            Some(number) => of_vote().filter(roll_entry::Column::Number.eq(number)).one(db).await?,
            None => match household_of(db, id, person).await? {
                Some(number) => of_vote().filter(roll_entry::Column::Number.eq(number)).one(db).await?,
                None => None,
            },
        };
    }
    let Some(entry) = entry else { return Ok((None, None)) };
    let others = roll_agent::Entity::find()
        .select_only()
        .column(roll_agent::Column::PersonId)
        .filter(roll_agent::Column::VoteId.eq(id))
        .filter(roll_agent::Column::Number.eq(entry.number))
        .filter(roll_agent::Column::Kind.eq(ALTERNATE))
        .order_by_asc(roll_agent::Column::Rank);
    let mut agents = vec![entry.person_id];
    agents.extend(others.into_tuple::<PersonId>().all(db).await?);
    let names = people::names(db, agents.clone()).await?;
    let seat = HouseholdSeat {
        number: entry.number,
        may_cast: agents.contains(&person),
        names: agents.iter().map(|agent| names.get(agent).cloned().unwrap_or_default()).collect(),
    };
    Ok((Some(entry), Some(seat)))
}

/// The open votes in which this person may cast, for whomever; the most urgent first.
///
/// # Errors
/// When the database cannot be read.
pub async fn open_votes_for(db: &impl ConnectionTrait, person: PersonId) -> Result<Vec<OpenVoteView>> {
    // who was struck has no vote there any more, and none is missing
    let standing = || roll_entry::Entity::find().filter(roll_entry::Column::Channel.ne(STRUCK));
    let mut entries = standing().filter(roll_entry::Column::PersonId.eq(person)).all(db).await?;
    let agents = roll_agent::Entity::find()
        .filter(roll_agent::Column::PersonId.eq(person))
        .filter(roll_agent::Column::State.eq(CHECKED))
        .all(db)
        .await?;
    let mut others = Vec::new();
    if !agents.is_empty() {
        let this = |agent: &roll_agent::Model| {
            roll_entry::Column::VoteId.eq(agent.vote_id).and(roll_entry::Column::Number.eq(agent.number))
        };
        let these = agents.iter().fold(Condition::any(), |any, agent| any.add(this(agent)));
        for entry in standing().filter(these).all(db).await? {
            let is_proxy = |one: &&roll_agent::Model| {
                one.vote_id == entry.vote_id && one.number == entry.number && one.kind == PROXY
            };
            // a household's alternate votes as the household
            if agents.iter().any(|one| is_proxy(&one)) { others.push(entry) } else { entries.push(entry) }
        }
    }
    let rows = vote::Entity::find()
        .filter(taking())
        .filter(vote::Column::Id.is_in(entries.iter().chain(&others).map(|entry| entry.vote_id)))
        .order_by_asc(vote::Column::ClosesAt)
        .limit(MAX_VOTES)
        .all(db)
        .await?;
    let waits = |entry: &roll_entry::Model, id: VoteId| entry.vote_id == id && entry.channel == NOT_CAST;
    let show = |row: vote::Model| OpenVoteView {
        has_cast: !entries.iter().any(|entry| waits(entry, row.id)),
        waiting_others: others.iter().filter(|entry| waits(entry, row.id)).count(),
        id: row.id,
        matter_id: row.matter_id,
        question: row.question,
        label: label(row.is_binding),
        closes_at: clock::local(row.closes_at),
    };
    Ok(rows.into_iter().map(show).collect())
}
