//! Integers of all types, as numbers of 128 bits.

use hawser_abi::op::ElementType;

/// Whether elements of the type are integers.
pub(super) fn is_integer(element: ElementType) -> bool {
    !matches!(
        element,
        ElementType::F16 | ElementType::BF16 | ElementType::F32 | ElementType::F64
    )
}

/// Whether elements of the type are integers without a sign.
pub(super) fn is_unsigned(element: ElementType) -> bool {
    matches!(
        element,
        ElementType::U8 | ElementType::U16 | ElementType::U32 | ElementType::U64
    )
}

/// The number of the type whose bits are the low bits of `value`.
pub(super) fn wrap(element: ElementType, value: i128) -> i128 {
    match element {
        ElementType::I8 => i128::from(value as i8),
        ElementType::U8 => i128::from(value as u8),
        ElementType::I16 => i128::from(value as i16),
        ElementType::U16 => i128::from(value as u16),
        ElementType::I32 => i128::from(value as i32),
        ElementType::U32 => i128::from(value as u32),
        ElementType::I64 => i128::from(value as i64),
        _ => i128::from(value as u64),
    }
}

/// The number of the type that is nearest to `value`.
pub(super) fn clamp(element: ElementType, value: i128) -> i128 {
    let bits = 8 * element.size();
    let (smallest, largest) = if is_unsigned(element) {
        (0, (1 << bits) - 1)
    } else {
        (-1 << (bits - 1), (1 << (bits - 1)) - 1)
    };
    value.clamp(smallest, largest)
}

/// `a` shifted left by `count` bits, before it is cut to its type.
pub(super) fn shift_left(element: ElementType, a: i128, count: u64) -> i128 {
    if count < 8 * element.size() { a << count } else { 0 }
}

/// `a` shifted right by `count` bits, with copies of its sign moving in: zeros for numbers without a sign.
pub(super) fn shift_right(a: i128, count: u64) -> i128 {
    a >> count.min(127)
}

/// The bits of a number of the type, taken as one without a sign.
pub(super) fn unsigned(element: ElementType, value: i128) -> u64 {
    let unused = 64 - 8 * element.size();
    (value as u64) << unused >> unused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_wrap_and_clamp_at_the_ends_of_each_type() {
        for (element, smallest, largest) in [
            (ElementType::I8, -128, 127),
            (ElementType::U8, 0, 255),
            (ElementType::I16, -32_768, 32_767),
            (ElementType::U16, 0, 65_535),
            (ElementType::I32, -2_147_483_648, 2_147_483_647),
            (ElementType::U32, 0, 4_294_967_295),
            (ElementType::I64, -9_223_372_036_854_775_808, 9_223_372_036_854_775_807),
            (ElementType::U64, 0, 18_446_744_073_709_551_615),
        ] {
            let name = element.name();
            for inside in [smallest, smallest + 1, 0, 1, largest - 1, largest] {
                assert_eq!(
                    (wrap(element, inside), clamp(element, inside)),
                    (inside, inside),
                    "{name}"
                );
            }
            assert_eq!(wrap(element, largest + 1), smallest, "{name}");
            assert_eq!(wrap(element, smallest - 1), largest, "{name}");
            assert_eq!(clamp(element, largest + 1), largest, "{name}");
            assert_eq!(clamp(element, i128::MAX), largest, "{name}");
            assert_eq!(clamp(element, smallest - 1), smallest, "{name}");
            assert_eq!(clamp(element, i128::MIN), smallest, "{name}");
        }
    }

    #[test]
    fn shifts_reach_every_count() {
        assert_eq!(shift_left(ElementType::I8, -1, 7), -128);
        assert_eq!(shift_left(ElementType::I8, -1, 8), 0);
        assert_eq!(
            shift_left(ElementType::U64, i128::from(u64::MAX), 63),
            i128::from(u64::MAX) << 63
        );
        assert_eq!(shift_left(ElementType::U64, 1, u64::MAX), 0);
        assert_eq!(
            (shift_right(-2, 1), shift_right(-2, u64::MAX), shift_right(255, 64)),
            (-1, -1, 0)
        );
        assert_eq!(unsigned(ElementType::I8, -1), 255);
        assert_eq!(unsigned(ElementType::I64, -1), u64::MAX);
    }
}
