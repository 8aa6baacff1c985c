//! Which interrupt object gets which message or line.

use super::Interrupt;
use crate::kmdf::cmres::CmResList;
use crate::kmdf::device::Device;
use crate::kmdf::object::Ref;
use crate::kmdf::verifier;
use crate::verifier::kmdf::INVALID_PARAMETER;
use wdk_sys::*;

/// What an interrupt object is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resource {
    /// Its place in the resource list.
    pub(super) index: usize,
    pub(super) vector: ULONG,
    pub(super) irql: KIRQL,
    pub(super) affinity: KAFFINITY,
    pub(super) group: USHORT,
    pub(super) latched: bool,
    pub(super) shared: bool,
    /// The number of the message; `None` for a line.
    pub(super) message: Option<ULONG>,
}

impl Resource {
    fn new(index: usize, number: ULONG, descriptor: &CM_PARTIAL_RESOURCE_DESCRIPTOR) -> Self {
        let flags = u32::from(descriptor.Flags);
        // SAFETY: a translated interrupt descriptor; message and line have the same layout.
        let line = unsafe { descriptor.u.Interrupt };
        let (level, vector, affinity) = (line.Level, line.Vector, line.Affinity);
        Self {
            index,
            vector,
            irql: level as KIRQL,
            affinity,
            group: 0,
            latched: flags & CM_RESOURCE_INTERRUPT_LEVEL_LATCHED_BITS == CM_RESOURCE_INTERRUPT_LATCHED,
            shared: i32::from(descriptor.ShareDisposition) == _CM_SHARE_DISPOSITION::CmResourceShareShared,
            message: (flags & CM_RESOURCE_INTERRUPT_MESSAGE != 0).then_some(number),
        }
    }
}

/// The interrupt resources of a list, in order.
fn interrupts(translated: &CmResList) -> Vec<Resource> {
    let mut found = Vec::new();
    for index in 0..translated.count() {
        let Some(descriptor) = translated.descriptor(index) else {
            continue;
        };
        if u32::from(descriptor.Type) == CmResourceTypeInterrupt {
            found.push(Resource::new(index, found.len() as ULONG, &descriptor));
        }
    }
    found
}

/// Gives the interrupts that were created in EvtDriverDeviceAdd their resources, in order of creation. Those left over stay unused; so do resources left over.
pub(crate) fn assign(device: &Ref<Device>, _raw: &CmResList, translated: &CmResList) {
    let mut resources = interrupts(translated).into_iter();
    for interrupt in device.interrupts.all() {
        if !interrupt.explicit {
            interrupt.resource.set(resources.next());
        }
    }
}

/// The resource that the driver names in EvtDevicePrepareHardware.
pub(super) fn explicit(device: &Ref<Device>, config: &WDF_INTERRUPT_CONFIG) -> Result<Resource, NTSTATUS> {
    let refuse = |text: &str| {
        verifier::debug_break(INVALID_PARAMETER, text);
        STATUS_INVALID_PARAMETER
    };
    let (raw, translated) = device.resources().ok_or(STATUS_INVALID_DEVICE_STATE)?;
    let index = translated
        .index_of(config.InterruptTranslated)
        .ok_or_else(|| refuse("InterruptTranslated is not a descriptor of the list"))?;
    if raw.index_of(config.InterruptRaw) != Some(index) {
        return Err(refuse("InterruptRaw and InterruptTranslated are not the same resource"));
    }
    let resource = interrupts(&translated)
        .into_iter()
        .find(|resource| resource.index == index);
    let resource = resource.ok_or_else(|| refuse("the descriptor is not that of an interrupt"))?;
    let claimed = |other: &Ref<Interrupt>| other.resource.get().is_some_and(|other| other.index == index);
    if resource.message.is_some() && device.interrupts.all().iter().any(claimed) {
        return Err(refuse("the message belongs to another interrupt object already"));
    }
    Ok(resource)
}

/// The resources are gone: interrupts that were made for them go too.
pub(crate) fn resources_gone(device: &Ref<Device>) {
    for interrupt in device.interrupts.all() {
        interrupt.resource.set(None);
        if interrupt.explicit {
            interrupt.object().delete();
        }
    }
}
