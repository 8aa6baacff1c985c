//! Deferred procedure calls.

use super::{header::type_code, spin};
use crate::{
    cross, machine,
    sched::{self, DpcEntry, Importance},
    verifier::{self, irql},
};
use std::{cell::Cell, rc::Rc};
use wdk_sys::{
    BOOLEAN, KDPC, KDPC_IMPORTANCE, NTSTATUS, PKDEFERRED_ROUTINE, PKDPC, PPROCESSOR_NUMBER, PRKDPC, PVOID,
    STATUS_INVALID_PARAMETER, STATUS_SUCCESS,
};

/// The importance that puts a DPC at the front of the queue.
const HIGH_IMPORTANCE: u8 = 2;
/// The first value of `Number` that names a processor.
const FIRST_TARGET: u16 = 0x20;

/// Queues a closure as a DPC of the current processor.
pub fn call_at_dispatch(name: &'static str, run: impl FnOnce() + 'static) {
    let run = Box::new(move || {
        run();
        spin::check_none_held("a DPC ends");
    });
    sched::queue_dpc(DpcEntry { key: 0, name, run }, None, Importance::Normal);
}

/// A copy of a DPC object.
fn read(dpc: PRKDPC) -> KDPC {
    // SAFETY: the caller of the exported function passes a DPC that was initialized; anything else faults here as it would there.
    unsafe { dpc.read() }
}

/// The type, importance and target of a DPC object.
fn target_info(dpc: &KDPC) -> [u8; 4] {
    // SAFETY: both views of the union are plain bytes.
    unsafe { dpc.__bindgen_anon_1.TargetInfoAsUlong }.to_le_bytes()
}

fn set_target_info(dpc: PRKDPC, info: [u8; 4]) {
    // SAFETY: as for `read`; the information is the first word of the object.
    unsafe { dpc.cast::<u32>().write(u32::from_le_bytes(info)) };
}

/// Marks a DPC object as queued or not, as the kernel does in `DpcData`.
fn set_queued(dpc: PRKDPC, mark: PVOID) {
    // SAFETY: as for `read`.
    unsafe { field!(dpc, KDPC, DpcData).write(mark) };
}

/// Queues a DPC object with its arguments; false when it is queued already.
pub(super) fn insert(dpc: PRKDPC, first: PVOID, second: PVOID) -> bool {
    let object = read(dpc);
    let [code, importance, ..] = target_info(&object);
    if code != type_code::DPC {
        verifier::fatal(
            irql::DPC_NOT_INITIALIZED,
            [0; 3],
            "a DPC was queued that was never initialized",
        );
    }
    if !object.DpcData.is_null() {
        return false;
    }
    // SAFETY: as for `read`.
    unsafe { field!(dpc, KDPC, SystemArgument1).write(first) };
    // SAFETY: as for `read`.
    unsafe { field!(dpc, KDPC, SystemArgument2).write(second) };
    set_queued(dpc, dpc.cast());
    let importance = if importance == HIGH_IMPORTANCE {
        Importance::High
    } else {
        Importance::Normal
    };
    let entry = DpcEntry {
        key: dpc.addr(),
        name: "DPC",
        run: Box::new(move || run(dpc)),
    };
    sched::queue_dpc(entry, target(&object), importance);
    true
}

fn target(object: &KDPC) -> Option<usize> {
    let [_, _, low, high] = target_info(object);
    u16::from_le_bytes([low, high])
        .checked_sub(FIRST_TARGET)
        .map(usize::from)
}

fn run(dpc: PRKDPC) {
    let object = read(dpc);
    set_queued(dpc, core::ptr::null_mut());
    let Some(routine) = object.DeferredRoutine else {
        verifier::fatal(irql::DPC_NOT_INITIALIZED, [0; 3], "a DPC has no routine")
    };
    cross::callback(
        "KDEFERRED_ROUTINE",
        // SAFETY: the driver gave this routine for this DPC; the arguments are those it asked for.
        || unsafe {
            routine(
                dpc,
                object.DeferredContext,
                object.SystemArgument1,
                object.SystemArgument2,
            )
        },
        String::new,
    );
    spin::check_none_held("a DPC ends");
}

crate::nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Makes a DPC object.
    #[irql(any)]
    fn KeInitializeDpc(dpc: PRKDPC, routine: PKDEFERRED_ROUTINE, context: PVOID) {
        // SAFETY: the caller passes memory for the object; zero is a valid value of every field.
        unsafe { dpc.write_bytes(0, 1) };
        set_target_info(dpc, [type_code::DPC, 1, 0, 0]);
        // SAFETY: as above.
        unsafe { field!(dpc, KDPC, DeferredRoutine).write(routine) };
        // SAFETY: as above.
        unsafe { field!(dpc, KDPC, DeferredContext).write(context) };
    }

    /// Queues a DPC. False when it is queued already.
    #[irql(any)]
    fn KeInsertQueueDpc(dpc: PRKDPC, first: PVOID, second: PVOID) -> BOOLEAN {
        BOOLEAN::from(insert(dpc, first, second))
    }

    /// Takes a DPC out of its queue. False when it is in none.
    #[irql(any)]
    fn KeRemoveQueueDpc(dpc: PRKDPC) -> BOOLEAN {
        let removed = sched::remove_dpc(dpc.addr()).is_some();
        if removed {
            set_queued(dpc, core::ptr::null_mut());
        }
        BOOLEAN::from(removed)
    }

    /// Waits until every DPC that is queued now has run.
    #[irql(PASSIVE_LEVEL)]
    fn KeFlushQueuedDpcs() {
        let processors = machine::with(|m| m.options.processors);
        let left = Rc::new(Cell::new(processors));
        for processor in 0..processors {
            let left = Rc::clone(&left);
            let run = Box::new(move || {
                left.set(left.get() - 1);
                sched::notify();
            });
            sched::queue_dpc(DpcEntry { key: 0, name: "flush DPC", run }, Some(processor), Importance::Normal);
        }
        sched::block("queued DPCs", || left.get() == 0, None);
    }

    /// Says how urgent a DPC is.
    #[irql(any)]
    fn KeSetImportanceDpc(dpc: PRKDPC, importance: KDPC_IMPORTANCE) {
        let [code, _, low, high] = target_info(&read(dpc));
        set_target_info(dpc, [code, importance as u8, low, high]);
    }

    /// Says on which processor a DPC runs.
    #[irql(any)]
    fn KeSetTargetProcessorDpcEx(dpc: PKDPC, number: PPROCESSOR_NUMBER) -> NTSTATUS {
        // SAFETY: the caller passes a valid processor number; anything else faults here as it would there.
        let number = unsafe { number.read() };
        if number.Group != 0 || usize::from(number.Number) >= machine::with(|m| m.options.processors) {
            return STATUS_INVALID_PARAMETER;
        }
        let [code, importance, ..] = target_info(&read(dpc));
        let [low, high] = (FIRST_TARGET + u16::from(number.Number)).to_le_bytes();
        set_target_info(dpc, [code, importance, low, high]);
        STATUS_SUCCESS
    }
}
