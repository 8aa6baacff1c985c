//! Making queues, and saying which requests go to which.

use super::deferred::Deferred;
use super::forward;
use super::object::{Callbacks, Lists, Power, Queue};
use super::power::Settled;
use super::state::{DispatchType, Switches};
use crate::kmdf::device::Device;
use crate::kmdf::event::Event;
use crate::kmdf::object::{self, Attributes, Flags, New, Object, ParentRule, Ref};
use crate::kmdf::request::Request;
use crate::kmdf::request::object::{Marks, Watcher};
use crate::kmdf::request::status::STATUS_WDF_BUSY;
use crate::kmdf::request::verify;
use crate::kmdf::status::STATUS_WDF_NO_CALLBACK;
use crate::kmdf::sync::{CallbackLock, Constraints};
use crate::kmdf::verifier;
use crate::verifier::kmdf::REQUIRED_PARAMETER_IS_NULL;
use crate::verifier::kmdf_request::{QUEUE_WRONG_OPERATION, REQUEST_NOT_OWNED};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wdk_sys::*;

/// A checked configuration.
struct Configuration {
    dispatch: DispatchType,
    power_managed: bool,
    allow_zero_length: bool,
    default: bool,
    callbacks: Callbacks,
}

/// Checks a configuration whose size is right.
fn configuration(config: &WDF_IO_QUEUE_CONFIG) -> Result<Configuration, NTSTATUS> {
    // SAFETY: every member of the union is plain bits.
    let presented = unsafe { config.Settings.Parallel.NumberOfPresentedRequests };
    let dispatch = DispatchType::from_raw(config.DispatchType, presented).ok_or(STATUS_INVALID_PARAMETER)?;
    if dispatch == DispatchType::Parallel(0) {
        return Err(STATUS_INVALID_PARAMETER);
    }
    let callbacks = Callbacks {
        default: config.EvtIoDefault,
        read: config.EvtIoRead,
        write: config.EvtIoWrite,
        control: config.EvtIoDeviceControl,
        internal: config.EvtIoInternalDeviceControl,
        stop: config.EvtIoStop,
        resume: config.EvtIoResume,
        cancelled: config.EvtIoCanceledOnQueue,
    };
    let handlers = [
        callbacks.default.is_some(),
        callbacks.read.is_some(),
        callbacks.write.is_some(),
        callbacks.control.is_some(),
        callbacks.internal.is_some(),
    ];
    if dispatch != DispatchType::Manual && !handlers.contains(&true) {
        return Err(STATUS_WDF_NO_CALLBACK);
    }
    Ok(Configuration {
        dispatch,
        // By default a queue of a function driver is power-managed.
        power_managed: config.PowerManaged != _WDF_TRI_STATE::WdfFalse,
        allow_zero_length: config.AllowZeroLengthRequests != 0,
        default: config.DefaultQueue != 0,
        callbacks,
    })
}

/// The lock of a queue's callbacks, if they are serialized.
fn callback_lock(device: &Ref<Device>, constraints: Constraints) -> Result<Option<Rc<CallbackLock>>, NTSTATUS> {
    match constraints.scope {
        _WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeDevice => {
            if device.constraints().execution != constraints.execution {
                return Err(STATUS_INVALID_PARAMETER);
            }
            Ok(device.object().callback_lock())
        }
        _WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeQueue => {
            Ok(Some(Rc::new(CallbackLock::new(constraints.execution))))
        }
        _ => Ok(None),
    }
}

/// The parent of a queue: the device, or an object below it.
fn parent_of(device: &Ref<Device>, attributes: &Attributes) -> Result<Rc<Object>, NTSTATUS> {
    let parent = attributes.parent_or(&device.queue_parent());
    match parent.ancestor::<Device>() {
        Some(found) if found.handle() == device.handle() => Ok(parent),
        _ => Err(STATUS_INVALID_DEVICE_REQUEST),
    }
}

fn create(device: &Ref<Device>, config: &WDF_IO_QUEUE_CONFIG, attributes: &Attributes) -> Result<Ref<Queue>, NTSTATUS> {
    let configuration = configuration(config)?;
    let constraints = device.constraints().inherit(attributes);
    let lock = callback_lock(device, constraints)?;
    let parent = parent_of(device, attributes)?;
    if configuration.default && device.io().default_queue().is_some() {
        return Err(STATUS_UNSUCCESSFUL);
    }
    let on = device.io().power_on.get() || !configuration.power_managed;
    let switches = if device.io().shutting_down.get() {
        Switches::OPEN.shut_down()
    } else {
        Switches::OPEN
    };
    let body = Queue {
        device: device.clone(),
        dispatch: configuration.dispatch,
        power_managed: configuration.power_managed,
        allow_zero_length: configuration.allow_zero_length,
        callbacks: configuration.callbacks,
        constraints,
        lock,
        lists: RefCell::new(Lists::default()),
        switches: Cell::new(switches),
        power: Cell::new(if on { Power::On } else { Power::Off }),
        dispatching: Cell::new(0),
        look_again: Cell::new(false),
        driver_count: Cell::new(0),
        idle: RefCell::new(None),
        purged: RefCell::new(None),
        ready: RefCell::new(None),
        filled: Cell::new(false),
        cancel_returned: Cell::new(false),
        settled: Settled::new(),
        disposing: Cell::new(false),
        deleted: Cell::new(false),
        ended: Event::new(false),
        deferred: Deferred::new(),
    };
    let mut flags = if constraints.is_passive() {
        Flags::PASSIVE
    } else {
        Flags::empty()
    };
    flags.set(Flags::NO_DELETE, configuration.default);
    let queue = object::create(
        &New {
            attributes,
            parent: Some(&parent),
            flags,
        },
        body,
    )?;
    device.io().add(queue.clone());
    if configuration.default {
        device.io().set_default(queue.clone());
    }
    if !Deferred::prepare(&queue) {
        queue.object().delete_from_failed_create();
        return Err(STATUS_INSUFFICIENT_RESOURCES);
    }
    Ok(queue)
}

/// `WdfIoQueueCreate` up to the handle.
fn create_checked(
    device: WDFDEVICE,
    config: PWDF_IO_QUEUE_CONFIG,
    attributes: PWDF_OBJECT_ATTRIBUTES,
    place: *mut WDFQUEUE,
) -> Result<Ref<Queue>, NTSTATUS> {
    let device = object::get::<Device>(device);
    if config.is_null() {
        verifier::fatal(REQUIRED_PARAMETER_IS_NULL, 0, 0, "the configuration is null");
    }
    let attributes = Attributes::read(attributes, ParentRule::Optional)?;
    // SAFETY: not null; the driver's own structure.
    let config = unsafe { config.read() };
    if config.Size as usize != size_of::<WDF_IO_QUEUE_CONFIG>() {
        return Err(STATUS_INFO_LENGTH_MISMATCH);
    }
    let default = config.DefaultQueue != 0;
    if !default && place.is_null() {
        return Err(STATUS_INVALID_PARAMETER_4);
    }
    if default && device.started_once() {
        return Err(STATUS_INVALID_DEVICE_STATE);
    }
    create(&device, &config, &attributes)
}

/// Sends requests of one type to a queue rather than to the default one.
fn configure(device: &Ref<Device>, queue: &Ref<Queue>, kind: WDF_REQUEST_TYPE) -> NTSTATUS {
    let major = kind.cast_unsigned();
    let configurable = [
        IRP_MJ_CREATE,
        IRP_MJ_READ,
        IRP_MJ_WRITE,
        IRP_MJ_DEVICE_CONTROL,
        IRP_MJ_INTERNAL_DEVICE_CONTROL,
    ];
    if !configurable.contains(&major) || queue.device.handle() != device.handle() {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    let refuse = |status, why: &str| {
        verifier::debug_break(
            QUEUE_WRONG_OPERATION,
            format!(
                "WdfDeviceConfigureRequestDispatching to WDFQUEUE {:?}: {why}",
                queue.handle()
            ),
        );
        status
    };
    if !queue.handles(major) {
        return refuse(STATUS_INVALID_DEVICE_REQUEST, "it has no handler for this type");
    }
    if device
        .io()
        .default_queue()
        .is_some_and(|default| default.handle() == queue.handle())
    {
        return refuse(STATUS_INVALID_DEVICE_REQUEST, "it is the default queue");
    }
    if device.io().is_configured(major) {
        return refuse(STATUS_WDF_BUSY, "the type has a queue already");
    }
    device.io().configure(major, queue.clone());
    queue.object().set_flags(Flags::NO_DELETE);
    STATUS_SUCCESS
}

/// Puts a request from EvtIoInCallerContext into its queue.
fn enqueue(device: &Ref<Device>, request: &Ref<Request>) -> NTSTATUS {
    let function = "WdfDeviceEnqueueRequest";
    if verifier::verifier_on() && !request.marks().contains(Marks::IN_CALLER_CONTEXT) {
        verifier::debug_break(
            REQUEST_NOT_OWNED,
            format!(
                "{function}: WDFREQUEST {:?} is not in EvtIoInCallerContext",
                request.handle()
            ),
        );
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if let Err(status) = verify::owned(request, function) {
        return status;
    }
    let major = request.live_irp(request.handle(), function).major();
    let Some(queue) = device.io().target(major) else {
        verifier::debug_break(
            QUEUE_WRONG_OPERATION,
            format!("{function}: the device has no queue for this request"),
        );
        return STATUS_INVALID_DEVICE_REQUEST;
    };
    let marks = request.marks();
    request.unmark(Marks::IN_CALLER_CONTEXT | Marks::DRIVER_OWNED);
    let watcher = request.watcher.replace(Watcher::Nobody);
    let status = forward::enqueue(&queue, request);
    if !NT_SUCCESS(status) {
        request.watcher.set(watcher);
        request.mark(marks);
    }
    status
}

wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Makes a queue.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfIoQueueCreate(device: WDFDEVICE, config: PWDF_IO_QUEUE_CONFIG, attributes: PWDF_OBJECT_ATTRIBUTES, place: *mut WDFQUEUE) -> NTSTATUS {
        match create_checked(device, config, attributes, place) {
            Ok(queue) => {
                if !place.is_null() {
                    // SAFETY: not null; the driver's own variable.
                    unsafe { place.write(queue.raw()) };
                }
                STATUS_SUCCESS
            }
            Err(status) => status,
        }
    }

    /// The default queue, or null.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceGetDefaultQueue(device: WDFDEVICE) -> WDFQUEUE {
        object::get::<Device>(device).io().default_queue().map_or(core::ptr::null_mut(), |queue| queue.raw())
    }

    /// Sends requests of one type to a queue rather than to the default one.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceConfigureRequestDispatching(device: WDFDEVICE, queue: WDFQUEUE, kind: WDF_REQUEST_TYPE) -> NTSTATUS {
        let device = object::get::<Device>(device);
        let queue = object::get::<Queue>(queue);
        configure(&device, &queue, kind)
    }

    /// Puts a request from EvtIoInCallerContext into its queue.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceEnqueueRequest(device: WDFDEVICE, request: WDFREQUEST) -> NTSTATUS {
        let device = object::get::<Device>(device);
        let request = object::get::<Request>(request);
        enqueue(&device, &request)
    }
}
