//! How often somebody may be disturbed: three times in seven days, but for what must be done and for danger. Pure.
use chrono::{DateTime, TimeDelta, Utc};

use super::ladder::{Level, Urgency};
use crate::{ids::PersonId, people::audience::Sharer};

/// Disturbances in any seven days.
pub const IN_A_WEEK: usize = 3;

/// After which a disturbance counts no more.
pub const WEEK: TimeDelta = TimeDelta::days(7);

/// What disturbed somebody: one place for each that counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places(pub [Option<DateTime<Utc>>; IN_A_WEEK]);

/// Does this count against the three?
#[must_use]
pub fn is_counted(level: Level, urgency: Urgency) -> bool {
    level != Level::Act && urgency != Urgency::Emergency
}

impl Places {
    /// A place that is free now.
    ///
    /// # Errors
    /// When the first of them will be.
    pub fn free(&self, now: DateTime<Utc>) -> Result<usize, DateTime<Utc>> {
        let free_at = |place: &Option<DateTime<Utc>>| place.map_or(DateTime::UNIX_EPOCH, |at| at + WEEK);
        let (place, at) = self.0.iter().map(free_at).enumerate().min_by_key(|(_, at)| *at).unwrap_or_default();
        if at <= now { Ok(place) } else { Err(at) }
    }
}

/// Who hears of it when this person is written to.
#[must_use]
pub fn heard_by(person: PersonId, sharers: &[Sharer]) -> Vec<PersonId> {
    let mut owners = sharers.iter().filter(|one| one.is_proven);
    if let (Some(owner), None) = (owners.next(), owners.next()) {
        return if owner.id == person { vec![person] } else { vec![owner.id, person] };
    }
    let mut all: Vec<PersonId> = sharers.iter().map(|one| one.id).collect();
    if !all.contains(&person) {
        all.push(person);
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{
        super::ladder::{Ladder, Mode},
        *,
    };
    use crate::quiet::{Hours, rules::next_digest};

    fn start() -> DateTime<Utc> {
        DateTime::parse_from_rfc3339("2026-11-01T00:00:00+08:00").unwrap().with_timezone(&Utc)
    }

    #[test]
    fn a_text_is_heard_by_all_who_have_the_number_unless_it_is_proven_to_be_one_persons_own() {
        let [a, b, c] = [(); 3].map(|()| PersonId::new());
        let sharers = |proven: &[PersonId]| {
            [a, b, c].map(|id| Sharer { id, area: String::new(), is_proven: proven.contains(&id) })
        };
        assert_eq!(heard_by(a, &sharers(&[])), [a, b, c]);
        assert_eq!(heard_by(a, &sharers(&[a])), [a], "the own phone");
        assert_eq!(heard_by(b, &sharers(&[a])), [a, b], "a relative's phone");
        assert_eq!(heard_by(a, &sharers(&[a, b])), [a, b, c], "nobody's alone");
        assert_eq!(heard_by(a, &[]), [a]);
    }

    /// Something of a month.
    #[derive(Clone, Debug)]
    struct Happening {
        minute: i64,
        level: Level,
        urgency: Urgency,
        /// Of which of twelve matters.
        matter: u8,
        /// For which of the three at one number.
        who: usize,
        by_text: bool,
        /// The first try comes to nothing.
        fails: bool,
    }

    fn happening() -> impl Strategy<Value = Happening> {
        let level = prop_oneof![Just(Level::Act), Just(Level::Moved), Just(Level::News), Just(Level::News)];
        let urgency = prop_oneof![9 => Just(Urgency::Normal), 1 => Just(Urgency::Emergency)];
        let what = (0_i64..30 * 24 * 60, level, urgency, 0_u8..12);
        (what, 0_usize..3, any::<bool>(), any::<bool>()).prop_map(|(what, who, by_text, fails)| {
            let (minute, level, urgency, matter) = what;
            Happening { minute, level, urgency, matter, who, by_text, fails }
        })
    }

    /// When something went out, who heard it, and what it was.
    type Sent = (DateTime<Utc>, Vec<usize>, usize);

    /// The month of three at one number as the worker lives it; `owner` has proven that it is the own.
    fn month(happened: &[Happening], mode: Mode, owner: Option<usize>) -> Vec<Sent> {
        let ids = [(); 3].map(|()| PersonId::new());
        let sharers: Vec<Sharer> =
            (0..3).map(|who| Sharer { id: ids[who], area: String::new(), is_proven: owner == Some(who) }).collect();
        let mut waiting: BTreeMap<(DateTime<Utc>, usize), bool> = BTreeMap::new();
        for (number, one) in happened.iter().enumerate() {
            let told = Ladder::News.dues(start() + TimeDelta::minutes(one.minute), Hours::DEFAULT)[0].1;
            let is_digest = mode == Mode::Digest && is_counted(one.level, one.urgency);
            waiting.insert((if is_digest { next_digest(told) } else { told }, number), one.fails);
        }
        let (mut known, mut sent) = (BTreeMap::<PersonId, Places>::new(), Vec::new());
        while let Some(((due, number), fails)) = waiting.pop_first() {
            let one = &happened[number];
            let is_counted = is_counted(one.level, one.urgency);
            let awake = if one.urgency == Urgency::Emergency { due } else { Hours::DEFAULT.end(due) };
            let heard = if one.by_text { heard_by(ids[one.who], &sharers) } else { vec![ids[one.who]] };
            let places = |id: &PersonId| known.get(id).copied().unwrap_or_default().free(awake);
            let full = heard.iter().filter_map(|id| places(id).err()).max().filter(|_| is_counted);
            let free = full.map_or(awake, |free| free.max(awake));
            if free > due {
                waiting.insert((free, number), fails);
                continue;
            }
            // the newest state of a matter stands for those before it
            let newer = |(at, _): (&(DateTime<Utc>, usize), &bool)| {
                let other = &happened[at.1];
                let is_same = (other.matter, other.who, other.by_text) == (one.matter, one.who, one.by_text);
                other.minute > one.minute && at.0 <= due && is_same && super::is_counted(other.level, other.urgency)
            };
            if is_counted && waiting.iter().any(newer) {
                continue;
            }
            if fails {
                // its places are given back, and it is tried again
                waiting.insert((due + TimeDelta::minutes(1), number), false);
                continue;
            }
            for id in heard.iter().filter(|_| is_counted) {
                let places = known.entry(*id).or_default();
                let place = places.free(due).expect("looked at before");
                places.0[place] = Some(due);
            }
            let heard = (0..3).filter(|who| heard.contains(&ids[*who])).collect();
            sent.push((due, heard, number));
        }
        sent
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn a_month_disturbs_nobody_more_than_three_times_in_any_seven_days(
            happened in prop::collection::vec(happening(), 0..120),
            mode in prop_oneof![Just(Mode::AtOnce), Just(Mode::Digest)],
            owner in prop::option::of(0_usize..3),
        ) {
            let sent = month(&happened, mode, owner);
            let is_counted = |number: usize| is_counted(happened[number].level, happened[number].urgency);
            for who in 0..3 {
                // who does not own the number hears a message to its owner only from the owner
                let heard: Vec<_> = sent.iter().filter(|one| is_counted(one.2) && one.1.contains(&who)).collect();
                for window in heard.windows(IN_A_WEEK + 1) {
                    prop_assert!(window[IN_A_WEEK].0 - window[0].0 >= WEEK, "{window:?}");
                }
            }
            for (at, _, number) in &sent {
                prop_assert!(!is_counted(*number) || Hours::DEFAULT.end_after(*at).is_none(), "by night: {at}");
            }
            let acts = (0..happened.len()).filter(|number| !is_counted(*number)).count();
            let told = sent.iter().filter(|one| !is_counted(one.2)).count();
            prop_assert_eq!(told, acts, "nothing that must be done is held back");
            // of every matter that moved, the newest state was told or a newer one was
            for matter in 0..12 {
                let of = |number: usize| is_counted(number) && happened[number].matter == matter;
                let moved = (0..happened.len()).any(of);
                prop_assert!(!moved || sent.iter().any(|one| of(one.2)), "matter {matter} is lost");
            }
        }
    }
}
