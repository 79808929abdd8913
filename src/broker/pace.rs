//! How often something may be done in a second: a bucket for each thing, which fills again as time goes by.
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;

struct Pace {
    left: f64,
    at: Instant,
}

/// The buckets of this process.
#[derive(Default)]
pub(super) struct Paces(Mutex<HashMap<String, Pace>>);

impl Paces {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Pace>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes as many of these as may be begun now.
    pub(super) fn take(&self, what: &str, wanted: usize, a_second: u32) -> usize {
        let (full, now) = (f64::from(a_second), Instant::now());
        let mut all = self.all();
        let pace = all.entry(what.to_owned()).or_insert(Pace { left: full, at: now });
        pace.left = (pace.left + (now - pace.at).as_secs_f64() * full).min(full);
        pace.at = now;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a setting")]
        let allowed = wanted.min(pace.left as usize);
        pace.left -= counted(allowed);
        allowed
    }

    /// So many of them were not begun.
    pub(super) fn give_back(&self, what: &str, count: usize) {
        if let Some(pace) = self.all().get_mut(what) {
            pace.left += counted(count);
        }
    }
}

fn counted(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
