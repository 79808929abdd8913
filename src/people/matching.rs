//! Which line of a new roster is which person of the old: pure, so that a shifted list gives nobody another's voice.
//!
//! # Why
//! Villages number their lists anew: one newborn in the middle and every number below belongs to somebody else. So the
//! identity number decides; where one is missing, the same name and day of birth, if nobody else here has both; the
//! village's own number only where nothing of this speaks against it.
use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use super::{guest, roster::RosterRow, rows::person};

/// One line of a roster, ready to be written; holds personal data and does not show itself.
pub(super) struct Listed {
    pub(super) row: RosterRow,
    pub(super) id_hmac: Option<String>,
    pub(super) phone_sealed: Option<String>,
    pub(super) phone_hmac: Option<String>,
    pub(super) id_last4_sealed: Option<String>,
    pub(super) claim_hmac: Option<String>,
}

/// For each line the index of the known person, if there is one. `known` holds the village's people, those who left too,
/// and whoever else has one of the identity numbers.
pub(super) fn people(area: &str, listed: &[Listed], known: &[person::Model]) -> Vec<Option<usize>> {
    let by_id: HashMap<&str, usize> =
        known.iter().enumerate().filter_map(|(at, person)| Some((person.id_hmac.as_deref()?, at))).collect();
    let mut found: Vec<Option<usize>> =
        listed.iter().map(|line| by_id.get(line.id_hmac.as_deref()?).copied()).collect();
    let mut taken: HashSet<usize> = found.iter().flatten().copied().collect();
    // of a guest neither the name nor the day of birth was ever looked at
    let is_guest = |old: &person::Model| old.roster_number.starts_with(guest::MARK);
    let here = |at: &usize| known.get(*at).filter(|old| old.area_code == area && !is_guest(old));
    let alike = unmistakable(
        listed,
        &found,
        (0..known.len()).filter(|at| !taken.contains(at)).filter_map(|at| Some((at, here(&at)?))),
    );
    for (at, old) in alike {
        if let Some(place) = found.get_mut(at).filter(|_| taken.insert(old)) {
            *place = Some(old);
        }
    }
    let by_number: HashMap<&str, usize> =
        (0..known.len()).filter_map(|at| Some((here(&at)?.roster_number.as_str(), at))).collect();
    for (line, place) in listed.iter().zip(&mut found) {
        if place.is_some() {
            continue;
        }
        let numbered = by_number.get(line.row.person_no.as_str()).copied();
        *place = numbered.filter(|at| known.get(*at).is_some_and(|old| is_same(line, old)) && taken.insert(*at));
    }
    found
}

/// Lines without a person, each with the one known person who has the same name and day of birth, where one of the two
/// has no identity number and no second line or person has that name and day.
fn unmistakable<'a>(
    listed: &'a [Listed],
    found: &[Option<usize>],
    free: impl Iterator<Item = (usize, &'a person::Model)>,
) -> Vec<(usize, usize)> {
    let mut lines: HashMap<(&str, NaiveDate), Vec<usize>> = HashMap::new();
    for (at, line) in listed.iter().enumerate().filter(|(at, _)| found.get(*at).is_some_and(Option::is_none)) {
        lines.entry((&line.row.name, line.row.birth)).or_default().push(at);
    }
    let mut people: HashMap<(&str, NaiveDate), Vec<(usize, &person::Model)>> = HashMap::new();
    for (at, old) in free {
        people.entry((&old.name, old.birth_date)).or_default().push((at, old));
    }
    let pair = |(who, lines): (&(&str, NaiveDate), &Vec<usize>)| {
        let ([line], [(at, old)]) = (lines.as_slice(), people.get(who)?.as_slice()) else { return None };
        let has_id = listed.get(*line)?.id_hmac.is_some();
        (!has_id || old.id_hmac.is_none()).then_some((*line, *at))
    };
    lines.iter().filter_map(pair).collect()
}

/// May these be one person although no identity number says so? Two different numbers can be one person whose number
/// was mistyped; without a number on one side, the name may have changed, but then the day of birth has not.
fn is_same(line: &Listed, old: &person::Model) -> bool {
    let name = line.row.name == old.name;
    let birth = line.row.birth == old.birth_date;
    match (&line.id_hmac, &old.id_hmac) {
        (Some(_), Some(_)) => name && birth,
        _ => name || birth,
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate};

    use super::*;
    use crate::{
        ids::{HouseholdId, PersonId},
        people::rules::Sex,
    };

    const HERE: &str = "330521103202";

    fn line(number: &str, name: &str, born: &str, id: Option<&str>) -> Listed {
        let row = RosterRow {
            line: 2,
            person_no: number.into(),
            household_no: "1".into(),
            village_code: HERE.into(),
            group: 1,
            name: name.into(),
            sex: Sex::Female,
            birth: born.parse().unwrap(),
            id_no: None,
            phone: None,
            relation: "户主".into(),
            is_head: true,
            registered: true,
            resident_here: true,
        };
        Listed {
            row,
            id_hmac: id.map(str::to_owned),
            phone_sealed: None,
            phone_hmac: None,
            id_last4_sealed: None,
            claim_hmac: None,
        }
    }

    fn known(area: &str, number: &str, name: &str, born: &str, id: Option<&str>) -> person::Model {
        person::Model {
            id: PersonId::new(),
            area_code: area.into(),
            household_id: HouseholdId::new(),
            roster_number: number.into(),
            name: name.into(),
            sex: "female".into(),
            birth_date: born.parse().unwrap(),
            id_hmac: id.map(str::to_owned),
            id_last4: None,
            phone_sealed: None,
            phone_hmac: None,
            group_number: 1,
            relation: "户主".into(),
            is_registered: true,
            lives_here: true,
            joined_on: NaiveDate::default(),
            left_on: None,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
            claim_hmac: None,
            phone_approved_at: None,
            closed_at: None,
            phone_listed_at: None,
        }
    }

    #[test]
    fn a_shifted_list_moves_numbers_and_not_people() {
        let old = [
            known(HERE, "1", "甲", "1970-01-01", Some("a")),
            known(HERE, "2", "乙", "1971-01-01", Some("b")),
            known(HERE, "3", "丙", "1972-01-01", Some("c")),
        ];
        let new = [
            line("1", "甲", "1970-01-01", Some("a")),
            line("2", "新", "2026-01-01", Some("n")),
            line("3", "乙", "1971-01-01", Some("b")),
            line("4", "丙", "1972-01-01", Some("c")),
        ];
        assert_eq!(people(HERE, &new, &old), [Some(0), None, Some(1), Some(2)]);
    }

    #[test]
    fn a_shifted_list_without_identity_numbers_moves_nobody_either() {
        let old = [known(HERE, "1", "甲", "1970-01-01", None), known(HERE, "2", "乙", "1971-01-01", Some("b"))];
        let new = [
            line("1", "新", "2026-01-01", None),
            line("2", "甲", "1970-01-01", Some("a")),
            line("3", "乙", "1971-01-01", None),
        ];
        assert_eq!(people(HERE, &new, &old), [None, Some(0), Some(1)]);
        let twice = [line("3", "甲", "1970-01-01", None), line("4", "甲", "1970-01-01", None)];
        assert_eq!(people(HERE, &twice, &old), [None, None], "which of the two would be a guess");
    }

    #[test]
    fn a_number_given_to_somebody_else_is_not_the_same_person() {
        let old = [known(HERE, "1", "甲", "1970-01-01", Some("a"))];
        assert_eq!(people(HERE, &[line("1", "乙", "1980-05-05", Some("b"))], &old), [None]);
        assert_eq!(people(HERE, &[line("1", "甲", "1980-05-05", Some("b"))], &old), [None]);
        assert_eq!(people(HERE, &[line("1", "乙", "1980-05-05", None)], &old), [None]);
    }

    #[test]
    fn corrections_keep_the_person() {
        let old = [known(HERE, "1", "甲", "1970-01-01", Some("a")), known(HERE, "2", "乙", "1971-01-01", None)];
        let mistyped = line("1", "甲", "1970-01-01", Some("x"));
        let renamed = line("2", "乙二", "1971-01-01", Some("b"));
        assert_eq!(people(HERE, &[mistyped, renamed], &old), [Some(0), Some(1)]);
    }

    #[test]
    fn a_guest_does_not_become_a_resident_by_the_day_that_nobody_asked_for() {
        let day = NaiveDate::default().to_string();
        let old = [known(HERE, "#0190", "甲", &day, None)];
        assert_eq!(people(HERE, &[line("1", "甲", &day, None), line("2", "乙", "1971-01-01", None)], &old), [None; 2]);
    }

    #[test]
    fn elsewhere_only_the_identity_number_counts() {
        let old = [known("330521103203", "1", "甲", "1970-01-01", Some("a"))];
        assert_eq!(people(HERE, &[line("1", "甲", "1970-01-01", None)], &old), [None]);
        assert_eq!(people(HERE, &[line("1", "甲", "1970-01-01", Some("a"))], &old), [Some(0)]);
    }
}
