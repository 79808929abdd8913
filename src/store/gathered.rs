//! Reads of the same kind that many ask for at the same moment, done by the same few statements.
//!
//! # Why
//! After a restart ten thousand phones ask who they are and what they listen to. A statement costs more to hand to the
//! database and back than to run. Who comes while one is being read waits for it and is read with all others who wait, and
//! with those who come a moment later: whoever comes alone waits for nobody.
use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::{InTime, Store};
use crate::error::{Error, Result};

/// Pieces read together at most.
const PIECES: usize = 64;
/// So long more may join those who wait already.
const MORE: Duration = Duration::from_millis(3);

/// Reads several pieces; an answer for each, in their order.
pub type Gathered<I, T> = for<'d> fn(&'d InTime, &'d [I]) -> BoxFuture<'d, Result<Vec<T>>>;

type Answer<T> = oneshot::Sender<Result<T>>;

/// What waits, by the type of the pieces.
#[derive(Default)]
pub(super) struct Waiting(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

struct Queue<I, T>(Mutex<Asked<I, T>>);

struct Asked<I, T> {
    pieces: Vec<(I, Answer<T>)>,
    /// Somebody reads for all.
    is_read: bool,
}

impl Waiting {
    fn of<I: Send + 'static, T: Send + 'static>(&self) -> Result<Arc<Queue<I, T>>> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let asked = Asked::<I, T> { pieces: Vec::new(), is_read: false };
            Arc::new(Queue(Mutex::new(asked))) as Arc<dyn Any + Send + Sync>
        };
        let queue = Arc::clone(queues.entry(TypeId::of::<(I, T)>()).or_insert_with(new));
        queue.downcast().map_err(|_| Error::broken("a queue of another kind"))
    }
}

impl<I, T> Queue<I, T> {
    fn asked(&self) -> MutexGuard<'_, Asked<I, T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who is to be answered next; `None`: nobody waits, and whoever comes reads himself.
    fn take(&self) -> Option<(Vec<I>, Vec<Answer<T>>)> {
        let mut asked = self.asked();
        // whoever has given up needs no answer
        asked.pieces.retain(|(_, answer)| !answer.is_closed());
        asked.is_read = !asked.pieces.is_empty();
        let count = asked.pieces.len().min(PIECES);
        asked.is_read.then(|| asked.pieces.drain(..count).unzip())
    }
}

/// Gives the reading up when it breaks, so that the next who comes begins anew.
struct Reading<I, T>(Arc<Queue<I, T>>);

impl<I, T> Drop for Reading<I, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *self.0.asked() = Asked { pieces: Vec::new(), is_read: false };
        }
    }
}

impl Store {
    /// Reads one piece together with others of its kind that wait.
    ///
    /// # Errors
    /// What the reading refused or broke with: for all of them alike.
    pub async fn read_together<I, T>(&self, piece: I, read: Gathered<I, T>) -> Result<T>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
    {
        let queue = self.gathered.of::<I, T>()?;
        let (answer, answered) = oneshot::channel();
        let is_read = {
            let mut asked = queue.asked();
            asked.pieces.push((piece, answer));
            std::mem::replace(&mut asked.is_read, true)
        };
        if !is_read {
            tokio::spawn(read_all(self.clone(), Reading(queue), read));
        }
        answered.await.map_err(|_| Error::broken("a reading that broke"))?
    }
}

/// Reads until nobody waits. Goes on though the phone that asked first hangs up.
async fn read_all<I, T>(store: Store, reading: Reading<I, T>, read: Gathered<I, T>)
where
    I: Send + Sync + 'static,
    T: Send + 'static,
{
    while let Some((pieces, answers)) = reading.0.take() {
        match read(store.read(), &pieces).await {
            Ok(found) => answers.into_iter().zip(found).for_each(|(answer, found)| drop(answer.send(Ok(found)))),
            Err(error) => {
                tracing::warn!(%error, "reading together");
                answers.into_iter().for_each(|answer| drop(answer.send(Err(error.code().into()))));
            }
        }
        tokio::time::sleep(MORE).await;
    }
}

/// As many as the next power of two, the last one repeated: so that lists of any length make few different statements, all
/// of which stay prepared.
#[must_use]
pub fn padded<T: Clone>(mut list: Vec<T>) -> Vec<T> {
    if let Some(last) = list.last().cloned() {
        list.resize(list.len().next_power_of_two(), last);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{calendar::Calendar, clock::Clock, keys::Keys};

    /// The answer is with how many it was read.
    fn counted<'d>(_: &'d InTime, pieces: &'d [u8]) -> BoxFuture<'d, Result<Vec<usize>>> {
        Box::pin(async move { Ok(vec![pieces.len(); pieces.len()]) })
    }

    /// Asks when it is the turn of this task on the one thread that there is, and says with how many it was read.
    fn ask(store: &Store) -> tokio::task::JoinHandle<usize> {
        let store = store.clone();
        tokio::spawn(async move { store.read_together(0, counted).await.unwrap() })
    }

    /// Gives everybody else who is ready many turns, and the clock hardly any time.
    async fn turns() {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn who_comes_a_moment_later_is_read_with_the_next_and_who_comes_alone_waits_for_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Arc::new(Keys::load_or_make(folder.path()).unwrap());
        let url = format!("sqlite://{}", folder.path().join("gathered.db").display());
        let calendar = Calendar::load(None).unwrap();
        let (store, _rung) = crate::store::open((&url, 1), Clock::system(), calendar, keys).await.unwrap();
        let (mut at_once, mut together) = (0, 0);
        // a machine that is busy may let a moment pass between two turns
        for _ in 0..200 {
            let alone = ask(&store);
            turns().await;
            at_once += usize::from(alone.is_finished());
            assert_eq!(alone.await.unwrap(), 1);
            // two who come while whoever read for the first waits for more, though not at once
            let first = ask(&store);
            turns().await;
            let second = ask(&store);
            let both = [first.await.unwrap(), second.await.unwrap()];
            assert!([[1, 1], [2, 2]].contains(&both), "{both:?}");
            together += usize::from(both == [2, 2]);
            tokio::time::sleep(2 * MORE).await;
        }
        assert!(at_once > 150, "who comes alone waits for more: {at_once} of 200 do not");
        assert!(together > 0, "nobody who comes a moment later is waited for");
    }

    #[test]
    fn lists_are_padded_to_powers_of_two() {
        let lengths = [0, 1, 2, 3, 5, 33, 64].map(|length: usize| padded(vec![7; length]).len());
        assert_eq!(lengths, [0, 1, 2, 4, 8, 64, 64]);
        assert_eq!(padded(vec![1, 2, 3]), [1, 2, 3, 3]);
    }

    #[test]
    fn who_comes_while_one_reads_is_read_with_all_who_wait() {
        let queue = Queue::<i32, i32>(Mutex::new(Asked { pieces: Vec::new(), is_read: false }));
        let waiting = std::cell::RefCell::new(Vec::new());
        let ask = |piece| {
            let (answer, answered) = oneshot::channel();
            waiting.borrow_mut().push(answered);
            let mut asked = queue.asked();
            asked.pieces.push((piece, answer));
            std::mem::replace(&mut asked.is_read, true)
        };
        assert_eq!([ask(1), ask(2), ask(3)], [false, true, true], "one begins for all");
        assert_eq!(queue.take().unwrap().0, [1, 2, 3]);
        assert!(ask(4), "it is still being read");
        assert_eq!(queue.take().unwrap().0, [4]);
        assert!(queue.take().is_none());
        assert!(!ask(5), "nobody reads any more");
        for piece in 6..=100 {
            ask(piece);
        }
        assert_eq!((queue.take().unwrap().0.len(), queue.take().unwrap().0.len()), (64, 32));
        ask(7);
        waiting.borrow_mut().clear();
        assert!(queue.take().is_none(), "whoever has gone is not read for");
    }
}
