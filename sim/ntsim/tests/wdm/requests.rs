//! What tests of requests share: a request that stays pending, and an IRP of the driver's own.

use super::{code, complete, mark_pending, stack};
use ntsim::nt::io::DesiredAccess;
use std::cell::Cell;
use wdk_sys::{ntddk::*, *};

pub const BUFFERED: u32 = code(0x800, METHOD_BUFFERED, 0);

pub fn both() -> DesiredAccess {
    DesiredAccess::READ | DesiredAccess::WRITE
}

thread_local! {
    pub static HELD: Cell<PIRP> = const { Cell::new(core::ptr::null_mut()) };
}

pub unsafe extern "win64" fn cancel(_device: PDEVICE_OBJECT, irp: PIRP) {
    unsafe { IoReleaseCancelSpinLock((*irp).CancelIrql) };
    complete(irp, STATUS_CANCELLED, 0);
}

pub fn pend(irp: PIRP, routine: PDRIVER_CANCEL) -> NTSTATUS {
    mark_pending(irp);
    unsafe { (*irp).CancelRoutine = routine };
    HELD.with(|held| held.set(irp));
    STATUS_PENDING
}

pub unsafe extern "win64" fn catch(_device: PDEVICE_OBJECT, _irp: PIRP, context: PVOID) -> NTSTATUS {
    unsafe { *context.cast::<u32>() += 1 };
    STATUS_MORE_PROCESSING_REQUIRED
}

pub fn internal(pdo: PDEVICE_OBJECT) -> PIRP {
    unsafe {
        let irp = IoAllocateIrp((*pdo).StackSize, 0);
        (*irp).IoStatus.__bindgen_anon_1.Status = STATUS_NOT_SUPPORTED;
        let next = stack(irp).sub(1);
        (*next).MajorFunction = IRP_MJ_PNP as u8;
        (*next).MinorFunction = IRP_MN_QUERY_PNP_DEVICE_STATE as u8;
        irp
    }
}
