//! Who may cast for an elector, how many times and until when; whose ballot takes the place of whose.
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock;

/// The rank of a proxy: after the elector (0) and the alternates of a household (1, 2).
pub const PROXY_RANK: i32 = 3;

/// What the law says of proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProxyRule {
    /// One person casts for so many others at most.
    pub max_principals: u32,
    /// So many days lie between the naming and the last day of the vote; the first is not counted (civil code, 201).
    pub days_before: u32,
    /// Who may be one.
    pub who: Who,
}

/// Who may be a proxy, always of those on the roll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// 近亲属: spouse, parents and children, brothers and sisters, grandparents and grandchildren.
    NearKin,
    /// Of the same household on the roster.
    SameHousehold,
    /// Any other elector of the village.
    AnyElector,
}

/// What the proxy is to the elector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// 配偶
    Spouse,
    /// 父母
    Parent,
    /// 子女
    Child,
    /// 兄弟姐妹
    Sibling,
    /// 祖父母、外祖父母
    Grandparent,
    /// 孙子女、外孙子女
    Grandchild,
    /// 其他村民
    Other,
}

impl Relation {
    /// All of them, in the order of a form.
    pub const ALL: [Self; 7] =
        [Self::Spouse, Self::Parent, Self::Child, Self::Sibling, Self::Grandparent, Self::Grandchild, Self::Other];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spouse => "spouse",
            Self::Parent => "parent",
            Self::Child => "child",
            Self::Sibling => "sibling",
            Self::Grandparent => "grandparent",
            Self::Grandchild => "grandchild",
            Self::Other => "other",
        }
    }
}

impl ProxyRule {
    /// May somebody of this relation be one? Whether the relation is true is for who checks it.
    #[must_use]
    pub fn fits(&self, relation: Relation, is_same_household: bool) -> bool {
        match self.who {
            Who::NearKin => relation != Relation::Other,
            Who::SameHousehold => is_same_household,
            Who::AnyElector => true,
        }
    }

    /// Proxies are named and checked before this moment: of a vote that ends on the 10th, with three days before, until the
    /// end of the 7th.
    #[must_use]
    pub fn until(&self, closes_at: DateTime<Utc>) -> DateTime<Utc> {
        let last = clock::last_day(closes_at);
        clock::start_of_day(last - TimeDelta::days(i64::from(self.days_before)) + TimeDelta::days(1))
    }
}

/// May a ballot of somebody of this rank take the place of one that is there, cast by somebody of that rank? Never before
/// one's own: who acted oneself, or comes before, stands.
#[must_use]
pub fn may_replace(rank: i32, there: i32, allows_revote: bool) -> bool {
    allows_revote && rank <= there
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::votes::rules::presets;

    fn rule(who: Who) -> ProxyRule {
        ProxyRule { max_principals: 3, days_before: 3, who }
    }

    #[test]
    fn the_days_lie_between_the_naming_and_the_last_day() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let end = at("2026-11-08T00:00:00+08:00");
        for closes in ["2026-11-10T19:00:00+08:00", "2026-11-10T00:00:00.001+08:00", "2026-11-11T00:00:00+08:00"] {
            assert_eq!(rule(Who::AnyElector).until(at(closes)), end, "{closes}");
        }
    }

    #[test]
    fn who_may_be_one_is_what_the_rule_says() {
        for (who, kin, neighbour, daughter_in_law) in [
            (Who::NearKin, true, false, false),
            (Who::SameHousehold, false, false, true),
            (Who::AnyElector, true, true, true),
        ] {
            assert_eq!(rule(who).fits(Relation::Sibling, false), kin, "{who:?}");
            assert_eq!(rule(who).fits(Relation::Other, false), neighbour, "{who:?}");
            assert_eq!(rule(who).fits(Relation::Other, true), daughter_in_law, "{who:?}");
        }
    }

    #[test]
    fn nobody_replaces_who_comes_before() {
        assert!(may_replace(0, PROXY_RANK, true), "the elector after the proxy");
        assert!(may_replace(0, 0, true) && may_replace(2, 2, true), "one's own");
        assert!(!may_replace(PROXY_RANK, 0, true), "the proxy after the elector");
        assert!(!may_replace(2, 1, true) && !may_replace(0, PROXY_RANK, false));
    }

    #[test]
    fn households_and_seats_have_no_proxies() {
        use crate::votes::rules::Unit;
        for (id, preset) in presets() {
            let is_of_people = matches!(preset.unit, Unit::Person | Unit::Elector | Unit::Member);
            assert!(preset.proxy.is_none() || is_of_people, "{id}");
            assert!(preset.proxy.is_none_or(|rule| rule.max_principals == 3 && rule.days_before == 3), "{id}");
        }
    }
}
