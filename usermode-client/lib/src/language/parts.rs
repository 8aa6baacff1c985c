//! Parts of arrays, and arrays in another shape: places in memory, and no steps.

use std::ops::Range;

use super::mistake::Mistake;
use super::node::{Kind, Node};
use super::problem::Problem;
use super::scope::{Scope, Typed, Want};
use super::shape::{MAX_DIMENSIONS, Shape};
use super::span::Span;
use super::symbols::Trouble;
use super::syntax::{Expression, Place};

impl Scope<'_> {
    pub(super) fn part(&self, of: &Expression, places: &[Place], want: Option<Want>, span: Span) -> Typed {
        let node = self.place(of, want)?;
        self.part_of(node, places, span)
    }

    /// A part of a value.
    pub(super) fn part_of(&self, node: Node, places: &[Place], span: Span) -> Typed {
        let Some(whole) = node.shape else {
            return Err(self.mistake(Problem::ArrayNeeded { operation: "[...]" }, node.span));
        };
        let mut cut = Cut::of(&whole);
        for place in places {
            let length = cut.next_dimension().map_err(|problem| self.mistake(problem, span))?;
            cut.take(self.elements(place, length)?);
        }
        Ok(part_at(node, cut.start, cut.shape(), span))
    }

    /// The elements that a place names in a dimension of this length.
    fn elements(&self, place: &Place, length: u64) -> Typed<Elements> {
        let outside = |place: String, at: Span| self.mistake(Problem::OutsideArray { place, length }, at);
        match place {
            Place::Index(expression) => {
                let index = self.index(expression)?;
                if index >= length {
                    return Err(outside(format!("index {index}"), expression.span));
                }
                Ok(Elements::One(index))
            }
            Place::Range { start, end, span } => {
                let bound = |bound: &Option<Expression>, default| match bound {
                    Some(expression) => self.index(expression),
                    None => Ok(default),
                };
                let (start, end) = (bound(start, 0)?, bound(end, length)?);
                if start >= end {
                    return Err(self.mistake(Problem::BadRange { start, end }, *span));
                }
                if end > length {
                    return Err(outside(format!("{start}..{end}"), *span));
                }
                Ok(Elements::Range(start..end))
            }
        }
    }

    /// A constant that is an index.
    fn index(&self, expression: &Expression) -> Typed<u64> {
        let (constant, declared) = self.constant(expression)?;
        let index = constant.integer().and_then(|value| u64::try_from(value).ok());
        index.ok_or_else(|| {
            let problem = Problem::BadIndex {
                text: constant.to_string(),
            };
            self.with_call(Mistake::new(problem, expression.span).declared(declared))
        })
    }

    /// `of` as an array of these dimensions, which are at the first place, in an expression at the second.
    pub(super) fn reshape(
        &self,
        of: &Expression,
        (dimensions, at): (&[Expression], Span),
        want: Option<Want>,
        span: Span,
    ) -> Typed {
        let node = self.place(of, want)?;
        let Some(found) = node.shape else {
            return Err(self.mistake(Problem::ArrayNeeded { operation: "as" }, node.span));
        };
        let shape = self.shape(dimensions, at)?;
        if shape.count() != found.count() {
            return Err(self.shape_mismatch(&node, &shape, (at, "the other shape")));
        }
        Ok(part_at(node, 0, shape, span))
    }

    /// The shape of these dimensions.
    pub(super) fn shape(&self, dimensions: &[Expression], span: Span) -> Typed<Shape> {
        if dimensions.len() > MAX_DIMENSIONS {
            let limit = MAX_DIMENSIONS;
            return Err(self.mistake(Problem::TooManyDimensions { limit }, span));
        }
        let lengths = dimensions
            .iter()
            .map(|dimension| self.dimension(dimension))
            .collect::<Result<Vec<_>, Trouble>>()?;
        Shape::of(&lengths).ok_or_else(|| {
            let list: Vec<_> = lengths.iter().map(u64::to_string).collect();
            let shape = format!("[{}]", list.join(", "));
            self.mistake(Problem::TooManyElements { shape }, span)
        })
    }

    fn dimension(&self, expression: &Expression) -> Typed<u64> {
        let (constant, declared) = self.constant(expression)?;
        constant
            .count()
            .map_err(|problem| self.with_call(Mistake::new(problem, expression.span).declared(declared)))
    }
}

/// Elements of a value from `start` on, in this shape.
fn part_at(node: Node, start: u64, shape: Shape, span: Span) -> Node {
    let element = node.element;
    let kind = match node.kind {
        Kind::Array(index, region) => Kind::Array(index, region.part(start, shape.count())),
        _ => Kind::Part(Box::new(node), start),
    };
    Node {
        kind,
        element,
        shape: Some(shape),
        span,
    }
}

/// Elements of a dimension.
enum Elements {
    One(u64),
    Range(Range<u64>),
}

/// A part of a shape, found dimension by dimension.
struct Cut<'s> {
    whole: &'s Shape,
    /// Dimensions that have not been cut.
    rest: &'s [u64],
    /// Elements of the dimension that was cut to a range: what follows it is kept whole, or the part would have gaps.
    range: Option<u64>,
    /// The first element.
    start: u64,
}

impl<'s> Cut<'s> {
    fn of(whole: &'s Shape) -> Self {
        Self {
            whole,
            rest: whole.dimensions(),
            range: None,
            start: 0,
        }
    }

    /// The length of the dimension that the next place is in.
    fn next_dimension(&self) -> Result<u64, Problem> {
        match self.rest {
            _ if self.range.is_some() => Err(Problem::AfterRange),
            [] => Err(Problem::NoSuchDimension {
                shape: self.whole.to_string(),
            }),
            [length, ..] => Ok(*length),
        }
    }

    fn take(&mut self, elements: Elements) {
        if let [_, rest @ ..] = self.rest {
            self.rest = rest;
        }
        let within: u64 = self.rest.iter().product();
        match elements {
            Elements::One(index) => self.start += index * within,
            Elements::Range(range) => {
                self.start += range.start * within;
                self.range = Some(range.end - range.start);
            }
        }
    }

    /// The shape of what is left; one element where that is all.
    fn shape(&self) -> Shape {
        let dimensions: Vec<u64> = self.range.into_iter().chain(self.rest.iter().copied()).collect();
        Shape::of(&dimensions).unwrap_or(Shape::ONE)
    }
}
