//! What is counted, and `IOCTL_HAWSER_GET_STATS`.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hawser_abi::info::{LedgerEntry, Stats, VERSION};
use hawser_abi::reason::Reason;
use hawser_core::Outcome;
use kmdf::{LEDGER_KINDS, LedgerKind, LedgerSnapshot, Request};

use crate::device::Device;

/// Counters since the device was added.
#[derive(Debug, Default)]
pub struct Counters {
    pub submitted: AtomicU64,
    succeeded: AtomicU64,
    refused: AtomicU64,
    faulted: AtomicU64,
    abandoned: AtomicU64,
    pub stray_completions: AtomicU64,
    pub spurious_interrupts: AtomicU64,
    pub bytes_mapped: AtomicU64,
    pub bytes_copied: AtomicU64,
    pub resets: AtomicU64,
}

/// Adds to a counter.
pub fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Relaxed);
}

impl Counters {
    /// Counts the end of a submission.
    pub fn ended(&self, end: &End) {
        let counter = match end {
            End::Ran(Outcome::Success) => &self.succeeded,
            End::Ran(Outcome::Fault(_)) => &self.faulted,
            End::Ran(Outcome::Aborted) | End::Abandoned(_) => &self.abandoned,
            End::Refused(_) => &self.refused,
        };
        count(counter, 1);
    }
}

/// How a submission ended.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// The device ran it.
    Ran(Outcome),
    /// The driver did not give it to the device.
    Refused(hawser_core::Refusal),
    /// It was cancelled, timed out or lost with the device.
    Abandoned(Reason),
}

impl End {
    /// Why; `None` for a success.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Ran(Outcome::Success) => Reason::None,
            Self::Ran(Outcome::Fault(fault)) => fault.reason,
            Self::Ran(Outcome::Aborted) => Reason::Cancelled,
            Self::Refused(refusal) => refusal.reason,
            Self::Abandoned(reason) => *reason,
        }
    }
}

// The two ledgers name the same kinds under the same numbers.
const _: () = {
    use hawser_abi::info::LedgerKind as Wire;
    assert!(LEDGER_KINDS == Wire::ALL.len());
    assert!(Wire::IoSpace as usize == LedgerKind::IoSpace as usize);
    assert!(Wire::MappedMdl as usize == LedgerKind::MappedMdl as usize);
    assert!(Wire::Mdl as usize == LedgerKind::Mdl as usize);
    assert!(Wire::ScatterGather as usize == LedgerKind::ScatterGather as usize);
    assert!(Wire::CommonBuffer as usize == LedgerKind::CommonBuffer as usize);
    assert!(Wire::Pool as usize == LedgerKind::Pool as usize);
};

fn wire(ledger: LedgerSnapshot) -> [LedgerEntry; LEDGER_KINDS] {
    ledger.map(|entry| LedgerEntry {
        live: entry.live,
        bytes: entry.bytes,
        made: entry.made,
    })
}

/// Answers `IOCTL_HAWSER_GET_STATS`.
pub fn answer(device: &Device, request: Request) {
    let counters = &device.counters;
    let read = |counter: &AtomicU64| counter.load(Relaxed);
    let (arena_used, arena_peak) = device.arena.usage();
    let stats = Stats {
        size: size_of::<Stats>() as u32,
        version: VERSION,
        submitted: read(&counters.submitted),
        succeeded: read(&counters.succeeded),
        refused: read(&counters.refused),
        faulted: read(&counters.faulted),
        abandoned: read(&counters.abandoned),
        in_flight: device.slots.on_device(),
        waiting: device.waiting.queued(),
        stray_completions: read(&counters.stray_completions),
        spurious_interrupts: read(&counters.spurious_interrupts),
        bytes_mapped: read(&counters.bytes_mapped),
        bytes_copied: read(&counters.bytes_copied),
        arena_used,
        arena_peak,
        resets: read(&counters.resets),
        reserved: [0; 3],
        ledger: wire(device.ledger.get().snapshot()),
    };
    request.reply(&stats);
}
