//! Phone numbers, identity numbers, masks and ages: what a text about a person means, without looking anybody up.
use std::fmt;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text;
/// Years.
pub(super) const ADULT: i32 = 18;

/// Weights of the first seventeen digits (GB 11643-1999, from ISO 7064 MOD 11-2).
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// Check character by remainder.
const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
/// Nobody alive was born before; a well-known sample number says 1880.
const FIRST_YEAR: i32 = 1800;
/// Surnames of two characters, one a line; those that are also a common surname with a given name are left out.
const COMPOUND_SURNAMES: &str = include_str!("compound_surnames.txt");

/// As the identity card says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// 女
    Female,
    /// 男
    Male,
}

/// Full-width forms of ASCII as ASCII, the ideographic space as a space; everything else as it is.
#[must_use]
pub fn half_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            '\u{3000}' => ' ',
            _ => c,
        })
        .collect()
}

/// Half-width, without spaces, dashes and the invisible marks that phones put around a copied number.
fn bare(text: &str) -> String {
    let is_filler = |c: char| {
        c.is_whitespace()
            || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{FEFF}')
    };
    half_width(text).chars().filter(|c| !is_filler(*c)).collect()
}

/// The eleven digits of a mobile number of the mainland, however it was written; `None` if it is not one.
#[must_use]
pub fn phone(text: &str) -> Option<String> {
    let bare = bare(text);
    let number = bare.strip_prefix("+86").or_else(|| bare.strip_prefix("0086")).unwrap_or(&bare);
    let is_mobile = number.len() == 11
        && number.bytes().all(|b| b.is_ascii_digit())
        && number.starts_with('1')
        && matches!(number.as_bytes().get(1), Some(b'3'..=b'9'));
    is_mobile.then(|| number.to_owned())
}

/// A real day on which somebody may have been born, as seen on `today`.
#[must_use]
pub fn birth_date(year: i32, month: u32, day: u32, today: NaiveDate) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day).filter(|birth| year >= FIRST_YEAR && *birth <= today)
}

/// Why a text is not an identity number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdFault {
    /// Not seventeen digits and a check character.
    Form,
    /// No such day, or a day to come.
    Birth,
    /// Some character is wrong: the last does not fit the others.
    Check,
}

impl IdFault {
    /// The key of the sentence for [`crate::error::Checks`].
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Form => "not_an_id",
            Self::Birth => "id_birth",
            Self::Check => "id_check",
        }
    }
}

/// A well-formed 18-character identity number (GB 11643); does not show itself in logs.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdNumber {
    text: String,
    birth: NaiveDate,
    sex: Sex,
}

impl IdNumber {
    /// Reads a number; spaces, full-width characters and a small `x` are put right. The area code is not looked up:
    /// areas are merged and renumbered, the numbers of their people stay.
    ///
    /// # Errors
    /// What is wrong with it, if the form, the date of birth or the check character is.
    pub fn parse(text: &str, today: NaiveDate) -> Result<Self, IdFault> {
        let text = bare(text).to_ascii_uppercase();
        let digits: Vec<u32> = text.chars().take(WEIGHTS.len()).map_while(|c| c.to_digit(10)).collect();
        let last = text.chars().nth(WEIGHTS.len()).filter(|c| c.is_ascii_digit() || *c == 'X');
        let well_formed = text.len() == 18 && digits.len() == WEIGHTS.len() && digits.first() != Some(&0);
        let (true, Some(last)) = (well_formed, last) else { return Err(IdFault::Form) };

        let number = |from: usize, to: usize| digits.iter().take(to).skip(from).fold(0, |sum, digit| sum * 10 + digit);
        let year = i32::try_from(number(6, 10)).unwrap_or_default();
        let birth = birth_date(year, number(10, 12), number(12, 14), today).ok_or(IdFault::Birth)?;

        let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
        if CHECKS.get(sum as usize % CHECKS.len()) != Some(&last) {
            return Err(IdFault::Check);
        }
        let sex = if number(16, 17) % 2 == 1 { Sex::Male } else { Sex::Female };
        Ok(Self { text, birth, sex })
    }

    /// The eighteen characters, for keyed lookup and sealing only.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The day of birth that the number says.
    #[must_use]
    pub fn birth(&self) -> NaiveDate {
        self.birth
    }

    /// The sex that the number says: odd is male.
    #[must_use]
    pub fn sex(&self) -> Sex {
        self.sex
    }

    /// The last six characters, by which somebody is found again together with village and name.
    #[must_use]
    pub fn last_six(&self) -> &str {
        self.text.get(12..).unwrap_or_default()
    }

    /// The last four characters, which may be stored and shown to the person.
    #[must_use]
    pub fn last_four(&self) -> &str {
        self.text.get(14..).unwrap_or_default()
    }
}

/// The last six characters of an identity number as somebody typed them; `None` if they cannot be that.
#[must_use]
pub fn last_six(text: &str) -> Option<String> {
    let text = bare(text).to_ascii_uppercase();
    let (digits, last) = text.split_at_checked(5)?;
    let fits = digits.bytes().all(|b| b.is_ascii_digit()) && matches!(last.as_bytes(), [b'0'..=b'9' | b'X']);
    fits.then_some(text)
}

impl fmt::Debug for IdNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdNumber(..)")
    }
}

/// The surname and at most two stars, as on public lists: 张*, 欧阳**. How long a longer name is stays hidden.
#[must_use]
pub fn mask_name(name: &str) -> String {
    let name = name.trim();
    if name.chars().count() > 4 && name == text::say("people-closed") {
        return name.to_owned();
    }
    let length = name.chars().count();
    let is_compound = length > 2 && COMPOUND_SURNAMES.lines().any(|surname| name.starts_with(surname));
    let shown = match length {
        0 | 1 => 0,
        _ if is_compound => 2,
        _ => 1,
    };
    let stars = length.saturating_sub(shown).clamp(1, 2);
    name.chars().take(shown).chain(std::iter::repeat_n('*', stars)).collect()
}

/// 138****1234; anything that is not a mobile number is hidden whole.
#[must_use]
pub fn mask_phone(text: &str) -> String {
    let number = phone(text).unwrap_or_default();
    match (number.get(..3), number.get(7..)) {
        (Some(head), Some(tail)) => format!("{head}****{tail}"),
        _ => "****".to_owned(),
    }
}

/// Whole years of age (周岁) on a day, counted from the birthday on; negative before birth.
///
/// Somebody born on 29 February turns a year older on 1 March of a common year: civil code, article 202, lets the last
/// day of the month stand in for a day that does not exist, and the year is full when that day, 28 February, is over.
/// An elector's age counts on election day, by the identity card (浙江省村民委员会选举办法, article 12). That age begins
/// on the birthday itself is the common reading; criminal law alone begins a day later (法释〔2006〕1号, article 2).
#[must_use]
pub fn age_on(birth: NaiveDate, day: NaiveDate) -> i32 {
    let before_birthday = (day.month(), day.day()) < (birth.month(), birth.day());
    day.year() - birth.year() - i32::from(before_birthday)
}

/// Is somebody born that day of age: eighteen (民法典, article 17)?
#[must_use]
pub fn is_adult(birth: NaiveDate, day: NaiveDate) -> bool {
    age_on(birth, day) >= ADULT
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn today() -> NaiveDate {
        day("2026-11-23")
    }

    fn id(text: &str) -> Result<IdNumber, IdFault> {
        IdNumber::parse(text, today())
    }

    #[test]
    fn a_phone_number_is_recognised_however_it_is_written() {
        for text in [
            "13812345678",
            "+86 138-1234-5678",
            "0086 13812345678",
            "１３８１２３４５６７８",
            "＋８６　１３８ １２３４ ５６７８",
            "\u{202d}138 1234 5678\u{202c}",
            " 138\u{a0}1234\u{2011}5678\t",
        ] {
            assert_eq!(phone(text).as_deref(), Some("13812345678"), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_a_mobile_number_is_refused() {
        for text in [
            "",
            "12812345678",
            "1381234567",
            "138123456789",
            "23812345678",
            "0572-8012345",
            "+85213812345678",
            "+86",
            "1381234567x",
            "١٣٨١٢٣٤٥٦٧٨",
            "+86+8613812345678",
            "138.1234.5678",
        ] {
            assert_eq!(phone(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_id_number_says_birth_sex_and_last_four() {
        let woman = id("11010519491231002X").unwrap();
        assert_eq!((woman.birth(), woman.sex(), woman.last_four()), (day("1949-12-31"), Sex::Female, "002X"));
        let man = id("440524188001010014").unwrap();
        assert_eq!((man.birth(), man.sex(), man.last_four()), (day("1880-01-01"), Sex::Male, "0014"));
        for text in ["11010519491231002x", "１１０１０５１９４９１２３１００２ｘ", " 110105 19491231 002X "]
        {
            assert_eq!(id(text).unwrap(), woman, "{text}");
        }
    }

    #[test]
    fn the_last_six_are_read_as_people_type_them() {
        assert_eq!(id("11010519491231002X").unwrap().last_six(), "31002X");
        for text in ["31002x", "３１００２Ｘ", " 310 02x "] {
            assert_eq!(last_six(text).as_deref(), Some("31002X"), "{text}");
        }
        for text in ["", "31002", "310021X", "3100XX", "31002Y", "三1002X"] {
            assert_eq!(last_six(text), None, "{text}");
        }
    }

    #[test]
    fn an_id_number_does_not_show_itself() {
        assert_eq!(format!("{:?}", id("11010519491231002X").unwrap()), "IdNumber(..)");
    }

    #[test]
    fn a_wrong_id_number_says_what_is_wrong() {
        for (text, fault) in [
            ("", IdFault::Form),
            ("110105491231002", IdFault::Form),
            ("1101051949123100X2", IdFault::Form),
            ("11010519491231002Y", IdFault::Form),
            ("11010519491231002XX", IdFault::Form),
            ("011010519491231002", IdFault::Form),
            ("3.30599E+17", IdFault::Form),
            ("一一〇一〇五一九四九一二三一〇〇二X", IdFault::Form),
            ("110105194912310021", IdFault::Check),
            ("11010519491231003X", IdFault::Check),
            ("110105194913310021", IdFault::Birth),
            ("110105190002290021", IdFault::Birth),
            ("110105202611240021", IdFault::Birth),
            ("110105000101010021", IdFault::Birth),
        ] {
            assert_eq!(id(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn nobody_is_born_tomorrow() {
        let newborn = "330599202611230014";
        let check = ('0'..='9').chain(['X']).find(|c| id(&format!("{}{c}", &newborn[..17])).is_ok()).unwrap();
        let number = format!("{}{check}", &newborn[..17]);
        assert_eq!(IdNumber::parse(&number, day("2026-11-22")), Err(IdFault::Birth));
    }

    #[test]
    fn names_keep_the_surname_only() {
        for (name, masked) in [
            ("张三", "张*"),
            ("谭桂香", "谭**"),
            ("欧阳修", "欧阳*"),
            ("欧阳震华", "欧阳**"),
            ("欧阳", "欧*"),
            (" 张三 ", "张*"),
            ("阿不都热依木·买买提", "阿**"),
            ("张", "*"),
            ("", "*"),
        ] {
            assert_eq!(mask_name(name), masked, "{name}");
        }
        assert!(COMPOUND_SURNAMES.lines().all(|surname| surname.chars().count() == 2));
    }

    #[test]
    fn phones_are_masked_and_what_is_no_phone_is_hidden() {
        assert_eq!(mask_phone("13812341234"), "138****1234");
        assert_eq!(mask_phone("0572-8012345"), "****");
        assert_eq!(mask_phone(""), "****");
    }

    #[test]
    fn age_changes_on_the_birthday() {
        let birth = day("2008-11-23");
        assert_eq!(age_on(birth, day("2026-11-22")), 17);
        assert_eq!(age_on(birth, day("2026-11-23")), 18);
        assert!(is_adult(birth, day("2026-11-23")) && !is_adult(birth, day("2026-11-22")));
        assert_eq!(age_on(birth, birth), 0);
        assert_eq!(age_on(birth, day("2008-11-22")), -1);
    }

    #[test]
    fn who_was_born_on_29_february_ages_on_1_march_of_a_common_year() {
        let birth = day("2008-02-29");
        assert_eq!(age_on(birth, day("2026-02-28")), 17);
        assert_eq!(age_on(birth, day("2026-03-01")), 18);
        assert_eq!(age_on(birth, day("2028-02-28")), 19);
        assert_eq!(age_on(birth, day("2028-02-29")), 20);
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_always_noticed(at in 0_usize..17, by in 1_u8..10) {
            let mut text = b"11010519491231002X".to_vec();
            text[at] = b'0' + (text[at] - b'0' + by) % 10;
            prop_assert!(id(std::str::from_utf8(&text).unwrap()).is_err());
        }

        #[test]
        fn no_text_breaks_the_readers(text in "\\PC{0,24}") {
            drop((phone(&text), id(&text), mask_name(&text), mask_phone(&text)));
        }
    }
}
