//! The path of a matter: its stages, the moves between them, and nothing that can be done twice.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Code, Result};

pub mod changes;
pub mod gate;
pub mod own;
pub mod reserved;
pub mod template;
#[cfg(test)]
mod tests;

pub use self::{
    reserved::ReservedItem,
    template::{Template, TemplateKey},
};

/// One of the six stages (六环节). A template uses all of them or some, always in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// 提: the need is shown.
    Raise,
    /// 谋: the council deliberates.
    Deliberate,
    /// 亮: a notice, and every objection answered.
    Publicise,
    /// 审: call-back visits and an opinion.
    Review,
    /// 定: the lawful body decides.
    Decide,
    /// 评: done, proven, rated.
    Evaluate,
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Self; 6] =
        [Self::Raise, Self::Deliberate, Self::Publicise, Self::Review, Self::Decide, Self::Evaluate];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raise => "raise",
            Self::Deliberate => "deliberate",
            Self::Publicise => "publicise",
            Self::Review => "review",
            Self::Decide => "decide",
            Self::Evaluate => "evaluate",
        }
    }

    /// The stage of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }
}

/// Is a matter under way, and if not, how did it end?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Under way.
    Open,
    /// Evaluated and closed.
    Closed,
    /// Taken back before a decision.
    Withdrawn,
    /// Refused by the lawful body.
    NotPassed,
}

impl State {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Withdrawn => "withdrawn",
            Self::NotPassed => "not_passed",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Closed, Self::Withdrawn, Self::NotPassed].into_iter().find(|state| state.as_str() == text)
    }
}

/// Where a matter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Under way, or ended.
    pub state: State,
    /// Its stage; the last one when it has ended.
    pub stage: Stage,
    /// A vote about it is open: the path is then closed to everything but the result.
    pub vote_running: bool,
}

/// A move on the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// To the next stage, or to the end after the last one. The gate is asked apart.
    Advance,
    /// Past this stage without its evidence.
    Skip(Stage),
    /// Back to an earlier stage.
    Return(Stage),
    /// Taken back.
    Withdraw,
    /// The lawful body agreed.
    Pass,
    /// The lawful body refused.
    Refuse,
}

impl Move {
    /// How the stage that is left is recorded.
    #[must_use]
    pub fn outcome(self) -> &'static str {
        match self {
            Self::Advance => "completed",
            Self::Skip(_) => "skipped",
            Self::Return(_) => "returned",
            Self::Withdraw => "withdrawn",
            Self::Pass => "passed",
            Self::Refuse => "not_passed",
        }
    }
}

/// Where a move leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landing {
    /// Into this stage.
    Enter(Stage),
    /// Off the path.
    End(State),
}

/// The table of moves: where a move leads from a position, if it may be made at all.
///
/// # Errors
/// `wrong_state` for every move that is not in the table.
pub fn land(template: &Template, at: Position, step: Move) -> Result<Landing> {
    let wrong = || Code::WrongState.into();
    let concludes = matches!(step, Move::Pass | Move::Refuse);
    if at.state != State::Open || (at.vote_running && !concludes) {
        return Err(wrong());
    }
    let here = template.stage(at.stage).ok_or_else(wrong)?;
    let onward = || template.after(at.stage).map_or(Landing::End(State::Closed), Landing::Enter);
    match step {
        Move::Advance => Ok(onward()),
        Move::Skip(stage) if stage == at.stage && here.may_skip => Ok(onward()),
        Move::Return(to) if to < at.stage && template.stage(to).is_some() => Ok(Landing::Enter(to)),
        // what the village has decided is carried out or taken back to it, never withdrawn
        Move::Withdraw if at.stage < Stage::Evaluate => Ok(Landing::End(State::Withdrawn)),
        Move::Pass if at.stage == Stage::Decide => Ok(onward()),
        Move::Refuse if at.stage == Stage::Decide => Ok(Landing::End(State::NotPassed)),
        Move::Skip(_) | Move::Return(_) | Move::Withdraw | Move::Pass | Move::Refuse => Err(wrong()),
    }
}
