//! Each rule about DMA broken once: by a device, and by a driver.
#![allow(unsafe_code, reason = "kernel functions are unsafe")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "driver code that breaks the contracts on purpose; the contracts are what is tested"
)]

mod wdm;

use ntsim::{Machine, hal, mem::MemoryModel, pci::FunctionId, verifier::Policy};
use wdk_sys::{ntddk::*, *};
use wdm::{dma::*, rule};

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
