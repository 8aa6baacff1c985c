//! Physical memory, pool, MDLs and user memory.
//!
//! All memory that a device could reach is pages of one memory file of the host (`phys`): pool and common buffers through its direct map, user memory and
//! the system mappings of MDLs through further mappings of the same pages. Frames and addresses are reused as late as possible, so that a use after the end
//! is a fault or a finding, never somebody else's memory.

mod contents;
mod host;
pub(crate) mod mdl;
mod mdl_functions;
pub(crate) mod mdl_map;
mod permutation;
mod phys;
mod pool;
mod pool_functions;
mod ranges;
mod user;

pub use host::Access;
pub(crate) use host::{Run, runs};
pub(crate) use mdl::probe_and_lock;
pub(crate) use mdl_functions::{allocate as allocate_mdl, free as free_mdl};
pub use permutation::PagePermutation;
pub use phys::{Frame, Pfn, Physical, Region, Use};
pub(crate) use pool::{Fill, Request};
pub use ranges::{Found, Ranges};
pub use user::{Protection, UserBuffer, UserMemory, UserRange};

use crate::{
    cross::{Domain, Export},
    machine::{self, LedgerEntry, Options},
    mmio, verifier,
};
use std::rc::Rc;

/// The functions that this part exports.
pub(crate) const EXPORTS: &[&[Export]] = &[pool_functions::EXPORTS, mdl_functions::EXPORTS, mdl_map::EXPORTS];

/// The size of a page in bytes.
pub const PAGE: usize = 4096;

/// How device addresses relate to physical addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MemoryModel {
    /// A device address is the physical address; physical pages are consecutive.
    #[default]
    Flat,
    /// Physical pages are permuted, and device addresses are another permutation in a range of their own.
    Scrambled,
    /// A device address exists only while a mapping does, with a direction.
    Iommu,
    /// A device address is the physical address of a bounce page, which exists while a mapping does; bytes are copied in the mapping's direction only.
    Bounce,
}

impl MemoryModel {
    /// Every model.
    pub const ALL: [Self; 4] = [Self::Flat, Self::Scrambled, Self::Iommu, Self::Bounce];
}

/// The state of this part of a machine.
#[derive(Debug)]
pub struct State {
    pub(crate) physical: Rc<Physical>,
    pub(crate) pool: pool::Pool,
    pub(crate) mdls: mdl::Mdls,
}

impl State {
    pub(crate) fn new(options: &Options) -> Self {
        let physical = Rc::new(Physical::new(options.memory, options.seed));
        Self {
            pool: pool::Pool::new(Rc::clone(&physical)),
            mdls: mdl::Mdls::default(),
            physical,
        }
    }

    /// Adds what is outstanding.
    pub(crate) fn ledger(&self, out: &mut Vec<LedgerEntry>) {
        self.pool.ledger(out);
        self.mdls.ledger(out);
    }
}

/// Says what faults in the areas of this part mean. To be called once, when the machine is installed.
pub(crate) fn explain_addresses() {
    let physical = physical();
    let areas = [
        (
            physical.system_addresses(),
            verifier::memory::SYSTEM_MEMORY_GONE,
            "the address is in the area of pool and common buffers, but nothing is there: it was freed, or lies past the end of a block",
        ),
        (
            physical.pte_addresses(),
            verifier::memory::SYSTEM_MAPPING_GONE,
            "the address is in the area of MDL mappings, but no mapping allows this access: it was undone, ends before, or the MDL was \
             locked for reading only",
        ),
        (
            physical.user_addresses(),
            verifier::memory::USER_MEMORY,
            "the address is in user space, but the process has nothing there, or may only read it",
        ),
    ];
    for (addresses, rule, text) in areas {
        mmio::explain(addresses, rule, text);
    }
}

/// The physical memory of the current machine.
pub(crate) fn physical() -> Rc<Physical> {
    machine::with(|m| Rc::clone(&m.mem.physical))
}

/// Allocates zeroed nonpaged pool for the kernel itself. Running out of the simulated memory ends the run: it is the simulator's limit.
pub(crate) fn kernel_allocate(length: usize, tag: [u8; 4]) -> *mut u8 {
    let tag = u32::from_le_bytes(tag);
    let request = Request {
        length,
        tag,
        kind: pool::Kind::NonPaged,
        owner: Domain::Kernel,
        fill: Fill::Zero,
    };
    machine::with(|m| m.mem.pool.allocate(request)).expect("the simulated machine is out of memory")
}

/// Frees what [`kernel_allocate`] gave. What was written past its end is reported.
pub(crate) fn kernel_free(address: *mut u8) {
    pool_functions::free(address, None);
}

/// Reports what a driver that is being unloaded forgot.
pub(crate) fn check_unload(driver: &str) {
    pool_functions::report_damage(&machine::with(|m| m.mem.pool.find_damage()));
    let left = machine::with(|m| m.mem.pool.owned_by_driver());
    if !left.is_empty() {
        let bytes: usize = left.iter().map(|(_, length)| length).sum();
        let tags: Vec<_> = left
            .iter()
            .map(|(tag, length)| format!("'{}' {length} bytes", pool::tag_text(*tag)))
            .collect();
        let text = format!(
            "{driver} unloads and leaves {} pool blocks ({bytes} bytes): {}",
            left.len(),
            tags.join(", ")
        );
        verifier::violation_with(verifier::memory::POOL_LEAK, [0, 0, left.len() as u64], text);
    }
    let mdls = machine::with(|m| m.mem.mdls.owned_by_driver());
    if !mdls.is_empty() {
        let text = format!("{driver} unloads and leaves {} MDLs: {}", mdls.len(), mdls.join(", "));
        verifier::violation_with(verifier::memory::MDL_LEAK, [0, 0, mdls.len() as u64], text);
    }
}
