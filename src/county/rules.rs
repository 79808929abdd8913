//! Which counts are shown how: a count of voices only as a band, so that neither it nor a difference of two names a person.

/// Where a band begins.
const EDGES: [i64; 6] = [1, 5, 10, 20, 50, 100];

/// A band of counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Band {
    /// None at all.
    Zero,
    /// From, to.
    Between(i64, i64),
    /// This many or more.
    From(i64),
}

/// The band in which a count lies.
#[must_use]
pub fn band(count: i64) -> Band {
    let above = EDGES.iter().position(|edge| *edge > count);
    match above {
        Some(0) => Band::Zero,
        Some(at) => Band::Between(EDGES[at - 1], EDGES[at] - 1),
        None => Band::From(EDGES[EDGES.len() - 1]),
    }
}

/// The area of the next level, at or below `above`, to which this one counts; `above` itself for what lies at it.
#[must_use]
pub fn child_of<'a>(above: &str, code: &'a str) -> &'a str {
    let digits = match above.len() {
        0..6 => 6,
        6..9 => 9,
        9..12 => 12,
        _ => return code.get(..above.len()).unwrap_or(code),
    };
    code.get(..digits).unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_count_is_never_told_and_neighbouring_counts_look_alike() {
        assert_eq!(band(0), Band::Zero);
        for count in 1..5 {
            assert_eq!(band(count), Band::Between(1, 4), "{count}");
        }
        assert_eq!((band(5), band(9)), (Band::Between(5, 9), Band::Between(5, 9)));
        assert_eq!((band(99), band(100), band(i64::MAX)), (Band::Between(50, 99), Band::From(100), Band::From(100)));
    }

    #[test]
    fn everything_below_a_town_counts_to_its_village_and_what_is_the_towns_own_to_the_town() {
        assert_eq!(child_of("330521", "330521103202"), "330521103");
        assert_eq!(child_of("330521", "330521103"), "330521103");
        assert_eq!(child_of("330521", "330521"), "330521");
        assert_eq!(child_of("330521103", "330521103202-g1"), "330521103202");
        assert_eq!(child_of("330521103", "330521103"), "330521103");
        assert_eq!(child_of("330521103202", "330521103202-g1"), "330521103202");
    }
}
