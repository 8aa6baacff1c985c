//! Host memory behind the Bus Master Enable bit.

use crate::bus::{BusError, HostBus};

/// Bus Master Enable of the PCI command register, as the slot sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusMaster {
    /// The device may access host memory and send messages.
    Enabled,
    /// Every access is refused, and messages stay pending.
    Disabled,
}

/// Accesses to host memory, refused while bus mastering is off.
pub(crate) struct HostAccess<'a> {
    bus: &'a mut dyn HostBus,
    master: BusMaster,
}

impl<'a> HostAccess<'a> {
    pub(crate) fn new(bus: &'a mut dyn HostBus, master: BusMaster) -> Self {
        Self { bus, master }
    }

    pub(crate) fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), BusError> {
        self.permit()?;
        self.bus.read(address, into)
    }

    pub(crate) fn write(&mut self, address: u64, from: &[u8]) -> Result<(), BusError> {
        self.permit()?;
        self.bus.write(address, from)
    }

    fn permit(&self) -> Result<(), BusError> {
        match self.master {
            BusMaster::Enabled => Ok(()),
            BusMaster::Disabled => Err(BusError),
        }
    }
}
