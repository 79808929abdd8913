//! What many ask for at once and a server counts once: how many have read an entry, in which areas something is known, figures
//! of many rows, the leaves of a board, the archive of a vote.
use std::{future::Future, sync::Arc, time::Duration};

use moka::sync::Cache;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::Written;
use crate::{
    error::{Error, Result},
    ids::StreamId,
};

/// Places of which counts are kept.
const PLACES: u64 = 10_000;
const SHORT: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(10);

/// Tables by area of which are kept.
const TABLES: u64 = 100;
const TABLE: Duration = Duration::from_secs(5);

/// Figures of which are kept.
const FIGURES: u64 = 1000;
const FIGURE: Duration = Duration::from_secs(600);

/// Boards of which the leaves are kept.
const BOARDS: u64 = 50;
const BOARD: Duration = Duration::from_secs(5);

/// Bytes of archives that are kept, and for how long nobody asks for one of them.
const ARCHIVES: u64 = 64 * 1024 * 1024;
const ARCHIVE: Duration = Duration::from_secs(600);

/// Of each area: all, and those who are counted.
pub type ByArea = Arc<Vec<(String, i64, i64)>>;

/// Hashes of the leaves of a board, in order.
pub type Leaves = Arc<Vec<[u8; 32]>>;

type Kept = Cache<(StreamId, i64), Arc<OnceCell<(i64, i64)>>>;

/// Pairs of numbers by place in a stream, each counted once while it is kept.
pub struct Counted {
    short: Kept,
    long: Kept,
    by_area: Cache<Uuid, Arc<OnceCell<ByArea>>>,
    figures: Cache<String, Arc<OnceCell<Value>>>,
    moments: Cache<String, Arc<OnceCell<Value>>>,
    leaves: Cache<(Uuid, u64), Arc<OnceCell<Leaves>>>,
    archives: Cache<(Uuid, String), Arc<OnceCell<Written>>>,
}

impl Default for Counted {
    fn default() -> Self {
        let kept = |time| Cache::builder().max_capacity(PLACES).time_to_live(time).build();
        let by_area = Cache::builder().max_capacity(TABLES).time_to_live(TABLE).build();
        let figures = |time| Cache::builder().max_capacity(FIGURES).time_to_live(time).build();
        let leaves = Cache::builder().max_capacity(BOARDS).time_to_live(BOARD).build();
        let size = |_: &(Uuid, String), cell: &Arc<OnceCell<Written>>| {
            cell.get().map_or(1, |written| u32::try_from(written.bytes()).unwrap_or(u32::MAX))
        };
        let archives = Cache::builder().weigher(size).max_capacity(ARCHIVES).time_to_idle(ARCHIVE).build();
        Self {
            short: kept(SHORT),
            long: kept(LONG),
            by_area,
            figures: figures(FIGURE),
            moments: figures(SHORT),
            leaves,
            archives,
        }
    }
}

impl Counted {
    /// As it was counted within the last two seconds, or ten; whoever asks while it is being counted waits for that.
    ///
    /// # Errors
    /// When it cannot be counted.
    pub async fn get<F>(&self, is_long: bool, place: (StreamId, i64), count: impl FnOnce() -> F) -> Result<(i64, i64)>
    where
        F: Future<Output = Result<(i64, i64)>>,
    {
        let kept = if is_long { &self.long } else { &self.short };
        let cell = kept.get_with(place, Arc::default);
        cell.get_or_try_init(count).await.copied()
    }

    /// A table by area, as it was counted within the last five seconds; whoever asks while it is being counted waits for that.
    ///
    /// # Errors
    /// When it cannot be counted.
    pub async fn by_area<F>(&self, of: Uuid, count: impl FnOnce() -> F) -> Result<ByArea>
    where
        F: Future<Output = Result<Vec<(String, i64, i64)>>>,
    {
        let cell = self.by_area.get_with(of, Arc::default);
        let counted = cell.get_or_try_init(|| async { count().await.map(Arc::new) });
        counted.await.cloned()
    }

    /// The leaves of a board of this size, which only grows: read once for all who ask within five seconds.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn leaves<F>(&self, of: (Uuid, u64), read: impl FnOnce() -> F) -> Result<Leaves>
    where
        F: Future<Output = Result<Vec<[u8; 32]>>>,
    {
        let cell = self.leaves.get_with(of, Arc::default);
        let leaves = cell.get_or_try_init(|| async { read().await.map(Arc::new) });
        leaves.await.cloned()
    }

    /// The archive of a board with this root, which says everything in it: written once for all who ask until nobody does.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn archive<F>(&self, of: (Uuid, String), read: impl FnOnce() -> F) -> Result<Written>
    where
        F: Future<Output = Result<Value>>,
    {
        let cell = self.archives.get_with(of.clone(), Arc::default);
        if let Some(written) = cell.get() {
            return Ok(written.clone());
        }
        let written = cell.get_or_try_init(|| async { Written::of(&read().await?) }).await?.clone();
        // weighed anew, now that there is something in it
        self.archives.insert(of, cell);
        Ok(written)
    }

    /// Figures, as they were worked out within the last ten minutes; whoever asks while that is done waits for it. `of` says
    /// everything on which they depend.
    ///
    /// # Errors
    /// When they cannot be worked out.
    pub async fn figures<T, F>(&self, of: String, work: impl FnOnce() -> F) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<T>>,
    {
        worked_out(self.figures.get_with(of, Arc::default), work).await
    }

    /// The same of what moves while people look: as it was worked out within the last two seconds.
    ///
    /// # Errors
    /// When they cannot be worked out.
    pub async fn moment<T, F>(&self, of: String, work: impl FnOnce() -> F) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<T>>,
    {
        worked_out(self.moments.get_with(of, Arc::default), work).await
    }
}

async fn worked_out<T, F>(cell: Arc<OnceCell<Value>>, work: impl FnOnce() -> F) -> Result<T>
where
    T: Serialize + DeserializeOwned,
    F: Future<Output = Result<T>>,
{
    let kept = cell.get_or_try_init(|| async { serde_json::to_value(work().await?).map_err(Error::broken) });
    serde_json::from_value(kept.await?.clone()).map_err(Error::broken)
}
