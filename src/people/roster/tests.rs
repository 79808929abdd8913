//! What a clerk's file may look like, and what is said about a wrong one.
use super::*;
use crate::{
    error::FieldError,
    fuzz::{Food, feed},
};

const HEADER: &str =
    "person_no,household_no,village_code,group,name,sex,birth,id_no,phone,relation,registered,resident_here";
const HEAD: &str = "00001,H1,330521103202,11,谭桂香,女,1974-04-17,330599197404172309,13928186620,户主,1,1";
const SPOUSE: &str = "00002,H1,330521103202,11,蔡勇,男,1971-09-30,330599197109305957,13764104575,配偶,1,0";

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 23).unwrap()
}

fn read(lines: &[&str]) -> Result<Vec<RosterRow>> {
    parse(lines.join("\n").as_bytes(), today())
}

fn errors(result: Result<Vec<RosterRow>>) -> Vec<FieldError> {
    match result {
        Err(Error::Refused(refusal)) if refusal.code == Code::RosterInvalid => refusal.fields,
        other => panic!("not refused as a roster: {other:?}"),
    }
}

/// Place and code of everything that is wrong; sentences must exist.
fn faults(result: Result<Vec<RosterRow>>) -> Vec<(String, String)> {
    let errors = errors(result);
    assert!(errors.iter().all(|error| !error.message.starts_with('⟦')), "{errors:?}");
    errors.into_iter().map(|error| (error.field, error.code)).collect()
}

fn fault(place: &str, code: &str) -> Vec<(String, String)> {
    vec![(place.to_owned(), code.to_owned())]
}

/// The first row with one column changed.
fn with(column: &str, value: &str) -> String {
    let at = HEADER.split(',').position(|name| name == column).unwrap();
    let fields: Vec<&str> = HEAD.split(',').enumerate().map(|(n, field)| if n == at { value } else { field }).collect();
    fields.join(",")
}

#[test]
fn a_good_file_is_read_whole() {
    let rows = read(&[HEADER, HEAD, SPOUSE]).unwrap();
    assert_eq!(rows.len(), 2);
    let head = &rows[0];
    assert_eq!((head.line, head.person_no.as_str(), head.household_no.as_str()), (2, "00001", "H1"));
    assert_eq!((head.village_code.as_str(), head.group, head.name.as_str()), ("330521103202", 11, "谭桂香"));
    assert_eq!((head.sex, head.birth.to_string()), (Sex::Female, "1974-04-17".to_owned()));
    assert_eq!(head.id_no.as_ref().map(IdNumber::last_four), Some("2309"));
    assert_eq!(head.phone.as_deref(), Some("13928186620"));
    assert_eq!((head.relation.as_str(), head.is_head, head.registered, head.resident_here), ("户主", true, true, true));
    assert!(!rows[1].is_head && rows[1].registered && !rows[1].resident_here);
}

#[test]
fn a_row_does_not_show_itself() {
    assert_eq!(format!("{:?}", read(&[HEADER, HEAD]).unwrap()), "[RosterRow { line: 2, .. }]");
}

#[test]
fn what_spreadsheets_do_to_a_file_is_understood() {
    let blank = ",".repeat(11);
    let row = with("birth", "1974/4/17").replace("13928186620", "\"１３９ 2818-6620\"").replace(",11,", ", 011 ,");
    let text = format!("\u{feff}\r\n{HEADER}\r\n{blank}\r\n\r\n{row}\r\n{SPOUSE}\r\n{blank}\r\n");
    let rows = parse(text.as_bytes(), today()).unwrap();
    assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [5, 6]);
    assert_eq!((rows[0].birth.to_string().as_str(), rows[0].group), ("1974-04-17", 11));
    assert_eq!(rows[0].phone.as_deref(), Some("13928186620"));
}

#[test]
fn a_file_is_read_as_a_clerk_s_spreadsheet_saves_it() {
    let said = headings().collect::<Vec<_>>().join(",");
    let yes = HEAD.replace(",1,1", ",是,是");
    let no = SPOUSE.replace(",1,0", ",是,否");
    let text = format!("{said}\r\n{yes}\r\n{no}\r\n");
    let wanted = read(&[HEADER, HEAD, SPOUSE]).unwrap();
    assert!(parse(text.as_bytes(), today()).unwrap() == wanted, "the names of columns that the desk says");
    let (bytes, ..) = encoding_rs::GBK.encode(&text);
    assert!(std::str::from_utf8(&bytes).is_err());
    assert!(parse(&bytes, today()).unwrap() == wanted, "and the encoding that nobody chose");
    let twice = format!("{HEADER},姓名");
    assert_eq!(faults(read(&[&twice, HEAD])), fault("line 1, column 13", "duplicate"));
}

#[test]
fn the_order_of_columns_is_free() {
    let turned = |line: &str| line.split(',').rev().collect::<Vec<_>>().join(",");
    let rows = read(&[&turned(HEADER), &turned(HEAD)]).unwrap();
    assert!(rows == read(&[HEADER, HEAD]).unwrap());
}

#[test]
fn empty_phone_and_id_are_allowed() {
    let row = with("phone", "").replace("330599197404172309", "");
    let rows = read(&[HEADER, &row]).unwrap();
    assert!(rows[0].phone.is_none() && rows[0].id_no.is_none());
}

#[test]
fn a_wrong_header_is_refused_without_repeating_it() {
    let header = HEADER.replace("phone", "telephone");
    let expected = [("line 1, column 9", "column_unknown"), ("line 1, column phone", "column_missing")];
    assert_eq!(faults(read(&[&header, HEAD])), expected.map(|(place, code)| (place.to_owned(), code.to_owned())));
    let twice = format!("{HEADER},name");
    assert_eq!(faults(read(&[&twice, HEAD])), fault("line 1, column 13", "duplicate"));
    // A file without a header: the first person's data is not in the answer.
    let answer = errors(read(&[HEAD, SPOUSE]));
    assert!(answer.len() == 24 && answer.iter().all(|error| !error.field.contains("谭桂香")));
}

#[test]
fn an_empty_file_is_refused() {
    assert_eq!(faults(read(&[])), fault("file", "no_rows"));
    assert_eq!(faults(read(&[HEADER, ""])), fault("file", "no_rows"));
}

#[test]
fn every_column_is_checked() {
    let long = "长".repeat(31);
    for (column, value, code) in [
        ("person_no", "", "required"),
        ("person_no", "123456789012345678901", "too_long"),
        ("household_no", "", "required"),
        ("household_no", "\"1\n2\"", "bad_characters"),
        ("person_no", "@1", "bad_characters"),
        ("person_no", "1@", ""),
        ("household_no", "＃", "bad_characters"),
        ("village_code", "33052110320", "not_an_area_code"),
        ("village_code", "33052110320２", ""),
        ("group", "", "required"),
        ("group", "-1", "not_a_number"),
        ("group", "201", "out_of_range"),
        ("group", "200", ""),
        ("group", "0", ""),
        ("name", "", "required"),
        ("name", &long, "too_long"),
        ("name", "谭\u{202e}桂香", "bad_characters"),
        ("sex", "", "required"),
        ("sex", "F", "unknown"),
        ("sex", "男", "differs_from_id"),
        ("birth", "1974-04-18", "differs_from_id"),
        ("birth", "1974-02-30", "not_a_date"),
        ("birth", "74-04-17", "not_a_date"),
        ("birth", "2026-11-24", "not_a_date"),
        ("birth", "1974-+4-17", "not_a_date"),
        ("id_no", "330599197404172300", "id_check"),
        ("id_no", "330599197413172309", "id_birth"),
        ("id_no", "3.30599E+17", "not_an_id"),
        ("phone", "0572-8012345", "not_a_phone"),
        ("relation", "", "required"),
        ("registered", "是", ""),
        ("registered", "对", "unknown"),
        ("resident_here", "2", "unknown"),
    ] {
        let result = read(&[HEADER, &with(column, value)]);
        let expected = format!("line 2, column {column}");
        match code {
            "" => assert!(result.is_ok(), "{column} {value}"),
            _ => assert_eq!(faults(result), fault(&expected, code), "{column} {value}"),
        }
    }
}

#[test]
fn doubles_are_named_with_both_lines() {
    let same_person = SPOUSE.replace("00002", "00001");
    let expected = fault("line 3, column person_no, also on line 2", "duplicate");
    assert_eq!(faults(read(&[HEADER, HEAD, &same_person])), expected);

    let id = "330599197404172309";
    let same_id =
        HEAD.replace("00001", "00003").replace("户主", "姐妹").replace(id, "３３０５９９１９７４０４１７２３０９");
    let expected = fault("line 4, column id_no, also on line 2", "duplicate");
    assert_eq!(faults(read(&[HEADER, HEAD, SPOUSE, &same_id])), expected);
}

#[test]
fn a_household_has_one_head() {
    let second = SPOUSE.replace("配偶", "户主");
    let expected = fault("line 3, column relation, also on line 2", "second_head");
    assert_eq!(faults(read(&[HEADER, HEAD, &second])), expected);
    let elsewhere = second.replace("H1", "H2");
    assert!(read(&[HEADER, HEAD, &elsewhere]).is_ok());
}

#[test]
fn lines_are_counted_as_an_editor_does() {
    let bad = with("phone", "1").replace("00001", "00009").replace("330599197404172309", "").replace("户主", "子女");
    let noted = HEAD.replace("谭桂香", "\"谭桂香\n\"").replace("00001", "\"00001\"");
    for (line_break, place) in [("\n", 5), ("\r\n", 5), ("\r", 5)] {
        let text = [HEADER, &noted.replace('\n', line_break), SPOUSE, &bad].join(line_break);
        let expected = fault(&format!("line {place}, column phone"), "not_a_phone");
        assert_eq!(faults(parse(text.as_bytes(), today())), expected, "{line_break:?}");
    }
}

#[test]
fn uneven_rows_are_named() {
    let short = "00003,H1,330521103202";
    assert_eq!(faults(read(&[HEADER, HEAD, short, SPOUSE])), fault("line 3", "columns_uneven"));
}

#[test]
fn a_file_that_is_not_utf8_is_refused_with_its_line() {
    // The name "谭" and the word "男" in GBK; the first pair happens to be UTF-8 as well.
    let mut bytes = format!("{HEADER}\n{SPOUSE}\n00001,H1,").into_bytes();
    bytes.extend([0xCC, 0xB7, b',', 0xC4, 0xD0]);
    assert_eq!(faults(parse(&bytes, today())), fault("line 3", "not_utf8"));
    assert_eq!(faults(parse(&[0xFF, 0xFE, b'p', 0], today())), fault("line 1", "not_utf8"));
}

#[test]
fn at_most_fifty_places_are_named() {
    let row = "x,,,,,,,,y,,,";
    let lines: Vec<&str> = std::iter::once(HEADER).chain(std::iter::repeat_n(row, 1_000)).collect();
    assert_eq!(errors(read(&lines)).len(), 50);
}

#[test]
fn more_rows_than_a_town_has_are_refused() {
    let mut text = HEADER.to_owned();
    for n in 0..=MAX_ROWS {
        text.push_str(&format!("\n{n},{n},330521103202,1,张三,男,1980-01-01,,,户主,1,1"));
    }
    assert_eq!(faults(parse(text.as_bytes(), today())), fault("line 100002", "too_many_rows"));
}

#[test]
fn the_invented_roster_of_a_whole_village_is_read() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/areas/roster_dongheng.csv");
    let Ok(bytes) = std::fs::read(path) else {
        eprintln!("skipped: {path} is not here");
        return;
    };
    let rows = parse(&bytes, today()).unwrap();
    assert_eq!(rows.len(), 3_003);
    assert_eq!(rows.iter().filter(|row| row.is_head).count(), 1_016);
    assert!(rows.iter().all(|row| row.id_no.as_ref().is_some_and(|id| id.birth() == row.birth)));
}

#[test]
fn bent_rosters_are_refused_or_are_people() {
    let whole = include_bytes!("../../../tests/data/roster_small.csv").to_vec();
    let seeds = vec![whole, [HEADER, HEAD, SPOUSE].join("\n").into_bytes(), [HEADER, HEAD].join("\r\n").into_bytes()];
    let words = ["\"", "\"\"", ",", "\n", "\r", "\u{feff}", "\0", "=1+1", "户主", "女", "1", "19500000007", "\u{202e}"];
    feed(&Food { name: "roster", seeds, words: &words, longest: 20_000 }, |bytes| match parse(bytes, today()) {
        Ok(rows) => {
            for row in rows {
                assert!(row.phone.as_ref().is_none_or(|phone| phone.len() == 11), "line {}", row.line);
                assert!(row.birth <= today() && row.village_code.len() == 12, "line {}", row.line);
                assert!(!row.name.is_empty() && !row.name.chars().any(char::is_control), "line {}", row.line);
            }
        }
        Err(Error::Refused(refusal)) => {
            assert_eq!(refusal.code, Code::RosterInvalid);
            assert!((1..=MAX_ERRORS + 1).contains(&refusal.fields.len()), "{}", refusal.fields.len());
        }
        Err(error) => panic!("{error}"),
    });
}
