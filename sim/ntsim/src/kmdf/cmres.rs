//! `WDFCMRESLIST`: the resources that the PnP manager assigned to a device.

use super::device::Device;
use super::object::{self, Attributes, Body, Flags, Kind, New, Ref, Typed};
use core::{cell::UnsafeCell, mem::offset_of};
use wdk_sys::*;

/// The body of a `WDFCMRESLIST`.
pub(crate) struct CmResList {
    /// What the driver sees, in a place of its own. Drivers must not change it.
    shown: Box<[UnsafeCell<CM_PARTIAL_RESOURCE_DESCRIPTOR>]>,
    /// What was assigned.
    assigned: Vec<CM_PARTIAL_RESOURCE_DESCRIPTOR>,
}

impl Body for CmResList {}

impl Typed for CmResList {
    const KIND: Kind = Kind::CmResList;
    type Raw = WDFCMRESLIST__;
}

impl CmResList {
    /// The number of resources.
    pub(crate) fn count(&self) -> usize {
        self.assigned.len()
    }

    /// A resource as it was assigned.
    pub(crate) fn descriptor(&self, index: usize) -> Option<CM_PARTIAL_RESOURCE_DESCRIPTOR> {
        self.assigned.get(index).copied()
    }

    /// Which resource a driver's pointer stands for; `None` when it is not one of this list.
    pub(crate) fn index_of(&self, pointer: PCM_PARTIAL_RESOURCE_DESCRIPTOR) -> Option<usize> {
        self.shown.iter().position(|descriptor| descriptor.get() == pointer)
    }
}

/// Makes the list of a device from what the PnP manager sent.
pub(super) fn create(device: &Ref<Device>, resources: PCM_RESOURCE_LIST) -> Result<Ref<CmResList>, NTSTATUS> {
    let assigned = read(resources);
    let shown = assigned.iter().map(|descriptor| UnsafeCell::new(*descriptor)).collect();
    let new = New {
        attributes: &Attributes::default(),
        parent: Some(device.object()),
        flags: Flags::NO_DELETE,
    };
    object::create(&new, CmResList { shown, assigned })
}

/// The descriptors of the first (and with PnP only) full descriptor.
fn read(resources: PCM_RESOURCE_LIST) -> Vec<CM_PARTIAL_RESOURCE_DESCRIPTOR> {
    if resources.is_null() {
        return Vec::new();
    }
    // SAFETY: not null; the PnP manager's list begins with its count.
    let lists = unsafe { resources.cast::<ULONG>().read_unaligned() };
    if lists == 0 {
        return Vec::new();
    }
    let partial = resources.wrapping_byte_add(
        offset_of!(CM_RESOURCE_LIST, List) + offset_of!(CM_FULL_RESOURCE_DESCRIPTOR, PartialResourceList),
    );
    let count = partial
        .wrapping_byte_add(offset_of!(CM_PARTIAL_RESOURCE_LIST, Count))
        .cast::<ULONG>();
    // SAFETY: the list has a full descriptor, see above.
    let count = unsafe { count.read_unaligned() };
    let first = partial
        .wrapping_byte_add(offset_of!(CM_PARTIAL_RESOURCE_LIST, PartialDescriptors))
        .cast::<CM_PARTIAL_RESOURCE_DESCRIPTOR>();
    // SAFETY: the list says that it has `count` descriptors.
    (0..count as usize)
        .map(|at| unsafe { first.wrapping_add(at).read_unaligned() })
        .collect()
}

crate::wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// The number of resources.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfCmResourceListGetCount(list: WDFCMRESLIST) -> ULONG {
        object::get::<CmResList>(list).count() as ULONG
    }

    /// A resource; null behind the last.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfCmResourceListGetDescriptor(list: WDFCMRESLIST, index: ULONG) -> PCM_PARTIAL_RESOURCE_DESCRIPTOR {
        let list = object::get::<CmResList>(list);
        list.shown.get(index as usize).map_or(core::ptr::null_mut(), UnsafeCell::get)
    }
}
