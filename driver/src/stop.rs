//! Stopping the device's DMA, and proof of it. `PASSIVE_LEVEL`.
//!
//! Three steps, each bounded in time, each proving more crudely than the one before that the device cannot access memory any more:
//!
//! 1. *reset*: the device says that its reset is over, which by contract it does after its last access;
//! 2. *bus mastering off*: the PCI command register says that the function may not access memory. Accesses that were under way have ended when the register has
//!    been read back, since a read's completion pushes posted writes ahead of it;
//! 3. *gone*: the vendor identifier in configuration space reads as ones. There is no function at the other end of the link, and nothing that could access memory.
//!
//! Registers that read as ones prove nothing: they say that a read failed, which stops no write of the device's own.
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
    registers.write32(reg::CONTROL, control::RESET);
    poll(RESET_LIMIT, STEP, || match present(registers.read32(reg::CONTROL)) {
        None => gone(hardware),
        Some(bits) if bits & control::RESET == 0 => Some(Means::Reset),
        Some(_) => None,
    })
}

fn gone(hardware: &Hardware) -> Option<Means> {
    (hardware.bus.bus_master() == Ok(BusMaster::Gone)).then_some(Means::Gone)
}

fn take_bus_master(hardware: &Hardware) -> Option<Means> {
    match hardware.bus.set_bus_master(BusMaster::Disabled).ok()? {
        BusMaster::Disabled => Some(Means::BusMasterOff),
        BusMaster::Gone => Some(Means::Gone),
        BusMaster::Enabled => None,
    }
}
