//! One-shot timers.

use core::time::Duration;

use wdk_sys::{WDF_TIMER_CONFIG, WDFDEVICE, WDFTIMER, call_unsafe_wdf_function_binding};

use crate::context;
use crate::device::DeviceOps;
use crate::status::{Result, check};
use crate::time::relative;

/// What a timer does.
pub trait TimerOps: 'static {
    /// The device that the timer belongs to.
    type Device: DeviceOps;

    /// EvtTimerFunc: the time has come. DISPATCH_LEVEL.
    fn expired(device: &Self::Device);
}

/// A timer of a device.
#[derive(Clone, Copy, Debug)]
pub struct Timer {
    handle: WDFTIMER,
}

// SAFETY: a timer may be used from any thread.
unsafe impl Send for Timer {}
// SAFETY: a timer may be used from any thread.
unsafe impl Sync for Timer {}

impl Timer {
    pub(crate) fn new<T: TimerOps>(device: WDFDEVICE) -> Result<Self> {
        let mut config = WDF_TIMER_CONFIG {
            Size: size_of::<WDF_TIMER_CONFIG>() as u32,
            EvtTimerFunc: Some(on_timer::<T>),
            AutomaticSerialization: 0,
            ..Default::default()
        };
        let mut attributes = context::plain_attributes();
        attributes.ParentObject = device.cast();
        let mut handle = core::ptr::null_mut();
        // SAFETY: the device is alive; the pointers lead to locals.
        let status = unsafe {
            call_unsafe_wdf_function_binding!(WdfTimerCreate, &raw mut config, &raw mut attributes, &raw mut handle)
        };
        check(status)?;
        Ok(Self { handle })
    }

    /// Lets the timer expire after `due`; moves it where it was set already. `IRQL <= DISPATCH_LEVEL`.
    pub fn start(&self, due: Duration) {
        // SAFETY: a child of the device that the driver serves, so alive.
        unsafe {
            let _was_set = call_unsafe_wdf_function_binding!(WdfTimerStart, self.handle, relative(due));
        }
    }

    /// Stops the timer and waits for its callback, should that run. `PASSIVE_LEVEL`, and not from the callback.
    pub fn stop(&self) {
        // SAFETY: a child of the device that the driver serves, so alive.
        unsafe {
            let _was_set = call_unsafe_wdf_function_binding!(WdfTimerStop, self.handle, 1);
        }
    }
}

callback! {
    unsafe extern "C" fn on_timer<T: TimerOps>(timer: WDFTIMER) {
        // SAFETY: the framework passed the timer to its callback, so it is alive.
        let device = unsafe { call_unsafe_wdf_function_binding!(WdfTimerGetParentObject, timer) };
        // SAFETY: the device outlives the callbacks of its timers.
        if let Some(device) = unsafe { context::get::<T::Device>(device) } {
            T::expired(device);
        }
    }
}
