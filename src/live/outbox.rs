//! What waits for one connection: shared bytes in order, bounded; entries may be thrown away, words may not.
use std::{collections::VecDeque, io::IoSlice};

use bytes::{Buf, Bytes};

use crate::ids::StreamId;

/// Frames that wait at most.
pub(super) const MOST_FRAMES: usize = 256;
/// Bytes that wait at most; an answer to a call may be longer, and is then the only one, in the room for such.
pub(super) const MOST_BYTES: usize = 256 * 1024;
/// Pieces handed to the kernel in one call.
const TOGETHER: usize = 64;

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// So many entries, which stand in the database as well.
    Entries(usize),
    /// An answer, a ping: told once.
    Word,
}

/// Where a listener is in a stream after a piece; for server-sent events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) stream: StreamId,
    /// `None`: as before.
    pub(super) epoch: Option<i64>,
    /// `None`: no longer in it.
    pub(super) seq: Option<i64>,
}

/// Bytes that wait.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) bytes: Bytes,
    kind: Kind,
    pub(super) marks: Vec<Mark>,
}

/// All that waits, the oldest first.
#[derive(Default, Debug)]
pub(super) struct Outbox {
    pieces: VecDeque<Piece>,
    bytes: usize,
    frames: usize,
    /// The first one was written in part: it has to be ended before anything else can be said.
    is_begun: bool,
}

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Is there no room for more entries?
    pub(super) fn is_full(&self, (frames, bytes): (usize, usize)) -> bool {
        !self.is_empty() && (self.frames + frames > MOST_FRAMES || self.bytes + bytes > MOST_BYTES)
    }

    pub(super) fn push(&mut self, bytes: Bytes, kind: Kind, marks: Vec<Mark>) {
        self.bytes += bytes.len();
        self.frames += frames(kind);
        self.pieces.push_back(Piece { bytes, kind, marks });
    }

    /// The same for something of which `written` bytes are out already.
    pub(super) fn push_rest(&mut self, mut bytes: Bytes, written: usize, kind: Kind) {
        self.is_begun = written > 0 && self.is_empty();
        bytes.advance(written);
        self.push(bytes, kind, Vec::new());
    }

    /// The next to be written, as many as go into one call.
    pub(super) fn slices(&self) -> ([IoSlice<'_>; TOGETHER], usize) {
        let mut slices = [IoSlice::new(&[]); TOGETHER];
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
            *slice = IoSlice::new(&piece.bytes);
            count += 1;
        }
        (slices, count)
    }

    /// So many bytes are out.
    pub(super) fn written(&mut self, mut count: usize) {
        self.bytes -= count;
        while let Some(first) = self.pieces.front_mut() {
            if count < first.bytes.len() {
                first.bytes.advance(count);
                self.is_begun |= count > 0;
                return;
            }
            count -= first.bytes.len();
            self.is_begun = false;
            self.pop();
        }
        // given back: whoever was slow once is not to cost memory for ever
        self.pieces = VecDeque::new();
    }

    /// The next one, for who takes them whole.
    pub(super) fn take(&mut self) -> Option<Piece> {
        self.bytes -= self.pieces.front()?.bytes.len();
        self.pop()
    }

    fn pop(&mut self) -> Option<Piece> {
        let piece = self.pieces.pop_front()?;
        self.frames -= frames(piece.kind);
        Some(piece)
    }

    /// Throws away what stands in the database as well; what is half out goes on.
    pub(super) fn keep_words(&mut self) {
        let begun = self.is_begun;
        let mut place = 0;
        self.pieces.retain(|piece| {
            place += 1;
            piece.kind == Kind::Word || (begun && place == 1)
        });
        self.bytes = self.pieces.iter().map(|piece| piece.bytes.len()).sum();
        self.frames = self.pieces.iter().map(|piece| frames(piece.kind)).sum();
    }

    /// Does so much wait that nothing more should be asked for?
    pub(super) fn is_long(&self) -> bool {
        self.bytes > MOST_BYTES
    }
}

fn frames(kind: Kind) -> usize {
    match kind {
        Kind::Entries(count) => count,
        Kind::Word => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(outbox: &Outbox) -> Vec<u8> {
        let (slices, count) = outbox.slices();
        slices[..count].iter().flat_map(|slice| slice.to_vec()).collect()
    }

    #[test]
    fn what_is_half_out_is_ended_and_words_are_kept() {
        let mut outbox = Outbox::default();
        outbox.push_rest(Bytes::from_static(b"entry"), 2, Kind::Entries(1));
        outbox.push(Bytes::from_static(b"word"), Kind::Word, Vec::new());
        outbox.push(Bytes::from_static(b"more"), Kind::Entries(2), Vec::new());
        assert_eq!(all(&outbox), b"trywordmore");
        assert!(!outbox.is_full((253 - 1, 0)) && outbox.is_full((253, 0)) && outbox.is_full((1, MOST_BYTES)));
        outbox.keep_words();
        assert_eq!(all(&outbox), b"tryword");
        outbox.written(4);
        assert_eq!(all(&outbox), b"ord");
        outbox.keep_words();
        assert_eq!(all(&outbox), b"ord");
        outbox.written(3);
        assert!(outbox.is_empty() && !outbox.is_begun && outbox.bytes == 0 && outbox.frames == 0);
        // an entry that is not begun goes
        outbox.push(Bytes::from_static(b"entry"), Kind::Entries(1), Vec::new());
        outbox.keep_words();
        assert!(outbox.is_empty());
    }
}
