//! Pool and MDLs as a driver uses them, and each rule about them broken once.
#![allow(unsafe_code, reason = "kernel functions are unsafe")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "driver code that breaks the contracts on purpose; the contracts are what is tested"
)]

mod wdm;

use ntsim::{
    Machine,
    mem::{MemoryModel, Protection, UserRange},
    sched,
};
use wdk_sys::{ntddk::*, *};
use wdm::broken_by;

const TAG: u32 = u32::from_le_bytes(*b"Test");

fn pool(length: u64) -> PVOID {
    unsafe { ExAllocatePool2(POOL_FLAG_NON_PAGED, length, TAG) }
}

fn mdl(address: PVOID, length: u32) -> PMDL {
    unsafe { IoAllocateMdl(address, length, 0, 0, core::ptr::null_mut()) }
}

fn map(mdl: PMDL) -> PVOID {
    unsafe { MmMapLockedPagesSpecifyCache(mdl, 0, _MEMORY_CACHING_TYPE::MmCached, core::ptr::null_mut(), 0, 16) }
}

fn lock(mdl: PMDL, operation: LOCK_OPERATION) {
    unsafe { MmProbeAndLockPages(mdl, 1, operation) };
}

/// A locked MDL for fresh user memory.
fn locked(length: usize) -> PMDL {
    let range = user(length, Protection::ReadWrite);
    let mdl = mdl(range, length as u32);
    lock(mdl, _LOCK_OPERATION::IoWriteAccess);
    mdl
}

/// User memory that lives as long as the machine.
fn user(length: usize, protection: Protection) -> PVOID {
    let memory = ntsim::machine::with(Machine::user_memory);
    let buffer = memory.allocate(length, 16, protection);
    let UserRange { address, .. } = buffer.range();
    std::mem::forget(buffer);
    core::ptr::with_exposed_provenance_mut(address)
}

#[test]
fn pool_comes_zeroed_and_goes() {
    let m = Machine::builder().build();
    let clean = m
        .run_as_driver("driver", || unsafe {
            let block: *mut u8 = pool(100).cast();
            let clean = (0..100).all(|at| block.add(at).read() == 0);
            ExFreePoolWithTag(block.cast(), TAG);
            let garbage: *mut u8 = ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED, 100, TAG).cast();
            let dirty = garbage.read() != 0;
            ExFreePool(garbage.cast());
            clean && dirty
        })
        .unwrap();
    assert!(clean);
    assert_eq!(m.counters().driver_allocations, 2);
    assert!(m.report().ledger.is_empty());
}

#[test]
fn pool_rules() {
    assert_eq!(broken_by(|| _ = pool(0)), "pool-zero-bytes");
    assert_eq!(
        broken_by(|| _ = unsafe { ExAllocatePool2(POOL_FLAG_NON_PAGED, 1, 0) }),
        "pool-no-tag"
    );
    assert_eq!(broken_by(|| _ = unsafe { ExAllocatePool2(0, 1, TAG) }), "pool-flags");
    assert_eq!(
        broken_by(|| {
            sched::raise(DISPATCH_LEVEL as u8);
            unsafe { ExAllocatePool2(POOL_FLAG_PAGED, 1, TAG) };
        }),
        "paged-pool-irql"
    );
    assert_eq!(
        broken_by(|| unsafe {
            let block = ExAllocatePool2(POOL_FLAG_PAGED, 1, TAG);
            sched::raise(DISPATCH_LEVEL as u8);
            ExFreePool(block);
        }),
        "paged-pool-free-irql"
    );
    assert_eq!(
        broken_by(|| unsafe {
            let block = pool(8);
            ExFreePool(block);
            ExFreePool(block);
        }),
        "pool-double-free"
    );
    assert_eq!(
        broken_by(|| unsafe { ExFreePool(pool(8).wrapping_byte_add(8)) }),
        "pool-bad-free"
    );
    assert_eq!(
        broken_by(|| unsafe { ExFreePoolWithTag(pool(8), TAG + 1) }),
        "pool-wrong-tag"
    );
    assert_eq!(
        broken_by(|| unsafe {
            let block: *mut u8 = pool(8).cast();
            block.add(8).write_volatile(1);
            ExFreePool(block.cast());
        }),
        "pool-overrun"
    );
    assert_eq!(
        broken_by(|| unsafe { ExFreePool(IoAllocateIrp(1, 0).cast()) }),
        "pool-free-of-irp"
    );
}

#[test]
fn an_mdl_shows_the_pages_of_its_buffer() {
    for model in [MemoryModel::Flat, MemoryModel::Scrambled, MemoryModel::Iommu] {
        let m = Machine::builder().memory(model).build();
        let buffer = m.user_memory().allocate(3 * 4096, 100, Protection::ReadWrite);
        let range = buffer.range();
        m.run_as_driver("driver", move || unsafe {
            let mdl = mdl(
                core::ptr::with_exposed_provenance_mut(range.address),
                range.length as u32,
            );
            lock(mdl, _LOCK_OPERATION::IoWriteAccess);
            assert_ne!((*mdl).MdlFlags as u32 & MDL_PAGES_LOCKED, 0);
            let at: *mut u8 = map(mdl).cast();
            assert_eq!(at.addr() % 4096, 100);
            for offset in 0..range.length {
                at.add(offset).write_volatile(offset as u8);
            }
            assert_eq!((*mdl).MappedSystemVa, at.cast());
            MmUnlockPages(mdl);
            assert_eq!((*mdl).MdlFlags as u32 & (MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA), 0);
            IoFreeMdl(mdl);
        })
        .unwrap();
        assert!(
            buffer
                .to_vec()
                .iter()
                .enumerate()
                .all(|(offset, byte)| *byte == offset as u8),
            "{model:?}"
        );
        assert!(m.report().ledger.is_empty());
    }
}

#[test]
fn a_partial_mdl_shows_its_part() {
    let m = Machine::builder().memory(MemoryModel::Scrambled).build();
    let buffer = m.user_memory().allocate(3 * 4096, 100, Protection::ReadWrite);
    let range = buffer.range();
    m.run_as_driver("driver", move || unsafe {
        let whole = mdl(
            core::ptr::with_exposed_provenance_mut(range.address),
            range.length as u32,
        );
        lock(whole, _LOCK_OPERATION::IoWriteAccess);
        let start: PVOID = core::ptr::with_exposed_provenance_mut(range.address + 5000);
        let part = mdl(start, 4096);
        IoBuildPartialMdl(whole, part, start, 4096);
        assert_ne!((*part).MdlFlags as u32 & MDL_PARTIAL, 0);
        let at: *mut u8 = map(part).cast();
        at.write_volatile(1);
        at.add(4095).write_volatile(2);
        IoFreeMdl(part);
        MmUnlockPages(whole);
        IoFreeMdl(whole);
    })
    .unwrap();
    let bytes = buffer.to_vec();
    assert_eq!((bytes[5000], bytes[5000 + 4095]), (1, 2));
    assert!(m.report().ledger.is_empty());
}

#[test]
fn pages_live_until_they_are_unlocked() {
    let m = Machine::builder().build();
    let buffer = m.user_memory().allocate(4096, 0, Protection::ReadWrite);
    let range = buffer.range();
    let mdl = m
        .run_as_driver("driver", move || {
            let mdl = mdl(core::ptr::with_exposed_provenance_mut(range.address), 4096);
            lock(mdl, _LOCK_OPERATION::IoWriteAccess);
            mdl
        })
        .unwrap();
    drop(buffer);
    m.run_as_driver("driver", move || unsafe {
        map(mdl).cast::<u8>().write_volatile(1);
        MmUnlockPages(mdl);
        IoFreeMdl(mdl);
    })
    .unwrap();
}

#[test]
fn mdl_rules() {
    let free_locked = || unsafe { IoFreeMdl(locked(8)) };
    assert_eq!(broken_by(free_locked), "mdl-freed-locked");
    assert_eq!(
        broken_by(|| unsafe {
            let mdl = locked(8);
            IoFreeMdl(mdl.wrapping_byte_add(16));
        }),
        "mdl-bad-free"
    );
    assert_eq!(
        broken_by(|| unsafe { MmUnlockPages(mdl(pool(8), 8)) }),
        "mdl-unlock-unlocked"
    );
    assert_eq!(
        broken_by(|| unsafe {
            let mdl = mdl(pool(8), 8);
            MmBuildMdlForNonPagedPool(mdl);
            MmUnlockPages(mdl);
        }),
        "mdl-unlock-nonpaged"
    );
    assert_eq!(
        broken_by(|| unsafe {
            let whole = locked(100);
            let part = mdl((*whole).StartVa, 4096);
            IoBuildPartialMdl(
                whole,
                part,
                (*whole).StartVa.wrapping_byte_add((*whole).ByteOffset as usize),
                0,
            );
            MmUnlockPages(part);
        }),
        "mdl-unlock-partial"
    );
    assert_eq!(broken_by(|| _ = map(mdl(pool(8), 8))), "mdl-map-unlocked");
    assert_eq!(
        broken_by(|| {
            let mdl = locked(8);
            map(mdl);
            map(mdl);
        }),
        "mdl-map-flags"
    );
    assert_eq!(
        broken_by(|| unsafe {
            let mdl = locked(8);
            let at = map(mdl);
            MmUnmapLockedPages(at, mdl);
            MmUnmapLockedPages(at, mdl);
        }),
        "mdl-bad-unmap"
    );
    assert_eq!(
        broken_by(|| unsafe { MmBuildMdlForNonPagedPool(mdl(user(8, Protection::ReadWrite), 8)) }),
        "mdl-not-nonpaged-pool"
    );
    assert_eq!(
        broken_by(|| {
            let mdl = locked(8);
            lock(mdl, _LOCK_OPERATION::IoReadAccess);
        }),
        "mdl-lock-flags"
    );
    assert_eq!(
        broken_by(|| {
            let mdl = mdl(user(8, Protection::ReadOnly), 8);
            lock(mdl, _LOCK_OPERATION::IoWriteAccess);
        }),
        "exception-raised"
    );
    assert_eq!(
        broken_by(|| {
            let mdl = mdl(user(8, Protection::ReadWrite), 8);
            sched::raise(DISPATCH_LEVEL as u8);
            lock(mdl, _LOCK_OPERATION::IoReadAccess);
        }),
        "mdl-lock-irql"
    );
    assert_eq!(
        broken_by(|| unsafe {
            let mdl = locked(8);
            MmMapLockedPagesSpecifyCache(mdl, 0, _MEMORY_CACHING_TYPE::MmCached, core::ptr::null_mut(), 1, 16);
        }),
        "mdl-map-bug-check"
    );
}

#[test]
fn accesses_where_nothing_is() {
    assert_eq!(
        broken_by(|| unsafe {
            let mdl = locked(8);
            let at: *mut u8 = map(mdl).cast();
            MmUnmapLockedPages(at.cast(), mdl);
            at.read_volatile();
        }),
        "system-mapping-gone"
    );
    assert_eq!(
        broken_by(|| unsafe {
            let mdl = mdl(user(8, Protection::ReadWrite), 8);
            lock(mdl, _LOCK_OPERATION::IoReadAccess);
            map(mdl).cast::<u8>().write_volatile(1);
        }),
        "system-mapping-gone"
    );
    assert_eq!(
        broken_by(|| unsafe { pool(4096).cast::<u8>().add(4096).write_volatile(1) }),
        "system-memory-gone"
    );
    assert_eq!(
        broken_by(|| unsafe {
            let block: *mut u8 = pool(10_000).cast();
            ExFreePool(block.cast());
            block.read_volatile();
        }),
        "system-memory-gone"
    );
    assert_eq!(
        broken_by(|| unsafe { user(8, Protection::ReadOnly).cast::<u8>().write_volatile(1) }),
        "user-memory"
    );
    assert_eq!(
        broken_by(|| unsafe {
            let mdl = locked(8);
            mdl.add(1).cast::<u64>().write(0x77);
            map(mdl);
        }),
        "mdl-bad-pfn"
    );
}

#[test]
fn partial_mdl_rules() {
    assert_eq!(
        broken_by(|| unsafe {
            let whole = locked(100);
            let start = (*whole).StartVa.wrapping_byte_add((*whole).ByteOffset as usize);
            IoBuildPartialMdl(whole, mdl(start, 200), start, 101);
        }),
        "partial-mdl-outside"
    );
    assert_eq!(
        broken_by(|| unsafe {
            let whole = locked(3 * 4096);
            let start = (*whole).StartVa.wrapping_byte_add((*whole).ByteOffset as usize);
            IoBuildPartialMdl(whole, mdl(start, 1), start, 2 * 4096);
        }),
        "partial-mdl-too-small"
    );
    assert_eq!(
        broken_by(|| unsafe {
            let whole = locked(100);
            let start = (*whole).StartVa.wrapping_byte_add((*whole).ByteOffset as usize);
            let part = mdl(start, 100);
            IoBuildPartialMdl(whole, part, start, 100);
            map(part);
            IoBuildPartialMdl(whole, part, start, 50);
        }),
        "partial-mdl-still-mapped"
    );
    assert_eq!(
        broken_by(|| unsafe {
            let whole = locked(100);
            let start = (*whole).StartVa.wrapping_byte_add((*whole).ByteOffset as usize);
            let part = mdl(start, 100);
            IoBuildPartialMdl(whole, part, start, 100);
            MmUnlockPages(whole);
            map(part);
        }),
        "mdl-map-unlocked"
    );
}
