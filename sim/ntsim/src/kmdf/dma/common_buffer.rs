//! `WDFCOMMONBUFFER`: memory that driver and device share, for as long as the enabler lives.

use super::enabler::{Direction, Enabler};
use crate::kmdf::object::{self, Attributes, Body, Flags, Kind, New, Object, ParentRule, Ref, Typed};
use std::cell::Cell;
use std::rc::Rc;
use wdk_sys::*;

/// Memory as the HAL gave it.
#[derive(Clone, Copy)]
struct Allocation {
    memory: PVOID,
    logical: i64,
    bytes: u32,
}

/// What of the allocation the driver uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Placement {
    /// Bytes from the start of the allocation, for the processor and for the device alike.
    skip: u64,
}

/// Where a buffer begins in an allocation at `logical`, so that the device sees it aligned. Masks below a page need no skipping: allocations are pages.
fn place(logical: u64, mask: u32) -> Placement {
    if u64::from(mask) < super::chain::PAGE_SIZE {
        return Placement { skip: 0 };
    }
    let aligned = (logical + u64::from(mask)) & !u64::from(mask);
    Placement {
        skip: aligned - logical,
    }
}

/// Bytes to ask of the HAL.
fn raw_length(length: usize, mask: u32) -> Option<u32> {
    let extra = if u64::from(mask) < super::chain::PAGE_SIZE {
        0
    } else {
        mask as usize
    };
    u32::try_from(length.checked_add(extra)?).ok()
}

/// The body of a `WDFCOMMONBUFFER`.
pub(crate) struct CommonBuffer {
    enabler: Ref<Enabler>,
    length: usize,
    allocation: Cell<Option<Allocation>>,
    placement: Placement,
}

impl Body for CommonBuffer {
    fn dispose(&self, _object: &Rc<Object>) {
        if let Some(allocation) = self.allocation.take() {
            // Both adapters of a duplex enabler reach the same memory; the read adapter allocates.
            let adapter = self.enabler.adapter(Direction::ReadFromDevice);
            adapter.free_common(allocation.bytes, allocation.memory, allocation.logical);
        }
    }
}

impl Typed for CommonBuffer {
    const KIND: Kind = Kind::CommonBuffer;
    type Raw = WDFCOMMONBUFFER__;
}

/// How a buffer is to be aligned.
enum Alignment {
    /// As the enabler says.
    Default,
    /// A mask: boundary minus one.
    Mask(u32),
}

fn create(
    enabler: WDFDMAENABLER,
    length: usize,
    alignment: Alignment,
    attributes: PWDF_OBJECT_ATTRIBUTES,
) -> Result<Ref<CommonBuffer>, NTSTATUS> {
    let enabler = object::get::<Enabler>(enabler);
    if length == 0 {
        return Err(STATUS_INVALID_PARAMETER);
    }
    let attributes = Attributes::read_plain(attributes, ParentRule::Forbidden)?;
    super::verify_passive("WdfCommonBufferCreate")?;
    let mask = match alignment {
        Alignment::Default => enabler.alignment(),
        Alignment::Mask(mask) => mask,
    };
    let bytes = raw_length(length, mask).ok_or(STATUS_INSUFFICIENT_RESOURCES)?;
    let adapter = enabler.adapter(Direction::ReadFromDevice);
    let (memory, logical) = adapter.allocate_common(bytes);
    if memory.is_null() {
        return Err(STATUS_INSUFFICIENT_RESOURCES);
    }
    let placement = place(logical.cast_unsigned(), mask);
    let allocation = Cell::new(Some(Allocation { memory, logical, bytes }));
    let body = CommonBuffer {
        enabler: enabler.clone(),
        length,
        allocation,
        placement,
    };
    let created = object::create(
        &New {
            attributes: &attributes,
            parent: Some(enabler.object()),
            flags: Flags::empty(),
        },
        body,
    );
    if created.is_err() {
        adapter.free_common(bytes, memory, logical);
    }
    created
}

/// The mask of a configuration.
fn configured(config: PWDF_COMMON_BUFFER_CONFIG) -> Result<Alignment, NTSTATUS> {
    super::require(config, "the configuration");
    // SAFETY: not null; the driver's own structure.
    let config = unsafe { config.read() };
    if config.Size as usize != size_of::<WDF_COMMON_BUFFER_CONFIG>() {
        return Err(STATUS_INFO_LENGTH_MISMATCH);
    }
    let mask = config.AlignmentRequirement;
    if mask & mask.wrapping_add(1) != 0 {
        return Err(STATUS_INVALID_PARAMETER);
    }
    Ok(Alignment::Mask(mask))
}

/// The common buffer of a handle.
fn common_buffer(handle: WDFCOMMONBUFFER) -> Ref<CommonBuffer> {
    object::get::<CommonBuffer>(handle)
}

wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Makes a common buffer with the enabler's alignment. Its contents are undefined.
    #[irql(PASSIVE_LEVEL)]
    fn WdfCommonBufferCreate(enabler: WDFDMAENABLER, length: usize, attributes: PWDF_OBJECT_ATTRIBUTES, made: *mut WDFCOMMONBUFFER) -> NTSTATUS {
        super::answer(made, || create(enabler, length, Alignment::Default, attributes).map(|buffer| buffer.raw()))
    }

    /// Makes a common buffer whose device address has a given alignment.
    #[irql(PASSIVE_LEVEL)]
    fn WdfCommonBufferCreateWithConfig(enabler: WDFDMAENABLER, length: usize, config: PWDF_COMMON_BUFFER_CONFIG, attributes: PWDF_OBJECT_ATTRIBUTES, made: *mut WDFCOMMONBUFFER) -> NTSTATUS {
        super::answer(made, || create(enabler, length, configured(config)?, attributes).map(|buffer| buffer.raw()))
    }

    /// Where the driver sees the buffer.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfCommonBufferGetAlignedVirtualAddress(handle: WDFCOMMONBUFFER) -> PVOID {
        let buffer = common_buffer(handle);
        let skip = usize::try_from(buffer.placement.skip).expect("64-bit host");
        buffer.allocation.get().map_or(core::ptr::null_mut(), |allocation| allocation.memory.wrapping_byte_add(skip))
    }

    /// Where the device sees the buffer.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfCommonBufferGetAlignedLogicalAddress(handle: WDFCOMMONBUFFER) -> PHYSICAL_ADDRESS {
        let buffer = common_buffer(handle);
        let logical = buffer.allocation.get().map_or(0, |allocation| allocation.logical.cast_unsigned() + buffer.placement.skip);
        PHYSICAL_ADDRESS { QuadPart: logical.cast_signed() }
    }

    /// The length that was asked for, bytes.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfCommonBufferGetLength(handle: WDFCOMMONBUFFER) -> usize {
        common_buffer(handle).length
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_buffer_is_aligned_and_fits(pages in 0..1_u64 << 40, length in 1..1_usize << 24, bits in 0..25_u32) {
            let mask = (1_u32 << bits) - 1;
            let logical = pages * 4096;
            let placement = place(logical, mask);
            let raw = raw_length(length, mask).unwrap();
            prop_assert_eq!((logical + placement.skip) & u64::from(mask), 0);
            prop_assert!(placement.skip + length as u64 <= u64::from(raw));
        }
    }

    #[test]
    fn lengths_that_do_not_fit_the_interface_are_refused() {
        assert_eq!(raw_length(usize::MAX, 0x1FFF), None);
        assert_eq!(raw_length(1 << 32, 0), None);
    }
}
