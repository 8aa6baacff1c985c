//! Device control requests of the user process.

use super::{
    call, cancel,
    file::{self, DesiredAccess, Handle},
    irp::{self, IoResult},
};
use crate::{
    cross::Domain,
    machine::{self, Machine},
    mem::{self, Access, UserRange},
    sched,
    verifier::{self, Crash, io},
};
use std::{cell::Cell, rc::Rc};
use wdk_sys::{
    _MODE, IRP_BUFFERED_IO, IRP_DEALLOCATE_BUFFER, IRP_INPUT_OPERATION, IRP_MJ_DEVICE_CONTROL, METHOD_BUFFERED,
    METHOD_IN_DIRECT, METHOD_NEITHER, NT_ERROR, NTSTATUS, PIRP, PMDL, PVOID, STATUS_ACCESS_DENIED,
    STATUS_ACCESS_VIOLATION, STATUS_INVALID_HANDLE, UCHAR, ULONG,
};

/// A device control request.
#[derive(Debug, Clone)]
struct Control {
    code: u32,
    input: Vec<u8>,
    output: Option<UserRange>,
}

/// A request on its way.
#[derive(Debug, Clone)]
pub struct PendingIo {
    state: Rc<Pending>,
}

#[derive(Debug)]
struct Pending {
    irp: Cell<PIRP>,
    result: Cell<Option<IoResult>>,
    started: Cell<bool>,
}

impl Handle {
    /// Sends a device control request. It runs on a thread of its own: this returns at once, and the machine has to run for something to happen.
    #[must_use]
    pub fn ioctl(&self, code: u32, input: &[u8], output: Option<UserRange>) -> PendingIo {
        let state = Rc::new(Pending {
            irp: Cell::new(core::ptr::null_mut()),
            result: Cell::new(None),
            started: Cell::new(false),
        });
        let (pending, handle) = (Rc::clone(&state), self.clone());
        let control = Control {
            code,
            input: input.to_vec(),
            output: output.filter(|range| range.length > 0),
        };
        sched::spawn("DeviceIoControl", move || {
            if let Err(status) = start(&handle, control, &pending) {
                pending.finish(IoResult { status, information: 0 });
            }
        });
        PendingIo { state }
    }

    /// Sends a device control request and waits for it.
    ///
    /// # Errors
    /// The machine stopped.
    pub fn ioctl_and_wait(&self, code: u32, input: &[u8], output: Option<UserRange>) -> Result<IoResult, Crash> {
        machine::current().wait(&self.ioctl(code, input, output))
    }
}

impl PendingIo {
    /// How it ended, once it has.
    #[must_use]
    pub fn result(&self) -> Option<IoResult> {
        self.state.result.get()
    }

    /// Whether its issuer has given it to the driver, or it ended before that.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.state.started.get() || self.result().is_some()
    }

    /// Asks for its cancelation, on a thread of its own. Nothing happens when it has ended.
    pub fn cancel(&self) {
        let state = Rc::clone(&self.state);
        sched::spawn("CancelIoEx", move || {
            let irp = state.irp.get();
            if !irp.is_null() {
                cancel::cancel(irp);
            }
        });
    }
}

impl Machine {
    /// Runs until a request has ended.
    ///
    /// # Errors
    /// The machine stopped.
    pub fn wait(&self, io: &PendingIo) -> Result<IoResult, Crash> {
        self.run_until(|| io.result().is_some())?;
        Ok(io.result().expect("the run ended because the result is there"))
    }
}

impl Pending {
    fn finish(&self, result: IoResult) {
        self.irp.set(core::ptr::null_mut());
        self.result.set(Some(result));
        sched::notify();
    }
}

/// The access that a control code asks for.
fn access_needed(code: u32) -> DesiredAccess {
    DesiredAccess::from_bits_truncate(code >> 14 & 3)
}

fn start(handle: &Handle, control: Control, pending: &Rc<Pending>) -> Result<(), NTSTATUS> {
    if handle.is_closed() {
        return Err(STATUS_INVALID_HANDLE);
    }
    if !handle.access.contains(access_needed(control.code)) {
        return Err(STATUS_ACCESS_DENIED);
    }
    let top = file::related(handle.file);
    let method = control.code & 3;
    let state = Rc::clone(pending);
    let (file, output) = (handle.file, control.output);
    let finish = Box::new(move |irp: PIRP| {
        let result = settle(irp, method, output);
        state.irp.set(core::ptr::null_mut());
        irp::release(irp);
        file::dereference(file);
        state.finish(result);
    });
    // SAFETY: a live device object.
    let size = unsafe { (*top).StackSize };
    let irp = irp::allocate(size, Domain::Kernel, Some(finish));
    if let Err(status) = attach_buffers(irp, method, &control) {
        free_buffers(irp);
        irp::release(irp);
        return Err(status);
    }
    describe(irp, handle, &control);
    file::reference(handle.file);
    pending.irp.set(irp);
    pending.started.set(true);
    call::send(top, irp);
    Ok(())
}

/// Gives an IRP the buffers that its method says.
fn attach_buffers(irp: PIRP, method: u32, control: &Control) -> Result<(), NTSTATUS> {
    let output = control.output;
    let system_length = match method {
        METHOD_NEITHER => return attach_raw(irp, control),
        METHOD_BUFFERED => control.input.len().max(output.map_or(0, |range| range.length)),
        _ => control.input.len(),
    };
    if method == METHOD_BUFFERED
        && let Some(range) = output
    {
        mem::physical()
            .probe(range, Access::ReadWrite)
            .map_err(|_| STATUS_ACCESS_VIOLATION)?;
    }
    if system_length > 0 {
        let buffer = mem::kernel_allocate(system_length, *b"IoSB");
        // SAFETY: freshly allocated, at least as long as the input.
        unsafe { buffer.copy_from_nonoverlapping(control.input.as_ptr(), control.input.len()) };
        // SAFETY: a fresh IRP.
        let place = unsafe { &raw mut (*irp).AssociatedIrp.SystemBuffer };
        // SAFETY: as above.
        unsafe { place.write(buffer.cast()) };
        let input = if output.is_some() && method == METHOD_BUFFERED {
            IRP_INPUT_OPERATION
        } else {
            0
        };
        // SAFETY: a fresh IRP.
        let place = unsafe { &raw mut (*irp).Flags };
        // SAFETY: as above.
        unsafe { place.write(IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER | input) };
    }
    match output {
        Some(range) if method != METHOD_BUFFERED => lock_output(irp, method, range),
        Some(range) => {
            set_user_buffer(irp, range);
            Ok(())
        }
        None => Ok(()),
    }
}

fn set_user_buffer(irp: PIRP, range: UserRange) {
    // SAFETY: a fresh IRP.
    let place = unsafe { &raw mut (*irp).UserBuffer };
    // SAFETY: as above.
    unsafe { place.write(pointer(range)) };
}

/// A user address as drivers see it.
fn pointer(range: UserRange) -> PVOID {
    core::ptr::with_exposed_provenance_mut(range.address)
}

/// METHOD_NEITHER: the driver gets the user's addresses as they are. The input lies in user memory that lives as long as the machine.
fn attach_raw(irp: PIRP, control: &Control) -> Result<(), NTSTATUS> {
    if let Some(range) = control.output {
        set_user_buffer(irp, range);
    }
    if control.input.is_empty() {
        return Ok(());
    }
    let buffer = machine::with(Machine::user_memory).allocate(control.input.len(), 0, mem::Protection::ReadWrite);
    buffer.write(0, &control.input);
    let at = pointer(buffer.range());
    machine::with(|m| m.io.raw_inputs.borrow_mut().push(buffer));
    // SAFETY: the next location of a fresh IRP.
    let place = unsafe { &raw mut (*irp::next_location(irp)).Parameters.DeviceIoControl.Type3InputBuffer };
    // SAFETY: as above.
    unsafe { place.write(at) };
    Ok(())
}

/// Describes the user's buffer by an MDL and locks it: for reading by the driver, or for writing.
fn lock_output(irp: PIRP, method: u32, range: UserRange) -> Result<(), NTSTATUS> {
    let mdl = mem::allocate_mdl(pointer(range), range.length as ULONG, irp, false);
    let need = if method == METHOD_IN_DIRECT {
        Access::Read
    } else {
        Access::ReadWrite
    };
    mem::probe_and_lock(mdl, need).map_err(|_| STATUS_ACCESS_VIOLATION)
}

fn describe(irp: PIRP, handle: &Handle, control: &Control) {
    // SAFETY: a fresh IRP; all fields are plain data.
    let fields = unsafe { &mut *irp };
    fields.RequestorMode = _MODE::UserMode as i8;
    fields.Tail.Overlay.OriginalFileObject = handle.file;
    // SAFETY: the next location of a fresh IRP; all fields are plain data.
    let location = unsafe { &mut *irp::next_location(irp) };
    location.MajorFunction = IRP_MJ_DEVICE_CONTROL as UCHAR;
    location.FileObject = handle.file;
    location.Parameters.DeviceIoControl.IoControlCode = control.code;
    location.Parameters.DeviceIoControl.InputBufferLength = control.input.len() as ULONG;
    location.Parameters.DeviceIoControl.OutputBufferLength = control.output.map_or(0, |range| range.length) as ULONG;
}

/// What the I/O manager does when a request has completed.
fn settle(irp: PIRP, method: u32, output: Option<UserRange>) -> IoResult {
    let mut result = irp::result(irp);
    if method == METHOD_BUFFERED
        && let Some(range) = output
        && !NT_ERROR(result.status)
    {
        if result.information > range.length as u64 {
            let text = format!(
                "{} bytes are reported for an output buffer of {}",
                result.information, range.length
            );
            verifier::violation_with(
                io::INFORMATION_TOO_LARGE,
                [irp.addr() as u64, result.information, 0],
                text,
            );
        }
        let copied = UserRange {
            length: range.length.min(result.information as usize),
            ..range
        };
        let associated = irp::read(irp).AssociatedIrp;
        // SAFETY: it has a system buffer, because the request is buffered and has an output buffer.
        let buffer = unsafe { associated.SystemBuffer };
        if mem::physical().copy_to_user(buffer.cast(), copied).is_err() {
            result.status = STATUS_ACCESS_VIOLATION;
        }
    }
    free_buffers(irp);
    result
}

/// Unlocks and frees what an IRP carries.
fn free_buffers(irp: PIRP) {
    let fields = irp::read(irp);
    let mut mdl: PMDL = fields.MdlAddress;
    while !mdl.is_null() {
        let header = mem::mdl::read(mdl);
        if mem::mdl::has(&header, wdk_sys::MDL_PAGES_LOCKED) {
            mem::mdl_map::unlock(mdl);
        }
        mem::free_mdl(mdl);
        mdl = header.Next;
    }
    if fields.Flags & IRP_DEALLOCATE_BUFFER != 0 {
        // SAFETY: the flag says which member of the union it is.
        let buffer = unsafe { fields.AssociatedIrp.SystemBuffer };
        mem::kernel_free(buffer.cast());
    }
}
