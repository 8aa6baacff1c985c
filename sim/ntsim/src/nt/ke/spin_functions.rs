//! The spin lock functions.

use super::spin;
use crate::sched;
use wdk_sys::{BOOLEAN, DISPATCH_LEVEL, KIRQL, PKSPIN_LOCK};

const DISPATCH: KIRQL = DISPATCH_LEVEL as KIRQL;

/// Shows in the lock itself whether it is held, as the kernel does.
fn show(lock: PKSPIN_LOCK, held: usize) {
    // SAFETY: the caller of the exported function passes a valid spin lock; anything else faults here as it would there.
    unsafe { lock.write_volatile(held as _) };
}

fn acquire(lock: PKSPIN_LOCK) {
    spin::acquire(lock.addr());
    show(lock, 1);
}

fn release(lock: PKSPIN_LOCK) {
    spin::release(lock.addr());
    show(lock, 0);
}

crate::nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Makes a spin lock, free.
    #[irql(any)]
    fn KeInitializeSpinLock(lock: PKSPIN_LOCK) {
        let start = lock.addr();
        crate::machine::with(|m| m.ke.locks.forget(start, start + 1));
        show(lock, 0);
    }

    /// Raises to DISPATCH_LEVEL and acquires a spin lock. What `KeAcquireSpinLock` calls.
    #[irql(..= DISPATCH_LEVEL)]
    fn KeAcquireSpinLockRaiseToDpc(lock: PKSPIN_LOCK) -> KIRQL {
        let old = sched::raise(DISPATCH);
        acquire(lock);
        old
    }

    /// Releases a spin lock and goes back to an IRQL.
    #[irql(DISPATCH_LEVEL)]
    fn KeReleaseSpinLock(lock: PKSPIN_LOCK, new: KIRQL) {
        release(lock);
        if new > DISPATCH {
            let text = format!("KeReleaseSpinLock goes back to IRQL {new}, above DISPATCH_LEVEL");
            crate::verifier::violation(crate::verifier::irql::LOWER_RAISES, text);
        }
        spin::check_lower(new);
        sched::lower(new);
    }

    /// Acquires a spin lock at DISPATCH_LEVEL or above.
    #[irql(DISPATCH_LEVEL ..)]
    fn KeAcquireSpinLockAtDpcLevel(lock: PKSPIN_LOCK) {
        acquire(lock);
    }

    /// Releases a spin lock and stays at the IRQL.
    #[irql(DISPATCH_LEVEL ..)]
    fn KeReleaseSpinLockFromDpcLevel(lock: PKSPIN_LOCK) {
        release(lock);
    }

    /// Acquires a spin lock if it is free.
    #[irql(DISPATCH_LEVEL ..)]
    fn KeTryToAcquireSpinLockAtDpcLevel(lock: PKSPIN_LOCK) -> BOOLEAN {
        let taken = spin::try_acquire(lock.addr());
        if taken {
            show(lock, 1);
        }
        BOOLEAN::from(taken)
    }
}
