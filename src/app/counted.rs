//! What many ask for at once and a server counts once: how many have read an entry, and in which areas something is known.
use std::{future::Future, sync::Arc, time::Duration};

use moka::sync::Cache;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{error::Result, ids::StreamId};

/// Places of which counts are kept.
const PLACES: u64 = 10_000;
const SHORT: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(10);

/// Tables by area of which are kept.
const TABLES: u64 = 100;
const TABLE: Duration = Duration::from_secs(5);

/// Of each area: all, and those who are counted.
pub type ByArea = Arc<Vec<(String, i64, i64)>>;

type Kept = Cache<(StreamId, i64), Arc<OnceCell<(i64, i64)>>>;

/// Pairs of numbers by place in a stream, each counted once while it is kept.
pub struct Counted {
    short: Kept,
    long: Kept,
    by_area: Cache<Uuid, Arc<OnceCell<ByArea>>>,
}

impl Default for Counted {
    fn default() -> Self {
        let kept = |time| Cache::builder().max_capacity(PLACES).time_to_live(time).build();
        let by_area = Cache::builder().max_capacity(TABLES).time_to_live(TABLE).build();
        Self { short: kept(SHORT), long: kept(LONG), by_area }
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
}
