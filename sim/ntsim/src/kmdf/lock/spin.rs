//! `WDFSPINLOCK`.
//!
//! With the framework's verifier on, a second acquisition by the same thread is bug check 0x10D/2 and a release by a thread that does not hold the lock is 0x10D/B. With
//! it off, both reach the kernel's spin lock, whose rules see them.

use crate::kmdf::object::{self, Attributes, Body, Flags, Kind, New, ParentRule, Ref, Typed};
use crate::kmdf::{driver, verifier};
use crate::sched::ContextId;
use crate::verifier::kmdf::{LOCK_NOT_OWNED, RECURSIVE_LOCK};
use core::cell::UnsafeCell;
use std::cell::Cell;
use wdk_sys::*;

/// The body of a `WDFSPINLOCK`.
pub(crate) struct SpinLock {
    lock: Box<UnsafeCell<KSPIN_LOCK>>,
    irql: Cell<KIRQL>,
    owner: Cell<Option<ContextId>>,
    /// Whether it is the lock of interrupts: then it is taken at DIRQL by the kernel, and not by WdfSpinLockAcquire.
    interrupt: Cell<bool>,
}

impl Body for SpinLock {}

impl Typed for SpinLock {
    const KIND: Kind = Kind::SpinLock;
    type Raw = WDFSPINLOCK__;
}

impl SpinLock {
    fn new() -> Self {
        Self {
            lock: Box::new(UnsafeCell::new(0)),
            irql: Cell::new(0),
            owner: Cell::new(None),
            interrupt: Cell::new(false),
        }
    }

    /// The kernel's lock, for the interrupts that share it.
    pub(crate) fn for_interrupts(&self) -> PKSPIN_LOCK {
        self.interrupt.set(true);
        self.lock.get()
    }

    fn acquire(&self, me: &Ref<Self>) {
        self.refuse_interrupt_lock(me);
        let thread = crate::sched::context();
        if verifier::verifier_on() && self.owner.get() == Some(thread) {
            verifier::fatal(
                RECURSIVE_LOCK,
                me.handle().value(),
                0,
                format!("WDFSPINLOCK {:?} is held by this thread already", me.handle()),
            );
        }
        // SAFETY: the lock stays in its box while the object lives; the kernel alone accesses it.
        let irql = unsafe { ntddk::KeAcquireSpinLockRaiseToDpc(self.lock.get()) };
        self.irql.set(irql);
        self.owner.set(Some(thread));
    }

    fn release(&self, me: &Ref<Self>) {
        self.refuse_interrupt_lock(me);
        let mine = self.owner.get() == Some(crate::sched::context());
        if verifier::verifier_on() && !mine {
            let p3 = 1;
            verifier::fatal(
                LOCK_NOT_OWNED,
                me.handle().value(),
                p3,
                format!("WDFSPINLOCK {:?} is not held by this thread", me.handle()),
            );
        }
        self.owner.set(None);
        // SAFETY: the lock stays in its box; whether it is held is the kernel's rule.
        unsafe { ntddk::KeReleaseSpinLock(self.lock.get(), self.irql.get()) };
    }

    fn refuse_interrupt_lock(&self, me: &Ref<Self>) {
        if self.interrupt.get() {
            let text = format!(
                "WDFSPINLOCK {:?} is the lock of an interrupt: use WdfInterruptAcquireLock",
                me.handle()
            );
            verifier::fatal(LOCK_NOT_OWNED, me.handle().value(), 0, text);
        }
    }
}

crate::wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Makes a spin lock.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfSpinLockCreate(attributes: PWDF_OBJECT_ATTRIBUTES, lock: *mut WDFSPINLOCK) -> NTSTATUS {
        let made = Attributes::read_plain(attributes, ParentRule::Optional).and_then(|attributes| {
            let parent = attributes.parent_or(driver::current().object());
            object::create(&New { attributes: &attributes, parent: Some(&parent), flags: Flags::empty() }, SpinLock::new())
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

    /// Takes a spin lock; the caller runs at DISPATCH_LEVEL from here.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfSpinLockAcquire(lock: WDFSPINLOCK) {
        let lock = object::get::<SpinLock>(lock);
        lock.acquire(&lock);
    }

    /// Lets go of a spin lock; the caller is back at the IRQL at which it took it.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfSpinLockRelease(lock: WDFSPINLOCK) {
        let lock = object::get::<SpinLock>(lock);
        lock.release(&lock);
    }
}
