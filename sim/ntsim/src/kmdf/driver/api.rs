//! The `WdfDriver*` functions.

use super::Driver;
use super::client::current;
use super::wdm::{FxAddDevice, FxUnload};
use crate::kmdf::device::FxDispatch;
use crate::kmdf::event::Event;
use crate::kmdf::object::{self, Attributes, Flags, New, ParentRule};
use crate::kmdf::sync::Constraints;
use crate::kmdf::{self, registry, verifier};
use crate::verifier::kmdf::{DRIVER_CREATED_TWICE, WRONG_STRUCTURE_SIZE};
use wdk_sys::*;

crate::wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Makes the driver object. The first framework call of a driver's entry point.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDriverCreate(driver_object: PDRIVER_OBJECT, _registry_path: PCUNICODE_STRING, attributes: PWDF_OBJECT_ATTRIBUTES, config: PWDF_DRIVER_CONFIG, driver: *mut WDFDRIVER) -> NTSTATUS {
        match create(driver_object, attributes, config) {
            Ok(handle) => {
                if !driver.is_null() {
                    // SAFETY: not null; the driver's own variable.
                    unsafe { driver.write(handle) };
                }
                STATUS_SUCCESS
            }
            Err(status) => status,
        }
    }

    /// The driver's service key, as it was passed to the entry point.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDriverGetRegistryPath(driver: WDFDRIVER) -> PWSTR {
        let _driver = object::get::<Driver>(driver);
        let path = kmdf::state(|s| s.driver.registry_path());
        // SAFETY: the entry stub's copy, valid until the driver is unbound.
        unsafe { (*path).Buffer }
    }

    /// The kernel's driver object.
    #[irql(any)]
    fn WdfDriverWdmGetDriverObject(driver: WDFDRIVER) -> PDRIVER_OBJECT {
        let _driver = object::get::<Driver>(driver);
        kmdf::state(|s| s.driver.driver_object())
    }

    /// The framework's driver object of a kernel's one.
    #[irql(any)]
    fn WdfWdmDriverGetWdfDriverHandle(driver_object: PDRIVER_OBJECT) -> WDFDRIVER {
        let ours = kmdf::state(|s| s.driver.driver_object());
        if ours == driver_object { current().raw() } else { core::ptr::null_mut() }
    }

    /// Opens the driver's `Parameters` key.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDriverOpenParametersRegistryKey(driver: WDFDRIVER, access: ACCESS_MASK, attributes: PWDF_OBJECT_ATTRIBUTES, key: *mut WDFKEY) -> NTSTATUS {
        let driver = object::get::<Driver>(driver);
        registry::open_parameters(driver.object(), access, attributes, key)
    }

    /// Whether the framework is at least of a version.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDriverIsVersionAvailable(driver: WDFDRIVER, version: PWDF_DRIVER_VERSION_AVAILABLE_PARAMS) -> BOOLEAN {
        let _driver = object::get::<Driver>(driver);
        // SAFETY: the driver passes a readable structure.
        let version = unsafe { version.read() };
        u8::from(version.MajorVersion == 1 && version.MinorVersion <= 31)
    }
}

fn create(
    driver_object: PDRIVER_OBJECT,
    attributes: PWDF_OBJECT_ATTRIBUTES,
    config: PWDF_DRIVER_CONFIG,
) -> Result<WDFDRIVER, NTSTATUS> {
    // SAFETY: the driver passes a readable structure.
    let config = unsafe { config.read() };
    if config.Size as usize != size_of::<WDF_DRIVER_CONFIG>() {
        verifier::debug_break(WRONG_STRUCTURE_SIZE, "WDF_DRIVER_CONFIG");
        return Err(STATUS_INFO_LENGTH_MISMATCH);
    }
    if kmdf::state(|s| s.driver.driver()).is_some() {
        verifier::debug_break(DRIVER_CREATED_TWICE, "a driver has one WDFDRIVER");
        return Err(STATUS_DRIVER_INTERNAL_ERROR);
    }
    let attributes = Attributes::read(attributes, ParentRule::Forbidden)?;
    let constraints = Constraints::DEFAULT.inherit(&attributes);
    let body = Driver {
        device_add: config.EvtDriverDeviceAdd,
        unload: config.EvtDriverUnload,
        constraints,
    };
    // SAFETY: the driver object stands for a device object here, as the kernel allows.
    let disposal = unsafe { ntddk::IoAllocateWorkItem(driver_object.cast()) };
    if disposal.is_null() {
        return Err(STATUS_INSUFFICIENT_RESOURCES);
    }
    let made = object::create(
        &New {
            attributes: &attributes,
            parent: None,
            flags: Flags::NO_DELETE | Flags::PASSIVE,
        },
        body,
    );
    let driver = made.inspect_err(|_| {
        // SAFETY: allocated above, never queued.
        unsafe { ntddk::IoFreeWorkItem(disposal) };
    })?;
    let raw = driver.raw();
    kmdf::state(|s| s.driver.set_driver(driver, disposal, Event::new(true)));
    take_over(driver_object, config.DriverInitFlags);
    Ok(raw)
}

/// Puts the framework's routines into the kernel's driver object.
fn take_over(driver_object: PDRIVER_OBJECT, init_flags: ULONG) {
    let non_pnp = init_flags & _WDF_DRIVER_INIT_FLAGS::WdfDriverInitNonPnpDriver.cast_unsigned() != 0;
    let no_dispatch = init_flags & _WDF_DRIVER_INIT_FLAGS::WdfDriverInitNoDispatchOverride.cast_unsigned() != 0;
    // SAFETY: the driver's own driver object, during its entry point.
    let object = unsafe { &mut *driver_object };
    object.DriverUnload = Some(FxUnload);
    if !no_dispatch {
        object.MajorFunction.fill(Some(FxDispatch));
    }
    if !non_pnp {
        // SAFETY: every driver object has an extension.
        unsafe { (*object.DriverExtension).AddDevice = Some(FxAddDevice) };
    }
}
