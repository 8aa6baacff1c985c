//! The device's resources: found, mapped and examined when the system assigns them, let go when it takes them.

use hawser_abi::registers::{self, cap};
use hawser_abi::{pci, registers as reg};
use hawser_core::Limits;
use kmdf::{BusInterface, MappedRegisters, NtStatus, Resources, Result};

use crate::device::Device;

/// What is known of the hardware while the device has it.
#[derive(Debug)]
pub struct Hardware {
    /// Its registers.
    pub registers: MappedRegisters,
    /// Its configuration space.
    pub bus: BusInterface,
    /// Its interface version.
    pub version: u32,
    /// Interrupt messages granted; 0 for a line.
    pub messages: u32,
    /// Queue pairs in use.
    pub queues: u16,
    /// What it takes, and what the driver takes.
    pub limits: Limits,
}

impl Hardware {
    /// The interrupt message of a queue: its own where there are enough, else that of errors.
    pub const fn message_of(&self, queue: u16) -> u32 {
        let own = 1 + queue as u32;
        if own < self.messages {
            own
        } else {
            pci::ERROR_MESSAGE as u32
        }
    }

    /// The status register, or None where it reads as ones: the read failed, as it does when the device is gone.
    pub fn status(&self) -> Option<u32> {
        present(self.registers.read32(reg::STATUS))
    }
}

/// The value of a register that never reads as ones while there is a device.
pub fn present(value: u32) -> Option<u32> {
    (value != registers::GONE).then_some(value)
}

/// Takes the resources. Everything that was taken is given back when this fails.
pub fn prepare(device: &Device, resources: &Resources<'_>) -> Result {
    let range = resources.memory(0).ok_or(NtStatus::DEVICE_CONFIGURATION_ERROR)?;
    if range.length() < pci::REGISTER_BAR_SIZE {
        return Err(NtStatus::DEVICE_CONFIGURATION_ERROR);
    }
    let messages = resources.messages().min(pci::MSIX_MESSAGES.into());
    if messages == 0 && !resources.has_line() {
        return Err(NtStatus::DEVICE_CONFIGURATION_ERROR);
    }
    let registers = MappedRegisters::map(range, device.ledger)?;
    let identity = identify(&registers)?;
    let limits = Limits {
        max_steps: device.params.max_steps,
        max_data: device.params.max_data,
        scratch_size: identity.scratch_size,
        arena_size: device.arena.size(),
        map_registers: device.map_registers,
        device_address_bits: cap::address_bits(identity.capabilities),
        ..Limits::default()
    };
    check_reach(device, &limits)?;
    let hardware = Hardware {
        registers,
        // Without it there would be no proof that a device that does not answer has stopped.
        bus: device.handle.bus_interface()?,
        version: identity.version,
        messages,
        queues: device.params.queues.min(cap::queues(identity.capabilities)),
        limits,
    };
    device.scratch.resize(limits.scratch_size);
    let published = device.interrupts.hardware.publish(hardware);
    published.map_err(|_| NtStatus::INTERNAL_ERROR)
}

/// Refuses a device whose addresses are too narrow for the memory it shares with the driver: it would access other memory. That memory was allocated before the
/// device could be asked.
fn check_reach(device: &Device, limits: &Limits) -> Result {
    let rings = device.all_queues().map(|queue| queue.lock().last_address());
    let last = rings.fold(device.arena.last_address(), u64::max);
    if last <= limits.highest_address() {
        Ok(())
    } else {
        kmdf::message(c"hawser: the device cannot reach the common buffers");
        Err(NtStatus::DEVICE_CONFIGURATION_ERROR)
    }
}

/// Gives the resources back. Does nothing where there are none, as after a failed [`prepare`].
pub fn release(device: &Device) -> Result {
    // Work items borrow the hardware only for bounded waits; retiring waits for them.
    drop(device.interrupts.hardware.retire());
    Ok(())
}

/// What the device says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    version: u32,
    capabilities: u64,
    scratch_size: u64,
}

fn identify(registers: &MappedRegisters) -> Result<Identity> {
    let id = present(registers.read32(reg::ID)).ok_or(NtStatus::DEVICE_DOES_NOT_EXIST)?;
    let version = registers.read32(reg::VERSION);
    let capabilities = registers.read64(reg::CAP);
    let scratch_size = registers.read64(reg::SCRATCH_SIZE);
    examine(
        id,
        Identity {
            version,
            capabilities,
            scratch_size,
        },
    )
}

/// Refuses a device that is not the one this driver is for, or that promises what makes no sense. Of device-local memory no more is used than the contract's
/// BAR has, which is what checks have room for.
fn examine(id: u32, identity: Identity) -> Result<Identity> {
    let Identity {
        version,
        capabilities,
        scratch_size,
    } = identity;
    let known = id == reg::ID_VALUE && version >> 16 == reg::VERSION_VALUE >> 16;
    let sensible = cap::queues(capabilities) >= 1
        && cap::max_entries(capabilities) >= crate::rings::ENTRIES
        && cap::max_bindings(capabilities) >= 2
        && (32..=64).contains(&cap::address_bits(capabilities))
        && scratch_size != u64::MAX;
    if known && sensible {
        Ok(Identity {
            scratch_size: scratch_size.min(pci::MEMORY_BAR_SIZE),
            ..identity
        })
    } else {
        Err(NtStatus::DEVICE_CONFIGURATION_ERROR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Identity = Identity {
        version: reg::VERSION_VALUE,
        capabilities: reg::MODEL_CAP,
        scratch_size: pci::MEMORY_BAR_SIZE,
    };

    #[test]
    fn the_model_is_accepted_and_so_is_a_later_minor_version() {
        assert_eq!(examine(reg::ID_VALUE, GOOD), Ok(GOOD));
        let later = Identity {
            version: reg::VERSION_VALUE + 3,
            ..GOOD
        };
        assert_eq!(examine(reg::ID_VALUE, later), Ok(later));
    }

    #[test]
    fn no_more_device_local_memory_is_used_than_checks_have_room_for() {
        for (promised, used) in [(0, 0), (4096, 4096), (pci::MEMORY_BAR_SIZE + 1, pci::MEMORY_BAR_SIZE)] {
            let identity = |scratch_size| Identity { scratch_size, ..GOOD };
            assert_eq!(examine(reg::ID_VALUE, identity(promised)), Ok(identity(used)));
        }
    }

    #[test]
    fn strange_devices_are_refused() {
        let refused = Err(NtStatus::DEVICE_CONFIGURATION_ERROR);
        assert_eq!(examine(reg::ID_VALUE ^ 1, GOOD), refused);
        for strange in [
            Identity {
                version: 0x0002_0000,
                ..GOOD
            },
            Identity {
                capabilities: reg::MODEL_CAP & !0xFF,
                ..GOOD
            },
            Identity {
                capabilities: reg::MODEL_CAP & !(0xFFFF << 8) | 4 << 8,
                ..GOOD
            },
            Identity {
                capabilities: reg::MODEL_CAP & !(0xFF << 24) | 1 << 24,
                ..GOOD
            },
            Identity {
                capabilities: reg::MODEL_CAP & !(0xFF << 32) | 31 << 32,
                ..GOOD
            },
            Identity {
                capabilities: reg::MODEL_CAP | 0xFF << 32,
                ..GOOD
            },
            Identity {
                scratch_size: u64::MAX,
                ..GOOD
            },
        ] {
            assert_eq!(examine(reg::ID_VALUE, strange), refused, "{strange:x?}");
        }
    }

    #[test]
    fn ones_mean_that_the_device_is_gone() {
        assert_eq!(present(u32::MAX), None);
        assert_eq!(present(0), Some(0));
    }
}
