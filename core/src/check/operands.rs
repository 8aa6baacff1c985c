//! The rules of a step's operands: where each may lie, and how they may overlap.

use hawser_abi::program::{OperandIndex, Space, Step};
use hawser_abi::reason::Reason;
use hawser_abi::rules::{ABSENT, InPlace, OperandRule};

use super::frame::{Frame, zero};
use super::places::Places;
use crate::intervals::Interval;
use crate::refusal::Refusal;

/// Bytes of the spaces that operands lie in.
#[derive(Clone, Copy)]
pub(super) struct SpaceSizes {
    pub(super) data: u64,
    pub(super) scratch: u64,
}

/// Where an operand was found to lie.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Absent,
    Immediate,
    Data(Interval),
    Scratch(Interval),
}

/// Destination and the three sources.
pub(super) struct Operands([Place; 4]);

const SOURCES: [OperandIndex; 3] = [OperandIndex::A, OperandIndex::B, OperandIndex::C];

impl Operands {
    /// Finds where the operands of a step lie.
    pub(super) fn find(step: &Step, frame: &Frame, sizes: SpaceSizes) -> Result<Self, Refusal> {
        let mut places = [Place::Absent; 4];
        let operands = OperandIndex::ALL.into_iter().zip(&frame.rule.operands);
        let found = step.spaces.into_iter().zip(step.offsets);
        for ((place, (operand, rule)), (space, offset)) in places.iter_mut().zip(operands).zip(found) {
            let asked = Asked {
                operand,
                rule: *rule,
                offset,
            };
            *place = asked
                .place(space, frame, sizes)
                .map_err(|refusal| refusal.operand(operand))?;
        }
        Ok(Self(places))
    }

    /// The immediate fits the element type where an operand takes it, and is zero where none does.
    pub(super) fn check_immediate(&self, step: &Step, frame: &Frame) -> Result<(), Refusal> {
        let position = self.0.iter().position(|place| *place == Place::Immediate);
        let Some(operand) = position.and_then(|position| OperandIndex::from_u32(position as u32)) else {
            return zero(core::mem::offset_of!(Step, immediate), step.immediate);
        };
        let spare_bits = 64_u64.saturating_sub(frame.size().saturating_mul(8));
        let widest = u64::MAX >> spare_bits.min(63);
        if step.immediate > widest {
            let refusal = Refusal::new(Reason::ImmediateTooWide).operand(operand);
            return Err(refusal.length(step.immediate).limit(widest));
        }
        Ok(())
    }

    /// The destination is disjoint from each source. Where the operation may run in place it may also be exactly the bytes of a source.
    ///
    /// Operands of the same bytes then have elements of the same size, because they have as many.
    pub(super) fn check_overlap(&self, in_place: InPlace) -> Result<(), Refusal> {
        let [destination, sources @ ..] = self.0;
        for (source, operand) in sources.into_iter().zip(SOURCES) {
            let (written, read) = match (destination, source) {
                (Place::Data(written), Place::Data(read)) | (Place::Scratch(written), Place::Scratch(read)) => {
                    (written, read)
                }
                _ => continue,
            };
            let shared = written.intersection(read);
            let same = in_place == InPlace::Allowed && written == read;
            if !shared.is_empty() && !same {
                let refusal = Refusal::new(Reason::Overlap).operand(operand);
                return Err(refusal.offset(shared.start().into()).length(shared.length().into()));
            }
        }
        Ok(())
    }

    /// The places side by side.
    pub(super) fn places(&self) -> Places {
        let mut bytes = [(Space::None, Interval::new(0, 0)); 4];
        for (found, place) in bytes.iter_mut().zip(self.0) {
            match place {
                Place::Absent | Place::Immediate => {}
                Place::Data(interval) => *found = (Space::Data, interval),
                Place::Scratch(interval) => *found = (Space::Scratch, interval),
            }
        }
        Places::of(bytes)
    }
}

/// An operand as the step states it.
struct Asked {
    operand: OperandIndex,
    rule: OperandRule,
    offset: u64,
}

impl Asked {
    fn place(&self, space: u8, frame: &Frame, sizes: SpaceSizes) -> Result<Place, Refusal> {
        let Some(found) = Space::from_byte(space) else {
            return Err(Refusal::new(Reason::UnknownSpace).length(space.into()));
        };
        if self.rule.spaces & 1_u8.wrapping_shl(space.into()) == 0 {
            return Err(Refusal::new(self.misplaced(found)).length(space.into()));
        }
        match found {
            Space::None => self.no_offset(Place::Absent),
            Space::Immediate => self.no_offset(Place::Immediate),
            Space::Data => self.bytes(frame, sizes.data).map(Place::Data),
            Space::Scratch => self.bytes(frame, sizes.scratch).map(Place::Scratch),
        }
    }

    /// Why the operand cannot lie in the space where it was found.
    fn misplaced(&self, found: Space) -> Reason {
        match found {
            Space::None => Reason::OperandMissing,
            _ if self.rule.spaces == ABSENT => Reason::OperandUnexpected,
            Space::Immediate => Reason::ImmediateNotAllowed,
            // The operation takes the value from the immediate, and there is none.
            Space::Data | Space::Scratch => Reason::OperandMissing,
        }
    }

    /// The place of an operand that lies nowhere in memory and so must not have an offset.
    fn no_offset(&self, place: Place) -> Result<Place, Refusal> {
        let position = core::mem::offset_of!(Step, offsets).wrapping_add((self.operand as usize).wrapping_mul(8));
        zero(position, self.offset).map(|()| place)
    }

    /// The bytes of an operand in a space of `limit` bytes.
    fn bytes(&self, frame: &Frame, limit: u64) -> Result<Interval, Refusal> {
        let Self { offset, rule, .. } = *self;
        let (size, length) = frame.extent(rule);
        // The size of an element is a power of two.
        if offset & size.wrapping_sub(1) != 0 {
            return Err(Refusal::new(Reason::Misaligned).offset(offset).limit(size));
        }
        if offset.checked_add(length).is_none() {
            return Err(Refusal::new(Reason::OffsetOverflow).offset(offset).length(length));
        }
        Interval::within(offset, length, limit).ok_or(
            Refusal::new(Reason::OutOfBounds)
                .offset(offset)
                .length(length)
                .limit(limit),
        )
    }
}
