//! The callbacks of the scripted client.

use super::{play, play_entry, play_status};
use crate::world::world;
use wdk_sys::*;

macro_rules! status_callbacks {
    ($($function:ident($($of:ty),*) $name:literal;)*) => {$(
        pub unsafe extern "win64" fn $function($(_: $of),*) -> NTSTATUS {
            play_status($name, String::new())
        }
    )*};
}

macro_rules! void_callbacks {
    ($($function:ident($($of:ty),*) $name:literal;)*) => {$(
        pub unsafe extern "win64" fn $function($(_: $of),*) {
            play($name, String::new());
        }
    )*};
}

macro_rules! power_callbacks {
    ($($function:ident $name:literal $label:literal;)*) => {$(
        pub unsafe extern "win64" fn $function(_: WDFDEVICE, state: WDF_POWER_DEVICE_STATE) -> NTSTATUS {
            play_status($name, format!(concat!($label, "={}"), state))
        }
    )*};
}

status_callbacks! {
    release_hardware(WDFDEVICE, WDFCMRESLIST) "EvtDeviceReleaseHardware";
    self_managed_init(WDFDEVICE) "EvtDeviceSelfManagedIoInit";
    self_managed_suspend(WDFDEVICE) "EvtDeviceSelfManagedIoSuspend";
    self_managed_restart(WDFDEVICE) "EvtDeviceSelfManagedIoRestart";
    query_remove(WDFDEVICE) "EvtDeviceQueryRemove";
    query_stop(WDFDEVICE) "EvtDeviceQueryStop";
    dma_fill(WDFDMAENABLER) "EvtDmaEnablerFill";
    dma_enable(WDFDMAENABLER) "EvtDmaEnablerEnable";
    dma_start(WDFDMAENABLER) "EvtDmaEnablerSelfManagedIoStart";
    dma_stop(WDFDMAENABLER) "EvtDmaEnablerSelfManagedIoStop";
    dma_disable(WDFDMAENABLER) "EvtDmaEnablerDisable";
    dma_flush(WDFDMAENABLER) "EvtDmaEnablerFlush";
    interrupt_enable(WDFINTERRUPT, WDFDEVICE) "EvtInterruptEnable";
    interrupt_disable(WDFINTERRUPT, WDFDEVICE) "EvtInterruptDisable";
}

void_callbacks! {
    self_managed_flush(WDFDEVICE) "EvtDeviceSelfManagedIoFlush";
    self_managed_cleanup(WDFDEVICE) "EvtDeviceSelfManagedIoCleanup";
    surprise_removal(WDFDEVICE) "EvtDeviceSurpriseRemoval";
    file_cleanup(WDFFILEOBJECT) "EvtFileCleanup";
    file_close(WDFFILEOBJECT) "EvtFileClose";
    interrupt_dpc(WDFINTERRUPT, WDFOBJECT) "EvtInterruptDpc";
    timer(WDFTIMER) "EvtTimerFunc";
    work_item(WDFWORKITEM) "EvtWorkItem";
}

power_callbacks! {
    d0_entry "EvtDeviceD0Entry" "previous";
    d0_entry_post "EvtDeviceD0EntryPostInterruptsEnabled" "previous";
    d0_exit "EvtDeviceD0Exit" "target";
    d0_exit_pre "EvtDeviceD0ExitPreInterruptsDisabled" "target";
}

pub unsafe extern "win64" fn device_add(_: WDFDRIVER, init: PWDFDEVICE_INIT) -> NTSTATUS {
    world().create_parameters.set((init.addr(), 0));
    play_status("EvtDriverDeviceAdd", String::new())
}

pub unsafe extern "win64" fn unload(_: WDFDRIVER) {
    play_entry("EvtDriverUnload", String::new());
}

pub unsafe extern "win64" fn prepare_hardware(_: WDFDEVICE, raw: WDFCMRESLIST, translated: WDFCMRESLIST) -> NTSTATUS {
    // SAFETY: the lists of this callback.
    let count = unsafe { call_unsafe_wdf_function_binding!(WdfCmResourceListGetCount, translated) };
    world().create_parameters.set((raw.addr(), translated.addr()));
    play_status("EvtDevicePrepareHardware", format!("resources={count}"))
}

pub unsafe extern "win64" fn file_create(_: WDFDEVICE, request: WDFREQUEST, _: WDFFILEOBJECT) {
    presented(request);
    play("EvtDeviceFileCreate", String::new());
}

/// What the record calls a queue when it presents a request.
fn queue_label(queue: WDFQUEUE) -> &'static str {
    world().label(queue.addr()).trim_end_matches(" queue")
}

/// The client sees a request: it belongs to an IRP that the harness sent.
fn presented(request: WDFREQUEST) {
    let world = world();
    // SAFETY: the request of a callback.
    let irp = unsafe { call_unsafe_wdf_function_binding!(WdfRequestWdmGetIrp, request) };
    let name = world.irp_name(irp);
    world.requests.borrow_mut().insert(name, request.addr());
    world.handles.request.set(request.addr());
    if world.setup.keeps_requests() {
        // SAFETY: as above.
        unsafe {
            call_unsafe_wdf_function_binding!(
                WdfObjectReferenceActual,
                request.cast(),
                core::ptr::null_mut(),
                0,
                c"record".as_ptr()
            )
        };
    }
}

pub unsafe extern "win64" fn device_control(
    queue: WDFQUEUE,
    request: WDFREQUEST,
    output: usize,
    input: usize,
    code: ULONG,
) {
    presented(request);
    let function = (code >> 2) & 0xFFF;
    let label = queue_label(queue);
    play(
        "EvtIoDeviceControl",
        format!("function={function:#x} out={output} in={input} queue={label}"),
    );
}

pub unsafe extern "win64" fn io_stop(_: WDFQUEUE, request: WDFREQUEST, flags: ULONG) {
    world().handles.request.set(request.addr());
    play("EvtIoStop", format!("flags={flags:#x}"));
}

pub unsafe extern "win64" fn io_resume(_: WDFQUEUE, request: WDFREQUEST) {
    world().handles.request.set(request.addr());
    play("EvtIoResume", String::new());
}

pub unsafe extern "win64" fn cancelled_on_queue(queue: WDFQUEUE, request: WDFREQUEST) {
    presented(request);
    let label = queue_label(queue);
    play("EvtIoCanceledOnQueue", format!("queue={label}"));
}

pub unsafe extern "win64" fn request_cancel(request: WDFREQUEST) {
    world().handles.request.set(request.addr());
    play("EvtRequestCancel", String::new());
}

pub unsafe extern "win64" fn isr(interrupt: WDFINTERRUPT, message: ULONG) -> BOOLEAN {
    world().handles.interrupt.set(interrupt.addr());
    let claimed = play("EvtInterruptIsr", format!("message={message}")) != 0;
    world().isr_claimed.set(claimed);
    BOOLEAN::from(claimed)
}

pub unsafe extern "win64" fn synchronize(_: WDFINTERRUPT, _: WDFCONTEXT) -> BOOLEAN {
    play_entry("EvtInterruptSynchronize", String::new());
    1
}

pub unsafe extern "win64" fn cleanup(object: WDFOBJECT) {
    let label = world().label(object.addr());
    play_entry("EvtCleanupCallback", format!("object={label}"));
}

pub unsafe extern "win64" fn destroy(object: WDFOBJECT) {
    let label = world().label(object.addr());
    play_entry("EvtDestroyCallback", format!("object={label}"));
}

pub unsafe extern "win64" fn program_dma(
    transaction: WDFDMATRANSACTION,
    _: WDFDEVICE,
    _: WDFCONTEXT,
    direction: WDF_DMA_DIRECTION,
    list: PSCATTER_GATHER_LIST,
) -> BOOLEAN {
    let elements = elements(list);
    let total: u64 = elements.iter().map(|element| u64::from(element.1)).sum();
    let (first, length) = elements.first().copied().unwrap_or_default();
    let offset = first & 0xFFF;
    // SAFETY: the transaction of this callback.
    let current =
        unsafe { call_unsafe_wdf_function_binding!(WdfDmaTransactionGetCurrentDmaTransferLength, transaction) };
    let args = format!(
        "direction={direction} elements={} first_len={length} total={total} first_page_offset={offset} current_transfer_length={current}",
        elements.len()
    );
    BOOLEAN::from(play("EvtProgramDma", args) != 0)
}

/// Addresses and lengths of a list.
fn elements(list: PSCATTER_GATHER_LIST) -> Vec<(i64, u32)> {
    // SAFETY: the list of a callback that is running.
    let count = unsafe { (*list).NumberOfElements };
    let first: *const SCATTER_GATHER_ELEMENT = list
        .cast_const()
        .wrapping_byte_add(size_of::<SCATTER_GATHER_LIST>())
        .cast();
    (0..count as usize)
        .map(|index| {
            // SAFETY: below the number of elements.
            let element = unsafe { first.wrapping_add(index).read() };
            // SAFETY: every member of the union is plain bits.
            (unsafe { element.Address.QuadPart }, element.Length)
        })
        .collect()
}
