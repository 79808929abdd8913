//! Whose turn it is, and who may do what in a joint meeting: pure.
use chrono::{Datelike, NaiveDate};
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    actor::Actor,
    bodies::{Right, may, queries::Body},
    ids::PersonId,
};

/// Villages that one item or one task names at most: those of a county, and what one unit of work can do.
pub(super) const MAX_VILLAGES: usize = 200;

/// How often another of the members leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// After each meeting.
    Meeting,
    /// With each month.
    Month,
    /// With each quarter of the year.
    Quarter,
}

impl Rotation {
    /// All of them, in the order of a form.
    pub const ALL: [Self; 3] = [Self::Meeting, Self::Month, Self::Quarter];

    /// On which day the turn of this day began by the calendar; none where it goes by meetings.
    pub(super) fn began(self, day: NaiveDate) -> Option<NaiveDate> {
        let month = match self {
            Self::Meeting => return None,
            Self::Month => day.month0(),
            Self::Quarter => day.month0() / 3 * 3,
        };
        NaiveDate::from_ymd_opt(day.year(), month + 1, 1)
    }

    /// How many turns have gone by from one day to another by the calendar alone.
    fn turns(self, from: NaiveDate, to: NaiveDate) -> usize {
        let months = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month0());
        let gone = match self {
            Self::Meeting => 0,
            Self::Month => months(to) - months(from),
            Self::Quarter => months(to) / 3 - months(from) / 3,
        };
        usize::try_from(gone).unwrap_or_default()
    }
}

/// Whose turn it is today, of the members in their order, when on a day it was this one's. Whoever is no member any more leaves
/// the turn to the first.
#[must_use]
pub fn leads(
    order: &[PersonId],
    (last, since): (PersonId, NaiveDate),
    (rotation, today): (Rotation, NaiveDate),
) -> Option<PersonId> {
    let Some(place) = order.iter().position(|one| *one == last) else { return order.first().copied() };
    order.get((place + rotation.turns(since, today)) % order.len()).copied()
}

/// Who comes after this one.
#[must_use]
pub fn next(order: &[PersonId], now: PersonId) -> Option<PersonId> {
    let place = order.iter().position(|one| *one == now).map_or(0, |place| place + 1);
    order.get(place % order.len().max(1)).copied()
}

/// Who leads it by the seat, and who fills its seats.
#[must_use]
pub fn convenes(actor: &Actor, body: &Body) -> bool {
    let leads = |role: &str| matches!(role, "chair" | "vice_chair");
    actor.seats.iter().any(|seat| seat.body_id == body.id && leads(&seat.role)) || fills(actor, body)
}

/// Who fills its seats.
#[must_use]
pub fn fills(actor: &Actor, body: &Body) -> bool {
    !body.areas.is_empty() && body.areas.iter().all(|area| may(actor, Right::ManageBodies, area))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_turn_begins_with_its_month_or_quarter() {
        let began = |rotation: Rotation, on: &str| rotation.began(day(on)).map(|day| day.to_string());
        assert_eq!(began(Rotation::Meeting, "2026-11-30"), None);
        assert_eq!(began(Rotation::Month, "2026-12-31").as_deref(), Some("2026-12-01"));
        assert_eq!(began(Rotation::Quarter, "2026-12-31").as_deref(), Some("2026-10-01"));
        assert_eq!(began(Rotation::Quarter, "2027-01-01").as_deref(), Some("2027-01-01"));
    }

    #[test]
    fn turns_go_round_with_months_and_quarters_and_by_hand() {
        let order = [PersonId::new(), PersonId::new(), PersonId::new()];
        let on = |rotation, today: &str| leads(&order, (order[0], day("2026-11-30")), (rotation, day(today)));
        assert_eq!(on(Rotation::Meeting, "2027-11-30"), Some(order[0]), "after a meeting alone");
        assert_eq!(on(Rotation::Month, "2026-11-30"), Some(order[0]));
        assert_eq!(on(Rotation::Month, "2026-12-01"), Some(order[1]));
        assert_eq!(on(Rotation::Month, "2027-02-01"), Some(order[0]), "round");
        assert_eq!(on(Rotation::Quarter, "2026-12-31"), Some(order[0]));
        assert_eq!(on(Rotation::Quarter, "2027-01-01"), Some(order[1]));
        assert_eq!(on(Rotation::Month, "2026-10-01"), Some(order[0]), "a clock that was set back");
        assert_eq!(next(&order, order[2]), Some(order[0]));
        let gone = (PersonId::new(), day("2026-11-30"));
        assert_eq!(leads(&order, gone, (Rotation::Month, day("2027-02-01"))), Some(order[0]), "who left");
        assert_eq!(leads(&[], gone, (Rotation::Month, day("2027-02-01"))), None);
        assert_eq!(next(&[], order[0]), None);
    }
}
