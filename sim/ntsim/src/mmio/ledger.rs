//! Which registers are mapped at unload, and how often each was accessed.

use super::mapping::{Accesses, RegisterKey};
use crate::{
    machine::{self, Machine},
    nt::ke,
    pci::FunctionId,
    verifier::{self, mmio},
};

/// How often one register was accessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegisterCount {
    /// The function.
    pub function: FunctionId,
    /// The BAR.
    pub bar: u8,
    /// The offset in the BAR.
    pub offset: u64,
    /// How often it was read.
    pub reads: u64,
    /// How often it was written.
    pub writes: u64,
}

/// Reports registers and interrupts of removed devices that a driver still has. To be called when it unloads: all its devices were removed before.
pub fn check_unload(driver: &str) {
    ke::check_interrupts(driver);
    check_mappings(driver);
}

fn check_mappings(driver: &str) {
    let left = machine::with(|m| {
        let in_use = |function| m.pci.slot(function).is_some_and(|slot| slot.is_started());
        let mappings = m.mmio.mappings.borrow();
        let leaked = mappings
            .iter()
            .filter(|mapping| mapping.live && !in_use(mapping.function));
        leaked.cloned().collect::<Vec<_>>()
    });
    if left.is_empty() {
        return;
    }
    let list: Vec<_> = left
        .iter()
        .map(|mapping| format!("{} bytes mapped by {}", mapping.length, mapping.who))
        .collect();
    let bytes: u64 = left.iter().map(|mapping| mapping.length).sum();
    let text = format!(
        "{driver} unloads and leaves device registers mapped by MmMapIoSpace: {}",
        list.join("; ")
    );
    verifier::violation_with(mmio::IO_SPACE_LEAKED, [left.len() as u64, bytes, 0], text);
}

impl Machine {
    /// The plugged functions, in the order in which they were plugged in.
    #[must_use]
    pub fn functions(&self) -> Vec<FunctionId> {
        self.pci.all().iter().map(|slot| slot.id()).collect()
    }

    /// How often each register was accessed, in order of function, BAR and offset.
    #[must_use]
    pub fn register_counts(&self) -> Vec<RegisterCount> {
        let counts = self.mmio.counts.borrow();
        let one = |(key, count): (&RegisterKey, &Accesses)| RegisterCount {
            function: key.0,
            bar: key.1,
            offset: key.2,
            reads: count.reads,
            writes: count.writes,
        };
        counts.iter().map(one).collect()
    }
}
