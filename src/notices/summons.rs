//! What a version asks of residents: whom, until when, and when they are reminded first.
use chrono::{DateTime, NaiveDate, Utc};

use super::{
    audience::{self, Asked},
    rows::notice,
    rules,
};
use crate::{
    areas, clock,
    error::{Checks, Result},
    store::Tx,
};

/// Who is asked to confirm a version, and until when; nobody, for a notice that asks nobody.
#[derive(Default)]
pub(super) struct Summons {
    /// The people of a village; of a notice from above each village's are found one after another.
    pub(super) people: Option<Vec<Asked>>,
    /// The villages that ask theirs.
    pub(super) villages: Vec<String>,
    pub(super) confirm_by: Option<DateTime<Utc>>,
    pub(super) remind_at: Option<DateTime<Utc>>,
}

impl Summons {
    /// How many, where that is known already.
    pub(super) fn size(&self) -> Option<i32> {
        self.people.as_ref().and_then(|people| i32::try_from(people.len()).ok())
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
    let remind_at = confirm_by.and_then(|by| rules::ladder(now, by).first().map(|rung| rung.at));
    let (people, villages) = if rules::is_village(area) {
        (Some(audience::of(tx, area, clock::local_date(now)).await?), vec![area.to_owned()])
    } else {
        (None, areas::queries::villages_below(tx, area).await?)
    };
    Ok(Summons { people, villages, confirm_by, remind_at })
}

/// The day that lies as far ahead as the last day did when the old version was published.
pub(super) fn as_long(old: &notice::Model, now: DateTime<Utc>) -> Option<NaiveDate> {
    let last = clock::last_day(old.confirm_by?);
    Some(clock::local_date(now) + (last - clock::local_date(old.published_at)))
}
