//! Statuses of the framework's own facility never leave the machine: completion rewrites them. Pure.

use crate::kmdf::status::STATUS_WDF_INTERNAL_ERROR;
use wdk_sys::{
    NTSTATUS, STATUS_DEVICE_BUSY, STATUS_INSUFFICIENT_RESOURCES, STATUS_INTERNAL_ERROR, STATUS_INVALID_DEVICE_REQUEST,
};

/// `STATUS_WDF_PAUSED`.
pub const STATUS_WDF_PAUSED: NTSTATUS = 0xC020_0203_u32.cast_signed();
/// `STATUS_WDF_BUSY`.
pub const STATUS_WDF_BUSY: NTSTATUS = 0xC020_0204_u32.cast_signed();
/// `STATUS_WDF_TOO_FRAGMENTED`.
pub const STATUS_WDF_TOO_FRAGMENTED: NTSTATUS = 0xC020_020A_u32.cast_signed();
/// `STATUS_WDF_TOO_MANY_TRANSFERS`.
pub const STATUS_WDF_TOO_MANY_TRANSFERS: NTSTATUS = 0xC020_0213_u32.cast_signed();
/// `STATUS_WDF_NOT_ENOUGH_MAP_REGISTERS`.
pub const STATUS_WDF_NOT_ENOUGH_MAP_REGISTERS: NTSTATUS = 0xC020_0214_u32.cast_signed();

/// The facility bits of a status, and the framework's facility in them.
const FACILITY_MASK: u32 = 0x0FFF_0000;
const FACILITY_DRIVER_FRAMEWORK: u32 = 0x0020_0000;

/// The status that an IRP is completed with when the driver gave `status`.
#[must_use]
pub const fn completed(status: NTSTATUS) -> NTSTATUS {
    if status.cast_unsigned() & FACILITY_MASK != FACILITY_DRIVER_FRAMEWORK {
        return status;
    }
    match status {
        STATUS_WDF_PAUSED | STATUS_WDF_BUSY => STATUS_DEVICE_BUSY,
        STATUS_WDF_INTERNAL_ERROR => STATUS_INTERNAL_ERROR,
        STATUS_WDF_NOT_ENOUGH_MAP_REGISTERS => STATUS_INSUFFICIENT_RESOURCES,
        _ => STATUS_INVALID_DEVICE_REQUEST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_codes_have_their_own_meaning() {
        assert_eq!(completed(STATUS_WDF_PAUSED), STATUS_DEVICE_BUSY);
        assert_eq!(completed(STATUS_WDF_TOO_FRAGMENTED), STATUS_INVALID_DEVICE_REQUEST);
        assert_eq!(completed(STATUS_WDF_TOO_MANY_TRANSFERS), STATUS_INVALID_DEVICE_REQUEST);
        assert_eq!(
            completed(STATUS_WDF_NOT_ENOUGH_MAP_REGISTERS),
            STATUS_INSUFFICIENT_RESOURCES
        );
    }

    proptest! {
        #[test]
        fn no_framework_status_gets_out_and_no_other_is_touched(status: i32) {
            let out = completed(status);
            prop_assert_ne!(out.cast_unsigned() & FACILITY_MASK, FACILITY_DRIVER_FRAMEWORK);
            if status.cast_unsigned() & FACILITY_MASK != FACILITY_DRIVER_FRAMEWORK {
                prop_assert_eq!(out, status);
            }
        }
    }
}
