//! Interrupts: what happens at DIRQL, and which work it leaves for the DPC.

use core::sync::atomic::{AtomicU32, Ordering};

use hawser_abi::pci::ERROR_MESSAGE;
use hawser_abi::registers as reg;
use kmdf::{Claim, InterruptOps, Isr, Rundown};

use crate::device::Device;
use crate::drain;
use crate::hardware::{Hardware, present};

/// The part of the device that the service routine may use.
#[derive(Debug, Default)]
pub struct Interrupts {
    /// The hardware, while the device has it.
    pub hardware: Rundown<Hardware>,
    /// Causes that a line interrupt reported and no DPC has looked at.
    causes: AtomicU32,
}

/// The cause bit of errors.
const ERRORS: u32 = 1;

/// The cause bit of a queue.
const fn queue_cause(queue: u16) -> u32 {
    1 << (1 + queue)
}

/// The cause bits of everything that `queues` queues can report.
pub const fn all_causes(queues: u16) -> u32 {
    queue_cause(queues) - 1
}

/// Hawser's interrupts: one object for each message.
#[derive(Debug)]
pub struct Messages;

impl InterruptOps for Messages {
    type Device = Device;
    type AtDirql = Interrupts;

    fn at_dirql(device: &Device) -> &Interrupts {
        &device.interrupts
    }

    fn service(part: &Interrupts, isr: &Isr<'_>, _message: u32) -> Claim {
        let Some(hardware) = part.hardware.borrow() else {
            return Claim::NotOurs;
        };
        // A message is the device's own, and clears its cause by itself: no register is touched.
        if hardware.messages == 0 {
            let causes = match present(hardware.registers.read32(reg::INT_STATUS)) {
                None | Some(0) => return Claim::NotOurs,
                Some(causes) => causes,
            };
            hardware.registers.write32(reg::INT_STATUS, causes);
            part.causes.fetch_or(causes, Ordering::Relaxed);
        }
        isr.queue_deferred();
        Claim::Ours
    }

    fn deferred(device: &Device, message: u32) {
        let Some(hardware) = device.interrupts.hardware.borrow() else {
            return;
        };
        let causes = match hardware.messages {
            0 => device.interrupts.causes.swap(0, Ordering::Relaxed),
            _ => causes_of(&hardware, message),
        };
        drain::look(device, &hardware, causes);
    }
}

/// What a message may stand for.
fn causes_of(hardware: &Hardware, message: u32) -> u32 {
    let errors = if message == ERROR_MESSAGE.into() { ERRORS } else { 0 };
    let queues = (0..hardware.queues).filter(|queue| hardware.message_of(*queue) == message);
    queues.fold(errors, |causes, queue| causes | queue_cause(queue))
}

/// Errors are among the causes.
pub const fn has_errors(causes: u32) -> bool {
    causes & ERRORS != 0
}

/// A queue is among the causes.
pub const fn has_queue(causes: u32, queue: u16) -> bool {
    causes & queue_cause(queue) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_one_bit_for_errors_and_one_for_each_queue() {
        assert_eq!(all_causes(1), 0b11);
        assert_eq!(all_causes(4), 0b1_1111);
        assert!(has_errors(1) && !has_errors(2));
        assert!(has_queue(0b10, 0) && has_queue(0b1_0000, 3) && !has_queue(0b1_0000, 2));
    }
}
