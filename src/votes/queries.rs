//! Reads of votes: what is asked and how many took part while it is open; every number once it is closed.
use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    roll,
    rows::{roll_entry, vote},
    rules::{self, Preset, Question, Unit},
};
use crate::{
    areas, bodies, clock,
    error::{Code, Error, Result},
    ids::{BodyId, MatterId, MeetingId, PersonId, VoteId},
    text,
};

pub mod at_office;
mod ballots;
pub mod challenges;
mod committee;
mod conflicts;
mod electors;
pub mod elsewhere;
pub mod households;
mod kinds;
pub(super) mod members;
mod own;
pub mod paper;
pub mod proxies;
pub mod replaced;
mod resting;
mod results;
pub mod roll_list;
mod rounds;
mod selection;
mod spoken;
pub mod turnout;

pub use self::ballots::{BallotView, ballots, ballots_from};
pub use self::committee::committee;
pub(super) use self::committee::{failed_recall, is_recall_under_way};
pub use self::electors::{asked, closing_until, need_not_cast, not_cast, not_cast_of, to_tell, unreachable};
pub use self::kinds::{
    fits, has_charter, has_items, is_committee_election, is_inside, is_of_collective, is_of_group, is_of_households,
    is_of_kind, is_own_election, is_recall, is_selection,
};
pub(super) use self::own::own_place;
pub use self::own::{HouseholdSeat, MyVote, OpenVoteView, my_vote, open_votes_for, receipt_for};
pub(super) use self::proxies::alternate_of;
pub(super) use self::resting::taking;
pub use self::resting::{is_asked, waits_for_comparison};
pub use self::results::{
    Annulled, ChoiceResult, ComparisonView, OptionResult, ResultView, StoredResult, result_for, result_of, results_in,
};
pub use self::rounds::is_tie_followed;
pub(super) use self::selection::{candidate, candidates_of, choosing, homes_of, kept_ids};
pub use self::spoken::{Spoken, spoken};

/// A secret vote whose three keys are not made yet.
pub(super) const WAITING_KEYS: &str = "waiting_keys";
/// A vote whose roll hangs before its opening.
pub(super) const POSTED: &str = "posted";
/// A secret vote that is over and waits for two of its keys.
pub(super) const COUNTING: &str = "counting";
/// A vote that takes ballots.
pub const OPEN: &str = "open";
/// A vote that is over and whose paper waits to be counted.
pub(super) const COUNTING_PAPER: &str = "counting_paper";
/// A vote that was counted.
pub(super) const CLOSED: &str = "closed";
/// A vote whose count could not stand.
pub(super) const ANNULLED: &str = "annulled";
/// A result that may still be challenged.
pub(super) const PROVISIONAL: &str = "provisional";
/// A result that stands.
pub(super) const FINAL: &str = "final";
/// A result that does not, because a challenge was right.
pub(super) const OVERTURNED: &str = "overturned";
/// An elector who has not cast.
pub(super) const NOT_CAST: &str = "none";
/// An elector who cast by phone, or a household one of whose people did.
pub(super) const ONLINE: &str = "online";
/// An elector for whom a proxy cast; and what a proxy is among those who may cast for an elector.
pub(super) const PROXY: &str = "proxy";
/// An elector who was struck from the roll after it was frozen.
pub(super) const STRUCK: &str = "struck";
/// An elector to whom a sheet of paper was handed out.
pub(super) const PAPER_ISSUED: &str = "paper_issued";
/// An elector who voted on paper.
pub(super) const PAPER: &str = "paper";
/// Channels of those who took part.
pub(super) const TOOK_PART: [&str; 3] = [ONLINE, PROXY, PAPER];
/// Who may cast for a household beside its representative.
pub(super) const ALTERNATE: &str = "alternate";
/// A proxy that waits to be checked.
pub(super) const NAMED: &str = "named";
/// A proxy that holds.
pub(super) const CHECKED: &str = "checked";
/// A proxy that was ended by hand.
pub(super) const REVOKED: &str = "revoked";
/// A proxy that nobody checked in time.
pub(super) const VOID: &str = "void";
/// Votes on one list at most.
const MAX_VOTES: u64 = 100;

/// A vote.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct VoteView {
    /// Its id.
    pub id: VoteId,
    /// The matter; absent of a vote of a body's agenda.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matter_id: Option<MatterId>,
    /// The meeting it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meeting_id: Option<MeetingId>,
    /// Where.
    pub area_code: String,
    /// Name of that area.
    pub area_name: String,
    /// The villagers' group that decides by itself, by its number on the roster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_number: Option<i32>,
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
    /// motion: for or against; choice: among the options.
    pub kind: String,
    /// What may be chosen, in the order of the ballot; none of a motion.
    pub options: Vec<OptionView>,
    /// How many options one ballot may name.
    pub max_choices: i32,
    /// How many are chosen.
    pub seats: i32,
    /// The vote whose tie this one decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_vote_id: Option<VoteId>,
    /// Whom of the village committee it recalls: that one has no hand in it but the own ballot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recalled_id: Option<PersonId>,
    /// Who stands in it, where candidates are known as persons: they have no hand in it either, and their ids are nobody's.
    #[serde(skip)]
    pub(crate) candidates: Vec<PersonId>,
    /// open: listed with number and masked name after closing; secret: sealed, nobody learns whose a ballot was; paper: in a
    /// booth, on sheets alone.
    pub secrecy: String,
    /// May an elector cast again, so that the last ballot counts?
    pub allows_revote: bool,
    /// Does it decide, or only ask?
    pub is_binding: bool,
    /// The same in Chinese.
    pub label: String,
    /// waiting_keys, posted, open, counting_paper, counting, closed, annulled.
    pub state: String,
    /// The same in Chinese.
    pub state_name: String,
    /// Since when it rests, because it came out of a backup: ballots of after it may be missing. Absent of one that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored_at: Option<DateTime<FixedOffset>>,
    /// Are there ballots on paper, too, handed out at the desk?
    pub has_paper: bool,
    /// Is there a public board? A secret vote has one once its three keys are made.
    pub has_board: bool,
    /// On the roll, with its amendments.
    pub on_roll: u64,
    /// On the roll when it was frozen.
    pub roll_frozen: u64,
    /// Since when the roll hangs for objections; absent where it was not posted before the opening.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roll_posted_at: Option<DateTime<FixedOffset>>,
    /// Took part so far; how it stands is not told before the end.
    pub cast: u64,
    /// Since when.
    pub opens_at: DateTime<FixedOffset>,
    /// Until when.
    pub closes_at: DateTime<FixedOffset>,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime<FixedOffset>>,
    /// For so many days after the count the result may be challenged, and moves nothing.
    pub challenge_days: u32,
}

/// Something that may be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OptionView {
    /// As it stands on a ballot.
    pub key: String,
    /// What it says.
    pub text: String,
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

pub(super) async fn row(db: &impl ConnectionTrait, id: VoteId) -> Result<vote::Model> {
    vote::Entity::find_by_id(id).one(db).await?.ok_or_else(|| Code::NotFound.into())
}

/// One that goes on: not one that rests since a backup was loaded.
///
/// # Errors
/// `not_found`; `vote_restored`.
pub(super) async fn going(db: &impl ConnectionTrait, id: VoteId) -> Result<vote::Model> {
    let row = row(db, id).await?;
    if row.restored_at.is_none() { Ok(row) } else { Err(Code::VoteRestored.into()) }
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

/// The votes of a meeting, oldest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn votes_at(db: &impl ConnectionTrait, meeting: MeetingId) -> Result<Vec<VoteView>> {
    let rows = vote::Entity::find().filter(vote::Column::MeetingId.eq(meeting)).limit(MAX_VOTES);
    let mut views = Vec::new();
    for row in rows.order_by_asc(vote::Column::OpensAt).all(db).await? {
        views.push(view(db, row).await?);
    }
    Ok(views)
}

pub(super) async fn view(db: &impl ConnectionTrait, row: vote::Model) -> Result<VoteView> {
    let cast = roll_entry::Entity::find()
        .filter(roll_entry::Column::VoteId.eq(row.id))
        .filter(roll_entry::Column::Channel.is_in(TOOK_PART))
        .count(db)
        .await?;
    let preset = rule_of(&row)?;
    let candidates = candidates_of(&row);
    let area = areas::names(db, vec![row.area_code.clone()]).await?.remove(&row.area_code);
    let body = bodies::queries::names(db, vec![row.body_id]).await?.remove(&row.body_id);
    Ok(VoteView {
        id: row.id,
        matter_id: row.matter_id,
        meeting_id: row.meeting_id,
        area_code: row.area_code,
        area_name: area.unwrap_or_default(),
        group_number: row.group_number,
        body_id: row.body_id,
        body_name: body.unwrap_or_default(),
        question: row.question,
        preset: row.preset,
        preset_name: preset.zh,
        law: preset.law,
        unit: preset.unit,
        kind: if row.options.is_some() { "choice" } else { "motion" }.to_owned(),
        options: options_of(row.options.as_deref())?,
        max_choices: row.max_choices,
        seats: row.seats,
        parent_vote_id: row.parent_vote_id,
        recalled_id: row.recalled_id,
        candidates,
        secrecy: row.secrecy,
        allows_revote: row.allows_revote,
        is_binding: row.is_binding,
        label: label(row.is_binding),
        state_name: text::word("vote-state", &row.state),
        state: row.state,
        restored_at: row.restored_at.map(clock::local),
        has_paper: row.has_paper,
        has_board: row.has_board,
        on_roll: u64::from(row.on_roll.unsigned_abs()),
        roll_frozen: u64::from(row.roll_frozen.unsigned_abs()),
        roll_posted_at: row.roll_posted_at.map(clock::local),
        cast,
        opens_at: clock::local(row.opens_at),
        closes_at: clock::local(row.closes_at),
        closed_at: row.closed_at.map(clock::local),
        challenge_days: row.challenge_days.unsigned_abs(),
    })
}

/// Is it not over yet?
#[must_use]
pub fn runs(state: &str) -> bool {
    matches!(state, WAITING_KEYS | POSTED | OPEN)
}

/// Is there a result?
#[must_use]
pub fn is_decided(state: &str) -> bool {
    matches!(state, CLOSED | ANNULLED)
}

pub(super) fn label(is_binding: bool) -> String {
    text::say(if is_binding { "vote-label-binding" } else { "vote-label-consultative" })
}

/// What may be chosen; none of a motion.
pub(super) fn options_of(kept: Option<&str>) -> Result<Vec<OptionView>> {
    kept.map_or_else(|| Ok(Vec::new()), |text| serde_json::from_str(text).map_err(Error::broken))
}

/// What is asked, for the rules; `None`: a motion.
pub(super) fn question(kept: Option<&str>, (max_choices, seats): (i32, i32)) -> Result<Option<Question>> {
    if kept.is_none() {
        return Ok(None);
    }
    let number = |n: i32| usize::try_from(n).map_err(Error::broken);
    let options = options_of(kept)?.into_iter().map(|option| option.key).collect();
    Ok(Some(Question { options, max_choices: number(max_choices)?, seats: number(seats)? }))
}

/// The same of a vote.
pub(super) fn question_of(row: &vote::Model) -> Result<Option<Question>> {
    question(row.options.as_deref(), (row.max_choices, row.seats))
}

/// The words or options on a kept ballot.
pub(super) fn marks(kept: &str) -> Vec<String> {
    kept.split(',').filter(|mark| !mark.is_empty()).map(str::to_owned).collect()
}

pub(super) fn rule_of(row: &vote::Model) -> Result<Preset> {
    serde_json::from_str(&row.rule).map_err(Error::broken)
}

/// The rule by which a vote was opened: its preset, with what a charter says in the place of it.
///
/// # Errors
/// `not_found`.
pub async fn rule(db: &impl ConnectionTrait, id: VoteId) -> Result<Preset> {
    rule_of(&row(db, id).await?)
}

/// Everybody on the roll of a vote, by number; who was struck is not.
///
/// # Errors
/// When the database cannot be read.
pub async fn roll_people(db: &impl ConnectionTrait, id: VoteId) -> Result<Vec<PersonId>> {
    let people = roll_entry::Entity::find()
        .select_only()
        .column(roll_entry::Column::PersonId)
        .filter(roll_entry::Column::VoteId.eq(id))
        .filter(roll_entry::Column::Channel.ne(STRUCK))
        .order_by_asc(roll_entry::Column::Number);
    Ok(people.into_tuple().all(db).await?)
}

/// Every legal rule, and whether it can be voted on here.
#[must_use]
pub fn presets() -> Vec<PresetView> {
    let show = |(id, preset): (&String, &Preset)| PresetView {
        id: id.clone(),
        is_votable: roll::is_votable(preset),
        preset: preset.clone(),
    };
    rules::presets().iter().map(show).collect()
}
