//! The IRPs of the record: built, sent, and seen on their way back.

use super::buffer;
use crate::scenario::Ev;
use crate::setup::{Control, Method, control_sent};
use crate::world::{World, world};
use core::mem::offset_of;
use std::cell::Cell;
use std::rc::Rc;
use wdk_sys::*;

/// An IRP that was sent.
pub struct Sent {
    irp: PIRP,
    pub done: Cell<bool>,
}

impl Sent {
    /// The IRP.
    pub fn irp(&self) -> PIRP {
        self.irp
    }
}

type Parameters = _IO_STACK_LOCATION__bindgen_ty_1;

/// The minor functions of PnP requests by their names in the record.
const PNP: [(&str, u32); 9] = [
    ("START_DEVICE", IRP_MN_START_DEVICE),
    ("QUERY_REMOVE", IRP_MN_QUERY_REMOVE_DEVICE),
    ("REMOVE_DEVICE", IRP_MN_REMOVE_DEVICE),
    ("CANCEL_REMOVE", IRP_MN_CANCEL_REMOVE_DEVICE),
    ("STOP_DEVICE", IRP_MN_STOP_DEVICE),
    ("QUERY_STOP", IRP_MN_QUERY_STOP_DEVICE),
    ("CANCEL_STOP", IRP_MN_CANCEL_STOP_DEVICE),
    ("QUERY_PNP_DEVICE_STATE", IRP_MN_QUERY_PNP_DEVICE_STATE),
    ("SURPRISE_REMOVAL", IRP_MN_SURPRISE_REMOVAL),
];

/// What an IRP asks for.
struct Request {
    major: u32,
    minor: u32,
    parameters: Parameters,
}

fn system_power(state: SYSTEM_POWER_STATE) -> Request {
    let mut parameters = Parameters::default();
    parameters.Power.Type = _POWER_STATE_TYPE::SystemPowerState;
    parameters.Power.State.SystemState = state;
    Request {
        major: IRP_MJ_POWER,
        minor: IRP_MN_SET_POWER,
        parameters,
    }
}

fn plain(major: u32) -> Request {
    Request {
        major,
        minor: 0,
        parameters: Parameters::default(),
    }
}

fn request(world: &World, name: &str, control: Control) -> Request {
    if let Some((_, minor)) = PNP.iter().find(|(known, _)| *known == name) {
        let start = *minor == IRP_MN_START_DEVICE;
        let parameters = if start {
            world.bus.start_parameters()
        } else {
            Parameters::default()
        };
        return Request {
            major: IRP_MJ_PNP,
            minor: *minor,
            parameters,
        };
    }
    match name {
        "CREATE" => plain(IRP_MJ_CREATE),
        "CLEANUP" => plain(IRP_MJ_CLEANUP),
        "CLOSE" => plain(IRP_MJ_CLOSE),
        "SYSTEM_S3" => system_power(_SYSTEM_POWER_STATE::PowerSystemSleeping3),
        "SYSTEM_S0" => system_power(_SYSTEM_POWER_STATE::PowerSystemWorking),
        "read" => plain(IRP_MJ_READ),
        _ => {
            let mut parameters = Parameters::default();
            parameters.DeviceIoControl.OutputBufferLength = control.output;
            parameters.DeviceIoControl.InputBufferLength = control.input;
            parameters.DeviceIoControl.IoControlCode =
                FILE_DEVICE_UNKNOWN << 16 | control.function << 2 | world.setup.method(name) as u32;
            Request {
                major: IRP_MJ_DEVICE_CONTROL,
                minor: 0,
                parameters,
            }
        }
    }
}

/// Builds an IRP of this name, and says for which device.
pub fn build(world: &World, name: &str) -> (Rc<Sent>, PDEVICE_OBJECT) {
    // SAFETY: a device object that stays; the reference is not given back.
    let top = unsafe { ntddk::IoGetAttachedDeviceReference(world.bus.pdo()) };
    // SAFETY: as above.
    let size = unsafe { (*top).StackSize };
    // SAFETY: at most DISPATCH_LEVEL.
    let irp = unsafe { ntddk::IoAllocateIrp(size, 0) };
    let control = control_sent(&world.setup, name, world.script.rest());
    let request = request(world, name, control);
    if request.major == IRP_MJ_DEVICE_CONTROL {
        name.clone_into(&mut world.last_request.borrow_mut());
        add_buffers(irp, control, world.setup.method(name));
    }
    if matches!(request.major, IRP_MJ_PNP | IRP_MJ_POWER) {
        let status = irp.wrapping_byte_add(offset_of!(IRP, IoStatus.__bindgen_anon_1.Status));
        // SAFETY: a field of a fresh IRP.
        unsafe { status.cast::<NTSTATUS>().write(STATUS_NOT_SUPPORTED) };
    }
    let file = matches!(request.major, IRP_MJ_PNP | IRP_MJ_POWER)
        .then(core::ptr::null_mut)
        .unwrap_or_else(|| world.file());
    let location = IO_STACK_LOCATION {
        MajorFunction: request.major as UCHAR,
        MinorFunction: request.minor as UCHAR,
        Control: (SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL) as UCHAR,
        Parameters: request.parameters,
        FileObject: file,
        CompletionRoutine: Some(came_back),
        ..Default::default()
    };
    let place = offset_of!(IRP, Tail.Overlay.__bindgen_anon_2.__bindgen_anon_1.CurrentStackLocation);
    // SAFETY: a field of a fresh IRP.
    let current = unsafe { irp.wrapping_byte_add(place).cast::<PIO_STACK_LOCATION>().read() };
    let next = current.wrapping_sub(1);
    // SAFETY: a fresh IRP has a next location.
    unsafe { next.write(location) };
    (
        Rc::new(Sent {
            irp,
            done: Cell::new(false),
        }),
        top,
    )
}

/// The buffers of a device control, as the I/O manager makes them for its method.
fn add_buffers(irp: PIRP, control: Control, method: Method) {
    let (input, output) = (control.input as usize, control.output as usize);
    let buffered = if method == Method::Buffered {
        input.max(output)
    } else {
        input
    };
    if method == Method::Neither {
        // SAFETY: fresh.
        unsafe { (*irp).UserBuffer = buffer::pages(output) };
        return;
    }
    if buffered != 0 {
        let place = irp.wrapping_byte_add(offset_of!(IRP, AssociatedIrp.SystemBuffer));
        // SAFETY: a field of a fresh IRP.
        unsafe { place.cast::<PVOID>().write(buffer::pages(buffered)) };
    }
    if method != Method::Buffered && output != 0 {
        // SAFETY: fresh.
        unsafe { (*irp).MdlAddress = buffer::mdl(0, output) };
    }
}

/// Sends an IRP, and says what the dispatch routine returned.
pub fn send(world: &Rc<World>, name: &str, sent: &Rc<Sent>, device: PDEVICE_OBJECT) {
    world.sent.borrow_mut().insert(name.to_owned(), Rc::clone(sent));
    if world.cancel_next.replace(false) {
        // SAFETY: the harness's own IRP.
        unsafe { ntddk::IoCancelIrp(sent.irp) };
    }
    // SAFETY: an IRP with a next location, for the device whose size it has.
    let status = unsafe { ntddk::IofCallDriver(device, sent.irp) };
    world.saw(
        Ev::Stim,
        &format!("{name} dispatch returned {:#x}", status.cast_unsigned()),
        String::new(),
        None,
    );
}

unsafe extern "win64" fn came_back(_device: PDEVICE_OBJECT, irp: PIRP, _context: PVOID) -> NTSTATUS {
    let world = world();
    let name = world.irp_name(irp);
    // SAFETY: the IRP is back.
    let status = unsafe { (*irp).IoStatus };
    // SAFETY: every value of the union is a status.
    let code = unsafe { status.__bindgen_anon_1.Status };
    world.saw(
        Ev::Irp,
        &name,
        format!("status={:#x} info={}", code.cast_unsigned(), status.Information),
        None,
    );
    if let Some(sent) = world.sent.borrow().get(&name) {
        sent.done.set(true);
    }
    ntsim::sched::notify();
    STATUS_MORE_PROCESSING_REQUIRED
}
