//! One PnP event, and one power change, of a device at a time.

use core::cell::UnsafeCell;
use wdk_sys::*;

/// A lock of a device's transitions. Held across callbacks and waits, hence no RefCell and no spin lock.
pub(super) struct Transition(Box<UnsafeCell<KEVENT>>);

impl Transition {
    pub(super) fn new() -> Self {
        let event = Box::new(UnsafeCell::new(KEVENT::default()));
        // SAFETY: memory of the right size that stays in its box.
        unsafe { ntddk::KeInitializeEvent(event.get(), _EVENT_TYPE::SynchronizationEvent, 1) };
        Self(event)
    }

    /// Runs a transition when no other one does. PASSIVE_LEVEL.
    pub(super) fn run<R>(&self, body: impl FnOnce() -> R) -> R {
        let kernel_mode = _MODE::KernelMode as KPROCESSOR_MODE;
        // SAFETY: initialized in `new`; no timeout, so it ends only when the lock is free.
        let _ = unsafe {
            ntddk::KeWaitForSingleObject(
                self.0.get().cast(),
                _KWAIT_REASON::Executive,
                kernel_mode,
                0,
                core::ptr::null_mut(),
            )
        };
        let result = body();
        // SAFETY: initialized in `new`.
        unsafe { ntddk::KeSetEvent(self.0.get(), 0, 0) };
        result
    }
}
