//! The newest entries of lively streams, encoded, for the many who come back at once.
//!
//! # Why
//! After a restart ten thousand phones ask for the same few entries. An entry may be changed by one that follows (a recall,
//! a pin), so what is kept serves only who asks up to its own newest seq: whatever changed it would have a later one. What
//! changes without an entry (a name, an account that was closed) is out of date for [`KEPT`] at most.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{outbox::MOST_BYTES, protocol};
use crate::{
    app::App,
    error::Result,
    ids::StreamId,
    streams::queries::{self, Span},
};

/// Entries kept of a stream.
const NEWEST: u64 = 200;
const KEPT: Duration = Duration::from_secs(10);
/// Asked for again within this time, a stream is lively.
const LIVELY: Duration = Duration::from_secs(1);
/// Streams kept.
const STREAMS: usize = 256;

/// An entry as a publication, with its place.
pub(super) type Encoded = (i64, Arc<str>);

#[derive(Default)]
pub(super) struct Recent {
    streams: Mutex<HashMap<StreamId, Arc<Slot>>>,
}

struct Slot {
    asked_at: Mutex<Instant>,
    /// Held while the database is read, so that one reads for all.
    kept: tokio::sync::Mutex<Option<Kept>>,
}

struct Kept {
    at: Instant,
    epoch: i64,
    entries: Vec<Encoded>,
}

impl Kept {
    /// Everything after `from`, if all of it is here up to `head` at least.
    fn after(&self, epoch: i64, (from, head): (i64, i64)) -> Option<Vec<Encoded>> {
        let (first, last) = (self.entries.first()?.0, self.entries.last()?.0);
        let holds = self.epoch == epoch && self.at.elapsed() < KEPT && first <= from + 1 && head <= last;
        holds.then(|| self.entries.iter().filter(|(seq, _)| *seq > from).cloned().collect())
    }
}

impl Recent {
    /// The entries of a stream after a seq, up to its head at least; so many at most.
    pub(super) async fn after(
        &self,
        app: &App,
        (stream, epoch): (StreamId, i64),
        (from, head): (i64, i64),
        most: u64,
    ) -> Result<Vec<Encoded>> {
        if head <= from {
            return Ok(Vec::new());
        }
        let (slot, is_lively) = self.slot(stream);
        if is_lively {
            let mut kept = slot.kept.lock().await;
            if let Some(entries) = kept.as_ref().and_then(|kept| kept.after(epoch, (from, head))) {
                return Ok(entries);
            }
            if head - from <= NEWEST.cast_signed() {
                let entries = fitting(read(app, stream, Span::Before(i64::MAX), NEWEST).await?);
                let fresh = Kept { at: Instant::now(), epoch, entries };
                let found = fresh.after(epoch, (from, head));
                *kept = Some(fresh);
                if let Some(found) = found {
                    return Ok(found);
                }
            }
        }
        read(app, stream, Span::After(from), most).await
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<StreamId, Arc<Slot>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, stream: StreamId) -> (Arc<Slot>, bool) {
        let now = Instant::now();
        let mut streams = self.streams();
        if streams.len() >= STREAMS && !streams.contains_key(&stream) {
            streams.retain(|_, slot| now.duration_since(slot.asked_at()) < LIVELY);
        }
        let known = streams.get(&stream).map(Arc::clone);
        let slot = known
            .clone()
            .unwrap_or_else(|| Arc::new(Slot { asked_at: Mutex::new(now), kept: tokio::sync::Mutex::default() }));
        // where all are lively, another one is read each time
        if streams.len() < STREAMS {
            streams.insert(stream, Arc::clone(&slot));
        }
        drop(streams);
        let before = std::mem::replace(&mut *slot.asked_at.lock().unwrap_or_else(PoisonError::into_inner), now);
        (slot, known.is_some() && now.duration_since(before) < LIVELY)
    }
}

impl Slot {
    fn asked_at(&self) -> Instant {
        *self.asked_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The newest of them, as many as one recovery holds at most.
fn fitting(mut entries: Vec<Encoded>) -> Vec<Encoded> {
    let mut bytes = 0;
    let fits = entries.iter().rev().take_while(|(_, text)| {
        bytes += text.len();
        bytes <= MOST_BYTES
    });
    let kept = fits.count();
    entries.drain(..entries.len() - kept);
    entries
}

async fn read(app: &App, stream: StreamId, span: Span, most: u64) -> Result<Vec<Encoded>> {
    let entries = queries::entries(app, stream, span, most).await?;
    Ok(entries.iter().map(|entry| (entry.seq, protocol::publication(entry, 0).into())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_serves_only_who_asks_up_to_its_own_newest() {
        let entries = (11..=20).map(|seq| (seq, Arc::from("{}"))).collect();
        let kept = Kept { at: Instant::now(), epoch: 7, entries };
        let seqs = |epoch, span| kept.after(epoch, span).map(|all| all.iter().map(|one| one.0).collect::<Vec<_>>());
        assert_eq!(seqs(7, (17, 20)), Some(vec![18, 19, 20]));
        assert_eq!(seqs(7, (10, 15)).map(|all| all.len()), Some(10));
        assert_eq!(seqs(7, (9, 20)), None, "the tenth is not here");
        assert_eq!(seqs(7, (17, 21)), None, "the twenty-first may have changed one of these");
        assert_eq!(seqs(8, (17, 20)), None, "another log");
    }

    #[test]
    fn what_is_kept_of_many_streams_or_long_words_is_bounded() {
        let recent = Recent::default();
        let asked: Vec<StreamId> = (0..2 * STREAMS).map(|_| StreamId::new()).collect();
        for round in [false, true] {
            let lively = asked.iter().filter(|stream| recent.slot(**stream).1).count();
            assert_eq!(lively, if round { STREAMS } else { 0 });
        }
        assert_eq!(recent.streams().len(), STREAMS);
        let long: Arc<str> = "长".repeat(MOST_BYTES / 12).into();
        let entries = (1..=200).map(|seq| (seq, Arc::clone(&long))).collect();
        assert_eq!(fitting(entries).iter().map(|one| one.0).collect::<Vec<_>>(), [197, 198, 199, 200]);
        assert!(fitting(Vec::new()).is_empty());
    }
}
