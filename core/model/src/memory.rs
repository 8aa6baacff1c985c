//! What the steps so far have done to memory.

use hawser_abi::reason::Reason;

use crate::operands::{Place, Places};
use crate::ranges::Ranges;
use crate::refused::Refused;

/// Bytes that were read and written.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) reads: Ranges,
    pub(crate) writes: Ranges,
    scratch: Ranges,
}

impl Memory {
    /// Lets a step read its sources and then write its destination. Device-local memory must have been written before it is read.
    pub(crate) fn touch(&mut self, places: &Places) -> Result<(), Refused> {
        for (operand, place) in places.iter().enumerate().skip(1) {
            match *place {
                Place::Data(start, end) => self.reads.add(start, end),
                Place::Scratch(start, end) => {
                    if let Some(gap) = self.scratch.first_gap(start, end) {
                        let refused = Refused::new(Reason::ScratchNotWritten, end - gap, 0);
                        return Err(refused.at(gap).of_operand(operand));
                    }
                }
                Place::Nowhere | Place::Immediate => {}
            }
        }
        match places[0] {
            Place::Data(start, end) => self.writes.add(start, end),
            Place::Scratch(start, end) => self.scratch.add(start, end),
            Place::Nowhere | Place::Immediate => {}
        }
        Ok(())
    }
}
