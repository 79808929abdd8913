//! The table of personal fields, and the words of consents, closings and corrections: pure.
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text;

/// Every column of the schema; a test walks the real one.
const FIELDS: &str = include_str!("fields.csv");
/// What stands for "not personal".
const NONE: &str = "-";
/// Days for thinking better of it; with it, a closing is done well within the 15 working days that are promised.
pub(super) const CLOSING_DAYS: i64 = 7;
/// Working days in which the office answers a wish for a correction.
pub(super) const CORRECTION_WORKING_DAYS: u32 = 15;
/// Which text of the privacy page a consent was given to.
pub const VERSION: &str = "2026-11";

/// One line of the table: a column, and why it is there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FieldRule {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// What it says about a person; `-` nothing; `self`: whose row it is; `act`: who did it; `about`: of whom
    /// somebody spoke in confidence, which that person is not told, neither the row nor how many there are.
    pub kind: String,
    /// What for.
    pub purpose: String,
    /// By which right: duty (a task by law), consent.
    pub basis: String,
    /// How long.
    pub retention: String,
    /// clear, sealed, digest.
    pub kept: String,
}

impl FieldRule {
    /// Does it say anything about a person?
    #[must_use]
    pub fn is_personal(&self) -> bool {
        self.kind != NONE
    }
}

/// The whole table.
///
/// # Errors
/// When a line of it is not well formed.
pub fn fields() -> Result<Vec<FieldRule>, csv::Error> {
    csv::Reader::from_reader(FIELDS.as_bytes()).deserialize().collect()
}

/// A line of the table as people read it: several columns may be one to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShownField {
    /// What is kept.
    pub what: String,
    /// What for.
    pub purpose: String,
    /// By which right.
    pub basis: String,
    /// How long.
    pub retention: String,
    /// How it is kept.
    pub kept: String,
}

/// The table as people read it.
///
/// # Errors
/// As [`fields`].
pub fn shown_fields() -> Result<Vec<ShownField>, csv::Error> {
    let mut shown = Vec::new();
    for field in fields()?.into_iter().filter(FieldRule::is_personal) {
        let word = |part: &str, code: &str| text::word(&format!("privacy-{part}"), code);
        let line = ShownField {
            what: word("kind", &field.kind),
            purpose: word("purpose", &field.purpose),
            basis: word("basis", &field.basis),
            retention: word("retention", &field.retention),
            kept: word("kept", &field.kept),
        };
        if !shown.contains(&line) {
            shown.push(line);
        }
    }
    shown.sort_by(|one, other| one.what.cmp(&other.what));
    Ok(shown)
}

/// Declares a word kept as text.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident,)+ }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum,
        )]
        #[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$each])* $variant),+ }
    };
}

word! {
    /// What a consent is for; tasks that the law gives the village need none.
    ConsentPurpose {
        /// Being told by SMS of what one need not be told.
        SmsNotices,
        /// Keeping the own voice clips, which tell who speaks. Withdrawing makes them unreadable.
        VoiceClips,
    }
}

word! {
    /// How far a closing has come.
    ClosingState {
        /// Its days run.
        Waiting,
        /// The owner thought better of it.
        Cancelled,
        /// The account is closed; its destroyed keys are not yet out of the database's files.
        Clearing,
        /// The account is closed, and nothing of its keys is left; its files are still to be taken away.
        Removing,
        /// The account is closed, and nothing of its keys and files is left.
        Done,
        /// It could not be closed: its owner had taken a seat.
        Held,
    }
}

word! {
    /// What is wrong on the roster.
    CorrectionField {
        /// 姓名
        Name,
        /// 性别
        Sex,
        /// 出生日期
        BirthDate,
        /// 身份证号
        IdNumber,
        /// 户
        Household,
        /// 是否在册、常住
        Residence,
        /// 其他
        Other,
    }
}

word! {
    /// How far a correction has come.
    CorrectionState {
        /// The office must decide.
        Waiting,
        /// It was put right.
        Done,
        /// It was not.
        Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_table_is_there_to_be_read() {
        let mut missing = Vec::new();
        for field in fields().unwrap().into_iter().filter(FieldRule::is_personal) {
            let parts = [
                ("kind", &field.kind),
                ("purpose", &field.purpose),
                ("basis", &field.basis),
                ("retention", &field.retention),
                ("kept", &field.kept),
            ];
            for (part, code) in parts {
                let key = format!("privacy-{part}-{}", code.replace('_', "-"));
                if !text::knows(&key) {
                    missing.push(key);
                }
            }
        }
        missing.sort();
        missing.dedup();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(shown_fields().unwrap().len() > 15);
    }

    #[test]
    fn what_is_nothing_personal_has_no_purpose_either() {
        for field in fields().unwrap() {
            let others = [&field.purpose, &field.basis, &field.retention];
            assert!(others.iter().all(|other| (*other == NONE) != field.is_personal()), "{field:?}");
            assert!(["clear", "sealed", "digest", "sealed_if_private"].contains(&field.kept.as_str()), "{field:?}");
            let is_sealed = field.column.ends_with("sealed") || field.column == "wrapped";
            assert!(!is_sealed || field.kept == "sealed", "{field:?}");
            assert!(!field.column.ends_with("_hmac") || field.kept == "digest", "{field:?}");
        }
    }
}
