//! Who is called to a meeting, who may call whom, and when one may sign in.
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{actor::HeldSeat, clock, ids::BodyId};

/// Signing in begins this long before the meeting.
const DOORS_OPEN: TimeDelta = TimeDelta::hours(2);
/// A meeting is called this long ahead at most.
const MAX_AHEAD: TimeDelta = TimeDelta::days(366);
/// The assembly of a collective is called this many days ahead at least.
const COLLECTIVE_DAYS: i64 = 10;
/// Representatives of a collective are more than these (农村集体经济组织法, article 28).
pub const COLLECTIVE_REPS: usize = 20;

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
    /// The villagers of one group (村民小组会议).
    Group,
}

impl Audience {
    /// All of them, in the order of a form.
    pub const ALL: [Self; 4] = [Self::Members, Self::Representatives, Self::Villagers, Self::Group];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Representatives => "representatives",
            Self::Villagers => "villagers",
            Self::Group => "group",
        }
    }

    /// The audience of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|audience| audience.as_str() == text)
    }

    /// Is it an assembly, which decides by its vote and not by hands in a hall?
    #[must_use]
    pub fn is_assembly(self) -> bool {
        matches!(self, Self::Villagers | Self::Group)
    }
}

/// What a council meets about (参事会的三类会务).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Business {
    /// 政务建议: advice to town and county; what is resolved goes to the town's office.
    GovernmentAdvice,
    /// 村务审议: deliberation of a matter of the village.
    VillageReview,
    /// 会务自治: the council's own affairs; never about a matter of the village.
    OwnAffairs,
}

impl Business {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::GovernmentAdvice, Self::VillageReview, Self::OwnAffairs];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GovernmentAdvice => "government_advice",
            Self::VillageReview => "village_review",
            Self::OwnAffairs => "own_affairs",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|business| business.as_str() == text)
    }

    /// May a body of this kind meet about it, and be it about a matter?
    #[must_use]
    pub fn fits(self, body_kind: &str, is_about_matter: bool) -> bool {
        matches!(body_kind, "council" | "federation" | "joint_meeting")
            && !(self == Self::OwnAffairs && is_about_matter)
    }
}

/// Are enough there? More than half of a body's members; of the representatives two thirds (组织法, article 30), so of a
/// collective and its board (农村集体经济组织法, articles 27 and 31). The villagers' own meeting is counted by its vote.
#[must_use]
pub fn is_quorate(called: (&str, Audience), entitled: u64, present: u64) -> bool {
    present >= quorum(called, entitled)
}

/// How many must be there, of those whom this kind of body calls.
#[must_use]
pub fn quorum((body_kind, audience): (&str, Audience), entitled: u64) -> u64 {
    let two_thirds = (entitled * 2).div_ceil(3).max(1);
    match audience {
        Audience::Representatives | Audience::Group => two_thirds,
        Audience::Members if matches!(body_kind, "collective" | "collective_board") => two_thirds,
        Audience::Members | Audience::Villagers => entitled / 2 + 1,
    }
}

/// Is it called later than the law lets it? All members of a collective are told ten days ahead (农村集体经济组织法, article
/// 27).
#[must_use]
pub fn is_short_notice(body_kind: &str, (now, starts_at): (DateTime<Utc>, DateTime<Utc>)) -> bool {
    let days = clock::local_date(starts_at) - clock::local_date(now);
    body_kind == "collective" && days < TimeDelta::days(COLLECTIVE_DAYS)
}

/// Was a resolution carried? Not where nobody counted. A branch of the party decides by more than half of all its members; so
/// does the board of a collective, with two thirds of them there; its members and their representatives, of whom there are more
/// than twenty, decide by two thirds of them all; everybody else by more than half of those who are there.
#[must_use]
pub fn is_carried(body_kind: &str, votes_for: Option<u64>, entitled: u64, present: u64) -> bool {
    let (Some(votes), all) = (votes_for, entitled.max(present)) else { return false };
    match body_kind {
        "party_branch" => votes * 2 > all,
        "collective_board" => present * 3 >= all * 2 && votes * 2 > all,
        "collective" => votes * 3 >= all * 2,
        "collective_reps" => all > COLLECTIVE_REPS as u64 && votes * 3 >= all * 2,
        _ => votes * 2 > present,
    }
}

/// How somebody was signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// By the own phone.
    Phone,
    /// By the own phone, with the code on the screen at the door.
    Door,
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
            Self::Door => "door",
            Self::Paper => "paper",
            Self::Proxy => "proxy",
        }
    }

    /// The way of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Phone, Self::Door, Self::Paper, Self::Proxy].into_iter().find(|via| via.as_str() == text)
    }
}

/// May a body of this kind call these people? The village meeting, its representatives and a group of it are called by the
/// village committee alone (村委会组织法: the meeting is convened by the committee; a group has no office here).
#[must_use]
pub fn may_call(body_kind: &str, audience: Audience) -> bool {
    match audience {
        Audience::Members => true,
        Audience::Representatives | Audience::Villagers | Audience::Group => body_kind == "village_committee",
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

/// What a person is, where it is asked whether a meeting is theirs.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    /// The seats held.
    pub seats: &'a [HeldSeat],
    /// Belongs to the body that calls, without a seat.
    pub is_member: bool,
    /// Lives in the area; of a group's meeting, belongs to the group.
    pub lives_there: bool,
}

/// Does this person belong to the meeting?
#[must_use]
pub fn belongs(audience: Audience, body: BodyId, area: &str, who: Who) -> bool {
    let Who { seats, is_member, lives_there } = who;
    match audience {
        Audience::Members => is_member || seats.iter().any(|seat| seat.body_id == body),
        Audience::Representatives => seats.iter().any(|seat| seat.body_kind == "representatives" && seat.covers(area)),
        Audience::Villagers | Audience::Group => lives_there,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: &str = "330521103202";

    fn seat(body_id: BodyId, kind: &str, area: &str) -> HeldSeat {
        HeldSeat { body_id, ..HeldSeat::made_up(kind, "member", area) }
    }

    #[test]
    fn only_the_committee_calls_the_village() {
        for kind in ["council", "party_branch", "supervision_committee", "representatives"] {
            assert!(may_call(kind, Audience::Members));
            for audience in [Audience::Representatives, Audience::Villagers, Audience::Group] {
                assert!(!may_call(kind, audience), "{kind}");
            }
        }
        assert!(may_call("village_committee", Audience::Villagers) && may_call("village_committee", Audience::Group));
        assert!(Audience::ALL.iter().all(|one| Audience::parse(one.as_str()) == Some(*one)));
    }

    #[test]
    fn who_belongs_depends_on_who_is_called() {
        let council = BodyId::new();
        let member = [seat(council, "council", AREA)];
        let who = |seats, is_member, lives_there| Who { seats, is_member, lives_there };
        assert!(belongs(Audience::Members, council, AREA, who(&member, false, false)));
        assert!(!belongs(Audience::Members, BodyId::new(), AREA, who(&member, false, true)));
        assert!(belongs(Audience::Members, council, AREA, who(&[], true, false)), "without a seat");
        assert!(!belongs(Audience::Representatives, council, AREA, who(&member, true, true)));
        let representative = [seat(BodyId::new(), "representatives", AREA)];
        assert!(belongs(Audience::Representatives, council, AREA, who(&representative, false, true)));
        let elsewhere = [seat(BodyId::new(), "representatives", "330521103203")];
        assert!(!belongs(Audience::Representatives, council, AREA, who(&elsewhere, false, true)));
        assert!(belongs(Audience::Villagers, council, AREA, who(&[], false, true)));
        assert!(!belongs(Audience::Villagers, council, AREA, who(&member, true, false)), "a seat makes no villager");
    }

    #[test]
    fn more_than_half_must_be_there_and_two_thirds_of_the_representatives() {
        let members = ("council", Audience::Members);
        for (entitled, need) in [(1, 1), (2, 2), (3, 2), (4, 3), (7, 4)] {
            assert_eq!(quorum(members, entitled), need, "of {entitled}");
            assert!(!is_quorate(members, entitled, need - 1));
        }
        for (entitled, need) in [(0, 1), (1, 1), (3, 2), (4, 3), (21, 14), (22, 15)] {
            assert_eq!(quorum(("village_committee", Audience::Representatives), entitled), need, "of {entitled}");
            assert_eq!(quorum(("collective", Audience::Members), entitled), need, "of {entitled}");
            assert_eq!(quorum(("collective_board", Audience::Members), entitled), need, "of {entitled}");
        }
    }

    #[test]
    fn all_members_of_a_collective_are_told_ten_days_ahead() {
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let in_days = |days| (now, now + TimeDelta::days(days));
        assert!(is_short_notice("collective", in_days(9)) && !is_short_notice("collective", in_days(10)));
        assert!(!is_short_notice("collective_board", in_days(1)) && !is_short_notice("council", in_days(1)));
    }

    #[test]
    fn half_does_not_carry_and_the_party_counts_all_its_members() {
        assert!(!is_carried("council", None, 9, 5) && !is_carried("party_branch", None, 1, 1), "nobody counted");
        assert!(is_carried("council", Some(3), 9, 5) && !is_carried("council", Some(2), 9, 4));
        assert!(is_carried("party_branch", Some(5), 9, 5) && !is_carried("party_branch", Some(4), 9, 5));
        assert!(is_carried("collective_board", Some(5), 9, 6) && !is_carried("collective_board", Some(5), 9, 5));
        assert!(is_carried("collective", Some(6), 9, 6) && !is_carried("collective", Some(5), 9, 9));
        assert!(is_carried("collective_reps", Some(14), 21, 14) && !is_carried("collective_reps", Some(13), 21, 21));
        assert!(!is_carried("collective_reps", Some(20), 20, 20), "too few of them");
    }

    #[test]
    fn own_affairs_are_about_no_matter_and_only_councils_have_such_business() {
        assert!(Business::ALL.iter().all(|one| Business::parse(one.as_str()) == Some(*one)));
        assert!(Business::OwnAffairs.fits("council", false) && !Business::OwnAffairs.fits("council", true));
        assert!(Business::VillageReview.fits("council", true) && !Business::VillageReview.fits("party_branch", true));
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
