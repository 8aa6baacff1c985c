//! Resource lists: what a device is given, as its drivers see it.

use crate::{
    mem,
    pci::{self, BarResource, FunctionId, InterruptResource, Resources},
};
use wdk_sys::{
    _CM_SHARE_DISPOSITION, _INTERFACE_TYPE, CM_PARTIAL_RESOURCE_DESCRIPTOR, CM_RESOURCE_INTERRUPT_LATCHED,
    CM_RESOURCE_INTERRUPT_LEVEL_SENSITIVE, CM_RESOURCE_INTERRUPT_MESSAGE, CM_RESOURCE_LIST,
    CM_RESOURCE_MEMORY_LARGE_40, CM_RESOURCE_MEMORY_PREFETCHABLE, CmResourceTypeInterrupt, CmResourceTypeMemory,
    CmResourceTypeMemoryLarge, PCM_RESOURCE_LIST, PHYSICAL_ADDRESS,
};

/// The two lists of IRP_MN_START_DEVICE. They live until they are freed.
#[derive(Debug, Clone, Copy)]
pub struct ResourceLists {
    /// As the bus sees them.
    pub raw: PCM_RESOURCE_LIST,
    /// As the processors see them.
    pub translated: PCM_RESOURCE_LIST,
}

impl ResourceLists {
    /// The lists of a function.
    pub(crate) fn of(function: FunctionId) -> Self {
        let resources = pci::resources(function);
        Self {
            raw: list(&resources, View::Raw),
            translated: list(&resources, View::Translated),
        }
    }

    /// Frees them.
    pub(crate) fn free(self) {
        mem::kernel_free(self.raw.cast());
        mem::kernel_free(self.translated.cast());
    }
}

/// Who looks at a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Raw,
    Translated,
}

fn list(resources: &Resources, view: View) -> PCM_RESOURCE_LIST {
    let memory = resources.bars.iter().map(memory);
    let interrupts = resources
        .interrupts
        .iter()
        .map(|interrupt| interrupt_descriptor(interrupt, view));
    let descriptors: Vec<_> = memory.chain(interrupts).collect();
    let more = descriptors.len().saturating_sub(1) * size_of::<CM_PARTIAL_RESOURCE_DESCRIPTOR>();
    let list: PCM_RESOURCE_LIST = mem::kernel_allocate(size_of::<CM_RESOURCE_LIST>() + more, *b"CmRl").cast();
    // SAFETY: freshly allocated and zeroed; zero is a value of every field.
    let full = unsafe { &raw mut (*list).List[0] };
    // SAFETY: as above.
    let place = unsafe { &raw mut (*list).Count };
    // SAFETY: as above.
    unsafe { place.write(1) };
    // SAFETY: as above.
    let place = unsafe { &raw mut (*full).InterfaceType };
    // SAFETY: as above.
    unsafe { place.write_unaligned(_INTERFACE_TYPE::PCIBus) };
    // SAFETY: as above.
    let partial = unsafe { &raw mut (*full).PartialResourceList };
    // SAFETY: as above.
    let place = unsafe { &raw mut (*partial).Version };
    // SAFETY: as above.
    unsafe { place.write_unaligned(1) };
    // SAFETY: as above.
    let place = unsafe { &raw mut (*partial).Revision };
    // SAFETY: as above.
    unsafe { place.write_unaligned(1) };
    // SAFETY: as above.
    let place = unsafe { &raw mut (*partial).Count };
    // SAFETY: as above.
    unsafe { place.write_unaligned(descriptors.len() as u32) };
    // SAFETY: as above.
    let first: *mut CM_PARTIAL_RESOURCE_DESCRIPTOR = unsafe { (&raw mut (*partial).PartialDescriptors).cast() };
    for (index, descriptor) in descriptors.into_iter().enumerate() {
        // SAFETY: the list was allocated with room for all descriptors.
        unsafe { first.wrapping_add(index).write_unaligned(descriptor) };
    }
    list
}

fn memory(bar: &BarResource) -> CM_PARTIAL_RESOURCE_DESCRIPTOR {
    let mut descriptor = CM_PARTIAL_RESOURCE_DESCRIPTOR {
        ShareDisposition: _CM_SHARE_DISPOSITION::CmResourceShareDeviceExclusive as u8,
        ..Default::default()
    };
    let start = PHYSICAL_ADDRESS {
        QuadPart: bar.base.cast_signed(),
    };
    let prefetchable = if bar.prefetchable {
        CM_RESOURCE_MEMORY_PREFETCHABLE
    } else {
        0
    };
    match u32::try_from(bar.length) {
        Ok(length) => {
            descriptor.Type = CmResourceTypeMemory as u8;
            descriptor.Flags = prefetchable as u16;
            descriptor.u.Memory.Start = start;
            descriptor.u.Memory.Length = length;
        }
        Err(_) => {
            descriptor.Type = CmResourceTypeMemoryLarge as u8;
            descriptor.Flags = (prefetchable | CM_RESOURCE_MEMORY_LARGE_40) as u16;
            descriptor.u.Memory40.Start = start;
            descriptor.u.Memory40.Length40 = (bar.length >> 8) as u32;
        }
    }
    descriptor
}

fn interrupt_descriptor(interrupt: &InterruptResource, view: View) -> CM_PARTIAL_RESOURCE_DESCRIPTOR {
    let mut descriptor = CM_PARTIAL_RESOURCE_DESCRIPTOR {
        Type: CmResourceTypeInterrupt as u8,
        ..Default::default()
    };
    let level = u32::from(interrupt.irql);
    if interrupt.message.is_some() {
        descriptor.ShareDisposition = _CM_SHARE_DISPOSITION::CmResourceShareDeviceExclusive as u8;
        descriptor.Flags = (CM_RESOURCE_INTERRUPT_LATCHED | CM_RESOURCE_INTERRUPT_MESSAGE) as u16;
    } else {
        descriptor.ShareDisposition = _CM_SHARE_DISPOSITION::CmResourceShareShared as u8;
        descriptor.Flags = CM_RESOURCE_INTERRUPT_LEVEL_SENSITIVE as u16;
    }
    if interrupt.message.is_some() && view == View::Raw {
        descriptor.u.MessageInterrupt.__bindgen_anon_1.Raw.MessageCount = 1;
        descriptor.u.MessageInterrupt.__bindgen_anon_1.Raw.Vector = interrupt.vector;
        descriptor.u.MessageInterrupt.__bindgen_anon_1.Raw.Affinity = interrupt.affinity;
    } else {
        descriptor.u.Interrupt.Level = level;
        descriptor.u.Interrupt.Vector = interrupt.vector;
        descriptor.u.Interrupt.Affinity = interrupt.affinity;
    }
    descriptor
}
