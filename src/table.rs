//! Tables for spreadsheets: CSV with a byte-order mark, whose cells no spreadsheet takes for a formula.
use axum::http::{HeaderName, header};

use crate::error::{Error, Result};

/// What a file begins with, so that spreadsheets read it as UTF-8.
pub const START: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Head lines of an answer that is saved as a file.
pub const HEADERS: [(HeaderName, &str); 2] = [
    (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
    (header::CONTENT_DISPOSITION, "attachment; filename=\"list.csv\""),
];

/// Words as a cell: a spreadsheet runs what begins with these signs.
#[must_use]
pub fn cell(words: &str) -> String {
    if words.starts_with(['=', '+', '-', '@', '\t']) { format!("'{words}") } else { words.to_owned() }
}

/// Lines of a table; each cell that people wrote went through [`cell`].
///
/// # Errors
/// When lines are of different lengths.
pub fn lines(records: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    for record in records {
        table.write_record(record).map_err(Error::broken)?;
    }
    table.into_inner().map_err(|_| Error::broken("a table cannot be written"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_runs_nothing() {
        for (words, written) in [("=1+1", "'=1+1"), ("@x", "'@x"), ("鸡蛋", "鸡蛋"), ("1-2", "1-2")] {
            assert_eq!(cell(words), written);
        }
    }

    #[test]
    fn what_would_break_a_line_is_quoted() {
        let lines = lines([vec!["甲,乙".to_owned(), "说\"好\"\n".to_owned()]]).unwrap();
        assert_eq!(String::from_utf8(lines).unwrap(), "\"甲,乙\",\"说\"\"好\"\"\n\"\n");
    }
}
