//! Work that needs PASSIVE_LEVEL.

use wdk_sys::{WDF_WORKITEM_CONFIG, WDFDEVICE, WDFWORKITEM, call_unsafe_wdf_function_binding};

use crate::context;
use crate::device::DeviceOps;
use crate::status::{Result, check};

/// What a work item does.
pub trait WorkItemOps: 'static {
    /// The device that the work item belongs to.
    type Device: DeviceOps;

    /// EvtWorkItem, on a system thread. PASSIVE_LEVEL.
    ///
    /// Being enqueued twice before it starts makes it run once; being enqueued while it runs makes it run again, maybe beside the first.
    fn run(device: &Self::Device);
}

/// A work item of a device. The framework waits for it before it deletes the device.
#[derive(Clone, Copy, Debug)]
pub struct WorkItem {
    handle: WDFWORKITEM,
}

// SAFETY: a work item may be used from any thread.
unsafe impl Send for WorkItem {}
// SAFETY: a work item may be used from any thread.
unsafe impl Sync for WorkItem {}

impl WorkItem {
    pub(crate) fn new<W: WorkItemOps>(device: WDFDEVICE) -> Result<Self> {
        let mut config = WDF_WORKITEM_CONFIG {
            Size: size_of::<WDF_WORKITEM_CONFIG>() as u32,
            EvtWorkItemFunc: Some(on_work::<W>),
            AutomaticSerialization: 0,
        };
        let mut attributes = context::plain_attributes();
        attributes.ParentObject = device.cast();
        let mut handle = core::ptr::null_mut();
        // SAFETY: the device is alive; the pointers lead to locals.
        let status = unsafe {
            call_unsafe_wdf_function_binding!(WdfWorkItemCreate, &raw mut config, &raw mut attributes, &raw mut handle)
        };
        check(status)?;
        Ok(Self { handle })
    }

    /// Lets the work item run soon. `IRQL <= DISPATCH_LEVEL`.
    pub fn enqueue(&self) {
        // SAFETY: a child of the device that the driver serves, so alive.
        unsafe { call_unsafe_wdf_function_binding!(WdfWorkItemEnqueue, self.handle) };
    }

    /// Waits until the work item does not run and is not queued. `PASSIVE_LEVEL`, and not from the callback.
    pub fn flush(&self) {
        // SAFETY: a child of the device that the driver serves, so alive.
        unsafe { call_unsafe_wdf_function_binding!(WdfWorkItemFlush, self.handle) };
    }
}

callback! {
    unsafe extern "C" fn on_work<W: WorkItemOps>(item: WDFWORKITEM) {
        // SAFETY: the framework passed the work item to its callback, so it is alive.
        let device = unsafe { call_unsafe_wdf_function_binding!(WdfWorkItemGetParentObject, item) };
        // SAFETY: the device outlives the callbacks of its work items.
        if let Some(device) = unsafe { context::get::<W::Device>(device) } {
            W::run(device);
        }
    }
}
