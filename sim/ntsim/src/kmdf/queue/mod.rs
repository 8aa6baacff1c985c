//! I/O queues: where requests wait for the driver, and who presents them.
//!
//! - `state`: switches and presentation limits, pure; `object`: the queue; `csq`: its cancel-safe lists;
//! - `dispatch`: the event loop; `present`: calling the handlers; `deferred`: the loop at another time; `power`: stopping and resuming;
//! - `cancel`, `forward`, `control`, `retrieve`, `create`: what drivers do with queues and requests in them.

pub(crate) mod cancel;
mod control;
mod create;
pub(crate) mod csq;
mod deferred;
mod dispatch;
pub(crate) mod forward;
mod object;
pub(crate) mod power;
mod present;
mod retrieve;
pub mod state;

pub(crate) use object::Queue;

use crate::cross::WdfExport;
use crate::kmdf::call;
use crate::kmdf::device::Device;
use crate::kmdf::object::{Handle, Ref};
use crate::kmdf::request::complete;
use crate::kmdf::request::irp::Irp;
use crate::kmdf::request::object::{Marks, Watcher, create as create_request};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use wdk_sys::*;

/// The queue functions of the framework.
pub(crate) const FUNCTIONS: &[&[WdfExport]] = &[create::FUNCTIONS, control::FUNCTIONS, retrieve::FUNCTIONS];

/// The queues of one device.
#[derive(Default)]
pub(crate) struct Package {
    queues: RefCell<Vec<Ref<Queue>>>,
    default: RefCell<Option<Ref<Queue>>>,
    configured: RefCell<BTreeMap<u32, Ref<Queue>>>,
    /// Whether the device is in D0.
    power_on: Cell<bool>,
    /// Whether the device is going away.
    shutting_down: Cell<bool>,
}

impl Package {
    fn add(&self, queue: Ref<Queue>) {
        self.queues.borrow_mut().push(queue);
    }

    fn remove(&self, handle: Handle) {
        self.queues.borrow_mut().retain(|queue| queue.handle() != handle);
        self.configured.borrow_mut().retain(|_, queue| queue.handle() != handle);
        self.default.borrow_mut().take_if(|queue| queue.handle() == handle);
    }

    fn all(&self) -> Vec<Ref<Queue>> {
        self.queues.borrow().clone()
    }

    /// Whether the device is in D0 with its queues running.
    pub(crate) fn is_powered(&self) -> bool {
        self.power_on.get()
    }

    /// The counted pointer to one of the queues.
    fn find(&self, queue: &Queue) -> Option<Ref<Queue>> {
        self.queues
            .borrow()
            .iter()
            .find(|found| core::ptr::eq(&raw const ***found, queue))
            .cloned()
    }

    fn default_queue(&self) -> Option<Ref<Queue>> {
        self.default.borrow().clone()
    }

    fn set_default(&self, queue: Ref<Queue>) {
        *self.default.borrow_mut() = Some(queue);
    }

    fn configure(&self, major: u32, queue: Ref<Queue>) {
        self.configured.borrow_mut().insert(major, queue);
    }

    fn is_configured(&self, major: u32) -> bool {
        self.configured.borrow().contains_key(&major)
    }

    /// Where requests with this major function go.
    fn target(&self, major: u32) -> Option<Ref<Queue>> {
        self.configured
            .borrow()
            .get(&major)
            .cloned()
            .or_else(|| self.default_queue())
    }
}

/// A read, write or device control arrived at a device. Returns what the dispatch routine returns.
pub(crate) fn dispatch(device: &Ref<Device>, irp: PIRP) -> NTSTATUS {
    let irp = Irp::new(irp);
    let target = device.io().target(irp.major());
    let in_caller = device.in_caller_context();
    if target.is_none() && in_caller.is_none() {
        return irp.fail(STATUS_INVALID_DEVICE_REQUEST);
    }
    // SAFETY: callable in any context.
    let irql = unsafe { ntddk::KeGetCurrentIrql() };
    let in_region = u32::from(irql) <= APC_LEVEL;
    if in_region {
        // SAFETY: IRQL <= APC_LEVEL; left below.
        unsafe { ntddk::KeEnterCriticalRegion() };
    }
    let status = enter(device, irp, target);
    if in_region {
        // SAFETY: entered above.
        unsafe { ntddk::KeLeaveCriticalRegion() };
    }
    status
}

/// Makes the request, and gives it to EvtIoInCallerContext or to its queue.
fn enter(device: &Ref<Device>, irp: Irp, target: Option<Ref<Queue>>) -> NTSTATUS {
    let request = match create_request(device, irp) {
        Ok(request) => request,
        Err(status) => return irp.fail(status),
    };
    if let Some(callback) = device.in_caller_context() {
        irp.mark_pending();
        request.watcher.set(Watcher::Package);
        request.mark(Marks::IN_CALLER_CONTEXT | Marks::DRIVER_OWNED);
        request.set_presented();
        let (owner, handle) = (device.raw(), request.raw());
        // SAFETY: the driver's callback for exactly this.
        call::void(
            "EvtIoInCallerContext",
            || unsafe { callback(owner, handle) },
            String::new,
        );
        return STATUS_PENDING;
    }
    let Some(queue) = target else {
        return irp.fail(STATUS_INVALID_DEVICE_REQUEST);
    };
    if !queue.switches.get().accepts() {
        complete::complete_with(&request, STATUS_INVALID_DEVICE_STATE, 0);
        return STATUS_INVALID_DEVICE_STATE;
    }
    irp.mark_pending();
    dispatch::arrived(&queue, request);
    STATUS_PENDING
}

/// D0 was entered: the driver's requests are resumed, then the queues present requests.
pub(crate) fn power_start(device: &Ref<Device>) {
    power::start(device);
}

/// D0 is being left: the driver's requests are stopped. Waits until each is completed or acknowledged.
pub(crate) fn power_stop(device: &Ref<Device>) {
    power::stop(device);
}

/// The hardware is gone: power-managed queues are purged. Waits until what the driver has is completed or acknowledged.
pub(crate) fn purge_managed(device: &Ref<Device>) {
    power::purge(device, true);
}

/// The device is about to be deleted: the other queues are purged.
pub(crate) fn purge_non_managed(device: &Ref<Device>) {
    power::purge(device, false);
}

/// The last handle of a file is closed: its waiting requests are cancelled.
pub(crate) fn flush_file(device: &Ref<Device>, file: PFILE_OBJECT) {
    for queue in device.io().all() {
        cancel::cancel_waiting(&queue, |request| request.irp().is_some_and(|irp| irp.file() == file));
        dispatch::events(&queue);
    }
}
