//! How often somebody may be disturbed: three times in seven days, but for what must be done and for danger. Pure.
use chrono::{DateTime, TimeDelta, Utc};

use super::ladder::{Level, Urgency};

/// Interruptions in any seven days.
pub const IN_A_WEEK: usize = 3;

/// When somebody was disturbed the last three times, newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interruptions(pub [Option<DateTime<Utc>>; IN_A_WEEK]);

/// Does this count against the three?
#[must_use]
pub fn is_counted(level: Level, urgency: Urgency) -> bool {
    level != Level::Act && urgency != Urgency::Emergency
}

impl Interruptions {
    /// From when on somebody may be disturbed again; `None`: now.
    #[must_use]
    pub fn free_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let oldest = self.0.last().copied().flatten()?;
        let free = oldest + TimeDelta::days(7);
        (free > now).then_some(free)
    }

    /// Disturbed once more.
    #[must_use]
    pub fn and(self, now: DateTime<Utc>) -> Self {
        let [first, second, _] = self.0;
        Self([Some(now), first, second])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{
        super::{
            ladder::{Ladder, Mode},
            quiet::{Quiet, next_digest},
        },
        *,
    };

    fn start() -> DateTime<Utc> {
        DateTime::parse_from_rfc3339("2026-11-01T00:00:00+08:00").unwrap().with_timezone(&Utc)
    }

    /// Something of a month: when, how near, how pressing, of which of twelve matters.
    fn happening() -> impl Strategy<Value = (i64, Level, Urgency, u8)> {
        let level = prop_oneof![Just(Level::Act), Just(Level::Moved), Just(Level::News), Just(Level::News)];
        let urgency = prop_oneof![9 => Just(Urgency::Normal), 1 => Just(Urgency::Emergency)];
        (0_i64..30 * 24 * 60, level, urgency, 0_u8..12)
    }

    /// The month of one resident as the worker lives it: what is sent when, and what of.
    fn month(mut happened: Vec<(i64, Level, Urgency, u8)>, mode: Mode) -> Vec<(DateTime<Utc>, bool, u8, usize)> {
        happened.sort_by_key(|one| one.0);
        let mut waiting: BTreeMap<(DateTime<Utc>, usize), (bool, Urgency, u8)> = BTreeMap::new();
        for (number, (minute, level, urgency, matter)) in happened.iter().copied().enumerate() {
            let is_counted = is_counted(level, urgency);
            let told = Ladder::News.dues(start() + TimeDelta::minutes(minute), Quiet::NIGHT)[0].1;
            let due = if is_counted && mode == Mode::Digest { next_digest(told) } else { told };
            waiting.insert((due, number), (is_counted, urgency, matter));
        }
        let (mut known, mut sent) = (Interruptions::default(), Vec::new());
        while let Some(((due, number), (is_counted, urgency, matter))) = waiting.pop_first() {
            let awake = if urgency == Urgency::Emergency { due } else { Quiet::NIGHT.end(due) };
            let free = if is_counted { known.free_at(awake).unwrap_or(awake) } else { awake };
            if free > due {
                waiting.insert((free, number), (is_counted, urgency, matter));
                continue;
            }
            // the newest state of a matter stands for those before it
            let newer = |(at, other): (&(DateTime<Utc>, usize), &(bool, Urgency, u8))| {
                at.1 > number && at.0 <= due && other.0 && other.2 == matter
            };
            if is_counted && waiting.iter().any(newer) {
                continue;
            }
            if is_counted {
                known = known.and(due);
            }
            sent.push((due, is_counted, matter, number));
        }
        sent
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn a_month_disturbs_nobody_more_than_three_times_in_any_seven_days(
            happened in prop::collection::vec(happening(), 0..120),
            mode in prop_oneof![Just(Mode::AtOnce), Just(Mode::Digest)],
        ) {
            let sent = month(happened.clone(), mode);
            let counted: Vec<_> = sent.iter().filter(|one| one.1).collect();
            for window in counted.windows(IN_A_WEEK + 1) {
                prop_assert!(window[IN_A_WEEK].0 - window[0].0 >= TimeDelta::days(7), "{window:?}");
            }
            for (at, is_counted, ..) in &sent {
                prop_assert!(!is_counted || !Quiet::NIGHT.is_quiet(*at), "by night: {at}");
            }
            let acts = happened.iter().filter(|one| !is_counted(one.1, one.2)).count();
            prop_assert_eq!(sent.iter().filter(|one| !one.1).count(), acts, "nothing that must be done is held back");
            // of every matter that moved, the newest state was told or a newer one was
            for matter in 0..12 {
                let newest = happened.iter().filter(|one| one.3 == matter && is_counted(one.1, one.2)).count();
                prop_assert!(newest == 0 || counted.iter().any(|one| one.2 == matter), "matter {matter} is lost");
            }
        }
    }
}
