//! How fast commands may come on one connection: ten a second, twenty at once.
use std::time::Duration;

use tokio::time::Instant;

const EACH: Duration = Duration::from_millis(100);
const AT_ONCE: u32 = 20;

/// Refused in a row before it is a flood: a phone that comes back and says at once how far each of its conversations was
/// read is answered, and asks again.
const FLOOD: u32 = 150;

/// The moment up to which everything allowed is used up, and how often more was asked for since.
#[derive(Default)]
pub(super) struct Pace(Option<Instant>, u32);

impl Pace {
    pub(super) fn allows(&mut self) -> bool {
        self.allows_at(Instant::now())
    }

    /// Too much was asked for too often.
    pub(super) fn is_flood(&self) -> bool {
        self.1 > FLOOD
    }

    fn allows_at(&mut self, now: Instant) -> bool {
        let used_to = self.0.unwrap_or(now).max(now) + EACH;
        let may = used_to <= now + EACH * AT_ONCE;
        if may {
            (self.0, self.1) = (Some(used_to), 0);
        } else {
            self.1 = self.1.saturating_add(1);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_at_once_and_then_ten_a_second() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let mut allowed = |secs| (0..100).filter(|_| pace.allows_at(start + Duration::from_secs(secs))).count();
        assert_eq!([allowed(0), allowed(1), allowed(100)], [20, 10, 20]);
    }
}
