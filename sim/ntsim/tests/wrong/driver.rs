//! A miniature KMDF driver for the engine, right or wrong in one of several ways.
//!
//! It serves one `METHOD_OUT_DIRECT` request at a time: the buffer is mapped by a DMA transaction, the engine fills its first
//! scatter-gather element and interrupts, the DPC completes. The mistake is a constant of the type, as it would be a mistake in a source.

use crate::engine;
use core::{ffi::c_void, mem::size_of, ptr::null_mut};
use wdk_sys::{call_unsafe_wdf_function_binding, ntddk::*, *};

/// Does everything right.
pub const RIGHT: u8 = 0;
/// Releases the scatter-gather list right after it was built, as the report did that Hawser began with.
pub const RELEASES_EARLY: u8 = 1;
/// Gives the device the physical address of the buffer.
pub const UNTRANSLATED: u8 = 2;
/// Never unmaps its registers.
pub const KEEPS_REGISTERS: u8 = 3;
/// Has the device read and write a buffer that is mapped from the device only, as the driver of that report did.
pub const ONE_DIRECTION: u8 = 4;
/// Has the device write half of a buffer that is mapped from the device as a whole.
pub const LEAVES_A_GAP: u8 = 5;

/// Fills the buffer.
pub const IOCTL_FILL: u32 = (0x9000 << 16) | (3 << 14) | (0x800 << 2) | METHOD_OUT_DIRECT;
/// The interface through which the driver is opened.
pub const INTERFACE: GUID = GUID {
    Data1: 0x2D1E_0A11,
    Data2: 0x4C33,
    Data3: 0x4E0B,
    Data4: [0x8A, 1, 2, 3, 4, 5, 6, 7],
};

/// One KMDF call.
macro_rules! wdf {
    ($($call:tt)*) => {{
        // SAFETY: called by the framework's rules for the object and level at hand, with handles that the framework gave.
        unsafe { call_unsafe_wdf_function_binding!($($call)*) }
    }};
}

/// The device's context.
struct Mini {
    registers: *mut u8,
    enabler: WDFDMAENABLER,
    transaction: WDFDMATRANSACTION,
    request: WDFREQUEST,
}

struct TypeInfo(WDF_OBJECT_CONTEXT_TYPE_INFO);

// SAFETY: the framework only reads it.
unsafe impl Sync for TypeInfo {}

static MINI: TypeInfo = TypeInfo(WDF_OBJECT_CONTEXT_TYPE_INFO {
    Size: size_of::<WDF_OBJECT_CONTEXT_TYPE_INFO>() as u32,
    ContextName: c"Mini".as_ptr().cast(),
    ContextSize: size_of::<Mini>() as _,
    UniqueType: &raw const MINI.0,
    EvtDriverGetUniqueContextType: None,
});

fn context(device: WDFDEVICE) -> *mut Mini {
    wdf!(WdfObjectGetTypedContextWorker, device.cast(), &raw const MINI.0).cast()
}

/// Reads a field of a device's context.
macro_rules! field {
    ($device:expr, $name:ident) => {{
        let mini = context($device);
        // SAFETY: the context lives as long as its device; the callbacks of this driver do not overlap.
        unsafe { (*mini).$name }
    }};
    ($device:expr, $name:ident = $value:expr) => {{
        let (mini, value) = (context($device), $value);
        // SAFETY: as for reading.
        unsafe { (*mini).$name = value };
    }};
}

/// The driver's entry point, with one mistake.
pub unsafe extern "win64" fn entry<const MISTAKE: u8>(driver: PDRIVER_OBJECT, path: PUNICODE_STRING) -> NTSTATUS {
    let mut config = WDF_DRIVER_CONFIG {
        Size: size_of::<WDF_DRIVER_CONFIG>() as u32,
        EvtDriverDeviceAdd: Some(device_add::<MISTAKE>),
        ..Default::default()
    };
    wdf!(
        WdfDriverCreate,
        driver,
        path.cast(),
        WDF_NO_OBJECT_ATTRIBUTES,
        &raw mut config,
        null_mut()
    )
}

unsafe extern "win64" fn device_add<const MISTAKE: u8>(_driver: WDFDRIVER, mut init: PWDFDEVICE_INIT) -> NTSTATUS {
    let mut callbacks = WDF_PNPPOWER_EVENT_CALLBACKS {
        Size: size_of::<WDF_PNPPOWER_EVENT_CALLBACKS>() as u32,
        EvtDevicePrepareHardware: Some(prepare),
        EvtDeviceReleaseHardware: Some(release::<MISTAKE>),
        ..Default::default()
    };
    wdf!(WdfDeviceInitSetPnpPowerEventCallbacks, init, &raw mut callbacks);
    let mut attributes = WDF_OBJECT_ATTRIBUTES {
        Size: size_of::<WDF_OBJECT_ATTRIBUTES>() as u32,
        ExecutionLevel: _WDF_EXECUTION_LEVEL::WdfExecutionLevelInheritFromParent,
        SynchronizationScope: _WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeInheritFromParent,
        ContextTypeInfo: &raw const MINI.0,
        ..Default::default()
    };
    let mut device = null_mut();
    let status = wdf!(WdfDeviceCreate, &raw mut init, &raw mut attributes, &raw mut device);
    if !NT_SUCCESS(status) {
        return status;
    }
    [
        create_interface,
        create_queue::<MISTAKE>,
        create_enabler,
        create_interrupt::<MISTAKE>,
    ]
    .iter()
    .map(|create| create(device))
    .find(|status| !NT_SUCCESS(*status))
    .unwrap_or(STATUS_SUCCESS)
}

fn create_interface(device: WDFDEVICE) -> NTSTATUS {
    let interface = INTERFACE;
    wdf!(WdfDeviceCreateDeviceInterface, device, &raw const interface, null_mut())
}

fn create_queue<const MISTAKE: u8>(device: WDFDEVICE) -> NTSTATUS {
    let mut config = WDF_IO_QUEUE_CONFIG {
        Size: size_of::<WDF_IO_QUEUE_CONFIG>() as u32,
        DispatchType: _WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchSequential,
        PowerManaged: _WDF_TRI_STATE::WdfUseDefault,
        DefaultQueue: 1,
        EvtIoDeviceControl: Some(io_control::<MISTAKE>),
        ..Default::default()
    };
    wdf!(
        WdfIoQueueCreate,
        device,
        &raw mut config,
        WDF_NO_OBJECT_ATTRIBUTES,
        null_mut()
    )
}

fn create_enabler(device: WDFDEVICE) -> NTSTATUS {
    let mut config = WDF_DMA_ENABLER_CONFIG {
        Size: size_of::<WDF_DMA_ENABLER_CONFIG>() as u32,
        Profile: _WDF_DMA_PROFILE::WdfDmaProfileScatterGather64,
        MaximumLength: 1 << 20,
        ..Default::default()
    };
    let mut enabler = null_mut();
    let status = wdf!(
        WdfDmaEnablerCreate,
        device,
        &raw mut config,
        WDF_NO_OBJECT_ATTRIBUTES,
        &raw mut enabler
    );
    field!(device, enabler = enabler);
    status
}

fn create_interrupt<const MISTAKE: u8>(device: WDFDEVICE) -> NTSTATUS {
    let mut config = WDF_INTERRUPT_CONFIG {
        Size: size_of::<WDF_INTERRUPT_CONFIG>() as u32,
        ShareVector: _WDF_TRI_STATE::WdfUseDefault,
        EvtInterruptIsr: Some(isr),
        EvtInterruptDpc: Some(dpc::<MISTAKE>),
        ReportInactiveOnPowerDown: _WDF_TRI_STATE::WdfUseDefault,
        ..Default::default()
    };
    let mut interrupt = null_mut();
    wdf!(
        WdfInterruptCreate,
        device,
        &raw mut config,
        WDF_NO_OBJECT_ATTRIBUTES,
        &raw mut interrupt
    )
}

unsafe extern "win64" fn prepare(device: WDFDEVICE, _raw: WDFCMRESLIST, translated: WDFCMRESLIST) -> NTSTATUS {
    for index in 0..wdf!(WdfCmResourceListGetCount, translated) {
        let resource = wdf!(WdfCmResourceListGetDescriptor, translated, index);
        // SAFETY: the descriptor stays valid until the hardware is released.
        let resource = unsafe { *resource };
        if u32::from(resource.Type) == CmResourceTypeMemory {
            // SAFETY: a memory descriptor has these fields.
            let start = unsafe { resource.u.Memory.Start };
            // SAFETY: maps a BAR that was assigned to this device.
            let registers = unsafe { MmMapIoSpaceEx(start, engine::BAR_LENGTH, PAGE_READWRITE | PAGE_NOCACHE) };
            field!(device, registers = registers.cast());
            return if registers.is_null() {
                STATUS_INSUFFICIENT_RESOURCES
            } else {
                STATUS_SUCCESS
            };
        }
    }
    STATUS_DEVICE_CONFIGURATION_ERROR
}

unsafe extern "win64" fn release<const MISTAKE: u8>(device: WDFDEVICE, _translated: WDFCMRESLIST) -> NTSTATUS {
    let registers = field!(device, registers);
    if MISTAKE != KEEPS_REGISTERS && !registers.is_null() {
        // SAFETY: mapped in `prepare`, with this length.
        unsafe { MmUnmapIoSpace(registers.cast(), engine::BAR_LENGTH) };
        field!(device, registers = null_mut());
    }
    STATUS_SUCCESS
}

unsafe extern "win64" fn io_control<const MISTAKE: u8>(
    queue: WDFQUEUE,
    request: WDFREQUEST,
    _output: usize,
    _input: usize,
    _code: ULONG,
) {
    let device = wdf!(WdfIoQueueGetDevice, queue);
    field!(device, request = request);
    let status = start::<MISTAKE>(device, request);
    if !NT_SUCCESS(status) {
        wdf!(WdfRequestComplete, request, status);
    }
}

fn start<const MISTAKE: u8>(device: WDFDEVICE, request: WDFREQUEST) -> NTSTATUS {
    let mut mdl: PMDL = null_mut();
    let status = wdf!(WdfRequestRetrieveOutputWdmMdl, request, &raw mut mdl);
    if !NT_SUCCESS(status) {
        return status;
    }
    let mut transaction = null_mut();
    let enabler = field!(device, enabler);
    let status = wdf!(
        WdfDmaTransactionCreate,
        enabler,
        WDF_NO_OBJECT_ATTRIBUTES,
        &raw mut transaction
    );
    if !NT_SUCCESS(status) {
        return status;
    }
    field!(device, transaction = transaction);
    let direction = _WDF_DMA_DIRECTION::WdfDmaDirectionReadFromDevice;
    let (address, length) = mdl_range(mdl);
    let status = wdf!(
        WdfDmaTransactionInitialize,
        transaction,
        Some(program::<MISTAKE>),
        direction,
        mdl,
        address,
        length
    );
    if !NT_SUCCESS(status) {
        return status;
    }
    wdf!(WdfDmaTransactionExecute, transaction, mdl.cast())
}

/// The address and length that an MDL describes.
fn mdl_range(mdl: PMDL) -> (*mut c_void, usize) {
    // SAFETY: the MDL of a request is valid until the request completes.
    let mdl = unsafe { *mdl };
    (
        mdl.StartVa.wrapping_byte_add(mdl.ByteOffset as usize),
        mdl.ByteCount as usize,
    )
}

/// Where the buffer is in physical memory, which is nothing that a device may be told.
fn physical_address(mdl: PMDL) -> u64 {
    // SAFETY: the frame numbers follow the MDL.
    let frame = unsafe { *mdl.wrapping_add(1).cast::<u64>() };
    // SAFETY: the MDL of a request is valid until the request completes.
    let offset = unsafe { (*mdl).ByteOffset };
    frame * 4096 + u64::from(offset)
}

unsafe extern "win64" fn program<const MISTAKE: u8>(
    transaction: WDFDMATRANSACTION,
    device: WDFDEVICE,
    mdl: *mut c_void,
    _direction: WDF_DMA_DIRECTION,
    list: PSCATTER_GATHER_LIST,
) -> BOOLEAN {
    // SAFETY: the list is valid until the transfer is completed, and its elements follow its head.
    let element = unsafe { *ntsim::field!(list, SCATTER_GATHER_LIST, Elements).cast::<SCATTER_GATHER_ELEMENT>() };
    // SAFETY: all views of the union are plain integers.
    let logical = unsafe { element.Address.QuadPart };
    let address = if MISTAKE == UNTRANSLATED {
        physical_address(mdl.cast())
    } else {
        logical as u64
    };
    if MISTAKE == RELEASES_EARLY {
        let_go(transaction);
    }
    let registers = field!(device, registers);
    // SAFETY: a register inside the mapping.
    unsafe {
        registers
            .wrapping_add(engine::ADDRESS)
            .cast::<u64>()
            .write_volatile(address)
    };
    // SAFETY: a register inside the mapping.
    unsafe {
        registers
            .wrapping_add(engine::LENGTH)
            .cast::<u32>()
            .write_volatile(element.Length)
    };
    // SAFETY: a register inside the mapping.
    unsafe {
        registers
            .wrapping_add(engine::GO)
            .cast::<u32>()
            .write_volatile(what::<MISTAKE>())
    };
    1
}

/// What the engine is told to do.
fn what<const MISTAKE: u8>() -> u32 {
    match MISTAKE {
        ONE_DIRECTION => engine::GO_INCREMENT,
        LEAVES_A_GAP => engine::GO_FILL_HALF,
        _ => engine::GO_FILL,
    }
}

fn let_go(transaction: WDFDMATRANSACTION) {
    let mut status = 0;
    let _done = wdf!(WdfDmaTransactionDmaCompleted, transaction, &raw mut status);
    let _released = wdf!(WdfDmaTransactionRelease, transaction);
}

unsafe extern "win64" fn isr(interrupt: WDFINTERRUPT, _message: ULONG) -> BOOLEAN {
    let _queued = wdf!(WdfInterruptQueueDpcForIsr, interrupt);
    1
}

unsafe extern "win64" fn dpc<const MISTAKE: u8>(interrupt: WDFINTERRUPT, _object: WDFOBJECT) {
    let device = wdf!(WdfInterruptGetDevice, interrupt);
    let transaction = field!(device, transaction);
    if MISTAKE != RELEASES_EARLY {
        let_go(transaction);
    }
    wdf!(WdfObjectDelete, transaction.cast());
    let request = field!(device, request);
    wdf!(WdfRequestCompleteWithInformation, request, STATUS_SUCCESS, 4096);
}
