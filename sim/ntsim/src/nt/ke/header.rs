//! Dispatcher objects: their common header, and who waits for them.

use crate::{machine, sched};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};
use wdk_sys::{DISPATCHER_HEADER, LONG, PVOID};

/// What kind of dispatcher object, as the kernel numbers them in the header's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObjectKind {
    /// Stays signaled, releases everybody.
    Notification,
    /// Releases one waiter and is not signaled any more.
    Synchronization,
    /// Something that cannot be waited for.
    Other(u8),
}

/// The header's type for each object that this kernel makes.
pub(super) mod type_code {
    pub(in super::super) const NOTIFICATION_EVENT: u8 = 0;
    pub(in super::super) const SYNCHRONIZATION_EVENT: u8 = 1;
    pub(in super::super) const THREAD: u8 = 6;
    pub(in super::super) const NOTIFICATION_TIMER: u8 = 8;
    pub(in super::super) const SYNCHRONIZATION_TIMER: u8 = 9;
    pub(in super::super) const DPC: u8 = 19;
}

/// A dispatcher object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header(*mut DISPATCHER_HEADER);

impl Header {
    pub(super) fn of<T>(object: *mut T) -> Self {
        Self(object.cast())
    }

    fn address(self) -> usize {
        self.0.addr()
    }

    /// Makes the object.
    pub(super) fn initialize(self, code: u8, signal: LONG) {
        // SAFETY: the caller of the exported function passes memory for the object; anything else faults here as it would there.
        unsafe {
            self.0
                .cast::<[u8; size_of::<DISPATCHER_HEADER>()]>()
                .write([0; size_of::<DISPATCHER_HEADER>()])
        };
        // SAFETY: as above; the type is the first byte of the header.
        unsafe { self.0.cast::<u8>().write(code) };
        self.set_signal(signal);
        machine::with(|m| m.ke.waiters.forget(self.address()));
    }

    pub(super) fn kind(self) -> ObjectKind {
        // SAFETY: the object was made by `initialize`, or is none; then a fault here is the driver's.
        match unsafe { self.0.cast::<u8>().read_volatile() } {
            type_code::NOTIFICATION_EVENT | type_code::THREAD | type_code::NOTIFICATION_TIMER => {
                ObjectKind::Notification
            }
            type_code::SYNCHRONIZATION_EVENT | type_code::SYNCHRONIZATION_TIMER => ObjectKind::Synchronization,
            other => ObjectKind::Other(other),
        }
    }

    fn signal_state(self) -> *mut LONG {
        self.0
            .wrapping_byte_add(core::mem::offset_of!(DISPATCHER_HEADER, SignalState))
            .cast()
    }

    pub(super) fn signal(self) -> LONG {
        // SAFETY: as for `kind`.
        unsafe { self.signal_state().read_volatile() }
    }

    pub(super) fn set_signal(self, value: LONG) -> LONG {
        let before = self.signal();
        // SAFETY: as for `kind`.
        unsafe { self.signal_state().write_volatile(value) };
        before
    }

    /// Takes the signal for one waiter, if there is one.
    pub(super) fn consume(self) -> bool {
        let signal = self.signal();
        if signal <= 0 {
            return false;
        }
        match self.kind() {
            ObjectKind::Synchronization => self.set_signal(0),
            ObjectKind::Notification | ObjectKind::Other(_) => signal,
        };
        true
    }
}

/// Signals a dispatcher object and releases who waits for it.
pub(crate) fn signal<T>(object: *mut T) {
    let header = Header::of(object);
    header.set_signal(1);
    release(header);
}

/// Gives the signal of an object to its waiters, first come first served.
pub(super) fn release(header: Header) {
    machine::with(|m| m.ke.waiters.satisfy(header));
    sched::notify();
}

/// One thread that waits for one object.
pub(super) struct Waiter {
    object: usize,
    satisfied: Rc<Cell<bool>>,
}

/// The threads that wait for dispatcher objects, in the order in which they came.
#[derive(Default)]
pub(crate) struct Waiters {
    queue: RefCell<VecDeque<Waiter>>,
}

impl Waiters {
    /// Queues the running thread; the cell says when its wait is satisfied.
    pub(super) fn enter(&self, header: Header) -> Rc<Cell<bool>> {
        let satisfied = Rc::new(Cell::new(false));
        let waiter = Waiter {
            object: header.address(),
            satisfied: Rc::clone(&satisfied),
        };
        self.queue.borrow_mut().push_back(waiter);
        satisfied
    }

    /// A wait is over.
    pub(super) fn leave(&self, satisfied: &Rc<Cell<bool>>) {
        self.queue
            .borrow_mut()
            .retain(|waiter| !Rc::ptr_eq(&waiter.satisfied, satisfied));
    }

    fn satisfy(&self, header: Header) {
        let mut queue = self.queue.borrow_mut();
        queue.retain(|waiter| {
            let released = waiter.object == header.address() && header.consume();
            waiter.satisfied.set(waiter.satisfied.get() || released);
            !released
        });
    }

    /// An object is made anew at this address: earlier waiters wait for nothing that exists.
    fn forget(&self, object: usize) {
        self.queue.borrow_mut().retain(|waiter| waiter.object != object);
    }

    /// Whether somebody waits for an object in this range of addresses.
    pub(super) fn any_in(&self, start: usize, end: usize) -> bool {
        self.queue
            .borrow()
            .iter()
            .any(|waiter| (start..end).contains(&waiter.object))
    }
}

/// The address of a dispatcher object as a pointer to its header.
pub(super) fn header(object: PVOID) -> Header {
    Header::of(object)
}
