//! Looks at the steps of a program, a block at a time.

use hawser_abi::program::Step;

use super::frame::Frame;
use super::operands::{Operands, SpaceSizes};
use super::places::Places;
use super::swift::Swift;
use crate::digest::Row;
use crate::header::STEP_SIZE;
use crate::limits::Limits;
use crate::refusal::Refusal;

/// Steps that are looked at together: as many as have a bit for each operand in a word.
pub(crate) const BLOCK: usize = 16;

/// What the steps of a program are looked at with.
pub(super) struct Pass<'l> {
    swift: Swift,
    sizes: SpaceSizes,
    limits: &'l Limits,
}

/// Operands of steps that lie in device-local memory, as bits: four for each step, first to third source, then the destination. Those of the last step are the highest.
#[derive(Clone, Copy, Default)]
pub(super) struct Reach {
    bits: u64,
    steps: u32,
}

/// Bits for the operands of a step.
const PER_STEP: u32 = 4;

impl Reach {
    /// One more step reaches with these operands, which are the highest bits.
    #[inline(always)]
    pub(super) fn add(&mut self, operands: u64) {
        self.bits = self.bits >> PER_STEP | operands;
        self.steps = self.steps.wrapping_add(1);
    }

    fn append(&mut self, later: Self) {
        self.bits = self.bits.unbounded_shr(later.steps.wrapping_mul(PER_STEP)) | later.bits;
        self.steps = self.steps.wrapping_add(later.steps);
    }

    /// The bits, those of the first step lowest.
    pub(super) const fn bits(self) -> u64 {
        let unused = u64::BITS.saturating_sub(self.steps.wrapping_mul(PER_STEP));
        self.bits.unbounded_shr(unused)
    }

    pub(super) const fn steps(self) -> u32 {
        self.steps
    }
}

/// What was seen of a block of steps.
pub(super) struct Seen {
    /// What steps reach that break no rule by themselves: all, or those in front of the first that does.
    pub(super) reach: Reach,
    /// What the next step breaks.
    pub(super) broken: Result<(), Refusal>,
}

impl<'l> Pass<'l> {
    pub(super) fn new(limits: &'l Limits, sizes: SpaceSizes) -> Self {
        Self {
            swift: Swift::new(limits, sizes),
            sizes,
            limits,
        }
    }

    /// Finds the places of the operands of each step of a block, up to the first step that breaks a rule by itself.
    pub(super) fn look_at(&self, block: &[[u8; STEP_SIZE]], rows: &mut [Row]) -> Seen {
        let mut reach = Reach::default();
        loop {
            let next = reach.steps() as usize;
            let (left, free) = (
                block.get(next..).unwrap_or_default(),
                rows.get_mut(next..).unwrap_or_default(),
            );
            reach.append(self.swift.look_at(left, free));
            let next = reach.steps() as usize;
            let (Some(step), Some(row)) = (block.get(next), rows.get_mut(next)) else {
                return Seen { reach, broken: Ok(()) };
            };
            match self.exact(step) {
                Ok(places) => {
                    *row = places.row();
                    reach.add(places.reach);
                }
                Err(refusal) => {
                    return Seen {
                        reach,
                        broken: Err(refusal),
                    };
                }
            }
        }
    }

    /// The places of a step's operands, if it breaks no rule, or the first rule that it breaks.
    #[cold]
    #[inline(never)]
    fn exact(&self, step: &[u8; STEP_SIZE]) -> Result<Places, Refusal> {
        let step: Step = zerocopy::transmute!(*step);
        let frame = Frame::of(&step, self.limits)?;
        let operands = Operands::find(&step, &frame, self.sizes)?;
        operands.check_immediate(&step, &frame)?;
        operands.check_overlap(frame.rule.in_place)?;
        Ok(operands.places())
    }
}
