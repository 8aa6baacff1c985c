//! Interrupts: the service routine at DIRQL, and the deferred one at DISPATCH_LEVEL.

use core::marker::PhantomData;

use wdk_sys::{
    _WDF_TRI_STATE, BOOLEAN, ULONG, WDF_INTERRUPT_CONFIG, WDFDEVICE, WDFINTERRUPT, WDFOBJECT,
    call_unsafe_wdf_function_binding,
};

use crate::context;
use crate::device::DeviceOps;
use crate::status::{Result, check};

/// What happens on an interrupt.
pub trait InterruptOps: 'static {
    /// The device that interrupts.
    type Device: DeviceOps;
    /// What the service routine may use: nothing that takes locks or sleeps, since it runs above DISPATCH_LEVEL.
    type AtDirql: Sync;

    /// The part of the device that the service routine may use. Runs at DIRQL.
    fn at_dirql(device: &Self::Device) -> &Self::AtDirql;

    /// EvtInterruptIsr, at DIRQL. `message` is the position of the interrupt: 0 for the first message, or for the line.
    fn service(part: &Self::AtDirql, isr: &Isr<'_>, message: u32) -> Claim;

    /// EvtInterruptDpc, at DISPATCH_LEVEL. May run on several processors at once, and once for several interrupts: it must do all there is to do.
    fn deferred(device: &Self::Device, message: u32);
}

/// Whether an interrupt came from this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It did.
    Ours,
    /// It did not: another device shares the line.
    NotOurs,
}

/// What only a service routine can do.
#[derive(Debug)]
pub struct Isr<'a> {
    handle: WDFINTERRUPT,
    callback: PhantomData<&'a ()>,
}

impl Isr<'_> {
    /// Lets [`InterruptOps::deferred`] run. Does nothing where it is about to run already.
    pub fn queue_deferred(&self) {
        // SAFETY: the framework passed the interrupt to its service routine, so it is alive.
        unsafe {
            let _queued_already = call_unsafe_wdf_function_binding!(WdfInterruptQueueDpcForIsr, self.handle);
        }
    }
}

/// The position of an interrupt among those of its device.
struct Position(u32);
crate::context_type!(Position);

/// Makes the interrupt object for the message at `position`, in EvtDriverDeviceAdd. One that gets no message stays unused.
pub(crate) fn create<I: InterruptOps>(device: WDFDEVICE, position: u32) -> Result {
    let mut config = WDF_INTERRUPT_CONFIG {
        Size: size_of::<WDF_INTERRUPT_CONFIG>() as u32,
        ShareVector: _WDF_TRI_STATE::WdfUseDefault,
        EvtInterruptIsr: Some(on_interrupt::<I>),
        EvtInterruptDpc: Some(on_dpc::<I>),
        ReportInactiveOnPowerDown: _WDF_TRI_STATE::WdfUseDefault,
        ..Default::default()
    };
    let mut attributes = context::attributes::<Position>();
    let mut handle = core::ptr::null_mut();
    // SAFETY: the device is alive; the pointers lead to locals.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(
            WdfInterruptCreate,
            device,
            &raw mut config,
            &raw mut attributes,
            &raw mut handle
        )
    };
    check(status)?;
    // SAFETY: just made, and a child of the device.
    unsafe { context::set(handle.cast(), Position(position)) }.map(|_| ())
}

/// The device and the position of an interrupt, while a callback of it runs.
fn parts<D: DeviceOps>(interrupt: WDFINTERRUPT, _callback: PhantomData<&()>) -> Option<(&D, u32)> {
    // SAFETY: the framework passed the interrupt to a callback, so it is alive.
    let position = unsafe { context::get::<Position>(interrupt.cast()) }?;
    // SAFETY: as above.
    let device = unsafe { call_unsafe_wdf_function_binding!(WdfInterruptGetDevice, interrupt) };
    // SAFETY: a device outlives the callbacks of its interrupts.
    let device = unsafe { context::get::<D>(device.cast()) }?;
    Some((device, position.0))
}

callback! {
    unsafe extern "C" fn on_interrupt<I: InterruptOps>(interrupt: WDFINTERRUPT, _message: ULONG) -> BOOLEAN {
        let Some((device, position)) = parts::<I::Device>(interrupt, PhantomData) else {
            return 0;
        };
        let isr = Isr {
            handle: interrupt,
            callback: PhantomData,
        };
        BOOLEAN::from(I::service(I::at_dirql(device), &isr, position) == Claim::Ours)
    }
}

callback! {
    unsafe extern "C" fn on_dpc<I: InterruptOps>(interrupt: WDFINTERRUPT, _device: WDFOBJECT) {
        if let Some((device, position)) = parts::<I::Device>(interrupt, PhantomData) {
            I::deferred(device, position);
        }
    }
}
