//! The PCI bus driver: what a physical device object does with the requests that reach it.

use super::{bus_interface, power};
use crate::{
    machine,
    nt::io,
    pci::{self, FunctionId, PowerState},
    trace::{self, Kind},
};
use wdk_sys::{
    _DEVICE_POWER_STATE, _POWER_STATE_TYPE, DEVICE_CAPABILITIES, IO_STACK_LOCATION, IRP_MJ_PNP, IRP_MJ_POWER,
    IRP_MJ_SYSTEM_CONTROL, IRP_MN_CANCEL_REMOVE_DEVICE, IRP_MN_CANCEL_STOP_DEVICE, IRP_MN_QUERY_CAPABILITIES,
    IRP_MN_QUERY_INTERFACE, IRP_MN_QUERY_PNP_DEVICE_STATE, IRP_MN_QUERY_POWER, IRP_MN_QUERY_REMOVE_DEVICE,
    IRP_MN_QUERY_STOP_DEVICE, IRP_MN_REMOVE_DEVICE, IRP_MN_SET_POWER, IRP_MN_START_DEVICE, IRP_MN_STOP_DEVICE,
    IRP_MN_SURPRISE_REMOVAL, NTSTATUS, PDEVICE_CAPABILITIES, PDEVICE_OBJECT, PIRP, STATUS_INVALID_DEVICE_REQUEST,
    STATUS_SUCCESS,
};

/// Handles an IRP that reached a physical device object.
pub(crate) fn dispatch(pdo: PDEVICE_OBJECT, irp: PIRP) -> NTSTATUS {
    // SAFETY: the current location of a live IRP.
    let stack = unsafe { io::current_location(irp).read() };
    let function = pci::of_pdo(pdo);
    let old = io::result(irp).status;
    let status = match u32::from(stack.MajorFunction) {
        IRP_MJ_PNP => {
            trace::emit(Kind::Pdo, format!("PNP minor {:#x}", stack.MinorFunction), String::new);
            function.and_then(|function| pnp(pdo, function, &stack))
        }
        IRP_MJ_POWER => {
            trace::emit(Kind::Pdo, describe_power(&stack), String::new);
            function.and_then(|function| set_power(function, &stack))
        }
        IRP_MJ_SYSTEM_CONTROL => None,
        _ => Some(STATUS_INVALID_DEVICE_REQUEST),
    };
    let status = status.unwrap_or(old);
    io::set_status(irp, status);
    io::complete(irp);
    status
}

/// Handles a PnP request; none when the bus does not know it and leaves the status as it is.
fn pnp(pdo: PDEVICE_OBJECT, function: FunctionId, stack: &IO_STACK_LOCATION) -> Option<NTSTATUS> {
    match u32::from(stack.MinorFunction) {
        IRP_MN_START_DEVICE => {
            pci::start(function);
            Some(STATUS_SUCCESS)
        }
        IRP_MN_STOP_DEVICE | IRP_MN_REMOVE_DEVICE => {
            pci::stop(function);
            Some(STATUS_SUCCESS)
        }
        IRP_MN_QUERY_STOP_DEVICE
        | IRP_MN_CANCEL_STOP_DEVICE
        | IRP_MN_QUERY_REMOVE_DEVICE
        | IRP_MN_CANCEL_REMOVE_DEVICE
        | IRP_MN_SURPRISE_REMOVAL
        | IRP_MN_QUERY_PNP_DEVICE_STATE => Some(STATUS_SUCCESS),
        IRP_MN_QUERY_CAPABILITIES => {
            // SAFETY: the member that this request has.
            capabilities(function, unsafe { stack.Parameters.DeviceCapabilities.Capabilities });
            Some(STATUS_SUCCESS)
        }
        IRP_MN_QUERY_INTERFACE => {
            // SAFETY: the member that this request has.
            bus_interface::query(pdo, &unsafe { stack.Parameters.QueryInterface })
        }
        _ => None,
    }
}

/// What the function can do: D0 and D3, nothing in between, no wake.
fn capabilities(function: FunctionId, to: PDEVICE_CAPABILITIES) {
    // SAFETY: the record of the request, valid while it lasts.
    let mut record: DEVICE_CAPABILITIES = unsafe { to.read() };
    record.Address = function.0 << 16;
    record.UINumber = u32::MAX;
    record.DeviceState = [_DEVICE_POWER_STATE::PowerDeviceD3; 7];
    record.DeviceState[0] = _DEVICE_POWER_STATE::PowerDeviceUnspecified;
    record.DeviceState[wdk_sys::_SYSTEM_POWER_STATE::PowerSystemWorking as usize] = _DEVICE_POWER_STATE::PowerDeviceD0;
    record.SystemWake = wdk_sys::_SYSTEM_POWER_STATE::PowerSystemUnspecified;
    record.DeviceWake = _DEVICE_POWER_STATE::PowerDeviceUnspecified;
    // SAFETY: as above.
    unsafe { to.write(record) };
}

fn describe_power(stack: &IO_STACK_LOCATION) -> String {
    let minor = stack.MinorFunction;
    if u32::from(minor) != IRP_MN_SET_POWER && u32::from(minor) != IRP_MN_QUERY_POWER {
        return format!("POWER minor {minor:#x}");
    }
    // SAFETY: the member that these requests have.
    let parameters = unsafe { stack.Parameters.Power };
    let kind = power::type_name(parameters.Type);
    format!(
        "POWER minor {minor:#x} {kind} state {}",
        power::number(parameters.Type, parameters.State)
    )
}

/// Handles a power request; none when the bus does not know it.
fn set_power(function: FunctionId, stack: &IO_STACK_LOCATION) -> Option<NTSTATUS> {
    match u32::from(stack.MinorFunction) {
        IRP_MN_QUERY_POWER => Some(STATUS_SUCCESS),
        IRP_MN_SET_POWER => {
            // SAFETY: the member that this request has.
            let parameters = unsafe { stack.Parameters.Power };
            if parameters.Type == _POWER_STATE_TYPE::DevicePowerState {
                let on = power::number(parameters.Type, parameters.State) == _DEVICE_POWER_STATE::PowerDeviceD0;
                pci::set_power(function, if on { PowerState::D0 } else { PowerState::D3 });
            }
            Some(STATUS_SUCCESS)
        }
        _ => None,
    }
}

/// The driver object of the bus, made when the first device is plugged in.
pub(crate) fn driver() -> wdk_sys::PDRIVER_OBJECT {
    let known = machine::with(|m| m.pnp.bus_driver.get());
    if !known.is_null() {
        return known;
    }
    let driver = io::make_bus_driver("pci");
    machine::with(|m| m.pnp.bus_driver.set(driver));
    driver
}
