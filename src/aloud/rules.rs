//! What is said aloud, in which words, and how often a machine is asked for it: pure.
use chrono::TimeDelta;
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    forms::rules::{Question, QuestionKind, SCALE},
    text,
};

/// As much as is said in two minutes, which is what a clip may last.
const MAX_CHARS: usize = 400;
/// How often the speech command is tried for one version.
pub(super) const TRIES: i32 = 3;

/// What a clip says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// 公示、公告: title and text of its present version.
    Notice,
    /// 表决: what is asked, and what may be chosen.
    Vote,
    /// 事项: title and summary.
    Matter,
    /// 问卷 of a survey or a rating: title, and every question with what may be answered.
    Form,
}

impl About {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Vote => "vote",
            Self::Matter => "matter",
            Self::Form => "form",
        }
    }

    /// May everybody read, and hear, things of this kind?
    #[must_use]
    pub fn is_for_everybody(self) -> bool {
        match self {
            Self::Notice | Self::Vote | Self::Matter => true,
            Self::Form => false,
        }
    }
}

/// When a command that was tried so often is tried next; `None`: no more.
pub(super) fn next_try(tries: i32) -> Option<TimeDelta> {
    match tries {
        ..=1 => Some(TimeDelta::minutes(10)),
        2.. if tries < TRIES => Some(TimeDelta::hours(2)),
        _ => None,
    }
}

/// A title and what stands under it.
pub(super) fn of_text(title: &str, words: &str) -> String {
    text::say_with("aloud-text", &[("title", title.trim().into()), ("text", words.trim().into())])
}

/// What is asked, what may be chosen and how much of it; without options by for or against.
pub(super) fn of_question(question: &str, options: &[String], most: i32) -> String {
    if options.is_empty() {
        return text::say_with("aloud-motion", &[("question", question.into())]);
    }
    let most = most.to_string();
    let blanks = [("question", question.into()), ("options", said(options).into()), ("n", most.into())];
    text::say_with("aloud-choice", &blanks)
}

/// What may be chosen, one after the other.
fn said(options: &[String]) -> String {
    let one = |(n, option): (usize, &String)| {
        text::say_with("aloud-option", &[("n", n.to_string().into()), ("text", option.as_str().into())])
    };
    (1..).zip(options).map(one).collect()
}

/// A title, every question, and how it may be answered.
pub(super) fn of_form(title: &str, questions: &[Question]) -> String {
    let one = |(n, question): (usize, &Question)| {
        let answers = match question.kind {
            QuestionKind::Choice => text::say_with("aloud-pick", &[("options", said(&question.options).into())]),
            QuestionKind::Scale => text::say_with("aloud-scale", &[("n", SCALE.to_string().into())]),
            QuestionKind::Text => text::say("aloud-free"),
        };
        let (n, title) = (n.to_string(), question.title.as_str());
        text::say_with("aloud-asked", &[("n", n.into()), ("question", title.into()), ("answers", answers.into())])
    };
    let questions: String = (1..).zip(questions).map(one).collect();
    text::say_with("aloud-form", &[("title", title.trim().into()), ("questions", questions.into())])
}

/// As much of it as a clip can hold, up to the end of a sentence, and that there is more to be read.
pub(super) fn cut(words: &str) -> String {
    if words.chars().count() <= MAX_CHARS {
        return words.to_owned();
    }
    let head: String = words.chars().take(MAX_CHARS).collect();
    let ends = text::say("aloud-ends");
    let end = head.char_indices().rev().find(|(_, c)| ends.contains(*c)).map(|(at, c)| at + c.len_utf8());
    let head = &head[..end.unwrap_or(head.len())];
    text::say_with("aloud-more", &[("text", head.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_ends_with_a_sentence_and_says_that_there_is_more() {
        let short = "短".repeat(400);
        assert_eq!(cut(&short), short);
        let long = format!("{}。{}", "长".repeat(300), "长".repeat(300));
        let said = cut(&long);
        assert!(said.starts_with(&format!("{}。", "长".repeat(300))), "{said}");
        assert!(!said.contains(&"长".repeat(301)) && said.contains("全文"), "{said}");
        let endless = cut(&"长".repeat(5_000));
        assert!((400..440).contains(&endless.chars().count()), "{endless}");
    }

    #[test]
    fn every_option_is_said() {
        let motion = of_question("同意修桥吗？", &[], 1);
        assert!(motion.contains("同意修桥吗？") && motion.contains("弃权"), "{motion}");
        let choice = of_question("先修哪一座？", &["东桥".to_owned(), "西桥".to_owned()], 1);
        assert!(choice.contains("第1项") && choice.contains("西桥") && choice.contains("最多选1项"), "{choice}");
        assert_eq!(of_text(" 停水 ", "明天停水。\n"), "停水。明天停水。");
    }

    #[test]
    fn every_question_is_said() {
        let question = |title: &str, kind, options: &[&str]| Question {
            id: "q".to_owned(),
            title: title.to_owned(),
            kind,
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            required: true,
        };
        let said = of_form(
            "修桥",
            &[
                question("先修哪一座？", QuestionKind::Choice, &["东桥", "西桥"]),
                question("修得怎么样？", QuestionKind::Scale, &[]),
                question("还有什么？", QuestionKind::Text, &[]),
            ],
        );
        assert!(said.starts_with("问卷：修桥。第1问，先修哪一座？"), "{said}");
        assert!(said.contains("第2项，西桥") && said.contains("第2问，修得怎么样？") && said.contains("5分"), "{said}");
        assert!(said.contains("第3问，还有什么？"), "{said}");
    }

    #[test]
    fn a_command_is_tried_three_times() {
        assert!(next_try(1).unwrap() < next_try(2).unwrap());
        assert_eq!((next_try(3), next_try(4)), (None, None));
    }
}
