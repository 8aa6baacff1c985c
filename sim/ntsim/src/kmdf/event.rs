//! Kernel events, in a place of their own as the kernel needs them.

use core::cell::UnsafeCell;
use wdk_sys::*;

/// A notification event that stays where it is.
pub(crate) struct Event(Box<UnsafeCell<KEVENT>>);

impl Event {
    /// An event in this state.
    pub(crate) fn new(signaled: bool) -> Self {
        let event = Self(Box::new(UnsafeCell::new(KEVENT::default())));
        // SAFETY: memory of the right size that stays in place while the event exists.
        unsafe { ntddk::KeInitializeEvent(event.0.get(), _EVENT_TYPE::NotificationEvent, u8::from(signaled)) };
        event
    }

    /// Signals it.
    pub(crate) fn set(&self) {
        // SAFETY: initialized above.
        unsafe { ntddk::KeSetEvent(self.0.get(), 0, 0) };
    }

    /// Makes it non-signaled.
    pub(crate) fn clear(&self) {
        // SAFETY: initialized above.
        unsafe { ntddk::KeClearEvent(self.0.get()) };
    }

    /// Waits without a limit. IRQL <= APC_LEVEL.
    pub(crate) fn wait(&self) {
        // SAFETY: initialized above; no timeout, so the wait ends only with the event.
        let status = unsafe {
            ntddk::KeWaitForSingleObject(
                self.0.get().cast(),
                _KWAIT_REASON::Executive,
                _MODE::KernelMode as KPROCESSOR_MODE,
                0,
                core::ptr::null_mut(),
            )
        };
        debug_assert_eq!(status, STATUS_SUCCESS);
    }
}
