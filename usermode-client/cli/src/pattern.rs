//! Values of arrays that are not bound to a file.
//!
//! Element `i` of the `k`-th array of the data buffer is `((7 i + 13 k + 3) mod 64) + 1`: small enough to be exact in every type, never
//! zero, so that it can be divided by, and different from array to array.

use half::{bf16, f16};
use hawser_abi::op::ElementType;

/// Period of the pattern.
const PERIOD: u64 = 64;
/// What `out` arrays start as.
pub const UNWRITTEN: u8 = 0xA5;

/// Element `index` of array `array`.
pub fn value(index: u64, array: u64) -> u8 {
    let place = (index % PERIOD) * 7 + (array % PERIOD) * 13 + 3;
    (place % PERIOD) as u8 + 1
}

/// Fills `bytes` with elements of array `array`.
pub fn fill(bytes: &mut [u8], element: ElementType, array: u64) {
    let size = element.size() as usize;
    let period: Vec<u8> = (0..PERIOD)
        .flat_map(|index| bits(value(index, array), element).to_le_bytes().into_iter().take(size))
        .collect();
    for chunk in bytes.chunks_mut(period.len()) {
        chunk.copy_from_slice(&period[..chunk.len()]);
    }
}

fn bits(value: u8, element: ElementType) -> u64 {
    match element {
        ElementType::F16 => f16::from_f32(value.into()).to_bits().into(),
        ElementType::BF16 => bf16::from_f32(value.into()).to_bits().into(),
        ElementType::F32 => f32::from(value).to_bits().into(),
        ElementType::F64 => f64::from(value).to_bits(),
        _ => value.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::head;
    use proptest::prelude::*;

    #[test]
    fn the_first_values_are_those_of_the_documentation() {
        assert_eq!([0, 1, 2, 9, 64].map(|index| value(index, 0)), [4, 11, 18, 3, 4]);
        assert_eq!([0, 1].map(|index| value(index, 1)), [17, 24]);
    }

    #[test]
    fn every_type_shows_the_same_numbers() {
        for element in ElementType::ALL {
            let mut bytes = vec![0; element.size() as usize * 100];
            fill(&mut bytes, element, 2);
            let shown: Vec<f64> = head(&bytes, element, 100)
                .iter()
                .map(|value| value.to_string().parse().unwrap())
                .collect();
            let expected: Vec<f64> = (0..100).map(|index| value(index, 2).into()).collect();
            assert_eq!(shown, expected, "{}", element.name());
        }
    }

    proptest! {
        #[test]
        fn values_are_small_and_never_zero(index in any::<u64>(), array in any::<u64>()) {
            prop_assert!((1..=64).contains(&value(index, array)));
        }
    }
}
