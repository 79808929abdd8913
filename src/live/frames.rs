//! Frames of RFC 6455 as a server reads and writes them; no socket here, so that an echo server for conformance suites
//! uses the very same code. <https://www.rfc-editor.org/rfc/rfc6455>
//!
//! # Why
//! A library's socket keeps buffers of its own for each connection and encodes each frame anew for each receiver. Here a
//! message is encoded once with its head and the same bytes go to everybody; an idle connection keeps no buffer at all.
use std::str;

use bytes::{BufMut, Bytes, BytesMut};

const CONTINUED: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;
/// Content of a control frame at most.
const CONTROL: usize = 125;

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A whole message of text.
    Text(String),
    /// A whole message of bytes.
    Binary(Vec<u8>),
    /// To be answered by a pong with the same content.
    Ping(Vec<u8>),
    /// Somebody is there.
    Pong,
    /// The end, with the code if one was given.
    Close(Option<u16>),
}

/// What is no websocket; nothing more can be read after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Not by the rules.
    Protocol,
    /// Text that is none.
    Text,
    /// Longer than is taken.
    TooLong,
}

impl Broken {
    /// The code with which the connection is closed.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Protocol => 1002,
            Self::Text => 1007,
            Self::TooLong => 1009,
        }
    }
}

/// Puts messages together from whatever pieces come.
pub struct Reader {
    longest: usize,
    /// The head of the frame that is coming, as far as it has come.
    head: [u8; 14],
    has: u8,
    /// The frame whose head is complete.
    frame: Option<Frame>,
    /// Kind of the message that is coming in fragments.
    kind: Option<u8>,
    message: Vec<u8>,
    /// Bytes of the message known to be text.
    is_text_to: usize,
    control: Vec<u8>,
}

struct Frame {
    opcode: u8,
    is_final: bool,
    mask: [u8; 4],
    read: usize,
    length: usize,
}

impl Reader {
    /// Takes messages of so many bytes.
    #[must_use]
    pub fn new(longest: usize) -> Self {
        Self {
            longest,
            head: [0; 14],
            has: 0,
            frame: None,
            kind: None,
            message: Vec::new(),
            is_text_to: 0,
            control: Vec::new(),
        }
    }

    /// The next thing that is complete; takes what it read from the front of `input`. `None`: more must come.
    ///
    /// # Errors
    /// What broke the rules; the connection is to be closed with its code.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Event>, Broken> {
        loop {
            if self.frame.is_none() && !self.read_head(input)? {
                return Ok(None);
            }
            let Some(frame) = &mut self.frame else { return Ok(None) };
            let count = (frame.length - frame.read).min(input.len());
            let (piece, rest) = input.split_at(count);
            *input = rest;
            let into = if frame.opcode >= CLOSE { &mut self.control } else { &mut self.message };
            unmask(piece, frame.mask, frame.read, into);
            frame.read += count;
            let (is_whole, is_data) = (frame.read == frame.length, frame.opcode < CLOSE);
            if is_data && self.kind == Some(TEXT) {
                self.check_text()?;
            }
            if !is_whole {
                return Ok(None);
            }
            if let Some(event) = self.frame_ended()? {
                return Ok(Some(event));
            }
        }
    }

    /// Is the head complete?
    fn read_head(&mut self, input: &mut &[u8]) -> Result<bool, Broken> {
        loop {
            let wanted = match self.has {
                0..2 => 2,
                _ => {
                    self.check_start()?;
                    match self.head[1] & 0x7f {
                        126 => 8,
                        127 => 14,
                        _ => 6,
                    }
                }
            };
            let has = usize::from(self.has);
            if has == wanted && has > 2 {
                break;
            }
            let count = (wanted - has).min(input.len());
            if count == 0 {
                return Ok(false);
            }
            let (piece, rest) = input.split_at(count);
            self.head[has..has + count].copy_from_slice(piece);
            self.has += u8::try_from(count).unwrap_or_default();
            *input = rest;
        }
        self.open_frame()?;
        Ok(true)
    }

    /// What the first two bytes alone show to be wrong.
    fn check_start(&self) -> Result<(), Broken> {
        let (first, second) = (self.head[0], self.head[1]);
        let (opcode, is_final, length) = (first & 0x0f, first & FINAL != 0, usize::from(second & 0x7f));
        let fits = match opcode {
            CONTINUED => self.kind.is_some(),
            TEXT | BINARY => self.kind.is_none(),
            CLOSE | PING | PONG => is_final && length <= CONTROL,
            _ => false,
        };
        // no extension was agreed to; a client masks
        if fits && first & 0x70 == 0 && second & MASKED != 0 { Ok(()) } else { Err(Broken::Protocol) }
    }

    fn open_frame(&mut self) -> Result<(), Broken> {
        let head = &self.head;
        let (length, shortest) = match head[1] & 0x7f {
            126 => (u64::from(u16::from_be_bytes([head[2], head[3]])), 126),
            127 => {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(&head[2..10]);
                (u64::from_be_bytes(bytes), 65_536)
            }
            short => (u64::from(short), 0),
        };
        if length < shortest || length > i64::MAX.unsigned_abs() {
            return Err(Broken::Protocol);
        }
        let opcode = head[0] & 0x0f;
        let so_far = if opcode == CONTINUED { self.message.len() } else { 0 };
        let length = usize::try_from(length).map_err(|_| Broken::TooLong)?;
        if opcode < CLOSE && so_far.saturating_add(length) > self.longest {
            return Err(Broken::TooLong);
        }
        let mut mask = [0; 4];
        let has = usize::from(self.has);
        mask.copy_from_slice(&head[has - 4..has]);
        if matches!(opcode, TEXT | BINARY) {
            self.kind = Some(opcode);
        }
        self.frame = Some(Frame { opcode, is_final: head[0] & FINAL != 0, mask, read: 0, length });
        self.has = 0;
        Ok(())
    }

    /// Text is refused at the first byte that cannot be any; a character may come in pieces.
    fn check_text(&mut self) -> Result<(), Broken> {
        let new = self.message.get(self.is_text_to..).unwrap_or_default();
        match str::from_utf8(new) {
            Ok(_) => self.is_text_to = self.message.len(),
            Err(error) if error.error_len().is_some() => return Err(Broken::Text),
            Err(error) => self.is_text_to += error.valid_up_to(),
        }
        Ok(())
    }

    fn frame_ended(&mut self) -> Result<Option<Event>, Broken> {
        let Some(frame) = self.frame.take() else { return Ok(None) };
        if frame.opcode >= CLOSE {
            let content = std::mem::take(&mut self.control);
            return match frame.opcode {
                PING => Ok(Some(Event::Ping(content))),
                PONG => Ok(Some(Event::Pong)),
                _ => closing(&content).map(|code| Some(Event::Close(code))),
            };
        }
        if !frame.is_final {
            return Ok(None);
        }
        let message = std::mem::take(&mut self.message);
        self.is_text_to = 0;
        match self.kind.take() {
            // a character that was begun and not ended is none
            Some(TEXT) => String::from_utf8(message).map(|text| Some(Event::Text(text))).map_err(|_| Broken::Text),
            _ => Ok(Some(Event::Binary(message))),
        }
    }
}

fn unmask(piece: &[u8], mask: [u8; 4], at: usize, into: &mut Vec<u8>) {
    let mut turned = mask;
    turned.rotate_left(at % 4);
    let word = u32::from_ne_bytes(turned);
    into.reserve(piece.len());
    let mut words = piece.chunks_exact(4);
    for four in &mut words {
        let masked = u32::from_ne_bytes([four[0], four[1], four[2], four[3]]);
        into.extend_from_slice(&(masked ^ word).to_ne_bytes());
    }
    into.extend(words.remainder().iter().zip(turned).map(|(byte, key)| byte ^ key));
}

/// The code of a close.
fn closing(content: &[u8]) -> Result<Option<u16>, Broken> {
    match content {
        [] => Ok(None),
        [_] => Err(Broken::Protocol),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                return Err(Broken::Protocol);
            }
            str::from_utf8(reason).map(|_| Some(code)).map_err(|_| Broken::Text)
        }
    }
}

fn frame(opcode: u8, content: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(content.len() + 10);
    put(&mut bytes, opcode, content);
    bytes.freeze()
}

fn put(bytes: &mut BytesMut, opcode: u8, content: &[u8]) {
    bytes.put_u8(FINAL | opcode);
    match (u8::try_from(content.len()), u16::try_from(content.len())) {
        (Ok(length @ 0..=125), _) => bytes.put_u8(length),
        (_, Ok(length)) => {
            bytes.put_u8(126);
            bytes.put_u16(length);
        }
        _ => {
            bytes.put_u8(127);
            bytes.put_u64(content.len() as u64);
        }
    }
    bytes.put_slice(content);
}

/// A message of text as it goes over the wire.
#[must_use]
pub fn text(content: &str) -> Bytes {
    frame(TEXT, content.as_bytes())
}

/// The same, behind others in one buffer.
pub fn put_text(bytes: &mut BytesMut, content: &str) {
    put(bytes, TEXT, content.as_bytes());
}

/// A message of bytes as it goes over the wire.
#[must_use]
pub fn binary(content: &[u8]) -> Bytes {
    frame(BINARY, content)
}

/// The answer to a ping with this content.
#[must_use]
pub fn pong(content: &[u8]) -> Bytes {
    frame(PONG, content.get(..CONTROL).unwrap_or(content))
}

/// The end, and why; without a code for who gave none.
#[must_use]
pub fn close(code: Option<u16>, reason: &str) -> Bytes {
    let mut content = Vec::new();
    if let Some(code) = code {
        content.extend(code.to_be_bytes());
        content.extend(reason.bytes().take(CONTROL - 2));
    }
    frame(CLOSE, &content)
}

/// What a frame that was made here holds.
#[must_use]
pub fn content(frame: &Bytes) -> Bytes {
    let head = match frame.get(1) {
        Some(126) => 4,
        Some(127) => 10,
        _ => 2,
    };
    frame.slice(head.min(frame.len())..)
}

#[cfg(test)]
#[path = "frames_tests.rs"]
mod tests;
