//! 观点分群: which people answer the statements of a survey alike, and what all of them say; never who they are.
//!
//! # Why
//! A statement is a choice between agreeing, not agreeing and neither. Answers are laid along their two main directions and
//! parted around two to five middles; as many as have the clearest edges. Of fewer than thirty people nothing is drawn, and no
//! group has fewer than five.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rules::{Question, QuestionKind, Replies, Reply};
use crate::text;

mod parting;

use self::parting::{Row, clearest};

/// Statements asked for at least.
const STATEMENTS: usize = 3;
/// Whoever answered so many of them is looked at, where there are more.
const ENOUGH: usize = 7;
/// People looked at, the first ones: more make nothing clearer.
const MOST: usize = 5_000;
/// Statements shown of a group, and of what is common.
const SHOWN: usize = 3;
/// What so many of a hundred in every group say is common.
const COMMON: u64 = 60;

/// Agreeing, not agreeing, neither: the options that make a question a statement.
#[must_use]
pub fn stances() -> Vec<String> {
    text::say("forms-stances").split_whitespace().map(str::to_owned).collect()
}

/// Groups of people who answer alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpinionGroups {
    /// How many people were looked at.
    pub people: u64,
    /// Two to five, the largest first.
    pub groups: Vec<OpinionGroup>,
    /// What most in every group agree to, or do not; the clearest first, three at most.
    pub common: Vec<CommonGround>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpinionGroup {
    /// How many.
    pub people: u64,
    /// Where it differs most from the others, three at most.
    pub statements: Vec<StatementShare>,
}

/// How many of a group say what to a statement, of a hundred who answered it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatementShare {
    /// Id of the question.
    pub question: String,
    /// The statement.
    pub title: String,
    /// Agree.
    pub agree_percent: u64,
    /// Do not.
    pub disagree_percent: u64,
}

/// What most in every group say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommonGround {
    /// Id of the question.
    pub question: String,
    /// The statement.
    pub title: String,
    /// Do they agree, or not?
    pub agrees: bool,
    /// Of a hundred, in the group where they are fewest.
    pub least_percent: u64,
}

/// The statements of a form, and what was said to them.
pub struct Opinions {
    words: Vec<String>,
    /// Id and title.
    statements: Vec<(String, String)>,
    rows: Vec<Row>,
}

impl Opinions {
    /// Nothing said yet.
    #[must_use]
    pub fn new(questions: &[Question]) -> Self {
        let words = stances();
        let is_statement = |one: &&Question| one.kind == QuestionKind::Choice && one.options == words;
        let statements = questions.iter().filter(is_statement);
        Self {
            statements: statements.map(|one| (one.id.clone(), one.title.clone())).collect(),
            words,
            rows: Vec::new(),
        }
    }

    /// Takes one person's answer.
    pub fn add(&mut self, replies: &Replies) {
        if self.statements.len() < STATEMENTS || self.rows.len() == MOST {
            return;
        }
        let stance = |(id, _): &(String, String)| match replies.get(id)? {
            Reply::Text(word) => [1.0, -1.0, 0.0].get(self.words.iter().position(|one| one == word)?).copied(),
            Reply::Number(_) => None,
        };
        let row: Row = self.statements.iter().map(stance).collect();
        if row.iter().flatten().count() >= self.statements.len().min(ENOUGH) {
            self.rows.push(row);
        }
    }

    /// The groups, where there are enough people and they differ.
    #[must_use]
    pub fn groups(self) -> Option<OpinionGroups> {
        let parted = clearest(&self.rows)?;
        let mut groups: Vec<Vec<&Row>> = vec![Vec::new(); parted.middles.len()];
        for (row, label) in self.rows.iter().zip(&parted.labels) {
            groups[*label].push(row);
        }
        groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        let shares: Vec<Vec<Share>> =
            groups.iter().map(|group| (0..self.statements.len()).map(|at| Share::of(group, at)).collect()).collect();
        let view = |(n, group): (usize, &Vec<&Row>)| OpinionGroup {
            people: group.len() as u64,
            statements: self.telling(n, &shares),
        };
        Some(OpinionGroups {
            people: self.rows.len() as u64,
            groups: groups.iter().enumerate().map(view).collect(),
            common: self.common(&shares),
        })
    }

    /// Where this group differs most from the others.
    fn telling(&self, group: usize, shares: &[Vec<Share>]) -> Vec<StatementShare> {
        let apart = |at: usize| {
            let others = shares.iter().enumerate().filter(|(n, _)| *n != group).map(|(_, other)| other[at].agree);
            others.map(|other| other.abs_diff(shares[group][at].agree)).min().unwrap_or_default()
        };
        let mut order: Vec<usize> = (0..self.statements.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(apart(*at)));
        let view = |at: usize| StatementShare {
            question: self.statements[at].0.clone(),
            title: self.statements[at].1.clone(),
            agree_percent: shares[group][at].agree,
            disagree_percent: shares[group][at].disagree,
        };
        order.into_iter().take(SHOWN).map(view).collect()
    }

    /// What most in every group say.
    fn common(&self, shares: &[Vec<Share>]) -> Vec<CommonGround> {
        let mut common = Vec::new();
        for (at, (id, title)) in self.statements.iter().enumerate() {
            for agrees in [true, false] {
                let said = |group: &Vec<Share>| if agrees { group[at].agree } else { group[at].disagree };
                let least_percent = shares.iter().map(said).min().unwrap_or_default();
                if least_percent >= COMMON {
                    common.push(CommonGround { question: id.clone(), title: title.clone(), agrees, least_percent });
                }
            }
        }
        common.sort_by_key(|one| std::cmp::Reverse(one.least_percent));
        common.truncate(SHOWN);
        common
    }
}

/// What a group says to one statement, of a hundred who answered it.
struct Share {
    agree: u64,
    disagree: u64,
}

impl Share {
    fn of(group: &[&Row], at: usize) -> Self {
        let given: Vec<f64> = group.iter().filter_map(|row| row[at]).collect();
        let percent = |count: usize| (count * 100 / given.len().max(1)) as u64;
        Self {
            agree: percent(given.iter().filter(|one| **one > 0.5).count()),
            disagree: percent(given.iter().filter(|one| **one < -0.5).count()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(statements: usize) -> Opinions {
        let question = |n: usize| Question {
            id: format!("q{n}"),
            title: format!("说法 {n}"),
            kind: QuestionKind::Choice,
            options: stances(),
            required: true,
        };
        Opinions::new(&(0..statements).map(question).collect::<Vec<_>>())
    }

    /// So many people who all say this.
    fn say(opinions: &mut Opinions, people: usize, stands: &[usize]) {
        let words = stances();
        let reply = |(n, stand): (usize, &usize)| (format!("q{n}"), Reply::Text(words[*stand].clone()));
        let replies: Replies = stands.iter().enumerate().map(reply).collect();
        (0..people).for_each(|_| opinions.add(&replies));
    }

    #[test]
    fn two_camps_are_told_apart_and_what_both_say_is_common() {
        let mut opinions = survey(3);
        say(&mut opinions, 16, &[1, 0, 0]);
        say(&mut opinions, 24, &[0, 1, 0]);
        let map = opinions.groups().unwrap();
        let sizes: Vec<u64> = map.groups.iter().map(|group| group.people).collect();
        assert_eq!((map.people, sizes), (40, vec![24, 16]));
        let first = &map.groups[0].statements[0];
        assert_eq!((first.question.as_str(), first.agree_percent, first.disagree_percent), ("q0", 100, 0));
        let common: Vec<_> =
            map.common.iter().map(|one| (one.question.as_str(), one.agrees, one.least_percent)).collect();
        assert_eq!(common, [("q2", true, 100)]);
    }

    #[test]
    fn of_few_of_the_like_minded_and_of_a_handful_nothing_is_drawn() {
        let camps = |one: usize, other: usize| {
            let mut opinions = survey(3);
            say(&mut opinions, one, &[1, 0, 0]);
            say(&mut opinions, other, &[0, 1, 0]);
            opinions.groups().is_some()
        };
        assert!(camps(15, 15) && !camps(15, 14), "thirty people");
        assert!(!camps(40, 0), "all alike");
        assert!(camps(35, 5) && !camps(36, 4), "five in a group");
        let mut few = survey(2);
        say(&mut few, 40, &[1, 0]);
        assert!(few.groups().is_none(), "three statements");
        let mut silent = survey(3);
        say(&mut silent, 20, &[1, 0, 0]);
        say(&mut silent, 20, &[1]);
        assert!(silent.groups().is_none(), "who left most of it out is not looked at");
    }

    #[test]
    fn other_questions_are_no_statements() {
        let mut other = Question {
            id: "q".into(),
            title: "先修哪座？".into(),
            kind: QuestionKind::Choice,
            options: vec!["东桥".into(), "西桥".into(), "都不修".into()],
            required: true,
        };
        assert!(Opinions::new(std::slice::from_ref(&other)).statements.is_empty());
        other.options = stances();
        assert_eq!(Opinions::new(std::slice::from_ref(&other)).statements.len(), 1);
    }
}
