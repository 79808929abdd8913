//! How a council's member came to the seat: recommended, checked by the party organisation, publicised.
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{rows::seat, rules::BodyKind};
use crate::error::Checks;

/// Who recommended a council's member, and when it went on. Written down by who fills the seat; public as the seat is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nomination {
    /// Who recommended, in words; 200 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub recommended_by: Option<String>,
    /// The day of the nomination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nominated_on: Option<NaiveDate>,
    /// The day on which the village's party organisation had checked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_on: Option<NaiveDate>,
    /// The first day on which it was publicised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publicised_on: Option<NaiveDate>,
}

impl Nomination {
    /// That of a seat; nothing when nothing was written down.
    pub(super) fn of(row: &seat::Model) -> Option<Self> {
        let kept = Self {
            recommended_by: row.recommended_by.clone(),
            nominated_on: row.nominated_on,
            checked_on: row.checked_on,
            publicised_on: row.publicised_on,
        };
        (kept != Self::default()).then_some(kept)
    }

    /// Only of a council's member, and one step after the other, before the seat begins.
    pub(super) fn check(&self, checks: &mut Checks, (kind, starts_on): (BodyKind, NaiveDate)) {
        checks.require(kind == BodyKind::Council || *self == Self::default(), "nomination", "role_unfit");
        checks.text("nomination.recommended_by", self.recommended_by.as_deref().unwrap_or_default(), 0..=200);
        let steps = [
            ("nomination.nominated_on", self.nominated_on),
            ("nomination.checked_on", self.checked_on),
            ("nomination.publicised_on", self.publicised_on),
        ];
        let mut before: Option<NaiveDate> = None;
        for (field, day) in steps {
            let Some(day) = day else { continue };
            checks.day(field, day);
            checks.require(day <= starts_on && before.is_none_or(|before| before <= day), field, "steps_out_of_order");
            before = Some(day);
        }
    }
}
