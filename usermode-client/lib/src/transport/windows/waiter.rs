//! Wakes a task when an event is set, by a wait of the thread pool.

use std::ffi::c_void;
use std::io;
use std::ptr;
use std::sync::{Mutex, PoisonError};
use std::task::Waker;

use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::Threading::{
    INFINITE, RegisterWaitForSingleObject, UnregisterWaitEx, WT_EXECUTEONLYONCE,
};

use crate::transport::TransportError;

/// A registered wait. Dropping it waits for a callback that is running.
pub(super) struct Waiter {
    registration: HANDLE,
    /// What the callback wakes. It has an address of its own, which the callback gets.
    waker: Box<Mutex<Waker>>,
}

impl Waiter {
    /// Wakes `waker` when `event` is set, at once if it is.
    pub(super) fn new(event: HANDLE, waker: &Waker) -> Result<Self, TransportError> {
        let waker = Box::new(Mutex::new(waker.clone()));
        let context = ptr::from_ref::<Mutex<Waker>>(&waker).cast::<c_void>();
        let mut registration = ptr::null_mut();
        // SAFETY: `event` is a live event, which the request keeps longer than this; `context` points to a box that is freed only after
        // the wait has been unregistered and its callback has returned.
        let ok = unsafe {
            RegisterWaitForSingleObject(
                &mut registration,
                event,
                Some(wake),
                context,
                INFINITE,
                WT_EXECUTEONLYONCE,
            )
        };
        if ok == 0 {
            return Err(TransportError::new(
                "RegisterWaitForSingleObject",
                io::Error::last_os_error(),
            ));
        }
        Ok(Self { registration, waker })
    }

    /// Wakes another task instead. The caller looks at the event afterwards, in case the callback has run already.
    pub(super) fn replace(&self, waker: &Waker) {
        self.waker
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(waker);
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        // SAFETY: `registration` was returned by `RegisterWaitForSingleObject` and is unregistered once; `INVALID_HANDLE_VALUE` has the
        // call wait for a running callback, so that the box outlives it.
        unsafe { UnregisterWaitEx(self.registration, INVALID_HANDLE_VALUE) };
    }
}

/// Called by the thread pool when the event is set.
unsafe extern "system" fn wake(context: *mut c_void, _timed_out: bool) {
    // SAFETY: `context` is the box of a `Waiter`, which is not freed before this callback has returned.
    let waker = unsafe { &*context.cast::<Mutex<Waker>>() };
    let waker = waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
    waker.wake();
}
