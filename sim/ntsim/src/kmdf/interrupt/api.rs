//! The `WdfInterrupt*` functions.

use super::{Interrupt, connect, create};
use crate::kmdf::device::Device;
use crate::kmdf::object::{self, Ref};
use crate::kmdf::{call, verifier};
use crate::verifier::kmdf::{INTERRUPT_NO_DEFERRED_CALLBACK, INTERRUPT_NOT_CONNECTED, WRONG_STRUCTURE_SIZE};
use crate::verifier::violation;
use wdk_sys::*;

/// The interrupt, if it is connected; else a finding, because the kernel would be given no interrupt object.
fn connected(raw: WDFINTERRUPT, what: &str) -> Option<Ref<Interrupt>> {
    let interrupt = object::get::<Interrupt>(raw);
    if interrupt.kernel.get().is_null() {
        violation(
            INTERRUPT_NOT_CONNECTED,
            format!(
                "{what} needs a connected interrupt: the device is not in D0, or no message or line was left for it"
            ),
        );
        return None;
    }
    Some(interrupt)
}

crate::wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Makes an interrupt object.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfInterruptCreate(device: WDFDEVICE, config: PWDF_INTERRUPT_CONFIG, attributes: PWDF_OBJECT_ATTRIBUTES, interrupt: *mut WDFINTERRUPT) -> NTSTATUS {
        let device = object::get::<Device>(device);
        match create::create(&device, config, attributes) {
            Ok(made) => {
                // SAFETY: the driver's own variable.
                unsafe { interrupt.write(made.raw()) };
                STATUS_SUCCESS
            }
            Err(status) => status,
        }
    }

    /// Queues EvtInterruptDpc. Says whether it was not queued already.
    #[irql(any)]
    fn WdfInterruptQueueDpcForIsr(interrupt: WDFINTERRUPT) -> BOOLEAN {
        let interrupt = object::get::<Interrupt>(interrupt);
        if interrupt.config.EvtInterruptDpc.is_none() {
            verifier::debug_break(INTERRUPT_NO_DEFERRED_CALLBACK, "the interrupt has no EvtInterruptDpc");
            return 0;
        }
        interrupt.dpc_used.set(true);
        // SAFETY: initialized when the object was made; it stays in its box.
        unsafe { ntddk::KeInsertQueueDpc(interrupt.dpc.get(), core::ptr::null_mut(), core::ptr::null_mut()) }
    }

    /// Queues EvtInterruptWorkItem, from the service routine, through a DPC. Says whether it was not queued already.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfInterruptQueueWorkItemForIsr(interrupt: WDFINTERRUPT) -> BOOLEAN {
        let interrupt = object::get::<Interrupt>(interrupt);
        let Some(item) = interrupt.item.get() else {
            verifier::debug_break(INTERRUPT_NO_DEFERRED_CALLBACK, "the interrupt has no EvtInterruptWorkItem");
            return 0;
        };
        u8::from(item.enqueue())
    }

    /// Runs a callback at DIRQL under the interrupt's lock.
    #[irql(any)]
    fn WdfInterruptSynchronize(interrupt: WDFINTERRUPT, callback: PFN_WDF_INTERRUPT_SYNCHRONIZE, context: WDFCONTEXT) -> BOOLEAN {
        let raw = interrupt;
        let Some(interrupt) = connected(raw, "WdfInterruptSynchronize") else { return 0 };
        let Some(callback) = callback else { return 0 };
        // SAFETY: the driver's callback, with a live handle and the driver's own context.
        u8::from(interrupt.synchronized(|| call::boolean("EvtInterruptSynchronize", || unsafe { callback(raw, context) }, String::new)))
    }

    /// Takes the interrupt's lock; the caller runs at DIRQL from here.
    #[irql(any)]
    fn WdfInterruptAcquireLock(interrupt: WDFINTERRUPT) {
        let Some(interrupt) = connected(interrupt, "WdfInterruptAcquireLock") else { return };
        // SAFETY: connected, see above.
        let irql = unsafe { ntddk::KeAcquireInterruptSpinLock(interrupt.kernel.get()) };
        interrupt.irql.set(irql);
    }

    /// Lets go of the interrupt's lock.
    #[irql(any)]
    fn WdfInterruptReleaseLock(interrupt: WDFINTERRUPT) {
        let Some(interrupt) = connected(interrupt, "WdfInterruptReleaseLock") else { return };
        // SAFETY: connected, see above; whether the lock is held is the kernel's rule.
        unsafe { ntddk::KeReleaseInterruptSpinLock(interrupt.kernel.get(), interrupt.irql.get()) };
    }

    /// Connects the interrupt again and calls EvtInterruptEnable.
    #[irql(PASSIVE_LEVEL)]
    fn WdfInterruptEnable(interrupt: WDFINTERRUPT) {
        let interrupt = object::get::<Interrupt>(interrupt);
        let Some(device) = object::find::<Device>(interrupt.device) else { return };
        let _ = connect::connect(&device, &interrupt);
    }

    /// Calls EvtInterruptDisable and disconnects the interrupt.
    #[irql(PASSIVE_LEVEL)]
    fn WdfInterruptDisable(interrupt: WDFINTERRUPT) {
        connect::disconnect(&object::get::<Interrupt>(interrupt));
    }

    /// The kernel's interrupt object; null while it is not connected.
    #[irql(any)]
    fn WdfInterruptWdmGetInterrupt(interrupt: WDFINTERRUPT) -> PKINTERRUPT {
        object::get::<Interrupt>(interrupt).kernel.get()
    }

    /// What the interrupt is connected to.
    #[irql(any)]
    fn WdfInterruptGetInfo(interrupt: WDFINTERRUPT, info: PWDF_INTERRUPT_INFO) {
        let interrupt = object::get::<Interrupt>(interrupt);
        // SAFETY: the driver's own structure.
        let size = unsafe { (*info).Size };
        if size as usize != size_of::<WDF_INTERRUPT_INFO>() {
            verifier::debug_break(WRONG_STRUCTURE_SIZE, "WDF_INTERRUPT_INFO");
            return;
        }
        // SAFETY: the driver's own structure, of the right size.
        unsafe { info.write(describe(&interrupt, size)) };
    }

    /// The device.
    #[irql(any)]
    fn WdfInterruptGetDevice(interrupt: WDFINTERRUPT) -> WDFDEVICE {
        object::get::<Interrupt>(interrupt).device
    }
}

fn describe(interrupt: &Ref<Interrupt>, size: ULONG) -> WDF_INTERRUPT_INFO {
    let empty = WDF_INTERRUPT_INFO {
        Size: size,
        ..WDF_INTERRUPT_INFO::default()
    };
    let Some(resource) = interrupt.resource.get() else {
        return empty;
    };
    WDF_INTERRUPT_INFO {
        TargetProcessorSet: resource.affinity,
        MessageNumber: resource.message.unwrap_or(0),
        Vector: resource.vector,
        Irql: resource.irql,
        Mode: connect::mode(resource.latched),
        MessageSignaled: u8::from(resource.message.is_some()),
        ShareDisposition: u8::from(resource.shared),
        Group: resource.group,
        ..empty
    }
}
