//! `WDFINTERRUPT`: one per message or line. Created in EvtDriverDeviceAdd, when it gets its resources in order of creation, or in EvtDevicePrepareHardware
//! for a resource that the driver names.
//!
//! - `create`: the rules of creation; `resource`: who gets which message or line; `connect`: into and out of D0; `api`: the rest.

mod api;
mod connect;
mod create;
mod resource;

pub(crate) use api::FUNCTIONS;
pub(crate) use connect::{connect_all, disconnect_all};
pub(crate) use resource::{assign, resources_gone};

use super::device::Device;
use super::lock::SpinLock;
use super::object::{self, Body, Handle, Kind, Object, Ref, Typed};
use super::sync::CallbackLock;
use super::system_workitem::SystemWorkItem;
use core::cell::UnsafeCell;
use resource::Resource;
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use wdk_sys::*;

/// The interrupts of a device, in order of creation.
#[derive(Default)]
pub(crate) struct Interrupts(RefCell<Vec<Ref<Interrupt>>>);

impl Interrupts {
    fn all(&self) -> Vec<Ref<Interrupt>> {
        self.0.borrow().clone()
    }
}

/// The body of a `WDFINTERRUPT`.
pub(crate) struct Interrupt {
    device: WDFDEVICE,
    config: WDF_INTERRUPT_CONFIG,
    /// The second argument of EvtInterruptDpc: the parent.
    associated: Handle,
    lock: Option<Rc<CallbackLock>>,
    dpc: Box<UnsafeCell<KDPC>>,
    /// Whether the DPC was ever queued, so that one may still be on its way.
    dpc_used: Cell<bool>,
    item: OnceCell<Rc<SystemWorkItem>>,
    shared_lock: Option<Ref<SpinLock>>,
    own_lock: Box<UnsafeCell<KSPIN_LOCK>>,
    resource: Cell<Option<Resource>>,
    /// The kernel's object while it is connected.
    kernel: Cell<PKINTERRUPT>,
    /// The IRQL before WdfInterruptAcquireLock.
    irql: Cell<KIRQL>,
    /// Whether it was created in EvtDevicePrepareHardware, and goes with the resources.
    explicit: bool,
    /// Whether EvtInterruptEnable succeeded.
    enabled: Cell<bool>,
}

impl Body for Interrupt {
    fn dispose(&self, object: &Rc<Object>) {
        if let Some(interrupt) = Ref::new(Rc::clone(object)) {
            connect::disconnect(&interrupt);
        }
        if self.dpc_used.get() {
            // SAFETY: initialized in `create`; it stays in its box.
            unsafe { ntddk::KeRemoveQueueDpc(self.dpc.get()) };
            // SAFETY: PASSIVE_LEVEL: no DPC of this interrupt runs afterwards.
            unsafe { ntddk::KeFlushQueuedDpcs() };
        }
        if let Some(item) = self.item.get() {
            item.close();
        }
        if let Some(device) = object::find::<Device>(self.device) {
            device
                .interrupts
                .0
                .borrow_mut()
                .retain(|other| other.handle() != object.handle());
        }
    }
}

impl Typed for Interrupt {
    const KIND: Kind = Kind::Interrupt;
    type Raw = WDFINTERRUPT__;
}
