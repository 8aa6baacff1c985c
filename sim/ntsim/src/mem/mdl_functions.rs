//! Making, filling and freeing MDLs.

use super::{
    PAGE,
    host::Access,
    kernel_allocate, kernel_free,
    mdl::{self, Record, has, pages, read, span, virtual_address},
    mdl_map::{release_mapping, unlock},
    phys::Region,
    physical,
    pool::Kind,
};
use crate::{
    cross, hal,
    machine::{self, Scarce},
    sched,
    verifier::{self, memory},
};
use wdk_sys::{
    _LOCK_OPERATION, APC_LEVEL, BOOLEAN, KIRQL, KPROCESSOR_MODE, LOCK_OPERATION, MDL, PHYSICAL_ADDRESS, PIRP, PMDL,
    PVOID, SIZE_T, ULONG,
};

nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Allocates an MDL for a buffer, and chains it to an IRP if one is given. Null when there is no memory.
    #[irql(..= DISPATCH_LEVEL)]
    #[trace("length={Length}")]
    fn IoAllocateMdl(VirtualAddress: PVOID, Length: ULONG, SecondaryBuffer: BOOLEAN, ChargeQuota: BOOLEAN, Irp: PIRP) -> PMDL {
        let _ = ChargeQuota;
        if machine::strikes(Scarce::Mdl) {
            return core::ptr::null_mut();
        }
        allocate(VirtualAddress, Length, Irp, SecondaryBuffer != 0)
    }

    /// Frees an MDL; a mapping of a partial MDL goes with it.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoFreeMdl(Mdl: PMDL) {
        free(Mdl);
    }

    /// The bytes that an MDL for a buffer takes.
    #[irql(any)]
    fn MmSizeOfMdl(Base: PVOID, Length: SIZE_T) -> SIZE_T {
        size_of_mdl(span(Base.addr(), Length as usize)) as SIZE_T
    }

    /// Fills in an MDL whose buffer is nonpaged pool.
    #[irql(..= DISPATCH_LEVEL)]
    fn MmBuildMdlForNonPagedPool(MemoryDescriptorList: PMDL) {
        build_for_pool(MemoryDescriptorList);
    }

    /// Makes an MDL for a part of the buffer of another one.
    #[irql(..= DISPATCH_LEVEL)]
    #[trace("length={Length}")]
    fn IoBuildPartialMdl(SourceMdl: PMDL, TargetMdl: PMDL, VirtualAddress: PVOID, Length: ULONG) {
        build_partial(SourceMdl, TargetMdl, VirtualAddress.addr(), Length);
    }

    /// Locks the pages of a buffer. Raises an exception where they cannot be accessed, which nothing in a Rust driver can catch.
    #[irql(..= DISPATCH_LEVEL)]
    fn MmProbeAndLockPages(MemoryDescriptorList: PMDL, AccessMode: KPROCESSOR_MODE, Operation: LOCK_OPERATION) {
        let need = if Operation == _LOCK_OPERATION::IoReadAccess { Access::Read } else { Access::ReadWrite };
        lock_or_raise(MemoryDescriptorList, AccessMode, need);
    }

    /// Unlocks the pages of a buffer; its system mapping goes with that.
    #[irql(..= DISPATCH_LEVEL)]
    fn MmUnlockPages(MemoryDescriptorList: PMDL) {
        unlock(MemoryDescriptorList);
    }

    /// The physical address behind a system address; 0 if there is none. No address to give to a device.
    #[irql(any)]
    fn MmGetPhysicalAddress(BaseAddress: PVOID) -> PHYSICAL_ADDRESS {
        let physical = physical();
        let frame = physical.resolve(BaseAddress.addr());
        let address = frame.map_or(0, |(frame, _)| physical.pfn(frame).0 * PAGE as u64 + (BaseAddress.addr() % PAGE) as u64);
        PHYSICAL_ADDRESS { QuadPart: address.cast_signed() }
    }
}

/// The largest MDL that has the size of the kernel's cache of MDLs.
const FIXED_PAGES: usize = 23;

fn size_of_mdl(pages: usize) -> usize {
    size_of::<MDL>() + pages * size_of::<u64>()
}

/// Allocates an MDL.
pub(crate) fn allocate(address: PVOID, length: ULONG, irp: PIRP, secondary: bool) -> PMDL {
    if length as usize > u32::MAX as usize - PAGE {
        return core::ptr::null_mut();
    }
    let room = span(address.addr(), length as usize);
    let mdl: PMDL = kernel_allocate(size_of_mdl(room), *b"Mdl ").cast();
    let flags = if room <= FIXED_PAGES {
        wdk_sys::MDL_ALLOCATED_FIXED_SIZE
    } else {
        0
    };
    let header = MDL {
        Next: core::ptr::null_mut(),
        Size: size_of_mdl(room) as i16,
        MdlFlags: flags as i16,
        Process: core::ptr::null_mut(),
        MappedSystemVa: core::ptr::null_mut(),
        StartVa: address.map_addr(|at| at & !(PAGE - 1)),
        ByteCount: length,
        ByteOffset: (address.addr() % PAGE) as ULONG,
    };
    // SAFETY: freshly allocated with this size.
    unsafe { mdl.write(header) };
    let record = Record {
        owner: cross::caller(),
        room,
        locked: Vec::new(),
        mapping: None,
        part_of: None,
    };
    machine::with(|m| m.mem.mdls.insert(mdl, record));
    if !irp.is_null() {
        chain(irp, mdl, secondary);
    }
    mdl
}

/// Adds an MDL to an IRP: the first, or behind the last.
fn chain(irp: PIRP, mdl: PMDL, secondary: bool) {
    // SAFETY: the caller's IRP is live.
    let mut place = unsafe { &raw mut (*irp).MdlAddress };
    if secondary {
        // SAFETY: the field of a live IRP, then of live MDLs chained to it.
        while let next = unsafe { place.read() }
            && !next.is_null()
        {
            // SAFETY: a live MDL of the chain.
            place = unsafe { &raw mut (*next).Next };
        }
    }
    // SAFETY: the end of the chain, or its beginning.
    unsafe { place.write(mdl) };
}

/// Frees an MDL.
pub(crate) fn free(mdl: PMDL) {
    let Some(record) = machine::with(|m| m.mem.mdls.get(mdl)) else {
        let text = "IoFreeMdl was given something that is no MDL of IoAllocateMdl, or was freed before";
        return verifier::violation_with(memory::MDL_BAD_FREE, [mdl.addr() as u64, 0, 0], text);
    };
    let flags = u64::from(read(mdl).MdlFlags as u16);
    if !record.locked.is_empty() {
        let text = "an MDL was freed while its pages are locked; MmUnlockPages comes first";
        verifier::violation_with(memory::MDL_FREED_LOCKED, [mdl.addr() as u64, flags, 0], text);
    }
    if hal::is_mapped_for_dma(mdl) {
        let text = "an MDL was freed while a device has a mapping of it";
        verifier::violation_with(memory::MDL_GONE_DURING_DMA, [mdl.addr() as u64, flags, 0], text);
    }
    release_mapping(mdl);
    record.locked.iter().for_each(|run| physical().unlock(*run));
    machine::with(|m| m.mem.mdls.remove(mdl));
    kernel_free(mdl.cast());
}

fn build_for_pool(target: PMDL) {
    let mdl = read(target);
    let Ok(frames) = pool_frames(&mdl) else {
        let text = "MmBuildMdlForNonPagedPool was given an MDL whose buffer is not nonpaged pool";
        return verifier::violation_with(
            memory::MDL_NOT_NONPAGED_POOL,
            [target.addr() as u64, u64::from(mdl.MdlFlags as u16), 0],
            text,
        );
    };
    mdl::write_pfns(target, &frames, &physical());
    mdl::set_system_address(target, mdl.StartVa.wrapping_byte_add(mdl.ByteOffset as usize));
    mdl::change_flags(target, 0, wdk_sys::MDL_SOURCE_IS_NONPAGED_POOL);
}

/// The frames of a buffer in nonpaged pool.
fn pool_frames(mdl: &MDL) -> Result<Vec<super::Frame>, ()> {
    let physical = physical();
    let paged = machine::with(|m| m.mem.pool.block_of(virtual_address(mdl)))
        .is_some_and(|(_, block)| block.kind == Kind::Paged);
    let each = (0..pages(mdl)).map(|page| physical.resolve(mdl.StartVa.addr() + page * PAGE));
    each.map(|found| match found {
        Some((frame, Region::System)) if !paged => Ok(frame),
        _ => Err(()),
    })
    .collect()
}

fn build_partial(source: PMDL, target: PMDL, address: usize, length: ULONG) {
    let from = read(source);
    let start = virtual_address(&from);
    let offset = address.wrapping_sub(start);
    let rest = (from.ByteCount as usize).saturating_sub(offset);
    let length = if length == 0 { rest } else { length as usize };
    if address < start || offset > from.ByteCount as usize || length > rest {
        let text = format!(
            "IoBuildPartialMdl: {length} bytes at offset {offset:#x} are not in the source's {} bytes",
            from.ByteCount
        );
        verifier::fatal(
            memory::PARTIAL_MDL_OUTSIDE,
            [source.addr() as u64, address as u64, 0],
            text,
        );
    }
    let room = machine::with(|m| m.mem.mdls.get(target)).map_or(usize::MAX, |record| record.room);
    if span(address, length) > room {
        let text = format!(
            "IoBuildPartialMdl: the target has room for {room} pages, not for {}",
            span(address, length)
        );
        verifier::fatal(memory::PARTIAL_MDL_TOO_SMALL, [target.addr() as u64, 0, 0], text);
    }
    if has(&read(target), wdk_sys::MDL_PARTIAL_HAS_BEEN_MAPPED)
        && machine::with(|m| m.mem.mdls.get(target)).is_some_and(|record| record.mapping.is_some())
    {
        let text = "IoBuildPartialMdl: the target is still mapped from its last use";
        verifier::violation_with(memory::PARTIAL_MDL_STILL_MAPPED, [target.addr() as u64, 0, 0], text);
    }
    write_part(source, &from, target, Part { address, length });
    machine::with(|m| m.mem.mdls.update(target, |record| record.part_of = Some(source.addr())));
}

/// The part of a buffer that a partial MDL describes.
#[derive(Clone, Copy)]
struct Part {
    address: usize,
    length: usize,
}

fn write_part(source: PMDL, from: &MDL, target: PMDL, part: Part) {
    let first = (part.address - from.StartVa.addr()) / PAGE;
    for page in 0..span(part.address, part.length) {
        let pfn = mdl::pfn(source, first + page);
        // SAFETY: the caller checked that the target has room for the pages of the part.
        unsafe { mdl::pfn_array(target).wrapping_add(page).write(pfn.0) };
    }
    let inherited = wdk_sys::MDL_SOURCE_IS_NONPAGED_POOL | wdk_sys::MDL_MAPPED_TO_SYSTEM_VA | wdk_sys::MDL_IO_PAGE_READ;
    let mut flags = u32::from(from.MdlFlags as u16) & inherited | wdk_sys::MDL_PARTIAL;
    if flags & wdk_sys::MDL_MAPPED_TO_SYSTEM_VA != 0 {
        flags |= wdk_sys::MDL_PARENT_MAPPED_SYSTEM_VA;
    }
    let own = read(target);
    let kept = u32::from(own.MdlFlags as u16) & wdk_sys::MDL_ALLOCATED_FIXED_SIZE;
    let header = MDL {
        MdlFlags: ((flags | kept) as u16).cast_signed(),
        Process: from.Process,
        MappedSystemVa: from
            .MappedSystemVa
            .wrapping_byte_add(part.address - virtual_address(from)),
        StartVa: from.StartVa.wrapping_byte_add(first * PAGE),
        ByteCount: part.length as ULONG,
        ByteOffset: (part.address % PAGE) as ULONG,
        ..own
    };
    // SAFETY: the caller's MDL.
    unsafe { target.write(header) };
}

fn lock_or_raise(target: PMDL, mode: KPROCESSOR_MODE, need: Access) {
    let mdl = read(target);
    let wrong = wdk_sys::MDL_PAGES_LOCKED
        | wdk_sys::MDL_SOURCE_IS_NONPAGED_POOL
        | wdk_sys::MDL_PARTIAL
        | wdk_sys::MDL_MAPPED_TO_SYSTEM_VA;
    if has(&mdl, wrong) {
        let text = format!("MmProbeAndLockPages was given an MDL with flags {:#x}", mdl.MdlFlags);
        return verifier::violation_with(
            memory::MDL_LOCK_FLAGS,
            [target.addr() as u64, u64::from(mdl.MdlFlags as u16), 0],
            text,
        );
    }
    let physical = physical();
    let user = matches!(physical.resolve(virtual_address(&mdl)), Some((_, Region::User(_))));
    let irql = sched::current_irql();
    if user && irql > APC_LEVEL as KIRQL {
        let text = format!("MmProbeAndLockPages of pageable memory at IRQL {irql}");
        verifier::violation_with(
            memory::MDL_LOCK_IRQL,
            [u64::from(irql), target.addr() as u64, mode as u64],
            text,
        );
    }
    if let Err(error) = mdl::probe_and_lock(target, need) {
        let text = format!(
            "MmProbeAndLockPages raised STATUS_ACCESS_VIOLATION for {:#x}; nothing in a Rust driver catches it",
            error.address
        );
        verifier::fatal(memory::RAISED, [error.address as u64, 0, 0], text);
    }
}
