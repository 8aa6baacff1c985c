//! What DMA tests share: a function that no driver has, an adapter for it, lists.

use super::{Function, rule};
use ntsim::{
    Machine,
    machine::MachineOwner,
    mem::{MemoryModel, Protection},
    pci::FunctionId,
    sched,
    verifier::Crash,
};
use std::{cell::RefCell, rc::Rc};
use wdk_sys::{ntddk::*, *};

pub const MODELS: [MemoryModel; 3] = [MemoryModel::Flat, MemoryModel::Scrambled, MemoryModel::Iommu];

/// A machine with a function that no driver has.
pub struct Bench {
    pub m: MachineOwner,
    pub pdo: PDEVICE_OBJECT,
    pub function: FunctionId,
}

pub fn bench_on(m: MachineOwner) -> Bench {
    let device = m.enumerate(Box::new(Function)).unwrap();
    let (pdo, function) = (device.pdo(), device.function());
    Bench { m, pdo, function }
}

pub fn bench(model: MemoryModel) -> Bench {
    bench_on(Machine::builder().memory(model).build())
}

impl Bench {
    /// Runs driver code with an adapter.
    #[allow(clippy::result_large_err, reason = "a crash explains itself at length")]
    pub fn with_adapter<T: 'static>(
        &self,
        version: u32,
        f: impl FnOnce(PDMA_ADAPTER) -> T + 'static,
    ) -> Result<T, Crash> {
        let pdo = self.pdo;
        self.m.run_as_driver("driver", move || f(adapter(pdo, version)))
    }

    /// The rule that driver code breaks.
    pub fn broken_by(&self, f: impl FnOnce(PDMA_ADAPTER) + 'static) -> &'static str {
        rule(&self.with_adapter(2, f).expect_err("the rule is broken"))
    }
}

pub fn broken_by(f: impl FnOnce(PDMA_ADAPTER) + 'static) -> &'static str {
    bench(MemoryModel::Iommu).broken_by(f)
}

pub fn description(version: u32) -> DEVICE_DESCRIPTION {
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

pub fn adapter(pdo: PDEVICE_OBJECT, version: u32) -> PDMA_ADAPTER {
    let (mut description, mut registers) = (description(version), 0);
    let adapter = unsafe { IoGetDmaAdapter(pdo, &raw mut description, &raw mut registers) };
    assert_eq!(registers, 257);
    adapter
}

pub fn operations(adapter: PDMA_ADAPTER) -> &'static DMA_OPERATIONS {
    unsafe { &*(*adapter).DmaOperations }
}

/// Runs `f` at DISPATCH_LEVEL.
pub fn at_dispatch<T>(f: impl FnOnce() -> T) -> T {
    let old = unsafe { KfRaiseIrql(DISPATCH_LEVEL as u8) };
    let result = f();
    unsafe { KeLowerIrql(old) };
    result
}

/// A locked MDL for `length` bytes of user memory at an offset in a page.
pub fn locked(length: usize, offset: usize) -> PMDL {
    let buffer = ntsim::machine::with(Machine::user_memory).allocate(length, offset, Protection::ReadWrite);
    let address = core::ptr::with_exposed_provenance_mut(buffer.range().address);
    std::mem::forget(buffer);
    unsafe {
        let mdl = IoAllocateMdl(address, length as u32, 0, 0, core::ptr::null_mut());
        MmProbeAndLockPages(mdl, 1, _LOCK_OPERATION::IoWriteAccess);
        mdl
    }
}

pub fn start_of(mdl: PMDL) -> PVOID {
    unsafe { (*mdl).StartVa.wrapping_byte_add((*mdl).ByteOffset as usize) }
}

pub type Lists = Rc<RefCell<Vec<PSCATTER_GATHER_LIST>>>;

pub unsafe extern "win64" fn keep(_device: PDEVICE_OBJECT, _irp: PIRP, list: PSCATTER_GATHER_LIST, context: PVOID) {
    assert_eq!(sched::current_irql(), DISPATCH_LEVEL as u8);
    unsafe {
        (*context.cast::<RefCell<Vec<PSCATTER_GATHER_LIST>>>())
            .borrow_mut()
            .push(list)
    };
}

/// GetScatterGatherList for all of an MDL.
pub fn get(adapter: PDMA_ADAPTER, mdl: PMDL, write: u8, lists: &Lists) -> NTSTATUS {
    let length = unsafe { (*mdl).ByteCount };
    get_part(adapter, mdl, start_of(mdl), length, write, lists)
}

pub fn get_part(adapter: PDMA_ADAPTER, mdl: PMDL, start: PVOID, length: u32, write: u8, lists: &Lists) -> NTSTATUS {
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

pub fn put(adapter: PDMA_ADAPTER, list: PSCATTER_GATHER_LIST, write: u8) {
    let put = operations(adapter).PutScatterGatherList.unwrap();
    at_dispatch(|| unsafe { put(adapter, list, write) });
}

pub fn put_adapter(adapter: PDMA_ADAPTER) {
    unsafe { (operations(adapter).PutDmaAdapter.unwrap())(adapter) };
}

pub fn elements(list: PSCATTER_GATHER_LIST) -> Vec<(u64, u32)> {
    unsafe {
        let first: *const SCATTER_GATHER_ELEMENT = list.cast::<u8>().add(size_of::<SCATTER_GATHER_LIST>()).cast();
        let each = (0..(*list).NumberOfElements as usize).map(|index| first.add(index).read());
        each.map(|element| (element.Address.QuadPart as u64, element.Length))
            .collect()
    }
}
