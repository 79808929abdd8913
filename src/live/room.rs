//! The room that long answers have together, over all connections of a server.
//!
//! # Why
//! What waits for one connection is bounded, but for an answer to a call, which may be megabytes long: whoever asks on
//! hundreds of sockets and takes little of each would have us keep a gigabyte. A long answer finds room or is refused, and
//! whoever is refused asks again; what a queue holds anyway needs none.
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::outbox::MOST_BYTES;

/// Bytes of all long answers that are not taken yet.
const ROOM: usize = 32 * 1024 * 1024;

/// What is left of it.
pub(super) struct Room(Arc<Semaphore>);

/// An answer and its place, which is free again when the last of it is gone.
struct Long {
    bytes: Bytes,
    _place: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Long {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ROOM)))
    }
}

impl Room {
    /// The same bytes, with their place if they need one; `None`: there is no room for them.
    pub(super) fn find(&self, bytes: Bytes) -> Option<Bytes> {
        if bytes.len() <= MOST_BYTES {
            return Some(bytes);
        }
        let place = Arc::clone(&self.0).try_acquire_many_owned(u32::try_from(bytes.len()).ok()?).ok()?;
        Some(Bytes::from_owner(Long { bytes, _place: place }))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Buf;

    use super::*;

    #[test]
    fn long_answers_find_room_until_it_is_full_and_leave_it_when_the_last_byte_is_gone() {
        let (room, most) = (Room::default(), Bytes::from(vec![7; ROOM / 8]));
        let mut held: Vec<Bytes> = (0..8).map(|_| room.find(most.clone()).unwrap()).collect();
        assert!(held.iter().all(|one| *one == most), "the same bytes");
        assert!(room.find(most.clone()).is_none());
        // what a queue holds anyway
        let short = Bytes::from(vec![7; MOST_BYTES]);
        assert!(room.find(short).is_some());
        // one that is half taken lies there whole
        held[0].advance(most.len() / 2);
        assert!(room.find(most.clone()).is_none());
        let last = held.pop();
        assert!(room.find(most.clone()).is_none());
        drop(last);
        assert!(room.find(most.clone()).is_some());
        assert!(room.find(Bytes::from(vec![7; ROOM + 1])).is_none());
    }
}
