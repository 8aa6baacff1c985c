//! System mappings of locked MDLs, and the unlocking that ends them.

use super::{
    PAGE,
    host::{Access, runs},
    mdl::{self, has, pages, read},
    phys::Frame,
    physical,
};
use crate::{
    cross, hal,
    machine::{self, Scarce},
    verifier::{self, memory},
};
use wdk_sys::{_MODE, KPROCESSOR_MODE, MDL, MEMORY_CACHING_TYPE, PMDL, PVOID, ULONG};

nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Maps the pages of a locked MDL into system space. Null when there is no room.
    #[irql(..= DISPATCH_LEVEL)]
    #[trace("priority={Priority:#x}")]
    fn MmMapLockedPagesSpecifyCache(
        MemoryDescriptorList: PMDL, AccessMode: KPROCESSOR_MODE, CacheType: MEMORY_CACHING_TYPE, RequestedAddress: PVOID,
        BugCheckOnFailure: ULONG, Priority: ULONG
    ) -> PVOID {
        let _ = (CacheType, RequestedAddress);
        if i32::from(AccessMode) != _MODE::KernelMode {
            cross::unimplemented("ntoskrnl.exe", "MmMapLockedPagesSpecifyCache for UserMode");
        }
        if BugCheckOnFailure != 0 {
            let text = "MmMapLockedPagesSpecifyCache with BugCheckOnFailure; it must be FALSE";
            verifier::violation_with(memory::MDL_MAP_BUG_CHECK, [MemoryDescriptorList.addr() as u64, 0, 0], text);
        }
        if machine::strikes(Scarce::Mapping) {
            return core::ptr::null_mut();
        }
        map(MemoryDescriptorList, Priority)
    }

    /// Undoes MmMapLockedPagesSpecifyCache.
    #[irql(..= DISPATCH_LEVEL)]
    fn MmUnmapLockedPages(BaseAddress: PVOID, MemoryDescriptorList: PMDL) {
        unmap(BaseAddress, MemoryDescriptorList);
    }
}

/// MdlMappingNoWrite, a flag in the priority.
const NO_WRITE: ULONG = 0x8000_0000;

/// The frames of an MDL, page by page; an entry that is no page of memory is a violation.
fn frames(mdl: PMDL) -> Option<Vec<Frame>> {
    let physical = physical();
    let each = (0..pages(&read(mdl))).map(|page| {
        physical
            .frame(mdl::pfn(mdl, page))
            .filter(|frame| physical.used_for(*frame).is_some())
    });
    each.collect()
}

fn map(target: PMDL, priority: ULONG) -> PVOID {
    let mdl = read(target);
    if !may_be_mapped(target, &mdl) {
        return core::ptr::null_mut();
    }
    let Some(frames) = frames(target) else {
        let text = "the MDL holds the number of a page that is no memory in use";
        verifier::violation_with(memory::MDL_BAD_PFN, [target.addr() as u64, 0, 0], text);
        return core::ptr::null_mut();
    };
    let writable = is_locked_for_write(target, &mdl) && priority & NO_WRITE == 0;
    let access = if writable { Access::ReadWrite } else { Access::Read };
    let physical = physical();
    let Some(view) = physical.map(&physical.system, runs(frames.iter().map(|frame| frame.0)), access) else {
        return core::ptr::null_mut();
    };
    machine::with(|m| m.mem.mdls.update(target, |record| record.mapping = Some(view.addr())));
    let address: PVOID = view.wrapping_add(mdl.ByteOffset as usize).cast();
    mdl::set_system_address(target, address);
    let partial = if has(&mdl, wdk_sys::MDL_PARTIAL) {
        wdk_sys::MDL_PARTIAL_HAS_BEEN_MAPPED
    } else {
        0
    };
    mdl::change_flags(
        target,
        wdk_sys::MDL_PARENT_MAPPED_SYSTEM_VA,
        wdk_sys::MDL_MAPPED_TO_SYSTEM_VA | partial,
    );
    address
}

/// Whether the flags and the pages of an MDL allow a mapping.
fn may_be_mapped(target: PMDL, mdl: &MDL) -> bool {
    let parameters = [target.addr() as u64, u64::from(mdl.MdlFlags as u16), 0];
    let mapped = wdk_sys::MDL_MAPPED_TO_SYSTEM_VA | wdk_sys::MDL_SOURCE_IS_NONPAGED_POOL;
    if has(mdl, mapped) {
        let text = format!(
            "an MDL with flags {:#x} was mapped; it has a system address already",
            mdl.MdlFlags
        );
        verifier::violation_with(memory::MDL_MAP_FLAGS, parameters, text);
        return false;
    }
    if !is_locked(target, mdl) {
        let text = "an MDL was mapped whose pages are not locked";
        verifier::violation_with(memory::MDL_MAP_UNLOCKED, parameters, text);
        return false;
    }
    true
}

/// Whether the pages of an MDL are locked, by itself or by the one it is a part of.
pub(crate) fn is_locked(target: PMDL, mdl: &MDL) -> bool {
    if has(mdl, wdk_sys::MDL_PAGES_LOCKED | wdk_sys::MDL_SOURCE_IS_NONPAGED_POOL) {
        return true;
    }
    let parent = parent(target);
    !parent.is_null() && is_locked(parent, &read(parent))
}

fn is_locked_for_write(target: PMDL, mdl: &MDL) -> bool {
    if has(mdl, wdk_sys::MDL_PAGES_LOCKED) {
        return has(mdl, wdk_sys::MDL_WRITE_OPERATION);
    }
    let parent = parent(target);
    parent.is_null() || is_locked_for_write(parent, &read(parent))
}

/// The live MDL that an MDL was built as a part of; null if there is none.
fn parent(target: PMDL) -> PMDL {
    machine::with(|m| {
        let parent = m.mem.mdls.get(target).and_then(|record| record.part_of);
        let parent = parent.map_or(core::ptr::null_mut(), |parent| target.with_addr(parent));
        if m.mem.mdls.get(parent).is_some() {
            parent
        } else {
            core::ptr::null_mut()
        }
    })
}

fn unmap(base: PVOID, target: PMDL) {
    let page = base.addr() & !(PAGE - 1);
    let mapping = machine::with(|m| m.mem.mdls.get(target)).and_then(|record| record.mapping);
    if mapping != Some(page) || read(target).MappedSystemVa != base {
        let other = machine::with(|m| m.mem.mdls.mapped_at(page)).is_some();
        let text = if other {
            "the address is the mapping of another MDL"
        } else {
            "the address is no mapping of the MDL, or was unmapped before"
        };
        return verifier::violation_with(
            memory::MDL_BAD_UNMAP,
            [base.addr() as u64, target.addr() as u64, 0],
            text,
        );
    }
    release_mapping(target);
    mdl::change_flags(
        target,
        wdk_sys::MDL_MAPPED_TO_SYSTEM_VA | wdk_sys::MDL_PARTIAL_HAS_BEEN_MAPPED,
        0,
    );
}

/// Undoes the system mapping of an MDL if there is one.
pub(crate) fn release_mapping(target: PMDL) {
    let mapping = machine::with(|m| {
        let mapping = m.mem.mdls.get(target).and_then(|record| record.mapping);
        m.mem.mdls.update(target, |record| record.mapping = None);
        mapping
    });
    if let Some(page) = mapping {
        physical().system.unmap(page);
    }
}

/// Unlocks the pages of an MDL, as MmUnlockPages does.
pub(crate) fn unlock(target: PMDL) {
    let mdl = read(target);
    let parameters = [target.addr() as u64, u64::from(mdl.MdlFlags as u16), 0];
    let rule = if has(&mdl, wdk_sys::MDL_SOURCE_IS_NONPAGED_POOL) {
        Some((memory::MDL_UNLOCK_NONPAGED, "an MDL of nonpaged pool was unlocked"))
    } else if has(&mdl, wdk_sys::MDL_PARTIAL) {
        Some((
            memory::MDL_UNLOCK_PARTIAL,
            "a partial MDL was unlocked; the one it is a part of has the locks",
        ))
    } else if !has(&mdl, wdk_sys::MDL_PAGES_LOCKED) {
        Some((
            memory::MDL_UNLOCK_UNLOCKED,
            "an MDL was unlocked whose pages are not locked",
        ))
    } else {
        None
    };
    if let Some((rule, text)) = rule {
        return verifier::violation_with(rule, parameters, text);
    }
    if hal::is_mapped_for_dma(target) {
        let text = "pages were unlocked while a device has a mapping of them";
        verifier::violation_with(memory::MDL_GONE_DURING_DMA, parameters, text);
    }
    unlock_and_unmap(target);
}

/// Unlocks pages that are known to be locked, without rules.
pub(crate) fn unlock_and_unmap(target: PMDL) {
    release_mapping(target);
    let locked = machine::with(|m| {
        let mut locked = Vec::new();
        m.mem
            .mdls
            .update(target, |record| locked = std::mem::take(&mut record.locked));
        locked
    });
    let physical = physical();
    locked.iter().for_each(|run| physical.unlock(*run));
    let gone = wdk_sys::MDL_PAGES_LOCKED | wdk_sys::MDL_MAPPED_TO_SYSTEM_VA | wdk_sys::MDL_WRITE_OPERATION;
    mdl::change_flags(target, gone, 0);
}
