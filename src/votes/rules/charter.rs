//! What the charter of a body says of its own votes: shares in the place of a preset's; pure.
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Basis, Preset, Share};

/// A share with a greater denominator is a slip of the pen.
const MOST_PARTS: u64 = 100;

/// Where a charter speaks of such a vote, and what it asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CharterRule {
    /// Where it says so, e.g. 章程第九条. 2 to 60 characters.
    #[schema(min_length = 2, max_length = 60)]
    pub article: String,
    /// Which share of the members must take part; any number of them when absent.
    #[serde(default)]
    pub quorum: Option<Share>,
    /// Which share must agree, of all members or of those who take part: half at least.
    pub passing: Share,
}

impl CharterRule {
    /// A share of all members that can be reached.
    #[must_use]
    pub fn is_quorum_sound(&self) -> bool {
        self.quorum.is_none_or(|share| share.basis == Basis::OnRoll && is_share(share))
    }

    /// A share that can be reached, and never by fewer than say otherwise.
    #[must_use]
    pub fn is_passing_sound(&self) -> bool {
        is_share(self.passing) && self.passing.num * 2 >= self.passing.den
    }

    /// The preset with these shares, and `law` for its article.
    #[must_use]
    pub fn applied(&self, preset: &Preset, law: String) -> Preset {
        Preset { law, quorum: self.quorum, passing: Some(self.passing), ..preset.clone() }
    }
}

/// All of a whole can be reached, and not exceeded.
fn is_share(share: Share) -> bool {
    let Share { num, den, strict, .. } = share;
    num > 0 && den <= MOST_PARTS && (num < den || (num == den && !strict))
}

/// As a form says it: `E2/3`, at least two thirds of the roll; `P>1/2`, more than half of those who take part.
impl FromStr for Share {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (basis, part) = match (text.strip_prefix('E'), text.strip_prefix('P')) {
            (Some(part), _) => (Basis::OnRoll, part),
            (_, Some(part)) => (Basis::Present, part),
            _ => return Err(()),
        };
        let (strict, part) = part.strip_prefix('>').map_or((false, part), |part| (true, part));
        let (num, den) = part.split_once('/').ok_or(())?;
        let number = |text: &str| text.parse::<u64>().map_err(drop);
        Ok(Self { num: number(num)?, den: number(den)?, strict, basis })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(quorum: Option<&str>, passing: &str) -> CharterRule {
        let quorum = quorum.map(|text| text.parse().unwrap());
        CharterRule { article: "章程第九条".to_owned(), quorum, passing: passing.parse().unwrap() }
    }

    #[test]
    fn what_nobody_can_reach_is_no_rule() {
        for sound in ["P>1/2", "P1/2", "E2/3", "E1/1", "P99/100"] {
            assert!(rule(None, sound).is_passing_sound(), "{sound}");
        }
        for wrong in ["P>1/1", "P3/2", "P0/2", "P0/0", "P1/3", "P49/100", "E100/150"] {
            assert!(!rule(None, wrong).is_passing_sound(), "{wrong}");
        }
        for (quorum, is_sound) in [("E>1/2", true), ("E1/3", true), ("P1/2", false), ("E>1/1", false), ("E0/1", false)]
        {
            assert_eq!(rule(Some(quorum), "P>1/2").is_quorum_sound(), is_sound, "{quorum}");
        }
        let huge = Share { num: u64::MAX, den: u64::MAX, strict: false, basis: Basis::OnRoll };
        assert!(!CharterRule { passing: huge, ..rule(None, "P1/2") }.is_passing_sound());
    }

    #[test]
    fn what_a_form_says_is_read() {
        let more = Share { num: 1, den: 2, strict: true, basis: Basis::Present };
        assert_eq!(
            ("P>1/2".parse::<Share>(), "E2/3".parse::<Share>().map(|share| share.strict)),
            (Ok(more), Ok(false))
        );
        for wrong in ["", "P", "P>", "X1/2", "P1", "P-1/2", "P1/2/3", "比1/2"] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
    }
}
