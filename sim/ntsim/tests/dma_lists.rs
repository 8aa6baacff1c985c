//! DMA adapters, scatter/gather lists and common buffers as a driver uses them, and each rule about them broken once.
#![allow(unsafe_code, reason = "kernel functions are unsafe")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "driver code that breaks the contracts on purpose; the contracts are what is tested"
)]

mod wdm;

use ntsim::{
    Machine, hal,
    machine::MachineOwner,
    mem::{MemoryModel, Protection},
    pci::FunctionId,
    sched,
    verifier::{Crash, Policy},
};
use std::{cell::RefCell, rc::Rc};
use wdk_sys::{ntddk::*, *};
use wdm::{Function, rule};

const MODELS: [MemoryModel; 3] = [MemoryModel::Flat, MemoryModel::Scrambled, MemoryModel::Iommu];

/// A machine with a function that no driver has.
struct Bench {
    m: MachineOwner,
    pdo: PDEVICE_OBJECT,
    function: FunctionId,
}

fn bench_on(m: MachineOwner) -> Bench {
    let device = m.enumerate(Box::new(Function)).unwrap();
    let (pdo, function) = (device.pdo(), device.function());
    Bench { m, pdo, function }
}

fn bench(model: MemoryModel) -> Bench {
    bench_on(Machine::builder().memory(model).build())
}

impl Bench {
    /// Runs driver code with an adapter.
    fn with_adapter<T: 'static>(&self, version: u32, f: impl FnOnce(PDMA_ADAPTER) -> T + 'static) -> Result<T, Crash> {
        let pdo = self.pdo;
        self.m.run_as_driver("driver", move || f(adapter(pdo, version)))
    }

    /// The rule that driver code breaks.
    fn broken_by(&self, f: impl FnOnce(PDMA_ADAPTER) + 'static) -> &'static str {
        rule(&self.with_adapter(2, f).expect_err("the rule is broken"))
    }
}

fn broken_by(f: impl FnOnce(PDMA_ADAPTER) + 'static) -> &'static str {
    bench(MemoryModel::Iommu).broken_by(f)
}

fn description(version: u32) -> DEVICE_DESCRIPTION {
    DEVICE_DESCRIPTION {
        Version: version,
        Master: 1,
        ScatterGather: 1,
        Dma32BitAddresses: 1,
        Dma64BitAddresses: 1,
        InterfaceType: _INTERFACE_TYPE::PCIBus,
        MaximumLength: 1 << 20,
        DmaAddressWidth: 64,
        ..Default::default()
    }
}

fn adapter(pdo: PDEVICE_OBJECT, version: u32) -> PDMA_ADAPTER {
    let (mut description, mut registers) = (description(version), 0);
    let adapter = unsafe { IoGetDmaAdapter(pdo, &raw mut description, &raw mut registers) };
    assert_eq!(registers, 257);
    adapter
}

fn operations(adapter: PDMA_ADAPTER) -> &'static DMA_OPERATIONS {
    unsafe { &*(*adapter).DmaOperations }
}

/// Runs `f` at DISPATCH_LEVEL.
fn at_dispatch<T>(f: impl FnOnce() -> T) -> T {
    let old = unsafe { KfRaiseIrql(DISPATCH_LEVEL as u8) };
    let result = f();
    unsafe { KeLowerIrql(old) };
    result
}

/// A locked MDL for `length` bytes of user memory at an offset in a page.
fn locked(length: usize, offset: usize) -> PMDL {
    let buffer = ntsim::machine::with(Machine::user_memory).allocate(length, offset, Protection::ReadWrite);
    let address = core::ptr::with_exposed_provenance_mut(buffer.range().address);
    std::mem::forget(buffer);
    unsafe {
        let mdl = IoAllocateMdl(address, length as u32, 0, 0, core::ptr::null_mut());
        MmProbeAndLockPages(mdl, 1, _LOCK_OPERATION::IoWriteAccess);
        mdl
    }
}

fn start_of(mdl: PMDL) -> PVOID {
    unsafe { (*mdl).StartVa.wrapping_byte_add((*mdl).ByteOffset as usize) }
}

type Lists = Rc<RefCell<Vec<PSCATTER_GATHER_LIST>>>;

unsafe extern "C" fn keep(_device: PDEVICE_OBJECT, _irp: PIRP, list: PSCATTER_GATHER_LIST, context: PVOID) {
    assert_eq!(sched::current_irql(), DISPATCH_LEVEL as u8);
    unsafe {
        (*context.cast::<RefCell<Vec<PSCATTER_GATHER_LIST>>>())
            .borrow_mut()
            .push(list)
    };
}

/// GetScatterGatherList for all of an MDL.
fn get(adapter: PDMA_ADAPTER, mdl: PMDL, write: u8, lists: &Lists) -> NTSTATUS {
    let length = unsafe { (*mdl).ByteCount };
    get_part(adapter, mdl, start_of(mdl), length, write, lists)
}

fn get_part(adapter: PDMA_ADAPTER, mdl: PMDL, start: PVOID, length: u32, write: u8, lists: &Lists) -> NTSTATUS {
    let get = operations(adapter).GetScatterGatherList.unwrap();
    let context = Rc::as_ptr(lists).cast_mut().cast();
    at_dispatch(|| unsafe {
        get(
            adapter,
            core::ptr::null_mut(),
            mdl,
            start,
            length,
            Some(keep),
            context,
            write,
        )
    })
}

fn put(adapter: PDMA_ADAPTER, list: PSCATTER_GATHER_LIST, write: u8) {
    let put = operations(adapter).PutScatterGatherList.unwrap();
    at_dispatch(|| unsafe { put(adapter, list, write) });
}

fn put_adapter(adapter: PDMA_ADAPTER) {
    unsafe { (operations(adapter).PutDmaAdapter.unwrap())(adapter) };
}

fn elements(list: PSCATTER_GATHER_LIST) -> Vec<(u64, u32)> {
    unsafe {
        let first: *const SCATTER_GATHER_ELEMENT = list.cast::<u8>().add(size_of::<SCATTER_GATHER_LIST>()).cast();
        let each = (0..(*list).NumberOfElements as usize).map(|index| first.add(index).read());
        each.map(|element| (element.Address.QuadPart as u64, element.Length))
            .collect()
    }
}

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
            let _ = unsafe { KeFlushQueuedDpcs() };
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

/// What a device does with the address of a list of one page after some other step.
fn device_after(
    model: MemoryModel,
    write: u8,
    step: impl FnOnce(PDMA_ADAPTER, PMDL, PSCATTER_GATHER_LIST, FunctionId, u64) + 'static,
) -> &'static str {
    let bench = bench(model);
    let function = bench.function;
    bench.broken_by(move |adapter| {
        let lists = Lists::default();
        let mdl = locked(1000, 100);
        get(adapter, mdl, write, &lists);
        let list = lists.borrow()[0];
        let address = elements(list)[0].0;
        step(adapter, mdl, list, function, address);
    })
}

#[test]
fn a_device_cannot_use_a_list_that_was_put() {
    let broken = device_after(MemoryModel::Iommu, 1, |adapter, _, list, function, address| {
        put(adapter, list, 1);
        let _ = hal::device_read(function, address, &mut [0; 4]);
    });
    assert_eq!(broken, "dma-iommu-fault");
}

#[test]
fn a_device_cannot_go_against_the_direction() {
    let write = device_after(MemoryModel::Iommu, 1, |_, _, _, function, address| {
        let _ = hal::device_write(function, address, &[0; 4]);
    });
    let read = device_after(MemoryModel::Iommu, 0, |_, _, _, function, address| {
        let _ = hal::device_read(function, address, &mut [0; 4]);
    });
    assert_eq!((write, read), ("dma-iommu-fault", "dma-iommu-fault"));
}

#[test]
fn a_device_cannot_leave_the_buffer() {
    let broken = device_after(MemoryModel::Iommu, 1, |_, _, _, function, address| {
        let _ = hal::device_read(function, address + 998, &mut [0; 4]);
    });
    assert_eq!(broken, "dma-outside-buffer");
}

#[test]
fn a_physical_address_is_no_device_address() {
    for model in [MemoryModel::Scrambled, MemoryModel::Iommu] {
        let broken = device_after(model, 1, |_, mdl, _, function, _| unsafe {
            let pfn = mdl.add(1).cast::<u64>().read();
            let _ = hal::device_read(function, pfn << 12, &mut [0; 4]);
        });
        assert_eq!(broken, "dma-untranslated-address", "{model:?}");
    }
}

#[test]
fn freed_memory_is_no_memory() {
    let bench = bench(MemoryModel::Flat);
    let function = bench.function;
    let broken = bench.broken_by(move |_| unsafe {
        let block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 5000, 1);
        let address = MmGetPhysicalAddress(block).QuadPart as u64;
        hal::device_write(function, address, &[1; 4]).unwrap();
        ExFreePool(block);
        let _ = hal::device_write(function, address, &[1; 4]);
    });
    assert_eq!(broken, "dma-no-memory");
}

#[test]
fn under_collect_a_faulting_access_fails_and_the_machine_goes_on() {
    let bench = bench_on(
        Machine::builder()
            .memory(MemoryModel::Iommu)
            .verifier(Policy::Collect)
            .build(),
    );
    let function = bench.function;
    let faults = bench
        .m
        .run("device", move || {
            hal::device_read(function, 0x1234_5000, &mut [0; 4]).is_err()
        })
        .unwrap();
    assert!(faults);
    assert_eq!(bench.m.findings()[0].rule.id, "dma-iommu-fault");
}

#[test]
fn adapter_rules() {
    let buffers = broken_by(|adapter| unsafe {
        let mut logical = PHYSICAL_ADDRESS::default();
        (operations(adapter).AllocateCommonBuffer.unwrap())(adapter, 1, &raw mut logical, 1);
        put_adapter(adapter);
    });
    assert_eq!(buffers, "dma-adapter-with-common-buffers");
    let lists = broken_by(|adapter| {
        get(adapter, locked(1, 0), 1, &Lists::default());
        put_adapter(adapter);
    });
    assert_eq!(lists, "dma-adapter-with-lists");
    let released = broken_by(|adapter| {
        let table = operations(adapter);
        put_adapter(adapter);
        unsafe { (table.GetDmaAlignment.unwrap())(adapter) };
    });
    assert_eq!(released, "dma-adapter-released");
    let null =
        broken_by(|adapter| _ = unsafe { (operations(adapter).GetDmaAlignment.unwrap())(core::ptr::null_mut()) });
    assert_eq!(null, "dma-adapter-null");
    let version = broken_by(|adapter| {
        _ = unsafe { (operations(adapter).GetDmaAdapterInfo.unwrap())(adapter, core::ptr::null_mut()) }
    });
    assert_eq!(version, "dma-operation-not-in-version");
    let level = broken_by(|adapter| at_dispatch(|| put_adapter(adapter)));
    assert_eq!(level, "dma-irql-too-high");
}

#[test]
fn description_rules() {
    let broken = |version, pdo: Option<PDEVICE_OBJECT>| {
        let bench = bench(MemoryModel::Flat);
        let pdo = pdo.unwrap_or(bench.pdo);
        let crash = bench.m.run_as_driver("driver", move || {
            let (mut description, mut registers) = (description(version), 0);
            unsafe { IoGetDmaAdapter(pdo, &raw mut description, &raw mut registers) };
        });
        rule(&crash.unwrap_err())
    };
    assert_eq!(broken(4, None), "dma-description-version");
    assert_eq!(broken(2, Some(core::ptr::without_provenance_mut(64))), "dma-not-a-pdo");
}

#[test]
fn list_rules() {
    let twice = broken_by(|adapter| {
        let lists = Lists::default();
        get(adapter, locked(1, 0), 1, &lists);
        let list = lists.borrow()[0];
        put(adapter, list, 1);
        put(adapter, list, 1);
    });
    assert_eq!(twice, "dma-list-free");
    let direction = broken_by(|adapter| {
        let lists = Lists::default();
        get(adapter, locked(1, 0), 1, &lists);
        let list = lists.borrow()[0];
        put(adapter, list, 0);
    });
    assert_eq!(direction, "dma-put-mismatch");
    let passive = broken_by(|adapter| unsafe {
        let mdl = locked(1, 0);
        let get = operations(adapter).GetScatterGatherList.unwrap();
        get(
            adapter,
            core::ptr::null_mut(),
            mdl,
            start_of(mdl),
            1,
            Some(keep),
            core::ptr::null_mut(),
            1,
        );
    });
    assert_eq!(passive, "dma-irql-exact");
    let part = |offset: isize, length| {
        broken_by(move |adapter| {
            let mdl = locked(100, 0);
            get_part(
                adapter,
                mdl,
                start_of(mdl).wrapping_byte_offset(offset),
                length,
                1,
                &Lists::default(),
            );
        })
    };
    assert_eq!(part(0, 0), "dma-zero-length");
    assert_eq!(part(100, 1), "dma-outside-mdl");
    assert_eq!(part(-1, 1), "dma-outside-mdl");
    assert_eq!(part(50, 51), "dma-length-past-mdl");
    let unlocked = broken_by(|adapter| unsafe {
        let mdl = locked(1, 0);
        MmUnlockPages(mdl);
        get(adapter, mdl, 1, &Lists::default());
    });
    assert_eq!(unlocked, "dma-unlocked-mdl");
    let again = broken_by(|adapter| {
        let mdl = locked(100, 0);
        get(adapter, mdl, 1, &Lists::default());
        get_part(
            adapter,
            mdl,
            start_of(mdl).wrapping_byte_add(99),
            1,
            0,
            &Lists::default(),
        );
    });
    assert_eq!(again, "dma-mapped-twice");
    let unlock = broken_by(|adapter| unsafe {
        let mdl = locked(100, 0);
        get(adapter, mdl, 1, &Lists::default());
        MmUnlockPages(mdl);
    });
    assert_eq!(unlock, "mdl-gone-during-dma");
}

#[test]
fn context_rule() {
    let bench = bench(MemoryModel::Flat);
    let crash = bench.with_adapter(3, |adapter| unsafe {
        let mdl = locked(1, 0);
        let mut context = [0_u64; 16];
        let get = operations(adapter).GetScatterGatherListEx.unwrap();
        let none = core::ptr::null_mut();
        at_dispatch(|| {
            get(
                adapter,
                none,
                context.as_mut_ptr().cast(),
                mdl,
                0,
                1,
                0,
                Some(keep),
                none.cast(),
                1,
                None,
                none.cast(),
                none.cast(),
            )
        });
    });
    assert_eq!(rule(&crash.unwrap_err()), "dma-context-not-initialized");
}

#[test]
fn common_buffer_rules() {
    let freed = |change: fn(&mut u32, &mut PHYSICAL_ADDRESS, &mut PVOID), times: usize| {
        broken_by(move |adapter| unsafe {
            let table = operations(adapter);
            let (mut length, mut logical) = (4096, PHYSICAL_ADDRESS::default());
            let mut at = (table.AllocateCommonBuffer.unwrap())(adapter, length, &raw mut logical, 1);
            change(&mut length, &mut logical, &mut at);
            for _ in 0..times {
                (table.FreeCommonBuffer.unwrap())(adapter, length, logical, at, 1);
            }
        })
    };
    assert_eq!(freed(|_, _, _| {}, 2), "dma-common-buffer-free");
    assert_eq!(freed(|length, _, _| *length = 1, 1), "dma-common-buffer-free");
    assert_eq!(freed(|_, logical, _| logical.QuadPart = 0, 1), "dma-common-buffer-free");
    assert_eq!(
        freed(|_, _, at| *at = at.wrapping_byte_add(8), 1),
        "dma-common-buffer-free"
    );
    let level = broken_by(|adapter| unsafe {
        let mut logical = PHYSICAL_ADDRESS::default();
        at_dispatch(|| (operations(adapter).AllocateCommonBuffer.unwrap())(adapter, 1, &raw mut logical, 1));
    });
    assert_eq!(level, "dma-irql-too-high");
}

#[test]
fn an_operation_that_is_not_implemented_names_itself() {
    let bench = bench(MemoryModel::Flat);
    let crash = bench.with_adapter(2, |adapter| unsafe {
        (operations(adapter).FreeMapRegisters.unwrap())(adapter, core::ptr::null_mut(), 1);
    });
    let text = crash.unwrap_err().to_string();
    assert!(text.contains("DMA_OPERATIONS!FreeMapRegisters"), "{text}");
}
