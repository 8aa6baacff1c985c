//! Numbers the combinations of spaces in which the operands of a step lie, so that tables say what each means.

/// Combinations of the spaces of four operands.
pub(crate) const COMBINATIONS: usize = 256;

/// The number of the spaces of four operands: two bits for each, the destination's lowest. With bytes that are not below 4, some number.
#[inline(always)]
pub(crate) const fn combination(spaces: u32) -> usize {
    // No two of the products of bytes below 4 overlap, so that nothing is carried.
    (spaces.wrapping_mul(1 << 24 | 1 << 18 | 1 << 12 | 1 << 6) >> 24) as usize
}

/// The spaces of a combination, the destination's first.
pub(crate) const fn spaces(combination: usize) -> [usize; 4] {
    [
        combination & 3,
        combination >> 2 & 3,
        combination >> 4 & 3,
        combination >> 6 & 3,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_has_a_number_of_its_own() {
        for number in 0..COMBINATIONS {
            let bytes = spaces(number).map(|space| space as u8);
            assert_eq!(combination(u32::from_le_bytes(bytes)), number);
        }
    }
}
