//! Counts what the driver holds of the system's resources.
//!
//! Driver Verifier does not see every leak (not that of a register mapping, for one). Each RAII type of this crate enters what it takes and
//! what it gives back, so that a driver can show its balance at any time and must be even when it is unloaded.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A kind of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(usize)]
pub enum LedgerKind {
    /// Device registers mapped into system address space.
    IoSpace = 0,
    /// MDLs mapped into system address space.
    MappedMdl = 1,
    /// MDLs that the driver allocated.
    Mdl = 2,
    /// Scatter-gather lists.
    ScatterGather = 3,
    /// Common buffers.
    CommonBuffer = 4,
    /// Pool blocks.
    Pool = 5,
}

/// Number of kinds.
pub const LEDGER_KINDS: usize = 6;

/// What is held of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Objects alive.
    pub live: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects made since the driver was loaded.
    pub made: u64,
}

/// The ledger at one moment, by kind.
pub type LedgerSnapshot = [LedgerEntry; LEDGER_KINDS];

/// One account for each kind. All zero is the ledger of a driver that holds nothing.
#[derive(Debug, Default)]
pub struct Ledger([Account; LEDGER_KINDS]);

#[derive(Debug, Default)]
struct Account {
    live: AtomicU64,
    bytes: AtomicU64,
    made: AtomicU64,
}

impl Ledger {
    fn account(&self, kind: LedgerKind) -> &Account {
        &self.0[kind as usize]
    }

    /// Enters a resource that was taken.
    pub(crate) fn take(&self, kind: LedgerKind, bytes: u64) {
        let account = self.account(kind);
        account.live.fetch_add(1, Relaxed);
        account.bytes.fetch_add(bytes, Relaxed);
        account.made.fetch_add(1, Relaxed);
    }

    /// Enters a resource that was given back; `bytes` as it was taken.
    pub(crate) fn give_back(&self, kind: LedgerKind, bytes: u64) {
        let account = self.account(kind);
        account.live.fetch_sub(1, Relaxed);
        account.bytes.fetch_sub(bytes, Relaxed);
    }

    /// What is held now.
    pub fn snapshot(&self) -> LedgerSnapshot {
        core::array::from_fn(|kind| {
            let account = &self.0[kind];
            LedgerEntry {
                live: account.live.load(Relaxed),
                bytes: account.bytes.load(Relaxed),
                made: account.made.load(Relaxed),
            }
        })
    }

    /// Nothing is held.
    pub fn is_even(&self) -> bool {
        self.snapshot().iter().all(|entry| entry.live == 0 && entry.bytes == 0)
    }
}

/// The driver's ledger, shared by all that takes resources.
#[derive(Clone, Copy, Debug)]
pub struct LedgerRef(NonNull<Ledger>);

// SAFETY: the ledger consists of atomics.
unsafe impl Send for LedgerRef {}
// SAFETY: the ledger consists of atomics.
unsafe impl Sync for LedgerRef {}

impl LedgerRef {
    /// A reference to `ledger`.
    ///
    /// # Safety
    /// The ledger outlives every copy of the reference: it lies in a context of the driver object, which the framework destroys after all other
    /// objects of the driver.
    pub(crate) unsafe fn new(ledger: &Ledger) -> Self {
        Self(NonNull::from(ledger))
    }

    /// The ledger.
    pub fn get(&self) -> &Ledger {
        // SAFETY: the maker of the reference vouched that the ledger outlives it.
        unsafe { self.0.as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_by_kind_and_even_again_when_all_is_given_back() {
        let ledger = Ledger::default();
        assert!(ledger.is_even());
        ledger.take(LedgerKind::Pool, 64);
        ledger.take(LedgerKind::Pool, 8);
        ledger.take(LedgerKind::IoSpace, 4096);
        assert!(!ledger.is_even());
        assert_eq!(
            ledger.snapshot()[LedgerKind::Pool as usize],
            LedgerEntry {
                live: 2,
                bytes: 72,
                made: 2
            }
        );
        ledger.give_back(LedgerKind::Pool, 64);
        ledger.give_back(LedgerKind::Pool, 8);
        assert!(!ledger.is_even(), "the registers are still mapped");
        ledger.give_back(LedgerKind::IoSpace, 4096);
        assert!(ledger.is_even());
        assert_eq!(ledger.snapshot()[LedgerKind::Pool as usize].made, 2);
    }
}
