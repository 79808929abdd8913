//! Templates: what each stage asks for, as versioned data; a matter keeps the version it began with.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Stage;
use crate::bodies::Right;

/// The six-step procedure (六环节), first version.
pub const SIX_STAGES_V1: &str = include_str!("../templates/six_stages.v1.json");
/// The same, with a lawyer's note on what the law reserves to the assembly.
pub const SIX_STAGES_V2: &str = include_str!("../templates/six_stages.v2.json");
/// 四议两公开: the party branch proposes, both committees discuss, the party members review, the villagers decide; the
/// decision and what came of it are published.
pub const FOUR_DELIBERATIONS_V1: &str = include_str!("../templates/four_deliberations.v1.json");
/// 提 亮 评, for small things of a village whose own rules allow it.
pub const SHORT_V1: &str = include_str!("../templates/short.v1.json");

/// All that are built in, every version.
pub const BUILT_IN: [&str; 4] = [SIX_STAGES_V1, SIX_STAGES_V2, FOUR_DELIBERATIONS_V1, SHORT_V1];

/// A path that a new matter may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TemplateKey {
    /// 六环节参事议事
    #[default]
    SixStages,
    /// 四议两公开
    FourDeliberations,
    /// 提 亮 评, where the village's own rules allow it.
    Short,
}

impl TemplateKey {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SixStages, Self::FourDeliberations, Self::Short];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SixStages => "six_stages",
            Self::FourDeliberations => "four_deliberations",
            Self::Short => "short",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.as_str() == text)
    }

    /// The version that new matters take.
    #[must_use]
    pub fn version(self) -> i32 {
        match self {
            Self::SixStages => 2,
            Self::FourDeliberations | Self::Short => 1,
        }
    }

    /// Only where a village's own rules allow it.
    #[must_use]
    pub fn needs_charter(self) -> bool {
        self == Self::Short
    }
}

/// A path of stages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its name for programs.
    pub key: String,
    /// Versions only grow; one that was used is never edited.
    pub version: i32,
    /// Key of the sentence with its name.
    pub name: String,
    /// In order.
    pub stages: Vec<StageRule>,
}

/// What one stage asks for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageRule {
    /// Which stage.
    pub key: Stage,
    /// Key of the sentence with its name.
    pub name: String,
    /// What lets a matter in.
    pub entered_on: Entry,
    /// What must be there before it is left.
    pub evidence: Vec<Requirement>,
    /// Whose seat moves it on.
    pub moved_by: Mover,
    /// Working days it may take.
    pub due_working_days: u32,
    /// It is left by itself when its period is over and nothing is missing.
    pub moves_by_date: bool,
    /// May it be skipped, with authority and reason?
    pub may_skip: bool,
}

/// What lets a matter into a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// It was raised.
    Raised,
    /// The stage before has its evidence.
    StageBeforeComplete,
    /// A notice ran its period and every objection was answered.
    NoticeConcluded,
    /// A binding vote passed.
    VotePassed,
}

impl Entry {
    /// Key of the sentence that says so.
    #[must_use]
    pub fn sentence_key(self) -> &'static str {
        match self {
            Self::Raised => "entry-raised",
            Self::StageBeforeComplete => "entry-stage-before-complete",
            Self::NoticeConcluded => "entry-notice-concluded",
            Self::VotePassed => "entry-vote-passed",
        }
    }
}

/// Whose seat moves a matter on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mover {
    /// Committee and council.
    MoveMatter,
    /// The supervision committee.
    CloseMatter,
}

impl Mover {
    /// The right that is asked for.
    #[must_use]
    pub fn right(self) -> Right {
        match self {
            Self::MoveMatter => Right::MoveMatter,
            Self::CloseMatter => Right::CloseMatter,
        }
    }
}

/// A piece of evidence that a stage asks for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Requirement {
    /// It came from residents' voices, or a body proposed it.
    Origin {
        /// Voices that joined, at least.
        min_voices: u64,
    },
    /// A closed survey with enough answers, or a closed visit list.
    Need {
        /// Answers to the survey, at least.
        min_answers: u64,
        /// Or visits, at least.
        min_visits: u64,
    },
    /// Meetings held, with minutes.
    Meeting {
        /// Of a body of this kind.
        body_kind: String,
        /// So many.
        min: u64,
    },
    /// Notices that ran their period, with every objection answered.
    Notice {
        /// So many; one when absent.
        #[serde(default = "one")]
        min: u64,
    },
    /// A closed sheet of call-back visits, those who objected among them.
    Visits {
        /// Visits, at least.
        min: u64,
        /// Of those who objected, at least (all of them, if fewer objected).
        min_objectors: u64,
    },
    /// The newest opinion of party organisation or committee agrees.
    Opinion {
        /// Only of a body of this kind.
        #[serde(default)]
        body_kind: Option<String>,
    },
    /// The newest note of a legal officer finds it lawful; asked only of what the law reserves to the assembly.
    Legality,
    /// A binding vote that passed.
    Vote,
    /// Every task done, with proof.
    Tasks {
        /// So many, at least.
        min: u64,
    },
    /// A closed rating; a bad one asks for a task that puts things right.
    Rating {
        /// Answers, at least.
        min_answers: u64,
        /// Hundredths of a mark that the mean must reach.
        min_mean_hundredths: u64,
    },
    /// The final report.
    Report,
}

fn one() -> u64 {
    1
}

impl Requirement {
    /// The kinds of evidence rows that speak to it.
    #[must_use]
    pub fn kinds(&self) -> &'static [&'static str] {
        match self {
            Self::Origin { .. } => &[],
            Self::Need { .. } => &["survey", "visit"],
            Self::Meeting { .. } => &["meeting"],
            Self::Notice { .. } => &["notice"],
            Self::Visits { .. } => &["visit"],
            Self::Opinion { .. } => &["opinion"],
            Self::Legality => &["legality"],
            Self::Vote => &["vote_opened", "vote_result", "consultation"],
            Self::Tasks { .. } => &["task"],
            Self::Rating { .. } => &["rating"],
            Self::Report => &["report"],
        }
    }
}

impl StageRule {
    /// Does evidence of this kind belong here?
    #[must_use]
    pub fn accepts(&self, kind: &str) -> bool {
        self.evidence.iter().any(|requirement| requirement.kinds().contains(&kind))
    }
}

impl Template {
    /// Reads a definition, as stored.
    ///
    /// # Errors
    /// When it is not one, or its stages are not in order.
    pub fn parse(definition: &str) -> Result<Self, String> {
        let template: Self = serde_json::from_str(definition).map_err(|error| error.to_string())?;
        let in_order = template.stages.windows(2).all(|pair| matches!(pair, [first, second] if first.key < second.key));
        if template.stages.is_empty() || !in_order {
            return Err(format!("template {} {}: stages out of order", template.key, template.version));
        }
        Ok(template)
    }

    /// What a stage asks for; `None` when this path does not have it.
    #[must_use]
    pub fn stage(&self, stage: Stage) -> Option<&StageRule> {
        self.stages.iter().find(|rule| rule.key == stage)
    }

    /// The first stage.
    #[must_use]
    pub fn first(&self) -> Option<&StageRule> {
        self.stages.first()
    }

    /// The stage after this one.
    #[must_use]
    pub fn after(&self, stage: Stage) -> Option<Stage> {
        self.stages.iter().map(|rule| rule.key).find(|key| *key > stage)
    }
}
