//! Figures: percentiles of what was measured, and the table beside the limits.
#![cfg_attr(test, allow(dead_code, reason = "a test program of its own, in which nobody measures"))]
use std::time::Duration;

/// Values measured, in one unit.
#[derive(Default)]
pub(crate) struct Spread(Vec<f64>);

impl Spread {
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The value that `percent` of all do not exceed; 0 of nothing.
    pub(crate) fn percentile(&mut self, percent: usize) -> f64 {
        self.sort();
        self.at(percent)
    }

    /// Puts the values in order, for [`Spread::at`].
    pub(crate) fn sort(&mut self) {
        self.0.sort_by(f64::total_cmp);
    }

    /// The same of values in order.
    pub(crate) fn at(&self, percent: usize) -> f64 {
        self.0.get(self.0.len().saturating_sub(1) * percent / 100).copied().unwrap_or_default()
    }

    /// `p50 1.0 ms, p99 2.0 ms`.
    pub(crate) fn text(&mut self) -> String {
        format!("p50 {:.1} ms, p99 {:.1} ms", self.percentile(50), self.percentile(99))
    }
}

/// Milliseconds, below zero when `later` came first.
pub(crate) fn millis(from: std::time::Instant, later: std::time::Instant) -> f64 {
    match later.checked_duration_since(from) {
        Some(after) => in_millis(after),
        None => -in_millis(from.duration_since(later)),
    }
}

pub(crate) fn in_millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// One line of the table: ours, the limit, and our share of it, in the sense in which more is better.
pub(crate) fn row(what: &str, (ours, limit): (f64, f64), more_is_better: bool) -> String {
    let share = if more_is_better { ours / limit } else { limit / ours };
    format!("{what:<46}{ours:>12.1}{limit:>12.1}{:>8.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let mut spread = Spread::default();
        assert_eq!(spread.percentile(50), 0.0);
        (1..=100).rev().for_each(|value| spread.add(f64::from(value)));
        assert_eq!((spread.percentile(0), spread.percentile(50), spread.percentile(99)), (1.0, 50.0, 99.0));
        assert_eq!(spread.percentile(100), 100.0);
    }
}
