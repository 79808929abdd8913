//! How many the law asks for before a meeting must be called; "or more" (以上) counts the number itself.

/// Of whom a part is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The villagers of eighteen years and more.
    Villagers,
    /// The villagers' representatives.
    Representatives,
}

/// A part of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// Stable name; also of its sentences.
    pub code: &'static str,
    /// Of whom.
    pub of: Of,
    /// One of so many.
    pub part: u64,
}

/// 村民委员会组织法 (2025), articles 25 and 30. The fifth of the electors who may ask for a removal (article 19) do that in
/// writing, with their reasons, and are not counted here.
pub const THRESHOLDS: &[Threshold] = &[
    Threshold { code: "assembly_by_villagers", of: Of::Villagers, part: 10 },
    Threshold { code: "assembly_by_representatives", of: Of::Representatives, part: 3 },
    Threshold { code: "representatives_meeting", of: Of::Representatives, part: 5 },
];

impl Threshold {
    /// How many that is, of so many.
    #[must_use]
    pub fn need(&self, of: u64) -> u64 {
        of.div_ceil(self.part).max(1)
    }

    /// Are these enough? Of nobody nothing is enough.
    #[must_use]
    pub fn is_reached(&self, have: u64, of: u64) -> bool {
        of > 0 && have * self.part >= of
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    #[test]
    fn the_exact_part_is_enough_and_one_less_is_not() {
        for one in THRESHOLDS {
            for of in [1, one.part - 1, one.part, one.part + 1, 5 * one.part, 2001] {
                let need = one.need(of);
                assert!(one.is_reached(need, of) && !one.is_reached(need - 1, of), "{one:?} of {of}");
            }
            assert!(!one.is_reached(3, 0));
            let name = one.code.replace('_', "-");
            assert!(text::knows(&format!("threshold-{name}")) && text::knows(&format!("threshold-law-{name}")));
        }
        let tenth = THRESHOLDS[0];
        assert_eq!([tenth.need(2000), tenth.need(2001), tenth.need(9)], [200, 201, 1]);
    }
}
