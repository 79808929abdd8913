//! Tables for spreadsheets: CSV with a byte-order mark, or a workbook; a page at a time, and no cell is taken for a formula.
use axum::http::{HeaderName, header};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, future::ready, stream::once};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Error, Result};

pub mod xlsx;

use self::xlsx::{Cell, Sheet};

/// As what a table is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Comma-separated, UTF-8 with a byte-order mark.
    #[default]
    Csv,
    /// A workbook of one sheet.
    Xlsx,
}

impl Format {
    /// Head lines of an answer that is saved as a file.
    #[must_use]
    pub fn headers(self) -> [(HeaderName, &'static str); 2] {
        match self {
            Self::Csv => HEADERS,
            Self::Xlsx => [
                (header::CONTENT_TYPE, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"list.xlsx\""),
            ],
        }
    }
}

/// A table on its way out; nothing of it is kept.
enum Table {
    /// As CSV.
    Csv,
    /// As a workbook.
    Xlsx(Box<Sheet>),
}

impl Table {
    /// A table of this form.
    fn new(format: Format) -> Self {
        match format {
            Format::Csv => Self::Csv,
            Format::Xlsx => Self::Xlsx(Box::default()),
        }
    }

    /// What comes first, and the heads of the columns.
    fn start(&mut self, heads: Vec<Cell>) -> Result<Vec<u8>> {
        let before = match self {
            Self::Csv => START.to_vec(),
            Self::Xlsx(sheet) => sheet.start(),
        };
        Ok([before, self.rows([heads])?].concat())
    }

    /// Some rows.
    fn rows(&mut self, rows: impl IntoIterator<Item = Vec<Cell>>) -> Result<Vec<u8>> {
        let plain = |one: Cell| match one {
            Cell::Text(words) => cell(&words),
            number => number.number().unwrap_or_default(),
        };
        match self {
            Self::Csv => lines(rows.into_iter().map(|row| row.into_iter().map(plain).collect())),
            Self::Xlsx(sheet) => Ok(sheet.rows(rows)),
        }
    }

    /// What comes last.
    fn end(&mut self) -> Vec<u8> {
        match self {
            Self::Csv => Vec::new(),
            Self::Xlsx(sheet) => sheet.end(),
        }
    }
}

/// A table that is at hand.
///
/// # Errors
/// When rows are of different lengths.
pub fn whole(format: Format, heads: Vec<Cell>, rows: impl IntoIterator<Item = Vec<Cell>>) -> Result<Vec<u8>> {
    let mut table = Table::new(format);
    Ok([table.start(heads)?, table.rows(rows)?, table.end()].concat())
}

/// What a table is sent in.
enum Piece {
    Heads(Vec<Cell>),
    Rows(Vec<Vec<Cell>>),
    Foot,
}

/// A table as it is sent: its heads, the rows of each page when that is read, and what comes last. A page that cannot be read
/// breaks the answer off.
pub fn sent(
    format: Format,
    heads: Vec<Cell>,
    pages: impl Stream<Item = Result<Vec<Vec<Cell>>>>,
) -> impl Stream<Item = Result<Bytes>> {
    let before = once(ready(Ok(Piece::Heads(heads))));
    let after = once(ready(Ok(Piece::Foot)));
    let mut table = Table::new(format);
    before.chain(pages.map_ok(Piece::Rows)).chain(after).map(move |piece| {
        let bytes = match piece? {
            Piece::Heads(heads) => table.start(heads)?,
            Piece::Rows(rows) => table.rows(rows)?,
            Piece::Foot => table.end(),
        };
        Ok(bytes.into())
    })
}

/// What a file begins with, so that spreadsheets read it as UTF-8.
const START: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Head lines of an answer that is saved as a file.
const HEADERS: [(HeaderName, &str); 2] = [
    (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
    (header::CONTENT_DISPOSITION, "attachment; filename=\"list.csv\""),
];

/// What a spreadsheet runs as a formula begins with one of these; where people type Chinese also with those of full width.
const RUN: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Words as a cell.
fn cell(words: &str) -> String {
    if words.starts_with(RUN) { format!("'{words}") } else { words.to_owned() }
}

/// Lines of a table; each cell that people wrote went through [`cell`].
///
/// # Errors
/// When lines are of different lengths.
fn lines(records: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>> {
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
        for (words, written) in [
            ("=1+1", "'=1+1"),
            ("@x", "'@x"),
            ("\r=1", "'\r=1"),
            ("\n=1", "'\n=1"),
            ("＝1+1", "'＝1+1"),
            ("－1", "'－1"),
            ("鸡蛋", "鸡蛋"),
            ("1-2", "1-2"),
        ] {
            assert_eq!(cell(words), written);
        }
    }

    #[test]
    fn what_would_break_a_line_is_quoted() {
        let lines = lines([vec!["甲,乙".to_owned(), "说\"好\"\n".to_owned()]]).unwrap();
        assert_eq!(String::from_utf8(lines).unwrap(), "\"甲,乙\",\"说\"\"好\"\"\n\"\n");
    }
}
