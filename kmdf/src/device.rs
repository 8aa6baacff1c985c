//! Devices: how one is made, and what it does when the system starts, stops and removes it.

use core::marker::PhantomData;

use wdk_sys::{
    _WDF_DEVICE_FAILED_ACTION, GUID, NTSTATUS, PWDFDEVICE_INIT, WDF_PNPPOWER_EVENT_CALLBACKS, WDF_POWER_DEVICE_STATE,
    WDFCMRESLIST, WDFDEVICE, WDFDRIVER, call_unsafe_wdf_function_binding,
};

use crate::bus_interface::BusInterface;
use crate::context::{self, Context};
use crate::dma::{Authority, DmaEnabler, EnablerConfig};
use crate::file::{self, FileOps};
use crate::interrupt::{self, InterruptOps};
use crate::ledger::LedgerRef;
use crate::lock::{SpinLock, WaitLock};
use crate::pool::{Pool, PoolTag};
use crate::queue::{self, Presented, Queue, QueueOps, WaitingOps};
use crate::registry::Parameters;
use crate::resources::Resources;
use crate::status::{NtStatus, Result, check, returned};
use crate::timer::{Timer, TimerOps};
use crate::work_item::{WorkItem, WorkItemOps};

/// What a device does. The callbacks run at `PASSIVE_LEVEL`, one after the other, except where stated.
pub trait DeviceOps: Context {
    /// EvtDevicePrepareHardware: the device has these resources now. Registers may be accessed from here on.
    fn prepare_hardware(&self, resources: &Resources<'_>) -> Result;

    /// EvtDeviceReleaseHardware: the resources are about to be taken. Also called when [`prepare_hardware`](Self::prepare_hardware) failed.
    fn release_hardware(&self) -> Result;

    /// EvtDeviceD0Entry: the device has power. Interrupts do not arrive yet.
    fn d0_entry(&self) -> Result;

    /// EvtDeviceD0EntryPostInterruptsEnabled: interrupts arrive.
    fn interrupts_enabled(&self) -> Result;

    /// EvtDeviceD0ExitPreInterruptsDisabled: interrupts are about to stop.
    fn interrupts_disabling(&self) -> Result;

    /// EvtDeviceD0Exit: the device is about to lose power. Requests of power-managed queues have ended.
    fn d0_exit(&self) -> Result;

    /// EvtDeviceSelfManagedIoSuspend: the device is about to leave D0, or is gone; its queues are stopped next.
    ///
    /// A driver that takes requests out of manual queues must end that here: what it takes out while queues are being stopped is not waited for.
    fn suspending(&self) -> Result;

    /// EvtDeviceSelfManagedIoRestart: the device was in a low-power state, or stopped, and its queues deliver again.
    fn restarted(&self) -> Result;

    /// EvtDeviceSurpriseRemoval: the device is gone. May run beside any other callback; must not touch requests.
    fn surprise_removal(&self);
}

/// A device about to be made, in EvtDriverDeviceAdd.
#[derive(Debug)]
pub struct DeviceInit<'a> {
    init: PWDFDEVICE_INIT,
    driver: WDFDRIVER,
    ledger: LedgerRef,
    callback: PhantomData<&'a mut ()>,
}

impl DeviceInit<'_> {
    /// What the framework passes to EvtDriverDeviceAdd.
    ///
    /// # Safety
    /// `init` is the framework's, and no device has been made of it; `ledger` is that of `driver`.
    pub(crate) unsafe fn new(init: PWDFDEVICE_INIT, driver: WDFDRIVER, ledger: LedgerRef) -> Self {
        Self {
            init,
            driver,
            ledger,
            callback: PhantomData,
        }
    }

    /// The driver's `Parameters` key.
    pub fn parameters(&self) -> Result<Parameters> {
        Parameters::open(self.driver)
    }

    /// Gives every handle to the device a context.
    pub fn with_files<F: FileOps>(self) -> Self {
        file::configure::<F>(self.init);
        self
    }

    /// Gives every request room for a context of type `R`.
    pub fn with_request_notes<R: Context>(self) -> Self {
        let mut attributes = context::attributes::<R>();
        // SAFETY: no device has been made of the init yet; the framework copies the attributes.
        unsafe { call_unsafe_wdf_function_binding!(WdfDeviceInitSetRequestAttributes, self.init, &raw mut attributes) };
        self
    }

    /// Makes the device. `build` makes what the device consists of; when it fails the framework deletes the device.
    pub fn create<T: DeviceOps>(self, build: impl FnOnce(&NewDevice<'_>) -> Result<T>) -> Result {
        let mut callbacks = callbacks::<T>();
        // SAFETY: no device has been made of the init yet; the framework copies the callbacks.
        unsafe {
            call_unsafe_wdf_function_binding!(WdfDeviceInitSetPnpPowerEventCallbacks, self.init, &raw mut callbacks);
        }
        let mut attributes = context::attributes::<T>();
        let (mut init, mut device) = (self.init, core::ptr::null_mut());
        // SAFETY: as above; the pointers lead to locals.
        let status = unsafe {
            call_unsafe_wdf_function_binding!(WdfDeviceCreate, &raw mut init, &raw mut attributes, &raw mut device)
        };
        check(status)?;
        let new = NewDevice {
            handle: device,
            ledger: self.ledger,
            callback: PhantomData,
        };
        let value = build(&new)?;
        // SAFETY: just made; the framework deletes it after EvtDriverDeviceAdd at the earliest.
        unsafe { context::set(device.cast(), value) }.map(|_| ())
    }
}

/// A device that was just made and has no context yet: the factory of its parts, which the framework deletes with it.
#[derive(Debug)]
pub struct NewDevice<'a> {
    handle: WDFDEVICE,
    ledger: LedgerRef,
    callback: PhantomData<&'a ()>,
}

impl NewDevice<'_> {
    /// The handle by which the device can be named later.
    pub const fn handle(&self) -> DeviceHandle {
        DeviceHandle { handle: self.handle }
    }

    /// The ledger of the driver.
    pub const fn ledger(&self) -> LedgerRef {
        self.ledger
    }

    /// Pool memory under a tag.
    pub const fn pool(&self, tag: PoolTag) -> Pool {
        Pool::new(tag, self.ledger)
    }

    /// A spin lock that owns `value`.
    pub fn spin_lock<T>(&self, value: T) -> Result<SpinLock<T>> {
        SpinLock::new(self.handle.cast(), value)
    }

    /// A lock for longer work that owns `value`.
    pub fn wait_lock<T>(&self, value: T) -> Result<WaitLock<T>> {
        WaitLock::new(self.handle.cast(), value)
    }

    /// A timer.
    pub fn timer<T: TimerOps>(&self) -> Result<Timer> {
        Timer::new::<T>(self.handle)
    }

    /// A work item.
    pub fn work_item<W: WorkItemOps>(&self) -> Result<WorkItem> {
        WorkItem::new::<W>(self.handle)
    }

    /// The default queue.
    pub fn default_queue<Q: QueueOps>(&self, presented: Presented) -> Result {
        queue::create_default::<Q>(self.handle, presented)
    }

    /// A queue for requests that wait.
    pub fn manual_queue<W: WaitingOps>(&self) -> Result<Queue> {
        queue::create_manual::<W>(self.handle)
    }

    /// The interrupt for the message at `position`; position 0 serves a line as well.
    pub fn interrupt<I: InterruptOps>(&self, position: u32) -> Result {
        interrupt::create::<I>(self.handle, position)
    }

    /// The device's access to DMA, and the authority to say that it has ended.
    pub fn dma_enabler(&self, config: &EnablerConfig) -> Result<(DmaEnabler, Authority)> {
        DmaEnabler::new(self.handle, config, self.ledger)
    }

    /// Lets user mode find the device by this interface class.
    pub fn interface(&self, class: &InterfaceClass) -> Result {
        // SAFETY: the device is alive; the framework copies the GUID; there is no reference string.
        let status = unsafe {
            call_unsafe_wdf_function_binding!(
                WdfDeviceCreateDeviceInterface,
                self.handle,
                &raw const class.0,
                core::ptr::null()
            )
        };
        check(status)
    }
}

/// The GUID of a device interface class.
#[derive(Clone, Copy, Debug)]
pub struct InterfaceClass(GUID);

impl InterfaceClass {
    /// The class with this GUID, in its usual four parts.
    pub const fn new(parts: (u32, u16, u16, [u8; 8])) -> Self {
        Self(GUID {
            Data1: parts.0,
            Data2: parts.1,
            Data3: parts.2,
            Data4: parts.3,
        })
    }
}

/// Names a device. For use by the device's own context only, since it does not keep the device alive.
#[derive(Clone, Copy, Debug)]
pub struct DeviceHandle {
    handle: WDFDEVICE,
}

// SAFETY: a device may be used from any thread.
unsafe impl Send for DeviceHandle {}
// SAFETY: a device may be used from any thread.
unsafe impl Sync for DeviceHandle {}

impl DeviceHandle {
    /// Access to configuration space. `PASSIVE_LEVEL`.
    pub fn bus_interface(&self) -> Result<BusInterface> {
        BusInterface::query(self.handle)
    }

    /// Tells the system that the device has failed and is not to be started again. `IRQL <= DISPATCH_LEVEL`.
    pub fn set_failed(&self) {
        let action = _WDF_DEVICE_FAILED_ACTION::WdfDeviceFailedNoRestart;
        // SAFETY: the device is alive while its context is used.
        unsafe { call_unsafe_wdf_function_binding!(WdfDeviceSetFailed, self.handle, action) };
    }
}

fn callbacks<T: DeviceOps>() -> WDF_PNPPOWER_EVENT_CALLBACKS {
    WDF_PNPPOWER_EVENT_CALLBACKS {
        Size: size_of::<WDF_PNPPOWER_EVENT_CALLBACKS>() as u32,
        EvtDevicePrepareHardware: Some(on_prepare_hardware::<T>),
        EvtDeviceReleaseHardware: Some(on_release_hardware::<T>),
        EvtDeviceD0Entry: Some(on_d0_entry::<T>),
        EvtDeviceD0EntryPostInterruptsEnabled: Some(on_interrupts_enabled::<T>),
        EvtDeviceD0ExitPreInterruptsDisabled: Some(on_interrupts_disabling::<T>),
        EvtDeviceD0Exit: Some(on_d0_exit::<T>),
        EvtDeviceSelfManagedIoSuspend: Some(on_suspending::<T>),
        EvtDeviceSelfManagedIoRestart: Some(on_restarted::<T>),
        EvtDeviceSurpriseRemoval: Some(on_surprise_removal::<T>),
        ..Default::default()
    }
}

/// Calls `f` with the context of the device that a callback is about.
///
/// # Safety
/// The framework passed `device` to a callback that is still running.
unsafe fn with<T: DeviceOps>(device: WDFDEVICE, f: impl FnOnce(&T) -> Result) -> NTSTATUS {
    // SAFETY: the device is alive while its callback runs.
    match unsafe { context::get::<T>(device.cast()) } {
        Some(ops) => returned(f(ops)),
        None => NtStatus::DEVICE_NOT_READY.raw(),
    }
}

callback! {
    unsafe extern "C" fn on_prepare_hardware<T: DeviceOps>(
        device: WDFDEVICE,
        raw: WDFCMRESLIST,
        translated: WDFCMRESLIST,
    ) -> NTSTATUS {
        // SAFETY: the lists are valid until EvtDeviceReleaseHardware has returned.
        let resources = unsafe { Resources::new(raw, translated) };
        // SAFETY: passed to this callback.
        unsafe { with::<T>(device, |ops| ops.prepare_hardware(&resources)) }
    }
}

callback! {
    unsafe extern "C" fn on_release_hardware<T: DeviceOps>(device: WDFDEVICE, _translated: WDFCMRESLIST) -> NTSTATUS {
        // SAFETY: passed to this callback.
        unsafe { with::<T>(device, T::release_hardware) }
    }
}

callback! {
    unsafe extern "C" fn on_d0_entry<T: DeviceOps>(device: WDFDEVICE, _previous: WDF_POWER_DEVICE_STATE) -> NTSTATUS {
        // SAFETY: passed to this callback.
        unsafe { with::<T>(device, T::d0_entry) }
    }
}

callback! {
    unsafe extern "C" fn on_interrupts_enabled<T: DeviceOps>(
        device: WDFDEVICE,
        _previous: WDF_POWER_DEVICE_STATE,
    ) -> NTSTATUS {
        // SAFETY: passed to this callback.
        unsafe { with::<T>(device, T::interrupts_enabled) }
    }
}

callback! {
    unsafe extern "C" fn on_interrupts_disabling<T: DeviceOps>(
        device: WDFDEVICE,
        _target: WDF_POWER_DEVICE_STATE,
    ) -> NTSTATUS {
        // SAFETY: passed to this callback.
        unsafe { with::<T>(device, T::interrupts_disabling) }
    }
}

callback! {
    unsafe extern "C" fn on_d0_exit<T: DeviceOps>(device: WDFDEVICE, _target: WDF_POWER_DEVICE_STATE) -> NTSTATUS {
        // SAFETY: passed to this callback.
        unsafe { with::<T>(device, T::d0_exit) }
    }
}

callback! {
    unsafe extern "C" fn on_suspending<T: DeviceOps>(device: WDFDEVICE) -> NTSTATUS {
        // SAFETY: passed to this callback.
        unsafe { with::<T>(device, T::suspending) }
    }
}

callback! {
    unsafe extern "C" fn on_restarted<T: DeviceOps>(device: WDFDEVICE) -> NTSTATUS {
        // SAFETY: passed to this callback.
        unsafe { with::<T>(device, T::restarted) }
    }
}

callback! {
    unsafe extern "C" fn on_surprise_removal<T: DeviceOps>(device: WDFDEVICE) {
        // SAFETY: passed to this callback.
        if let Some(ops) = unsafe { context::get::<T>(device.cast()) } {
            ops.surprise_removal();
        }
    }
}
