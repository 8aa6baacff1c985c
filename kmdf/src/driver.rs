//! The driver object: what `DriverEntry` makes.

use core::marker::PhantomData;

use wdk_sys::{
    DRIVER_OBJECT, NTSTATUS, PDRIVER_OBJECT, PUNICODE_STRING, PWDFDEVICE_INIT, WDF_DRIVER_CONFIG, WDFDRIVER,
    call_unsafe_wdf_function_binding,
};

use crate::context::{self, Context};
use crate::device::DeviceInit;
use crate::ledger::{Ledger, LedgerRef};
use crate::status::{NtStatus, Result, check, returned};

/// What a driver does.
pub trait DriverOps: Context {
    /// EvtDriverDeviceAdd: the system found a device for the driver. `PASSIVE_LEVEL`.
    fn device_add(&self, init: DeviceInit<'_>) -> Result;

    /// EvtDriverUnload: all devices are gone. `PASSIVE_LEVEL`. A ledger that is not even shows what the driver leaks.
    fn unload(&self, ledger: &Ledger);
}

crate::context_type!(Ledger);

/// What the system passes to `DriverEntry`.
#[derive(Debug)]
pub struct EntryArguments<'a> {
    driver_object: PDRIVER_OBJECT,
    registry_path: PUNICODE_STRING,
    call: PhantomData<&'a mut DRIVER_OBJECT>,
}

impl EntryArguments<'_> {
    /// The arguments of `DriverEntry`.
    ///
    /// # Safety
    /// They are what the system passed to `DriverEntry`, which has not returned.
    pub unsafe fn new(driver_object: PDRIVER_OBJECT, registry_path: PUNICODE_STRING) -> Self {
        Self {
            driver_object,
            registry_path,
            call: PhantomData,
        }
    }

    /// Makes the framework's driver object with `ops` as its context, and returns what `DriverEntry` has to return. `PASSIVE_LEVEL`.
    pub fn create_driver<D: DriverOps>(self, ops: D) -> NTSTATUS {
        returned(self.create(ops))
    }

    fn create<D: DriverOps>(self, ops: D) -> Result {
        let mut config = WDF_DRIVER_CONFIG {
            Size: size_of::<WDF_DRIVER_CONFIG>() as u32,
            EvtDriverDeviceAdd: Some(on_device_add::<D>),
            EvtDriverUnload: Some(on_unload::<D>),
            ..Default::default()
        };
        let mut attributes = context::attributes::<D>();
        let mut driver = core::ptr::null_mut();
        let path = self.registry_path.cast_const();
        // SAFETY: the system's own arguments, in DriverEntry; the other pointers lead to locals.
        let status = unsafe {
            call_unsafe_wdf_function_binding!(
                WdfDriverCreate,
                self.driver_object,
                path,
                &raw mut attributes,
                &raw mut config,
                &raw mut driver
            )
        };
        check(status)?;
        // SAFETY: just made; it lives until the driver is unloaded.
        unsafe { context::add(driver.cast(), Ledger::default()) }?;
        // SAFETY: as above.
        unsafe { context::set(driver.cast(), ops) }.map(|_| ())
    }
}

callback! {
    unsafe extern "C" fn on_device_add<D: DriverOps>(driver: WDFDRIVER, init: PWDFDEVICE_INIT) -> NTSTATUS {
        // SAFETY: the framework passed the driver object to its callback.
        let ops = unsafe { context::get::<D>(driver.cast()) };
        // SAFETY: as above.
        let ledger = unsafe { context::get::<Ledger>(driver.cast()) };
        let (Some(ops), Some(ledger)) = (ops, ledger) else {
            return NtStatus::INTERNAL_ERROR.raw();
        };
        // SAFETY: the ledger is a context of the driver object.
        let ledger = unsafe { LedgerRef::new(ledger) };
        // SAFETY: the framework passed both to this callback.
        let init = unsafe { DeviceInit::new(init, driver, ledger) };
        returned(ops.device_add(init))
    }
}

callback! {
    unsafe extern "C" fn on_unload<D: DriverOps>(driver: WDFDRIVER) {
        // SAFETY: the framework passed the driver object to its callback.
        let ops = unsafe { context::get::<D>(driver.cast()) };
        // SAFETY: as above.
        let ledger = unsafe { context::get::<Ledger>(driver.cast()) };
        if let (Some(ops), Some(ledger)) = (ops, ledger) {
            ops.unload(ledger);
        }
    }
}
