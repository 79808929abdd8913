//! The room that long answers have together, over all connections of a server.
//!
//! # Why
//! What waits for one connection is bounded, but for an answer to a call, which may be megabytes long: whoever asks on
//! hundreds of sockets and takes little of each would have us keep a gigabyte. A long answer finds room or is refused, and
//! whoever is refused asks again; what a queue holds anyway needs none. One person holds as much as is left free at most, so
//! that whoever takes nothing, on however many phones, leaves room for others.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use super::outbox::MOST_BYTES;
use crate::ids::PersonId;

/// Bytes of all long answers that are not taken yet.
const ROOM: usize = 32 * 1024 * 1024;

/// Who has how much of it.
#[derive(Default)]
pub(super) struct Room(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    all: usize,
    people: HashMap<PersonId, usize>,
}

/// An answer and its place, which is free again when the last of it is gone.
struct Long {
    bytes: Bytes,
    _place: Place,
}

impl AsRef<[u8]> for Long {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

struct Place {
    held: Arc<Mutex<Held>>,
    person: PersonId,
    bytes: usize,
}

impl Room {
    /// The same bytes, with their place if they need one; `None`: there is no room for them.
    pub(super) fn find(&self, person: PersonId, bytes: Bytes) -> Option<Bytes> {
        if bytes.len() <= MOST_BYTES {
            return Some(bytes);
        }
        let place = Place::take(&self.0, person, bytes.len())?;
        Some(Bytes::from_owner(Long { bytes, _place: place }))
    }
}

impl Place {
    fn take(room: &Arc<Mutex<Held>>, person: PersonId, bytes: usize) -> Option<Self> {
        let mut held = lock(room);
        let (all, own) = (held.all + bytes, held.people.get(&person).copied().unwrap_or_default() + bytes);
        if own > ROOM.saturating_sub(all) {
            return None;
        }
        held.all = all;
        held.people.insert(person, own);
        Some(Self { held: Arc::clone(room), person, bytes })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = lock(&self.held);
        held.all -= self.bytes;
        if let Some(own) = held.people.get_mut(&self.person) {
            *own -= self.bytes;
            if *own == 0 {
                held.people.remove(&self.person);
            }
        }
    }
}

fn lock(room: &Mutex<Held>) -> MutexGuard<'_, Held> {
    room.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use bytes::Buf;

    use super::*;

    #[test]
    fn long_answers_find_room_until_it_is_full_and_leave_it_when_the_last_byte_is_gone() {
        let (room, person, most) = (Room::default(), PersonId::new(), Bytes::from(vec![7; ROOM / 8]));
        let find = || room.find(person, most.clone());
        let mut held: Vec<Bytes> = (0..4).map(|_| find().unwrap()).collect();
        assert!(held.iter().all(|one| *one == most), "the same bytes");
        assert!(find().is_none());
        // what a queue holds anyway
        let short = Bytes::from(vec![7; MOST_BYTES]);
        assert!(room.find(person, short).is_some());
        // one that is half taken lies there whole
        held[0].advance(most.len() / 2);
        assert!(find().is_none());
        let last = held.pop();
        assert!(find().is_none());
        drop(last);
        assert!(find().is_some());
        assert!(room.find(PersonId::new(), Bytes::from(vec![7; ROOM + 1])).is_none());
        drop(held);
        let left = lock(&room.0);
        assert_eq!((left.all, left.people.len()), (0, 0));
    }

    #[test]
    fn whoever_takes_nothing_leaves_room_for_others() {
        let (room, some) = (Room::default(), Bytes::from(vec![7; ROOM / 32]));
        let mut held = Vec::new();
        let mut take_all = || {
            let (before, person) = (held.len(), PersonId::new());
            while let Some(answer) = room.find(person, some.clone()) {
                held.push(answer);
            }
            held.len() - before
        };
        assert_eq!([take_all(), take_all(), take_all(), take_all()], [16, 8, 4, 2]);
        assert!(room.find(PersonId::new(), some).is_some(), "one more is answered");
    }
}
