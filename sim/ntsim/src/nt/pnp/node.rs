//! Device nodes: a plugged function with its stack of drivers, and what the PnP manager does with it.

use super::{power, resources::ResourceLists};
use crate::{
    cross, hal, machine,
    nt::io::{self, Driver, IoResult},
    pci::{self, FunctionId},
    sched,
    verifier::{self, io as rules},
};
use std::{cell::Cell, rc::Rc};
use wdk_sys::{
    _POWER_STATE_TYPE, DEVICE_CAPABILITIES, DO_DEVICE_INITIALIZING, IRP_MJ_PNP, IRP_MN_CANCEL_REMOVE_DEVICE,
    IRP_MN_CANCEL_STOP_DEVICE, IRP_MN_FILTER_RESOURCE_REQUIREMENTS, IRP_MN_QUERY_CAPABILITIES,
    IRP_MN_QUERY_DEVICE_RELATIONS, IRP_MN_QUERY_PNP_DEVICE_STATE, IRP_MN_QUERY_REMOVE_DEVICE, IRP_MN_QUERY_STOP_DEVICE,
    IRP_MN_REMOVE_DEVICE, IRP_MN_START_DEVICE, IRP_MN_STOP_DEVICE, IRP_MN_SURPRISE_REMOVAL, NT_SUCCESS, NTSTATUS,
    PDEVICE_OBJECT, PIO_STACK_LOCATION, POWER_STATE, STATUS_DEVICE_BUSY, STATUS_INVALID_DEVICE_STATE,
    STATUS_NOT_SUPPORTED, STATUS_SUCCESS, UCHAR,
};

/// PNP_DEVICE_FAILED in the answer to IRP_MN_QUERY_PNP_DEVICE_STATE.
const DEVICE_FAILED: u64 = 4;

/// How far the PnP manager is with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceState {
    /// Found on the bus; no driver has it.
    Enumerated,
    /// A driver has it; it is not started.
    Added,
    /// Started.
    Started,
    /// Stopped, to be started again with other resources.
    Stopped,
    /// Gone from the bus, but its drivers are not through with it.
    SurpriseRemoved,
    /// Gone.
    Removed,
}

/// A device node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) function: FunctionId,
    pub(crate) pdo: PDEVICE_OBJECT,
    pub(crate) state: Cell<DeviceState>,
    /// The PnP manager looks after it; without, a test sends the IRPs itself.
    pub(crate) managed: bool,
    /// An operation is going on.
    busy: Cell<bool>,
    /// It is being removed in good order: nobody may open it.
    removing: Cell<bool>,
}

impl Node {
    /// Makes the physical device object of a function.
    pub(super) fn enumerate(function: FunctionId, managed: bool) -> Rc<Self> {
        let flags = wdk_sys::DO_BUS_ENUMERATED_DEVICE | wdk_sys::DO_POWER_PAGABLE;
        let shape = io::Shape {
            extension: 0,
            kind: wdk_sys::FILE_DEVICE_UNKNOWN,
            characteristics: 0,
            flags,
        };
        let pdo = io::create(super::bus::driver(), shape, io::Ownership::Bus);
        pci::bind_pdo(function, pdo);
        let node = Rc::new(Self {
            function,
            pdo,
            state: Cell::new(DeviceState::Enumerated),
            managed,
            busy: Cell::new(false),
            removing: Cell::new(false),
        });
        machine::with(|m| m.pnp.nodes.borrow_mut().insert(pdo.addr(), Rc::clone(&node)));
        node
    }

    /// Runs `f` when no other operation on the device is going on.
    fn exclusively<R>(&self, f: impl FnOnce() -> R) -> R {
        sched::block("the PnP operation before this one", || !self.busy.get(), None);
        self.busy.set(true);
        let result = f();
        self.busy.set(false);
        sched::notify();
        result
    }

    /// Sends a PnP request to the stack.
    fn pnp(&self, minor: u32, prepare: impl FnOnce(PIO_STACK_LOCATION)) -> IoResult {
        io::send_and_wait(io::top_of(self.pdo), |irp, stack| {
            io::set_status(irp, STATUS_NOT_SUPPORTED);
            // SAFETY: the next location of a fresh IRP; all fields are plain data.
            let location = unsafe { &mut *stack };
            location.MajorFunction = IRP_MJ_PNP as UCHAR;
            location.MinorFunction = minor as UCHAR;
            prepare(stack);
        })
    }

    fn plain(&self, minor: u32) -> NTSTATUS {
        self.pnp(minor, |_| {}).status
    }

    /// A request that drivers may not fail.
    fn must_succeed(&self, minor: u32) {
        let status = self.plain(minor);
        if !NT_SUCCESS(status) {
            let text = format!("IRP_MN {minor:#x} was failed with {status:#x}; drivers may not fail it");
            verifier::violation_with(
                rules::CANNOT_BE_FAILED,
                [self.pdo.addr() as u64, u64::from(minor), 0],
                text,
            );
        }
    }

    /// Gives the device to a driver.
    pub(super) fn add(&self, driver: Driver) -> NTSTATUS {
        // SAFETY: a live driver object.
        let extension = unsafe { (*driver.object).DriverExtension };
        // SAFETY: it has an extension as long as it lives.
        let Some(routine) = (unsafe { (*extension).AddDevice }) else {
            return wdk_sys::STATUS_INVALID_DEVICE_REQUEST;
        };
        let (object, pdo) = (driver.object, self.pdo);
        // SAFETY: the driver's AddDevice routine, called as documented for it.
        let status = cross::callback("AddDevice", || unsafe { routine(object, pdo) }, String::new);
        if NT_SUCCESS(status) {
            self.state.set(DeviceState::Added);
            self.check_initialized();
        }
        status
    }

    fn check_initialized(&self) {
        let mut device = self.pdo;
        while !device.is_null() {
            // SAFETY: a live device object of the stack.
            let fields = unsafe { device.read() };
            if fields.Flags & DO_DEVICE_INITIALIZING != 0 {
                let text = "AddDevice returned and DO_DEVICE_INITIALIZING is still set";
                verifier::violation_with(rules::STILL_INITIALIZING, [device.addr() as u64, 0, 0], text);
            }
            device = fields.AttachedDevice;
        }
    }

    /// Starts the device, and asks what there is to be asked of a started one.
    pub(super) fn start(&self) -> NTSTATUS {
        self.exclusively(|| {
            if !matches!(self.state.get(), DeviceState::Added | DeviceState::Stopped) {
                return STATUS_INVALID_DEVICE_STATE;
            }
            if self.state.get() == DeviceState::Added {
                self.plain(IRP_MN_FILTER_RESOURCE_REQUIREMENTS);
            }
            let lists = ResourceLists::of(self.function);
            let status = self
                .pnp(IRP_MN_START_DEVICE, |stack| {
                    // SAFETY: the next location of a fresh IRP.
                    let raw = unsafe { &raw mut (*stack).Parameters.StartDevice.AllocatedResources };
                    // SAFETY: as above.
                    unsafe { raw.write(lists.raw) };
                    // SAFETY: as above.
                    let translated = unsafe { &raw mut (*stack).Parameters.StartDevice.AllocatedResourcesTranslated };
                    // SAFETY: as above.
                    unsafe { translated.write(lists.translated) };
                })
                .status;
            lists.free();
            if NT_SUCCESS(status) {
                self.state.set(DeviceState::Started);
                self.ask_started();
            }
            status
        })
    }

    /// What the PnP manager asks of a device that was started.
    fn ask_started(&self) {
        let mut capabilities = DEVICE_CAPABILITIES {
            Size: size_of::<DEVICE_CAPABILITIES>() as u16,
            Version: 1,
            ..Default::default()
        };
        capabilities.Address = u32::MAX;
        capabilities.UINumber = u32::MAX;
        let record = &raw mut capabilities;
        self.pnp(IRP_MN_QUERY_CAPABILITIES, |stack| {
            // SAFETY: the next location of a fresh IRP.
            let place = unsafe { &raw mut (*stack).Parameters.DeviceCapabilities.Capabilities };
            // SAFETY: as above.
            unsafe { place.write(record) };
        });
        let relations = self.pnp(IRP_MN_QUERY_DEVICE_RELATIONS, |_| {});
        if relations.information != 0 {
            cross::unimplemented("PnP manager", "a device with children");
        }
    }

    /// Asks whether the device failed, and removes it if so.
    pub(super) fn check_state(&self) {
        let failed = self.exclusively(|| {
            let there = !matches!(self.state.get(), DeviceState::SurpriseRemoved | DeviceState::Removed);
            there && self.pnp(IRP_MN_QUERY_PNP_DEVICE_STATE, |_| {}).information & DEVICE_FAILED != 0
        });
        if failed && self.state.get() == DeviceState::Started {
            self.surprise();
            self.remove_when_closed();
        }
    }

    /// Stops the device: asks, then does it.
    pub(super) fn stop(&self) -> NTSTATUS {
        self.exclusively(|| {
            if self.state.get() != DeviceState::Started {
                return STATUS_INVALID_DEVICE_STATE;
            }
            let status = self.plain(IRP_MN_QUERY_STOP_DEVICE);
            if !NT_SUCCESS(status) {
                self.must_succeed(IRP_MN_CANCEL_STOP_DEVICE);
                return status;
            }
            self.must_succeed(IRP_MN_STOP_DEVICE);
            self.state.set(DeviceState::Stopped);
            STATUS_SUCCESS
        })
    }

    /// Asks whether the device may be removed, and takes that back.
    pub(super) fn query_remove(&self) -> NTSTATUS {
        self.exclusively(|| {
            let status = self.plain(IRP_MN_QUERY_REMOVE_DEVICE);
            self.must_succeed(IRP_MN_CANCEL_REMOVE_DEVICE);
            status
        })
    }

    /// Removes the device in good order.
    pub(super) fn remove(&self) -> NTSTATUS {
        self.exclusively(|| {
            if matches!(self.state.get(), DeviceState::SurpriseRemoved | DeviceState::Removed) {
                return STATUS_INVALID_DEVICE_STATE;
            }
            if self.open_files() > 0 {
                return STATUS_DEVICE_BUSY;
            }
            self.removing.set(true);
            if self.state.get() == DeviceState::Started {
                let status = self.plain(IRP_MN_QUERY_REMOVE_DEVICE);
                if !NT_SUCCESS(status) {
                    self.must_succeed(IRP_MN_CANCEL_REMOVE_DEVICE);
                    self.removing.set(false);
                    return status;
                }
            }
            self.finish_removal();
            STATUS_SUCCESS
        })
    }

    /// Whether a program may open the device now.
    pub(super) fn may_be_opened(&self) -> bool {
        !self.removing.get() && !matches!(self.state.get(), DeviceState::SurpriseRemoved | DeviceState::Removed)
    }

    fn open_files(&self) -> i32 {
        // SAFETY: the node keeps its physical device object until it is removed.
        unsafe { (*self.pdo).ReferenceCount }
    }

    /// The device is gone from the bus: its drivers hear of it.
    pub(super) fn surprise(&self) {
        pci::unplug(self.function);
        self.exclusively(|| {
            if matches!(self.state.get(), DeviceState::Started | DeviceState::Stopped) {
                self.must_succeed(IRP_MN_SURPRISE_REMOVAL);
            }
            self.state.set(DeviceState::SurpriseRemoved);
        });
    }

    /// Removes a device that is gone, as soon as all files on it are closed.
    pub(super) fn remove_when_closed(&self) {
        sched::block(
            "the last file on a removed device to be closed",
            || self.open_files() <= 0,
            None,
        );
        self.exclusively(|| {
            if self.state.get() != DeviceState::Removed {
                self.finish_removal();
            }
        });
    }

    /// Sends IRP_MN_REMOVE_DEVICE and lets go of everything.
    fn finish_removal(&self) {
        self.must_succeed(IRP_MN_REMOVE_DEVICE);
        self.state.set(DeviceState::Removed);
        // SAFETY: the node keeps its physical device object until here.
        let attached = unsafe { (*self.pdo).AttachedDevice };
        if !attached.is_null() {
            let text = "IRP_MN_REMOVE_DEVICE completed and a device object is still attached";
            verifier::violation_with(rules::NOT_DETACHED, [attached.addr() as u64, 0, 0], text);
        }
        machine::with(|m| {
            m.io.forget_interfaces(self.pdo);
            m.pnp.nodes.borrow_mut().remove(&self.pdo.addr());
        });
        pci::remove(self.function);
        hal::forget(self.function);
        io::delete(self.pdo);
    }

    /// Sends a system power request to the stack.
    pub(super) fn system_power(&self, minor: u32, state: i32) -> NTSTATUS {
        let result = io::send_and_wait(io::top_of(self.pdo), |irp, stack| {
            io::set_status(irp, STATUS_NOT_SUPPORTED);
            power::describe(
                stack,
                minor as UCHAR,
                _POWER_STATE_TYPE::SystemPowerState,
                POWER_STATE { SystemState: state },
            );
        });
        result.status
    }
}
