//! Makes steps of expressions.
//!
//! The value of an inner expression goes to a block of device-local memory, which is free again when the step that reads it last has been
//! added. A step writes over a source that nobody needs after it, where the operation may run in place.

use std::rc::Rc;

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{MAX_STEPS, Space, Step};
use zerocopy::FromZeros;

use super::mistake::Mistake;
use super::node::{Kind, Node, Slot};
use super::problem::Problem;
use super::shape::Shape;
use super::span::Span;
use super::symbols::Trouble;
use crate::program::array::{Place, Source};
use crate::program::region::Region;
use crate::program::{ProgramBuilder, ProgramError};

/// A value that a step can read.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) value: Value,
    pub(super) owner: Owner,
}

/// What becomes of the memory of an operand that has been read.
#[derive(Clone, Debug)]
pub(super) enum Owner {
    /// It is an array of the program, or no memory.
    Program,
    /// The block of device-local memory is free.
    Reader(Region),
    /// The function's body has one use less.
    Slot(Rc<Slot>),
}

/// Where a value is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    Constant(u64),
    Memory(Region),
}

/// What the surroundings of an expression say about it, where it does not know itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub(super) element: ElementType,
    pub(super) shape: Shape,
}

/// Steps that are made.
pub(super) struct Lowering<'a> {
    pub(super) builder: &'a mut ProgramBuilder,
    /// Where each step is in the text.
    pub(super) spans: &'a mut Vec<Span>,
    /// The assignment whose steps are made.
    statement: Span,
    /// The call of a function whose body is made to steps.
    call: Option<Span>,
    /// Blocks of device-local memory in use.
    live: Vec<Region>,
}

pub(super) type Lowered<T = ()> = Result<T, Trouble>;

impl<'a> Lowering<'a> {
    /// Steps of the assignment at a place.
    pub(super) fn new(builder: &'a mut ProgramBuilder, spans: &'a mut Vec<Span>, statement: Span) -> Self {
        Self {
            builder,
            spans,
            statement,
            call: None,
            live: Vec::new(),
        }
    }

    /// Adds the steps of an assignment. Whatever happens, no device-local memory is in use afterwards.
    pub(super) fn assign(&mut self, node: &Node, dst: Region, shape: Shape) -> Lowered {
        let context = Context {
            element: dst.element,
            shape,
        };
        let first = self.spans.len();
        let outcome = self.write(node, dst, context);
        for region in std::mem::take(&mut self.live) {
            self.give_back(region);
        }
        // The step that writes the destination is the statement; others are the expressions inside.
        if let Some(last) = self.spans.get_mut(first..).and_then(<[Span]>::last_mut) {
            *last = self.statement;
        }
        outcome
    }

    /// Adds the steps that write the value of an expression to a place.
    fn write(&mut self, node: &Node, dst: Region, context: Context) -> Lowered {
        match &node.kind {
            Kind::Operation(operation, sources) => self.write_operation(node, (*operation, sources), context, dst),
            Kind::Call(slots, body) => self.called(node, slots, |lowering| lowering.write(body, dst, context)),
            _ => {
                let operand = self.value(node, context)?;
                self.copy(operand, dst, node.span)
            }
        }
    }

    /// The value of an expression, with the steps that compute it.
    pub(super) fn value(&mut self, node: &Node, context: Context) -> Lowered<Operand> {
        let element = node.element.unwrap_or(context.element);
        match &node.kind {
            Kind::Constant(constant, declared) => {
                let bits = constant
                    .bits(element)
                    .map_err(|problem| self.mistake(problem, node.span, *declared))?;
                Ok(Operand {
                    value: Value::Constant(bits),
                    owner: Owner::Program,
                })
            }
            Kind::Array(_, region) => Ok(Operand {
                value: Value::Memory(*region),
                owner: Owner::Program,
            }),
            Kind::Slot(slot) => self.used(slot),
            Kind::Operation(operation, sources) => self.operation(node, (*operation, sources), context),
            Kind::Part(of, start) => self.part(of, *start, node, context),
            Kind::Call(slots, body) => self.called(node, slots, |lowering| lowering.value(body, context)),
        }
    }

    fn part(&mut self, of: &Node, start: u64, node: &Node, context: Context) -> Lowered<Operand> {
        let shape = of.shape.unwrap_or(context.shape);
        let operand = self.value(of, Context { shape, ..context })?;
        let count = node.shape.unwrap_or(context.shape).count();
        Ok(match operand.value {
            Value::Memory(region) => Operand {
                value: Value::Memory(region.part(start, count)),
                ..operand
            },
            Value::Constant(_) => operand,
        })
    }

    /// Computes what a function is given, and then its body.
    fn called<T>(
        &mut self,
        node: &Node,
        slots: &[(Rc<Slot>, Node)],
        body: impl FnOnce(&mut Self) -> Lowered<T>,
    ) -> Lowered<T> {
        for (slot, argument) in slots.iter().filter(|(slot, _)| slot.uses.get() > 0) {
            // What has no type is refused where it is given.
            let element = argument.element.ok_or(Trouble::Consequence)?;
            let shape = argument.shape.unwrap_or(Shape::ONE);
            let operand = self.value(argument, Context { element, shape })?;
            slot.value.replace(Some(operand));
        }
        let outer = self.call.replace(self.call.unwrap_or(node.span));
        let outcome = body(self);
        self.call = outer;
        outcome
    }

    /// The value that a function was given.
    fn used(&self, slot: &Rc<Slot>) -> Lowered<Operand> {
        let value = slot.value.borrow().as_ref().map(|operand| operand.value);
        Ok(Operand {
            value: value.ok_or(Trouble::Consequence)?,
            owner: Owner::Slot(Rc::clone(slot)),
        })
    }

    /// Writes a value to a place; by way of device-local memory where the two overlap.
    pub(super) fn copy(&mut self, operand: Operand, dst: Region, at: Span) -> Lowered {
        match operand.value {
            Value::Constant(bits) => self.fill(dst, bits, at)?,
            Value::Memory(source) if source.overlaps(&dst) && !source.is_same_bytes(&dst) => {
                let between = self.take(dst.element, dst.count, at)?;
                self.copy_step(source, between, at)?;
                self.copy_step(between, dst, at)?;
                self.release(between);
            }
            Value::Memory(source) => self.copy_step(source, dst, at)?,
        }
        self.done(&operand);
        Ok(())
    }

    pub(super) fn copy_step(&mut self, source: Region, dst: Region, at: Span) -> Lowered {
        let step = step_of(Opcode::Copy, dst.element, dst.count);
        self.step(step, dst.place, &[Source::Array(source.place)], at)
    }

    /// Fills a place with repetitions of a row.
    pub(super) fn repeat_row(&mut self, row: Region, dst: Region, at: Span) -> Lowered {
        let repetitions = dst.count / row.count.max(1);
        self.check_room(u64::from(repetitions.max(1).next_power_of_two().ilog2()) + 1)?;
        let first = self.builder.next_step();
        let added = self.builder.spread_region(dst, row).map(drop);
        added.map_err(|error| self.mistake(Problem::Refused(error.into()), at, None))?;
        let steps = self.builder.next_step() - first;
        let span = self.call.unwrap_or(at);
        self.spans.extend(std::iter::repeat_n(span, steps));
        Ok(())
    }

    pub(super) fn fill(&mut self, dst: Region, bits: u64, at: Span) -> Lowered {
        let step = step_of(Opcode::Fill, dst.element, dst.count);
        self.step(step, dst.place, &[Source::Constant(bits)], at)
    }

    /// Adds a step.
    pub(super) fn step(&mut self, step: Step, dst: Place, sources: &[Source], at: Span) -> Lowered {
        self.check_room(1)?;
        let added = self.builder.step(step, dst, sources).map(drop);
        added.map_err(|error| self.mistake(Problem::Refused(error.into()), at, None))?;
        self.spans.push(self.call.unwrap_or(at));
        Ok(())
    }

    /// There is room for so many more steps.
    pub(super) fn check_room(&self, steps: u64) -> Lowered {
        let room = u64::from(MAX_STEPS).saturating_sub(self.spans.len() as u64);
        if steps <= room {
            return Ok(());
        }
        let mistake = Mistake::new(Problem::TooManySteps { limit: MAX_STEPS }, self.statement);
        Err(Trouble::Fatal(Box::new(mistake.label("too many with this"))))
    }

    /// Device-local memory for so many elements.
    pub(super) fn take(&mut self, element: ElementType, count: u64, at: Span) -> Lowered<Region> {
        self.try_take(element, count).map_err(|error| {
            let problem = match error {
                ProgramError::TooLarge { length, limit } => Problem::ScratchTooLarge { length, limit },
                other => Problem::Refused(other.into()),
            };
            self.mistake(problem, at, None)
        })
    }

    pub(super) fn try_take(&mut self, element: ElementType, count: u64) -> Result<Region, ProgramError> {
        let region = self.builder.region(Space::Scratch, element, count)?;
        self.live.push(region);
        Ok(region)
    }

    /// An operand has been read: frees its memory, if nobody reads it again.
    pub(super) fn done(&mut self, operand: &Operand) {
        match &operand.owner {
            Owner::Program => {}
            Owner::Reader(region) => self.release(*region),
            Owner::Slot(slot) => {
                let left = slot.uses.get().saturating_sub(1);
                slot.uses.set(left);
                if left == 0
                    && let Some(value) = slot.value.take()
                {
                    self.done(&value);
                }
            }
        }
    }

    pub(super) fn release(&mut self, region: Region) {
        if let Some(known) = self.live.iter().position(|live| live.place == region.place) {
            let region = self.live.swap_remove(known);
            self.give_back(region);
        }
    }

    fn give_back(&mut self, region: Region) {
        let given = self.builder.release_region(region);
        debug_assert_eq!(given, Ok(()), "a block is given back once");
    }

    /// A mistake that shows only when steps are made.
    pub(super) fn mistake(&self, problem: Problem, at: Span, declared: Option<Span>) -> Trouble {
        Mistake::new(problem, at).declared(declared).called(self.call).into()
    }
}

/// A step without operands.
pub(super) fn step_of(opcode: Opcode, element: ElementType, count: u64) -> Step {
    Step {
        opcode: opcode as u8,
        element_type: element as u8,
        count,
        ..Step::new_zeroed()
    }
}
