//! Reads a village roster from CSV: every row typed and checked, or everything that is wrong with its line and column.
use std::{borrow::Cow, collections::HashMap, fmt};

use chrono::NaiveDate;
use csv::StringRecord;

use self::line_numbers::{LineNumbers, line_breaks};
use crate::{
    error::{Checks, Code, Error, Result},
    people::{
        guest, off_roster,
        rules::{IdFault, IdNumber, Sex, birth_date, half_width, phone},
    },
};

mod line_numbers;

/// The words of the file itself: input, not text for people.
mod words {
    pub(super) const FEMALE: &str = "女";
    pub(super) const MALE: &str = "男";
    pub(super) const HEAD: &str = "户主";
    pub(super) const YES: [&str; 2] = ["1", "是"];
    pub(super) const NO: [&str; 2] = ["0", "否"];
}

/// Is this the word for the head of a household?
pub(super) fn is_head(relation: &str) -> bool {
    relation == words::HEAD
}

const MAX_ROWS: usize = 100_000;
/// A clerk mends a file in rounds; more than a screenful helps nobody.
const MAX_ERRORS: usize = 50;
const MAX_GROUP: u16 = 200;

/// Each with its name, and with the one that the desk says, which a file may have in its place.
const COLUMNS: [(Column, &str, &str); 12] = [
    (Column::PersonNo, "person_no", "编号"),
    (Column::HouseholdNo, "household_no", "户号"),
    (Column::VillageCode, "village_code", "村代码"),
    (Column::Group, "group", "组"),
    (Column::Name, "name", "姓名"),
    (Column::Sex, "sex", "性别"),
    (Column::Birth, "birth", "出生日期"),
    (Column::IdNo, "id_no", "身份证号"),
    (Column::Phone, "phone", "手机"),
    (Column::Relation, "relation", "与户主关系"),
    (Column::Registered, "registered", "户籍在村"),
    (Column::ResidentHere, "resident_here", "住在村里"),
];

/// The first line of a file without anybody in it.
pub fn headings() -> impl Iterator<Item = &'static str> {
    COLUMNS.into_iter().map(|(_, _, said)| said)
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Column {
    PersonNo,
    HouseholdNo,
    VillageCode,
    Group,
    Name,
    Sex,
    Birth,
    IdNo,
    Phone,
    Relation,
    Registered,
    ResidentHere,
}

impl Column {
    fn name(self) -> &'static str {
        COLUMNS.iter().find(|(column, ..)| *column == self).map_or("", |(_, name, _)| name)
    }
}

/// One person of the file; does not show itself in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct RosterRow {
    /// The line in the file on which the row begins.
    pub line: u64,
    /// The village's own number of the person.
    pub person_no: String,
    /// The number of the household, as the village writes it.
    pub household_no: String,
    /// Twelve digits.
    pub village_code: String,
    /// The villagers' group; 0 where there is none.
    pub group: u16,
    /// The name.
    pub name: String,
    /// The sex.
    pub sex: Sex,
    /// The day of birth.
    pub birth: NaiveDate,
    /// The identity number, where it is known.
    pub id_no: Option<IdNumber>,
    /// Eleven digits, where there is a mobile phone.
    pub phone: Option<String>,
    /// How the person belongs to the household, in the file's own word.
    pub relation: String,
    /// Is this the head of the household?
    pub is_head: bool,
    /// Is the person registered in the village?
    pub registered: bool,
    /// Does the person live there?
    pub resident_here: bool,
}

impl fmt::Debug for RosterRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RosterRow").field("line", &self.line).finish_non_exhaustive()
    }
}

/// Reads the whole file or nothing. `today` bounds the days of birth.
///
/// # Errors
/// `roster_invalid` with at most 50 wrong places, each as `line N, column X`.
pub fn parse(bytes: &[u8], today: NaiveDate) -> Result<Vec<RosterRow>> {
    let mut sheet = Sheet { today, checks: Checks::default(), seen: HashMap::new() };
    let rows = match letters(bytes) {
        Ok(text) => sheet.rows(text.strip_prefix('\u{feff}').unwrap_or(&text))?,
        Err(sound) => {
            let sound = bytes.get(..sound).unwrap_or_default();
            sheet.checks.wrong(format!("line {}", 1 + line_breaks(sound)), "not_utf8");
            Vec::new()
        }
    };
    sheet.checks.done_as(Code::RosterInvalid)?;
    Ok(rows)
}

/// UTF-8, or else what spreadsheets in China write by themselves (GB 18030, GBK in it). A spoilt file in UTF-8 is not taken for
/// one: the word for a sex is three bytes before a comma there, and would end amid a character. How many bytes were UTF-8 when
/// it is neither.
fn letters(bytes: &[u8]) -> std::result::Result<Cow<'_, str>, usize> {
    std::str::from_utf8(bytes).map(Cow::Borrowed).or_else(|error| {
        let text = encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes);
        text.ok_or(error.valid_up_to())
    })
}

/// Where each column stands in the file.
type Order = HashMap<Column, usize>;

/// One row as text.
struct Line<'a> {
    number: u64,
    record: &'a StringRecord,
    order: &'a Order,
}

impl Line<'_> {
    fn text(&self, column: Column) -> &str {
        self.order.get(&column).and_then(|at| self.record.get(*at)).unwrap_or_default()
    }
}

/// What was noticed so far.
struct Sheet {
    today: NaiveDate,
    checks: Checks,
    /// What may occur once, by column (and household), with the line of its first occurrence.
    seen: HashMap<(Column, String), u64>,
}

impl Sheet {
    fn rows(&mut self, text: &str) -> Result<Vec<RosterRow>> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut numbers = LineNumbers::new(text);
        let mut record = StringRecord::new();
        let mut rows = Vec::new();
        let mut order: Option<Order> = None;
        // The text is UTF-8 and lengths may vary, so that only a fault of ours can end the reading early.
        while reader.read_record(&mut record).map_err(Error::broken)? && self.has_room() {
            if record.iter().all(str::is_empty) {
                continue;
            }
            let number = numbers.of(record.position().map_or(0, csv::Position::byte));
            let Some(order) = &order else {
                order = Some(self.header(number, &record));
                // With a wrong header every row is wrong.
                if self.checks.count() > 0 {
                    return Ok(rows);
                }
                continue;
            };
            if rows.len() == MAX_ROWS {
                self.wrong(number, None, "too_many_rows");
                break;
            }
            if record.len() == COLUMNS.len() {
                rows.extend(self.row(&Line { number, record: &record, order }));
            } else {
                self.wrong(number, None, "columns_uneven");
            }
        }
        if rows.is_empty() && self.checks.count() == 0 {
            self.checks.wrong("file", "no_rows");
        }
        Ok(rows)
    }

    /// Unknown columns are named by their place: a file without a header has a person in its first line.
    fn header(&mut self, number: u64, record: &StringRecord) -> Order {
        let mut order = Order::new();
        for (at, name) in record.iter().enumerate() {
            let fault = match COLUMNS.iter().find(|(_, known, said)| [*known, *said].contains(&name)) {
                Some((column, ..)) if order.insert(*column, at).is_some() => "duplicate",
                Some(_) => continue,
                None => "column_unknown",
            };
            if self.has_room() {
                self.checks.wrong(format!("line {number}, column {}", at + 1), fault);
            }
        }
        for (column, ..) in COLUMNS {
            if !order.contains_key(&column) {
                self.wrong(number, Some(column), "column_missing");
            }
        }
        order
    }

    fn row(&mut self, line: &Line<'_>) -> Option<RosterRow> {
        let person_no = self.short(line, Column::PersonNo);
        if !person_no.is_empty() {
            self.once(line, Column::PersonNo, person_no.clone());
        }
        let household_no = self.short(line, Column::HouseholdNo);
        let village_code = self.read(line, Column::VillageCode, "not_an_area_code", village_code);
        let group = self.group(line);
        let name = self.plain(line, Column::Name, 30);
        let sex = self.read(line, Column::Sex, "unknown", sex);
        let today = self.today;
        let birth = self.read(line, Column::Birth, "not_a_date", |text| date(text, today));
        let id_no = self.id_no(line, birth, sex);
        let phone = self.optional(line, Column::Phone, |text| phone(text).ok_or("not_a_phone"));
        let relation = self.plain(line, Column::Relation, 20);
        let is_head = is_head(&relation);
        if let Some(village) = village_code.as_deref().filter(|_| is_head && !household_no.is_empty()) {
            self.once(line, Column::Relation, format!("{village} {household_no}"));
        }
        let registered = self.read(line, Column::Registered, "unknown", flag);
        let resident_here = self.read(line, Column::ResidentHere, "unknown", flag);
        Some(RosterRow {
            line: line.number,
            person_no,
            household_no,
            village_code: village_code?,
            group: group?,
            name,
            sex: sex?,
            birth: birth?,
            id_no: id_no?,
            phone: phone?,
            relation,
            is_head,
            registered: registered?,
            resident_here: resident_here?,
        })
    }

    fn has_room(&self) -> bool {
        self.checks.count() < MAX_ERRORS
    }

    fn wrong(&mut self, number: u64, column: Option<Column>, code: &str) {
        if self.has_room() {
            let place = column.map(|column| format!(", column {}", column.name())).unwrap_or_default();
            self.checks.wrong(format!("line {number}{place}"), code);
        }
    }

    /// Notes a second occurrence, naming both lines.
    fn once(&mut self, line: &Line<'_>, column: Column, value: String) {
        let number = line.number;
        let first = *self.seen.entry((column, value)).or_insert(number);
        if first != number && self.has_room() {
            let code = if column == Column::Relation { "second_head" } else { "duplicate" };
            self.checks.wrong(format!("line {number}, column {}, also on line {first}", column.name()), code);
        }
    }

    /// A number or code of 1 to 20 characters, which may hold letters; none by which those are known who are on no roster.
    fn short(&mut self, line: &Line<'_>, column: Column) -> String {
        let value = half_width(line.text(column));
        if [guest::MARK, off_roster::MARK].iter().any(|mark| value.starts_with(mark)) {
            self.wrong(line.number, Some(column), "bad_characters");
        }
        self.checked(line, column, &value, 20);
        value
    }

    fn plain(&mut self, line: &Line<'_>, column: Column, longest: usize) -> String {
        let value = line.text(column);
        self.checked(line, column, value, longest);
        value.to_owned()
    }

    fn checked(&mut self, line: &Line<'_>, column: Column, value: &str, longest: usize) {
        // A quoted line break is no part of a name or number, though it would be one of a longer text.
        if value.contains(['\n', '\r', '\t']) {
            self.wrong(line.number, Some(column), "bad_characters");
        } else if self.has_room() {
            self.checks.text(&format!("line {}, column {}", line.number, column.name()), value, 1..=longest);
        }
    }

    fn read<T>(&mut self, line: &Line<'_>, column: Column, code: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = line.text(column);
        if value.is_empty() {
            self.wrong(line.number, Some(column), "required");
            return None;
        }
        let value = read(&half_width(value));
        if value.is_none() {
            self.wrong(line.number, Some(column), code);
        }
        value
    }

    /// `Some(None)` for an empty field; `None` for a wrong one, which is noted.
    fn optional<T>(
        &mut self,
        line: &Line<'_>,
        column: Column,
        read: impl Fn(&str) -> std::result::Result<T, &'static str>,
    ) -> Option<Option<T>> {
        let value = line.text(column);
        if value.is_empty() {
            return Some(None);
        }
        read(value).map_err(|code| self.wrong(line.number, Some(column), code)).ok().map(Some)
    }

    fn group(&mut self, line: &Line<'_>) -> Option<u16> {
        let number = self.read(line, Column::Group, "not_a_number", |text| text.parse::<u16>().ok())?;
        if number > MAX_GROUP {
            self.wrong(line.number, Some(Column::Group), "out_of_range");
        }
        Some(number)
    }

    /// The identity number must agree with the columns beside it.
    fn id_no(&mut self, line: &Line<'_>, birth: Option<NaiveDate>, sex: Option<Sex>) -> Option<Option<IdNumber>> {
        let today = self.today;
        let id = self.optional(line, Column::IdNo, |text| IdNumber::parse(text, today).map_err(IdFault::code))?;
        if let Some(id) = &id {
            self.once(line, Column::IdNo, id.as_str().to_owned());
            if birth.is_some_and(|birth| birth != id.birth()) {
                self.wrong(line.number, Some(Column::Birth), "differs_from_id");
            }
            if sex.is_some_and(|sex| sex != id.sex()) {
                self.wrong(line.number, Some(Column::Sex), "differs_from_id");
            }
        }
        Some(id)
    }
}

fn sex(text: &str) -> Option<Sex> {
    match text {
        words::FEMALE => Some(Sex::Female),
        words::MALE => Some(Sex::Male),
        _ => None,
    }
}

fn flag(text: &str) -> Option<bool> {
    if words::YES.contains(&text) { Some(true) } else { words::NO.contains(&text).then_some(false) }
}

fn village_code(text: &str) -> Option<String> {
    (text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.to_owned())
}

/// `1974-04-17`, or `1974/4/17` as spreadsheets write it back.
fn date(text: &str, today: NaiveDate) -> Option<NaiveDate> {
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = text.split(['-', '/']).collect();
    let [year, month, day] = parts.as_slice() else { return None };
    if year.len() != 4 || !parts.iter().all(is_number) {
        return None;
    }
    birth_date(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?, today)
}

#[cfg(test)]
mod tests;
