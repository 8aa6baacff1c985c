//! Fast mutexes.

use crate::{
    sched,
    verifier::{self, locks},
};
use wdk_sys::{APC_LEVEL, FAST_MUTEX, KIRQL, PFAST_MUTEX, PVOID};

/// The running thread, as the mutex remembers it.
fn this_thread() -> PVOID {
    core::ptr::without_provenance_mut((sched::context().0 as usize + 1) << 4)
}

fn owner(mutex: PFAST_MUTEX) -> PVOID {
    // SAFETY: the caller of the exported function passes a mutex that was initialized; anything else faults here as it would there.
    unsafe { field!(mutex, FAST_MUTEX, Owner).read_volatile() }
}

fn set_owner(mutex: PFAST_MUTEX, owner: PVOID) {
    // SAFETY: as for `owner`.
    unsafe { field!(mutex, FAST_MUTEX, Owner).write_volatile(owner) };
    let count = i32::from(owner.is_null());
    // SAFETY: as for `owner`.
    unsafe { field!(mutex, FAST_MUTEX, Count).write_volatile(count) };
}

fn old_irql(mutex: PFAST_MUTEX) -> KIRQL {
    // SAFETY: as for `owner`.
    unsafe { field!(mutex, FAST_MUTEX, OldIrql).read_volatile() as KIRQL }
}

fn set_old_irql(mutex: PFAST_MUTEX, irql: KIRQL) {
    // SAFETY: as for `owner`.
    unsafe { field!(mutex, FAST_MUTEX, OldIrql).write_volatile(irql.into()) };
}

fn acquire(mutex: PFAST_MUTEX) {
    if owner(mutex) == this_thread() {
        verifier::fatal(
            locks::FAST_MUTEX_RECURSIVE,
            [0; 3],
            "a thread acquires a fast mutex that it holds",
        );
    }
    while !owner(mutex).is_null() {
        sched::block("a fast mutex", || owner(mutex).is_null(), None);
    }
    set_owner(mutex, this_thread());
}

fn release(mutex: PFAST_MUTEX) {
    if owner(mutex) != this_thread() {
        verifier::violation(
            locks::FAST_MUTEX_NOT_OWNER,
            "a thread releases a fast mutex that it does not hold",
        );
    }
    set_owner(mutex, core::ptr::null_mut());
    sched::notify();
}

crate::nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Acquires a fast mutex and raises to APC_LEVEL.
    #[irql(..= APC_LEVEL)]
    fn ExAcquireFastMutex(mutex: PFAST_MUTEX) {
        let old = sched::raise(APC_LEVEL as KIRQL);
        acquire(mutex);
        set_old_irql(mutex, old);
    }

    /// Releases a fast mutex and goes back to the IRQL before.
    #[irql(APC_LEVEL)]
    fn ExReleaseFastMutex(mutex: PFAST_MUTEX) {
        let old = old_irql(mutex);
        release(mutex);
        sched::lower(old);
    }

    /// Acquires a fast mutex inside a critical region, or at APC_LEVEL.
    #[irql(..= APC_LEVEL)]
    fn ExAcquireFastMutexUnsafe(mutex: PFAST_MUTEX) {
        acquire(mutex);
    }

    /// Releases a fast mutex that was acquired inside a critical region, or at APC_LEVEL.
    #[irql(..= APC_LEVEL)]
    fn ExReleaseFastMutexUnsafe(mutex: PFAST_MUTEX) {
        release(mutex);
    }
}
