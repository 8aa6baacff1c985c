//! The I/O manager: drivers, devices, IRPs, files, and the requests of the user process.

mod call;
mod cancel;
mod check;
mod device;
mod driver;
mod extension;
mod file;
mod interface;
mod ioctl;
mod irp;
mod object;
mod remove_lock;
mod security;
mod sync;

pub use driver::{Driver, DriverImage, Failure};
pub use file::{DesiredAccess, Handle};
pub use ioctl::PendingIo;
pub use irp::IoResult;
pub use security::Account;

pub(crate) use call::{complete, send};
pub(crate) use device::{Ownership, Shape, create, delete, top_of};
pub(crate) use driver::make_bus_driver;
pub(crate) use irp::{allocate, current_location, next_location, release, result, set_status};
pub(crate) use sync::send_and_wait;

use crate::{
    cross::{Domain, Export},
    image,
    machine::{LedgerEntry, Options},
    mem::UserBuffer,
};
use std::cell::RefCell;
use wdk_sys::PDEVICE_OBJECT;

/// The functions that this part exports.
pub(crate) const EXPORTS: &[&[Export]] = &[
    call::EXPORTS,
    cancel::EXPORTS,
    device::EXPORTS,
    extension::EXPORTS,
    interface::EXPORTS,
    irp::EXPORTS,
    object::EXPORTS,
    remove_lock::EXPORTS,
];

/// The state of this part of a machine.
#[derive(Default)]
pub struct State {
    pub(crate) irps: irp::Irps,
    pub(crate) devices: device::Devices,
    pub(crate) files: file::Files,
    pub(crate) interfaces: interface::Interfaces,
    pub(crate) extensions: extension::Extensions,
    pub(crate) cancel_lock: cancel::CancelLock,
    pub(crate) images: image::Images,
    /// The input buffers of METHOD_NEITHER requests.
    pub(crate) raw_inputs: RefCell<Vec<UserBuffer>>,
}

impl State {
    pub(crate) fn new(_options: &Options) -> Self {
        Self::default()
    }

    /// Whether an IRP begins at an address.
    pub(crate) fn is_irp(&self, address: usize) -> bool {
        self.irps.contains(address)
    }

    /// Forgets the interfaces of a device.
    pub(crate) fn forget_interfaces(&self, pdo: PDEVICE_OBJECT) {
        self.interfaces.forget(pdo);
    }

    /// Adds what is outstanding.
    pub(crate) fn ledger(&self, out: &mut Vec<LedgerEntry>) {
        let mut add = |kind, owner: &str, count| {
            if count > 0 {
                out.push(LedgerEntry {
                    kind,
                    owner: owner.to_owned(),
                    count,
                    bytes: 0,
                });
            }
        };
        add("IRP", "kernel", self.irps.count(|owner| owner == Domain::Kernel));
        add("IRP", "framework", self.irps.count(|owner| owner == Domain::Framework));
        add("IRP", "driver", self.irps.count(|owner| owner == Domain::Driver));
        add("device object", "any", self.devices.count());
        add("file object", "user process", self.files.count());
    }
}
