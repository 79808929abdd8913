//! Which line of a file a row stands on, for people who open the file in an editor.

/// Line numbers as an editor shows them. The reader's own are one short in files with CRLF, and do not know CR alone.
pub(super) struct LineNumbers<'a> {
    bytes: &'a [u8],
    at: usize,
    number: u64,
}

impl<'a> LineNumbers<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), at: 0, number: 1 }
    }

    /// The line on which the row begins that the reader found at or after this byte; bytes must not go back.
    pub(super) fn of(&mut self, byte: u64) -> u64 {
        let from = usize::try_from(byte).unwrap_or(usize::MAX).min(self.bytes.len());
        let blank = self.bytes.iter().skip(from).take_while(|b| matches!(b, b'\n' | b'\r')).count();
        let passed = self.bytes.get(self.at..from + blank).unwrap_or_default();
        self.number += line_breaks(passed);
        self.at = from + blank;
        self.number
    }
}

/// LF, CRLF or CR, each counted once.
pub(super) fn line_breaks(bytes: &[u8]) -> u64 {
    let next = bytes.iter().skip(1).map(Some).chain([None]);
    bytes.iter().zip(next).map(|(b, next)| u64::from(*b == b'\n' || (*b == b'\r' && next != Some(&b'\n')))).sum()
}
