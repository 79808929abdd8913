//! When a provider is left alone: after five failures in a row, half a minute, then one try. Pure.
use std::time::Duration;

/// Failures in a row.
const FAILURES: u32 = 5;
/// How long it is left alone.
pub const REST: Duration = Duration::from_secs(30);

/// One provider's health as this process sees it; time is what has passed since some beginning.
#[derive(Clone, Copy, Debug, Default)]
pub struct Breaker {
    failures: u32,
    open_until: Option<Duration>,
    is_probing: bool,
}

impl Breaker {
    /// How many tries may be begun now, of so many wanted.
    pub fn allow(&mut self, now: Duration, wanted: usize) -> usize {
        match self.open_until {
            None => wanted,
            Some(until) if now < until || self.is_probing => 0,
            Some(_) => {
                self.is_probing = wanted > 0;
                wanted.min(1)
            }
        }
    }

    /// A try ended.
    pub fn ended(&mut self, now: Duration, is_well: bool) {
        self.is_probing = false;
        if is_well {
            *self = Self::default();
            return;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES {
            self.open_until = Some(now + REST);
        }
    }

    /// A try came to nothing that says something of the provider; the next may be the one that decides.
    pub fn untried(&mut self) {
        self.is_probing = false;
    }

    /// Is it left alone?
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open_until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn five_failures_rest_half_a_minute_and_one_try_decides() {
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            breaker.ended(secs(0), false);
        }
        assert_eq!(breaker.allow(secs(0), 8), 8);
        breaker.ended(secs(1), true);
        for _ in 0..5 {
            breaker.ended(secs(1), false);
        }
        assert_eq!((breaker.allow(secs(2), 8), breaker.allow(secs(30), 8)), (0, 0));
        assert_eq!((breaker.allow(secs(31), 8), breaker.allow(secs(31), 8)), (1, 0), "one try");
        breaker.ended(secs(32), false);
        assert_eq!(breaker.allow(secs(61), 8), 0, "it failed: another rest");
        assert_eq!(breaker.allow(secs(62), 8), 1);
        breaker.ended(secs(63), true);
        assert_eq!(breaker.allow(secs(63), 8), 8);
    }
}
