//! 留言 (百姓留声室): one person's voice, which somebody must answer.
//!
//! Always true: text, place and author are written once and never changed, merged or taken away; a voice that joins a
//! matter stays whole; there is always a body responsible, and both deadlines are working days stored with the calendar
//! they were computed from; whoever may not see a voice is told that it is not there; what is not public is shown to a
//! handler only after the opening was written down, and the author sees who opened it; lists never show its words; its
//! words, its answers and its thread are kept sealed by a key that is destroyed with the author's account.
//! Whoever runs the county opens one only with a reason, which the author reads, too, and until midnight.
//! An answer is written, spoken, or both, and its words may answer several at once, each as its own; its clip is heard by whoever may read it, and destroyed with a private voice.
//! Nobody answers the own voice; only the author rates the answer, or is called back where it was taken down, by who neither took
//! it down nor answered it; "not solved" opens it again, also for 30 days after it was rated as solved. Said twice, it takes it to the office above, which alone answers it from then on. Before a deadline the body responsible is reminded; what is late is
//! told to the office above, and three working days later to the one above that, by number and kind and without a word of it.
//! The body responsible may pass it on: it stays responsible until the other takes it, deadlines go on, and who does not take
//! it names who should; only then thread and rights go along. What is for the town alone comes back to no body of the village.
//! Others may be asked for their part, and say what they did: the body responsible stays the one owner, and its answer ends
//! what is still asked.
//! Whom a voice is about never learns of it, and neither do the bodies in which they sit: it is never public, begins with the
//! nearest office above them, joins no matter, is told to those who speak for a body each by themselves, and is in no figures.
//! Who is to take what is dangerous is told by day and by night, until it is taken, or whoever answers it says to its author why it
//! is ordinary: then it keeps the promises of an ordinary one, and what was late stays on record. What is dangerous is promised in hours, a broken line in a day, the rest in working days; what is hard gets fifteen, once,
//! from the office above. What its author had erased waits for nobody.
//! A public voice may be hidden by who answers it, with a reason, from everybody but its author; nothing of it is taken away, its
//! clocks go on, and its author objects once to the office above, which hears and sees all of it; what that says nothing to for
//! five working days goes one higher, and what is shown after its word stays shown; that its photos stay hidden says nothing of
//! the words, which may be hidden, too, for a reason of their own. Words of the list hold one so until somebody
//! has looked, and so do photos and clips where the village, or an office above it, says so.
//! Who lives in the village may stand behind a public voice, once; the voice stays its author's. When as many do as the law asks
//! for before a meeting must be called, the committee hears of it, once. Photos of what was signed on paper are for who answers
//! the voice; whoever opens them is written down first.
//! Its author takes back what nobody else stands behind and no matter took up, until it is answered: it stays as it is, waits for
//! nobody, and is in no figures of how well it was answered.
//! Tables owned: `suggestions`, `suggestion_answers`, `suggestion_readings`, `suggestion_cosigns`, `cosign_sheets`, `thresholds`,
//! `suggestion_referrals`, `suggestion_routes`, `suggestion_extensions`, `suggestion_assists`, `suggestion_hidings`,
//! `media_reviews`, `suggestion_withdrawals`,
//! `suggestion_downgrades`. Events recorded: `suggestion.*`.
//!
//! # Why
//! A voice for the town alone is the town office's to answer: were the village's committee responsible, it would be on
//! nobody's list. A thread's messages are read in the stream, where single reads leave no trace; therefore a handler gets
//! into the thread of a voice that is not public only by opening the voice, and out of it with the seat.
mod about;
mod answers;
pub mod asked;
pub mod assists;
mod authors;
pub mod by_body;
mod clocks;
pub mod commands;
mod cosign_sheets;
mod cosigns;
pub mod downgrades;
mod escalation;
pub mod extensions;
mod figures;
pub mod hidings;
mod http;
mod inspections;
pub mod leaving;
pub mod media_review;
mod offers;
mod pressing;
mod promises;
pub mod queries;
mod reactions;
mod readings;
pub mod referrals;
pub mod routing;
mod rows;
mod rules;
mod served;
mod silence;
mod similar;
mod support;
pub mod withdrawals;
mod words;

pub use self::{
    answers::answers_to,
    authors::{author_of, authors_in, is_hidden},
    commands::{AnswerSuggestion, AssignSuggestion, RateSuggestion, SpeakAnswer, SubmitSuggestion},
    cosign_sheets::{CosignSheetView, WriteDownCosigns, kept as kept_sheets, write_down},
    cosigns::{Cosign, behind, cosign},
    figures::{Figures, Waiting, figures, waiting_by_area},
    http::routes,
    inspections::{Inspect, Inspected, InspectedVoice, InspectionView, inspect, inspected, inspections},
    pressing::{is_pressing, takers},
    promises::Urgency,
    queries::{SuggestionAnswerView, SuggestionReadingView, SuggestionSummary, SuggestionView},
    reactions::REACTIONS,
    readings::{is_open_to_code, open_by_code},
    rows::suggestion::Model as Suggestion,
    rules::{
        AnswerOutcome, Category, Deadline, HidingState, ReplyWish, Step, SuggestionKind, SuggestionState, Visibility,
    },
    served::{Served, served},
    similar::{AboutToSay, SimilarVoice, similar},
    support::{SupportView, ThresholdView, support},
    words::erase_of,
};
