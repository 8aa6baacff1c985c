//! Common buffers: memory that driver and device share for long.

use super::{
    adapter::{self, CommonBuffer, Level, check_level},
    types::Buffer,
};
use crate::{
    machine,
    mem::{Frame, PAGE, Use, physical},
    verifier::{self, dma},
};
use wdk_sys::{PASSIVE_LEVEL, PDMA_ADAPTER, PHYSICAL_ADDRESS, PPHYSICAL_ADDRESS, PVOID};

/// What a fresh common buffer holds: nobody promises zeros.
const GARBAGE: u8 = 0xA5;

/// Allocates a common buffer. Null when there is none.
pub(crate) fn allocate(adapter: PDMA_ADAPTER, length: u32, logical: PPHYSICAL_ADDRESS) -> PVOID {
    check_level(Level::AtMost(PASSIVE_LEVEL), "AllocateCommonBuffer");
    let Some((function, width)) = adapter::view(adapter, |adapter| (adapter.function, adapter.width)) else {
        return core::ptr::null_mut();
    };
    if length == 0 {
        verifier::violation(dma::ZERO_LENGTH, "a common buffer of 0 bytes was asked for");
        return core::ptr::null_mut();
    }
    let pages = (length as usize).div_ceil(PAGE);
    let physical = physical();
    let Some(frame) = physical.allocate(pages as u64, Use::CommonBuffer) else {
        return core::ptr::null_mut();
    };
    let frames = (0..pages as u64).map(|page| Frame(frame.0 + page)).collect();
    let buffer = Buffer {
        frames,
        offset: 0,
        length: length as usize,
    };
    let Some((mapping, address)) = machine::with(|m| m.hal.bus.map_common(function, &buffer, width)) else {
        physical.free(frame);
        return core::ptr::null_mut();
    };
    let memory = physical.address(frame);
    // SAFETY: the pages were just allocated for this buffer.
    unsafe { memory.write_bytes(GARBAGE, pages * PAGE) };
    // SAFETY: the caller's result, valid for the call by contract.
    unsafe {
        logical.write(PHYSICAL_ADDRESS {
            QuadPart: address.cast_signed(),
        })
    };
    adapter::change(adapter, |adapter| {
        adapter.common.insert(
            memory.addr(),
            CommonBuffer {
                mapping,
                logical: address,
                length,
                frame,
            },
        );
    });
    memory.cast()
}

/// What FreeCommonBuffer was told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Freed {
    pub(crate) length: u32,
    pub(crate) logical: u64,
    pub(crate) memory: PVOID,
}

/// Frees a common buffer.
pub(crate) fn free(adapter: PDMA_ADAPTER, freed: Freed) {
    check_level(Level::AtMost(PASSIVE_LEVEL), "FreeCommonBuffer");
    let Some(found) = adapter::view(adapter, |adapter| adapter.common.get(&freed.memory.addr()).copied()) else {
        return;
    };
    let parameters = [freed.memory.addr() as u64, freed.logical, u64::from(freed.length)];
    let Some(buffer) = found else {
        let text = format!(
            "{:p} is no common buffer of the adapter, or was freed before",
            freed.memory
        );
        return verifier::violation_with(dma::COMMON_BUFFER_FREE, parameters, text);
    };
    if buffer.length != freed.length || buffer.logical != freed.logical {
        let text = format!(
            "a common buffer of {} bytes was freed as one of {} bytes, or with another logical address",
            buffer.length, freed.length
        );
        verifier::violation_with(dma::COMMON_BUFFER_FREE, parameters, text);
    }
    adapter::change(adapter, |adapter| adapter.common.remove(&freed.memory.addr()));
    machine::with(|m| m.hal.bus.unmap(buffer.mapping));
    physical().free(buffer.frame);
}
