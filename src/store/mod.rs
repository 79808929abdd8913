//! The database: many readers, and one way to write.
//!
//! Always true: [`Store::write`] answers after the commit; a unit is all or nothing; a unit runs to its end though the
//! phone that asked for it hangs up; no unit does I/O besides the database; neither a unit nor a read waits without end.
//! Tables owned: none (the schema is in `migrations/`). Events recorded: none.
//!
//! # Why
//! One writer at a time, on both databases and across all processes. A task owns the write connection, takes what waits
//! (64 units at most) into one transaction, each unit in a savepoint so that one refusal does not spoil the group, and
//! commits once: an fsync is shared by all. On SQLite the transaction is `IMMEDIATE`; on PostgreSQL its first statement
//! takes one advisory lock for the whole database, which the commit gives back. So what a unit has read cannot change
//! before its commit, and what is proven on one database holds on the other; the price is that writes do not grow with
//! the number of servers. After a group that failed its connection is given up: on a full disk SQLite ends the
//! transaction by itself while the driver still counts one, and what followed would be answered and never committed.
//! `synchronous=FULL` and `synchronous_commit=on`: without them a power cut loses what was
//! acknowledged.
mod alone;
mod by_key;
pub mod catalog;
mod dialect;
#[cfg(test)]
mod full;
mod gathered;
mod in_time;
mod together;
mod tx;
mod writer;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use sea_orm::DatabaseConnection;
use tokio::sync::{mpsc, oneshot};

pub use self::{
    alone::{damage, doubts, exists, snapshot, write_alone},
    by_key::{by_key, key_column},
    gathered::{Gathered, padded},
    in_time::InTime,
    together::Together,
    tx::Tx,
};
use self::{dialect::Dialect, writer::Writer};
use crate::{
    broker::Bell,
    calendar::Calendar,
    clock::Clock,
    error::{Code, Error, Result},
    keys::Keys,
};

/// Where nobody finds a connection for so long all are lost: what is given back was answered before, or given up.
const LOST_AFTER: Duration = Duration::from_secs(30);
/// Units that may wait; more are told to come back.
const WAITING_UNITS: usize = 4096;
/// A read waits so long, for a connection and for its answer: longer than a server lets it.
const READ_WITHIN: Duration = Duration::from_secs(15);

/// The handle that everything above uses. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    dialect: Arc<Dialect>,
    read: InTime,
    units: mpsc::Sender<writer::Unit>,
    bells: Arc<mpsc::UnboundedSender<Bell>>,
    queues: Arc<together::Queues>,
    gathered: Arc<gathered::Waiting>,
    asked: Arc<Asked>,
}

/// How many statements the database was asked for since the start.
#[derive(Default)]
struct Asked {
    reads: AtomicU64,
    writes: AtomicU64,
}

/// What the caller of [`open`] drives: bells rung by committed units.
pub type RungBells = mpsc::UnboundedReceiver<Bell>;

/// Opens the database, applies missing migrations, starts the writer. So many `connections` of a server are read by.
///
/// # Errors
/// When the database cannot be opened, is damaged or set up unsafely, or a migration fails.
pub async fn open(
    (url, connections): (&str, u32),
    clock: Clock,
    calendar: Calendar,
    keys: Arc<Keys>,
) -> Result<(Store, RungBells)> {
    let dialect = Arc::new(Dialect::of(url)?);
    dialect.prepare().await?;
    let (write, read) = (dialect.writer().await?, dialect.readers(connections).await?);
    let asked = Arc::new(Asked::default());
    let read = readers(&dialect, &asked, (read, connections));
    let (units, waiting) = mpsc::channel(WAITING_UNITS);
    let (bells, rung) = mpsc::unbounded_channel();
    let counted = Arc::clone(&asked);
    let count = Arc::new(move || _ = counted.writes.fetch_add(1, Ordering::Relaxed));
    let writer = Writer { dialect: Arc::clone(&dialect), write, bells: bells.clone(), clock, calendar, keys, count };
    start(writer, waiting)?;
    Ok((
        Store { dialect, read, units, bells: Arc::new(bells), queues: Arc::default(), gathered: Arc::default(), asked },
        rung,
    ))
}

/// What many read by, each statement counted, and made anew when it is lost.
fn readers(dialect: &Arc<Dialect>, asked: &Arc<Asked>, (first, connections): (DatabaseConnection, u32)) -> InTime {
    let (dialect, asked) = (Arc::clone(dialect), Arc::clone(asked));
    let counted = move |mut readers: DatabaseConnection| {
        let asked = Arc::clone(&asked);
        readers.set_metric_callback(move |_| _ = asked.reads.fetch_add(1, Ordering::Relaxed));
        readers
    };
    InTime::new(counted(first), READ_WITHIN)
        .renewed(LOST_AFTER, move || dialect.readers_again(connections).map(&counted))
}

/// Gives the writer a thread to itself. Whoever waits for a commit is answered after it, hundreds at once: among their tasks
/// the writer's next step would wait for all of them, statement by statement, while the database has nothing to do.
fn start(writer: Writer, waiting: mpsc::Receiver<writer::Unit>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::broken)?;
    let thread = std::thread::Builder::new().name("writer".to_owned());
    thread.spawn(move || runtime.block_on(writer.run(waiting))).map_err(Error::broken)?;
    Ok(())
}

impl Store {
    /// For queries, none of which is waited for without end. Writing through it fails.
    #[must_use]
    pub fn read(&self) -> &InTime {
        &self.read
    }

    /// How many statements were read by, and written by, since the start; a group's own are not among them.
    #[must_use]
    pub fn statements(&self) -> (u64, u64) {
        (self.asked.reads.load(Ordering::Relaxed), self.asked.writes.load(Ordering::Relaxed))
    }

    /// What makes the database unfit to be relied on, in words for an operator; empty when all is well.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn doubts(&self) -> Result<Vec<String>> {
        Ok(self.dialect.doubts(&self.read).await?)
    }

    /// Runs a unit of work in a transaction and answers after its commit. The unit goes on when the caller goes away.
    ///
    /// Boxed, so that no type of a unit becomes a part of its caller's: there are hundreds, and the compiler looks into each.
    ///
    /// # Errors
    /// What the unit refused (nothing is then written), `busy` when too much waits, or what broke.
    pub fn write<T, F>(&self, unit: F) -> BoxFuture<'_, Result<T>>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t Tx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let unit = writer::Unit::new(unit, answer);
        Box::pin(async move {
            self.hand(unit).await?;
            // the unit never ran: no transaction could be begun
            answered.await.map_err(|_| Code::Busy.after_secs(2))?
        })
    }

    async fn hand(&self, unit: writer::Unit) -> Result<()> {
        match self.units.send_timeout(unit, Duration::from_secs(5)).await {
            Ok(()) => Ok(()),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(Code::Busy.after_secs(2)),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(Code::ShuttingDown.into()),
        }
    }

    /// Bytes of the database, without the log that is not folded into it yet.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn bytes(&self) -> Result<u64> {
        Ok(self.dialect.bytes(&self.read).await?)
    }

    /// Has what was taken away from these tables leave the files, too: until the log is written back, a destroyed key lies in
    /// both. On PostgreSQL it costs what the tables hold.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_back(&self, tables: &[&str]) -> Result<()> {
        Ok(self.dialect.write_back(&self.read.database(), tables).await?)
    }

    /// Has what was taken back leave the log that the database keeps beside its file. Where it is busy the next time does.
    ///
    /// # Errors
    /// When the database fails, or somebody reads for long.
    pub async fn empty_log(&self) -> Result<()> {
        Ok(self.dialect.empty_log(&self.read.database()).await?)
    }

    /// Rings outside a unit, e.g. after a restart, to have everything looked at.
    pub fn ring(&self, bell: Bell) {
        // nobody listens only while the process ends
        self.bells.send(bell).ok();
    }
}
