//! Locks that own what they protect.

use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use wdk_sys::{WDFOBJECT, WDFSPINLOCK, WDFWAITLOCK, call_unsafe_wdf_function_binding};

use crate::context;
use crate::status::{Result, check};

/// A spin lock: `IRQL <= DISPATCH_LEVEL`, and DISPATCH_LEVEL while it is held. What is done under it must be short, and must not complete requests.
#[derive(Debug)]
pub struct SpinLock<T> {
    handle: WDFSPINLOCK,
    value: UnsafeCell<T>,
}

// SAFETY: the value is only reached by the holder of the lock.
unsafe impl<T: Send> Send for SpinLock<T> {}
// SAFETY: the value is only reached by the holder of the lock.
unsafe impl<T: Send> Sync for SpinLock<T> {}

impl<T> SpinLock<T> {
    /// A lock that the framework deletes with `parent`.
    pub(crate) fn new(parent: WDFOBJECT, value: T) -> Result<Self> {
        let mut attributes = context::plain_attributes();
        attributes.ParentObject = parent;
        let mut handle = core::ptr::null_mut();
        // SAFETY: the parent is alive; the pointers lead to locals.
        let status =
            unsafe { call_unsafe_wdf_function_binding!(WdfSpinLockCreate, &raw mut attributes, &raw mut handle) };
        check(status)?;
        Ok(Self {
            handle,
            value: UnsafeCell::new(value),
        })
    }

    /// Waits for the lock and takes it. The caller must not hold it.
    pub fn lock(&self) -> SpinLockGuard<'_, T> {
        // SAFETY: the parent of the lock, whose context `self` lies in, is alive; so is the lock.
        unsafe { call_unsafe_wdf_function_binding!(WdfSpinLockAcquire, self.handle) };
        SpinLockGuard {
            lock: self,
            on_this_thread: PhantomData,
        }
    }
}

/// The right to use what a [`SpinLock`] protects. Stays on its thread: the IRQL to return to is the thread's.
///
/// ```compile_fail,E0277
/// fn elsewhere<T: Send>(_: T) {}
/// fn hand_on(lock: &kmdf::SpinLock<u32>) {
///     elsewhere(lock.lock());
/// }
/// ```
#[derive(Debug)]
pub struct SpinLockGuard<'a, T> {
    lock: &'a SpinLock<T>,
    on_this_thread: PhantomData<*mut ()>,
}

impl<T> Deref for SpinLockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the lock is held.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for SpinLockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for SpinLockGuard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: held since the guard was made, by this thread.
        unsafe { call_unsafe_wdf_function_binding!(WdfSpinLockRelease, self.lock.handle) };
    }
}

/// A lock for longer work: `PASSIVE_LEVEL`; the holder may sleep.
#[derive(Debug)]
pub struct WaitLock<T> {
    handle: WDFWAITLOCK,
    value: UnsafeCell<T>,
}

// SAFETY: the value is only reached by the holder of the lock.
unsafe impl<T: Send> Send for WaitLock<T> {}
// SAFETY: the value is only reached by the holder of the lock.
unsafe impl<T: Send> Sync for WaitLock<T> {}

impl<T> WaitLock<T> {
    /// A lock that the framework deletes with `parent`.
    pub(crate) fn new(parent: WDFOBJECT, value: T) -> Result<Self> {
        let mut attributes = context::plain_attributes();
        attributes.ParentObject = parent;
        let mut handle = core::ptr::null_mut();
        // SAFETY: the parent is alive; the pointers lead to locals.
        let status =
            unsafe { call_unsafe_wdf_function_binding!(WdfWaitLockCreate, &raw mut attributes, &raw mut handle) };
        check(status)?;
        Ok(Self {
            handle,
            value: UnsafeCell::new(value),
        })
    }

    /// Waits for the lock and takes it. The caller must not hold it.
    pub fn lock(&self) -> WaitLockGuard<'_, T> {
        // SAFETY: the parent of the lock, whose context `self` lies in, is alive; so is the lock. A null timeout waits for ever.
        let status =
            unsafe { call_unsafe_wdf_function_binding!(WdfWaitLockAcquire, self.handle, core::ptr::null_mut()) };
        debug_assert!(status == 0, "a wait without a timeout ends with the lock");
        WaitLockGuard {
            lock: self,
            on_this_thread: PhantomData,
        }
    }
}

/// The right to use what a [`WaitLock`] protects. Stays on its thread.
#[derive(Debug)]
pub struct WaitLockGuard<'a, T> {
    lock: &'a WaitLock<T>,
    on_this_thread: PhantomData<*mut ()>,
}

impl<T> Deref for WaitLockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the lock is held.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for WaitLockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for WaitLockGuard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: held since the guard was made, by this thread.
        unsafe { call_unsafe_wdf_function_binding!(WdfWaitLockRelease, self.lock.handle) };
    }
}
