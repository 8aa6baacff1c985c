//! `WDFWAITLOCK`.
//!
//! The framework does not notice the release of a wait lock that is not held; this one reports it under a rule of its own.

use crate::kmdf::object::{self, Attributes, Body, Flags, Kind, New, ParentRule, Ref, Typed};
use crate::kmdf::{driver, verifier};
use crate::sched::ContextId;
use crate::verifier::kmdf::{RECURSIVE_LOCK, WAIT_LOCK_NOT_OWNED};
use crate::verifier::violation;
use core::cell::UnsafeCell;
use std::cell::Cell;
use wdk_sys::*;

/// The body of a `WDFWAITLOCK`: a synchronization event, signaled while the lock is free. The holder is in a critical region.
pub(crate) struct WaitLock {
    event: Box<UnsafeCell<KEVENT>>,
    owner: Cell<Option<ContextId>>,
}

impl Body for WaitLock {}

impl Typed for WaitLock {
    const KIND: Kind = Kind::WaitLock;
    type Raw = WDFWAITLOCK__;
}

impl WaitLock {
    fn new() -> Self {
        let event = Box::new(UnsafeCell::new(KEVENT::default()));
        // SAFETY: memory of the right size that stays in place while the object lives.
        unsafe { ntddk::KeInitializeEvent(event.get(), _EVENT_TYPE::SynchronizationEvent, 1) };
        Self {
            event,
            owner: Cell::new(None),
        }
    }

    fn acquire(&self, me: &Ref<Self>, timeout: PLONGLONG) -> NTSTATUS {
        if self.is_mine() {
            let text = format!("WDFWAITLOCK {:?} is held by this thread already", me.handle());
            if verifier::verifier_on() {
                verifier::fatal(RECURSIVE_LOCK, me.handle().value(), 0, text);
            }
        }
        // SAFETY: balanced in `release`, and below when the wait fails.
        unsafe { ntddk::KeEnterCriticalRegion() };
        // SAFETY: initialized in `new`; the timeout is the driver's, or null for none.
        let status = unsafe {
            ntddk::KeWaitForSingleObject(
                self.event.get().cast(),
                _KWAIT_REASON::Executive,
                _MODE::KernelMode as KPROCESSOR_MODE,
                0,
                timeout.cast(),
            )
        };
        if status == STATUS_SUCCESS {
            self.owner.set(Some(crate::sched::context()));
        } else {
            // SAFETY: entered above.
            unsafe { ntddk::KeLeaveCriticalRegion() };
        }
        status
    }

    fn release(&self, me: &Ref<Self>) {
        if !self.is_mine() {
            violation(
                WAIT_LOCK_NOT_OWNED,
                format!("WDFWAITLOCK {:?} is not held by this thread", me.handle()),
            );
            return;
        }
        self.owner.set(None);
        // SAFETY: initialized in `new`.
        unsafe { ntddk::KeSetEvent(self.event.get(), 0, 0) };
        // SAFETY: entered in `acquire`.
        unsafe { ntddk::KeLeaveCriticalRegion() };
    }

    fn is_mine(&self) -> bool {
        self.owner.get() == Some(crate::sched::context())
    }
}

crate::wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Makes a wait lock.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfWaitLockCreate(attributes: PWDF_OBJECT_ATTRIBUTES, lock: *mut WDFWAITLOCK) -> NTSTATUS {
        let made = Attributes::read_plain(attributes, ParentRule::Optional).and_then(|attributes| {
            let parent = attributes.parent_or(driver::current().object());
            object::create(&New { attributes: &attributes, parent: Some(&parent), flags: Flags::empty() }, WaitLock::new())
        });
        match made {
            Ok(made) => {
                // SAFETY: the driver's own variable.
                unsafe { lock.write(made.raw()) };
                STATUS_SUCCESS
            }
            Err(status) => status,
        }
    }

    /// Takes a wait lock, or gives up after the timeout (100 ns units; negative: from now; zero: at once) with STATUS_TIMEOUT. Above APC_LEVEL only with a
    /// timeout of zero.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfWaitLockAcquire(lock: WDFWAITLOCK, timeout: PLONGLONG) -> NTSTATUS {
        let lock = object::get::<WaitLock>(lock);
        lock.acquire(&lock, timeout)
    }

    /// Lets go of a wait lock.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfWaitLockRelease(lock: WDFWAITLOCK) {
        let lock = object::get::<WaitLock>(lock);
        lock.release(&lock);
    }
}
