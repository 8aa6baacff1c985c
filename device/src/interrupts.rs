//! Interrupt causes, their mask, and how they reach the host: as MSI-X messages or as the level of INTx.

use hawser_abi::pci::{MAX_QUEUES, MSIX_MESSAGES};

use crate::bus::HostBus;

/// Bits of all causes: errors, and one for each queue.
const CAUSES: u32 = (1 << (1 + MAX_QUEUES)) - 1;
/// The cause of errors.
pub(crate) const ERROR_CAUSE: u16 = 0;

/// The cause of a queue.
pub(crate) const fn queue_cause(queue: u16) -> u16 {
    1 + queue
}

/// How interrupts travel now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Neither way: there is no power, or nobody to listen.
    Nothing,
    /// By the INTx line.
    Line,
    /// By messages; the message of each cause.
    Messages([u16; MSIX_MESSAGES as usize]),
    /// By messages that cannot be sent while bus mastering is off.
    MessagesHeld,
}

/// Pending causes, mask and line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interrupts {
    pending: u32,
    mask: u32,
    line: bool,
}

impl Interrupts {
    /// Nothing pending, every cause masked.
    pub(crate) const fn new() -> Self {
        Self {
            pending: 0,
            mask: CAUSES,
            line: false,
        }
    }

    pub(crate) const fn pending(&self) -> u32 {
        self.pending
    }

    pub(crate) const fn masked(&self) -> u32 {
        self.mask
    }

    pub(crate) fn raise(&mut self, cause: u16) {
        self.pending |= CAUSES & (1 << cause);
    }

    pub(crate) fn acknowledge(&mut self, bits: u32) {
        self.pending &= !bits;
    }

    pub(crate) fn mask(&mut self, bits: u32) {
        self.mask |= bits & CAUSES;
    }

    pub(crate) fn unmask(&mut self, bits: u32) {
        self.mask &= !bits;
    }

    /// Forgets causes and masks all; the line follows at the next [`Interrupts::deliver`].
    pub(crate) fn reset(&mut self) {
        self.pending = 0;
        self.mask = CAUSES;
    }

    /// Brings the line to the level that it should have, and sends the messages that are due. A message clears its cause.
    pub(crate) fn deliver(&mut self, delivery: Delivery, bus: &mut dyn HostBus) {
        let due = self.pending & !self.mask;
        let level = delivery == Delivery::Line && due != 0;
        if level != self.line {
            self.line = level;
            bus.line(level);
        }
        if let Delivery::Messages(vectors) = delivery {
            self.pending &= !due;
            for (cause, vector) in vectors.into_iter().enumerate() {
                if due & (1 << cause) != 0 {
                    bus.message(vector);
                }
            }
        }
    }
}
