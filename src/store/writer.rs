//! The one writer: groups waiting units into one commit, each in a savepoint.
use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, TransactionTrait};
use tokio::sync::{mpsc, oneshot};

use super::{Tx, dialect::Dialect};
use crate::{
    broker::Bell,
    calendar::Calendar,
    clock::Clock,
    error::{Code, Error, Result},
    keys::Keys,
};

/// Units in one commit at most, so that the first of them does not wait long.
const GROUP: usize = 64;
/// After this time no further unit joins: all are answered after the commit, and the writers of other processes have their turn.
const GROUP_TIME: Duration = Duration::from_millis(40);
/// A unit that takes longer is undone: it would hold up every other.
const UNIT_TIMEOUT: Duration = Duration::from_secs(10);
const AT_ONCE: Duration = Duration::from_secs(1);
/// For each statement that is the writer's own; a commit may wait for a disk.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// Tells the caller how its unit ended, once the fate of the commit is known.
type Answer = Box<dyn FnOnce(Option<Error>) + Send>;

type Run = Box<dyn for<'t> FnOnce(&'t Tx) -> BoxFuture<'t, (bool, Answer)> + Send>;

/// A unit of work waiting for the writer.
pub(super) struct Unit(Run);

impl Unit {
    pub(super) fn new<T, F>(unit: F, answer: oneshot::Sender<Result<T>>) -> Self
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t Tx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        Self(Box::new(move |tx| {
            Box::pin(async move {
                let outcome = bounded(unit(tx)).await;
                let keep = outcome.is_ok();
                let tell: Answer = Box::new(move |broken| {
                    // the caller may have gone; what it asked for is done all the same
                    drop(answer.send(broken.map_or(outcome, Err)));
                });
                (keep, tell)
            })
        }))
    }
}

/// A unit that panics or hangs is refused like any other and takes nobody with it.
async fn bounded<T>(unit: BoxFuture<'_, Result<T>>) -> Result<T> {
    match tokio::time::timeout(UNIT_TIMEOUT, AssertUnwindSafe(unit).catch_unwind()).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(Error::broken("a unit of work panicked")),
        Err(_) => Err(Code::Busy.after_secs(2)),
    }
}

/// Owns the way to write.
pub(super) struct Writer {
    pub(super) dialect: Arc<Dialect>,
    pub(super) write: DatabaseConnection,
    pub(super) bells: mpsc::UnboundedSender<Bell>,
    pub(super) clock: Clock,
    pub(super) calendar: Calendar,
    pub(super) keys: Arc<Keys>,
    /// Told of every statement of a unit.
    pub(super) count: Arc<dyn Fn() + Send + Sync>,
}

/// What came of the units of one transaction, told once its fate is known.
#[derive(Default)]
struct Group {
    answers: Vec<Answer>,
    rung: Vec<Bell>,
}

impl Writer {
    /// Runs until every [`super::Store`] is gone.
    pub(super) async fn run(mut self, mut waiting: mpsc::Receiver<Unit>) {
        self.have_counted();
        while let Some(first) = waiting.recv().await {
            let transaction = match self.begin().await {
                Ok(transaction) => transaction,
                Err(error) => {
                    tracing::error!(%error, "no transaction");
                    // whoever waits is told to come again now, not after all who came before were refused one by one
                    while waiting.try_recv().is_ok() {}
                    continue;
                }
            };
            let mut group = Group::default();
            let outcome = self.work(transaction, first, &mut waiting, &mut group).await;
            metrics::histogram!("store_group_units").record(group.answers.len() as f64);
            if let Err(error) = &outcome {
                tracing::error!(%error, units = group.answers.len(), "commit failed");
                self.renew().await;
            }
            for answer in group.answers {
                answer(outcome.as_ref().err().map(|error| Error::Database(error.clone())));
            }
            if outcome.is_ok() {
                for bell in group.rung {
                    self.bells.send(bell).ok();
                }
            }
        }
    }

    fn have_counted(&mut self) {
        let count = Arc::clone(&self.count);
        self.write.set_metric_callback(move |_| count());
    }

    /// The connection may be from before a restart of the database, so a second one is tried: nothing was done yet.
    async fn begin(&mut self) -> std::result::Result<DatabaseTransaction, DbErr> {
        let began = Instant::now();
        match self.dialect.begin(&self.write).await {
            // a stale connection fails at once; what waited long and in vain would do so again
            Err(_) if self.renew().await && began.elapsed() < AT_ONCE => self.dialect.begin(&self.write).await,
            begun => begun,
        }
    }

    /// A connection that failed may be in a transaction that only one of driver and database knows of: what is answered
    /// on it may never be committed. Where no new one can be had, the old one refuses, and it is tried again.
    async fn renew(&mut self) -> bool {
        match self.dialect.writer_again(&self.write).await {
            Ok(fresh) => {
                self.write = fresh;
                self.have_counted();
            }
            Err(error) => {
                tracing::error!(%error, "no new connection for the writer");
                return false;
            }
        }
        true
    }

    /// Runs what waits, then commits. Nothing is kept unless this returns `Ok`.
    async fn work(
        &self,
        transaction: DatabaseTransaction,
        first: Unit,
        waiting: &mut mpsc::Receiver<Unit>,
        group: &mut Group,
    ) -> std::result::Result<(), DbErr> {
        let began = Instant::now();
        let mut next = Some(first);
        while let Some(unit) = next {
            let savepoint = in_time(transaction.begin()).await?;
            let tx = Tx::new(savepoint, self.clock.clone(), self.calendar.clone(), Arc::clone(&self.keys));
            let (keep, answer) = (unit.0)(&tx).await;
            group.answers.push(answer);
            in_time(settle(tx, keep, &mut group.rung)).await?;
            let has_room = group.answers.len() < GROUP && began.elapsed() < GROUP_TIME;
            next = if has_room { waiting.try_recv().ok() } else { None };
        }
        in_time(transaction.commit()).await
    }
}

/// A database that froze must not hold up the writer for ever.
async fn in_time<T>(step: impl Future<Output = std::result::Result<T, DbErr>>) -> std::result::Result<T, DbErr> {
    let silent = |_| Err(DbErr::Conn(RuntimeErr::Internal("the database does not answer".to_owned())));
    tokio::time::timeout(STEP_TIMEOUT, step).await.unwrap_or_else(silent)
}

/// An error here spoils the whole group: a unit that went on after a statement had failed has nothing that could be kept.
async fn settle(tx: Tx, keep: bool, rung: &mut Vec<Bell>) -> std::result::Result<(), DbErr> {
    let (savepoint, bells): (DatabaseTransaction, _) = tx.finish();
    if !keep {
        return savepoint.rollback().await;
    }
    savepoint.commit().await?;
    rung.extend(bells);
    Ok(())
}
