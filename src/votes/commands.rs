//! What is done to a vote: opened with its roll, cast, closed by the clock.
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ActiveModelTrait, IntoActiveModel, Set};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    queries::{self, VoteView},
    roll,
    rows::vote,
    rules::{
        self, CharterRule, CollectiveItem, MobileBoxes, Preset, RecallPetition,
        roll::{MAX_POSTED_DAYS, days_after},
    },
};
use crate::{
    actor::Actor,
    clock,
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::{MatterId, MeetingId, PersonId, VoteId},
    matters, meetings,
    store::Tx,
};

mod about;
mod amend;
mod annul;
pub mod boxes;
mod by_charter;
mod cast;
pub mod challenges;
mod close;
mod conclude;
mod daily;
pub mod households;
mod keep;
mod many;
mod mobile;
pub mod objections;
mod of_collective;
mod of_group;
mod of_representatives;
mod opening;
mod overdue;
pub mod paper;
pub mod proxies;
mod question;
mod recall;
mod receipt;
pub mod replace;
mod restored;
mod selection;
mod settle;
mod slot;
mod telling;

use self::about::About;
pub use self::{
    annul::{AnnulVote, annul, is_annullable},
    cast::{CastBallot, Choice, Paper, cast},
    close::{close, due},
    households::{NameAgents, name_agents},
    many::hand_in,
    objections::{
        ConfirmRollObjection, DecideRollObjection, RaiseRollObjection, confirm_roll_objection, decide_roll_objection,
        raise_roll_objection,
    },
    proxies::{Called, NameProxy, check_proxy, name_proxy, revoke_proxy},
    receipt::{BallotReceipt, Cast, SealedBy, sign},
    restored::{ConfirmRestored, confirm_restored, rest},
};
pub(super) use self::{
    by_charter::said as share_in_words,
    close::{Tally, add, take_out_superseded},
    conclude::{Ending, conclude},
    opening::{open_board, roll_leaves},
};

/// A vote lasts this long at most.
const MAX_DAYS: i64 = 60;
/// Its result may be challenged for so many days at most.
const MAX_CHALLENGE_DAYS: u32 = 15;
/// For so many days a result may be challenged where nothing else is said: as long as a rule of a town has it stand open for
/// objections.
const CHALLENGE_DAYS: u32 = 7;

/// A vote to be opened.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenVote {
    /// The matter; it must be in the decide stage. Absent of a vote of a meeting's agenda: an election inside a council, or of a
    /// village committee.
    #[serde(default)]
    pub matter_id: Option<MatterId>,
    /// What is asked: so that yes or no answers it, or one of the options. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub question: String,
    /// What may be chosen, 2 to 64 texts of 1 to 60 characters; none for a motion that is answered by for or against.
    #[serde(default)]
    #[schema(max_items = 64)]
    pub options: Vec<String>,
    /// How many options one ballot may name, 30 at most; as many as there are places when absent.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 30)]
    pub max_choices: Option<i32>,
    /// How many are chosen; one when absent.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 64)]
    pub seats: Option<i32>,
    /// The vote whose tie this one decides: among those whom it left tied, for the places that it left open.
    #[serde(default)]
    pub parent_vote_id: Option<VoteId>,
    /// Which legal rule; see `GET /v1/presets`.
    pub preset: String,
    /// Which villagers' group decides, by its number on the roster: for the assembly of a group, and for one that chooses
    /// representatives of the villagers.
    #[serde(default)]
    pub group_number: Option<i32>,
    /// Which households choose a representative of the villagers together, by their numbers on the roster, 5 to 15: for that alone,
    /// where no group does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 15)]
    pub households: Vec<String>,
    /// Are choices named after closing?
    #[serde(default)]
    pub secrecy: Secrecy,
    /// May an elector cast again, so that the last ballot counts?
    #[serde(default)]
    pub allows_revote: bool,
    /// How many days the roll hangs before the first ballot, 30 at most; what the rule asks for, or none, when absent. After a
    /// tie the rule asks for none: its roll has hung.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 30)]
    pub roll_days: Option<u32>,
    /// Are sheets of paper handed out at the desk, too?
    #[serde(default)]
    pub has_paper: bool,
    /// For how many days after the count the result may be challenged, 15 at most; it moves nothing before. What the rule asks
    /// for, or seven, when absent; none (0) only where nothing is decided.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 15)]
    pub challenge_days: Option<u32>,
    /// When it closes by itself; 60 days from now at most.
    #[schema(value_type = String, format = DateTime)]
    pub closes_at: DateTime<Utc>,
    /// The meeting it belongs to. Without one it is an opinion poll and decides nothing, and needs a matter.
    #[serde(default)]
    pub meeting_id: Option<MeetingId>,
    /// What the charter of a body asks for in a vote of its members; for no other vote. What the preset says when absent; after
    /// a tie what was asked before.
    #[serde(default)]
    pub by_charter: Option<CharterRule>,
    /// Which item of article 26 of the law on rural collectives is decided: for the assembly of its members or of their
    /// representatives, and only for these. After a tie that of the vote before.
    #[serde(default)]
    pub collective_item: Option<CollectiveItem>,
    /// Who asked for the recall of a member of the village committee, when and what for: for that, and only for that.
    #[serde(default)]
    pub recall: Option<RecallPetition>,
    /// Boxes that are carried to those who cannot come; where there are sheets of paper.
    #[serde(default)]
    pub mobile: Option<MobileBoxes>,
}

/// Are choices named after closing?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Secrecy {
    /// 记名: listed with number and masked name.
    #[default]
    Open,
    /// 无记名: sealed on the phone, opened after the end by two of three keys. Open once all three keys are made.
    Secret,
    /// 纸票: in a booth, on paper alone; nobody casts by phone.
    Paper,
}

impl Secrecy {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Secret => "secret",
            Self::Paper => "paper",
        }
    }
}

/// Freezes the roll of a vote and opens it: at once, or after the roll has hung for some days; a secret one waits for its
/// three keys. Recorded: `vote.roll_posted`; `vote.opened`, when it takes ballots.
///
/// # Errors
/// `not_found` (matter, meeting, vote before); `not_allowed`; `paper_required` for elections that the law keeps on paper, unless
/// they are on paper alone;
/// `rule_not_votable` for a preset that cannot be voted on here, or when nobody is on its roll; `invalid_fields`, also for a
/// meeting that was not called in time, and for a recall that was not asked for as the law has it;
/// `authorisation_needed` where the representatives may not decide it; `halted`;
/// `wrong_state` when the matter is not to be decided now or another vote about it, or on the same recall, is open.
pub async fn open_vote(tx: &Tx, actor: &Actor, input: OpenVote) -> Result<VoteView> {
    let about = about::about(tx, actor, &input).await?;
    let now = tx.now();
    let (preset, opens_at) = check(&input, now)?;
    about::require_holders(tx, &input, &about.area).await?;
    about::require_counters(tx, &input, &about.area).await?;
    about::require_round_before(tx, &input, &about).await?;
    let is_posted = opens_at > now;
    let asked = question::asked(tx, &input, &about).await?;
    // after a tie it goes on by the rule by which it began
    let preset = asked.rule.clone().unwrap_or(preset);
    let preset = of_group::named(tx, preset, (&about.area, input.group_number)).await?;
    let homes = selection::homes(tx, &input, &about.area).await?;
    let preset = selection::named(preset, homes.len());
    let is_secret = input.secrecy == Secrecy::Secret;
    let is_binding = about::is_binding(tx, &input, (&preset, opens_at), &about).await?;
    let id = VoteId::new();
    if let Some(matter) = about.matter {
        matters::commands::begin_vote(tx, matter, id).await?;
    }
    // who has a vote is who has one on the day of the first ballot
    let day = clock::local_date(opens_at);
    selection::require_candidates(tx, &input, (&about.area, day)).await?;
    let options = asked.options.as_deref();
    let candidates = selection::standing(tx, actor.person, (&input.preset, &about.area, options)).await?;
    let ground = roll::Ground { area: &about.area, body: about.body, group: input.group_number, homes: &homes };
    let electors = roll::draw_up(tx, (&input.preset, &preset), ground, day).await?;
    about::require_enough(&preset, electors.len())?;
    let preset = of_representatives::composed(tx, preset, (&about.area, day), &electors).await?;
    let preset = recall::petitioned(tx, preset, (&input, &about, actor.person), electors.len()).await?;
    let preset = mobile::applied(preset, &input);
    let mut row =
        drawn_up(tx, (id, input), (actor.person, about), (&preset, opens_at), (is_binding, asked, electors.len()))?;
    row.household_ids = Set(queries::kept_ids(&homes));
    row.candidate_ids = Set(queries::kept_ids(&candidates));
    let row = row.insert(tx).await?;
    if let Some(meeting) = row.meeting_id {
        let about: Vec<PersonId> = candidates.into_iter().chain(row.recalled_id).collect();
        meetings::commands::keep_from(tx, meeting, &about).await?;
    }
    roll::freeze(tx, (id, actor.person), electors).await?;
    let row = keep_root(tx, row).await?;
    if !is_secret {
        open_board(tx, &row, None).await?;
    }
    if is_posted {
        record_posted(tx, &row, actor).await?;
    } else if !is_secret {
        record_opened(tx, &row, Some(actor)).await?;
    }
    queries::view(tx, row).await
}

/// A vote as it begins; what is not known yet is left out.
fn drawn_up(
    tx: &Tx,
    (id, input): (VoteId, OpenVote),
    (person, about): (PersonId, About),
    (preset, opens_at): (&Preset, DateTime<Utc>),
    (is_binding, asked, electors): (bool, question::Asked, usize),
) -> Result<vote::ActiveModel> {
    let number = |n: u32| i32::try_from(n).map_err(Error::broken);
    let on_roll = i32::try_from(electors).map_err(Error::broken)?;
    let (is_secret, is_posted) = (input.secrecy == Secrecy::Secret, opens_at > tx.now());
    let state = match (is_secret, is_posted) {
        (true, _) => queries::WAITING_KEYS,
        (false, true) => queries::POSTED,
        (false, false) => queries::OPEN,
    };
    Ok(vote::ActiveModel {
        id: Set(id),
        matter_id: Set(about.matter),
        meeting_id: Set(input.meeting_id),
        area_code: Set(about.area),
        body_id: Set(about.body),
        group_number: Set(input.group_number),
        question: Set(input.question.trim().to_owned()),
        preset: Set(input.preset),
        rule: Set(serde_json::to_string(preset).map_err(Error::broken)?),
        secrecy: Set(input.secrecy.as_str().to_owned()),
        is_binding: Set(is_binding),
        state: Set(state.to_owned()),
        on_roll: Set(on_roll),
        opens_at: Set(opens_at),
        closes_at: Set(input.closes_at),
        created_by: Set(person),
        created_at: Set(tx.now()),
        allows_revote: Set(input.allows_revote),
        has_board: Set(!is_secret),
        links_left: Set(false),
        proxies_until: Set(preset.proxy.map(|rule| rule.until(input.closes_at))),
        options: Set(asked.options),
        max_choices: Set(asked.max_choices),
        seats: Set(asked.seats),
        parent_vote_id: Set(input.parent_vote_id),
        roll_frozen: Set(on_roll),
        roll_posted_at: Set(is_posted.then(|| tx.now())),
        challenge_days: Set(number(input.challenge_days.or(preset.challenge_days).unwrap_or(CHALLENGE_DAYS))?),
        has_paper: Set(input.has_paper),
        recalled_id: Set(input.recall.map(|asked| asked.member_id)),
        mobile_boxes: Set(input.mobile.map(|mobile| mobile.kept())),
        ..Default::default()
    })
}

async fn keep_root(tx: &Tx, row: vote::Model) -> Result<vote::Model> {
    let root = opening::roll_root(tx, &row).await?;
    let mut change = row.into_active_model();
    change.roll_root = Set(Some(root));
    Ok(change.update(tx).await?)
}

/// From now on the roll hangs; the vote opens by the clock.
async fn record_posted(tx: &Tx, row: &vote::Model, actor: &Actor) -> Result<()> {
    let happening = Happening::new(Kind::RollPosted, row.id).at(&row.area_code).by(actor.person);
    let data = json!({ "matter": row.matter_id, "on_roll": row.on_roll, "opens_at": row.opens_at });
    events::record(tx, happening.with(data)).await?;
    Ok(())
}

/// From now on it takes ballots.
pub(super) async fn record_opened(tx: &Tx, row: &vote::Model, actor: Option<&Actor>) -> Result<()> {
    let mut happening = Happening::new(Kind::VoteOpened, row.id).at(&row.area_code).with(json!({
        "matter": row.matter_id, "meeting": row.meeting_id, "preset": row.preset, "on_roll": row.on_roll,
        "binding": row.is_binding,
    }));
    if let Some(actor) = actor {
        happening = happening.by(actor.person);
    }
    events::record(tx, happening).await?;
    Ok(())
}

/// The rule, and when the first ballot may be cast.
fn check(input: &OpenVote, now: DateTime<Utc>) -> Result<(Preset, DateTime<Utc>)> {
    let preset = rules::preset(&input.preset);
    if preset.is_some_and(|preset| preset.paper_required) && input.secrecy != Secrecy::Paper {
        return Err(Code::PaperRequired.into());
    }
    let mut checks = Checks::default();
    checks.text("question", &input.question, 2..=200);
    checks.require(preset.is_some(), "preset", "unknown");
    // those who were tied are voted on once more in the same election
    let rule = preset.and_then(|preset| preset.roll).filter(|_| input.parent_vote_id.is_none());
    let asked = rule.map_or(0, |rule| rule.posted_days);
    let days = input.roll_days.unwrap_or(asked);
    checks.require((asked..=MAX_POSTED_DAYS).contains(&days), "roll_days", "out_of_range");
    let least = preset.and_then(|preset| preset.challenge_days).unwrap_or(0);
    let challenge = input.challenge_days.unwrap_or(CHALLENGE_DAYS.max(least));
    checks.require((least..=MAX_CHALLENGE_DAYS).contains(&challenge), "challenge_days", "out_of_range");
    let opens_at = if days == 0 { now } else { days_after(now, days.min(MAX_POSTED_DAYS)) };
    let in_time = input.closes_at > opens_at && input.closes_at <= now + TimeDelta::days(MAX_DAYS);
    checks.require(in_time, "closes_at", "out_of_range");
    let is_lawful = preset.is_none_or(|preset| !preset.secret) || input.secrecy != Secrecy::Open;
    checks.require(is_lawful, "secrecy", "must_be_secret");
    let on_paper_alone = input.secrecy == Secrecy::Paper;
    checks.require(!on_paper_alone || input.has_paper, "has_paper", "required");
    checks.require(!on_paper_alone || !input.allows_revote, "allows_revote", "not_on_paper");
    by_charter::check(&mut checks, input);
    of_group::check(&mut checks, input);
    selection::check(&mut checks, input);
    of_collective::check(&mut checks, input);
    recall::check(&mut checks, input, now);
    mobile::check(&mut checks, input);
    checks.done()?;
    let preset = preset.filter(|preset| roll::is_votable(preset)).ok_or(Code::RuleNotVotable)?;
    let preset = by_charter::applied(preset, input.by_charter.as_ref());
    Ok((of_collective::applied(preset, input.collective_item.as_ref()), opens_at))
}
