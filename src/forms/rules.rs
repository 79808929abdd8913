//! What a form may ask, what an answer must say, and how answers are counted.
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Checks;

/// Questions of one form at most.
pub const MAX_QUESTIONS: usize = 20;
/// Options of one question at most.
const MAX_OPTIONS: usize = 20;
/// Characters of a free answer at most.
const MAX_TEXT: usize = 1000;
/// A scale runs from 1 to this.
pub const SCALE: i64 = 5;

/// What a form is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Asked of residents before something is decided.
    Survey,
    /// Filled in by a visitor at somebody's door.
    Visit,
    /// What residents think of what was done.
    Rating,
}

impl Purpose {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Survey => "survey",
            Self::Visit => "visit",
            Self::Rating => "rating",
        }
    }

    /// The purpose of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Survey, Self::Visit, Self::Rating].into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// How a question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// One of its options.
    Choice,
    /// A number from 1 to 5.
    Scale,
    /// Free text.
    Text,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its name within the form: 1 to 40 small letters, digits, `_` or `-`.
    pub id: String,
    /// What is asked, 1 to 200 characters.
    pub title: String,
    /// How it is answered.
    pub kind: QuestionKind,
    /// What can be chosen, 2 to 20; none for other kinds.
    #[serde(default)]
    pub options: Vec<String>,
    /// Must it be answered?
    #[serde(default)]
    pub required: bool,
}

/// An answer to one question: a number for a scale, the option or the text otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Reply {
    /// A step of the scale.
    Number(i64),
    /// The option chosen, or free text.
    Text(String),
}

/// Answers by question id.
pub type Replies = BTreeMap<String, Reply>;

/// Must a second person type in the same before it counts? What people think of what was done, where somebody else holds the
/// sheet: often one of those who did it.
#[must_use]
pub fn needs_second(purpose: &str, is_on_paper: bool) -> bool {
    is_on_paper && purpose == Purpose::Rating.as_str()
}

/// Do two people read the same from one sheet? What is chosen must be; free words are the first one's to spell.
#[must_use]
pub fn agree(questions: &[Question], one: &Replies, other: &Replies) -> bool {
    let chosen = questions.iter().filter(|question| question.kind != QuestionKind::Text);
    chosen.into_iter().all(|question| one.get(&question.id) == other.get(&question.id))
}

/// Notes what is wrong with the questions of a new form.
pub fn check_questions(checks: &mut Checks, questions: &[Question]) {
    checks.require((1..=MAX_QUESTIONS).contains(&questions.len()), "questions", "out_of_range");
    let mut known = BTreeSet::new();
    for (at, question) in questions.iter().take(MAX_QUESTIONS).enumerate() {
        let field = |name: &str| format!("questions[{at}].{name}");
        let is_name = (1..=40).contains(&question.id.len())
            && question.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'));
        checks.require(is_name, &field("id"), "bad_characters");
        checks.require(known.insert(&question.id), &field("id"), "duplicate");
        checks.text(&field("title"), &question.title, 1..=200);
        check_options(checks, &field("options"), question);
    }
}

fn check_options(checks: &mut Checks, field: &str, question: &Question) {
    if question.kind != QuestionKind::Choice {
        checks.require(question.options.is_empty(), field, "unknown");
        return;
    }
    checks.require((2..=MAX_OPTIONS).contains(&question.options.len()), field, "out_of_range");
    let mut known = BTreeSet::new();
    for (at, option) in question.options.iter().take(MAX_OPTIONS).enumerate() {
        checks.text(&format!("{field}[{at}]"), option, 1..=100);
        checks.require(known.insert(option.trim()), &format!("{field}[{at}]"), "duplicate");
    }
}

/// Notes what is wrong with an answer to these questions.
pub fn check_replies(checks: &mut Checks, questions: &[Question], replies: &Replies) {
    for question in questions {
        let field = format!("answers.{}", question.id);
        match (question.kind, replies.get(&question.id)) {
            (_, None) => checks.require(!question.required, &field, "required"),
            (QuestionKind::Scale, Some(Reply::Number(step))) => {
                checks.require((1..=SCALE).contains(step), &field, "out_of_range");
            }
            (QuestionKind::Scale, Some(Reply::Text(_))) => checks.wrong(field, "not_a_number"),
            (QuestionKind::Choice, Some(Reply::Text(option))) => {
                checks.require(question.options.contains(option), &field, "unknown");
            }
            (QuestionKind::Text, Some(Reply::Text(text))) => {
                checks.text(&field, text, usize::from(question.required)..=MAX_TEXT);
            }
            (QuestionKind::Choice | QuestionKind::Text, Some(Reply::Number(_))) => {
                checks.wrong(field, "bad_characters")
            }
        }
    }
    // the name of an unknown question is the sender's text and is not repeated
    let known = replies.keys().all(|id| questions.iter().any(|question| question.id == *id));
    checks.require(known, "answers", "unknown");
}

/// How often an option or a step was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OptionCount {
    /// The option, or the step as a number.
    pub option: String,
    /// How many chose it.
    pub count: u64,
}

/// The answers to one question, counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuestionResult {
    /// The question.
    pub id: String,
    /// How many answered it.
    pub answered: u64,
    /// For a choice or a scale, in the order of the question.
    pub counts: Vec<OptionCount>,
    /// Mean of a scale in hundredths, rounded down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_hundredths: Option<i64>,
}

/// All answers of a form, counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tally {
    /// How many answered.
    pub answers: u64,
    /// Mean over all scale questions in hundredths, rounded down; absent when nobody answered one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_hundredths: Option<i64>,
    /// By question.
    pub questions: Vec<QuestionResult>,
}

/// Counts answers one by one.
pub struct Counter<'a> {
    questions: &'a [Question],
    answers: u64,
    answered: Vec<u64>,
    chosen: Vec<BTreeMap<String, u64>>,
}

impl<'a> Counter<'a> {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(questions: &'a [Question]) -> Self {
        let chosen = vec![BTreeMap::new(); questions.len()];
        Self { questions, answers: 0, answered: vec![0; questions.len()], chosen }
    }

    /// Counts one person's answer.
    pub fn add(&mut self, replies: &Replies) {
        self.answers += 1;
        for ((question, answered), chosen) in self.questions.iter().zip(&mut self.answered).zip(&mut self.chosen) {
            let Some(reply) = replies.get(&question.id) else { continue };
            *answered += 1;
            let option = match reply {
                Reply::Number(step) => step.to_string(),
                Reply::Text(option) => option.clone(),
            };
            if question.kind != QuestionKind::Text {
                *chosen.entry(option).or_default() += 1;
            }
        }
    }

    /// The count so far.
    #[must_use]
    pub fn tally(self) -> Tally {
        let (mut all_sum, mut all_count) = (0, 0);
        let mut questions = Vec::new();
        for ((question, answered), chosen) in self.questions.iter().zip(self.answered).zip(self.chosen) {
            let options: Vec<String> = match question.kind {
                QuestionKind::Choice => question.options.clone(),
                QuestionKind::Scale => (1..=SCALE).map(|step| step.to_string()).collect(),
                QuestionKind::Text => Vec::new(),
            };
            let count_of = |option: String| OptionCount { count: chosen.get(&option).copied().unwrap_or(0), option };
            let counts: Vec<OptionCount> = options.into_iter().map(count_of).collect();
            let mut mean_hundredths = None;
            if question.kind == QuestionKind::Scale {
                let sum = (1..).zip(&counts).map(|(step, chosen)| step * chosen.count).sum::<u64>();
                mean_hundredths = mean(sum, answered);
                all_sum += sum;
                all_count += answered;
            }
            questions.push(QuestionResult { id: question.id.clone(), answered, counts, mean_hundredths });
        }
        Tally { answers: self.answers, mean_hundredths: mean(all_sum, all_count), questions }
    }
}

/// Rounded down, so that a gate of 3.00 is not passed by 2.999.
fn mean(sum: u64, count: u64) -> Option<i64> {
    i64::try_from((sum * 100).checked_div(count)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(id: &str, kind: QuestionKind, options: &[&str], required: bool) -> Question {
        Question {
            id: id.into(),
            title: "要不要修路？".into(),
            kind,
            options: options.iter().map(|option| (*option).into()).collect(),
            required,
        }
    }

    fn three() -> Vec<Question> {
        vec![
            question("road", QuestionKind::Choice, &["要", "不要"], true),
            question("mood", QuestionKind::Scale, &[], false),
            question("why", QuestionKind::Text, &[], false),
        ]
    }

    fn wrong_questions(questions: &[Question]) -> usize {
        let mut checks = Checks::default();
        check_questions(&mut checks, questions);
        checks.count()
    }

    fn wrong_replies(replies: &[(&str, Reply)]) -> usize {
        let mut checks = Checks::default();
        let replies = replies.iter().map(|(id, reply)| ((*id).to_owned(), reply.clone())).collect();
        check_replies(&mut checks, &three(), &replies);
        checks.count()
    }

    fn text(text: &str) -> Reply {
        Reply::Text(text.into())
    }

    #[test]
    fn a_good_form_is_taken() {
        assert_eq!(wrong_questions(&three()), 0);
        let twenty: Vec<_> = (0..20).map(|n| question(&format!("q{n}"), QuestionKind::Scale, &[], false)).collect();
        assert_eq!(wrong_questions(&twenty), 0);
    }

    #[test]
    fn a_form_without_sense_is_refused() {
        assert_eq!(wrong_questions(&[]), 1, "no question");
        let many: Vec<_> = (0..21).map(|n| question(&format!("q{n}"), QuestionKind::Scale, &[], false)).collect();
        assert_eq!(wrong_questions(&many), 1, "too many");
        for bad in [
            question("", QuestionKind::Text, &[], false),
            question("Q 1", QuestionKind::Text, &[], false),
            question("q", QuestionKind::Choice, &["一"], false),
            question("q", QuestionKind::Choice, &["一", "一 "], false),
            question("q", QuestionKind::Choice, &["一", ""], false),
            question("q", QuestionKind::Scale, &["一", "二"], false),
            Question { title: " ".into(), ..question("q", QuestionKind::Text, &[], false) },
        ] {
            assert_eq!(wrong_questions(std::slice::from_ref(&bad)), 1, "{bad:?}");
        }
        let twin = [question("q", QuestionKind::Text, &[], false), question("q", QuestionKind::Scale, &[], false)];
        assert_eq!(wrong_questions(&twin), 1);
    }

    #[test]
    fn an_answer_must_fit_its_question() {
        assert_eq!(wrong_replies(&[("road", text("要"))]), 0, "optional questions may be left out");
        assert_eq!(wrong_replies(&[("road", text("不要")), ("mood", Reply::Number(5)), ("why", text("近"))]), 0);
        assert_eq!(wrong_replies(&[]), 1, "the required one is missing");
        for bad in [
            ("road", text("也许")),
            ("road", Reply::Number(1)),
            ("mood", Reply::Number(0)),
            ("mood", Reply::Number(6)),
            ("mood", text("5")),
            ("why", Reply::Number(3)),
            ("why", text(&"长".repeat(1001))),
            ("why", text("a\u{202e}b")),
            ("else", text("x")),
        ] {
            let good = ("road", text("要"));
            let replies = if bad.0 == "road" { vec![bad.clone()] } else { vec![good, bad.clone()] };
            assert_eq!(wrong_replies(&replies), 1, "{bad:?}");
        }
    }

    #[test]
    fn answers_are_counted_by_option_and_the_mean_is_rounded_down() {
        let questions = three();
        let mut counter = Counter::new(&questions);
        for (road, mood) in [("要", Some(5)), ("要", Some(4)), ("不要", Some(2)), ("要", None)] {
            let mut replies = Replies::from([("road".to_owned(), text(road)), ("why".to_owned(), text("因为"))]);
            replies.extend(mood.map(|step| ("mood".to_owned(), Reply::Number(step))));
            counter.add(&replies);
        }
        let tally = counter.tally();
        assert_eq!((tally.answers, tally.mean_hundredths), (4, Some(366)));
        let counts = |at: usize| tally.questions[at].counts.iter().map(|c| c.count).collect::<Vec<_>>();
        assert_eq!(counts(0), [3, 1]);
        assert_eq!(counts(1), [0, 1, 0, 1, 1]);
        assert!(counts(2).is_empty() && tally.questions[2].answered == 4, "free text is never listed with the counts");
        assert_eq!(tally.questions[1].mean_hundredths, Some(366));
    }

    #[test]
    fn no_answers_have_no_mean() {
        let questions = three();
        let tally = Counter::new(&questions).tally();
        assert_eq!((tally.answers, tally.mean_hundredths), (0, None));
    }
}
