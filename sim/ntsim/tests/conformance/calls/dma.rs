//! DMA calls.

use super::{Action, Gave};
use crate::client::callbacks::program_dma;
use crate::client::device::{self, handle, observed};
use crate::harness::buffer;
use crate::scenario::{Ev, Event};
use crate::world::World;
use std::rc::Rc;
use wdk_sys::*;

/// The action of a DMA call.
pub fn action(world: &Rc<World>, name: &str) -> Option<Action> {
    prepare_lists(world);
    let request = world.handles.request.get();
    Some(match name {
        "WdfDmaEnablerCreate" => Box::new(|world| Gave::Status(device::create_enabler(world))),
        "WdfDmaTransactionCreate" => Box::new(|world| Gave::Status(create(world))),
        "WdfDmaTransactionInitialize" => Box::new(|world| Gave::Status(initialize(world))),
        "WdfDmaTransactionInitialize(output MDL)" => {
            Box::new(move |world| Gave::Status(initialize_output(world, request)))
        }
        "WdfDmaTransactionInitializeUsingRequest" => {
            Box::new(move |world| Gave::Status(initialize_using(world, request)))
        }
        "WdfDmaTransactionExecute" => Box::new(|world| Gave::Status(execute(world))),
        "WdfDmaTransactionRelease" => Box::new(|world| Gave::Status(release(world))),
        "WdfDmaTransactionDmaCompleted" => Box::new(|world| completed(world, Report::Full)),
        "WdfDmaTransactionDmaCompletedWithLength" => Box::new(|world| completed(world, Report::Length(100))),
        "WdfDmaTransactionDmaCompletedFinal" => {
            let length = final_length(world);
            Box::new(move |world| completed(world, Report::Final(length)))
        }
        "WdfDmaTransactionDmaCompletedFinal(1234)" => Box::new(|world| completed(world, Report::Final(1234))),
        "WdfDmaTransactionSetMaximumLength(1000)" => Box::new(|world| set_maximum_length(world)),
        "WdfDmaTransactionSetSingleTransferRequirement(TRUE)" => Box::new(|world| set_single(world)),
        "WdfDmaTransactionSetImmediateExecution(TRUE)" => Box::new(|world| set_immediate(world)),
        "WdfCommonBufferCreate" | "WdfCommonBufferCreate(DISPATCH)" => {
            Box::new(|world| Gave::Status(common_buffer(world)))
        }
        _ => return None,
    })
}

/// The recording HAL was told to fail, or to wait, before some calls: what it did in the call that is next says so.
fn prepare_lists(world: &Rc<World>) {
    let machine = ntsim::machine::current();
    let list = |event: &&Event| {
        event.ev == Ev::Dma && event.name.contains("ScatterGatherList") && event.args.contains("flags=")
    };
    let Some(list) = world.script.inside_call().iter().find(list) else {
        return;
    };
    if let Some((_, status)) = list.args.split_once("injected 0x") {
        let status = u32::from_str_radix(status, 16).expect("a status").cast_signed();
        machine.fail_dma_list(0, status);
    } else if list.args.contains("defer=1") || list.args.contains("registers short") {
        machine.withhold_map_registers();
    } else {
        machine.free_map_registers();
    }
}

fn transaction(world: &World) -> WDFDMATRANSACTION {
    handle(world.handles.transaction.get())
}

fn create(world: &World) -> NTSTATUS {
    let mut attributes = observed(0);
    let mut made: WDFDMATRANSACTION = core::ptr::null_mut();
    let enabler = handle(world.handles.enabler.get());
    // SAFETY: the client's enabler, and locals.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(WdfDmaTransactionCreate, enabler, &raw mut attributes, &raw mut made)
    };
    world.handles.transaction.set(made.addr());
    world.name(made.addr(), "transaction");
    status
}

fn initialize(world: &World) -> NTSTATUS {
    let wanted = world.buffer.get();
    let mdl = buffer::mdl(wanted.byte_offset, wanted.mdl_length);
    let va = buffer::address(mdl).wrapping_byte_add(wanted.va_offset);
    // SAFETY: the client's transaction, and an MDL of non-paged pool that is never freed.
    unsafe {
        call_unsafe_wdf_function_binding!(
            WdfDmaTransactionInitialize,
            transaction(world),
            Some(program_dma),
            wanted.direction,
            mdl,
            va,
            wanted.length
        )
    }
}

fn initialize_output(world: &World, request: usize) -> NTSTATUS {
    let mdl: PMDL = core::ptr::with_exposed_provenance_mut(world.handles.mdl.get());
    let direction = direction(world, request);
    // SAFETY: the client's transaction and the MDL of its request.
    unsafe {
        call_unsafe_wdf_function_binding!(
            WdfDmaTransactionInitialize,
            transaction(world),
            Some(program_dma),
            direction,
            mdl,
            buffer::address(mdl),
            buffer::length(mdl)
        )
    }
}

fn initialize_using(world: &World, request: usize) -> NTSTATUS {
    let direction = direction(world, request);
    // SAFETY: the client's transaction and request.
    unsafe {
        call_unsafe_wdf_function_binding!(
            WdfDmaTransactionInitializeUsingRequest,
            transaction(world),
            handle(request),
            Some(program_dma),
            direction
        )
    }
}

/// The direction in which the client uses a request.
fn direction(world: &World, request: usize) -> WDF_DMA_DIRECTION {
    let requests = world.requests.borrow();
    let name = requests
        .iter()
        .find(|(_, found)| **found == request)
        .map_or("", |(name, _)| name);
    WDF_DMA_DIRECTION::from(world.setup.writes_to_device(name))
}

fn execute(world: &World) -> NTSTATUS {
    // SAFETY: the client's transaction.
    unsafe { call_unsafe_wdf_function_binding!(WdfDmaTransactionExecute, transaction(world), core::ptr::null_mut()) }
}

fn release(world: &World) -> NTSTATUS {
    // SAFETY: the client's transaction.
    unsafe { call_unsafe_wdf_function_binding!(WdfDmaTransactionRelease, transaction(world)) }
}

/// How much the client reports.
enum Report {
    Full,
    Length(usize),
    Final(usize),
}

/// The length of a final report is in the remark that follows it, or it is 0.
fn final_length(world: &World) -> usize {
    let note = world.script.rest().iter().find(|event| event.ev == Ev::Note);
    note.and_then(|note| note.name.split_once("bytes=")?.1.parse().ok())
        .unwrap_or(0)
}

fn completed(world: &World, report: Report) -> Gave {
    let transaction = transaction(world);
    let mut status = 0;
    let place = &raw mut status;
    let over = match report {
        // SAFETY: the client's transaction, and a local.
        Report::Full => unsafe { call_unsafe_wdf_function_binding!(WdfDmaTransactionDmaCompleted, transaction, place) },
        // SAFETY: as above.
        Report::Length(length) => unsafe {
            call_unsafe_wdf_function_binding!(WdfDmaTransactionDmaCompletedWithLength, transaction, length, place)
        },
        // SAFETY: as above.
        Report::Final(length) => unsafe {
            call_unsafe_wdf_function_binding!(WdfDmaTransactionDmaCompletedFinal, transaction, length, place)
        },
    };
    world.completed.set(status);
    Gave::Truth(over)
}

fn set_maximum_length(world: &World) -> Gave {
    // SAFETY: the client's transaction.
    unsafe { call_unsafe_wdf_function_binding!(WdfDmaTransactionSetMaximumLength, transaction(world), 1000) };
    Gave::Nothing
}

fn set_single(world: &World) -> Gave {
    // SAFETY: the client's transaction.
    unsafe { call_unsafe_wdf_function_binding!(WdfDmaTransactionSetSingleTransferRequirement, transaction(world), 1) };
    Gave::Nothing
}

fn set_immediate(world: &World) -> Gave {
    // SAFETY: the client's transaction.
    unsafe { call_unsafe_wdf_function_binding!(WdfDmaTransactionSetImmediateExecution, transaction(world), 1) };
    Gave::Nothing
}

fn common_buffer(world: &World) -> NTSTATUS {
    let mut made: WDFCOMMONBUFFER = core::ptr::null_mut();
    let enabler = handle(world.handles.enabler.get());
    // SAFETY: the client's enabler, and a local.
    unsafe {
        call_unsafe_wdf_function_binding!(
            WdfCommonBufferCreate,
            enabler,
            8192,
            core::ptr::null_mut(),
            &raw mut made
        )
    }
}
