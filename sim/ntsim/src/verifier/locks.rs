//! The lock rules.

crate::rules! {
    /// A processor waits for a spin lock that it holds itself.
    SPIN_LOCK_DEADLOCK = "spin-lock-deadlock", 0xC4, 0x1000;
    /// Two spin locks are acquired in opposite orders.
    SPIN_LOCK_ORDER = "spin-lock-order", 0xC4, 0x1001;
    /// A spin lock was released that is not held.
    SPIN_LOCK_NOT_HELD = "spin-lock-not-held", 0x10, 0;
    /// A spin lock was released by a context that does not hold it.
    SPIN_LOCK_NOT_OWNER = "spin-lock-not-owner", 0xC4, 0x1007;
    /// A context ended or waited while it held a spin lock.
    SPIN_LOCK_LEAKED = "spin-lock-leaked", 0xC4, 0x1005;
    /// A fast mutex was acquired by the thread that holds it.
    FAST_MUTEX_RECURSIVE = "fast-mutex-recursive", 0xC4, 0x1000;
    /// A fast mutex was released by a thread that does not hold it.
    FAST_MUTEX_NOT_OWNER = "fast-mutex-not-owner", 0xC4, 0x1007;
}
