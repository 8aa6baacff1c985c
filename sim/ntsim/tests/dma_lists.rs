//! DMA adapters, scatter/gather lists and common buffers as a driver uses them.
#![allow(unsafe_code, reason = "kernel functions are unsafe")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "driver code that breaks the contracts on purpose; the contracts are what is tested"
)]

mod wdm;

use ntsim::{
    Machine, hal,
    mem::{MemoryModel, Protection},
};
use std::rc::Rc;
use wdk_sys::{ntddk::*, *};
use wdm::dma::*;

#[test]
fn what_a_device_writes_through_a_list_arrives() {
    for model in MODELS {
        let bench = bench(model);
        let buffer = bench.m.user_memory().allocate(10_000, 4000, Protection::ReadWrite);
        let range = buffer.range();
        let function = bench.function;
        bench
            .with_adapter(2, move |adapter| unsafe {
                let address = core::ptr::with_exposed_provenance_mut(range.address);
                let mdl = IoAllocateMdl(address, range.length as u32, 0, 0, core::ptr::null_mut());
                MmProbeAndLockPages(mdl, 1, _LOCK_OPERATION::IoWriteAccess);
                let lists = Lists::default();
                assert_eq!(get(adapter, mdl, 0, &lists), STATUS_SUCCESS);
                let list = lists.borrow()[0];
                let mut next = 0_u8;
                for (address, length) in elements(list) {
                    let bytes: Vec<_> = (0..length)
                        .map(|_| {
                            next = next.wrapping_add(1);
                            next
                        })
                        .collect();
                    hal::device_write(function, address, &bytes).unwrap();
                }
                put(adapter, list, 0);
                MmUnlockPages(mdl);
                IoFreeMdl(mdl);
                put_adapter(adapter);
            })
            .unwrap();
        let bytes = buffer.to_vec();
        assert!(
            bytes
                .iter()
                .enumerate()
                .all(|(at, byte)| *byte == (at as u8).wrapping_add(1)),
            "{model:?}"
        );
    }
}

#[test]
fn elements_are_cut_as_the_machine_is_built() {
    for (elements_option, expected) in [(hal::Elements::PerPage, 3), (hal::Elements::Coalesced, 1)] {
        let m = Machine::builder()
            .memory(MemoryModel::Iommu)
            .with(|options| options.dma_elements = elements_option)
            .build();
        let count = bench_on(m)
            .with_adapter(2, |adapter| {
                let lists = Lists::default();
                get(adapter, locked(2 * 4096 + 1, 4095), 1, &lists);
                let list = lists.borrow()[0];
                elements(list).len()
            })
            .unwrap();
        assert_eq!(count, expected);
    }
}

#[test]
fn build_needs_the_memory_that_calculate_says() {
    bench(MemoryModel::Flat)
        .with_adapter(3, |adapter| unsafe {
            let mdl = locked(3 * 4096, 0);
            let table = operations(adapter);
            let (mut size, mut registers) = (0, 0);
            let calculate = table.CalculateScatterGatherList.unwrap();
            calculate(adapter, mdl, start_of(mdl), 3 * 4096, &raw mut size, &raw mut registers);
            assert_eq!((size, registers), (16 + 3 * 24, 3));
            calculate(
                adapter,
                core::ptr::null_mut(),
                core::ptr::null_mut(),
                1_052_672,
                &raw mut size,
                core::ptr::null_mut(),
            );
            assert_eq!(size, 6184);
            let mut context = [0_u64; 16];
            let context_at: PVOID = context.as_mut_ptr().cast();
            (table.InitializeDmaTransferContext.unwrap())(adapter, context_at);
            let build = table.BuildScatterGatherListEx.unwrap();
            let mut memory = [0_u64; 64];
            let lists = Lists::default();
            let keep_at = Rc::as_ptr(&lists).cast_mut().cast();
            let mut run = |length| {
                let (none, at) = (core::ptr::null_mut(), memory.as_mut_ptr().cast());
                at_dispatch(|| {
                    build(
                        adapter,
                        none,
                        context_at,
                        mdl,
                        0,
                        3 * 4096,
                        0,
                        Some(keep),
                        keep_at,
                        1,
                        at,
                        length,
                        None,
                        none.cast(),
                        none.cast(),
                    )
                })
            };
            assert_eq!(run(16 + 2 * 24), STATUS_BUFFER_TOO_SMALL);
            assert_eq!(run(16 + 3 * 24), STATUS_SUCCESS);
            let list = lists.borrow()[0];
            assert_eq!(list.addr(), memory.as_ptr().addr());
            put(adapter, list, 1);
            assert!(
                elements(list)
                    .iter()
                    .all(|(address, _)| *address == 0xDDDD_DDDD_DDDD_DDDD),
                "the list is spoiled"
            );
        })
        .unwrap();
}

#[test]
fn lists_wait_for_map_registers() {
    let options = |registers| {
        let builder = Machine::builder().memory(MemoryModel::Flat);
        builder
            .with(|options| options.map_registers = hal::Registers::Limited(registers))
            .build()
    };
    let bench = bench_on(options(3));
    let pdo = bench.pdo;
    bench
        .m
        .run_as_driver("driver", move || {
            let (mut description, mut registers) = (description(2), 0);
            let adapter = unsafe { IoGetDmaAdapter(pdo, &raw mut description, &raw mut registers) };
            assert_eq!(registers, 3);
            let lists = Lists::default();
            assert_eq!(
                get(adapter, locked(4 * 4096, 0), 1, &lists),
                STATUS_INSUFFICIENT_RESOURCES
            );
            assert_eq!(get(adapter, locked(2 * 4096, 0), 1, &lists), STATUS_SUCCESS);
            assert_eq!(get(adapter, locked(2 * 4096, 0), 1, &lists), STATUS_SUCCESS);
            assert_eq!(lists.borrow().len(), 1, "the second list waits");
            let first = lists.borrow()[0];
            put(adapter, first, 1);
            unsafe { KeFlushQueuedDpcs() };
            assert_eq!(lists.borrow().len(), 2, "and comes when the registers are free");
            let second = lists.borrow()[1];
            put(adapter, second, 1);
            put_adapter(adapter);
        })
        .unwrap();
}

#[test]
fn a_list_fails_when_a_test_says_so() {
    let bench = bench(MemoryModel::Flat);
    bench.m.fail_dma_list(1, STATUS_INSUFFICIENT_RESOURCES);
    let statuses = bench
        .with_adapter(2, |adapter| {
            let lists = Lists::default();
            [0; 3].map(|_| get(adapter, locked(1, 0), 1, &lists))
        })
        .unwrap();
    assert_eq!(
        statuses,
        [STATUS_SUCCESS, STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS]
    );
}

#[test]
fn common_buffers_are_shared_and_not_zeroed() {
    for model in MODELS {
        let bench = bench(model);
        let function = bench.function;
        bench
            .with_adapter(2, move |adapter| unsafe {
                let table = operations(adapter);
                let mut logical = PHYSICAL_ADDRESS::default();
                let at: *mut u8 = (table.AllocateCommonBuffer.unwrap())(adapter, 3 * 4096, &raw mut logical, 1).cast();
                assert_eq!(at.read(), 0xA5);
                let address = logical.QuadPart as u64;
                assert_ne!(address, 0);
                hal::device_write(function, address + 4090, &[7; 12]).unwrap();
                assert_eq!(at.add(4101).read_volatile(), 7);
                at.add(8192).write_volatile(9);
                let mut byte = [0];
                hal::device_read(function, address + 8192, &mut byte).unwrap();
                assert_eq!(byte, [9]);
                (table.FreeCommonBuffer.unwrap())(adapter, 3 * 4096, logical, at.cast(), 1);
                put_adapter(adapter);
            })
            .unwrap();
        let left: Vec<_> = bench
            .m
            .report()
            .ledger
            .into_iter()
            .filter(|entry| entry.kind != "device")
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
