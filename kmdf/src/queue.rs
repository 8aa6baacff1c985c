//! I/O queues: one that presents device control requests, and manual ones for requests that wait.

use core::marker::PhantomData;

use wdk_sys::{
    _WDF_EXECUTION_LEVEL, _WDF_IO_QUEUE_DISPATCH_TYPE, _WDF_REQUEST_STOP_ACTION_FLAGS, _WDF_SYNCHRONIZATION_SCOPE,
    _WDF_TRI_STATE, ULONG, WDF_IO_QUEUE_CONFIG, WDFDEVICE, WDFQUEUE, WDFREQUEST, call_unsafe_wdf_function_binding,
};

use crate::context;
use crate::device::DeviceOps;
use crate::request::{Ioctl, Request, StoppedRequest};
use crate::status::{NtStatus, Result, check};

/// What happens to requests of a queue.
pub trait QueueOps: 'static {
    /// The device that the queue belongs to.
    type Device: DeviceOps;

    /// EvtIoDeviceControl: a request is presented. PASSIVE_LEVEL; several at a time.
    fn device_control(device: &Self::Device, request: Request);

    /// EvtIoStop: the device is about to leave D0 while the driver owns this request. `IRQL <= DISPATCH_LEVEL`.
    ///
    /// Doing nothing makes the framework wait until the request is completed.
    fn stop(device: &Self::Device, request: StoppedRequest, reason: StopReason);
}

/// Why requests are stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The device goes to a low-power state.
    Suspend,
    /// The device is removed.
    Purge,
}

/// What happens to requests that are cancelled while they wait in a manual queue.
pub trait WaitingOps: 'static {
    /// The device that the queue belongs to.
    type Device: DeviceOps;

    /// EvtIoCanceledOnQueue: the request was cancelled, or its handle was closed. It must be completed. `IRQL <= DISPATCH_LEVEL`.
    fn canceled(device: &Self::Device, request: Request);
}

/// A manual queue: requests stay in it until they are retrieved, in order, or cancelled.
#[derive(Clone, Copy, Debug)]
pub struct Queue {
    handle: WDFQUEUE,
}

// SAFETY: a queue may be used from any thread.
unsafe impl Send for Queue {}
// SAFETY: a queue may be used from any thread.
unsafe impl Sync for Queue {}

impl Queue {
    pub(crate) const fn handle(&self) -> WDFQUEUE {
        self.handle
    }

    /// Takes the first request out. None where the queue is empty, or its device is not in D0. `IRQL <= DISPATCH_LEVEL`.
    pub fn retrieve_next(&self) -> Option<Request> {
        let mut request: WDFREQUEST = core::ptr::null_mut();
        // SAFETY: the queue is a child of the device that the driver serves, so alive; the pointer leads to a local.
        let status =
            unsafe { call_unsafe_wdf_function_binding!(WdfIoQueueRetrieveNextRequest, self.handle, &raw mut request) };
        check(status).ok()?;
        // SAFETY: the framework made the driver the owner.
        Some(unsafe { Request::retrieved(request) })
    }

    /// The number of requests in the queue. `IRQL <= DISPATCH_LEVEL`.
    pub fn waiting(&self) -> u32 {
        let mut waiting: ULONG = 0;
        // SAFETY: as above; the third argument may be null.
        unsafe {
            let _state = call_unsafe_wdf_function_binding!(
                WdfIoQueueGetState,
                self.handle,
                &raw mut waiting,
                core::ptr::null_mut()
            );
        }
        waiting
    }
}

/// How many requests of a parallel queue the driver owns at a time. Those that it forwarded to another queue do not count.
///
/// The limit knows no difference between requests: once it is reached, those that the driver could answer at once wait behind those that take long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// All that arrive while the device is in D0.
    All,
    /// At most this number, which is not 0.
    AtMost(u32),
}

impl Presented {
    const fn raw(self) -> u32 {
        match self {
            Self::All => u32::MAX,
            Self::AtMost(limit) => limit,
        }
    }
}

/// Makes the device's default queue: parallel, power-managed, at PASSIVE_LEVEL.
pub(crate) fn create_default<Q: QueueOps>(device: WDFDEVICE, presented: Presented) -> Result {
    let mut config = config(_WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchParallel);
    config.DefaultQueue = 1;
    config.AllowZeroLengthRequests = 1;
    config.EvtIoDeviceControl = Some(on_device_control::<Q>);
    config.EvtIoStop = Some(on_stop::<Q>);
    config.Settings.Parallel.NumberOfPresentedRequests = presented.raw();
    create(device, config).map(|_| ())
}

/// Makes a manual, power-managed queue.
pub(crate) fn create_manual<W: WaitingOps>(device: WDFDEVICE) -> Result<Queue> {
    let mut config = config(_WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchManual);
    config.EvtIoCanceledOnQueue = Some(on_canceled::<W>);
    create(device, config)
}

fn config(dispatch: i32) -> WDF_IO_QUEUE_CONFIG {
    WDF_IO_QUEUE_CONFIG {
        Size: size_of::<WDF_IO_QUEUE_CONFIG>() as u32,
        DispatchType: dispatch,
        PowerManaged: _WDF_TRI_STATE::WdfTrue,
        ..Default::default()
    }
}

fn create(device: WDFDEVICE, mut config: WDF_IO_QUEUE_CONFIG) -> Result<Queue> {
    let mut attributes = context::plain_attributes();
    attributes.ExecutionLevel = _WDF_EXECUTION_LEVEL::WdfExecutionLevelPassive;
    attributes.SynchronizationScope = _WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeNone;
    let mut queue: WDFQUEUE = core::ptr::null_mut();
    // SAFETY: the device is alive; the pointers lead to locals.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(
            WdfIoQueueCreate,
            device,
            &raw mut config,
            &raw mut attributes,
            &raw mut queue
        )
    };
    check(status)?;
    Ok(Queue { handle: queue })
}

/// The context of the device that a queue belongs to, while a callback of the queue runs.
fn device_of<D: DeviceOps>(queue: WDFQUEUE, _callback: PhantomData<&()>) -> Option<&D> {
    // SAFETY: the framework passed the queue to a callback, so it is alive.
    let device = unsafe { call_unsafe_wdf_function_binding!(WdfIoQueueGetDevice, queue) };
    // SAFETY: a device outlives the callbacks of its queues.
    unsafe { context::get::<D>(device.cast()) }
}

callback! {
    unsafe extern "C" fn on_device_control<Q: QueueOps>(
        queue: WDFQUEUE,
        request: WDFREQUEST,
        output_length: usize,
        input_length: usize,
        code: ULONG,
    ) {
        let ioctl = Ioctl {
            code,
            input_length,
            output_length,
        };
        // SAFETY: the framework presents the request, which makes the driver its owner.
        let request = unsafe { Request::presented(request, ioctl) };
        match device_of::<Q::Device>(queue, PhantomData) {
            Some(device) => Q::device_control(device, request),
            None => request.complete(NtStatus::DEVICE_NOT_READY),
        }
    }
}

callback! {
    unsafe extern "C" fn on_stop<Q: QueueOps>(queue: WDFQUEUE, request: WDFREQUEST, action: ULONG) {
        let purge = action & _WDF_REQUEST_STOP_ACTION_FLAGS::WdfRequestStopActionPurge.cast_unsigned() != 0;
        let reason = if purge { StopReason::Purge } else { StopReason::Suspend };
        if let Some(device) = device_of::<Q::Device>(queue, PhantomData) {
            Q::stop(device, StoppedRequest { handle: request }, reason);
        }
    }
}

callback! {
    unsafe extern "C" fn on_canceled<W: WaitingOps>(queue: WDFQUEUE, request: WDFREQUEST) {
        // SAFETY: with this callback the framework makes the driver the owner.
        let request = unsafe { Request::retrieved(request) };
        match device_of::<W::Device>(queue, PhantomData) {
            Some(device) => W::canceled(device, request),
            None => request.complete(NtStatus::CANCELLED),
        }
    }
}
