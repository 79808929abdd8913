//! Who is sent to next: a lane for each address, one try in a lane at a time, lanes in turn.
use std::collections::{HashMap, HashSet, VecDeque};

use crate::ids::DeliveryId;

/// Waiting in one lane at most; what is beyond is offered again by the sweep.
const LANE: usize = 32;
/// Waiting in all lanes at most.
const ALL: usize = 1024;

/// What this process has taken and not yet finished.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    waiting: HashMap<String, VecDeque<DeliveryId>>,
    turn: VecDeque<String>,
    busy: HashSet<String>,
    known: HashSet<DeliveryId>,
}

impl Lanes {
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
        let lane = self.waiting.entry(target.clone()).or_default();
        if lane.len() >= LANE || !self.known.insert(id) {
            return;
        }
        lane.push_back(id);
        if lane.len() == 1 && !self.busy.contains(&target) {
            self.turn.push_back(target);
        }
    }

    /// The next one that may be sent; its lane is busy until [`Lanes::done`].
    pub(super) fn next(&mut self) -> Option<(String, DeliveryId)> {
        let target = self.turn.pop_front()?;
        let id = self.waiting.get_mut(&target)?.pop_front()?;
        self.busy.insert(target.clone());
        Some((target, id))
    }

    /// The try is over: the lane waits for its next turn.
    pub(super) fn done(&mut self, target: String, id: DeliveryId) {
        self.known.remove(&id);
        self.busy.remove(&target);
        match self.waiting.get(&target) {
            Some(lane) if !lane.is_empty() => self.turn.push_back(target),
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
}
