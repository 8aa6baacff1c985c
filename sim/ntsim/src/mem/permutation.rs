//! A keyed permutation of page numbers: how the `scrambled` model makes an address that was not translated wrong.

/// A permutation of the numbers below 2^bits, chosen by a key.
#[derive(Debug, Clone, Copy)]
pub struct PagePermutation {
    half: u32,
    keys: [u64; ROUNDS],
}

/// Four Feistel rounds: enough that neighbours are not neighbours any more; this is not cryptography.
const ROUNDS: usize = 4;

impl PagePermutation {
    /// The permutation of the numbers below 2^`bits` that belongs to `key`. `bits` is even.
    #[must_use]
    pub const fn new(bits: u32, key: u64) -> Self {
        assert!(bits.is_multiple_of(2) && bits > 0 && bits <= 62);
        let mut keys = [0; ROUNDS];
        let mut state = key;
        let mut round = 0;
        while round < ROUNDS {
            state = mix(state.wrapping_add(0x9E37_79B9_7F4A_7C15));
            keys[round] = state;
            round += 1;
        }
        Self { half: bits / 2, keys }
    }

    /// Where `page` goes.
    #[must_use]
    pub fn forward(&self, page: u64) -> u64 {
        let (left, right) = self.split(page);
        let (left, right) = self.keys.iter().fold((left, right), |(left, right), key| {
            (right, left ^ self.round(right, *key))
        });
        self.join(left, right)
    }

    /// What goes to `page`.
    #[must_use]
    pub fn inverse(&self, page: u64) -> u64 {
        let (left, right) = self.split(page);
        let keys = self.keys.iter().rev();
        let (left, right) = keys.fold((left, right), |(left, right), key| {
            (right ^ self.round(left, *key), left)
        });
        self.join(left, right)
    }

    fn split(&self, page: u64) -> (u64, u64) {
        (page >> self.half & self.mask(), page & self.mask())
    }

    fn join(&self, left: u64, right: u64) -> u64 {
        left << self.half | right
    }

    fn mask(&self) -> u64 {
        (1 << self.half) - 1
    }

    fn round(&self, value: u64, key: u64) -> u64 {
        mix(value ^ key) & self.mask()
    }
}

/// The finalizer of SplitMix64.
const fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ value >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use super::PagePermutation;
    use proptest::prelude::*;

    #[test]
    fn small_permutation_hits_every_number_once() {
        let permutation = PagePermutation::new(10, 3);
        let mut seen = vec![false; 1024];
        for page in 0..1024 {
            let to = permutation.forward(page);
            assert!(!std::mem::replace(&mut seen[to as usize], true), "{to} is hit twice");
        }
    }

    #[test]
    fn neighbours_are_separated() {
        let permutation = PagePermutation::new(24, 0);
        let together = (0..10_000)
            .filter(|&page| permutation.forward(page) + 1 == permutation.forward(page + 1))
            .count();
        assert!(together < 5, "{together} pairs of neighbours stayed together");
    }

    proptest! {
        #[test]
        fn inverse_undoes_forward(key in any::<u64>(), page in 0_u64..1 << 24) {
            let permutation = PagePermutation::new(24, key);
            let to = permutation.forward(page);
            prop_assert!(to < 1 << 24);
            prop_assert_eq!(permutation.inverse(to), page);
        }
    }
}
