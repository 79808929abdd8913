//! Reads of votes: what is asked and how many took part while it is open; every number once it is closed.
use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    commands::{BallotReceipt, Cast, Choice, sign},
    roll,
    rows::{envelope, roll_entry, vote},
    rules::{self, Preset, Unit},
};
use crate::{
    actor::Actor,
    app::App,
    areas, bodies, clock,
    error::{Code, Error, Result},
    ids::{BodyId, MatterId, MeetingId, PersonId, VoteId},
    page::{Cursor, Page, PageQuery},
    people, text,
};

mod results;

pub use self::results::{ComparisonView, ResultView, StoredResult, result_of, results_in};

/// A vote that takes ballots.
pub(super) const OPEN: &str = "open";
/// A vote that was counted.
pub(super) const CLOSED: &str = "closed";
/// A vote whose count could not stand.
pub(super) const ANNULLED: &str = "annulled";
/// An elector who has not cast.
pub(super) const NOT_CAST: &str = "none";
/// An elector who cast by phone.
pub(super) const ONLINE: &str = "online";
/// Votes on one list at most.
const MAX_VOTES: u64 = 100;

/// A vote.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct VoteView {
    /// Its id.
    pub id: VoteId,
    /// The matter.
    pub matter_id: MatterId,
    /// The meeting it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meeting_id: Option<MeetingId>,
    /// Where.
    pub area_code: String,
    /// Name of that area.
    pub area_name: String,
    /// The body that opened it.
    pub body_id: BodyId,
    /// Its name.
    pub body_name: String,
    /// What is asked.
    pub question: String,
    /// Which legal rule.
    pub preset: String,
    /// Its name in Chinese.
    pub preset_name: String,
    /// Law and article, in Chinese.
    pub law: String,
    /// Who has a vote.
    pub unit: Unit,
    /// open: listed with number and masked name after closing.
    pub secrecy: String,
    /// Does it decide, or only ask?
    pub is_binding: bool,
    /// The same in Chinese.
    pub label: String,
    /// open, closed, annulled.
    pub state: String,
    /// The same in Chinese.
    pub state_name: String,
    /// On the roll.
    pub on_roll: u64,
    /// Took part so far; how it stands is not told before the end.
    pub cast: u64,
    /// Since when.
    pub opens_at: DateTime<FixedOffset>,
    /// Until when.
    pub closes_at: DateTime<FixedOffset>,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime<FixedOffset>>,
}

/// How the asker stands to a vote.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MyVote {
    /// Is the asker on its roll?
    pub is_on_roll: bool,
    /// The number on the roll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<i32>,
    /// Has the asker cast?
    pub has_cast: bool,
    /// The receipt again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<BallotReceipt>,
}

/// A vote that waits for somebody.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OpenVoteView {
    /// The vote.
    pub id: VoteId,
    /// The matter.
    pub matter_id: MatterId,
    /// What is asked.
    pub question: String,
    /// 会议表决 or 意见征询.
    pub label: String,
    /// Until when.
    pub closes_at: DateTime<FixedOffset>,
    /// Has that person cast?
    pub has_cast: bool,
}

/// A legal rule.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PresetView {
    /// Its id.
    pub id: String,
    /// Can it be voted on here?
    pub is_votable: bool,
    /// What it says.
    #[serde(flatten)]
    pub preset: Preset,
}

/// A ballot as everybody may see it after closing.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BallotView {
    /// The elector's number on the roll.
    pub number: i32,
    /// The name, masked.
    pub name: String,
    /// The choice; absent when the elector did not take part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
    /// The same in Chinese.
    pub choice_name: String,
    /// Digest of the ballot, as on its receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ballot_hash: Option<String>,
}

pub(super) async fn row(db: &impl ConnectionTrait, id: VoteId) -> Result<vote::Model> {
    vote::Entity::find_by_id(id).one(db).await?.ok_or_else(|| Code::NotFound.into())
}

/// A vote as everybody may see it.
///
/// # Errors
/// `not_found`.
pub async fn vote(db: &impl ConnectionTrait, id: VoteId) -> Result<VoteView> {
    let row = row(db, id).await?;
    view(db, row).await
}

/// The votes about a matter, oldest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn votes_of(db: &impl ConnectionTrait, matter: MatterId) -> Result<Vec<VoteView>> {
    let rows = vote::Entity::find()
        .filter(vote::Column::MatterId.eq(matter))
        .order_by_asc(vote::Column::OpensAt)
        .limit(MAX_VOTES)
        .all(db)
        .await?;
    let mut views = Vec::with_capacity(rows.len());
    // a matter has one vote, seldom two
    for row in rows {
        views.push(view(db, row).await?);
    }
    Ok(views)
}

pub(super) async fn view(db: &impl ConnectionTrait, row: vote::Model) -> Result<VoteView> {
    let cast = envelope::Entity::find().filter(envelope::Column::VoteId.eq(row.id)).count(db).await?;
    let preset = rule_of(&row)?;
    let area = areas::names(db, vec![row.area_code.clone()]).await?.remove(&row.area_code);
    let body = bodies::queries::names(db, vec![row.body_id]).await?.remove(&row.body_id);
    Ok(VoteView {
        id: row.id,
        matter_id: row.matter_id,
        meeting_id: row.meeting_id,
        area_code: row.area_code,
        area_name: area.unwrap_or_default(),
        body_id: row.body_id,
        body_name: body.unwrap_or_default(),
        question: row.question,
        preset: row.preset,
        preset_name: preset.zh,
        law: preset.law,
        unit: preset.unit,
        secrecy: row.secrecy,
        is_binding: row.is_binding,
        label: label(row.is_binding),
        state_name: text::say(&format!("vote-state-{}", row.state)),
        state: row.state,
        on_roll: u64::from(row.on_roll.unsigned_abs()),
        cast,
        opens_at: clock::local(row.opens_at),
        closes_at: clock::local(row.closes_at),
        closed_at: row.closed_at.map(clock::local),
    })
}

pub(super) fn label(is_binding: bool) -> String {
    text::say(if is_binding { "vote-label-binding" } else { "vote-label-consultative" })
}

pub(super) fn rule_of(row: &vote::Model) -> Result<Preset> {
    serde_json::from_str(&row.rule).map_err(Error::broken)
}

/// How the actor stands to a vote, with the receipt.
///
/// # Errors
/// `not_found`.
pub async fn my_vote(app: &App, actor: &Actor, id: VoteId) -> Result<MyVote> {
    let db = app.store.read();
    row(db, id).await?;
    let own = roll_entry::Entity::find()
        .filter(roll_entry::Column::VoteId.eq(id))
        .filter(roll_entry::Column::PersonId.eq(actor.person))
        .one(db)
        .await?;
    let Some(entry) = own else {
        return Ok(MyVote { is_on_roll: false, number: None, has_cast: false, receipt: None });
    };
    let envelope = envelope::Entity::find()
        .filter(envelope::Column::VoteId.eq(id))
        .filter(envelope::Column::ElectorNumber.eq(entry.number))
        .order_by_desc(envelope::Column::Rev)
        .one(db)
        .await?;
    let receipt = envelope
        .map(|row| sign(&app.keys, Cast { vote: id, cast_id: row.cast_id, hash: row.ballot_hash, at: row.cast_at }))
        .transpose()?;
    Ok(MyVote { is_on_roll: true, number: Some(entry.number), has_cast: entry.channel != NOT_CAST, receipt })
}

/// The open votes on whose roll this person is, the most urgent first.
///
/// # Errors
/// When the database cannot be read.
pub async fn open_votes_for(db: &impl ConnectionTrait, person: PersonId) -> Result<Vec<OpenVoteView>> {
    let entries = roll_entry::Entity::find().filter(roll_entry::Column::PersonId.eq(person)).all(db).await?;
    let rows = vote::Entity::find()
        .filter(vote::Column::State.eq(OPEN))
        .filter(vote::Column::Id.is_in(entries.iter().map(|entry| entry.vote_id)))
        .order_by_asc(vote::Column::ClosesAt)
        .limit(MAX_VOTES)
        .all(db)
        .await?;
    let has_cast = |id: VoteId| entries.iter().any(|entry| entry.vote_id == id && entry.channel != NOT_CAST);
    let show = |row: vote::Model| OpenVoteView {
        has_cast: has_cast(row.id),
        id: row.id,
        matter_id: row.matter_id,
        question: row.question,
        label: label(row.is_binding),
        closes_at: clock::local(row.closes_at),
    };
    Ok(rows.into_iter().map(show).collect())
}

/// Everybody on the roll of a vote, by number.
///
/// # Errors
/// When the database cannot be read.
pub async fn roll_people(db: &impl ConnectionTrait, id: VoteId) -> Result<Vec<PersonId>> {
    let people = roll_entry::Entity::find()
        .select_only()
        .column(roll_entry::Column::PersonId)
        .filter(roll_entry::Column::VoteId.eq(id))
        .order_by_asc(roll_entry::Column::Number);
    Ok(people.into_tuple().all(db).await?)
}

/// Every legal rule, and whether it can be voted on here.
#[must_use]
pub fn presets() -> Vec<PresetView> {
    let show = |(id, preset): (&String, &Preset)| PresetView {
        id: id.clone(),
        is_votable: roll::is_votable(id, preset),
        preset: preset.clone(),
    };
    rules::presets().iter().map(show).collect()
}

/// The ballots of a closed vote by number, for those who may see what is shown to its area.
///
/// # Errors
/// `not_found`; `wrong_state` while it is open; `invalid_cursor`.
pub async fn ballots(
    db: &impl ConnectionTrait,
    actor: &Actor,
    id: VoteId,
    page: &PageQuery,
) -> Result<Page<BallotView>> {
    let vote = row(db, id).await?;
    if !actor.sees(&vote.area_code) {
        return Err(Code::NotFound.into());
    }
    if vote.state == OPEN {
        return Err(Code::WrongState.into());
    }
    let limit = page.limit()?;
    // a place on this list is a number: it is carried where other lists carry a time
    let after = page.after()?.map_or(0, |cursor| cursor.at.timestamp_millis());
    let entries = roll_entry::Entity::find()
        .filter(roll_entry::Column::VoteId.eq(id))
        .filter(roll_entry::Column::Number.gt(after))
        .order_by_asc(roll_entry::Column::Number)
        .limit(limit + 1)
        .all(db)
        .await?;
    let cast = envelope::Entity::find()
        .filter(envelope::Column::VoteId.eq(id))
        .filter(envelope::Column::ElectorNumber.is_in(entries.iter().map(|entry| entry.number)))
        .all(db)
        .await?;
    let names = people::names(db, entries.iter().map(|entry| entry.person_id).collect()).await?;
    let place = |entry: &roll_entry::Model| Cursor {
        at: DateTime::from_timestamp_millis(i64::from(entry.number)).unwrap_or_default(),
        id: id.0,
    };
    let show = |entry: roll_entry::Model| {
        let own = cast.iter().find(|row| row.elector_number == entry.number);
        let name = names.get(&entry.person_id).map(String::as_str).unwrap_or_default();
        ballot(&entry, people::rules::mask_name(name), own)
    };
    Ok(Page::cut(entries, limit, place, show))
}

fn ballot(entry: &roll_entry::Model, name: String, own: Option<&envelope::Model>) -> BallotView {
    let choice = own.and_then(|row| row.choice.as_deref()).and_then(Choice::parse);
    let key = choice.map_or_else(|| "vote-channel-none".to_owned(), |choice| format!("choice-{}", choice.as_str()));
    BallotView {
        number: entry.number,
        name,
        choice,
        choice_name: text::say(&key),
        ballot_hash: own.map(|row| row.ballot_hash.clone()),
    }
}
