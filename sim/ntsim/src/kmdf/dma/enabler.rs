//! `WDFDMAENABLER`: the adapters of a device, and the power callbacks of its DMA engine.

use super::adapter::Adapter;
use super::profile::{self, Channels, ListMemory, Refusal, Settings};
use crate::cross;
use crate::kmdf::call;
use crate::kmdf::device::Device;
use crate::kmdf::object::{self, Attributes, Body, Flags, Handle, Kind, New, Object, ParentRule, Ref, Typed};
use crate::kmdf::status::STATUS_WDF_OBJECT_ATTRIBUTES_INVALID;
use crate::kmdf::verifier;
use crate::verifier::kmdf_dma::{DMA_CONFIGURATION, DMA_FRAMEWORK_FAULT};
use std::cell::Cell;
use std::rc::Rc;
use wdk_sys::*;

/// A direction of transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The device writes memory.
    ReadFromDevice,
    /// The device reads memory.
    WriteToDevice,
}

impl Direction {
    /// Reads a `WDF_DMA_DIRECTION`; anything else than the two values is `None`.
    pub(crate) fn from_raw(raw: WDF_DMA_DIRECTION) -> Option<Self> {
        match raw {
            _WDF_DMA_DIRECTION::WdfDmaDirectionReadFromDevice => Some(Self::ReadFromDevice),
            _WDF_DMA_DIRECTION::WdfDmaDirectionWriteToDevice => Some(Self::WriteToDevice),
            _ => None,
        }
    }

    /// As `WDF_DMA_DIRECTION`.
    pub(crate) fn raw(self) -> WDF_DMA_DIRECTION {
        match self {
            Self::ReadFromDevice => _WDF_DMA_DIRECTION::WdfDmaDirectionReadFromDevice,
            Self::WriteToDevice => _WDF_DMA_DIRECTION::WdfDmaDirectionWriteToDevice,
        }
    }

    /// As the HAL's `WriteToDevice`.
    pub(crate) fn write(self) -> BOOLEAN {
        BOOLEAN::from(self == Self::WriteToDevice)
    }
}

/// The adapters of an enabler.
#[derive(Clone, Copy, Debug)]
struct Adapters {
    read: Adapter,
    write: Option<Adapter>,
}

/// The power callbacks.
#[derive(Clone, Copy)]
struct Callbacks {
    fill: PFN_WDF_DMA_ENABLER_FILL,
    enable: PFN_WDF_DMA_ENABLER_ENABLE,
    start: PFN_WDF_DMA_ENABLER_SELFMANAGED_IO_START,
    stop: PFN_WDF_DMA_ENABLER_SELFMANAGED_IO_STOP,
    disable: PFN_WDF_DMA_ENABLER_DISABLE,
    flush: PFN_WDF_DMA_ENABLER_FLUSH,
}

/// The body of a `WDFDMAENABLER`.
pub(crate) struct Enabler {
    device: Ref<Device>,
    settings: Settings,
    adapters: Cell<Option<Adapters>>,
    /// Alignment of common buffers, as a mask.
    alignment: u32,
    /// `WdfDmaEnablerSetMaximumScatterGatherElements`.
    maximum_elements: Cell<u64>,
    callbacks: Callbacks,
    fill_failed: Cell<bool>,
    enable_failed: Cell<bool>,
}

impl Body for Enabler {
    fn dispose(&self, object: &Rc<Object>) {
        if let Some(adapters) = self.adapters.take() {
            adapters.read.put();
            if let Some(write) = adapters.write {
                write.put();
            }
        }
        self.device.enablers().remove(object.handle());
    }
}

impl Typed for Enabler {
    const KIND: Kind = Kind::DmaEnabler;
    type Raw = WDFDMAENABLER__;
}

impl Enabler {
    /// The device.
    pub(crate) fn device(&self) -> &Ref<Device> {
        &self.device
    }

    /// The configuration.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The adapter of a direction. After the enabler's disposal there is none: the real framework reads through a null pointer then.
    pub(crate) fn adapter(&self, direction: Direction) -> Adapter {
        let Some(adapters) = self.adapters.get() else {
            verifier::fatal(
                DMA_FRAMEWORK_FAULT,
                0,
                0,
                "the adapters of a WDFDMAENABLER were used after it was deleted",
            )
        };
        match direction {
            Direction::ReadFromDevice => adapters.read,
            Direction::WriteToDevice => adapters.write.unwrap_or(adapters.read),
        }
    }

    /// Bytes of the list memory of each transaction; `None` when the HAL allocates lists.
    pub(crate) fn preallocated_list(&self) -> Option<u32> {
        let adapters = self.adapters.get()?;
        let bytes = adapters
            .read
            .list_bytes
            .max(adapters.write.map_or(0, |write| write.list_bytes));
        (self.settings.lists == ListMemory::Preallocated).then_some(bytes)
    }

    /// Alignment of common buffers, as a mask.
    pub(crate) fn alignment(&self) -> u32 {
        self.alignment
    }

    /// Elements that one list may have.
    pub(crate) fn maximum_elements(&self) -> u64 {
        self.maximum_elements.get()
    }

    fn power_up(&self, handle: WDFDMAENABLER) -> NTSTATUS {
        let calls = self.callbacks;
        let filled = call_status("EvtDmaEnablerFill", calls.fill, handle);
        self.fill_failed.set(!NT_SUCCESS(filled));
        if !NT_SUCCESS(filled) {
            return filled;
        }
        let enabled = call_status("EvtDmaEnablerEnable", calls.enable, handle);
        self.enable_failed.set(!NT_SUCCESS(enabled));
        if !NT_SUCCESS(enabled) {
            return enabled;
        }
        call_status("EvtDmaEnablerSelfManagedIoStart", calls.start, handle)
    }

    /// All callbacks run; the answer is the first failure.
    fn power_down(&self, handle: WDFDMAENABLER) -> NTSTATUS {
        let calls = self.callbacks;
        let mut status = call_status("EvtDmaEnablerSelfManagedIoStop", calls.stop, handle);
        if !self.fill_failed.get() {
            status = first_failure(status, call_status("EvtDmaEnablerDisable", calls.disable, handle));
        }
        if !self.fill_failed.get() && !self.enable_failed.get() {
            status = first_failure(status, call_status("EvtDmaEnablerFlush", calls.flush, handle));
        }
        status
    }
}

/// Calls one power callback, if the driver has it.
fn call_status(
    name: &'static str,
    callback: Option<unsafe extern "win64" fn(WDFDMAENABLER) -> NTSTATUS>,
    enabler: WDFDMAENABLER,
) -> NTSTATUS {
    callback.map_or(STATUS_SUCCESS, |function| {
        // SAFETY: the driver's callback for exactly this.
        call::status(name, || unsafe { function(enabler) }, String::new)
    })
}

/// D0 was entered: the callbacks of each enabler, in order of creation.
pub(super) fn power_up(device: &Ref<Device>) -> NTSTATUS {
    for enabler in device.enablers().all() {
        let status = enabler.power_up(enabler.raw());
        if !NT_SUCCESS(status) {
            return status;
        }
    }
    STATUS_SUCCESS
}

fn first_failure(earlier: NTSTATUS, later: NTSTATUS) -> NTSTATUS {
    if NT_SUCCESS(earlier) { later } else { earlier }
}

/// D0 is being left. All callbacks of all enablers run; the answer is the first failure.
pub(super) fn power_down(device: &Ref<Device>) -> NTSTATUS {
    device.enablers().all().iter().fold(STATUS_SUCCESS, |status, enabler| {
        first_failure(status, enabler.power_down(enabler.raw()))
    })
}

/// Makes an enabler.
fn create(
    device: WDFDEVICE,
    config: PWDF_DMA_ENABLER_CONFIG,
    attributes: PWDF_OBJECT_ATTRIBUTES,
) -> Result<Ref<Enabler>, NTSTATUS> {
    let device = object::get::<Device>(device);
    super::require(config, "the configuration");
    super::verify_passive("WdfDmaEnablerCreate")?;
    // SAFETY: not null; the driver's own structure.
    let config = unsafe { config.read() };
    if config.Size as usize != size_of::<WDF_DMA_ENABLER_CONFIG>() {
        return Err(STATUS_INFO_LENGTH_MISMATCH);
    }
    if config.MaximumLength == 0 {
        return Err(STATUS_INVALID_PARAMETER);
    }
    let attributes = Attributes::read_plain(attributes, ParentRule::Optional)?;
    let parent = attributes.parent_or(device.object());
    if parent
        .ancestor::<Device>()
        .is_none_or(|found| found.handle() != device.handle())
    {
        return Err(STATUS_WDF_OBJECT_ATTRIBUTES_INVALID);
    }
    let settings = profile::settings(&config).map_err(refused)?;
    let adapters = acquire(&device, &settings)?;
    let alignment = adapters.read.alignment_mask().max(device_alignment(&device));
    let callbacks = Callbacks {
        fill: config.EvtDmaEnablerFill,
        enable: config.EvtDmaEnablerEnable,
        start: config.EvtDmaEnablerSelfManagedIoStart,
        stop: config.EvtDmaEnablerSelfManagedIoStop,
        disable: config.EvtDmaEnablerDisable,
        flush: config.EvtDmaEnablerFlush,
    };
    let body = Enabler {
        device: device.clone(),
        settings,
        adapters: Cell::new(Some(adapters)),
        alignment,
        maximum_elements: Cell::new(u64::from(u32::MAX)),
        callbacks,
        fill_failed: Cell::new(false),
        enable_failed: Cell::new(false),
    };
    let created = object::create(
        &New {
            attributes: &attributes,
            parent: Some(&parent),
            flags: Flags::empty(),
        },
        body,
    );
    match &created {
        Ok(enabler) => device.enablers().add(enabler.clone()),
        Err(_) => release(adapters),
    }
    created
}

/// The status of a refused configuration.
fn refused(refusal: Refusal) -> NTSTATUS {
    match refusal {
        Refusal::Status(status) => status,
        Refusal::Break(status, why) => {
            verifier::debug_break(DMA_CONFIGURATION, why);
            status
        }
        Refusal::Unsupported(_) => {
            cross::unimplemented("WDF01000.SYS", "WdfDmaEnablerCreate with a packet or system profile")
        }
    }
}

/// `AlignmentRequirement` of the device object.
fn device_alignment(device: &Ref<Device>) -> u32 {
    // SAFETY: the device object exists as long as the device.
    unsafe { (*device.fdo()).AlignmentRequirement }
}

/// Gets and measures the adapters of a device.
fn acquire(device: &Ref<Device>, settings: &Settings) -> Result<Adapters, NTSTATUS> {
    let read = acquire_one(device, settings)?;
    let write = match settings.channels {
        Channels::Simplex => None,
        Channels::Duplex => match acquire_one(device, settings) {
            Ok(write) => Some(write),
            Err(status) => {
                read.put();
                return Err(status);
            }
        },
    };
    Ok(Adapters { read, write })
}

fn acquire_one(device: &Ref<Device>, settings: &Settings) -> Result<Adapter, NTSTATUS> {
    let mut adapter = Adapter::get(device.pdo(), settings).ok_or(STATUS_UNSUCCESSFUL)?;
    let status = adapter.measure_list();
    if NT_SUCCESS(status) {
        return Ok(adapter);
    }
    adapter.put();
    Err(status)
}

/// Gives the adapters of an enabler that did not come to be back.
fn release(adapters: Adapters) {
    adapters.read.put();
    if let Some(write) = adapters.write {
        write.put();
    }
}

/// The enabler of a handle.
fn enabler(handle: WDFDMAENABLER) -> Ref<Enabler> {
    object::get::<Enabler>(handle)
}

/// The direction of a query; the real framework takes anything but 0 for a write.
fn queried(direction: WDF_DMA_DIRECTION) -> Direction {
    Direction::from_raw(direction).unwrap_or(Direction::WriteToDevice)
}

wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Makes the DMA enabler of a device. From EvtDriverDeviceAdd or EvtDevicePrepareHardware.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDmaEnablerCreate(device: WDFDEVICE, config: PWDF_DMA_ENABLER_CONFIG, attributes: PWDF_OBJECT_ATTRIBUTES, made: *mut WDFDMAENABLER) -> NTSTATUS {
        super::answer(made, || create(device, config, attributes).map(|enabler| enabler.raw()))
    }

    /// The length that was configured, bytes.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaEnablerGetMaximumLength(dma_enabler: WDFDMAENABLER) -> usize {
        enabler(dma_enabler).settings.maximum_length as usize
    }

    /// The elements that a list may have.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaEnablerGetMaximumScatterGatherElements(dma_enabler: WDFDMAENABLER) -> usize {
        usize::try_from(enabler(dma_enabler).maximum_elements()).expect("64-bit host")
    }

    /// Limits the elements of a list. 0 is ignored, and so is a call after the device was started.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDmaEnablerSetMaximumScatterGatherElements(dma_enabler: WDFDMAENABLER, maximum: usize) {
        let enabler = enabler(dma_enabler);
        if super::verify_passive("WdfDmaEnablerSetMaximumScatterGatherElements").is_err() || maximum == 0 {
            return;
        }
        if enabler.device.io().is_powered() {
            verifier::debug_break(DMA_CONFIGURATION, "the scatter-gather limit was set after the device was started");
            return;
        }
        enabler.maximum_elements.set(maximum as u64);
    }

    /// The longest fragment of a direction, bytes: what was configured, or less when map registers are few.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaEnablerGetFragmentLength(dma_enabler: WDFDMAENABLER, direction: WDF_DMA_DIRECTION) -> usize {
        enabler(dma_enabler).adapter(queried(direction)).fragment as usize
    }

    /// The HAL's adapter of a direction.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaEnablerWdmGetDmaAdapter(dma_enabler: WDFDMAENABLER, direction: WDF_DMA_DIRECTION) -> PDMA_ADAPTER {
        enabler(dma_enabler).adapter(queried(direction)).raw()
    }
}

/// The enablers of one device.
#[derive(Default)]
pub(crate) struct List(std::cell::RefCell<Vec<Ref<Enabler>>>);

impl List {
    pub(super) fn add(&self, enabler: Ref<Enabler>) {
        self.0.borrow_mut().push(enabler);
    }

    pub(super) fn remove(&self, handle: Handle) {
        self.0.borrow_mut().retain(|enabler| enabler.handle() != handle);
    }

    pub(super) fn all(&self) -> Vec<Ref<Enabler>> {
        self.0.borrow().clone()
    }
}
