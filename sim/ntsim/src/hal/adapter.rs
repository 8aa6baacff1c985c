//! DMA adapters: getting, putting and looking them up.

use super::{bounce, bus::Mapping, control::Registers, table, types::Direction};
use crate::{
    machine::{self, LedgerEntry},
    mem::{self, MemoryModel, PAGE},
    pci::{self, FunctionId},
    sched,
    trace::{self, Kind},
    verifier::{self, dma},
};
use core::ops::Range;
use std::collections::{BTreeMap, BTreeSet};
use wdk_sys::{
    _DEVICE_DESCRIPTION, _DMA_ADAPTER, DEVICE_DESCRIPTION, DISPATCH_LEVEL, DMA_ADAPTER, KIRQL, PASSIVE_LEVEL,
    PDEVICE_OBJECT, PDMA_ADAPTER, PULONG,
};

nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Makes a DMA adapter for a device. Null when there cannot be one.
    #[irql(PASSIVE_LEVEL)]
    fn IoGetDmaAdapter(
        PhysicalDeviceObject: PDEVICE_OBJECT, DeviceDescription: *mut _DEVICE_DESCRIPTION, NumberOfMapRegisters: PULONG
    ) -> *mut _DMA_ADAPTER {
        // SAFETY: the caller's description, valid for the call by contract.
        let description = unsafe { DeviceDescription.read() };
        let adapter = get(PhysicalDeviceObject, &description);
        if let Some((_, registers)) = adapter && !NumberOfMapRegisters.is_null() {
            // SAFETY: the caller's result, valid for the call by contract.
            unsafe { NumberOfMapRegisters.write(registers) };
        }
        adapter.map_or(core::ptr::null_mut(), |(adapter, _)| adapter)
    }
}

/// A live adapter.
#[derive(Debug)]
pub(crate) struct Adapter {
    /// Its number among the adapters of the device.
    pub(crate) index: u32,
    pub(crate) function: FunctionId,
    /// The bits of the addresses that the device can send.
    pub(crate) width: u32,
    /// The pages that all its lists together may have, or that one may.
    pub(crate) registers: u32,
    /// Pages in lists now.
    pub(crate) registers_used: u32,
    pub(crate) lists: BTreeMap<usize, List>,
    pub(crate) common: BTreeMap<usize, CommonBuffer>,
}

/// A scatter/gather list that a driver has.
#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) mappings: Vec<Mapping>,
    pub(crate) direction: Direction,
    pub(crate) elements: u32,
    pub(crate) pages: u32,
    pub(crate) own_memory: bool,
    /// The MDLs it covers, and which bytes of each.
    pub(crate) covers: Vec<(usize, Range<usize>)>,
}

/// A common buffer that a driver has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CommonBuffer {
    pub(crate) mapping: Mapping,
    pub(crate) logical: u64,
    pub(crate) length: u32,
    pub(crate) frame: mem::Frame,
}

/// The adapters of a machine.
#[derive(Debug, Default)]
pub(crate) struct Adapters {
    live: BTreeMap<usize, Adapter>,
    released: BTreeSet<usize>,
    /// How many adapters each device got so far.
    counts: BTreeMap<FunctionId, u32>,
}

impl Adapters {
    pub(crate) fn get(&self, adapter: PDMA_ADAPTER) -> Option<&Adapter> {
        self.live.get(&adapter.addr())
    }

    pub(crate) fn get_mut(&mut self, adapter: PDMA_ADAPTER) -> Option<&mut Adapter> {
        self.live.get_mut(&adapter.addr())
    }

    pub(crate) fn was_released(&self, adapter: PDMA_ADAPTER) -> bool {
        self.released.contains(&adapter.addr())
    }

    pub(crate) fn live_count(&self) -> usize {
        self.live.len()
    }

    /// Whether a list covers an MDL.
    pub(crate) fn maps(&self, mdl: wdk_sys::PMDL) -> bool {
        let mut lists = self.live.values().flat_map(|adapter| adapter.lists.values());
        lists.any(|list| list.covers.iter().any(|(covered, _)| *covered == mdl.addr()))
    }

    /// Whether a list covers some of these bytes of an MDL.
    pub(crate) fn overlaps(&self, function: FunctionId, covers: &[(usize, Range<usize>)]) -> bool {
        let adapters = self.live.values().filter(|adapter| adapter.function == function);
        let mut covered = adapters
            .flat_map(|adapter| adapter.lists.values())
            .flat_map(|list| &list.covers);
        covered.any(|(mdl, bytes)| {
            covers
                .iter()
                .any(|(other, more)| mdl == other && bytes.start < more.end && more.start < bytes.end)
        })
    }

    /// Adds what is outstanding.
    pub(crate) fn ledger(&self, out: &mut Vec<LedgerEntry>) {
        let mut add = |kind, count: usize, bytes: u64| {
            if count > 0 {
                out.push(LedgerEntry {
                    kind,
                    owner: "any".to_owned(),
                    count: count as u64,
                    bytes,
                });
            }
        };
        let lists = || self.live.values().flat_map(|adapter| adapter.lists.values());
        let buffers = || self.live.values().flat_map(|adapter| adapter.common.values());
        add("DMA adapter", self.live.len(), 0);
        add(
            "scatter/gather list",
            lists().count(),
            lists().map(|list| u64::from(list.pages) * PAGE as u64).sum(),
        );
        add(
            "common buffer",
            buffers().count(),
            buffers().map(|buffer| u64::from(buffer.length)).sum(),
        );
    }
}

/// The registers that an adapter for a description has.
fn registers(description: &DEVICE_DESCRIPTION) -> u32 {
    match machine::with(|m| m.options.map_registers) {
        Registers::Limited(registers) => registers,
        Registers::Enough if machine::with(|m| m.options.memory == MemoryModel::Bounce) => bounce::REGISTERS,
        Registers::Enough => description.MaximumLength.div_ceil(PAGE as u32) + 1,
    }
}

fn width(description: &DEVICE_DESCRIPTION) -> u32 {
    match description.DmaAddressWidth {
        width @ 1..=63 if description.Version == wdk_sys::DEVICE_DESCRIPTION_VERSION3 => width,
        _ if description.Dma64BitAddresses != 0 || description.Version == wdk_sys::DEVICE_DESCRIPTION_VERSION3 => 64,
        _ => 32,
    }
}

/// Makes an adapter; it and its number of map registers.
pub(crate) fn get(pdo: PDEVICE_OBJECT, description: &DEVICE_DESCRIPTION) -> Option<(PDMA_ADAPTER, u32)> {
    let version = description.Version;
    let Some(function) = pci::of_pdo(pdo) else {
        let text = "IoGetDmaAdapter was given a device object that is no PDO of the PCI bus";
        verifier::violation_with(dma::NOT_A_PDO, [pdo.addr() as u64, 0, 0], text);
        return None;
    };
    if version > wdk_sys::DEVICE_DESCRIPTION_VERSION3 {
        verifier::violation_with(
            dma::DESCRIPTION_VERSION,
            [u64::from(version), 0, 0],
            format!("version {version}"),
        );
        return None;
    }
    if description.Master == 0 || description.MaximumLength == 0 {
        return None;
    }
    let (registers, width) = (registers(description), width(description));
    let index = machine::with(|m| m.hal.adapters.borrow().counts.get(&function).copied().unwrap_or(0));
    trace::emit(Kind::Dma, "IoGetDmaAdapter", || describe(index, description, registers));
    if width < 64 && machine::with(|m| m.hal.bus.needs_wide_addresses()) {
        crate::cross::unimplemented(
            "HAL",
            "IoGetDmaAdapter for a device of less than 64 address bits in this memory model",
        );
    }
    let adapter: PDMA_ADAPTER = mem::kernel_allocate(size_of::<DMA_ADAPTER>(), *b"HalA").cast();
    let header = DMA_ADAPTER {
        Version: version.max(1) as u16,
        Size: size_of::<DMA_ADAPTER>() as u16,
        DmaOperations: table::of_version(version).cast_mut(),
    };
    // SAFETY: freshly allocated with this size.
    unsafe { adapter.write(header) };
    let entry = Adapter {
        index,
        function,
        width,
        registers,
        registers_used: 0,
        lists: BTreeMap::new(),
        common: BTreeMap::new(),
    };
    machine::with(|m| {
        let mut adapters = m.hal.adapters.borrow_mut();
        adapters.released.remove(&adapter.addr());
        adapters.counts.insert(function, index + 1);
        adapters.live.insert(adapter.addr(), entry);
    });
    Some((adapter, registers))
}

fn describe(index: u32, description: &DEVICE_DESCRIPTION, registers: u32) -> String {
    let address_width = if description.Version == wdk_sys::DEVICE_DESCRIPTION_VERSION3 {
        description.DmaAddressWidth
    } else {
        0
    };
    format!(
        "adapter={index} version={} master={} sg={} dma32={} dma64={} width={address_width} maxlen={} -> regs={registers}",
        description.Version,
        description.Master,
        description.ScatterGather,
        description.Dma32BitAddresses,
        description.Dma64BitAddresses,
        description.MaximumLength,
    )
}

/// Releases an adapter.
pub(crate) fn put(adapter: PDMA_ADAPTER) {
    check_level(Level::AtMost(PASSIVE_LEVEL), "PutDmaAdapter");
    let Some((lists, buffers)) = view(adapter, |adapter| (adapter.lists.len(), adapter.common.len())) else {
        return;
    };
    let address = adapter.addr() as u64;
    if buffers > 0 {
        let text = format!("an adapter was put while {buffers} common buffers of it are allocated");
        verifier::violation_with(dma::ADAPTER_WITH_COMMON_BUFFERS, [address, buffers as u64, 0], text);
    }
    if lists > 0 {
        let text = format!("an adapter was put while {lists} scatter/gather lists of it exist");
        verifier::violation_with(dma::ADAPTER_WITH_LISTS, [address, lists as u64, 0], text);
    }
    machine::with(|m| {
        let mut adapters = m.hal.adapters.borrow_mut();
        adapters.live.remove(&adapter.addr());
        adapters.released.insert(adapter.addr());
    });
    mem::kernel_free(adapter.cast());
}

/// Gives a live adapter to `f`; reports one that is not.
pub(crate) fn view<R>(adapter: PDMA_ADAPTER, f: impl FnOnce(&Adapter) -> R) -> Option<R> {
    enum Found<R> {
        Live(R),
        Released,
        Unknown,
    }
    let found = machine::with(|m| {
        let adapters = m.hal.adapters.borrow();
        match adapters.get(adapter) {
            Some(live) => Found::Live(f(live)),
            None if adapters.was_released(adapter) => Found::Released,
            None => Found::Unknown,
        }
    });
    match found {
        Found::Live(result) => return Some(result),
        Found::Released => {
            let text = "a DMA operation was given an adapter that PutDmaAdapter released";
            verifier::violation_with(dma::ADAPTER_RELEASED, [adapter.addr() as u64, 0, 0], text);
        }
        Found::Unknown => {
            let text = format!("a DMA operation was given {adapter:p}, which is no adapter");
            verifier::violation_with(dma::ADAPTER_NULL, [adapter.addr() as u64, 0, 0], text);
        }
    }
    None
}

/// Changes an adapter that is live.
pub(crate) fn change<R>(adapter: PDMA_ADAPTER, f: impl FnOnce(&mut Adapter) -> R) -> Option<R> {
    machine::with(|m| m.hal.adapters.borrow_mut().get_mut(adapter).map(f))
}

/// The number of an adapter for the trace; 0 when it is none.
pub(crate) fn index(adapter: PDMA_ADAPTER) -> u32 {
    machine::with(|m| m.hal.adapters.borrow().get(adapter).map_or(0, |adapter| adapter.index))
}

/// The IRQL that a DMA operation needs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Level {
    /// Exactly this one.
    Exactly(u32),
    /// This one or a lower one.
    AtMost(u32),
}

/// Reports a DMA operation at a wrong IRQL.
pub(crate) fn check_level(level: Level, name: &str) {
    let irql = sched::current_irql();
    let (fits, rule, needed) = match level {
        Level::Exactly(needed) => (irql == needed as KIRQL, dma::EXACT_IRQL, needed),
        Level::AtMost(needed) => (irql <= needed as KIRQL, dma::IRQL_TOO_HIGH, needed),
    };
    if !fits {
        let text = format!("{name} was called at IRQL {irql}; it needs {level:?}");
        verifier::violation_with(rule, [1, u64::from(needed), u64::from(irql)], text);
    }
}

/// DISPATCH_LEVEL, at which lists are made and put.
pub(crate) const AT_DISPATCH: Level = Level::Exactly(DISPATCH_LEVEL);
