//! What reading and writing each register does.

use hawser_abi::pci::MEMORY_BAR_SIZE;
use hawser_abi::registers::{ID_VALUE, MODEL_CAP, VERSION_VALUE, control, fault, status};

use crate::accelerator::{Accelerator, Phase, Presence};
use crate::bus::HostBus;
use crate::fault::FatalFault;
use crate::moderation::Moderation;
use crate::registers::Register;

impl Accelerator {
    /// Reads a register of BAR 0 with an access of `width` bytes: ones when the device is gone or has no power, zero where there is no
    /// register of this width.
    pub fn read_register(&mut self, offset: u64, width: u8, bus: &mut dyn HostBus) -> u64 {
        if self.presence != Presence::Powered {
            return all_ones(width);
        }
        match Register::at(offset).filter(|register| register.width() == width) {
            Some(register) => self.read(register, bus.now_ns()),
            None => 0,
        }
    }

    /// Writes a register of BAR 0 with an access of `width` bytes. A write that no register takes stops the device.
    pub fn write_register(&mut self, offset: u64, width: u8, value: u64, bus: &mut dyn HostBus) {
        if self.presence != Presence::Powered {
            return;
        }
        let register = Register::at(offset).filter(|register| register.width() == width);
        if self.listens_to(register) {
            let written = match register {
                Some(register) => self.write(register, value & all_ones(width)),
                None => Err(FatalFault::configuration("there is no register of this width to write")),
            };
            if let Err(fault) = written {
                self.fail(fault);
            }
        }
        self.deliver_interrupts(bus);
    }

    /// Whether a write has any effect in this phase.
    fn listens_to(&self, register: Option<Register>) -> bool {
        match self.phase {
            Phase::Ready => true,
            Phase::Resetting { .. } => false,
            Phase::Starting { .. } => register == Some(Register::Control),
            Phase::Failed => matches!(
                register,
                Some(
                    Register::Control
                        | Register::IntStatus
                        | Register::IntMaskSet
                        | Register::IntMaskClear
                        | Register::FaultCode
                )
            ),
        }
    }

    fn read(&self, register: Register, now_ns: u64) -> u64 {
        match register {
            Register::Id => ID_VALUE.into(),
            Register::Version => VERSION_VALUE.into(),
            Register::Cap => MODEL_CAP,
            Register::ScratchSize => MEMORY_BAR_SIZE,
            Register::Control => (self.control | self.reset_bit()).into(),
            Register::Status => self.status().into(),
            Register::Heartbeat => now_ns / 1000 % u64::from(u32::MAX),
            Register::FaultCode => self.fault.map_or(fault::NONE, |fault| fault.code).into(),
            Register::FaultSource => self.fault.map_or(0, |fault| fault.source).into(),
            Register::FaultAddress => self.fault.map_or(0, |fault| fault.address),
            Register::IntStatus => self.interrupts.pending().into(),
            Register::IntMaskSet | Register::IntMaskClear => self.interrupts.masked().into(),
            Register::Moderation => self.moderation.register().into(),
            Register::Queue(queue, register) => self
                .queues
                .get(usize::from(queue))
                .map_or(0, |queue| queue.read(register)),
            Register::Abort | Register::SqTail(_) | Register::CqHead(_) => 0,
        }
    }

    fn reset_bit(&self) -> u32 {
        match self.phase {
            Phase::Resetting { .. } => control::RESET,
            _ => 0,
        }
    }

    fn status(&self) -> u32 {
        match self.phase {
            Phase::Starting { .. } => 0,
            Phase::Ready => status::READY,
            Phase::Failed => status::FATAL,
            Phase::Resetting { .. } => status::RESETTING,
        }
    }

    fn write(&mut self, register: Register, value: u64) -> Result<(), FatalFault> {
        // Only the bases of rings are wider than 32 bits among what can be written.
        let low = value as u32;
        match register {
            Register::Control => return self.write_control(low),
            Register::Abort => return self.write_abort(low),
            Register::FaultCode => return self.clear_fault(low),
            Register::Moderation => return self.write_moderation(low),
            Register::IntStatus => self.interrupts.acknowledge(low),
            Register::IntMaskSet => self.interrupts.mask(low),
            Register::IntMaskClear => self.interrupts.unmask(low),
            Register::Queue(queue, register) => {
                if let Some(queue) = self.queues.get_mut(usize::from(queue)) {
                    queue.configure(register, value)?;
                }
            }
            Register::SqTail(number) => {
                if let Some(queue) = self.queues.get_mut(usize::from(number)) {
                    queue.ring_submissions(number, value)?;
                }
            }
            Register::CqHead(number) => {
                if let Some(queue) = self.queues.get_mut(usize::from(number)) {
                    queue.ring_completions(number, value)?;
                }
            }
            Register::Id
            | Register::Version
            | Register::Cap
            | Register::ScratchSize
            | Register::Status
            | Register::Heartbeat
            | Register::FaultSource
            | Register::FaultAddress => {
                return Err(FatalFault::configuration(
                    "a register that can only be read was written",
                ));
            }
        }
        Ok(())
    }

    fn write_control(&mut self, value: u32) -> Result<(), FatalFault> {
        let known = control::ENABLE | control::RESET | control::MSIX;
        if value & !known != 0 {
            return Err(FatalFault::configuration(
                "unknown bits of the control register were set",
            ));
        }
        if value & control::RESET != 0 {
            self.begin_reset();
        } else if !matches!(self.phase, Phase::Starting { .. }) {
            self.control = value;
        }
        Ok(())
    }

    fn write_abort(&mut self, value: u32) -> Result<(), FatalFault> {
        let number = value >> 16;
        let queue = self.queues.get_mut(number as usize).ok_or(FatalFault::configuration(
            "a command of a queue that does not exist was aborted",
        ))?;
        queue.abort(value as u16);
        Ok(())
    }

    fn clear_fault(&mut self, value: u32) -> Result<(), FatalFault> {
        if value != fault::NONE {
            return Err(FatalFault::configuration(
                "the fault code was written with a value other than 0",
            ));
        }
        self.fault = None;
        Ok(())
    }

    fn write_moderation(&mut self, value: u32) -> Result<(), FatalFault> {
        if value == u32::MAX {
            return Err(FatalFault::configuration(
                "the moderation register was written with ones",
            ));
        }
        self.moderation = Moderation::from_register(value);
        Ok(())
    }
}

/// The ones that a load of `width` bytes from nowhere returns.
fn all_ones(width: u8) -> u64 {
    match width {
        0..8 => (1 << (8 * u32::from(width))) - 1,
        _ => u64::MAX,
    }
}
