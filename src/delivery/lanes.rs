//! Who is sent to next: a lane for each address, one try in a lane at a time, lanes in turn.
//!
//! # Why
//! An address that never answers holds a hand for as long as it is waited for. Those that did so at their last try take turns
//! of their own, a few at a time, and little is kept for them: however many they are, hands and room are left for all others.
//! One quick answer, and an address is as any other.
use std::collections::{HashMap, HashSet, VecDeque};

use crate::ids::DeliveryId;

/// Waiting in one lane at most; what is beyond is offered again by the sweep.
const LANE: usize = 32;
/// Waiting in all lanes at most.
const ALL: usize = 1024;
/// Tries under way at most to addresses that are slow.
const SLOW_AT_ONCE: usize = 8;
/// Lanes of addresses that are slow in which one waits, at most.
const SLOW_WAITING: usize = ALL / 2;

/// What this process has taken and not yet finished.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    waiting: HashMap<String, VecDeque<DeliveryId>>,
    turn: VecDeque<String>,
    busy: HashSet<String>,
    known: HashSet<DeliveryId>,
    /// Who kept the last try waiting.
    slow: HashSet<String>,
    slow_turn: VecDeque<String>,
}

impl Lanes {
    /// With those who kept their last try waiting, as is known of them from before.
    pub(super) fn knowing(slow: HashSet<String>) -> Self {
        Self { slow, ..Self::default() }
    }

    /// Is there room for more?
    pub(super) fn has_room(&self) -> bool {
        self.known.len() < ALL
    }

    /// How many could be begun now.
    pub(super) fn ready(&self) -> usize {
        self.turn.len()
    }

    /// Puts a delivery into its lane; passes over what is known already and what a lane has no room for.
    pub(super) fn add(&mut self, target: String, id: DeliveryId) {
        let is_slow = self.slow.contains(&target);
        if is_slow && self.slow_turn.len() >= SLOW_WAITING {
            return;
        }
        let room = if is_slow { 1 } else { LANE };
        let lane = self.waiting.entry(target.clone()).or_default();
        if lane.len() >= room || !self.known.insert(id) {
            return;
        }
        lane.push_back(id);
        if lane.len() == 1 && !self.busy.contains(&target) {
            self.line_up(target);
        }
    }

    fn line_up(&mut self, target: String) {
        if self.slow.contains(&target) {
            self.slow_turn.push_back(target);
        } else {
            self.turn.push_back(target);
        }
    }

    /// The next one that may be sent; its lane is busy until [`Lanes::done`].
    pub(super) fn next(&mut self) -> Option<(String, DeliveryId)> {
        let may_be_slow = self.busy.intersection(&self.slow).count() < SLOW_AT_ONCE;
        let slow = if may_be_slow { self.slow_turn.pop_front() } else { None };
        let target = slow.or_else(|| self.turn.pop_front())?;
        let id = self.waiting.get_mut(&target)?.pop_front()?;
        self.busy.insert(target.clone());
        Some((target, id))
    }

    /// How the address of the try under way answered. Of one that is slow now the next alone stays here; the others are offered
    /// again.
    pub(super) fn answered(&mut self, target: &str, is_slow: bool) {
        if !is_slow {
            self.slow.remove(target);
        } else if self.slow.insert(target.to_owned()) {
            let others = self.waiting.get_mut(target).map(|lane| lane.split_off(lane.len().min(1)));
            for id in others.into_iter().flatten() {
                self.known.remove(&id);
            }
        }
    }

    /// The try is over: the lane waits for its next turn.
    pub(super) fn done(&mut self, target: String, id: DeliveryId) {
        self.known.remove(&id);
        self.busy.remove(&target);
        match self.waiting.get(&target) {
            Some(lane) if !lane.is_empty() => self.line_up(target),
            _ => drop(self.waiting.remove(&target)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids<const N: usize>() -> [DeliveryId; N] {
        std::array::from_fn(|_| DeliveryId::new())
    }

    #[test]
    fn lanes_take_turns_and_hold_one_try_each() {
        let mut lanes = Lanes::default();
        let [a1, a2, a3, b1] = ids();
        for id in [a1, a2, a3] {
            lanes.add("a".into(), id);
        }
        lanes.add("b".into(), b1);
        assert_eq!(lanes.next(), Some(("a".into(), a1)));
        assert_eq!(lanes.next(), Some(("b".into(), b1)), "the long lane does not hold up the other");
        assert_eq!(lanes.next(), None, "both are under way");
        lanes.done("b".into(), b1);
        assert_eq!(lanes.next(), None);
        lanes.done("a".into(), a1);
        assert_eq!(lanes.next(), Some(("a".into(), a2)));
    }

    #[test]
    fn the_same_delivery_is_taken_once_until_it_is_done() {
        let mut lanes = Lanes::default();
        let [one] = ids();
        lanes.add("a".into(), one);
        lanes.add("a".into(), one);
        assert_eq!(lanes.next(), Some(("a".into(), one)));
        lanes.add("a".into(), one);
        assert_eq!(lanes.next(), None);
        lanes.done("a".into(), one);
        assert_eq!(lanes.next(), None);
        lanes.add("a".into(), one);
        assert_eq!(lanes.next(), Some(("a".into(), one)));
    }

    #[test]
    fn a_long_lane_leaves_room_for_others() {
        let mut lanes = Lanes::default();
        for id in ids::<300>() {
            lanes.add("sick".into(), id);
        }
        assert!(lanes.has_room());
        let [well] = ids();
        lanes.add("well".into(), well);
        assert_eq!(lanes.next().map(|(target, _)| target).as_deref(), Some("sick"));
        assert_eq!(lanes.next(), Some(("well".into(), well)));
        for n in 0..ALL {
            lanes.add(format!("t{n}"), DeliveryId::new());
        }
        assert!(!lanes.has_room());
    }

    #[test]
    fn the_slow_hold_a_few_hands_and_little_room_until_they_answer_quickly() {
        let mut lanes = Lanes::default();
        for number in 0..20 {
            for id in ids::<31>() {
                lanes.add(format!("slow{number}"), id);
            }
        }
        let begun: Vec<(String, DeliveryId)> = std::iter::from_fn(|| lanes.next()).collect();
        assert_eq!(begun.len(), 20, "nobody knows yet");
        for (target, id) in begun {
            lanes.answered(&target, true);
            lanes.done(target, id);
        }
        assert_eq!(lanes.known.len(), 20, "one waits of each");
        let [well] = ids();
        lanes.add("well".into(), well);
        let begun: Vec<(String, DeliveryId)> = std::iter::from_fn(|| lanes.next()).collect();
        assert_eq!(begun.len(), SLOW_AT_ONCE + 1, "a few of them, and who is well");
        assert!(begun.contains(&("well".into(), well)));
        let (first, id) = begun[0].clone();
        lanes.answered(&first, false);
        lanes.done(first.clone(), id);
        for id in ids::<2>() {
            lanes.add(first.clone(), id);
        }
        assert_eq!(lanes.waiting[&first].len(), 2, "as any other");
        let next: Vec<String> = std::iter::from_fn(|| lanes.next()).map(|(target, _)| target).collect();
        assert!(next.len() == 2 && next.contains(&first), "{next:?}");
    }

    #[test]
    fn who_was_slow_before_holds_a_few_hands_from_the_start() {
        let targets: Vec<String> = (0..40).map(|number| format!("slow{number}")).collect();
        let mut lanes = Lanes::knowing(targets.iter().cloned().collect());
        for target in targets {
            lanes.add(target, DeliveryId::new());
        }
        lanes.add("well".into(), DeliveryId::new());
        let begun: Vec<String> = std::iter::from_fn(|| lanes.next()).map(|(target, _)| target).collect();
        assert!(begun.len() == SLOW_AT_ONCE + 1 && begun.contains(&"well".to_owned()), "{begun:?}");
    }

    #[test]
    fn however_many_are_slow_room_is_left_for_others() {
        let mut lanes = Lanes::default();
        let targets: Vec<String> = (0..2 * ALL).map(|number| format!("slow{number}")).collect();
        for target in &targets {
            lanes.add(target.clone(), DeliveryId::new());
            let (target, id) = lanes.next().unwrap();
            lanes.answered(&target, true);
            lanes.done(target, id);
        }
        for target in targets {
            lanes.add(target, DeliveryId::new());
        }
        assert_eq!((lanes.known.len(), lanes.waiting.len()), (SLOW_WAITING, SLOW_WAITING));
        assert!(lanes.has_room());
    }
}
