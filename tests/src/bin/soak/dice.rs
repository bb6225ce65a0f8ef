//! Chance that can be had again: SplitMix64.

/// A source of numbers that follow from a seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 up to this one, which is not among them.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    /// One of these.
    pub(crate) fn one_of<'a, T>(&mut self, choice: &'a [T]) -> &'a T {
        let count = u64::try_from(choice.len()).unwrap_or(u64::MAX);
        &choice[usize::try_from(self.below(count)).unwrap_or_default()]
    }
}
