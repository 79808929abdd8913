//! Chance that can be had again: everything that happens in a run follows from its seed.

/// `SplitMix64`.
#[derive(Clone, Debug)]
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `0..bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    /// True so many times of a hundred.
    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// The seed of `LSTEST_SEED`.
pub(crate) fn given_seed() -> Option<u64> {
    std::env::var("LSTEST_SEED").ok().and_then(|seed| seed.parse().ok())
}

/// Another one every time.
pub(crate) fn any_seed() -> u64 {
    u64::from(uuid::Uuid::new_v4().as_fields().0 % 1_000_000)
}
