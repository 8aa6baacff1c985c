//! Remove locks: how a driver waits for its I/O before it lets its device go.

use crate::{
    sched,
    verifier::{self, io},
};
use wdk_sys::{IO_REMOVE_LOCK, NTSTATUS, PCSTR, PIO_REMOVE_LOCK, PVOID, STATUS_DELETE_PENDING, STATUS_SUCCESS, ULONG};

nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Initializes a remove lock.
    #[irql(PASSIVE_LEVEL)]
    fn IoInitializeRemoveLockEx(Lock: PIO_REMOVE_LOCK, AllocateTag: ULONG, MaxLockedMinutes: ULONG, HighWatermark: ULONG, RemlockSize: ULONG) {
        let _ = (AllocateTag, MaxLockedMinutes, HighWatermark, RemlockSize);
        // SAFETY: the caller's lock; zero is a value of every field.
        unsafe { Lock.cast::<u8>().write_bytes(0, size_of::<IO_REMOVE_LOCK>()) };
        set_count(Lock, 1);
    }

    /// Acquires a remove lock; fails once the device is being removed.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoAcquireRemoveLockEx(RemoveLock: PIO_REMOVE_LOCK, Tag: PVOID, File: PCSTR, Line: ULONG, RemlockSize: ULONG) -> NTSTATUS {
        let _ = (Tag, File, Line, RemlockSize);
        let lock = read(RemoveLock);
        if lock.Common.Removed != 0 {
            return STATUS_DELETE_PENDING;
        }
        set_count(RemoveLock, lock.Common.IoCount + 1);
        STATUS_SUCCESS
    }

    /// Releases a remove lock.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoReleaseRemoveLockEx(RemoveLock: PIO_REMOVE_LOCK, Tag: PVOID, RemlockSize: ULONG) {
        let _ = (Tag, RemlockSize);
        release(RemoveLock);
    }

    /// Releases a remove lock, lets nobody acquire it any more, and waits until everybody has released it.
    #[irql(PASSIVE_LEVEL)]
    fn IoReleaseRemoveLockAndWaitEx(RemoveLock: PIO_REMOVE_LOCK, Tag: PVOID, RemlockSize: ULONG) {
        let _ = (Tag, RemlockSize);
        // SAFETY: the caller's lock.
        let place = unsafe { &raw mut (*RemoveLock).Common.Removed };
        // SAFETY: as above.
        unsafe { place.write(1) };
        release(RemoveLock);
        release(RemoveLock);
        sched::block("a remove lock", || read(RemoveLock).Common.IoCount <= 0, None);
    }
}

fn read(lock: PIO_REMOVE_LOCK) -> IO_REMOVE_LOCK {
    // SAFETY: the caller's lock, initialized by contract.
    unsafe { lock.read() }
}

fn set_count(lock: PIO_REMOVE_LOCK, count: i32) {
    // SAFETY: the caller's lock.
    let place = unsafe { &raw mut (*lock).Common.IoCount };
    // SAFETY: as above.
    unsafe { place.write(count) };
}

fn release(lock: PIO_REMOVE_LOCK) {
    let count = read(lock).Common.IoCount - 1;
    if count < 0 {
        let text = "a remove lock was released more often than it was acquired";
        verifier::violation_with(io::REMOVE_LOCK, [lock.addr() as u64, 0, 0], text);
    }
    set_count(lock, count);
    sched::notify();
}
