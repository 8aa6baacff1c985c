//! Looks at the steps of a program, a block at a time.

use super::captured::Captured;
use super::frame::Frame;
use super::operands::{Operands, SpaceSizes};
use super::places::Places;
use super::swift::Swift;
use crate::header::STEP_SIZE;
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::trusted::{BLOCK, TrustedBlock};

/// Steps that have a bit for each operand in a word.
pub(super) const GROUP: usize = (u64::BITS / PER_STEP) as usize;
/// Words that have a bit for each operand of a block.
const GROUPS: usize = BLOCK / GROUP;
/// Bits for the operands of a step.
const PER_STEP: u32 = 4;

/// What the steps of a program are looked at with.
pub(super) struct Pass<'l> {
    swift: Option<Swift>,
    sizes: SpaceSizes,
    limits: &'l Limits,
}

/// Operands of up to [`GROUP`] steps that lie in device-local memory, as bits: four for each step, first to third source, then the destination. Those of the last step are the highest.
#[derive(Clone, Copy, Default)]
pub(super) struct GroupReach(u64);

impl GroupReach {
    /// One more step reaches with these operands, which are the highest bits.
    #[inline(always)]
    pub(super) fn add(&mut self, operands: u64) {
        self.0 = self.0 >> PER_STEP | operands;
    }
}

/// Operands of the steps of a block that lie in device-local memory, as bits of one word for each group of steps. Those of a group's first step are the lowest.
#[derive(Clone, Copy, Default)]
pub(super) struct Reach {
    words: [u64; GROUPS],
    steps: usize,
}

impl Reach {
    /// The next `steps` steps, which are a group, reach with these operands.
    #[inline(always)]
    pub(super) fn add(&mut self, GroupReach(bits): GroupReach, steps: usize) {
        let unused = (GROUP.saturating_sub(steps) as u32).saturating_mul(PER_STEP);
        if let Some(word) = self.words.get_mut(self.steps / GROUP) {
            *word = bits.unbounded_shr(unused);
        }
        self.steps = self.steps.wrapping_add(steps);
    }

    /// The words.
    pub(super) const fn words(&self) -> &[u64; GROUPS] {
        &self.words
    }

    /// How many steps there are.
    pub(super) const fn steps(&self) -> u32 {
        self.steps as u32
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

    /// Takes each step of a block, of at most [`BLOCK`] steps, into the trusted copy, with the places of its operands, up to the first step that breaks a rule by itself.
    pub(super) fn look_at(&self, steps: &[[u8; STEP_SIZE]], block: &mut TrustedBlock<'_>) -> Seen {
        let swift = self.swift.as_ref();
        if let Some(reach) = swift.and_then(|swift| swift.look_at(steps, block)) {
            return Seen { reach, broken: Ok(()) };
        }
        self.look_at_each(steps, block)
    }

    /// The same, step by step.
    #[cold]
    #[inline(never)]
    fn look_at_each(&self, steps: &[[u8; STEP_SIZE]], block: &mut TrustedBlock<'_>) -> Seen {
        let mut reach = Reach::default();
        let TrustedBlock { rows, rests } = block;
        let places = rows.chunks_mut(GROUP).zip(rests.chunks_mut(GROUP));
        for (steps, (rows, rests)) in steps.chunks(GROUP).zip(places) {
            let mut group = GroupReach::default();
            for (((step, row), rest), before) in steps.iter().zip(rows).zip(rests).zip(0..) {
                let step = Captured::of(step);
                match self.look_at_one(&step) {
                    Ok(places) => {
                        (*row, *rest) = (places.row(), step.rest());
                        group.add(places.reach);
                    }
                    Err(refusal) => {
                        reach.add(group, before);
                        let broken = Err(refusal);
                        return Seen { reach, broken };
                    }
                }
            }
            reach.add(group, steps.len());
        }
        Seen { reach, broken: Ok(()) }
    }

    /// The places of a step's operands, if it breaks no rule, or the first rule that it breaks.
    fn look_at_one(&self, step: &Captured) -> Result<Places, Refusal> {
        let swift = self.swift.as_ref();
        let places = swift.and_then(|swift| swift.look_at_one(step));
        places.map_or_else(|| self.exact(step), Ok)
    }

    /// The same by the rules that are spelled out.
    fn exact(&self, step: &Captured) -> Result<Places, Refusal> {
        let step = step.step();
        let frame = Frame::of(&step, self.limits)?;
        let operands = Operands::find(&step, &frame, self.sizes)?;
        operands.check_immediate(&step, &frame)?;
        operands.check_overlap(frame.rule.in_place)?;
        Ok(operands.places())
    }
}
