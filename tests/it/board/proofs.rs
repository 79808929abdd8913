//! Proofs of the board checked as RFC 6962 says, by code that makes none.
use liusheng::board::tree::{Hash, consistency, inclusion, leaf, node, root};

/// The root that an audit path leads to.
pub(super) fn climbed(leaf: Hash, (place, size): (u64, u64), path: &[Hash]) -> Option<Hash> {
    if place >= size {
        return None;
    }
    let (mut at, mut last, mut hash) = (place, size - 1, leaf);
    for step in path {
        if last == 0 {
            return None;
        }
        if at % 2 == 1 || at == last {
            hash = node(step, &hash);
            while at.is_multiple_of(2) && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, step);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// Does the proof show that the earlier tree is the beginning of the later one?
pub(super) fn is_beginning((earlier, old): (u64, Hash), (later, new): (u64, Hash), path: &[Hash]) -> bool {
    if earlier == later {
        return path.is_empty() && old == new;
    }
    if earlier == 0 || earlier > later {
        return false;
    }
    let mut steps = path.iter();
    let (mut at, mut last) = (earlier - 1, later - 1);
    while at % 2 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let first = if earlier.is_power_of_two() { Some(old) } else { steps.next().copied() };
    let Some(first) = first else { return false };
    let (mut was, mut is) = (first, first);
    for step in steps {
        if last == 0 {
            return false;
        }
        if at % 2 == 1 || at == last {
            (was, is) = (node(step, &was), node(step, &is));
            while at.is_multiple_of(2) && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            is = node(&is, step);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && was == old && is == new
}

#[test]
fn every_proof_of_every_small_tree_holds_and_a_wrong_one_does_not() {
    let leaves: Vec<Hash> = (0u8..40).map(|n| leaf(&[n])).collect();
    for size in 1..=leaves.len() {
        let whole = &leaves[..size];
        let top = root(whole);
        for place in 0..size {
            let path = inclusion(whole, place).unwrap();
            let at = |place: usize| climbed(whole[place], (place as u64, size as u64), &path);
            assert_eq!(at(place), Some(top), "{place} of {size}");
            assert_ne!(climbed(leaf(b"other"), (place as u64, size as u64), &path), Some(top));
            let earlier = place + 1;
            let proof = consistency(whole, earlier).unwrap();
            let (old, new) = ((earlier as u64, root(&whole[..earlier])), (size as u64, top));
            assert!(is_beginning(old, new, &proof), "{earlier} of {size}");
            assert!(!is_beginning((old.0, leaf(b"other")), new, &proof));
        }
        assert_eq!(inclusion(whole, size), None);
    }
}
