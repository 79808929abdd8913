//! Numbers that cannot be one person's own: more people have them than live together, or somebody made them up.
//!
//! # Why
//! A form that asks for a number gets one: the committee's, that of who filled in the list, or thirteen and nine eights. A
//! text there reaches an office or a stranger, and must not count as told to the dozens who stand beside it on the roster.
//! Who has proven the number has it nevertheless.
use std::collections::HashMap;

use super::rules::phone;

/// So many on the rosters may have one number: a family of three generations.
pub const MOST_AT_ONE: u16 = 10;

/// More people have it.
const CROWDED: &str = "crowded_number";
/// Somebody typed it because the form asked for one.
const MADE_UP: &str = "made_up_number";

/// What every example shows.
const EXAMPLE: &str = "13800138000";
/// The last eight digits of a number that somebody ran along the keys for.
const ROWS: [&str; 2] = ["12345678", "87654321"];

/// Why a number cannot be this person's own, by a stable name.
#[must_use]
pub fn doubt(number: &str, is_crowded: bool, is_proven: bool) -> Option<&'static str> {
    match (is_proven, is_crowded) {
        (true, _) => None,
        (false, true) => Some(CROWDED),
        (false, false) => is_made_up(number).then_some(MADE_UP),
    }
}

/// How many of these, one for each person, cannot be the person's own.
#[must_use]
pub fn doubtful<'a>(numbers: impl Iterator<Item = &'a str>) -> usize {
    let mut people: HashMap<&str, usize> = HashMap::new();
    for number in numbers {
        *people.entry(number).or_default() += 1;
    }
    let is_crowded = |count: usize| count > usize::from(MOST_AT_ONE);
    let doubted = people.into_iter().filter(|(number, count)| doubt(number, is_crowded(*count), false).is_some());
    doubted.map(|(_, count)| count).sum()
}

/// The last eight digits are all the same or follow one another, or it is the number that every example shows.
fn is_made_up(number: &str) -> bool {
    let Some(number) = phone(number) else { return false };
    let last = number.get(3..).unwrap_or_default();
    let is_one_digit = last.bytes().all(|digit| last.bytes().next() == Some(digit));
    number == EXAMPLE || is_one_digit || ROWS.contains(&last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_for_want_of_a_number_is_known_and_what_is_somebodys_is_not() {
        for made_up in ["13800000000", "+86 138 0000 0000", "13888888888", "13800138000", "15012345678", "19987654321"]
        {
            assert_eq!(doubt(made_up, false, false), Some(MADE_UP), "{made_up}");
            assert_eq!(doubt(made_up, false, true), None, "{made_up}: proven");
        }
        for own in ["19500000001", "13800000001", "13812345670", "13800138001", "", "057212345678"] {
            assert_eq!(doubt(own, false, false), None, "{own}");
        }
        assert_eq!((doubt("13800000001", true, false), doubt("13800000001", true, true)), (Some(CROWDED), None));
        let file = |same: usize| std::iter::repeat_n("13800000001", same).chain(["13800000000", "13800000002"]);
        assert_eq!((doubtful(file(10)), doubtful(file(11))), (1, 12));
    }
}
