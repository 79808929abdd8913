//! The Merkle tree of RFC 6962 over hashes of leaves: growing, roots and proofs; pure. Whoever asks checks them.
use ring::digest;

/// SHA-256.
pub type Hash = [u8; 32];

/// SHA-256 over parts one after the other.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// The hash of a leaf: `SHA-256(0x00 ‖ bytes)`.
#[must_use]
pub fn leaf(bytes: &[u8]) -> Hash {
    sha256(&[&[0], bytes])
}

/// The hash of a node: `SHA-256(0x01 ‖ left ‖ right)`.
#[must_use]
pub fn node(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// The root over these leaves; of none it is `SHA-256("")`.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    let mut edge = Edge::default();
    leaves.iter().for_each(|one| edge.push(*one));
    edge.root()
}

/// The right edge of a growing tree: the roots of its full subtrees, largest first. Enough to go on without the leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    /// Leaves so far.
    pub size: u64,
    /// One for each bit that is set in `size`.
    pub peaks: Vec<Hash>,
}

impl Edge {
    /// Adds a leaf's hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut grown = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                grown = node(&left, &grown);
            }
        }
        self.peaks.push(grown);
        self.size += 1;
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(smallest) = peaks.next() else { return sha256(&[]) };
        peaks.fold(*smallest, |right, left| node(left, &right))
    }
}

/// The largest power of two below `n`.
fn split(n: usize) -> usize {
    1 << (usize::BITS - 1 - (n - 1).leading_zeros())
}

/// The audit path of the leaf at `place`; `None` when there is none.
#[must_use]
pub fn inclusion(leaves: &[Hash], place: usize) -> Option<Vec<Hash>> {
    if place >= leaves.len() {
        return None;
    }
    if leaves.len() == 1 {
        return Some(Vec::new());
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, other) = match place.checked_sub(left.len()) {
        None => (inclusion(left, place)?, root(right)),
        Some(place) => (inclusion(right, place)?, root(left)),
    };
    path.push(other);
    Some(path)
}

/// The proof that the tree over the first `earlier` leaves is the beginning of the tree over all of them.
#[must_use]
pub fn consistency(leaves: &[Hash], earlier: usize) -> Option<Vec<Hash>> {
    let fits = earlier > 0 && earlier <= leaves.len();
    fits.then(|| grown(leaves, earlier, true))
}

fn grown(leaves: &[Hash], earlier: usize, is_whole: bool) -> Vec<Hash> {
    if earlier == leaves.len() {
        return if is_whole { Vec::new() } else { vec![root(leaves)] };
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    if earlier <= left.len() {
        let mut path = grown(left, earlier, is_whole);
        path.push(root(right));
        path
    } else {
        let mut path = grown(right, earlier - left.len(), false);
        path.push(root(left));
        path
    }
}
