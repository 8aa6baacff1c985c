//! The body of a `WDFREQUEST`: an IRP on its way through the framework and the driver.

use super::irp::Irp;
use crate::kmdf::device::Device;
use crate::kmdf::object::{self, Body, Flags, Handle, Kind, New, Object, Ref, Typed};
use crate::kmdf::queue::Queue;
use crate::kmdf::verifier;
use crate::verifier::kmdf_request::*;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wdk_sys::*;

bitflags::bitflags! {
    /// What the framework's verifier knows about a request.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Marks: u16 {
        /// The driver may act on it.
        const DRIVER_OWNED = 0x01;
        /// It was forwarded to another queue.
        const FORWARDED = 0x02;
        /// The driver made it cancelable.
        const CANCELABLE = 0x04;
        /// The driver was told that it is cancelled.
        const CANCELLED = 0x08;
        /// It was found in a queue, not taken from it.
        const TAG = 0x10;
        /// The driver is in EvtIoStop, or was and has not acknowledged.
        const IN_IO_STOP = 0x20;
        /// The driver is in EvtIoInCallerContext.
        const IN_CALLER_CONTEXT = 0x40;
    }
}

/// Whom the framework tells when the request is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watcher {
    /// Nobody: the request is not with the driver.
    Nobody,
    /// The queue that presented it.
    Queue,
    /// The I/O package: a create request, or one in EvtIoInCallerContext.
    Package,
}

/// Which cancel-safe list of its queue the request is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    /// None.
    No,
    /// Waiting to be presented.
    Waiting,
    /// With the driver, cancelable.
    Cancelable,
}

/// What the driver said in EvtIoStop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acknowledged {
    /// Nothing.
    No,
    /// It keeps the request.
    Keep,
    /// It gives the request back to the queue.
    Requeue,
}

/// The body of a `WDFREQUEST`.
pub(crate) struct Request {
    device: Ref<Device>,
    irp: Cell<Option<Irp>>,
    queue: RefCell<Option<Ref<Queue>>>,
    pub(crate) watcher: Cell<Watcher>,
    pub(crate) listed: Cell<Listed>,
    pub(crate) acknowledged: Cell<Acknowledged>,
    pub(crate) cancel: Cell<PFN_WDF_REQUEST_CANCEL>,
    presented: Cell<bool>,
    completed: Cell<bool>,
    cancelled: Cell<bool>,
    marks: Cell<Marks>,
    /// Users of the IRP's buffers who would be left with nothing if it were completed: running DMA transactions.
    holders: Cell<u32>,
    /// An MDL that the framework made for the system buffer.
    own_mdl: Cell<PMDL>,
    /// The objects of WdfRequestRetrieveInputMemory and ...OutputMemory.
    memories: RefCell<Vec<(Memory, Rc<Object>)>>,
}

/// Which buffer a memory object stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// The input.
    Input,
    /// The output.
    Output,
}

impl Body for Request {}

impl Typed for Request {
    const KIND: Kind = Kind::Request;
    type Raw = WDFREQUEST__;
}

/// Makes the request of an IRP that arrived at a device.
pub(crate) fn create(device: &Ref<Device>, irp: Irp) -> Result<Ref<Request>, NTSTATUS> {
    let attributes = device.request_attributes();
    let body = Request {
        device: device.clone(),
        irp: Cell::new(Some(irp)),
        queue: RefCell::new(None),
        watcher: Cell::new(Watcher::Nobody),
        listed: Cell::new(Listed::No),
        acknowledged: Cell::new(Acknowledged::No),
        cancel: Cell::new(None),
        presented: Cell::new(false),
        completed: Cell::new(false),
        cancelled: Cell::new(false),
        marks: Cell::new(Marks::empty()),
        holders: Cell::new(0),
        own_mdl: Cell::new(core::ptr::null_mut()),
        memories: RefCell::new(Vec::new()),
    };
    object::create(
        &New {
            attributes: &attributes,
            parent: None,
            flags: Flags::NO_DELETE_SILENT,
        },
        body,
    )
}

impl Request {
    /// The device.
    pub(crate) fn device(&self) -> &Ref<Device> {
        &self.device
    }

    /// The IRP; `None` once it was completed.
    pub(crate) fn irp(&self) -> Option<Irp> {
        self.irp.get()
    }

    /// The IRP of a request that is being used. The real framework reads through a null pointer when it was completed.
    pub(crate) fn live_irp(&self, handle: Handle, function: &str) -> Irp {
        self.irp.get().unwrap_or_else(|| {
            let text = format!(
                "{function} on WDFREQUEST {handle:?}, which was completed: the framework reads through a null pointer"
            );
            verifier::fatal(REQUEST_FRAMEWORK_FAULT, handle.value(), 0, text)
        })
    }

    /// Takes the IRP away: it is about to be completed.
    pub(super) fn take_irp(&self) -> Option<Irp> {
        self.irp.take()
    }

    /// The queue it is in, or that presented it.
    pub(crate) fn queue(&self) -> Option<Ref<Queue>> {
        self.queue.borrow().clone()
    }

    /// Puts it under a queue.
    pub(crate) fn set_queue(&self, queue: Option<Ref<Queue>>) {
        *self.queue.borrow_mut() = queue;
    }

    /// Whether the driver ever saw it.
    pub(crate) fn was_presented(&self) -> bool {
        self.presented.get()
    }

    /// The driver sees it.
    pub(crate) fn set_presented(&self) {
        self.presented.set(true);
    }

    /// Whether it was completed.
    pub(crate) fn is_completed(&self) -> bool {
        self.completed.get()
    }

    pub(super) fn set_completed(&self) {
        self.completed.set(true);
        self.unmark(Marks::DRIVER_OWNED);
    }

    /// Whether it was cancelled on its way through a queue.
    pub(crate) fn was_cancelled(&self) -> bool {
        self.cancelled.get()
    }

    /// It is being cancelled.
    pub(crate) fn set_cancelled(&self) {
        self.cancelled.set(true);
    }

    /// What the verifier knows.
    pub(crate) fn marks(&self) -> Marks {
        self.marks.get()
    }

    /// Adds marks.
    pub(crate) fn mark(&self, marks: Marks) {
        self.marks.set(self.marks.get() | marks);
    }

    /// Removes marks.
    pub(crate) fn unmark(&self, marks: Marks) {
        self.marks.set(self.marks.get() - marks);
    }

    /// Somebody uses the IRP's buffers.
    pub(crate) fn hold_irp(&self) {
        self.holders.set(self.holders.get() + 1);
    }

    /// Somebody no longer does.
    pub(crate) fn release_irp(&self, handle: Handle) {
        match self.holders.get().checked_sub(1) {
            Some(left) => self.holders.set(left),
            None => verifier::debug_break(
                REQUEST_NOT_OWNED,
                format!("the IRP of WDFREQUEST {handle:?} was released more often than held"),
            ),
        }
    }

    /// Who still uses the IRP's buffers, memory objects that the driver referenced included.
    pub(super) fn users(&self) -> u32 {
        let alive = |object: &Rc<Object>| object.life() != object::Life::Destroyed;
        let memories = self
            .memories
            .borrow()
            .iter()
            .filter(|(_, object)| alive(object))
            .count();
        self.holders.get() + u32::try_from(memories).unwrap_or(u32::MAX)
    }

    /// The MDL that the framework made, or null.
    pub(crate) fn own_mdl(&self) -> PMDL {
        self.own_mdl.get()
    }

    /// Remembers an MDL to be freed with the request.
    pub(super) fn set_own_mdl(&self, mdl: PMDL) {
        self.own_mdl.set(mdl);
    }

    /// The memory object of a buffer, if there is one.
    pub(super) fn memory(&self, which: Memory) -> Option<Rc<Object>> {
        self.memories
            .borrow()
            .iter()
            .find(|(found, _)| *found == which)
            .map(|(_, object)| Rc::clone(object))
    }

    /// Remembers the memory object of a buffer.
    pub(super) fn add_memory(&self, which: Memory, object: Rc<Object>) {
        self.memories.borrow_mut().push((which, object));
    }
}
