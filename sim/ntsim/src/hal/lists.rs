//! Scatter/gather lists: making, waiting for map registers, putting.

use super::{
    adapter::{self, AT_DISPATCH, List, check_level},
    control::{Outcome, Registers},
    request::{Resolved, Wanted},
    types::{Direction, Piece},
};
use crate::{
    cross, machine,
    mem::{self, MemoryModel},
    nt::ke,
    sched,
    trace::{self, Kind},
    verifier::{self, dma},
};
use wdk_sys::{
    DISPATCH_LEVEL, DMA_SYNCHRONOUS_CALLBACK, KIRQL, NTSTATUS, PDEVICE_OBJECT, PDMA_ADAPTER, PDRIVER_LIST_CONTROL,
    PHYSICAL_ADDRESS, PSCATTER_GATHER_LIST, PVOID, SCATTER_GATHER_ELEMENT, SCATTER_GATHER_LIST,
    STATUS_BUFFER_TOO_SMALL, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER, STATUS_SUCCESS,
};

/// Where a list is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// In memory of the HAL.
    Own,
    /// In memory of the caller.
    Callers {
        /// Where it begins.
        at: PVOID,
        /// Its length in bytes.
        length: u32,
    },
}

/// A call that asks for a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListCall {
    pub(crate) name: &'static str,
    pub(crate) adapter: PDMA_ADAPTER,
    pub(crate) device: PDEVICE_OBJECT,
    pub(crate) wanted: Wanted,
    pub(crate) direction: Direction,
    pub(crate) flags: u32,
    pub(crate) routine: PDRIVER_LIST_CONTROL,
    pub(crate) context: PVOID,
    pub(crate) place: Place,
    /// Where the caller wants the list when it gives no routine.
    pub(crate) result: *mut PSCATTER_GATHER_LIST,
}

/// A list that waits for map registers.
#[derive(Debug)]
pub(crate) struct Waiting(ListCall);

/// The size of a list with this many elements.
pub(crate) const fn size_of_list(elements: u32) -> u32 {
    (size_of::<SCATTER_GATHER_LIST>() + elements as usize * size_of::<SCATTER_GATHER_ELEMENT>()) as u32
}

impl ListCall {
    /// The text of the trace.
    pub(crate) fn describe(&self) -> String {
        let write = u32::from(self.direction == Direction::ToDevice);
        let start = format!(
            "adapter={} offset={} length={} WriteToDevice={write} flags={:#x}",
            adapter::index(self.adapter),
            self.wanted.offset(),
            self.wanted.length,
            self.flags
        );
        let size = match self.place {
            Place::Own => 0,
            Place::Callers { length, .. } => length,
        };
        match self.outcome() {
            Outcome::Now => format!("{start} bufsize={size} defer=0"),
            Outcome::Later => format!("{start} bufsize={size} defer=1"),
            Outcome::Short => {
                format!("{start} -> {STATUS_INSUFFICIENT_RESOURCES:#x} (map registers short, synchronous only)")
            }
            Outcome::Injected(status) => format!("{start} -> injected {status:#x}"),
        }
    }

    /// What will happen to the call.
    fn outcome(&self) -> Outcome {
        machine::with(|m| {
            if let Some(status) = m.hal.control.next_failure() {
                return Outcome::Injected(status);
            }
            let adapters = m.hal.adapters.borrow();
            let Some(adapter) = adapters.get(self.adapter) else {
                return Outcome::Now;
            };
            let limited = m.options.map_registers != Registers::Enough || m.options.memory == MemoryModel::Bounce;
            let full = limited && adapter.registers_used + self.wanted.pages() > adapter.registers;
            if !m.hal.control.is_short() && !full {
                Outcome::Now
            } else if self.flags & DMA_SYNCHRONOUS_CALLBACK != 0 {
                Outcome::Short
            } else {
                Outcome::Later
            }
        })
    }

    /// Carries the call out.
    pub(crate) fn run(self) -> NTSTATUS {
        check_level(AT_DISPATCH, self.name);
        let Some(registers) = adapter::view(self.adapter, |adapter| adapter.registers) else {
            return STATUS_INVALID_PARAMETER;
        };
        let outcome = self.outcome();
        machine::with(|m| m.hal.control.count());
        match outcome {
            Outcome::Injected(status) => return status,
            Outcome::Short => return STATUS_INSUFFICIENT_RESOURCES,
            Outcome::Now | Outcome::Later => {}
        }
        let resolved = match self.wanted.resolve() {
            Ok(resolved) => resolved,
            Err(status) => return status,
        };
        let pages = pages_of(&resolved);
        if pages > registers {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        if let Place::Callers { length, .. } = self.place
            && length < size_of_list(pages)
        {
            return STATUS_BUFFER_TOO_SMALL;
        }
        if outcome == Outcome::Later {
            machine::with(|m| m.hal.waiting.borrow_mut().push_back(Waiting(self)));
            return STATUS_SUCCESS;
        }
        let status = self.make(resolved);
        if status == STATUS_SUCCESS {
            trace::emit(Kind::Dma, self.name, || "returns -> 0x0".to_owned());
        }
        status
    }

    /// Makes the list and gives it to the caller.
    fn make(self, resolved: Resolved) -> NTSTATUS {
        let Some((function, width)) = adapter::view(self.adapter, |adapter| (adapter.function, adapter.width)) else {
            return STATUS_INVALID_PARAMETER;
        };
        if machine::with(|m| m.hal.adapters.borrow().overlaps(function, &resolved.covers)) {
            let text = "bytes of an MDL were mapped for the device that are mapped for it already";
            verifier::violation_with(dma::MAPPED_TWICE, [self.wanted.mdl.addr() as u64, 0, 0], text);
        }
        let pages = pages_of(&resolved);
        let mut mappings = Vec::new();
        let mut pieces = Vec::new();
        for part in &resolved.parts {
            let Some((mapping, more)) = machine::with(|m| m.hal.bus.map(function, part, self.direction, width)) else {
                mappings
                    .into_iter()
                    .for_each(|mapping| machine::with(|m| m.hal.bus.unmap(mapping)));
                return STATUS_INSUFFICIENT_RESOURCES;
            };
            mappings.push(mapping);
            pieces.extend(more);
        }
        let list = self.write(&pieces);
        let record = List {
            mappings,
            direction: self.direction,
            elements: pieces.len() as u32,
            pages,
            own_memory: matches!(self.place, Place::Own),
            covers: resolved.covers,
        };
        adapter::change(self.adapter, |adapter| {
            adapter.registers_used += pages;
            adapter.lists.insert(list.addr(), record);
        });
        self.deliver(list);
        STATUS_SUCCESS
    }

    /// Writes the list where it goes.
    fn write(&self, pieces: &[Piece]) -> PSCATTER_GATHER_LIST {
        let list: PSCATTER_GATHER_LIST = match self.place {
            Place::Own => mem::kernel_allocate(size_of_list(pieces.len() as u32) as usize, *b"HalS").cast(),
            Place::Callers { at, .. } => at.cast(),
        };
        // SAFETY: the list has room for its head: own memory, or the caller's, whose length was checked.
        let place = unsafe { &raw mut (*list).NumberOfElements };
        // SAFETY: as above.
        unsafe { place.write(pieces.len() as u32) };
        // SAFETY: as above.
        let place = unsafe { &raw mut (*list).Reserved };
        // SAFETY: as above.
        unsafe { place.write(0) };
        for (index, piece) in pieces.iter().enumerate() {
            let element = SCATTER_GATHER_ELEMENT {
                Address: PHYSICAL_ADDRESS {
                    QuadPart: piece.address.cast_signed(),
                },
                Length: piece.length,
                Reserved: 0,
            };
            // SAFETY: the list has room for one element for each page, and there are no more pieces than pages.
            unsafe { elements(list).wrapping_add(index).write(element) };
        }
        list
    }

    /// Gives the list to the caller's routine, or puts it where the caller wants it.
    fn deliver(&self, list: PSCATTER_GATHER_LIST) {
        if !self.result.is_null() {
            // SAFETY: the caller's result, valid while the call lasts; with a routine that runs later there is none.
            unsafe { self.result.write(list) };
        }
        let Some(routine) = self.routine else { return };
        let irp = if self.device.is_null() {
            core::ptr::null_mut()
        } else {
            // SAFETY: the device object of the call, live while its driver has a list.
            unsafe { (*self.device).CurrentIrp }
        };
        let (device, context) = (self.device, self.context);
        // SAFETY: the driver's routine, called as documented for it: at DISPATCH_LEVEL, with the list and the driver's context.
        cross::callback(
            "AdapterListControl",
            || unsafe { routine(device, irp, list, context) },
            String::new,
        );
    }
}

/// The elements of a list.
fn elements(list: PSCATTER_GATHER_LIST) -> *mut SCATTER_GATHER_ELEMENT {
    list.wrapping_byte_add(size_of::<SCATTER_GATHER_LIST>()).cast()
}

fn pages_of(resolved: &Resolved) -> u32 {
    resolved.parts.iter().map(|part| part.frames.len() as u32).sum()
}

/// How many elements a list has, for the trace.
pub(crate) fn element_count(adapter: PDMA_ADAPTER, list: PSCATTER_GATHER_LIST) -> u32 {
    machine::with(|m| {
        let adapters = m.hal.adapters.borrow();
        adapters
            .get(adapter)
            .and_then(|adapter| adapter.lists.get(&list.addr()))
            .map_or(0, |list| list.elements)
    })
}

/// Takes a list back: its mapping ends.
pub(crate) fn put(adapter: PDMA_ADAPTER, list: PSCATTER_GATHER_LIST, direction: Direction) {
    check_level(AT_DISPATCH, "PutScatterGatherList");
    let Some(found) = adapter::view(adapter, |adapter| adapter.lists.get(&list.addr()).cloned()) else {
        return;
    };
    let Some(record) = found else {
        let text = "PutScatterGatherList was given a list that the adapter does not have, or that was put before";
        return verifier::violation_with(dma::LIST_FREE, [list.addr() as u64, 0, 0], text);
    };
    if record.direction != direction {
        let text = format!(
            "a list made for {:?} was put as one for {direction:?}",
            record.direction
        );
        verifier::violation_with(dma::PUT_MISMATCH, [list.addr() as u64, 0, 0], text);
    }
    adapter::change(adapter, |adapter| {
        adapter.registers_used -= record.pages;
        adapter.lists.remove(&list.addr());
    });
    record
        .mappings
        .iter()
        .for_each(|mapping| machine::with(|m| m.hal.bus.unmap(*mapping)));
    spoil(list, record.elements);
    if record.own_memory {
        mem::kernel_free(list.cast());
    }
    schedule_waiting();
}

/// Makes the addresses of a list that is gone useless, so that nobody goes on using them unnoticed.
fn spoil(list: PSCATTER_GATHER_LIST, count: u32) {
    // SAFETY: the elements that were written when the list was made; its memory is still the list's.
    unsafe { elements(list).write_bytes(0xDD, count as usize) };
}

/// Lets the first waiting list have the registers that became free, in a DPC.
fn schedule_waiting() {
    let ready = machine::with(|m| {
        let ready = m
            .hal
            .waiting
            .borrow()
            .front()
            .is_some_and(|Waiting(call)| call.outcome() == Outcome::Now);
        if ready {
            m.hal.waiting.borrow_mut().pop_front()
        } else {
            None
        }
    });
    if let Some(waiting) = ready {
        ke::dpc::call_at_dispatch("AdapterListControl", move || run_waiting(waiting));
    }
}

/// Makes a list that waited. Its caller has no way to learn of a failure: as on hardware, that must not happen, so it stops the run.
fn run_waiting(Waiting(call): Waiting) {
    trace::emit(Kind::Dma, "map", || {
        "registers available: adapter list control runs".to_owned()
    });
    match call.wanted.resolve().map(|resolved| call.make(resolved)) {
        Ok(STATUS_SUCCESS) => schedule_waiting(),
        Ok(status) | Err(status) => cross::unimplemented(
            "HAL",
            if status == STATUS_INSUFFICIENT_RESOURCES {
                "a waiting scatter/gather list for which there are no device addresses"
            } else {
                "a waiting scatter/gather list whose MDL changed"
            },
        ),
    }
}

/// Makes every list that waits, at DISPATCH_LEVEL in the running context.
pub(super) fn run_waiting_now() {
    while let Some(waiting) = machine::with(|m| m.hal.waiting.borrow_mut().pop_front()) {
        let old = sched::raise(DISPATCH_LEVEL as KIRQL);
        run_waiting(waiting);
        sched::lower(old);
    }
}
