//! Until when a voice is accepted and answered: what is dangerous within hours, a broken line within a day, the rest within
//! working days.
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    clocks,
    rules::{self, Category, SuggestionKind},
};
use crate::store::Tx;

/// How it presses, as its author says, unless whoever answers it says otherwise.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// It can wait for a working day.
    #[default]
    Ordinary,
    /// Somebody may come to harm.
    Urgent,
}

/// How long something may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// By the clock, on holidays too.
    Hours(i64),
    /// To the end of a working day.
    WorkingDays(u32),
}

/// What is promised for a voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Promise {
    pub(super) accept: Wait,
    pub(super) answer: Wait,
}

/// The promise: urgent 2 hours and a day, a fault of water, power or gas a day, the rest 2 and 7 working days; a praise asks
/// for nothing.
pub(super) fn promise(kind: SuggestionKind, category: Category, urgency: Urgency) -> Promise {
    let is_fault = matches!(kind, SuggestionKind::Help | SuggestionKind::Complaint);
    match (urgency, category) {
        (Urgency::Urgent, _) => Promise { accept: Wait::Hours(2), answer: Wait::Hours(24) },
        (_, Category::Utilities) if is_fault => Promise { accept: Wait::Hours(24), answer: Wait::Hours(24) },
        _ => Promise {
            accept: Wait::WorkingDays(rules::ACCEPT_WORKING_DAYS),
            answer: Wait::WorkingDays(rules::answer_working_days(kind)),
        },
    }
}

impl Wait {
    /// The moment at which it is over, from now.
    pub(super) fn until(self, tx: &Tx) -> DateTime<Utc> {
        self.after(tx, tx.now())
    }

    /// The same, from another moment.
    pub(super) fn after(self, tx: &Tx, from: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Hours(hours) => from + TimeDelta::hours(hours),
            Self::WorkingDays(days) => tx.calendar().add_working_days(from, days),
        }
    }

    /// When whoever must keep it is reminded: when half of the hours that are left have passed, or so many working days
    /// before.
    pub(super) fn reminder(self, tx: &Tx, (due_at, days): (DateTime<Utc>, u32)) -> Option<DateTime<Utc>> {
        match self {
            Self::Hours(_) => (due_at > tx.now()).then(|| tx.now() + (due_at - tx.now()) / 2),
            Self::WorkingDays(_) => clocks::warning(tx, due_at, days),
        }
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::Iterable;

    use super::*;

    #[test]
    fn what_presses_is_promised_in_hours_and_the_rest_in_working_days() {
        for (kind, category) in SuggestionKind::iter().flat_map(|kind| Category::iter().map(move |one| (kind, one))) {
            let urgent = promise(kind, category, Urgency::Urgent);
            assert_eq!((urgent.accept, urgent.answer), (Wait::Hours(2), Wait::Hours(24)));
            let ordinary = promise(kind, category, Urgency::Ordinary);
            let is_fault =
                category == Category::Utilities && matches!(kind, SuggestionKind::Help | SuggestionKind::Complaint);
            assert_eq!(ordinary.answer == Wait::Hours(24), is_fault, "{kind:?} {category:?}");
            if !is_fault {
                let days = if kind == SuggestionKind::Praise { 15 } else { 7 };
                assert_eq!((ordinary.accept, ordinary.answer), (Wait::WorkingDays(2), Wait::WorkingDays(days)));
            }
        }
    }
}
