//! The `WdfDevice*` functions that are about the device object itself.

use super::{Device, query};
use crate::kmdf::object::{self, Ref};
use crate::kmdf::{self, driver, registry, verifier};
use crate::verifier::kmdf::INVALID_PARAMETER;
use wdk_sys::*;

crate::wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// The framework's device object.
    #[irql(any)]
    fn WdfDeviceWdmGetDeviceObject(device: WDFDEVICE) -> PDEVICE_OBJECT {
        object::get::<Device>(device).fdo()
    }

    /// The device object below.
    #[irql(any)]
    fn WdfDeviceWdmGetAttachedDevice(device: WDFDEVICE) -> PDEVICE_OBJECT {
        object::get::<Device>(device).attached()
    }

    /// The bus driver's device object.
    #[irql(any)]
    fn WdfDeviceWdmGetPhysicalDevice(device: WDFDEVICE) -> PDEVICE_OBJECT {
        object::get::<Device>(device).pdo()
    }

    /// The device of a device object; null when it is not the framework's.
    #[irql(any)]
    fn WdfWdmDeviceGetWdfDeviceHandle(device: PDEVICE_OBJECT) -> WDFDEVICE {
        let found = kmdf::state(|s| s.devices.borrow().get(&device.addr()).map(Ref::raw));
        found.unwrap_or(core::ptr::null_mut())
    }

    /// The driver.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceGetDriver(device: WDFDEVICE) -> WDFDRIVER {
        let _device = object::get::<Device>(device);
        driver::current().raw()
    }

    /// The alignment of buffers that the device needs, less one.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceGetAlignmentRequirement(device: WDFDEVICE) -> ULONG {
        let device = object::get::<Device>(device);
        // SAFETY: the framework's own device object.
        unsafe { (*device.fdo()).AlignmentRequirement }
    }

    /// Sets the alignment of buffers that the device needs, less one.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceSetAlignmentRequirement(device: WDFDEVICE, requirement: ULONG) {
        let device = object::get::<Device>(device);
        if requirement != ULONG::MAX && !(u64::from(requirement) + 1).is_power_of_two() {
            verifier::debug_break(INVALID_PARAMETER, format!("an alignment requirement is a power of two less one, not {requirement:#x}"));
        }
        // SAFETY: the framework's own device object.
        unsafe { (*device.fdo()).AlignmentRequirement = requirement };
    }

    /// The device characteristics.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceGetCharacteristics(device: WDFDEVICE) -> ULONG {
        let device = object::get::<Device>(device);
        // SAFETY: the framework's own device object.
        unsafe { (*device.fdo()).Characteristics }
    }

    /// Sets the device characteristics.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceSetCharacteristics(device: WDFDEVICE, characteristics: ULONG) {
        let device = object::get::<Device>(device);
        // SAFETY: the framework's own device object.
        unsafe { (*device.fdo()).Characteristics = characteristics };
    }

    /// The device cannot go on: the PnP manager removes it.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceSetFailed(device: WDFDEVICE, action: WDF_DEVICE_FAILED_ACTION) {
        let device = object::get::<Device>(device);
        let known = [_WDF_DEVICE_FAILED_ACTION::WdfDeviceFailedAttemptRestart, _WDF_DEVICE_FAILED_ACTION::WdfDeviceFailedNoRestart];
        if !known.contains(&action) {
            verifier::debug_break(INVALID_PARAMETER, format!("WDF_DEVICE_FAILED_ACTION {action}"));
            return;
        }
        device.pnp.driver_failed();
        query::invalidate(&device);
    }

    /// Whether the device may be stopped and removed; calls add up.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceSetStaticStopRemove(device: WDFDEVICE, stoppable: BOOLEAN) {
        let device = object::get::<Device>(device);
        let count = device.stop_count.get();
        device.stop_count.set(if stoppable == 0 { count + 1 } else { count.saturating_sub(1) });
    }

    /// The state of the power machine.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceGetDevicePowerState(device: WDFDEVICE) -> WDF_DEVICE_POWER_STATE {
        object::get::<Device>(device).pnp.power_state()
    }

    /// Idle settings. The device stays in D0 while the system works: going idle is the framework's choice, and this one never takes it.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDeviceAssignS0IdleSettings(device: WDFDEVICE, settings: PWDF_DEVICE_POWER_POLICY_IDLE_SETTINGS) -> NTSTATUS {
        let device = object::get::<Device>(device);
        // SAFETY: the driver passes a readable structure.
        let settings = unsafe { settings.read() };
        if settings.Size as usize != size_of::<WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS>() {
            return STATUS_INFO_LENGTH_MISMATCH;
        }
        let states = _DEVICE_POWER_STATE::PowerDeviceD1..=_DEVICE_POWER_STATE::PowerDeviceMaximum;
        if !states.contains(&settings.DxState) {
            return STATUS_INVALID_PARAMETER;
        }
        if !device.settings.owns_power_policy() {
            return STATUS_INVALID_DEVICE_REQUEST;
        }
        STATUS_SUCCESS
    }

    /// Keeps the device in D0, and brings it there.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceStopIdleActual(device: WDFDEVICE, wait: BOOLEAN, _tag: PVOID, _line: LONG, _file: PCCH) -> NTSTATUS {
        stop_idle(device, wait)
    }

    /// As WdfDeviceStopIdleActual.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceStopIdleNoTrack(device: WDFDEVICE, wait: BOOLEAN) -> NTSTATUS {
        stop_idle(device, wait)
    }

    /// Lets the device go idle again.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceResumeIdleActual(device: WDFDEVICE, _tag: PVOID, _line: LONG, _file: PCCH) {
        resume_idle(device);
    }

    /// As WdfDeviceResumeIdleActual.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceResumeIdleNoTrack(device: WDFDEVICE) {
        resume_idle(device);
    }

    /// The file object of an open file.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDeviceGetFileObject(device: WDFDEVICE, file: PFILE_OBJECT) -> WDFFILEOBJECT {
        let device = object::get::<Device>(device);
        device.file_object(file).map_or(core::ptr::null_mut(), |file| file.raw())
    }

    /// Opens the device's hardware or software key.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDeviceOpenRegistryKey(device: WDFDEVICE, of: ULONG, access: ACCESS_MASK, attributes: PWDF_OBJECT_ATTRIBUTES, key: *mut WDFKEY) -> NTSTATUS {
        let device = object::get::<Device>(device);
        registry::open_device(device.object(), device.pdo(), of, access, attributes, key)
    }
}

fn stop_idle(device: WDFDEVICE, wait: BOOLEAN) -> NTSTATUS {
    let device = object::get::<Device>(device);
    // SAFETY: callable in any context.
    let irql = unsafe { ntddk::KeGetCurrentIrql() };
    if wait != 0 && u32::from(irql) != PASSIVE_LEVEL {
        crate::verifier::violation(
            crate::verifier::kmdf::WAIT_NOT_ALLOWED,
            format!("WdfDeviceStopIdle was asked to wait at IRQL {irql}"),
        );
    }
    device.pnp.stop_idle(wait != 0)
}

fn resume_idle(device: WDFDEVICE) {
    let device = object::get::<Device>(device);
    if !device.pnp.resume_idle() {
        verifier::debug_break(INVALID_PARAMETER, "WdfDeviceResumeIdle without WdfDeviceStopIdle");
    }
}
