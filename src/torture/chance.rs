//! Chance that a seed gives: one seed is one history.

/// A stream of numbers that follows from its seed.
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    /// The stream of one trial of one sweep.
    pub(super) fn of(seed: u64, sweep: &str, trial: u64) -> Self {
        let hash = blake3::hash(format!("{seed} {sweep} {trial}").as_bytes());
        let first = hash.as_bytes().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        Self(first)
    }

    /// A number below `most`, by the multiplier of Knuth's MMIX; 0 when there is none.
    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33).checked_rem(most).unwrap_or(0)
    }

    /// A number from `least` to `most`.
    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// One of a list that is not empty.
    pub(super) fn one<'t, T>(&mut self, list: &'t [T]) -> Option<&'t T> {
        let at = self.below(list.len() as u64);
        list.get(usize::try_from(at).unwrap_or(0))
    }

    /// The list in another order.
    pub(super) fn shuffled<T>(&mut self, mut list: Vec<T>) -> Vec<T> {
        for at in (1..list.len()).rev() {
            let other = self.below(at as u64 + 1);
            list.swap(at, usize::try_from(other).unwrap_or(0));
        }
        list
    }
}
