//! Who is called to a meeting, who may call whom, and when one may sign in.
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{actor::HeldSeat, ids::BodyId};

/// Signing in begins this long before the meeting.
const DOORS_OPEN: TimeDelta = TimeDelta::hours(2);
/// A meeting is called this long ahead at most.
const MAX_AHEAD: TimeDelta = TimeDelta::days(366);

/// Who belongs to a meeting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The seats of the body that calls.
    #[default]
    Members,
    /// The villagers' representatives (村民代表会议).
    Representatives,
    /// All villagers (村民会议).
    Villagers,
}

impl Audience {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Representatives => "representatives",
            Self::Villagers => "villagers",
        }
    }

    /// The audience of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Members, Self::Representatives, Self::Villagers].into_iter().find(|audience| audience.as_str() == text)
    }
}

/// How somebody was signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// By the own phone.
    Phone,
    /// On the sheet of paper at the door.
    Paper,
    /// Somebody else is there with a written proxy.
    Proxy,
}

impl Via {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Paper => "paper",
            Self::Proxy => "proxy",
        }
    }

    /// The way of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Phone, Self::Paper, Self::Proxy].into_iter().find(|via| via.as_str() == text)
    }
}

/// May a body of this kind call these people? The village meeting and its representatives are called by the village
/// committee alone (村委会组织法: the meeting is convened by the committee).
#[must_use]
pub fn may_call(body_kind: &str, audience: Audience) -> bool {
    match audience {
        Audience::Members => true,
        Audience::Representatives | Audience::Villagers => body_kind == "village_committee",
    }
}

/// Is this a time for which a meeting can be called now?
#[must_use]
pub fn can_start(starts_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    starts_at > now && starts_at <= now + MAX_AHEAD
}

/// Are the doors open?
#[must_use]
pub fn may_sign_in(starts_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now >= starts_at - DOORS_OPEN
}

/// Does a person with these seats, living in the area or not, belong to the meeting?
#[must_use]
pub fn belongs(audience: Audience, body: BodyId, area: &str, seats: &[HeldSeat], lives_in_area: bool) -> bool {
    match audience {
        Audience::Members => seats.iter().any(|seat| seat.body_id == body),
        Audience::Representatives => seats.iter().any(|seat| seat.body_kind == "representatives" && seat.covers(area)),
        Audience::Villagers => lives_in_area,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SeatId;

    const AREA: &str = "330521103202";

    fn seat(body_id: BodyId, kind: &str, area: &str) -> HeldSeat {
        HeldSeat {
            seat_id: SeatId::new(),
            body_id,
            body_kind: kind.into(),
            body_name: String::new(),
            role: "member".into(),
            areas: vec![area.into()],
        }
    }

    #[test]
    fn only_the_committee_calls_the_village() {
        for kind in ["council", "party_branch", "supervision_committee", "representatives"] {
            assert!(may_call(kind, Audience::Members));
            assert!(!may_call(kind, Audience::Villagers) && !may_call(kind, Audience::Representatives), "{kind}");
        }
        assert!(may_call("village_committee", Audience::Villagers));
    }

    #[test]
    fn who_belongs_depends_on_who_is_called() {
        let council = BodyId::new();
        let member = [seat(council, "council", AREA)];
        assert!(belongs(Audience::Members, council, AREA, &member, false));
        assert!(!belongs(Audience::Members, BodyId::new(), AREA, &member, true));
        assert!(!belongs(Audience::Representatives, council, AREA, &member, true));
        let representative = [seat(BodyId::new(), "representatives", AREA)];
        assert!(belongs(Audience::Representatives, council, AREA, &representative, true));
        let elsewhere = [seat(BodyId::new(), "representatives", "330521103203")];
        assert!(!belongs(Audience::Representatives, council, AREA, &elsewhere, true));
        assert!(belongs(Audience::Villagers, council, AREA, &[], true));
        assert!(!belongs(Audience::Villagers, council, AREA, &member, false), "a seat alone does not make a villager");
    }

    #[test]
    fn the_doors_open_two_hours_before() {
        let start = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        assert!(!may_sign_in(start, start - TimeDelta::minutes(121)));
        assert!(may_sign_in(start, start - TimeDelta::hours(2)));
        assert!(may_sign_in(start, start + TimeDelta::days(1)), "until the minutes are taken");
        assert!(can_start(start, start - TimeDelta::minutes(1)));
        assert!(!can_start(start, start) && !can_start(start, start - TimeDelta::days(400)));
    }
}
