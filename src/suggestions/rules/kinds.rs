//! What a voice wants, what it is about, who sees it, how far it has come, and what may be done with it.
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum SuggestionKind {
    /// 咨询
    Consult,
    /// 求助
    Help,
    /// 投诉
    Complaint,
    /// 建议
    Suggestion,
    /// 表扬
    Praise,
}

/// What it is about: by this and by where it is the county says who answers.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// 道路桥梁
    Road,
    /// 水电气
    Utilities,
    /// 环境卫生
    Sanitation,
    /// 安全隐患
    Safety,
    /// 养老救助
    Welfare,
    /// 土地房屋
    Land,
    /// 邻里纠纷
    Dispute,
    /// 其他
    #[default]
    Other,
}

/// Who sees it besides the author.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// The village; the author's name is masked.
    Public,
    /// Those who handle voices in the village; each opening is recorded.
    Handlers,
    /// The town's office alone, nobody in the village; each opening is recorded.
    Town,
}

/// How its author wants to be answered. The answer is written all the same.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ReplyWish {
    /// 在这里看
    #[default]
    Here,
    /// 打电话
    Call,
    /// 当面
    Meet,
}

impl ReplyWish {
    /// Is nothing wished beyond the written answer?
    #[must_use]
    pub fn is_here(&self) -> bool {
        *self == Self::Here
    }
}

/// How far it has come. That it joined a matter is a fact beside this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum SuggestionState {
    /// Left, and on the desk of the body responsible.
    Submitted,
    /// Somebody takes care of it.
    Accepted,
    /// Answered, not rated yet.
    Answered,
    /// The author has rated the answer and is content.
    Rated,
    /// The author took it back before it was answered, or answered anew.
    Withdrawn,
}

/// What an answer says of what was wanted. Its author rates it all the same, and "not solved" goes on as ever.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum AnswerOutcome {
    /// Answered, or done.
    #[default]
    Answered,
    /// 不予受理: it is not taken up, and the words say why.
    Declined,
    /// It is for somebody outside (12345, a court, the office for petitions), and the words say who and how.
    Outside,
}

/// How far it has come that a public voice is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum HidingState {
    /// Only its author and those who handle it see it.
    Hidden,
    /// Its author objects, and an office was asked.
    Appealed,
    /// The office leaves it hidden.
    Upheld,
}

/// The promise with a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Deadline {
    /// To be accepted.
    Accept,
    /// To be answered.
    Answer,
}

/// What somebody does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Take care of it.
    Accept,
    /// Give it to somebody.
    Assign,
    /// Answer it.
    Answer,
    /// Let a clip say the newest answer.
    Speak,
    /// Rate the answer.
    Rate,
    /// Write down what its author, for whom it was taken down, says of the answer when called back.
    CallBack,
    /// Take it back.
    Withdraw,
    /// Let it join a matter.
    Join,
    /// Say that it is one's own, too.
    Cosign,
    /// Write down who signed on paper that it is theirs, too.
    WriteDown,
    /// Ask another body to take it.
    Refer,
    /// Keep it although another was asked.
    Keep,
    /// Ask the office above for more days.
    Extend,
    /// Ask another body for its part.
    Involve,
    /// Make ordinary what was called urgent.
    MakeOrdinary,
    /// Hide what was for everybody in the village.
    Hide,
    /// Show it again.
    Show,
    /// Object to its being hidden.
    Appeal,
}
