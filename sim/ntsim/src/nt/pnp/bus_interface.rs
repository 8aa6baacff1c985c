//! BUS_INTERFACE_STANDARD: a driver's access to the configuration space of its device.

use crate::{
    cross::{self, ExportInfo},
    pci,
};
use wdk_sys::{
    _INTERFACE, _IO_STACK_LOCATION__bindgen_ty_1__bindgen_ty_26, BOOLEAN, BUS_INTERFACE_STANDARD, GUID, NTSTATUS,
    PDEVICE_OBJECT, PHYSICAL_ADDRESS, PPHYSICAL_ADDRESS, PULONG, PVOID, STATUS_BUFFER_TOO_SMALL, STATUS_SUCCESS, ULONG,
    USHORT,
};

/// GUID_BUS_INTERFACE_STANDARD.
const BUS_INTERFACE: (u32, u16, u16, [u8; 8]) = (
    0x496B_8280,
    0x6F25,
    0x11D0,
    [0xBE, 0xAF, 0x08, 0x00, 0x2B, 0xE2, 0x09, 0x2F],
);
/// The version of the interface.
const VERSION: USHORT = 1;
/// PCI_WHICHSPACE_CONFIG.
const CONFIG_SPACE: ULONG = 0;

/// Answers IRP_MN_QUERY_INTERFACE; none for interfaces that the bus does not have.
pub(super) fn query(pdo: PDEVICE_OBJECT, wanted: &_IO_STACK_LOCATION__bindgen_ty_1__bindgen_ty_26) -> Option<NTSTATUS> {
    // SAFETY: the identifier of the request, valid while it lasts.
    let GUID {
        Data1,
        Data2,
        Data3,
        Data4,
    } = unsafe { wanted.InterfaceType.read() };
    if (Data1, Data2, Data3, Data4) != BUS_INTERFACE || wanted.Version != VERSION {
        return None;
    }
    if usize::from(wanted.Size) < size_of::<BUS_INTERFACE_STANDARD>() {
        return Some(STATUS_BUFFER_TOO_SMALL);
    }
    let interface = BUS_INTERFACE_STANDARD {
        Size: size_of::<BUS_INTERFACE_STANDARD>() as USHORT,
        Version: VERSION,
        Context: pdo.cast(),
        InterfaceReference: Some(keep),
        InterfaceDereference: Some(keep),
        TranslateBusAddress: Some(translate),
        GetDmaAdapter: None,
        SetBusData: Some(set_bus_data),
        GetBusData: Some(get_bus_data),
    };
    let to: *mut _INTERFACE = wanted.Interface;
    // SAFETY: the caller's record, which is large enough.
    unsafe { to.cast::<BUS_INTERFACE_STANDARD>().write(interface) };
    Some(STATUS_SUCCESS)
}

/// References are not counted: the bus outlives every driver.
unsafe extern "win64" fn keep(_context: PVOID) {}

unsafe extern "win64" fn translate(
    _context: PVOID,
    _address: PHYSICAL_ADDRESS,
    _length: ULONG,
    _space: PULONG,
    _translated: PPHYSICAL_ADDRESS,
) -> BOOLEAN {
    cross::unimplemented("BUS_INTERFACE_STANDARD", "TranslateBusAddress")
}

/// Bytes of the configuration space.
#[derive(Debug, Clone, Copy)]
struct Part {
    pdo: PDEVICE_OBJECT,
    buffer: PVOID,
    offset: ULONG,
    length: ULONG,
}

unsafe extern "win64" fn set_bus_data(
    context: PVOID,
    space: ULONG,
    buffer: PVOID,
    offset: ULONG,
    length: ULONG,
) -> ULONG {
    const INFO: ExportInfo = ExportInfo {
        module: "BUS_INTERFACE_STANDARD",
        name: "SetBusData",
        irql: irql_range!(..=DISPATCH_LEVEL),
    };
    let part = Part {
        pdo: context.cast(),
        buffer,
        offset,
        length,
    };
    cross::export(
        &INFO,
        || format!("offset={offset:#x} length={length}"),
        move || if space == CONFIG_SPACE { write(part) } else { 0 },
    )
}

unsafe extern "win64" fn get_bus_data(
    context: PVOID,
    space: ULONG,
    buffer: PVOID,
    offset: ULONG,
    length: ULONG,
) -> ULONG {
    const INFO: ExportInfo = ExportInfo {
        module: "BUS_INTERFACE_STANDARD",
        name: "GetBusData",
        irql: irql_range!(..=DISPATCH_LEVEL),
    };
    let part = Part {
        pdo: context.cast(),
        buffer,
        offset,
        length,
    };
    cross::export(
        &INFO,
        || format!("offset={offset:#x} length={length}"),
        move || if space == CONFIG_SPACE { read(part) } else { 0 },
    )
}

/// The largest configuration space.
const LARGEST: ULONG = 4096;

fn write(part: Part) -> ULONG {
    let Some(function) = pci::of_pdo(part.pdo) else {
        return 0;
    };
    let mut bytes = vec![0; part.length.min(LARGEST) as usize];
    // SAFETY: the caller's buffer has `length` bytes by contract.
    unsafe {
        part.buffer
            .cast::<u8>()
            .copy_to_nonoverlapping(bytes.as_mut_ptr(), bytes.len())
    };
    pci::config_write(function, part.offset, &bytes)
}

fn read(part: Part) -> ULONG {
    let Some(function) = pci::of_pdo(part.pdo) else {
        return 0;
    };
    let mut bytes = vec![0; part.length.min(LARGEST) as usize];
    let done = pci::config_read(function, part.offset, &mut bytes);
    // SAFETY: the caller's buffer has `length` bytes by contract.
    unsafe {
        part.buffer
            .cast::<u8>()
            .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len())
    };
    done
}
