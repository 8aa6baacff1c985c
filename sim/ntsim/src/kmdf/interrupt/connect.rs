//! Connecting and disconnecting, and the routines that the kernel calls in between.

use super::Interrupt;
use crate::kmdf::call;
use crate::kmdf::device::Device;
use crate::kmdf::object::{self, Ref};
use crate::kmdf::sync;
use core::ffi::c_void;
use wdk_sys::*;

crate::framework_callbacks! {
    /// The interrupt. DIRQL, under the interrupt's lock.
    fn FxInterruptIsr(_interrupt: PKINTERRUPT, context: PVOID) -> BOOLEAN {
        let raw: WDFINTERRUPT = context.cast();
        let Some(interrupt) = object::find::<Interrupt>(raw) else { return 0 };
        let (Some(isr), Some(resource)) = (interrupt.config.EvtInterruptIsr, interrupt.resource.get()) else { return 0 };
        let message = resource.message.unwrap_or(0);
        // SAFETY: the driver's callback, with a live handle.
        u8::from(call::boolean("EvtInterruptIsr", || unsafe { isr(raw, message) }, || format!("message={message}")))
    }

    /// The DPC that the service routine queued. DISPATCH_LEVEL.
    fn FxInterruptDpc(_dpc: *mut KDPC, context: PVOID, _argument1: PVOID, _argument2: PVOID) {
        let raw: WDFINTERRUPT = context.cast();
        let Some(interrupt) = object::find::<Interrupt>(raw) else { return };
        let Some(dpc) = interrupt.config.EvtInterruptDpc else { return };
        let associated = interrupt.associated.raw();
        sync::under(interrupt.lock.as_deref(), || {
            // SAFETY: the driver's callback, with live handles.
            call::void("EvtInterruptDpc", || unsafe { dpc(raw, associated) }, String::new);
        });
    }

    /// Runs a closure under the interrupt's lock.
    fn FxInterruptSynchronized(context: PVOID) -> BOOLEAN {
        // SAFETY: `synchronized` passes a closure that lives until KeSynchronizeExecution returns.
        let body = unsafe { &mut *context.cast::<&mut dyn FnMut() -> bool>() };
        u8::from(body())
    }
}

impl Interrupt {
    /// Runs something at DIRQL under the interrupt's lock. The interrupt is connected.
    pub(super) fn synchronized(&self, mut body: impl FnMut() -> bool) -> bool {
        let mut body: &mut dyn FnMut() -> bool = &mut body;
        let context: *mut c_void = (&raw mut body).cast();
        // SAFETY: connected; the context lives until the call returns.
        unsafe { ntddk::KeSynchronizeExecution(self.kernel.get(), Some(FxInterruptSynchronized), context) != 0 }
    }

    /// The kernel's lock: the driver's own, shared one, or this interrupt's.
    fn spin_lock(&self) -> PKSPIN_LOCK {
        self.shared_lock
            .as_ref()
            .map_or_else(|| self.own_lock.get(), |lock| lock.for_interrupts())
    }
}

/// The highest IRQL of the interrupts that share the lock.
fn synchronize_irql(device: &Ref<Device>, interrupt: &Ref<Interrupt>, own: KIRQL) -> KIRQL {
    let Some(lock) = &interrupt.shared_lock else { return own };
    let all = device.interrupts.all();
    let sharing = all.iter().filter(|other| {
        other
            .shared_lock
            .as_ref()
            .is_some_and(|other| other.handle() == lock.handle())
    });
    sharing
        .filter_map(|other| other.resource.get())
        .map(|resource| resource.irql)
        .fold(own, KIRQL::max)
}

/// Connects one and calls EvtInterruptEnable. One without resources, or one that is connected already, is left alone.
pub(super) fn connect(device: &Ref<Device>, interrupt: &Ref<Interrupt>) -> NTSTATUS {
    let Some(resource) = interrupt.resource.get() else {
        return STATUS_SUCCESS;
    };
    if !interrupt.kernel.get().is_null() {
        return STATUS_SUCCESS;
    }
    let share = match interrupt.config.ShareVector {
        _WDF_TRI_STATE::WdfTrue => true,
        _WDF_TRI_STATE::WdfFalse => false,
        _ => resource.shared,
    };
    let mut kernel = core::ptr::null_mut();
    let mut parameters = IO_CONNECT_INTERRUPT_PARAMETERS {
        Version: CONNECT_FULLY_SPECIFIED,
        ..IO_CONNECT_INTERRUPT_PARAMETERS::default()
    };
    parameters.__bindgen_anon_1.FullySpecified = IO_CONNECT_INTERRUPT_FULLY_SPECIFIED_PARAMETERS {
        PhysicalDeviceObject: device.pdo(),
        InterruptObject: &raw mut kernel,
        ServiceRoutine: Some(FxInterruptIsr),
        ServiceContext: interrupt.raw().cast(),
        SpinLock: interrupt.spin_lock(),
        SynchronizeIrql: synchronize_irql(device, interrupt, resource.irql),
        FloatingSave: interrupt.config.FloatingSave,
        ShareVector: u8::from(share),
        Vector: resource.vector,
        Irql: resource.irql,
        InterruptMode: mode(resource.latched),
        ProcessorEnableMask: resource.affinity,
        Group: resource.group,
    };
    // SAFETY: the context is a handle, which the service routine checks; the lock stays in place while the interrupt is connected.
    let status = unsafe { ntddk::IoConnectInterruptEx(&raw mut parameters) };
    if !NT_SUCCESS(status) {
        return status;
    }
    interrupt.kernel.set(kernel);
    let status = enable(interrupt);
    if !NT_SUCCESS(status) {
        disconnect(interrupt);
    }
    status
}

/// How a line signals, in the kernel's terms.
pub(super) fn mode(latched: bool) -> KINTERRUPT_MODE {
    if latched {
        _KINTERRUPT_MODE::Latched
    } else {
        _KINTERRUPT_MODE::LevelSensitive
    }
}

fn enable(interrupt: &Ref<Interrupt>) -> NTSTATUS {
    let mut status = STATUS_SUCCESS;
    if let Some(enable) = interrupt.config.EvtInterruptEnable {
        let (raw, device) = (interrupt.raw(), interrupt.device);
        interrupt.synchronized(|| {
            // SAFETY: the driver's callback, with live handles.
            status = call::status("EvtInterruptEnable", || unsafe { enable(raw, device) }, String::new);
            NT_SUCCESS(status)
        });
    }
    interrupt.enabled.set(NT_SUCCESS(status));
    status
}

/// Calls EvtInterruptDisable, if EvtInterruptEnable succeeded, and disconnects.
pub(super) fn disconnect(interrupt: &Ref<Interrupt>) {
    if interrupt.kernel.get().is_null() {
        return;
    }
    if interrupt.enabled.replace(false)
        && let Some(disable) = interrupt.config.EvtInterruptDisable
    {
        let (raw, device) = (interrupt.raw(), interrupt.device);
        interrupt.synchronized(|| {
            // SAFETY: the driver's callback, with live handles.
            NT_SUCCESS(call::status(
                "EvtInterruptDisable",
                || unsafe { disable(raw, device) },
                String::new,
            ))
        });
    }
    let mut parameters = Disconnect {
        version: CONNECT_FULLY_SPECIFIED,
        interrupt: interrupt.kernel.replace(core::ptr::null_mut()),
    };
    // SAFETY: connected, see above; the parameters have the kernel's layout.
    unsafe { ntddk::IoDisconnectInterruptEx((&raw mut parameters).cast()) };
}

/// `IO_DISCONNECT_INTERRUPT_PARAMETERS` for one interrupt object: the bindings know only its size.
#[repr(C)]
struct Disconnect {
    version: ULONG,
    interrupt: PKINTERRUPT,
}

const _: () = assert!(size_of::<Disconnect>() == size_of::<_IO_DISCONNECT_INTERRUPT_PARAMETERS>());

/// The device enters D0: connects its interrupts in order of creation. On failure none stays connected.
pub(crate) fn connect_all(device: &Ref<Device>) -> bool {
    for interrupt in device.interrupts.all() {
        if !NT_SUCCESS(connect(device, &interrupt)) {
            disconnect_all(device);
            return false;
        }
    }
    true
}

/// The device leaves D0: disconnects its interrupts, the last created first.
pub(crate) fn disconnect_all(device: &Ref<Device>) {
    for interrupt in device.interrupts.all().iter().rev() {
        disconnect(interrupt);
    }
}
