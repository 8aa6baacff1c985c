//! MDLs: what the kernel knows of each, and how one is filled in.

use super::{
    PAGE,
    host::{Access, Run, runs},
    phys::{Frame, Pfn, Physical, Region},
    physical,
};
use crate::{cross::Domain, machine, machine::LedgerEntry};
use std::{cell::RefCell, collections::BTreeMap};
use wdk_sys::{MDL, PMDL, PVOID};

/// What the kernel knows of an MDL that it allocated.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Who allocated it.
    pub(crate) owner: Domain,
    /// How many pages it has room for.
    pub(crate) room: usize,
    /// The frames that it keeps locked.
    pub(crate) locked: Vec<Run>,
    /// The system mapping made for it.
    pub(crate) mapping: Option<usize>,
    /// The MDL it is a part of, if it was built as a part.
    pub(crate) part_of: Option<usize>,
}

/// The MDLs of a machine, by address.
#[derive(Debug, Default)]
pub(crate) struct Mdls {
    records: RefCell<BTreeMap<usize, Record>>,
}

impl Mdls {
    pub(crate) fn insert(&self, mdl: PMDL, record: Record) {
        self.records.borrow_mut().insert(mdl.addr(), record);
    }

    pub(crate) fn remove(&self, mdl: PMDL) -> Option<Record> {
        self.records.borrow_mut().remove(&mdl.addr())
    }

    pub(crate) fn get(&self, mdl: PMDL) -> Option<Record> {
        self.records.borrow().get(&mdl.addr()).cloned()
    }

    /// Changes a record, if the MDL is one that the kernel allocated.
    pub(crate) fn update(&self, mdl: PMDL, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.records.borrow_mut().get_mut(&mdl.addr()) {
            change(record);
        }
    }

    /// The MDL whose system mapping begins in the page of an address.
    pub(crate) fn mapped_at(&self, page: usize) -> Option<usize> {
        let records = self.records.borrow();
        records
            .iter()
            .find(|(_, record)| record.mapping == Some(page))
            .map(|(&mdl, _)| mdl)
    }

    /// Every MDL of the driver, in words.
    pub(crate) fn owned_by_driver(&self) -> Vec<String> {
        let records = self.records.borrow();
        let driver = records.values().filter(|record| record.owner == Domain::Driver);
        driver
            .map(|record| format!("an MDL for {} pages{}", record.room, state(record)))
            .collect()
    }

    /// Adds what is outstanding.
    pub(crate) fn ledger(&self, out: &mut Vec<LedgerEntry>) {
        let records = self.records.borrow();
        let mut add = |kind, of: &dyn Fn(&Record) -> Option<u64>| {
            let pages: Vec<_> = records.values().filter_map(of).collect();
            if !pages.is_empty() {
                let bytes = pages.iter().sum::<u64>() * PAGE as u64;
                out.push(LedgerEntry {
                    kind,
                    owner: "any".to_owned(),
                    count: pages.len() as u64,
                    bytes,
                });
            }
        };
        add("MDL", &|record| Some(record.room as u64));
        add("locked MDL", &|record| {
            (!record.locked.is_empty()).then(|| record.locked.iter().map(|run| run.pages).sum())
        });
        add("mapped MDL", &|record| record.mapping.map(|_| record.room as u64));
    }
}

fn state(record: &Record) -> &'static str {
    match (record.locked.is_empty(), record.mapping.is_some()) {
        (true, false) => "",
        (false, false) => ", locked",
        (true, true) => ", mapped",
        (false, true) => ", locked and mapped",
    }
}

/// The fields of an MDL, copied out of memory that the driver may write.
pub(crate) fn read(mdl: PMDL) -> MDL {
    // SAFETY: callers pass an MDL that the driver gave, which is readable by contract; a wild one faults and is reported as such.
    unsafe { mdl.read() }
}

/// Changes the flags of an MDL.
pub(crate) fn change_flags(mdl: PMDL, clear: u32, set: u32) {
    let flags = read(mdl).MdlFlags as u16 & !(clear as u16) | set as u16;
    // SAFETY: as in `read`, and writable by contract.
    let place = unsafe { &raw mut (*mdl).MdlFlags };
    // SAFETY: as above.
    unsafe { place.write(flags.cast_signed()) };
}

/// Whether an MDL has a flag.
pub(crate) fn has(mdl: &MDL, flag: u32) -> bool {
    mdl.MdlFlags as u16 & flag as u16 != 0
}

/// Where the system sees the buffer.
pub(crate) fn set_system_address(mdl: PMDL, address: PVOID) {
    // SAFETY: as in `change_flags`.
    let place = unsafe { &raw mut (*mdl).MappedSystemVa };
    // SAFETY: as above.
    unsafe { place.write(address) };
}

/// The first address of the buffer that an MDL describes.
pub(crate) fn virtual_address(mdl: &MDL) -> usize {
    mdl.StartVa.addr() + mdl.ByteOffset as usize
}

/// How many pages an MDL spans.
pub(crate) fn pages(mdl: &MDL) -> usize {
    span(mdl.ByteOffset as usize, mdl.ByteCount as usize)
}

/// How many pages `length` bytes at `address` touch.
pub(crate) fn span(address: usize, length: usize) -> usize {
    (address % PAGE + length).div_ceil(PAGE)
}

/// The array of page frame numbers behind an MDL.
pub(crate) fn pfn_array(mdl: PMDL) -> *mut u64 {
    mdl.wrapping_add(1).cast()
}

/// One entry of the array of page frame numbers.
pub(crate) fn pfn(mdl: PMDL, page: usize) -> Pfn {
    // SAFETY: callers stay below `pages`, for which an MDL has room by contract.
    Pfn(unsafe { pfn_array(mdl).wrapping_add(page).read() })
}

/// Fills in the array of page frame numbers.
pub(crate) fn write_pfns(mdl: PMDL, frames: &[Frame], physical: &Physical) {
    for (page, frame) in frames.iter().enumerate() {
        // SAFETY: callers pass at most as many frames as the MDL has room for.
        unsafe { pfn_array(mdl).wrapping_add(page).write(physical.pfn(*frame).0) };
    }
}

/// Why pages cannot be locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LockError {
    /// The address that cannot be accessed as asked.
    pub(crate) address: usize,
}

/// The frames of the buffer that an MDL describes, if all of it may be accessed as asked.
fn frames_of(mdl: &MDL, need: Access, physical: &Physical) -> Result<Vec<Frame>, LockError> {
    let start = mdl.StartVa.addr();
    let each = (0..pages(mdl)).map(|page| start.wrapping_add(page * PAGE));
    each.map(|address| match physical.resolve(address) {
        Some((_, Region::User(Access::Read))) if need == Access::ReadWrite => Err(LockError { address }),
        Some((frame, _)) => Ok(frame),
        None => Err(LockError { address }),
    })
    .collect()
}

/// Locks the pages of an MDL for `need`, as MmProbeAndLockPages does.
pub(crate) fn probe_and_lock(mdl: PMDL, need: Access) -> Result<(), LockError> {
    let physical = physical();
    let frames = frames_of(&read(mdl), need, &physical)?;
    write_pfns(mdl, &frames, &physical);
    let locked = runs(frames.iter().map(|frame| frame.0));
    locked.iter().for_each(|run| physical.lock(*run));
    machine::with(|m| m.mem.mdls.update(mdl, |record| record.locked = locked));
    let write = if need == Access::ReadWrite {
        wdk_sys::MDL_WRITE_OPERATION
    } else {
        0
    };
    change_flags(mdl, wdk_sys::MDL_WRITE_OPERATION, wdk_sys::MDL_PAGES_LOCKED | write);
    Ok(())
}
