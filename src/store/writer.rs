//! The one writer: groups waiting units into one commit, each in a savepoint.
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::sync::{mpsc, oneshot};

use super::Tx;
use crate::{
    broker::Bell,
    calendar::Calendar,
    clock::Clock,
    error::{Code, Error, Result},
    keys::Keys,
};

/// Units in one commit at most, so that the first of them does not wait long.
const GROUP: usize = 64;
/// A unit that takes longer is undone: it would hold up every other.
const UNIT_TIMEOUT: Duration = Duration::from_secs(10);

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

/// Runs until every [`super::Store`] is gone.
pub(super) async fn run(
    write: DatabaseConnection,
    mut waiting: mpsc::Receiver<Unit>,
    bells: mpsc::UnboundedSender<Bell>,
    clock: Clock,
    calendar: Calendar,
    keys: Arc<Keys>,
) {
    while let Some(first) = waiting.recv().await {
        let mut answers = Vec::new();
        let mut rung = Vec::new();
        let committed = async {
            let immediate = TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..Default::default()
            };
            let group = write.begin_with_options(immediate).await?;
            let mut next = Some(first);
            while let Some(unit) = next {
                let tx = Tx::new(group.begin().await?, clock.clone(), calendar.clone(), Arc::clone(&keys));
                let (keep, answer) = (unit.0)(&tx).await;
                answers.push(answer);
                settle(tx, keep, &mut rung).await?;
                next = if answers.len() < GROUP { waiting.try_recv().ok() } else { None };
            }
            group.commit().await
        };
        let outcome: std::result::Result<(), DbErr> = committed.await;
        metrics::histogram!("store_group_units").record(answers.len() as f64);
        let failed = outcome.err();
        if let Some(error) = &failed {
            tracing::error!(%error, units = answers.len(), "commit failed");
        }
        for answer in answers {
            answer(failed.as_ref().map(|error| Error::Database(DbErr::Custom(error.to_string()))));
        }
        if failed.is_none() {
            for bell in rung {
                bells.send(bell).ok();
            }
        }
    }
}

async fn settle(tx: Tx, keep: bool, rung: &mut Vec<Bell>) -> std::result::Result<(), DbErr> {
    let (savepoint, bells): (DatabaseTransaction, _) = tx.finish();
    if !keep {
        return savepoint.rollback().await;
    }
    savepoint.commit().await?;
    rung.extend(bells);
    Ok(())
}
