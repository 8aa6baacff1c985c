//! Remarks of the recorded client: what it set up, and what it read back from the framework.

use crate::calls::{interrupt, object, queue};
use crate::client::device::handle;
use crate::scenario::Ev;
use crate::world::{Buffer, World};
use std::rc::Rc;
use wdk_sys::*;

/// Does what the next remark says, and compares what it says was read.
pub fn perform(world: &Rc<World>) {
    let Some(next) = world.script.next() else { return };
    let recorded = next.name.as_str();
    if recorded.ends_with("lock held") {
        return interrupt::locked(world, || saw(world, recorded));
    }
    if recorded == "map registers free again" {
        saw(world, recorded);
        return ntsim::machine::current().free_map_registers();
    }
    if recorded == "removing the device with the timer set and the work item queued" {
        // The recorded client set its timer here, which was not recorded.
        object::start_timer(world, 50);
    }
    saw(world, &seen(world, recorded));
}

fn saw(world: &World, text: &str) {
    world.saw(Ev::Note, text, String::new(), None);
}

/// The remark as it is here and now.
fn seen(world: &Rc<World>, recorded: &str) -> String {
    if let Some(rest) = recorded.strip_prefix("MDL byte offset=") {
        world.buffer.set(buffer(rest));
    }
    let completed = world.completed.get().cast_unsigned();
    match recorded {
        _ if recorded.starts_with("DmaCompleted out ") => format!(
            "DmaCompleted out status={completed:#x} bytes_transferred={}",
            transferred(world)
        ),
        _ if recorded.starts_with("out status=") && recorded.contains("bytes=") => {
            format!("out status={completed:#x} bytes={}", transferred(world))
        }
        _ if recorded.starts_with("out status=") => format!("out status={completed:#x}"),
        _ if recorded.starts_with("status ") => format!("status {completed:#x} bytes={}", transferred(world)),
        _ if recorded.starts_with("length=") => format!("length={}", world.length.get()),
        _ if recorded.starts_with("GetMaximumLength=") => lengths(world),
        _ if recorded.contains("done") => done(world, recorded),
        _ if recorded.starts_with("driver-owned: ") => {
            format!("driver-owned: WdfRequestIsCanceled={}", is_cancelled(world))
        }
        _ if recorded.starts_with("same request") => {
            format!("same request retrieved again first={}", retrieved_again(world))
        }
        _ if recorded.starts_with("timer start returned ") => {
            format!("timer start returned {}", object::start_timer(world, 50))
        }
        _ if recorded.starts_with("second start returned ") => {
            format!("second start returned {}", object::start_timer(world, 50))
        }
        _ => recorded.to_owned(),
    }
}

/// Reads `0 length=4096, va offset=0 length=4096 direction=0`.
fn buffer(text: &str) -> Buffer {
    let numbers: Vec<usize> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .collect();
    match numbers.as_slice() {
        &[byte_offset, mdl_length, va_offset, length, direction] => Buffer {
            byte_offset,
            mdl_length,
            va_offset,
            length,
            direction: i32::from(direction != 0),
        },
        _ => Buffer::default(),
    }
}

fn transferred(world: &World) -> usize {
    let transaction = handle(world.handles.transaction.get());
    // SAFETY: the client's transaction.
    unsafe { call_unsafe_wdf_function_binding!(WdfDmaTransactionGetBytesTransferred, transaction) }
}

fn lengths(world: &World) -> String {
    let enabler = handle(world.handles.enabler.get());
    // SAFETY: the client's enabler.
    let maximum = unsafe { call_unsafe_wdf_function_binding!(WdfDmaEnablerGetMaximumLength, enabler) };
    let direction = _WDF_DMA_DIRECTION::WdfDmaDirectionReadFromDevice;
    // SAFETY: as above.
    let fragment = unsafe { call_unsafe_wdf_function_binding!(WdfDmaEnablerGetFragmentLength, enabler, direction) };
    format!("GetMaximumLength={maximum} GetFragmentLength(read)={fragment}")
}

fn is_cancelled(world: &World) -> u8 {
    let request = handle(world.handles.request.get());
    // SAFETY: the client's request.
    unsafe { call_unsafe_wdf_function_binding!(WdfRequestIsCanceled, request) }
}

/// The recorded client took both requests of the manual queue again, which was not recorded.
fn retrieved_again(world: &World) -> u8 {
    let before = world.handles.request.get();
    let _status = queue::retrieve(world);
    let first = world.handles.request.get();
    let _status = queue::retrieve(world);
    u8::from(first == before)
}

/// A remark that says which IRPs came back, 0 or 1 behind each `=`.
fn done(world: &World, recorded: &str) -> String {
    let mut parts = Vec::new();
    let mut before = "";
    for word in recorded.split(' ') {
        parts.push(match word.split_once('=') {
            Some((key, _)) => format!("{key}={}", u8::from(is_done(world, recorded, before))),
            None => word.to_owned(),
        });
        before = word;
    }
    parts.join(" ")
}

/// Whether the IRP came back that a remark calls by the word before `done`.
fn is_done(world: &World, remark: &str, word: &str) -> bool {
    let named = |known: &str| known.starts_with(word) || known.ends_with(word);
    match word {
        "irp" if remark.starts_with("S3") => world.is_done("SYSTEM_S3"),
        "irp" if remark.starts_with("surprise") => world.is_done("SURPRISE_REMOVAL"),
        "manual" | "owned" | "cancelable" | "r1" | "r2" => world
            .sent
            .borrow()
            .iter()
            .any(|(name, sent)| named(name) && sent.done.get()),
        _ => world.is_done(&world.last_request.borrow()),
    }
}
