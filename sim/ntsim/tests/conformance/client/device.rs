//! How the scripted client configures its device, its DMA enabler, its queues and its interrupts.

use super::callbacks::*;
use crate::setup::{Presents, Setup};
use crate::world::World;
use wdk_sys::*;

/// Attributes with the recorded cleanup and destroy callbacks.
pub fn observed(parent: usize) -> WDF_OBJECT_ATTRIBUTES {
    WDF_OBJECT_ATTRIBUTES {
        EvtCleanupCallback: Some(cleanup),
        EvtDestroyCallback: Some(destroy),
        ..plain(parent)
    }
}

/// Attributes without callbacks.
pub fn plain(parent: usize) -> WDF_OBJECT_ATTRIBUTES {
    WDF_OBJECT_ATTRIBUTES {
        Size: size_of::<WDF_OBJECT_ATTRIBUTES>() as ULONG,
        ExecutionLevel: _WDF_EXECUTION_LEVEL::WdfExecutionLevelInheritFromParent,
        SynchronizationScope: _WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeInheritFromParent,
        ParentObject: core::ptr::with_exposed_provenance_mut(parent),
        ..Default::default()
    }
}

/// A handle from its value.
pub fn handle<T>(value: usize) -> *mut T {
    core::ptr::without_provenance_mut(value)
}

/// `WdfDeviceCreate`, with everything that has to be said before it.
pub fn create_device(world: &World) -> NTSTATUS {
    let mut init: PWDFDEVICE_INIT = core::ptr::without_provenance_mut(world.create_parameters.get().0);
    let mut power = WDF_PNPPOWER_EVENT_CALLBACKS {
        Size: size_of::<WDF_PNPPOWER_EVENT_CALLBACKS>() as ULONG,
        EvtDeviceD0Entry: Some(d0_entry),
        EvtDeviceD0EntryPostInterruptsEnabled: Some(d0_entry_post),
        EvtDeviceD0Exit: Some(d0_exit),
        EvtDeviceD0ExitPreInterruptsDisabled: Some(d0_exit_pre),
        EvtDevicePrepareHardware: Some(prepare_hardware),
        EvtDeviceReleaseHardware: Some(release_hardware),
        EvtDeviceSelfManagedIoCleanup: Some(self_managed_cleanup),
        EvtDeviceSelfManagedIoFlush: Some(self_managed_flush),
        EvtDeviceSelfManagedIoInit: Some(self_managed_init),
        EvtDeviceSelfManagedIoSuspend: Some(self_managed_suspend),
        EvtDeviceSelfManagedIoRestart: Some(self_managed_restart),
        EvtDeviceSurpriseRemoval: Some(surprise_removal),
        EvtDeviceQueryRemove: Some(query_remove),
        EvtDeviceQueryStop: Some(query_stop),
        ..Default::default()
    };
    // SAFETY: the init structure of the running EvtDriverDeviceAdd, and a local.
    unsafe { call_unsafe_wdf_function_binding!(WdfDeviceInitSetPnpPowerEventCallbacks, init, &raw mut power) };
    let mut file = WDF_FILEOBJECT_CONFIG {
        Size: size_of::<WDF_FILEOBJECT_CONFIG>() as ULONG,
        EvtDeviceFileCreate: Some(file_create),
        EvtFileClose: Some(file_close),
        EvtFileCleanup: Some(file_cleanup),
        AutoForwardCleanupClose: _WDF_TRI_STATE::WdfUseDefault,
        FileObjectClass: _WDF_FILEOBJECT_CLASS::WdfFileObjectWdfCannotUseFsContexts,
    };
    // SAFETY: as above.
    unsafe {
        call_unsafe_wdf_function_binding!(
            WdfDeviceInitSetFileObjectConfig,
            init,
            &raw mut file,
            core::ptr::null_mut()
        )
    };
    let mut attributes = observed(0);
    let mut device: WDFDEVICE = core::ptr::null_mut();
    // SAFETY: as above.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(WdfDeviceCreate, &raw mut init, &raw mut attributes, &raw mut device)
    };
    world.handles.device.set(device.addr());
    world.name(device.addr(), "device");
    status
}

/// `WdfDmaEnablerCreate` as the scenario is configured.
pub fn create_enabler(world: &World) -> NTSTATUS {
    let setup = &world.setup;
    let profile = if setup.duplex {
        _WDF_DMA_PROFILE::WdfDmaProfileScatterGather64Duplex
    } else {
        _WDF_DMA_PROFILE::WdfDmaProfileScatterGather64
    };
    let mut config = WDF_DMA_ENABLER_CONFIG {
        Size: size_of::<WDF_DMA_ENABLER_CONFIG>() as ULONG,
        Profile: profile,
        MaximumLength: setup.maximum_length,
        EvtDmaEnablerFill: Some(dma_fill),
        EvtDmaEnablerFlush: Some(dma_flush),
        EvtDmaEnablerDisable: Some(dma_disable),
        EvtDmaEnablerEnable: Some(dma_enable),
        EvtDmaEnablerSelfManagedIoStart: Some(dma_start),
        EvtDmaEnablerSelfManagedIoStop: Some(dma_stop),
        WdmDmaVersionOverride: setup.dma_version,
        Flags: u32::from(!setup.preallocated) | u32::from(setup.single_transfer) << 1,
        ..Default::default()
    };
    let mut enabler: WDFDMAENABLER = core::ptr::null_mut();
    let device = handle(world.handles.device.get());
    // SAFETY: the client's device, and locals.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(
            WdfDmaEnablerCreate,
            device,
            &raw mut config,
            core::ptr::null_mut(),
            &raw mut enabler
        )
    };
    world.handles.enabler.set(enabler.addr());
    status
}

/// The queues of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueKind {
    Default,
    Manual,
    Second,
    NoCallback,
    WrongSize,
}

fn queue_config(setup: &Setup, kind: QueueKind) -> WDF_IO_QUEUE_CONFIG {
    let mut config = WDF_IO_QUEUE_CONFIG {
        Size: size_of::<WDF_IO_QUEUE_CONFIG>() as ULONG,
        DispatchType: _WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchParallel,
        PowerManaged: if setup.power_managed {
            _WDF_TRI_STATE::WdfTrue
        } else {
            _WDF_TRI_STATE::WdfFalse
        },
        EvtIoDeviceControl: Some(device_control),
        ..Default::default()
    };
    config.Settings.Parallel.NumberOfPresentedRequests = u32::MAX;
    match kind {
        QueueKind::Default => {
            config.DefaultQueue = 1;
            match setup.presents {
                Presents::Sequential => config.DispatchType = _WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchSequential,
                Presents::Parallel(limit) => config.Settings.Parallel.NumberOfPresentedRequests = limit,
            }
            config.EvtIoStop = setup.stop_callback.then_some(io_stop as _);
            config.EvtIoResume = Some(io_resume);
        }
        QueueKind::Manual => {
            config.DispatchType = _WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchManual;
            config.EvtIoDeviceControl = None;
        }
        QueueKind::Second => {}
        QueueKind::NoCallback => config.EvtIoDeviceControl = None,
        QueueKind::WrongSize => config.Size -= 4,
    }
    if setup.cancelled_on_queue {
        config.EvtIoCanceledOnQueue = Some(cancelled_on_queue);
    }
    config
}

/// `WdfIoQueueCreate`.
pub fn create_queue(world: &World, kind: QueueKind) -> NTSTATUS {
    let mut config = queue_config(&world.setup, kind);
    let mut attributes = if kind == QueueKind::Default {
        observed(0)
    } else {
        plain(0)
    };
    let mut queue: WDFQUEUE = core::ptr::null_mut();
    let device = handle(world.handles.device.get());
    // SAFETY: the client's device, and locals.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(
            WdfIoQueueCreate,
            device,
            &raw mut config,
            &raw mut attributes,
            &raw mut queue
        )
    };
    if !NT_SUCCESS(status) {
        return status;
    }
    match kind {
        QueueKind::Default if world.handles.default_queue.get() == 0 => {
            world.handles.default_queue.set(queue.addr());
            world.name(queue.addr(), "default queue");
        }
        QueueKind::Manual => {
            world.handles.manual_queue.set(queue.addr());
            world.name(queue.addr(), "manual");
        }
        _ => {}
    }
    status
}

/// `WdfInterruptCreate`: with descriptors when it is called from EvtDevicePrepareHardware.
pub fn create_interrupt(world: &World) -> NTSTATUS {
    let mut config = WDF_INTERRUPT_CONFIG {
        Size: size_of::<WDF_INTERRUPT_CONFIG>() as ULONG,
        ShareVector: _WDF_TRI_STATE::WdfUseDefault,
        EvtInterruptIsr: Some(isr),
        EvtInterruptDpc: Some(interrupt_dpc),
        EvtInterruptEnable: Some(interrupt_enable),
        EvtInterruptDisable: Some(interrupt_disable),
        ReportInactiveOnPowerDown: _WDF_TRI_STATE::WdfUseDefault,
        ..Default::default()
    };
    let (raw, translated) = world.create_parameters.get();
    if translated != 0 {
        let index = 1 + ULONG::try_from(world.handles.interrupts.borrow().len()).expect("few interrupts");
        // SAFETY: the lists of the running EvtDevicePrepareHardware.
        config.InterruptRaw =
            unsafe { call_unsafe_wdf_function_binding!(WdfCmResourceListGetDescriptor, handle(raw), index) };
        // SAFETY: as above.
        config.InterruptTranslated =
            unsafe { call_unsafe_wdf_function_binding!(WdfCmResourceListGetDescriptor, handle(translated), index) };
    }
    let mut interrupt: WDFINTERRUPT = core::ptr::null_mut();
    let device = handle(world.handles.device.get());
    // SAFETY: the client's device, and locals.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(
            WdfInterruptCreate,
            device,
            &raw mut config,
            core::ptr::null_mut(),
            &raw mut interrupt
        )
    };
    world.handles.interrupts.borrow_mut().push(interrupt.addr());
    status
}
