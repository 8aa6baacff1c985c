//! The classes of NTSTATUS codes: the two top bits.
#![allow(non_snake_case, reason = "spelled as the headers spell them")]

use crate::types::NTSTATUS;

const fn severity(status: NTSTATUS) -> u32 {
    status.cast_unsigned() >> 30
}

/// Success or information: not negative.
#[must_use]
#[inline]
pub const fn NT_SUCCESS(status: NTSTATUS) -> bool {
    status >= 0
}

/// An informational code, `0x4000_0000` to `0x7FFF_FFFF`.
#[must_use]
#[inline]
pub const fn NT_INFORMATION(status: NTSTATUS) -> bool {
    severity(status) == 1
}

/// A warning, `0x8000_0000` to `0xBFFF_FFFF`.
#[must_use]
#[inline]
pub const fn NT_WARNING(status: NTSTATUS) -> bool {
    severity(status) == 2
}

/// An error, `0xC000_0000` to `0xFFFF_FFFF`.
#[must_use]
#[inline]
pub const fn NT_ERROR(status: NTSTATUS) -> bool {
    severity(status) == 3
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_status_has_one_class(status: i32) {
            let success = NT_SUCCESS(status) && !NT_INFORMATION(status);
            let classes = [success, NT_INFORMATION(status), NT_WARNING(status), NT_ERROR(status)];
            prop_assert_eq!(classes.iter().filter(|class| **class).count(), 1);
        }
    }

    #[test]
    fn classes_begin_and_end_where_the_headers_say() {
        assert!(NT_SUCCESS(0) && NT_SUCCESS(0x3FFF_FFFF) && NT_SUCCESS(0x4000_0000) && NT_SUCCESS(i32::MAX));
        assert!(NT_INFORMATION(0x4000_0000) && NT_INFORMATION(i32::MAX) && !NT_INFORMATION(0x3FFF_FFFF));
        assert!(
            NT_WARNING(i32::MIN)
                && NT_WARNING(0xBFFF_FFFF_u32.cast_signed())
                && !NT_WARNING(0xC000_0000_u32.cast_signed())
        );
        assert!(NT_ERROR(0xC000_0000_u32.cast_signed()) && NT_ERROR(-1));
    }
}
