//! What a version asks of residents: whom, until when, and when they are reminded first.
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{
    audience::{self, Asked},
    rows::notice,
    rules,
};
use crate::{
    clock,
    error::{Checks, Result},
    store::Tx,
};

/// Who is asked to confirm a version, and until when; nobody, for a notice that asks nobody.
#[derive(Default)]
pub(super) struct Summons {
    pub(super) people: Vec<Asked>,
    pub(super) confirm_by: Option<DateTime<Utc>>,
    pub(super) remind_at: Option<DateTime<Utc>>,
}

impl Summons {
    /// How many.
    pub(super) fn size(&self) -> Option<i32> {
        self.confirm_by.and_then(|_| i32::try_from(self.people.len()).ok())
    }
}

/// Who is to be asked now, and until when.
pub(super) async fn summons(
    tx: &Tx,
    (area, must_read): (&str, bool),
    (period, wanted): (rules::Period, Option<NaiveDate>),
) -> Result<Summons> {
    if !must_read {
        return Ok(Summons::default());
    }
    let now = tx.now();
    let confirm_by = rules::confirm_by(period, now, wanted);
    let mut checks = Checks::default();
    checks.require(confirm_by.is_some(), "confirm_by", "out_of_range");
    checks.done()?;
    let people = audience::of(tx, area, clock::local_date(now)).await?;
    let remind_at = confirm_by.and_then(|by| rules::ladder(now, by).first().map(|rung| rung.at));
    Ok(Summons { people, confirm_by, remind_at })
}

/// The day that lies as far ahead as the last day did when the old version was published.
pub(super) fn as_long(old: &notice::Model, now: DateTime<Utc>) -> Option<NaiveDate> {
    let last = clock::local_date(old.confirm_by? - TimeDelta::milliseconds(1));
    Some(clock::local_date(now) + (last - clock::local_date(old.published_at)))
}
