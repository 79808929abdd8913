//! Templates: what each stage asks for, as versioned data; a matter keeps the version it began with.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Stage;
use crate::bodies::Right;

/// The six-step procedure (六环节), first version.
pub const SIX_STAGES_V1: &str = include_str!("../templates/six_stages.v1.json");
/// The same, with a lawyer's note on what the law reserves to the assembly.
pub const SIX_STAGES_V2: &str = include_str!("../templates/six_stages.v2.json");
/// The same; a meeting counts when more than half of the members came and something was resolved.
pub const SIX_STAGES_V3: &str = include_str!("../templates/six_stages.v3.json");
/// The same; three residents rate what was done at least.
pub const SIX_STAGES_V4: &str = include_str!("../templates/six_stages.v4.json");
/// The same; every other way that somebody put beside the plan is answered before the council is left.
pub const SIX_STAGES_V5: &str = include_str!("../templates/six_stages.v5.json");
/// 四议两公开: the party branch proposes, both committees discuss, the party members review, the villagers decide; the
/// decision and what came of it are published.
pub const FOUR_DELIBERATIONS_V1: &str = include_str!("../templates/four_deliberations.v1.json");
/// The same; a meeting counts when more than half of the members came and something was resolved.
pub const FOUR_DELIBERATIONS_V2: &str = include_str!("../templates/four_deliberations.v2.json");
/// 提 亮 评, for small things of a village whose own rules allow it.
pub const SHORT_V1: &str = include_str!("../templates/short.v1.json");
/// The same; three residents rate what was done at least.
pub const SHORT_V2: &str = include_str!("../templates/short.v2.json");

/// What the keys of villages' own paths begin with.
pub const OWN: &str = "own-";

/// All that are built in, every version.
pub const BUILT_IN: [&str; 9] = [
    SIX_STAGES_V1,
    SIX_STAGES_V2,
    SIX_STAGES_V3,
    SIX_STAGES_V4,
    SIX_STAGES_V5,
    FOUR_DELIBERATIONS_V1,
    FOUR_DELIBERATIONS_V2,
    SHORT_V1,
    SHORT_V2,
];

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
    /// A path that the village's own rules set down.
    Own,
}

impl TemplateKey {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::SixStages, Self::FourDeliberations, Self::Short, Self::Own];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SixStages => "six_stages",
            Self::FourDeliberations => "four_deliberations",
            Self::Short => "short",
            Self::Own => "own",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.as_str() == text)
    }

    /// The one to which the key of a stored path belongs.
    #[must_use]
    pub fn of(key: &str) -> Option<Self> {
        if key.starts_with(OWN) { Some(Self::Own) } else { Self::parse(key) }
    }

    /// The version that new matters take.
    #[must_use]
    pub fn version(self) -> i32 {
        match self {
            Self::SixStages => 5,
            Self::FourDeliberations | Self::Short => 2,
            Self::Own => 1,
        }
    }

    /// Only where a village's own rules allow it.
    #[must_use]
    pub fn needs_charter(self) -> bool {
        matches!(self, Self::Short | Self::Own)
    }
}

/// A path of stages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
        /// Only those to which more than half of the members came.
        #[serde(default)]
        quorate: bool,
        /// Only those that resolved something.
        #[serde(default)]
        resolved: bool,
    },
    /// Every other way of doing it that stands in the discussion was answered.
    Alternatives,
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
            Self::Alternatives => &["alternative"],
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

    /// The kind of body whose opinion is asked for, where it is only one.
    #[must_use]
    pub fn opinion_of(&self) -> Option<&str> {
        self.evidence.iter().find_map(|requirement| match requirement {
            Requirement::Opinion { body_kind } => body_kind.as_deref(),
            _ => None,
        })
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

    /// Its name in Chinese: our own sentence, or what the village calls it.
    #[must_use]
    pub fn name(&self) -> String {
        if self.key.starts_with(OWN) { self.name.clone() } else { crate::text::say(&self.name) }
    }

    /// The stage after this one.
    #[must_use]
    pub fn after(&self, stage: Stage) -> Option<Stage> {
        self.stages.iter().map(|rule| rule.key).find(|key| *key > stage)
    }
}
