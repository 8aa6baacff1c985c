//! The driver object's routines: AddDevice and unload. The dispatch routine is the device's.

use super::client::current;
use crate::kmdf::call;
use crate::kmdf::device;
use wdk_sys::*;

crate::framework_callbacks! {
    /// A device that the driver is to control was found.
    fn FxAddDevice(_driver: PDRIVER_OBJECT, pdo: PDEVICE_OBJECT) -> NTSTATUS {
        let driver = current();
        let Some(device_add) = driver.device_add else { return STATUS_SUCCESS };
        let init = device::new_init(pdo);
        let raw = driver.raw();
        // SAFETY: the driver's callback; `init` is valid until `device::added` frees it.
        let status = call::status("EvtDriverDeviceAdd", || unsafe { device_add(raw, init) }, String::new);
        device::added(init, status)
    }

    /// The driver is being unloaded: its devices are gone. The entry stub unbinds afterwards.
    fn FxUnload(_driver: PDRIVER_OBJECT) {
        let driver = current();
        if let Some(unload) = driver.unload {
            let raw = driver.raw();
            // SAFETY: the driver's callback, with its driver handle.
            call::void("EvtDriverUnload", || unsafe { unload(raw) }, String::new);
        }
    }
}
