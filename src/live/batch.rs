//! Entries of a stream on their way to everybody: encoded once, with their heads, in one piece of memory.
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::{frames, protocol};
use crate::{ids::StreamId, streams::EntryView};

/// Bytes in a batch, if it has more than one entry. Whoever is slow keeps all of a batch of which something waits.
const LONGEST: usize = 32 * 1024;
/// Of a frame, at most.
const HEAD: usize = 10;

/// Entries that follow one another.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) stream: StreamId,
    /// The seq of each, and where its frame ends.
    ends: Vec<(i64, usize)>,
    bytes: Bytes,
}

/// What of a batch is new to somebody.
pub(super) enum New {
    Nothing,
    /// Something before it is missing.
    Gap,
    /// So many frames, up to this seq.
    Frames(Bytes, usize, i64),
}

impl Batch {
    /// All of them, in as many batches as it takes. `jitter_ms`: within which time to ask for more, for those who do.
    pub(super) fn of(stream: StreamId, entries: &[EntryView], jitter_ms: usize) -> Vec<Arc<Self>> {
        let push = |entry: &EntryView| {
            (entry.seq, protocol::publication_push(stream, &protocol::publication(entry, jitter_ms)))
        };
        let texts: Vec<(i64, String)> = entries.iter().map(push).collect();
        let (mut batches, mut rest) = (Vec::new(), texts.as_slice());
        while !rest.is_empty() {
            let mut room = 0;
            let fits = rest.iter().take_while(|(_, text)| {
                room += text.len() + HEAD;
                room <= LONGEST
            });
            let (together, later) = rest.split_at(fits.count().max(1));
            batches.push(Arc::new(Self::encoded(stream, together)));
            rest = later;
        }
        batches
    }

    fn encoded(stream: StreamId, texts: &[(i64, String)]) -> Self {
        let mut bytes = BytesMut::with_capacity(texts.iter().map(|(_, text)| text.len() + HEAD).sum());
        let mut ends = Vec::with_capacity(texts.len());
        for (seq, text) in texts {
            frames::put_text(&mut bytes, text);
            ends.push((*seq, bytes.len()));
        }
        Self { stream, ends, bytes: bytes.freeze() }
    }

    /// What is new to somebody who has everything up to `seq`.
    pub(super) fn after(&self, seq: i64) -> New {
        let known = self.ends.partition_point(|(known, _)| *known <= seq);
        let (Some((first, _)), Some((last, _))) = (self.ends.get(known), self.ends.last()) else { return New::Nothing };
        if *first != seq + 1 {
            return New::Gap;
        }
        let start = known.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(_, end)| *end);
        New::Frames(self.bytes.slice(start..), self.ends.len() - known, *last)
    }

    /// Each frame after `seq` by itself, with its own seq.
    pub(super) fn each_after(&self, seq: i64) -> impl Iterator<Item = (i64, Bytes)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        let frames = self.ends.iter().zip(starts).filter(move |((at, _), _)| *at > seq);
        frames.map(|((at, end), start)| (*at, self.bytes.slice(start..*end)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_gets_what_is_new_to_it_and_long_ones_go_by_themselves() {
        let stream = StreamId::new();
        let texts: Vec<(i64, String)> = (5..=9).map(|seq| (seq, seq.to_string())).collect();
        let batch = Batch::encoded(stream, &texts);
        let new = |seq| match batch.after(seq) {
            New::Nothing => "nothing".to_owned(),
            New::Gap => "gap".to_owned(),
            New::Frames(bytes, count, last) => format!("{} bytes, {count}, {last}", bytes.len()),
        };
        let wanted = ["gap", "15 bytes, 5, 9", "12 bytes, 4, 9", "3 bytes, 1, 9", "nothing", "nothing"];
        assert_eq!([3, 4, 5, 8, 9, 12].map(new), wanted);
        assert_eq!(batch.each_after(7).map(|(seq, frame)| (seq, frame.len())).collect::<Vec<_>>(), [(8, 3), (9, 3)]);
    }
}
