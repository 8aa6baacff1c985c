//! What a function reaches of the machine: memory through the HAL, interrupts, time.

use super::{DevicePort, DmaFault, FunctionId, Level, slot::Presence};
use crate::{hal, machine, nt::ke};

/// The port of one function.
pub(super) struct Port {
    pub(super) id: FunctionId,
}

impl Port {
    /// Whether the function may reach memory and interrupts now.
    fn may_master(&self) -> bool {
        machine::with(|m| {
            m.pci.slot(self.id).is_some_and(|slot| {
                slot.present.get() == Presence::Plugged && slot.config.borrow().control().bus_master
            })
        })
    }
}

impl DevicePort for Port {
    fn dma_read(&mut self, address: u64, data: &mut [u8]) -> Result<(), DmaFault> {
        if !self.may_master() {
            return Err(DmaFault { address });
        }
        hal::device_read(self.id, address, data)
    }

    fn dma_write(&mut self, address: u64, data: &[u8]) -> Result<(), DmaFault> {
        if !self.may_master() {
            return Err(DmaFault { address });
        }
        hal::device_write(self.id, address, data)
    }

    fn message(&mut self, number: u16) {
        if !self.may_master() {
            return;
        }
        let line = machine::with(|m| {
            let slot = m.pci.slot(self.id)?;
            let granted = slot.messages_granted();
            (granted > 0).then(|| slot.lines[usize::from(number.min(granted - 1))])
        });
        if let Some(line) = line {
            ke::interrupt::pulse(line);
        }
    }

    fn line(&mut self, level: Level) {
        let line = machine::with(|m| {
            let slot = m.pci.slot(self.id)?;
            (slot.messages_granted() == 0).then(|| slot.lines.first().copied())?
        });
        if let Some(line) = line {
            ke::interrupt::drive(line, level);
        }
    }

    fn now_ns(&self) -> u64 {
        machine::with(|m| m.now().ns())
    }

    fn messages_granted(&self) -> u16 {
        machine::with(|m| m.pci.slot(self.id).map_or(0, |slot| slot.messages_granted()))
    }
}
