//! `WDFFILEOBJECT`: one per open handle, from IRP_MJ_CREATE to IRP_MJ_CLOSE.

use super::device::Device;
use super::object::{self, Attributes, Body, Flags, Kind, New, Ref, Typed};
use super::{call, irp, queue, request};
use wdk_sys::*;

/// The body of a `WDFFILEOBJECT`.
pub(crate) struct FileObject {
    device: WDFDEVICE,
    file: PFILE_OBJECT,
}

impl Body for FileObject {}

impl Typed for FileObject {
    const KIND: Kind = Kind::FileObject;
    type Raw = WDFFILEOBJECT__;
}

impl FileObject {
    /// The kernel's file object.
    pub(crate) fn wdm(&self) -> PFILE_OBJECT {
        self.file
    }
}

/// Handles IRP_MJ_CREATE.
pub(crate) fn create(device: &Ref<Device>, irp: PIRP) -> NTSTATUS {
    let Some(settings) = device.settings.file else {
        return if device.is_filter() {
            irp::skip(device.attached(), irp)
        } else {
            opened(irp)
        };
    };
    let file = match new_object(device, irp::location(irp).FileObject, &settings.attributes) {
        Ok(file) => file,
        Err(status) => return irp::complete_with(irp, status),
    };
    let Some(callback) = settings.config.EvtDeviceFileCreate else {
        return opened(irp);
    };
    let (device_handle, file_handle) = (device.raw(), file.raw());
    let body = |request| {
        // SAFETY: the driver's callback, with live handles.
        call::void(
            "EvtDeviceFileCreate",
            || unsafe { callback(device_handle, request, file_handle) },
            String::new,
        );
    };
    let status = request::present_create(device, irp, body);
    if !NT_SUCCESS(status) {
        forget(device, file.file);
    }
    status
}

/// The `Information` of a create that opened what was there.
const FILE_OPENED: u64 = 1;

/// Completes a create that nobody handles.
fn opened(irp: PIRP) -> NTSTATUS {
    irp::set_information(irp, FILE_OPENED);
    irp::complete_with(irp, STATUS_SUCCESS)
}

fn new_object(device: &Ref<Device>, file: PFILE_OBJECT, attributes: &Attributes) -> Result<Ref<FileObject>, NTSTATUS> {
    let body = FileObject {
        device: device.raw(),
        file,
    };
    let made = object::create(
        &New {
            attributes,
            parent: Some(device.object()),
            flags: Flags::NO_DELETE,
        },
        body,
    )?;
    device.files.borrow_mut().insert(file.addr(), made.clone());
    Ok(made)
}

/// The driver completed the request of an IRP_MJ_CREATE, whose IRP is about to be completed: a file that could not be opened has no cleanup and close.
pub(crate) fn create_completed(device: &Ref<Device>, irp: PIRP, status: NTSTATUS) {
    if !NT_SUCCESS(status) {
        forget(device, irp::location(irp).FileObject);
    }
}

/// Ends the object of a file.
fn forget(device: &Ref<Device>, file: PFILE_OBJECT) {
    let object = device.files.borrow_mut().remove(&file.addr());
    if let Some(object) = object {
        object.object().delete();
    }
}

/// Handles IRP_MJ_CLEANUP: the last handle was closed; requests may be outstanding.
pub(crate) fn cleanup(device: &Ref<Device>, irp: PIRP) -> NTSTATUS {
    let file = irp::location(irp).FileObject;
    let callback = device.settings.file.and_then(|settings| settings.config.EvtFileCleanup);
    if let (Some(callback), Some(object)) = (callback, device.file_object(file)) {
        let raw = object.raw();
        // SAFETY: the driver's callback, with a live handle.
        call::void("EvtFileCleanup", || unsafe { callback(raw) }, String::new);
    }
    queue::flush_file(device, file);
    done(device, irp)
}

/// Handles IRP_MJ_CLOSE: all requests of the file are complete.
pub(crate) fn close(device: &Ref<Device>, irp: PIRP) -> NTSTATUS {
    let file = irp::location(irp).FileObject;
    let callback = device.settings.file.and_then(|settings| settings.config.EvtFileClose);
    if let (Some(callback), Some(object)) = (callback, device.file_object(file)) {
        let raw = object.raw();
        // SAFETY: the driver's callback, with a live handle.
        call::void("EvtFileClose", || unsafe { callback(raw) }, String::new);
    }
    forget(device, file);
    done(device, irp)
}

/// Ends a cleanup or close: a filter passes it on.
fn done(device: &Ref<Device>, irp: PIRP) -> NTSTATUS {
    if device.is_filter() {
        irp::skip(device.attached(), irp)
    } else {
        irp::complete_with(irp, STATUS_SUCCESS)
    }
}

crate::wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// The name that was opened, behind the device's.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfFileObjectGetFileName(file: WDFFILEOBJECT) -> PUNICODE_STRING {
        let file = object::get::<FileObject>(file);
        // SAFETY: the kernel's file object lives as long as the framework's.
        unsafe { &raw mut (*file.file).FileName }
    }

    /// The `FO_*` flags.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfFileObjectGetFlags(file: WDFFILEOBJECT) -> ULONG {
        let file = object::get::<FileObject>(file);
        // SAFETY: the kernel's file object lives as long as the framework's.
        unsafe { (*file.file).Flags }
    }

    /// The device.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfFileObjectGetDevice(file: WDFFILEOBJECT) -> WDFDEVICE {
        object::get::<FileObject>(file).device
    }

    /// The kernel's file object.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfFileObjectWdmGetFileObject(file: WDFFILEOBJECT) -> PFILE_OBJECT {
        object::get::<FileObject>(file).wdm()
    }
}
