//! `IOCTL_HAWSER_GET_INFO`.

use hawser_abi::info::{DeviceInfo, VERSION};
use hawser_core::SLOTS;
use kmdf::{NtStatus, Request};

use crate::device::Device;

/// Answers with what the device and the driver can do. `STATUS_DEVICE_NOT_READY` while the device has no hardware.
pub fn answer(device: &Device, request: Request) {
    let Some(hardware) = device.interrupts.hardware.borrow() else {
        return request.complete(NtStatus::DEVICE_NOT_READY);
    };
    let limits = hardware.limits;
    let info = DeviceInfo {
        size: size_of::<DeviceInfo>() as u32,
        version: VERSION,
        driver_version: DRIVER_VERSION,
        device_version: hardware.version,
        queues: hardware.queues.into(),
        messages: hardware.messages,
        slots: SLOTS as u32,
        max_steps: limits.max_steps,
        max_mappings: limits.max_mappings,
        max_data: limits.max_data,
        scratch_size: limits.scratch_size,
        arena_size: limits.arena_size,
        operations: limits.operations,
        element_types: limits.element_types,
        default_timeout_ms: device.params.timeout_ms,
        dma_alignment: limits.dma_alignment,
        reserved: [0; 3],
    };
    drop(hardware);
    request.reply(&info);
}

/// The version of this crate: major, minor, patch, 16 bits each from the top; no build number.
const DRIVER_VERSION: u64 = number(env!("CARGO_PKG_VERSION_MAJOR")) << 48
    | number(env!("CARGO_PKG_VERSION_MINOR")) << 32
    | number(env!("CARGO_PKG_VERSION_PATCH")) << 16;

#[allow(clippy::indexing_slicing, reason = "evaluated when the driver is built")]
const fn number(text: &str) -> u64 {
    let digits = text.as_bytes();
    let (mut value, mut at) = (0, 0);
    while at < digits.len() {
        value = value * 10 + (digits[at] - b'0') as u64;
        at += 1;
    }
    assert!(value <= u16::MAX as u64);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_packed_in_16_bits_each() {
        assert_eq!(number("0"), 0);
        assert_eq!(number("1024"), 1024);
        assert_eq!(DRIVER_VERSION & 0xFFFF, 0);
        assert_eq!(DRIVER_VERSION >> 48, number(env!("CARGO_PKG_VERSION_MAJOR")));
    }
}
