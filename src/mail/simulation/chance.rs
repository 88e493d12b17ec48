//! Chance that a seed gives: the same seed, the same simulation.

/// A stream of numbers that follows from its seed.
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn of(seed: u64) -> Self {
        Self(mixed(seed))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed(self.0)
    }

    /// From 0 up to 1.
    pub(super) fn part(&mut self) -> f64 {
        part(self.next())
    }

    /// A number below `most`, or 0.
    pub(super) fn below(&mut self, most: usize) -> usize {
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        usize::try_from(self.next().checked_rem(most).unwrap_or(0)).unwrap_or(0)
    }
}

/// What falls to one thing, whenever it is asked for: a part from 0 up to 1.
pub(super) fn lot(seed: u64, what: u64, of: usize) -> f64 {
    let of = u64::try_from(of).unwrap_or(u64::MAX);
    part(mixed(mixed(seed ^ mixed(what)).wrapping_add(of)))
}

/// Stafford's thirteenth mix, of splitmix64.
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

fn part(bits: u64) -> f64 {
    // 32 bits are enough, and every one of them has a place in the fraction.
    f64::from(u32::try_from(bits >> 32).unwrap_or(u32::MAX)) / 4_294_967_296.0
}
