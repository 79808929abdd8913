//! What many ask for at once and a server counts once: how many have read an entry.
use std::{future::Future, sync::Arc, time::Duration};

use moka::sync::Cache;
use tokio::sync::OnceCell;

use crate::{error::Result, ids::StreamId};

/// Places of which counts are kept.
const PLACES: u64 = 10_000;
const SHORT: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(10);

type Kept = Cache<(StreamId, i64), Arc<OnceCell<(i64, i64)>>>;

/// Pairs of numbers by place in a stream, each counted once while it is kept.
pub struct Counted {
    short: Kept,
    long: Kept,
}

impl Default for Counted {
    fn default() -> Self {
        let kept = |time| Cache::builder().max_capacity(PLACES).time_to_live(time).build();
        Self { short: kept(SHORT), long: kept(LONG) }
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
}
