//! Device properties.

use super::Device;
use crate::kmdf::{memory, object};
use wdk_sys::*;

/// Asks twice: for the size, then for the bytes, which go into a new memory object.
fn into_memory(
    attributes: PWDF_OBJECT_ATTRIBUTES,
    handle: *mut WDFMEMORY,
    query: impl Fn(ULONG, PVOID, PULONG) -> NTSTATUS,
) -> NTSTATUS {
    let mut needed = 0;
    let status = query(0, core::ptr::null_mut(), &raw mut needed);
    if status != STATUS_BUFFER_TOO_SMALL {
        return if NT_SUCCESS(status) {
            STATUS_OBJECT_NAME_NOT_FOUND
        } else {
            status
        };
    }
    let mut bytes = vec![0u8; needed as usize];
    let status = query(needed, bytes.as_mut_ptr().cast(), &raw mut needed);
    if !NT_SUCCESS(status) {
        return status;
    }
    match memory::create_owned(attributes, bytes.len(), handle) {
        Ok(buffer) => {
            // SAFETY: the new buffer has as many bytes.
            unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.cast(), bytes.len()) };
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

fn query_data(
    pdo: PDEVICE_OBJECT,
    data: &WDF_DEVICE_PROPERTY_DATA,
    (length, buffer): (ULONG, PVOID),
    required: PULONG,
    of: PDEVPROPTYPE,
) -> NTSTATUS {
    // SAFETY: the bus driver's device object, the driver's key, and the buffers of the caller.
    unsafe {
        ntddk::IoGetDevicePropertyData(
            pdo,
            data.PropertyKey,
            data.Lcid,
            data.Flags,
            length,
            buffer,
            required,
            of,
        )
    }
}

/// Reads the structure that names a property.
fn property_data(data: PWDF_DEVICE_PROPERTY_DATA) -> Result<WDF_DEVICE_PROPERTY_DATA, NTSTATUS> {
    // SAFETY: the driver passes a readable structure.
    let data = unsafe { data.read() };
    let right = data.Size as usize == size_of::<WDF_DEVICE_PROPERTY_DATA>();
    if right {
        Ok(data)
    } else {
        Err(STATUS_INFO_LENGTH_MISMATCH)
    }
}

crate::wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// A property, into the driver's buffer.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDeviceQueryProperty(device: WDFDEVICE, property: DEVICE_REGISTRY_PROPERTY::Type, length: ULONG, buffer: PVOID, result: PULONG) -> NTSTATUS {
        let device = object::get::<Device>(device);
        // SAFETY: the driver's buffer and variable.
        unsafe { ntddk::IoGetDeviceProperty(device.pdo(), property, length, buffer, result) }
    }

    /// A property, into a new memory object.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDeviceAllocAndQueryProperty(device: WDFDEVICE, property: DEVICE_REGISTRY_PROPERTY::Type, _pool: POOL_TYPE, attributes: PWDF_OBJECT_ATTRIBUTES, memory: *mut WDFMEMORY) -> NTSTATUS {
        let device = object::get::<Device>(device);
        into_memory(attributes, memory, |length, buffer, result| {
            // SAFETY: the buffers of `into_memory`.
            unsafe { ntddk::IoGetDeviceProperty(device.pdo(), property, length, buffer, result) }
        })
    }

    /// A property by key, into the driver's buffer.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDeviceQueryPropertyEx(device: WDFDEVICE, property: PWDF_DEVICE_PROPERTY_DATA, length: ULONG, buffer: PVOID, required: PULONG, of: PDEVPROPTYPE) -> NTSTATUS {
        let device = object::get::<Device>(device);
        match property_data(property) {
            Ok(data) => query_data(device.pdo(), &data, (length, buffer), required, of),
            Err(status) => status,
        }
    }

    /// A property by key, into a new memory object.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDeviceAllocAndQueryPropertyEx(device: WDFDEVICE, property: PWDF_DEVICE_PROPERTY_DATA, _pool: POOL_TYPE, attributes: PWDF_OBJECT_ATTRIBUTES, memory: *mut WDFMEMORY, of: PDEVPROPTYPE) -> NTSTATUS {
        let device = object::get::<Device>(device);
        match property_data(property) {
            Ok(data) => into_memory(attributes, memory, |length, buffer, required| query_data(device.pdo(), &data, (length, buffer), required, of)),
            Err(status) => status,
        }
    }
}
