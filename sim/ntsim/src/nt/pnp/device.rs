//! Devices from outside: plugging in, stopping, removing, sleeping.

use super::{
    node::{DeviceState, Node},
    resources::ResourceLists,
};
use crate::{
    machine::{self, Machine},
    nt::io::{Driver, Failure},
    pci::{self, FunctionId, PciFunction},
    sched,
};
use core::cell::RefCell;
use std::rc::Rc;
use wdk_sys::{_SYSTEM_POWER_STATE, IRP_MN_QUERY_POWER, IRP_MN_SET_POWER, NT_SUCCESS, NTSTATUS, PDEVICE_OBJECT};

/// A device that was plugged in.
#[derive(Debug, Clone)]
pub struct Device {
    node: Rc<Node>,
}

impl Machine {
    /// Plugs a function in, gives it to a driver and starts it.
    ///
    /// # Errors
    /// AddDevice failed or the device did not start (then it is removed again), or the machine stopped.
    pub fn plug(&self, driver: &Driver, model: Box<dyn PciFunction>) -> Result<Device, Failure> {
        let driver = *driver;
        let model = RefCell::new(Some(model));
        let plugged = self.run("plug in", move || {
            let model = model.borrow_mut().take();
            let node = Node::enumerate(pci::plug(model.expect("the closure runs once")), true);
            let status = add_and_start(&node, driver);
            (Device { node }, status)
        })?;
        let (device, status) = plugged;
        Failure::check(status)?;
        Ok(device)
    }

    /// Plugs a function in and leaves it alone: the caller gives it to a driver and sends the IRPs. For tests that play the PnP manager.
    ///
    /// # Errors
    /// The machine stopped.
    pub fn enumerate(&self, model: Box<dyn PciFunction>) -> Result<Device, Failure> {
        let model = RefCell::new(Some(model));
        let node = self.run("enumerate", move || {
            let model = model.borrow_mut().take();
            Node::enumerate(pci::plug(model.expect("the closure runs once")), false)
        })?;
        Ok(Device { node })
    }
}

fn add_and_start(node: &Node, driver: Driver) -> NTSTATUS {
    let status = node.add(driver);
    if !NT_SUCCESS(status) {
        node.remove();
        return status;
    }
    let status = node.start();
    if !NT_SUCCESS(status) {
        node.remove();
    }
    status
}

impl Device {
    /// The physical device object.
    #[must_use]
    pub fn pdo(&self) -> PDEVICE_OBJECT {
        self.node.pdo
    }

    /// The function behind it.
    #[must_use]
    pub fn function(&self) -> FunctionId {
        self.node.function
    }

    /// How far the PnP manager is with it.
    #[must_use]
    pub fn state(&self) -> DeviceState {
        self.node.state.get()
    }

    /// The resource lists of IRP_MN_START_DEVICE, for whoever sends it. They live as long as the machine. Call it in a context of the machine.
    #[must_use]
    pub fn resource_lists(&self) -> ResourceLists {
        ResourceLists::of(self.node.function)
    }

    /// Stops the device: the driver is asked first.
    ///
    /// # Errors
    /// The driver refuses, the device is not started, or the machine stopped.
    pub fn stop(&self) -> Result<(), Failure> {
        self.operate("stop device", Node::stop)
    }

    /// Starts the device again after [`Self::stop`].
    ///
    /// # Errors
    /// The driver fails, the device is not stopped, or the machine stopped.
    pub fn restart(&self) -> Result<(), Failure> {
        self.operate("start device", Node::start)
    }

    /// Asks the driver whether the device may be removed, and takes that back.
    ///
    /// # Errors
    /// The driver refuses, or the machine stopped.
    pub fn query_remove(&self) -> Result<(), Failure> {
        self.operate("query remove", Node::query_remove)
    }

    /// Removes the device: the driver is asked first. Open files are in the way.
    ///
    /// # Errors
    /// The driver refuses, files are open, or the machine stopped.
    pub fn remove(&self) -> Result<(), Failure> {
        self.operate("remove device", Node::remove)
    }

    /// Pulls the device out. The driver hears of it at once; the rest of the removal waits, in the background, for open files to be closed.
    ///
    /// # Errors
    /// The machine stopped.
    pub fn surprise_remove(&self) -> Result<(), Failure> {
        let node = Rc::clone(&self.node);
        machine::current().run("surprise removal", move || {
            node.surprise();
            sched::spawn("remove device", move || node.remove_when_closed());
        })?;
        Ok(())
    }

    /// Puts the system to sleep (S3), as far as this device is concerned.
    ///
    /// # Errors
    /// The driver refuses, or the machine stopped.
    pub fn sleep(&self) -> Result<(), Failure> {
        self.operate("system sleep", |node| {
            let state = _SYSTEM_POWER_STATE::PowerSystemSleeping3;
            let status = node.system_power(IRP_MN_QUERY_POWER, state);
            if !NT_SUCCESS(status) {
                node.system_power(IRP_MN_SET_POWER, _SYSTEM_POWER_STATE::PowerSystemWorking);
                return status;
            }
            node.system_power(IRP_MN_SET_POWER, state)
        })
    }

    /// Wakes the system up again. The device follows in its own time: it is on when the machine has settled.
    ///
    /// # Errors
    /// The driver fails, or the machine stopped.
    pub fn resume(&self) -> Result<(), Failure> {
        self.operate("system resume", |node| {
            node.system_power(IRP_MN_SET_POWER, _SYSTEM_POWER_STATE::PowerSystemWorking)
        })
    }

    fn operate(&self, name: &str, operation: impl FnOnce(&Node) -> NTSTATUS + 'static) -> Result<(), Failure> {
        let node = Rc::clone(&self.node);
        let status = machine::current().run(name, move || operation(&node))?;
        Failure::check(status)
    }
}
