//! Expressions with types and shapes, before they become steps.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hawser_abi::op::{ElementType, Opcode, Predicate};

use super::constant::Constant;
use super::lower::Operand;
use super::shape::Shape;
use super::span::Span;
use crate::program::region::Region;

/// An expression.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// The type of its elements; without one it takes that of what stands beside it.
    pub(super) element: Option<ElementType>,
    /// Its shape; without one it takes that of what stands beside it.
    pub(super) shape: Option<Shape>,
    pub(super) span: Span,
}

/// What an expression is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// The same number for all elements, and where it is declared.
    Constant(Constant, Option<Span>),
    /// A part of the array with this index.
    Array(usize, Region),
    /// What was given to a function.
    Slot(Rc<Slot>),
    Operation(Operation, Vec<Node>),
    /// Elements of a value, from this one on.
    Part(Box<Node>, u64),
    /// A function, and what it is given.
    Call(Vec<(Rc<Slot>, Node)>, Box<Node>),
}

/// An operation without its sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operation {
    pub(super) opcode: Opcode,
    /// How a comparison compares.
    pub(super) predicate: Option<Predicate>,
    pub(super) overflow: Overflow,
}

/// What becomes of integers that the type cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overflow {
    Wrap,
    Saturate,
}

impl Operation {
    pub(super) fn of(opcode: Opcode) -> Self {
        Self {
            opcode,
            predicate: None,
            overflow: Overflow::Wrap,
        }
    }

    pub(super) fn comparison(predicate: Predicate) -> Self {
        Self {
            predicate: Some(predicate),
            ..Self::of(Opcode::Compare)
        }
    }

    /// Its name in messages.
    pub(super) fn name(self) -> &'static str {
        self.predicate.map_or(self.opcode.name(), Predicate::name)
    }
}

/// A value that is computed once and used a number of times.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Uses that are still to come.
    pub(super) uses: Cell<usize>,
    pub(super) value: RefCell<Option<Operand>>,
}

impl Node {
    pub(super) fn constant(constant: Constant, span: Span) -> Self {
        Self {
            kind: Kind::Constant(constant, None),
            element: None,
            shape: None,
            span,
        }
    }

    /// The constant, if it is one that has no type yet.
    pub(super) fn untyped(&self) -> Option<&Constant> {
        match &self.kind {
            Kind::Constant(constant, _) if self.element.is_none() => Some(constant),
            _ => None,
        }
    }

    /// Takes back its uses of what functions were given, since it is not going to be computed.
    pub(super) fn drop_uses(&self) {
        match &self.kind {
            Kind::Constant(..) | Kind::Array(..) => {}
            Kind::Slot(slot) => slot.uses.set(slot.uses.get().saturating_sub(1)),
            Kind::Operation(_, sources) => sources.iter().for_each(Self::drop_uses),
            Kind::Part(of, _) => of.drop_uses(),
            Kind::Call(slots, body) => {
                // An argument that this function ignores has been dropped already.
                let used = slots.iter().filter(|(slot, _)| slot.uses.get() > 0);
                used.for_each(|(_, argument)| argument.drop_uses());
                body.drop_uses();
            }
        }
    }

    pub(super) fn is_constant(&self) -> bool {
        matches!(self.kind, Kind::Constant(..))
    }
}
