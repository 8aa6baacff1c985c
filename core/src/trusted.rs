//! The trusted copy of a program: what the check has found right, and all that the plan and the translation know of its steps.
//!
//! Nothing asks the submission again once it is checked. In a driver that is the I/O manager's copy in kernel memory, which nobody may write while the driver reads it; whatever happens to it later, the device gets what
//! was checked.

use hawser_abi::program::Step;
use wide::u64x2;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::intervals::{Interval, SCRATCH_BASE};

/// Steps of a block, as many as have a bit in a word.
pub(crate) const BLOCK: usize = u64::BITS as usize;

/// A block of steps: where they reach, and what else they say.
#[derive(Debug)]
pub(crate) struct TrustedBlock<'b> {
    /// The places of the steps' operands.
    pub(crate) rows: &'b mut [Row; BLOCK],
    /// All else.
    pub(crate) rests: &'b mut [Rest; BLOCK],
}

/// The steps of a program: where they reach, and apart from that what else they say, because the plan asks for the one only.
#[derive(Debug)]
pub(crate) struct TrustedCopy<'a> {
    rows: &'a mut [[Row; BLOCK]],
    rests: &'a mut [[Rest; BLOCK]],
    steps: usize,
}

impl<'a> TrustedCopy<'a> {
    /// An empty copy of as many steps as both have room for, whatever is in them.
    pub(crate) fn new(rows: &'a mut [[Row; BLOCK]], rests: &'a mut [[Rest; BLOCK]]) -> Self {
        Self { rows, rests, steps: 0 }
    }

    /// The blocks for a program of so many steps, in which they are to be stored.
    pub(crate) fn start(&mut self, steps: usize) -> impl Iterator<Item = TrustedBlock<'_>> {
        self.steps = steps;
        let blocks = self.rows.iter_mut().zip(self.rests.iter_mut());
        blocks.map(|(rows, rests)| TrustedBlock { rows, rests })
    }

    /// Where the steps reach.
    pub(crate) fn rows(&self) -> &[Row] {
        self.rows.as_flattened().get(..self.steps).unwrap_or_default()
    }

    /// What else they say.
    pub(crate) fn rests(&self) -> &[Rest] {
        self.rests.as_flattened().get(..self.steps).unwrap_or_default()
    }
}

/// The places of a step's operands side by side: destination, first to third source. Those that lie nowhere in memory are empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub(crate) struct Row {
    /// The first bytes.
    pub(crate) start: [i32; 4],
    /// The first bytes behind.
    pub(crate) end: [i32; 4],
}

impl Row {
    /// Operands that lie nowhere.
    #[cfg(test)]
    pub(crate) const EMPTY: Self = Self {
        start: [0; 4],
        end: [0; 4],
    };

    /// The place of an operand.
    #[inline(always)]
    pub(crate) fn place(&self, lane: usize) -> Interval {
        let of = |lanes: &[i32; 4]| lanes.get(lane).map_or(0, |at| *at as u32);
        Interval::new(of(&self.start), of(&self.end))
    }

    /// Offsets of the operands in their spaces.
    #[inline(always)]
    pub(crate) fn offsets(&self) -> [u64; 4] {
        self.start.map(|start| u64::from(start as u32 & (SCRATCH_BASE - 1)))
    }
}

/// What a step says beside the offsets of its operands, two words each as they are in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub(crate) struct Rest {
    /// Operation, types, flags and spaces; the number of elements.
    head: [u64; 2],
    /// The immediate; the auxiliary numbers.
    tail: [u64; 2],
}

impl Rest {
    #[inline(always)]
    pub(crate) fn new(head: u64x2, tail: u64x2) -> Self {
        Self {
            head: head.to_array(),
            tail: tail.to_array(),
        }
    }

    /// The step that says this, its operands being at these offsets.
    #[inline(always)]
    pub(crate) fn step(&self, offsets: [u64; 4]) -> Step {
        let [d, a, b, c] = offsets;
        zerocopy::transmute!([self.head, [d, a], [b, c], self.tail])
    }

    #[inline(always)]
    pub(crate) fn head(&self) -> u64x2 {
        u64x2::new(self.head)
    }

    #[inline(always)]
    pub(crate) fn tail(&self) -> u64x2 {
        u64x2::new(self.tail)
    }
}
