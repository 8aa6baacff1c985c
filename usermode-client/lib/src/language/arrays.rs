//! The arrays of a program, where they lie, and which of their elements have been written.

use std::ops::Range;

use rangemap::RangeSet;

use super::mistake::Mistake;
use super::problem::Problem;
use super::shape::Shape;
use super::span::Span;
use super::{NamedArray, Role};
use crate::program::region::Region;

/// An array, where it is declared, and what the program has written of it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) array: NamedArray,
    pub(super) shape: Shape,
    pub(super) region: Region,
    pub(super) declared: Span,
    /// Elements that have been written.
    written: RangeSet<u64>,
}

impl Known {
    /// The elements of a part of the array.
    fn elements(&self, part: &Region) -> Range<u64> {
        let before = part.place.offset.saturating_sub(self.region.place.offset) / part.element.size();
        before..before + part.count
    }

    /// The first elements of a range that have not been written.
    fn gap(&self, elements: &Range<u64>) -> Option<Range<u64>> {
        self.written.gaps(elements).next()
    }

    /// How a message names these elements.
    fn in_words(&self, elements: &Range<u64>) -> String {
        if *elements == (0..self.array.count) {
            return "it".into();
        }
        match elements.end - elements.start {
            1 => format!("element {} of it", elements.start),
            _ => format!("elements {}..{} of it", elements.start, elements.end),
        }
    }
}

/// The arrays, by the indices that [`Symbol::Array`](super::symbols::Symbol::Array) holds.
#[derive(Debug, Default)]
pub(super) struct Arrays(Vec<Known>);

impl Arrays {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, index: usize) -> &Known {
        &self.0[index]
    }

    pub(super) fn add(&mut self, array: NamedArray, shape: Shape, region: Region, declared: Span) {
        self.0.push(Known {
            array,
            shape,
            region,
            declared,
            written: RangeSet::new(),
        });
    }

    /// Remembers that a part of an array has been written.
    pub(super) fn wrote(&mut self, index: usize, part: &Region) {
        let known = &mut self.0[index];
        let elements = known.elements(part);
        known.written.insert(elements);
    }

    /// The part of the array holds something.
    pub(super) fn check_read(&self, index: usize, part: &Region, at: Span) -> Result<(), Mistake> {
        let known = self.get(index);
        if known.array.role.is_input() {
            return Ok(());
        }
        let Some(gap) = known.gap(&known.elements(part)) else {
            return Ok(());
        };
        let problem = Problem::ReadBeforeWrite {
            name: format!("`{}`", known.array.name),
            what: known.in_words(&gap),
        };
        Err(Mistake::new(problem, at).also(known.declared, "declared here"))
    }

    /// What the program should have written and did not.
    pub(super) fn never_written(&self) -> Vec<Mistake> {
        self.0.iter().filter_map(Known::check_written).collect()
    }

    pub(super) fn into_named(self) -> Vec<NamedArray> {
        self.0.into_iter().map(|known| known.array).collect()
    }
}

impl Known {
    /// An `out` array is written completely, since nobody says what else it holds, and an `inout` array somewhere.
    fn check_written(&self) -> Option<Mistake> {
        let all = 0..self.array.count;
        let missing = match self.array.role {
            Role::Out => self.gap(&all),
            Role::InOut if self.written.is_empty() => Some(all),
            _ => None,
        }?;
        let problem = Problem::NeverWritten {
            name: self.array.name.clone(),
            role: self.array.role.name(),
            what: self.in_words(&missing),
        };
        Some(Mistake::new(problem, self.declared))
    }
}
