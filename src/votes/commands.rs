//! What is done to a vote: opened with its roll, cast, closed by the clock.
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ActiveModelTrait, Set};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    queries::{self, VoteView},
    roll,
    rows::vote,
    rules::{self, Preset},
};
use crate::{
    actor::Actor,
    bodies::{self, Right},
    clock,
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::{MatterId, MeetingId, VoteId},
    matters, meetings,
    store::Tx,
};

mod cast;
mod close;

pub use self::{
    cast::{BallotReceipt, Cast, CastBallot, Choice, cast, sign},
    close::due,
};

/// A vote lasts this long at most.
const MAX_DAYS: i64 = 60;
/// State of a meeting that is to come.
const CALLED: &str = "called";

/// A vote to be opened.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenVote {
    /// The matter; it must be in the decide stage.
    pub matter_id: MatterId,
    /// What is asked, so that yes or no answers it. 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub question: String,
    /// Which legal rule; see `GET /v1/presets`.
    pub preset: String,
    /// Are choices named after closing?
    #[serde(default)]
    pub secrecy: Secrecy,
    /// When it closes by itself; 60 days from now at most.
    #[schema(value_type = String, format = DateTime)]
    pub closes_at: DateTime<Utc>,
    /// The meeting it belongs to. Without one it is an opinion poll and decides nothing.
    #[serde(default)]
    pub meeting_id: Option<MeetingId>,
}

/// Are choices named after closing?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Secrecy {
    /// 记名: listed with number and masked name.
    #[default]
    Open,
    /// 无记名: not available yet.
    Secret,
}

/// Opens a vote and freezes its roll. Recorded: `vote.opened`.
///
/// # Errors
/// `not_found` (matter, meeting); `not_allowed`; `secret_not_available`; `rule_not_votable` for a preset that cannot be
/// voted on here, or when nobody is on its roll; `invalid_fields`, also for a meeting that was not called in time;
/// `wrong_state` when the matter is not to be decided now or another vote about it is open.
pub async fn open_vote(tx: &Tx, actor: &Actor, input: OpenVote) -> Result<VoteView> {
    let area = matters::queries::area_of(tx, input.matter_id).await?;
    let seat = bodies::require(actor, Right::OpenVote, &area)?;
    let now = tx.now();
    let preset = check(&input, now)?;
    let is_binding = belongs_to_meeting(tx, &input, preset, &area).await?;
    let id = VoteId::new();
    matters::commands::begin_vote(tx, input.matter_id, id).await?;
    let electors = roll::draw_up(tx, &input.preset, preset, &area, clock::local_date(now)).await?;
    let row = vote::ActiveModel {
        id: Set(id),
        matter_id: Set(input.matter_id),
        meeting_id: Set(input.meeting_id),
        area_code: Set(area),
        body_id: Set(seat.body_id),
        question: Set(input.question.trim().to_owned()),
        preset: Set(input.preset),
        rule: Set(serde_json::to_string(preset).map_err(Error::broken)?),
        secrecy: Set("open".to_owned()),
        is_binding: Set(is_binding),
        state: Set(queries::OPEN.to_owned()),
        on_roll: Set(i32::try_from(electors.len()).map_err(Error::broken)?),
        opens_at: Set(now),
        closes_at: Set(input.closes_at),
        closed_at: Set(None),
        result: Set(None),
        created_by: Set(actor.person),
        created_at: Set(now),
    };
    let row = row.insert(tx).await?;
    roll::freeze(tx, id, electors).await?;
    let happening = Happening::new(Kind::VoteOpened, id).at(&row.area_code).by(actor.person).with(json!({
        "matter": row.matter_id, "meeting": row.meeting_id, "preset": row.preset, "on_roll": row.on_roll, "binding": is_binding,
    }));
    events::record(tx, happening).await?;
    queries::view(tx, row).await
}

fn check(input: &OpenVote, now: DateTime<Utc>) -> Result<&'static Preset> {
    if input.secrecy == Secrecy::Secret {
        return Err(Code::SecretNotAvailable.into());
    }
    let preset = rules::preset(&input.preset);
    let mut checks = Checks::default();
    checks.text("question", &input.question, 2..=200);
    checks.require(preset.is_some(), "preset", "unknown");
    let in_time = input.closes_at > now && input.closes_at <= now + TimeDelta::days(MAX_DAYS);
    checks.require(in_time, "closes_at", "out_of_range");
    checks.done()?;
    preset.filter(|preset| roll::is_votable(&input.preset, preset)).ok_or_else(|| Code::RuleNotVotable.into())
}

/// A vote that decides belongs to a meeting about this matter, called as many days ahead as the law asks, and is open
/// until the meeting has begun.
async fn belongs_to_meeting(tx: &Tx, input: &OpenVote, preset: &Preset, area: &str) -> Result<bool> {
    let Some(id) = input.meeting_id else { return Ok(false) };
    let meeting = meetings::queries::meeting(tx, id).await?;
    let days = meeting.starts_at.date_naive() - meeting.called_at.date_naive();
    let mut checks = Checks::default();
    let is_ours = meeting.matter_id == Some(input.matter_id)
        && meeting.area_code == area
        && meeting.state == CALLED
        && roll::audience(&input.preset, preset.unit) == Some(meeting.audience);
    checks.require(is_ours, "meeting_id", "not_this_meeting");
    let in_time = days >= TimeDelta::days(i64::from(preset.notice_days.unwrap_or(0)));
    checks.require(!is_ours || in_time, "meeting_id", "called_too_late");
    checks.require(!is_ours || input.closes_at > meeting.starts_at, "closes_at", "before_the_meeting");
    checks.done()?;
    Ok(true)
}
