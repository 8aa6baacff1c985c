//! System threads.

use super::{header::Header, header::type_code, signal, spin};
use crate::{
    cross, machine, sched,
    verifier::{self, irql},
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};
use wdk_sys::{
    DISPATCHER_HEADER, HANDLE, NTSTATUS, PCLIENT_ID, PHANDLE, PKSTART_ROUTINE, POBJECT_ATTRIBUTES, PVOID,
    STATUS_INVALID_PARAMETER, STATUS_SUCCESS, ULONG,
};

/// The value of the first handle.
const FIRST_HANDLE: usize = 0x1_0000;

/// The part of a thread object that can be waited for; 16 bytes aligned like a kernel object.
#[repr(align(16))]
struct ThreadObject {
    header: core::cell::UnsafeCell<DISPATCHER_HEADER>,
}

/// The system threads of a machine, by handle.
#[derive(Default)]
pub(crate) struct Threads {
    handles: RefCell<BTreeMap<usize, Rc<ThreadObject>>>,
    /// Thread objects stay in place: pointers to them may be waited on after the handle is closed.
    objects: RefCell<Vec<Rc<ThreadObject>>>,
    next: Cell<usize>,
    /// The object of each thread that runs.
    running: RefCell<BTreeMap<sched::ContextId, Rc<ThreadObject>>>,
}

/// The thread object behind a handle.
#[must_use]
pub fn object_of(handle: HANDLE) -> Option<PVOID> {
    machine::with(|m| {
        m.ke.threads
            .handles
            .borrow()
            .get(&handle.addr())
            .map(|object| object.header.get().cast())
    })
}

/// Closes a handle of a thread. False when it is none.
#[must_use]
pub fn close_handle(handle: HANDLE) -> bool {
    machine::with(|m| m.ke.threads.handles.borrow_mut().remove(&handle.addr()).is_some())
}

fn make_object() -> (HANDLE, Rc<ThreadObject>) {
    // SAFETY: zero is a valid value of every field of the header.
    let header = unsafe { core::mem::zeroed() };
    let object = Rc::new(ThreadObject {
        header: core::cell::UnsafeCell::new(header),
    });
    Header::of(object.header.get()).initialize(type_code::THREAD, 0);
    let handle = machine::with(|m| {
        let threads = &m.ke.threads;
        threads.next.set(threads.next.get() + 1);
        let handle = FIRST_HANDLE + 4 * threads.next.get();
        threads.handles.borrow_mut().insert(handle, Rc::clone(&object));
        threads.objects.borrow_mut().push(Rc::clone(&object));
        handle
    });
    (core::ptr::without_provenance_mut(handle), object)
}

/// What every thread of a driver has to leave behind: nothing.
pub(super) fn check_end(what: &str) {
    spin::check_none_held(what);
    let (level, depth) = sched::with_context(|context| (context.irql.get(), context.critical.get()));
    if level != 0 || depth != 0 {
        let text = format!("{what} at IRQL {level}, inside {depth} critical regions");
        verifier::violation_with(irql::THREAD_END_STATE, [u64::from(level), u64::from(depth), 0], text);
    }
}

crate::nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Starts a thread of the system process.
    #[irql(PASSIVE_LEVEL)]
    fn PsCreateSystemThread(
        handle: PHANDLE,
        _access: ULONG,
        _attributes: POBJECT_ATTRIBUTES,
        _process: HANDLE,
        _client: PCLIENT_ID,
        routine: PKSTART_ROUTINE,
        context: PVOID,
    ) -> NTSTATUS {
        let Some(routine) = routine else { return STATUS_INVALID_PARAMETER };
        let (value, object) = make_object();
        sched::spawn("system thread", move || {
            let id = sched::context();
            machine::with(|m| m.ke.threads.running.borrow_mut().insert(id, Rc::clone(&object)));
            // SAFETY: the driver gave this routine, with this context.
            cross::callback("KSTART_ROUTINE", || unsafe { routine(context) }, String::new);
            check_end("a system thread returned");
            machine::with(|m| m.ke.threads.running.borrow_mut().remove(&id));
            signal(object.header.get());
        });
        // SAFETY: the caller passes memory for the handle; anything else faults here as it would there.
        unsafe { handle.write(value) };
        STATUS_SUCCESS
    }

    /// Ends the calling system thread.
    #[irql(PASSIVE_LEVEL)]
    fn PsTerminateSystemThread(_status: NTSTATUS) -> NTSTATUS {
        let id = sched::context();
        match machine::with(|m| m.ke.threads.running.borrow_mut().remove(&id)) {
            None => STATUS_INVALID_PARAMETER,
            Some(object) => {
                check_end("a system thread ended itself");
                signal(object.header.get());
                drop(object);
                sched::end_context()
            }
        }
    }
}
