//! Stopping the device's DMA, and proof of it. `PASSIVE_LEVEL`.
//!
//! Three steps, each bounded in time, each proving more crudely than the one before that the device cannot access memory any more:
//!
//! 1. *reset*: the device says that its reset is over, which by contract it does after its last access;
//! 2. *bus mastering off*: the PCI command register says that the function may not access memory. Accesses that were under way have ended when the register has
//!    been read back, since a read's completion pushes posted writes ahead of it;
//! 3. *gone*: registers or configuration space read as ones. There is no function at the other end of the link, and nothing that could access memory.
//!
//! Where all fail there is no proof, and memory stays tied.

use core::time::Duration;

use hawser_abi::registers::{self as reg, control};
use kmdf::{BusMaster, poll};

use crate::hardware::{Hardware, present};

/// How long a reset may take.
const RESET_LIMIT: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(1);

/// Proof that the device does not access memory. Only this module makes it.
#[derive(Debug)]
pub struct Stopped(Means);

/// How the device was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// It was reset, and can be set up again.
    Reset,
    /// Bus mastering was taken from it: it has failed.
    BusMasterOff,
    /// It is gone.
    Gone,
}

impl Stopped {
    /// How the device was stopped.
    pub const fn means(&self) -> Means {
        self.0
    }
}

/// Stops the device. None where it could not be proved that it has.
pub fn stop(hardware: &Hardware) -> Option<Stopped> {
    reset(hardware).or_else(|| take_bus_master(hardware)).map(Stopped)
}

fn reset(hardware: &Hardware) -> Option<Means> {
    let registers = &hardware.registers;
    if hardware.status().is_none() {
        return Some(Means::Gone);
    }
    registers.write32(reg::CONTROL, control::RESET);
    poll(RESET_LIMIT, STEP, || match present(registers.read32(reg::CONTROL)) {
        None => Some(Means::Gone),
        Some(bits) if bits & control::RESET == 0 => Some(Means::Reset),
        Some(_) => None,
    })
}

fn take_bus_master(hardware: &Hardware) -> Option<Means> {
    match hardware.bus.as_ref()?.set_bus_master(BusMaster::Disabled).ok()? {
        BusMaster::Disabled => Some(Means::BusMasterOff),
        BusMaster::Gone => Some(Means::Gone),
        BusMaster::Enabled => None,
    }
}
