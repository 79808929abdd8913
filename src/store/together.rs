//! Work of the same kind that many ask for at the same moment, done by the same few statements.
//!
//! # Why
//! Sharing a commit saves the disk's time, not the statements: a message to a lively stream costs seven, most of them to
//! read what the message before has just read. What waits while the writer is busy is taken in hand as one unit. If that
//! unit breaks, each piece is tried by itself, so that one cannot spoil the others.
use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::{Store, Tx};
use crate::error::{Code, Error, Result};

/// Pieces in one unit at most.
const PIECES: usize = 128;

/// Does several pieces; a refusal of one writes nothing for that one, an error undoes all.
pub type Together<I, T> = for<'t> fn(&'t Tx, &'t [I]) -> BoxFuture<'t, Result<Vec<Result<T>>>>;

type Answer<T> = oneshot::Sender<Result<T>>;

/// What waits, by the type of the pieces.
#[derive(Default)]
pub(super) struct Queues(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

struct Queue<I, T>(Mutex<Vec<(I, Answer<T>)>>);

impl Queues {
    fn of<I: Send + 'static, T: Send + 'static>(&self) -> Result<Arc<Queue<I, T>>> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Queue::<I, T>(Mutex::default())) as Arc<dyn Any + Send + Sync>;
        let queue = Arc::clone(queues.entry(TypeId::of::<(I, T)>()).or_insert_with(new));
        queue.downcast().map_err(|_| Error::broken("a queue of another kind"))
    }
}

impl<I, T> Queue<I, T> {
    fn waiting(&self) -> MutexGuard<'_, Vec<(I, Answer<T>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As many as fit into a unit; are there more?
    fn take(&self) -> (Vec<I>, Vec<Answer<T>>, bool) {
        let mut waiting = self.waiting();
        let count = waiting.len().min(PIECES);
        let (pieces, answers) = waiting.drain(..count).unzip();
        (pieces, answers, !waiting.is_empty())
    }
}

impl Store {
    /// Does one piece of work, together with others of its kind that wait, and answers after the commit.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_together<I, T>(&self, piece: I, run: Together<I, T>) -> Result<T>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
    {
        let queue = self.queues.of::<I, T>()?;
        let (answer, answered) = oneshot::channel();
        let is_first = {
            let mut waiting = queue.waiting();
            waiting.push((piece, answer));
            waiting.len() == 1
        };
        if is_first {
            start(self.clone(), queue, run);
        }
        answered.await.map_err(|_| Code::Busy.after_secs(2))?
    }
}

/// Has the writer take what waits when its turn comes. Goes on though the phone that asked for it hangs up.
fn start<I, T>(store: Store, queue: Arc<Queue<I, T>>, run: Together<I, T>)
where
    I: Send + Sync + 'static,
    T: Send + 'static,
{
    tokio::spawn(async move {
        let taken = Arc::new(Mutex::new(None));
        let (slot, from, again) = (Arc::clone(&taken), Arc::clone(&queue), store.clone());
        let unit = store.write(move |tx| {
            Box::pin(async move {
                let (pieces, answers, more) = from.take();
                let pieces = Arc::new(pieces);
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(&pieces), answers));
                if more {
                    start(again, from, run);
                }
                run(tx, &pieces).await
            })
        });
        let outcome = unit.await;
        let taken = taken.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (taken, outcome) {
            (Some((_, answers)), Ok(outcomes)) => {
                for (answer, outcome) in answers.into_iter().zip(outcomes) {
                    answer.send(outcome).ok();
                }
            }
            (Some((pieces, answers)), Err(_)) => one_by_one(&store, pieces, answers, run).await,
            // the unit never ran; whoever asked for it is told so by the end of the channel
            (None, _) => drop(std::mem::take(&mut *queue.waiting())),
        }
    });
}

/// What could not be done together.
async fn one_by_one<I, T>(store: &Store, pieces: Arc<Vec<I>>, answers: Vec<Answer<T>>, run: Together<I, T>)
where
    I: Send + Sync + 'static,
    T: Send + 'static,
{
    for (place, answer) in answers.into_iter().enumerate() {
        let pieces = Arc::clone(&pieces);
        let alone = store.write(move |tx| {
            Box::pin(async move {
                let piece = pieces.get(place).map(std::slice::from_ref).unwrap_or_default();
                run(tx, piece).await?.pop().ok_or_else(|| Error::broken("a piece without an outcome"))
            })
        });
        // the outcome of the piece itself may be a refusal of its own
        answer.send(alone.await.flatten()).ok();
    }
}
