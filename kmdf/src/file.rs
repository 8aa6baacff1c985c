//! File objects: what the driver keeps for each handle to a device.

use wdk_sys::{
    _WDF_FILEOBJECT_CLASS, _WDF_TRI_STATE, PWDFDEVICE_INIT, WDF_FILEOBJECT_CONFIG, WDF_REQUEST_PARAMETERS, WDFDEVICE,
    WDFFILEOBJECT, WDFREQUEST, call_unsafe_wdf_function_binding,
};

use crate::context::{self, Context};
use crate::device::DeviceOps;
use crate::lock::SpinLock;
use crate::status::{NtStatus, Result};

/// What the driver keeps for a handle. Dropped when the file object is destroyed, after all its requests.
pub trait FileOps: Context {
    /// The device that is opened.
    type Device: DeviceOps;

    /// EvtDeviceFileCreate: the device is opened. `PASSIVE_LEVEL`. An error refuses the open.
    fn open(device: &Self::Device, file: &NewFile) -> Result<Self>;
}

/// A file object that has no context yet: the factory of its parts, which the framework deletes with it.
#[derive(Debug)]
pub struct NewFile {
    handle: WDFFILEOBJECT,
    access: u32,
}

impl NewFile {
    /// Whether the device was opened for all of `rights`, bits of an access mask. The I/O manager has then checked that the device's security descriptor gives them to
    /// whoever opened it. Rights that were only granted because `MAXIMUM_ALLOWED` was asked for do not count.
    pub const fn has_access(&self, rights: u32) -> bool {
        self.access & rights == rights
    }

    /// A spin lock that owns `value`.
    pub fn spin_lock<T>(&self, value: T) -> Result<SpinLock<T>> {
        SpinLock::new(self.handle.cast(), value)
    }
}

pub(crate) fn configure<F: FileOps>(init: PWDFDEVICE_INIT) {
    let mut config = WDF_FILEOBJECT_CONFIG {
        Size: size_of::<WDF_FILEOBJECT_CONFIG>() as u32,
        EvtDeviceFileCreate: Some(on_create::<F>),
        AutoForwardCleanupClose: _WDF_TRI_STATE::WdfUseDefault,
        FileObjectClass: _WDF_FILEOBJECT_CLASS::WdfFileObjectWdfCannotUseFsContexts,
        ..Default::default()
    };
    let mut attributes = context::attributes::<F>();
    // SAFETY: no device has been made of the init yet; the framework copies both records.
    unsafe {
        call_unsafe_wdf_function_binding!(
            WdfDeviceInitSetFileObjectConfig,
            init,
            &raw mut config,
            &raw mut attributes
        );
    }
}

callback! {
    unsafe extern "C" fn on_create<F: FileOps>(device: WDFDEVICE, request: WDFREQUEST, file: WDFFILEOBJECT) {
        // SAFETY: the framework passed the device to this callback.
        let device = unsafe { context::get::<F::Device>(device.cast()) };
        let opened = match device {
            Some(device) => {
                // SAFETY: the request is the one that this callback is about, and not completed.
                let access = unsafe { desired_access(request) };
                F::open(device, &NewFile { handle: file, access })
            }
            None => Err(NtStatus::DEVICE_NOT_READY),
        };
        // SAFETY: the framework passed the file object to this callback.
        let kept = opened.and_then(|value| unsafe { context::set(file.cast(), value) }.map(|_| ()));
        let status = kept.err().unwrap_or(NtStatus::SUCCESS);
        // SAFETY: the driver owns the create request, and completes it once.
        unsafe { call_unsafe_wdf_function_binding!(WdfRequestComplete, request, status.raw()) };
    }
}

/// What a create request asks for; nothing where it does not say.
///
/// # Safety
/// The request is a create request that the driver owns.
unsafe fn desired_access(request: WDFREQUEST) -> u32 {
    let mut parameters = WDF_REQUEST_PARAMETERS {
        Size: size_of::<WDF_REQUEST_PARAMETERS>() as u16,
        ..Default::default()
    };
    // SAFETY: the request is the driver's; the pointer leads to a local.
    unsafe { call_unsafe_wdf_function_binding!(WdfRequestGetParameters, request, &raw mut parameters) };
    // SAFETY: a pointer, valid whatever was stored; the framework has stored the parameters of a create request.
    let context = unsafe { parameters.Parameters.Create.SecurityContext };
    if context.is_null() {
        return 0;
    }
    // SAFETY: it lives as long as the create request.
    unsafe { (*context).DesiredAccess }
}
