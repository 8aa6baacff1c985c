//! `MmMapIoSpace` and its kin: which host addresses stand for which registers.

use crate::{
    cross,
    cross::Domain,
    machine::{self, Count, LedgerEntry, Machine, Options},
    pci::{Access, FunctionId},
    sched,
    verifier::{self, Rule, mmio},
};
use core::ops::Range;
use std::{cell::RefCell, collections::BTreeMap, ptr};
use wdk_sys::{
    MEMORY_CACHING_TYPE, PAGE_EXECUTE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE, PAGE_NOCACHE, PAGE_READONLY,
    PAGE_READWRITE, PAGE_WRITECOMBINE, PHYSICAL_ADDRESS, PVOID, SIZE_T, ULONG,
};

const PAGE: u64 = 4096;

/// Whether a mapping can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rights {
    ReadWrite,
    ReadOnly,
}

/// One mapping of registers.
#[derive(Debug, Clone)]
pub(super) struct Mapping {
    /// What the driver was given.
    pub(super) address: usize,
    /// What it asked for.
    pub(super) length: u64,
    /// The BAR, and where in it the mapping starts.
    pub(super) function: FunctionId,
    bar: u8,
    offset: u64,
    rights: Rights,
    /// Who mapped it.
    pub(super) who: String,
    /// Unmapped: the addresses stay reserved, so that every later access is seen.
    pub(super) live: bool,
    /// The reserved pages.
    pages: Range<usize>,
}

/// What an address is.
pub(crate) enum Place {
    /// Registers of a function, `left` bytes of them mapped from here on.
    Registers {
        function: FunctionId,
        bar: u8,
        offset: u64,
        left: u64,
    },
    /// Registers that were mapped once, by whom.
    Unmapped(String),
    /// Something else that was taken away.
    Explained(Rule, String),
    /// Nothing that the simulator knows.
    Nothing,
}

/// An explanation: where it ends, and what it says.
type Explanation = (usize, Rule, String);

/// A register: function, BAR, offset.
pub(super) type RegisterKey = (FunctionId, u8, u64);

/// How often a register was accessed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Accesses {
    pub(super) reads: u64,
    pub(super) writes: u64,
}

/// The state of this part of a machine.
pub struct State {
    pub(super) mappings: RefCell<Vec<Mapping>>,
    explanations: RefCell<BTreeMap<usize, Explanation>>,
    /// Accesses of each register.
    pub(super) counts: RefCell<BTreeMap<RegisterKey, Accesses>>,
}

impl State {
    pub(crate) fn new(_options: &Options) -> Self {
        Self {
            mappings: RefCell::default(),
            explanations: RefCell::default(),
            counts: RefCell::default(),
        }
    }

    /// What an address is.
    pub(crate) fn place_of(&self, address: usize) -> Place {
        let mappings = self.mappings.borrow();
        let Some(mapping) = mappings.iter().find(|mapping| mapping.pages.contains(&address)) else {
            return self.explanation(address);
        };
        if !mapping.live {
            return Place::Unmapped(mapping.who.clone());
        }
        let into = (address as u64).wrapping_sub(mapping.address as u64);
        let left = mapping.length.saturating_sub(into);
        let offset = mapping.offset.wrapping_add(into);
        Place::Registers {
            function: mapping.function,
            bar: mapping.bar,
            offset,
            left,
        }
    }

    fn explanation(&self, address: usize) -> Place {
        let explanations = self.explanations.borrow();
        match explanations.range(..=address).next_back() {
            Some((_, (end, rule, text))) if address < *end => Place::Explained(*rule, text.clone()),
            _ => Place::Nothing,
        }
    }

    pub(super) fn is_read_only(&self, address: usize) -> bool {
        let mappings = self.mappings.borrow();
        mappings
            .iter()
            .any(|mapping| mapping.pages.contains(&address) && mapping.rights == Rights::ReadOnly)
    }

    pub(super) fn count_read(&self, m: &Machine, function: FunctionId, access: Access) {
        Count::bump(&m.count.register_reads);
        self.counts
            .borrow_mut()
            .entry((function, access.bar, access.offset))
            .or_default()
            .reads += 1;
    }

    pub(super) fn count_write(&self, m: &Machine, function: FunctionId, access: Access) {
        Count::bump(&m.count.register_writes);
        self.counts
            .borrow_mut()
            .entry((function, access.bar, access.offset))
            .or_default()
            .writes += 1;
    }

    /// Adds what is outstanding.
    pub(crate) fn ledger(&self, out: &mut Vec<LedgerEntry>) {
        for mapping in self.mappings.borrow().iter().filter(|mapping| mapping.live) {
            out.push(LedgerEntry {
                kind: "I/O space",
                owner: mapping.who.clone(),
                count: 1,
                bytes: mapping.length,
            });
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        for mapping in self.mappings.get_mut() {
            let pages: *mut libc::c_void = ptr::with_exposed_provenance_mut(mapping.pages.start);
            // SAFETY: reserved by this mapping, and never usable memory.
            unsafe { libc::munmap(pages, mapping.pages.len()) };
        }
    }
}

/// Says what a host fault in this range of addresses means.
pub fn explain(range: Range<usize>, rule: Rule, text: &str) {
    if range.is_empty() {
        return;
    }
    machine::with(|m| {
        m.mmio
            .explanations
            .borrow_mut()
            .insert(range.start, (range.end, rule, text.to_owned()))
    });
}

/// Takes back the explanation of the range that starts here.
pub fn forget(start: usize) {
    machine::with(|m| m.mmio.explanations.borrow_mut().remove(&start));
}

/// Addresses without any rights.
fn reserve(length: usize) -> usize {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a fresh mapping that nothing can access.
    let pages = unsafe { libc::mmap(ptr::null_mut(), length, libc::PROT_NONE, flags, -1, 0) };
    assert!(pages != libc::MAP_FAILED, "address space for registers");
    pages.expose_provenance()
}

/// The BAR that has these physical addresses: function, number, offset.
fn find_bar(physical: u64, length: u64) -> Option<(FunctionId, u8, u64)> {
    let end = physical.checked_add(length)?;
    let slots = machine::with(|m| m.pci.all());
    slots.iter().find_map(|slot| {
        let bar = slot
            .bars()
            .iter()
            .find(|bar| bar.base <= physical && end <= bar.base + bar.length)?;
        Some((slot.id(), bar.bar, physical - bar.base))
    })
}

fn map(physical: PHYSICAL_ADDRESS, length: u64, rights: Rights) -> PVOID {
    // SAFETY: every view of the union is plain integers of 64 bits together.
    let physical = unsafe { physical.QuadPart }.cast_unsigned();
    let found = if length == 0 { None } else { find_bar(physical, length) };
    let Some((function, bar, offset)) = found else {
        let text = format!("MmMapIoSpace of {length} bytes at {physical:#x}: no device has registers there");
        verifier::violation_with(mmio::IO_SPACE_NOT_A_DEVICE, [physical, length, 0], text);
        return ptr::null_mut();
    };
    let skipped = physical % PAGE;
    let size = (skipped + length).next_multiple_of(PAGE) as usize;
    let start = reserve(size);
    let address = start + skipped as usize;
    let mapping = Mapping {
        address,
        length,
        function,
        bar,
        offset,
        rights,
        who: who(),
        live: true,
        pages: start..start + size,
    };
    machine::with(|m| m.mmio.mappings.borrow_mut().push(mapping));
    ptr::with_exposed_provenance_mut(address)
}

/// The caller and where it was.
fn who() -> String {
    let calls = sched::with_context(|context| context.calls.borrow().join(" > "));
    match cross::caller() {
        Domain::Driver => format!("driver in {calls}"),
        Domain::Framework => format!("framework in {calls}"),
        Domain::Kernel => format!("kernel in {calls}"),
    }
}

fn unmap(address: usize, length: u64) {
    let found = machine::with(|m| {
        let mut mappings = m.mmio.mappings.borrow_mut();
        let mapping = mappings
            .iter_mut()
            .find(|mapping| mapping.address == address && mapping.live)?;
        mapping.live = false;
        Some(mapping.length)
    });
    let text = match found {
        Some(mapped) if mapped == length => return,
        Some(mapped) => format!("MmUnmapIoSpace of {length} bytes; {mapped} bytes were mapped there"),
        None => format!("MmUnmapIoSpace of {address:#x}, which is not mapped (any more)"),
    };
    verifier::violation_with(mmio::IO_SPACE_UNMAP_MISMATCH, [address as u64, length, 0], text);
}

/// The rights that a protection gives; `None` when it is not a valid one.
fn rights(protect: ULONG) -> Option<Rights> {
    let (base, cache) = (protect & 0xFF, protect & !0xFF);
    if !matches!(cache, 0 | PAGE_NOCACHE | PAGE_WRITECOMBINE) {
        return None;
    }
    match base {
        PAGE_READWRITE | PAGE_EXECUTE_READWRITE => Some(Rights::ReadWrite),
        PAGE_READONLY | PAGE_EXECUTE | PAGE_EXECUTE_READ => Some(Rights::ReadOnly),
        _ => None,
    }
}

crate::nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Maps device registers.
    #[irql(..= DISPATCH_LEVEL)]
    fn MmMapIoSpace(physical: PHYSICAL_ADDRESS, length: SIZE_T, _cache: MEMORY_CACHING_TYPE) -> PVOID {
        map(physical, length as u64, Rights::ReadWrite)
    }

    /// Maps device registers with a page protection.
    #[irql(..= DISPATCH_LEVEL)]
    fn MmMapIoSpaceEx(physical: PHYSICAL_ADDRESS, length: SIZE_T, protect: ULONG) -> PVOID {
        rights(protect).map_or(ptr::null_mut(), |rights| map(physical, length as u64, rights))
    }

    /// Takes a mapping of device registers back.
    #[irql(..= DISPATCH_LEVEL)]
    fn MmUnmapIoSpace(address: PVOID, length: SIZE_T) {
        unmap(address.addr(), length as u64);
    }
}
