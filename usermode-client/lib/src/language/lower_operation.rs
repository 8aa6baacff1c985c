//! Makes steps of operations.

use std::rc::Rc;

use hawser_abi::op::{ElementType, Opcode, rev1_types};
use hawser_abi::program::{Step, step_flags};
use hawser_abi::rules::{ElementOf, Extent, InPlace, rule};

use super::lower::{Context, Lowered, Lowering, Operand, Owner, Value, step_of};
use super::node::{Node, Operation, Overflow};
use super::problem::Problem;
use super::shape::Shape;
use super::span::Span;
use crate::program::array::Source;
use crate::program::region::Region;

/// Bytes of rows that are repeated where there is no room for as many as are needed: enough that a step is worth its fixed costs, and
/// that the largest array takes no more than a thousand.
const BLOCK: u64 = 1 << 20;

/// An operation and its sources.
pub(super) type Inner<'n> = (Operation, &'n [Node]);

/// An operation with its types and sizes.
struct Job<'n> {
    operation: Operation,
    sources: &'n [Node],
    /// The type of the step.
    element: ElementType,
    /// The type of the result.
    result: ElementType,
    /// The shape that element-wise sources have together.
    shape: Shape,
    at: Span,
}

impl Lowering<'_> {
    /// Adds the steps of an operation that write its result to a place; by way of device-local memory where it may not write there.
    pub(super) fn write_operation(
        &mut self,
        node: &Node,
        operation: Inner<'_>,
        context: Context,
        dst: Region,
    ) -> Lowered {
        let job = self.job(node, operation, context)?;
        let operands = self.operands(&job)?;
        if job.may_write(&dst, &operands) {
            self.steps(&job, dst, &operands)?;
            operands.iter().for_each(|operand| self.done(operand));
            return Ok(());
        }
        let result = self.result(&job, &operands)?;
        self.copy(result, dst, job.at)
    }

    /// Adds the steps of an operation whose result is an inner one.
    pub(super) fn operation(&mut self, node: &Node, operation: Inner<'_>, context: Context) -> Lowered<Operand> {
        let job = self.job(node, operation, context)?;
        let operands = self.operands(&job)?;
        self.result(&job, &operands)
    }

    /// What the steps of an operation read.
    fn operands(&mut self, job: &Job<'_>) -> Lowered<Vec<Operand>> {
        let mut operands = Vec::with_capacity(job.sources.len());
        for (index, source) in job.sources.iter().enumerate() {
            let inner = Context {
                element: job.element_of(index, source),
                shape: source.shape.unwrap_or(job.shape),
            };
            operands.push(self.value(source, inner)?);
        }
        self.check_divisor(job, &operands)?;
        self.one_constant(job, &mut operands)?;
        if job.is_element_wise() {
            self.spread(job, &mut operands)?;
        }
        Ok(operands)
    }

    /// Adds the steps that write to device-local memory.
    fn result(&mut self, job: &Job<'_>, operands: &[Operand]) -> Lowered<Operand> {
        let (written, block) = self.block(job, operands)?;
        self.steps(job, written, operands)?;
        for operand in operands {
            // The block of a source may be that of the result.
            if !matches!(operand.owner, Owner::Reader(own) if own == block) {
                self.done(operand);
            }
        }
        Ok(Operand {
            value: Value::Memory(written),
            owner: Owner::Reader(block),
        })
    }

    /// Types and sizes of an operation, if the device has it for them.
    fn job<'n>(&self, node: &Node, (operation, sources): Inner<'n>, context: Context) -> Lowered<Job<'n>> {
        let result = node.element.unwrap_or(context.element);
        let [destination, ..] = &rule(operation.opcode).operands;
        let element = match destination.element {
            ElementOf::Truth | ElementOf::Position => sources
                .iter()
                .find_map(|source| source.element)
                .ok_or_else(|| self.mistake(Problem::TypeUnknown, node.span, None))?,
            _ => result,
        };
        if rev1_types(operation.opcode) & element.bit() == 0 {
            let problem = Problem::TypeNotComputed {
                operation: operation.name(),
                element: element.name(),
            };
            return Err(self.mistake(problem, node.span, None));
        }
        let job = Job {
            operation,
            sources,
            element,
            result,
            shape: node.shape.unwrap_or(context.shape),
            at: node.span,
        };
        if job.flags() & !job.flags_taken() != 0 {
            let operation = operation.name();
            return Err(self.mistake(Problem::NotSaturating { operation }, node.span, None));
        }
        Ok(job)
    }

    fn check_divisor(&self, job: &Job<'_>, operands: &[Operand]) -> Lowered {
        let divides = matches!(job.operation.opcode, Opcode::Div | Opcode::Rem);
        match (operands, job.sources) {
            (
                [
                    _,
                    Operand {
                        value: Value::Constant(0),
                        ..
                    },
                ],
                [_, divisor],
            ) if divides && !job.element.is_float() => Err(self.mistake(Problem::DivisionByZero, divisor.span, None)),
            _ => Ok(()),
        }
    }

    /// A step has room for one constant: another goes to device-local memory.
    fn one_constant(&mut self, job: &Job<'_>, operands: &mut [Operand]) -> Lowered {
        let mut first = None;
        for operand in operands {
            let Value::Constant(bits) = operand.value else {
                continue;
            };
            if *first.get_or_insert(bits) != bits {
                let region = match self.take_rows(job.element, 1, job.shape.count()) {
                    Some(region) => region,
                    None => self.take(job.element, 1, job.at)?,
                };
                self.fill(region, bits, job.at)?;
                *operand = owned(region);
            }
        }
        Ok(())
    }

    /// Repeats rows in device-local memory: until they have as many elements as the others, or, where there is no room for that, as often
    /// as a block takes, so that a step combines many of them.
    fn spread(&mut self, job: &Job<'_>, operands: &mut [Operand]) -> Lowered {
        for operand in operands {
            let Value::Memory(row) = operand.value else { continue };
            if row.count == job.shape.count() {
                continue;
            }
            let Some(region) = self.take_rows(row.element, row.count, job.shape.count()) else {
                continue;
            };
            self.repeat_row(row, region, job.at)?;
            self.done(operand);
            *operand = owned(region);
        }
        Ok(())
    }

    /// Device-local memory for so many elements, or for rows of theirs in a block; none where that would hold no more than a row.
    fn take_rows(&mut self, element: ElementType, row: u64, count: u64) -> Option<Region> {
        if let Ok(region) = self.try_take(element, count) {
            return Some(region);
        }
        let mut rows = BLOCK / (row * element.size()).max(1);
        while rows > 1 {
            if let Ok(region) = self.try_take(element, rows * row) {
                return Some(region);
            }
            rows /= 2;
        }
        None
    }

    /// Device-local memory for the result: that of a source which nobody needs any more, or another.
    fn block(&mut self, job: &Job<'_>, operands: &[Operand]) -> Lowered<(Region, Region)> {
        let count = job.result_count();
        for operand in operands {
            let held = operands
                .iter()
                .filter(|other| shares(&operand.owner, &other.owner))
                .count();
            let (Value::Memory(source), Some(block)) = (operand.value, unneeded(&operand.owner, held)) else {
                continue;
            };
            let result = Region {
                place: source.place,
                element: job.result,
                count,
            };
            if result.length() == source.length() && job.may_write(&result, operands) {
                disown(&operand.owner);
                return Ok((result, block));
            }
        }
        let region = self.take(job.result, count, job.at)?;
        Ok((region, region))
    }

    /// Adds the step; where rows could not be spread over all of it, one for each part in which none of them begins again.
    fn steps(&mut self, job: &Job<'_>, dst: Region, operands: &[Operand]) -> Lowered {
        let step = job.step(operands);
        if !job.is_element_wise() {
            let sources: Vec<_> = operands.iter().map(|operand| source(operand, 0, None)).collect();
            return self.step(step, dst.place, &sources, job.at);
        }
        let mut start = 0;
        while start < dst.count {
            let rest = operands.iter().filter_map(|operand| match operand.value {
                Value::Memory(row) => Some(row.count - start % row.count.max(1)),
                Value::Constant(_) => None,
            });
            let length = rest.min().unwrap_or(dst.count).clamp(1, dst.count - start);
            let sources: Vec<_> = operands
                .iter()
                .map(|operand| source(operand, start, Some(length)))
                .collect();
            let step = Step { count: length, ..step };
            self.step(step, dst.part(start, length).place, &sources, job.at)?;
            start += length;
        }
        Ok(())
    }
}

impl Job<'_> {
    /// The type of the elements of a source.
    fn element_of(&self, index: usize, source: &Node) -> ElementType {
        let [_, sources @ ..] = &rule(self.operation.opcode).operands;
        match sources.get(index).map(|source| source.element) {
            Some(ElementOf::Truth) => ElementType::U8,
            Some(ElementOf::Auxiliary) => source.element.unwrap_or(self.element),
            _ => self.element,
        }
    }

    fn flags(&self) -> u8 {
        match self.operation.overflow {
            Overflow::Wrap => 0,
            Overflow::Saturate => step_flags::SATURATE,
        }
    }

    /// Flags that the operation takes for these types.
    fn flags_taken(&self) -> u8 {
        let rule = rule(self.operation.opcode);
        let source = match (self.operation.opcode, self.sources) {
            (Opcode::Convert, [source]) => source.element.unwrap_or(self.element),
            _ => self.element,
        };
        rule.flags(self.element) & rule.flags(source)
    }

    /// Whether each element of the result depends only on those at its place.
    fn is_element_wise(&self) -> bool {
        let [destination, ..] = &rule(self.operation.opcode).operands;
        let in_order = matches!(
            self.operation.opcode,
            Opcode::PrefixSum | Opcode::MatMul | Opcode::Transpose
        );
        destination.extent == Extent::Count && !in_order
    }

    /// Elements of the result.
    fn result_count(&self) -> u64 {
        let [destination, ..] = &rule(self.operation.opcode).operands;
        match destination.extent {
            Extent::One => 1,
            _ => self.shape.count(),
        }
    }

    /// Whether the operation may write there while it reads its sources.
    fn may_write(&self, dst: &Region, operands: &[Operand]) -> bool {
        operands.iter().all(|operand| match operand.value {
            Value::Constant(_) => true,
            Value::Memory(source) => {
                let in_place = rule(self.operation.opcode).in_place == InPlace::Allowed && source.is_same_bytes(dst);
                in_place || !source.overlaps(dst)
            }
        })
    }

    /// The step without its operands.
    fn step(&self, operands: &[Operand]) -> Step {
        let [destination, ..] = &rule(self.operation.opcode).operands;
        let count = match operands {
            [
                Operand {
                    value: Value::Memory(source),
                    ..
                },
                ..,
            ] if destination.extent == Extent::One => source.count,
            _ => self.shape.count(),
        };
        let plain = step_of(self.operation.opcode, self.element, count);
        let step = Step {
            flags: self.flags(),
            ..plain
        };
        let [rows, inner] = self.matrix();
        match (self.operation.opcode, self.sources) {
            (Opcode::Compare, _) => Step {
                aux: [self.operation.predicate.map_or(0, |predicate| predicate as u32), 0],
                ..step
            },
            (Opcode::Convert, [source]) => Step {
                aux_type: source.element.unwrap_or(self.element) as u8,
                ..step
            },
            (Opcode::Transpose, _) => Step { aux: [rows, 0], ..step },
            (Opcode::MatMul, _) => Step {
                aux: [rows, inner],
                ..step
            },
            _ => step,
        }
    }

    /// Rows and columns of the first source; a row where it has one dimension.
    fn matrix(&self) -> [u32; 2] {
        let shape = self
            .sources
            .first()
            .and_then(|source| source.shape)
            .unwrap_or(Shape::ONE);
        let dimensions = match shape.dimensions() {
            [columns] => [1, *columns],
            [rows, columns, ..] => [*rows, *columns],
            [] => [1, 1],
        };
        // Arrays have fewer elements than 32 bits can tell.
        dimensions.map(|length| u32::try_from(length).unwrap_or(u32::MAX))
    }
}

/// The elements of an operand from `start` on, those of a row over and over again.
fn source(operand: &Operand, start: u64, length: Option<u64>) -> Source {
    match operand.value {
        Value::Constant(bits) => Source::Constant(bits),
        Value::Memory(region) => {
            let length = length.unwrap_or(region.count);
            Source::Array(region.part(start % region.count.max(1), length).place)
        }
    }
}

fn owned(region: Region) -> Operand {
    Operand {
        value: Value::Memory(region),
        owner: Owner::Reader(region),
    }
}

/// Whether two operands are the same value that a function was given.
fn shares(a: &Owner, b: &Owner) -> bool {
    matches!((a, b), (Owner::Slot(a), Owner::Slot(b)) if Rc::ptr_eq(a, b))
}

/// The block that nobody reads any more, once those `held` operands have been read.
fn unneeded(owner: &Owner, held: usize) -> Option<Region> {
    match owner {
        Owner::Program => None,
        Owner::Reader(region) => Some(*region),
        Owner::Slot(slot) if slot.uses.get() == held => unneeded(&slot.value.borrow().as_ref()?.owner, 1),
        Owner::Slot(_) => None,
    }
}

/// Takes a block from the value that a function was given: it is the next result's.
fn disown(owner: &Owner) {
    if let Owner::Slot(slot) = owner
        && let Some(value) = slot.value.borrow_mut().as_mut()
    {
        value.owner = Owner::Program;
    }
}
