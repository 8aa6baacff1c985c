//! The hardware resources that the system assigned to a device.

use core::marker::PhantomData;

use wdk_sys::{
    CM_PARTIAL_RESOURCE_DESCRIPTOR, CM_RESOURCE_INTERRUPT_MESSAGE, CM_RESOURCE_MEMORY_LARGE_40,
    CM_RESOURCE_MEMORY_LARGE_48, CM_RESOURCE_MEMORY_LARGE_64, CmResourceTypeInterrupt, CmResourceTypeMemory,
    CmResourceTypeMemoryLarge, WDFCMRESLIST, call_unsafe_wdf_function_binding,
};

/// A range of bus memory, in translated addresses. Comes from the resource list of a device only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryRange {
    /// Physical address of the first byte.
    pub(crate) start: u64,
    /// Number of bytes.
    pub(crate) length: u64,
}

impl MemoryRange {
    /// Number of bytes.
    pub const fn length(&self) -> u64 {
        self.length
    }
}

/// The assigned resources, while EvtDevicePrepareHardware runs.
#[derive(Debug)]
pub struct Resources<'a> {
    raw: WDFCMRESLIST,
    translated: WDFCMRESLIST,
    lists: PhantomData<&'a ()>,
}

impl Resources<'_> {
    /// The two lists that the framework passes to EvtDevicePrepareHardware.
    ///
    /// # Safety
    /// The lists are valid for the lifetime.
    pub(crate) unsafe fn new(raw: WDFCMRESLIST, translated: WDFCMRESLIST) -> Self {
        Self {
            raw,
            translated,
            lists: PhantomData,
        }
    }

    /// The memory range at position `index` among the memory ranges: base address registers in their order, without those that do not exist.
    pub fn memory(&self, index: usize) -> Option<MemoryRange> {
        descriptors(self.translated)
            .filter_map(|descriptor| memory_range(&descriptor))
            .nth(index)
    }

    /// The number of interrupt messages granted; 0 where the device got a line, or no interrupt at all.
    pub fn messages(&self) -> u32 {
        let counts = descriptors(self.raw).map(|descriptor| message_count(&descriptor));
        counts.fold(0, u32::saturating_add)
    }

    /// The device got an interrupt line.
    pub fn has_line(&self) -> bool {
        descriptors(self.translated).any(|descriptor| is_interrupt(&descriptor) && !is_message(&descriptor))
    }
}

/// Copies of the descriptors of a list.
fn descriptors(list: WDFCMRESLIST) -> impl Iterator<Item = CM_PARTIAL_RESOURCE_DESCRIPTOR> {
    // SAFETY: the list is valid, as the maker of the `Resources` vouched.
    let count = unsafe { call_unsafe_wdf_function_binding!(WdfCmResourceListGetCount, list) };
    (0..count).filter_map(move |index| {
        // SAFETY: as above; the index is below the count.
        let descriptor = unsafe { call_unsafe_wdf_function_binding!(WdfCmResourceListGetDescriptor, list, index) };
        // SAFETY: null, or a descriptor that lives as long as the list.
        unsafe { descriptor.as_ref() }.copied()
    })
}

fn memory_range(descriptor: &CM_PARTIAL_RESOURCE_DESCRIPTOR) -> Option<MemoryRange> {
    let kind = u32::from(descriptor.Type);
    if kind != CmResourceTypeMemory && kind != CmResourceTypeMemoryLarge {
        return None;
    }
    // SAFETY: memory descriptors of every kind begin with start and a 32-bit length.
    let memory = unsafe { descriptor.u.Memory };
    let start = memory.Start;
    // SAFETY: both views of the union are 64 bits of the address.
    let start = unsafe { start.QuadPart }.cast_unsigned();
    let shift = if kind == CmResourceTypeMemory {
        0
    } else {
        length_shift(u32::from(descriptor.Flags))?
    };
    Some(MemoryRange {
        start,
        length: u64::from(memory.Length) << shift,
    })
}

/// How far the 32-bit length of a large memory descriptor is shifted.
fn length_shift(flags: u32) -> Option<u32> {
    match flags & (CM_RESOURCE_MEMORY_LARGE_40 | CM_RESOURCE_MEMORY_LARGE_48 | CM_RESOURCE_MEMORY_LARGE_64) {
        CM_RESOURCE_MEMORY_LARGE_40 => Some(8),
        CM_RESOURCE_MEMORY_LARGE_48 => Some(16),
        CM_RESOURCE_MEMORY_LARGE_64 => Some(32),
        _ => None,
    }
}

fn is_interrupt(descriptor: &CM_PARTIAL_RESOURCE_DESCRIPTOR) -> bool {
    u32::from(descriptor.Type) == CmResourceTypeInterrupt
}

fn is_message(descriptor: &CM_PARTIAL_RESOURCE_DESCRIPTOR) -> bool {
    is_interrupt(descriptor) && u32::from(descriptor.Flags) & CM_RESOURCE_INTERRUPT_MESSAGE != 0
}

/// Messages that a raw descriptor stands for: MSI has all in one descriptor, MSI-X one in each.
fn message_count(descriptor: &CM_PARTIAL_RESOURCE_DESCRIPTOR) -> u32 {
    if !is_message(descriptor) {
        return 0;
    }
    // SAFETY: the flag says that the message view is the one in use; it consists of integers.
    let message = unsafe { descriptor.u.MessageInterrupt };
    // SAFETY: the descriptor is from the raw list; the view consists of integers.
    let raw = unsafe { message.__bindgen_anon_1.Raw };
    u32::from(raw.MessageCount).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wdk_sys::LARGE_INTEGER;

    fn memory(kind: u32, flags: u32, start: i64, length: u32) -> CM_PARTIAL_RESOURCE_DESCRIPTOR {
        let mut descriptor = CM_PARTIAL_RESOURCE_DESCRIPTOR {
            Type: kind as u8,
            Flags: flags as u16,
            ..Default::default()
        };
        descriptor.u.Memory.Start = LARGE_INTEGER { QuadPart: start };
        descriptor.u.Memory.Length = length;
        descriptor
    }

    fn message(count: u16) -> CM_PARTIAL_RESOURCE_DESCRIPTOR {
        let mut descriptor = CM_PARTIAL_RESOURCE_DESCRIPTOR {
            Type: CmResourceTypeInterrupt as u8,
            Flags: CM_RESOURCE_INTERRUPT_MESSAGE as u16,
            ..Default::default()
        };
        descriptor.u.MessageInterrupt.__bindgen_anon_1.Raw.MessageCount = count;
        descriptor
    }

    #[test]
    fn memory_lengths_are_shifted_by_kind() {
        let range = |start, length| Some(MemoryRange { start, length });
        assert_eq!(
            memory_range(&memory(CmResourceTypeMemory, 0, 0x1000, 0x10000)),
            range(0x1000, 0x10000)
        );
        let large = |flags| memory(CmResourceTypeMemoryLarge, flags, -4096, 3);
        assert_eq!(
            memory_range(&large(CM_RESOURCE_MEMORY_LARGE_40)),
            range(0xFFFF_FFFF_FFFF_F000, 3 << 8)
        );
        assert_eq!(
            memory_range(&large(CM_RESOURCE_MEMORY_LARGE_48)),
            range(0xFFFF_FFFF_FFFF_F000, 3 << 16)
        );
        assert_eq!(
            memory_range(&large(CM_RESOURCE_MEMORY_LARGE_64)),
            range(0xFFFF_FFFF_FFFF_F000, 3 << 32)
        );
        assert_eq!(memory_range(&large(0)), None);
        assert_eq!(memory_range(&message(1)), None);
    }

    #[test]
    fn messages_are_counted_and_lines_are_not_messages() {
        assert_eq!(message_count(&message(5)), 5);
        assert_eq!(message_count(&message(0)), 1);
        let line = CM_PARTIAL_RESOURCE_DESCRIPTOR {
            Type: CmResourceTypeInterrupt as u8,
            ..Default::default()
        };
        assert_eq!(message_count(&line), 0);
        assert!(is_interrupt(&line) && !is_message(&line));
    }
}
