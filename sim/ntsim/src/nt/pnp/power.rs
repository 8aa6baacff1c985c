//! The power manager: power IRPs that drivers ask for, and what they report.

use crate::{
    cross::{self, Domain, Returned},
    machine,
    nt::io,
    sched,
    verifier::{self, io as rules},
};
use wdk_sys::{
    _POWER_STATE_TYPE, IO_STATUS_BLOCK, IRP_MJ_POWER, IRP_MN_QUERY_POWER, IRP_MN_SET_POWER, NTSTATUS, PDEVICE_OBJECT,
    PIRP, POWER_STATE, POWER_STATE_TYPE, PREQUEST_POWER_COMPLETE, PVOID, STATUS_INVALID_PARAMETER_2,
    STATUS_NOT_SUPPORTED, STATUS_PENDING, UCHAR,
};

nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Sends a power IRP to the stack of a device, in a thread of its own.
    #[irql(..= DISPATCH_LEVEL)]
    #[trace("minor={MinorFunction} state=D{}", number(_POWER_STATE_TYPE::DevicePowerState, PowerState) - 1)]
    fn PoRequestPowerIrp(
        DeviceObject: PDEVICE_OBJECT, MinorFunction: UCHAR, PowerState: POWER_STATE, CompletionFunction: PREQUEST_POWER_COMPLETE, Context: PVOID,
        Irp: *mut PIRP
    ) -> NTSTATUS {
        request(Request { device: DeviceObject, minor: MinorFunction, state: PowerState, routine: CompletionFunction, context: Context }, Irp)
    }

    /// Notes the power state that a driver reports; the state before.
    #[irql(..= DISPATCH_LEVEL)]
    #[trace("type={} state={}", type_name(Type), number(Type, State))]
    fn PoSetPowerState(DeviceObject: PDEVICE_OBJECT, Type: POWER_STATE_TYPE, State: POWER_STATE) -> POWER_STATE {
        let new = number(Type, State);
        let key = (DeviceObject.addr(), Type);
        let old = machine::with(|m| m.pnp.reported_power.borrow_mut().insert(key, new));
        POWER_STATE { DeviceState: old.unwrap_or(0) }
    }

    /// Nothing: power IRPs are not serialized by this any more.
    #[irql(..= DISPATCH_LEVEL)]
    fn PoStartNextPowerIrp(Irp: PIRP) {
        let _ = Irp;
    }
}

impl Returned for POWER_STATE {
    fn traced(&self) -> Option<u64> {
        // SAFETY: both members are numbers.
        Some(u64::from(unsafe { self.DeviceState }.cast_unsigned()))
    }
}

/// A power IRP that a driver asks for.
#[derive(Clone, Copy)]
struct Request {
    device: PDEVICE_OBJECT,
    minor: UCHAR,
    state: POWER_STATE,
    routine: PREQUEST_POWER_COMPLETE,
    context: PVOID,
}

/// A power state as a number.
pub(super) fn number(kind: POWER_STATE_TYPE, state: POWER_STATE) -> i32 {
    if kind == _POWER_STATE_TYPE::SystemPowerState {
        // SAFETY: both members are numbers.
        unsafe { state.SystemState }
    } else {
        // SAFETY: both members are numbers.
        unsafe { state.DeviceState }
    }
}

/// The kind of a power state in words.
pub(super) fn type_name(kind: POWER_STATE_TYPE) -> &'static str {
    if kind == _POWER_STATE_TYPE::SystemPowerState {
        "system"
    } else {
        "device"
    }
}

/// Fills in the stack location of a power IRP.
pub(super) fn describe(stack: wdk_sys::PIO_STACK_LOCATION, minor: UCHAR, kind: POWER_STATE_TYPE, state: POWER_STATE) {
    // SAFETY: the next location of a fresh IRP; all fields are plain data.
    let location = unsafe { &mut *stack };
    location.MajorFunction = IRP_MJ_POWER as UCHAR;
    location.MinorFunction = minor;
    location.Parameters.Power.Type = kind;
    location.Parameters.Power.State = state;
}

fn request(request: Request, result: *mut PIRP) -> NTSTATUS {
    if !matches!(u32::from(request.minor), IRP_MN_SET_POWER | IRP_MN_QUERY_POWER) {
        if u32::from(request.minor) == wdk_sys::IRP_MN_WAIT_WAKE {
            cross::unimplemented("ntoskrnl.exe", "PoRequestPowerIrp for IRP_MN_WAIT_WAKE");
        }
        let text = format!("PoRequestPowerIrp with minor function {:#x}", request.minor);
        verifier::violation(rules::POWER_REQUEST, text);
        return STATUS_INVALID_PARAMETER_2;
    }
    let top = io::top_of(request.device);
    let finish = Box::new(move |irp: PIRP| finish(request, irp));
    // SAFETY: a live device object.
    let size = unsafe { (*top).StackSize };
    let irp = io::allocate(size, Domain::Kernel, Some(finish));
    io::set_status(irp, STATUS_NOT_SUPPORTED);
    describe(
        io::next_location(irp),
        request.minor,
        _POWER_STATE_TYPE::DevicePowerState,
        request.state,
    );
    if !result.is_null() {
        // SAFETY: the caller's result, valid for the call by contract.
        unsafe { result.write(irp) };
    }
    sched::spawn("power IRP", move || {
        io::send(top, irp);
    });
    STATUS_PENDING
}

/// A power IRP completed: the driver that asked for it hears of it.
fn finish(request: Request, irp: PIRP) {
    if let Some(routine) = request.routine {
        let result = io::result(irp);
        let mut block = IO_STATUS_BLOCK {
            Information: result.information,
            ..Default::default()
        };
        block.__bindgen_anon_1.Status = result.status;
        let block = &raw mut block;
        let Request {
            device,
            minor,
            state,
            context,
            ..
        } = request;
        // SAFETY: the driver's routine, called as documented for it.
        cross::callback(
            "RequestPowerComplete",
            || unsafe { routine(device, minor, state, context, block) },
            String::new,
        );
    }
    io::release(irp);
}
