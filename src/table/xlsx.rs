//! A workbook of one sheet, written row by row: nothing of it is kept, neither in memory nor in a file.
//!
//! # Why
//! The libraries for this keep the rows in temporary files until the end (`rust_xlsxwriter` in its constant-memory mode), which
//! would lay names on a disk in clear, and send nothing before everything was read. The little that a sheet of words and numbers
//! needs is written here: a zip archive whose entries say their lengths after their bytes, "deflated" in blocks that are stored
//! as they are, because a reader that does not seek accepts lengths behind an entry only with that method. Rows and cells say
//! where they stand: the standard lets them leave it out, not every program does.
use std::fmt::Write as _;

/// Rows of one sheet at most; so many programs show.
pub const MAX_ROWS: u64 = 1_048_576;
/// Signs of one cell at most, as UTF-16 counts them: of a file with more the programs say that it is damaged.
const MAX_SIGNS: usize = 32_767;
/// Bytes of one stored block at most.
const BLOCK: usize = 65_535;
/// Lengths follow the bytes; names are UTF-8.
const FLAGS: u16 = 0x0808;
const DEFLATED: u16 = 8;
/// 1980-01-01, the first day that an archive knows.
const DAY: u16 = 0x0021;

const TYPES: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#,
    r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">"#,
    r#"<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>"#,
    r#"<Default Extension="xml" ContentType="application/xml"/>"#,
    r#"<Override PartName="/xl/workbook.xml" "#,
    r#"ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>"#,
    r#"<Override PartName="/xl/worksheets/sheet1.xml" "#,
    r#"ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#,
);
const ROOT: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#,
    r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" "#,
    r#"Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" "#,
    r#"Target="xl/workbook.xml"/></Relationships>"#,
);
const BOOK: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#,
    r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" "#,
    r#"xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">"#,
    r#"<sheets><sheet name="1" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
);
const BOOK_PARTS: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#,
    r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" "#,
    r#"Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" "#,
    r#"Target="worksheets/sheet1.xml"/></Relationships>"#,
);
const SHEET: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#,
    r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>"#,
);
const SHEET_END: &str = "</sheetData></worksheet>";

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Words; never a formula.
    Text(String),
    /// A number.
    Number(i64),
    /// A number of hundredths, told with both places: money in yuan.
    Hundredths(i64),
}

impl Cell {
    /// A number as programs read it; `None` for words.
    #[must_use]
    pub fn number(&self) -> Option<String> {
        match self {
            Self::Text(_) => None,
            Self::Number(number) => Some(number.to_string()),
            Self::Hundredths(number) => {
                let (sign, all) = (if *number < 0 { "-" } else { "" }, number.unsigned_abs());
                Some(format!("{sign}{}.{:02}", all / 100, all % 100))
            }
        }
    }
}

impl From<String> for Cell {
    fn from(words: String) -> Self {
        Self::Text(words)
    }
}

/// An entry of the archive, as its directory names it.
struct Entry {
    name: &'static str,
    offset: u64,
    crc: Crc,
    packed: u64,
    raw: u64,
}

/// A sheet on its way out.
#[derive(Default)]
pub struct Sheet {
    entries: Vec<Entry>,
    /// Bytes written so far.
    written: u64,
    rows: u64,
}

impl Sheet {
    /// What comes before the first row.
    pub fn start(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let parts = [
            ("[Content_Types].xml", TYPES),
            ("_rels/.rels", ROOT),
            ("xl/workbook.xml", BOOK),
            ("xl/_rels/workbook.xml.rels", BOOK_PARTS),
        ];
        for (name, text) in parts {
            self.open(name, &mut out);
            self.put(text.as_bytes(), &mut out);
            self.close(&mut out);
        }
        self.open("xl/worksheets/sheet1.xml", &mut out);
        self.put(SHEET.as_bytes(), &mut out);
        out
    }

    /// Some rows; those that no program would show are left out.
    pub fn rows(&mut self, rows: impl IntoIterator<Item = Vec<Cell>>) -> Vec<u8> {
        let mut xml = String::new();
        for row in rows {
            self.rows += 1;
            if self.rows > MAX_ROWS {
                break;
            }
            // writing into a string does not fail
            write!(xml, "<row r=\"{}\">", self.rows).ok();
            for (column, cell) in row.iter().enumerate() {
                put_cell(cell, (&letters(column), self.rows), &mut xml);
            }
            xml.push_str("</row>");
        }
        let mut out = Vec::new();
        self.put(xml.as_bytes(), &mut out);
        out
    }

    /// What comes after the last row.
    pub fn end(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.put(SHEET_END.as_bytes(), &mut out);
        self.close(&mut out);
        let begins = self.written;
        for entry in &self.entries {
            out.extend(directory_entry(entry));
        }
        let count = u16::try_from(self.entries.len()).unwrap_or(u16::MAX);
        let length = self.entries.iter().map(|entry| 46 + entry.name.len() as u64).sum();
        out.extend(*b"PK\x05\x06\0\0\0\0");
        out.extend(count.to_le_bytes());
        out.extend(count.to_le_bytes());
        out.extend(four(length));
        out.extend(four(begins));
        out.extend([0, 0]);
        out
    }

    /// The head of an entry whose lengths are not known yet.
    fn open(&mut self, name: &'static str, out: &mut Vec<u8>) {
        let before = out.len();
        out.extend(*b"PK\x03\x04");
        for field in [20, FLAGS, DEFLATED, 0, DAY] {
            out.extend(field.to_le_bytes());
        }
        out.extend([0; 12]);
        out.extend(u16::try_from(name.len()).unwrap_or(0).to_le_bytes());
        out.extend([0, 0]);
        out.extend(name.as_bytes());
        self.entries.push(Entry { name, offset: self.written, crc: Crc::default(), packed: 0, raw: 0 });
        self.written += (out.len() - before) as u64;
    }

    /// Bytes of the open entry, in stored blocks.
    fn put(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let Some(entry) = self.entries.last_mut() else { return };
        for block in bytes.chunks(BLOCK) {
            let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
            out.push(0);
            out.extend(length.to_le_bytes());
            out.extend((!length).to_le_bytes());
            out.extend(block);
            entry.crc.add(block);
            entry.raw += block.len() as u64;
            entry.packed += block.len() as u64 + 5;
            self.written += block.len() as u64 + 5;
        }
    }

    /// The last, empty block, and what the entry came to.
    fn close(&mut self, out: &mut Vec<u8>) {
        let Some(entry) = self.entries.last_mut() else { return };
        out.extend([1, 0, 0, 0xff, 0xff]);
        entry.packed += 5;
        out.extend(*b"PK\x07\x08");
        out.extend(entry.crc.value().to_le_bytes());
        out.extend(four(entry.packed));
        out.extend(four(entry.raw));
        self.written += 5 + 16;
    }
}

fn directory_entry(entry: &Entry) -> Vec<u8> {
    let mut out = b"PK\x01\x02".to_vec();
    for field in [20, 20, FLAGS, DEFLATED, 0, DAY] {
        out.extend(field.to_le_bytes());
    }
    out.extend(entry.crc.value().to_le_bytes());
    out.extend(four(entry.packed));
    out.extend(four(entry.raw));
    out.extend(u16::try_from(entry.name.len()).unwrap_or(0).to_le_bytes());
    out.extend([0; 12]);
    out.extend(four(entry.offset));
    out.extend(entry.name.as_bytes());
    out
}

/// A million rows are far below what four bytes can say.
fn four(length: u64) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

/// The letters of a column, counted from 0: A, B … Z, AA.
fn letters(column: usize) -> String {
    let (mut left, mut letters) = (column + 1, Vec::new());
    while left > 0 {
        left -= 1;
        letters.push(char::from(b'A' + u8::try_from(left % 26).unwrap_or_default()));
        left /= 26;
    }
    letters.iter().rev().collect()
}

fn put_cell(cell: &Cell, (column, row): (&str, u64), xml: &mut String) {
    let Cell::Text(words) = cell else {
        write!(xml, "<c r=\"{column}{row}\"><v>{}</v></c>", cell.number().unwrap_or_default()).ok();
        return;
    };
    write!(xml, "<c r=\"{column}{row}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">").ok();
    let mut room = MAX_SIGNS;
    for (at, sign) in words.char_indices() {
        let Some(left) = room.checked_sub(sign.len_utf16()) else { break };
        room = left;
        match sign {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '_' if words.get(at..).is_some_and(is_escape) => xml.push_str("_x005F_"),
            '\n' | '\t' => xml.push(sign),
            // what XML cannot say at all
            sign if sign.is_control() || matches!(sign, '\u{fffe}' | '\u{ffff}') => {}
            sign => xml.push(sign),
        }
    }
    xml.push_str("</t></is></c>");
}

/// Would a program take these signs for another one? `_x0041_` is an A to it.
fn is_escape(text: &str) -> bool {
    let begins = text.as_bytes().first_chunk::<7>();
    matches!(begins, Some([b'_', b'x', digits @ .., b'_']) if digits.iter().all(u8::is_ascii_hexdigit))
}

/// The checksum of archives (CRC-32, reflected, 0xEDB88320).
struct Crc(u32);

impl Default for Crc {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Crc {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let place = (self.0 ^ u32::from(*byte)) & 0xff;
            let mixed = TABLE.get(place as usize).copied().unwrap_or_default();
            self.0 = mixed ^ (self.0 >> 8);
        }
    }

    fn value(&self) -> u32 {
        !self.0
    }
}

static TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ 0xedb8_8320 } else { value >> 1 };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        let mut crc = Crc::default();
        crc.add(b"1234");
        crc.add(b"56789");
        assert_eq!(crc.value(), 0xcbf4_3926);
        assert_eq!(Crc::default().value(), 0);
    }

    #[test]
    fn every_entry_stands_where_the_directory_says() {
        let mut sheet = Sheet::default();
        let mut file = sheet.start();
        // more than one block
        let long = "长".repeat(40_000);
        for _ in 0..3 {
            file.extend(sheet.rows([vec![Cell::Text(long.clone()), Cell::Number(-7)]]));
        }
        file.extend(sheet.rows([]));
        file.extend(sheet.end());
        for entry in &sheet.entries {
            let at = usize::try_from(entry.offset).unwrap();
            assert_eq!(&file[at..at + 4], b"PK\x03\x04", "{}", entry.name);
            assert_eq!(&file[at + 30..at + 30 + entry.name.len()], entry.name.as_bytes());
        }
        let end = file.len() - 22;
        assert_eq!(&file[end..end + 4], b"PK\x05\x06");
        let directory = u32::from_le_bytes(file[end + 16..end + 20].try_into().unwrap()) as usize;
        assert_eq!(&file[directory..directory + 4], b"PK\x01\x02");
    }

    #[test]
    fn words_cannot_leave_their_cell() {
        let put = |words: &str| {
            let mut xml = String::new();
            put_cell(&Cell::Text(words.into()), ("B", 7), &mut xml);
            let inside = xml.strip_prefix("<c r=\"B7\" t=\"inlineStr\"><is><t xml:space=\"preserve\">").unwrap();
            inside.strip_suffix("</t></is></c>").unwrap().to_owned()
        };
        for (words, written) in [
            ("=1+1</t>&\u{0}\u{b}甲\n乙", "=1+1&lt;/t&gt;&amp;甲\n乙"),
            ("甲\r\n乙\u{7f}\u{85}\u{fffe}\u{ffff}", "甲\n乙"),
            ("_x0041_ _x41_ _xZZZZ_ x0041_", "_x005F_x0041_ _x41_ _xZZZZ_ x0041_"),
            ("_x004", "_x004"),
        ] {
            assert_eq!(put(words), written);
        }
        let long = put(&"𠮷".repeat(20_000));
        assert_eq!(long.chars().map(char::len_utf16).sum::<usize>(), MAX_SIGNS - 1, "no half of a sign");
    }

    #[test]
    fn numbers_are_numbers_and_every_cell_says_where_it_stands() {
        let mut xml = String::new();
        put_cell(&Cell::Number(-7), ("A", 1), &mut xml);
        put_cell(&Cell::Hundredths(123_456), ("B", 1), &mut xml);
        assert_eq!(xml, "<c r=\"A1\"><v>-7</v></c><c r=\"B1\"><v>1234.56</v></c>");
        let said = |number| Cell::Hundredths(number).number().unwrap();
        assert_eq!([said(0), said(5), said(-250), said(i64::MIN)], ["0.00", "0.05", "-2.50", "-92233720368547758.08"]);
        for (column, name) in [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (701, "ZZ"), (702, "AAA"), (16_383, "XFD")]
        {
            assert_eq!(letters(column), name);
        }
    }
}
