//! Checks a program in one pass over its steps, and records what it reads and writes.

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{OperandIndex, Space, Step};
use hawser_abi::reason::Reason;

use crate::header;
use crate::intervals::{Full, Interval};
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::rules::{Operand, Rule, Shape, rule_of_byte};
use crate::workspace::Workspace;

/// Where the caller's data buffer lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferShape {
    /// Bytes of the buffer.
    pub length: u64,
    /// Bytes from the start of a page to the first byte, below [`PAGE_SIZE`](crate::PAGE_SIZE).
    pub page_offset: u32,
}

/// A program that broke no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    step_count: u32,
    timeout_ms: u32,
    cookie: u64,
    scratch_size: u64,
    shape: BufferShape,
}

impl Checked {
    /// Number of steps.
    pub const fn step_count(&self) -> u32 {
        self.step_count
    }

    /// Milliseconds that the program may run; 0 asks for the driver's default.
    pub const fn timeout_ms(&self) -> u32 {
        self.timeout_ms
    }

    /// The caller's name of the submission.
    pub const fn cookie(&self) -> u64 {
        self.cookie
    }

    /// Bytes of the program's window of device-local memory.
    pub const fn scratch_size(&self) -> u64 {
        self.scratch_size
    }

    /// Bytes of the data buffer.
    pub const fn data_length(&self) -> u64 {
        self.shape.length
    }

    /// The data buffer.
    pub const fn shape(&self) -> BufferShape {
        self.shape
    }
}

/// A program that broke no rule, with what it reads and writes of the data buffer.
#[derive(Clone, Copy, Debug)]
pub struct Accepted<'w> {
    checked: Checked,
    pub(crate) reads: &'w [Interval],
    pub(crate) writes: &'w [Interval],
}

impl Accepted<'_> {
    /// The program.
    pub const fn checked(&self) -> Checked {
        self.checked
    }
}

/// Checks the program of a submission, `program` being the whole input buffer.
///
/// Refusals come in program order. Of one step, these are looked at in turn: opcode, element type, flags, fields that the operation does
/// not use, count, each operand (space, presence, immediate, alignment, bounds), the immediate, overlap, and last whether the
/// device-local memory that the step reads was written by earlier steps.
///
/// Takes `O(n log n)` time for `n` steps and no memory beyond `workspace`.
pub fn check<'w>(
    program: &[u8],
    shape: BufferShape,
    limits: &Limits,
    workspace: &'w mut Workspace<'_>,
) -> Result<Accepted<'w>, Refusal> {
    let (header, steps) = header::parse(program, shape, limits, workspace.max_steps())?;
    workspace.clear();
    let sizes = SpaceSizes {
        data: header.data_size,
        scratch: header.scratch_size,
    };
    for (index, bytes) in (0_u32..).zip(steps) {
        let step: Step = zerocopy::transmute!(*bytes);
        check_step(&step, sizes, limits, workspace).map_err(|refusal| refusal.step(index))?;
    }
    let checked = Checked {
        step_count: header.step_count,
        timeout_ms: header.timeout_ms,
        cookie: header.cookie,
        scratch_size: header.scratch_size,
        shape,
    };
    let Workspace { reads, writes, .. } = workspace;
    Ok(Accepted {
        checked,
        reads: reads.sorted(),
        writes: writes.sorted(),
    })
}

/// Bytes of the spaces that operands lie in.
#[derive(Clone, Copy)]
struct SpaceSizes {
    data: u64,
    scratch: u64,
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
type Places = [Place; 4];

/// What one step may do, and where.
struct Frame {
    rule: &'static Rule,
    element: ElementType,
    /// Bytes of a source.
    source_length: u64,
    sizes: SpaceSizes,
}

fn check_step(step: &Step, sizes: SpaceSizes, limits: &Limits, workspace: &mut Workspace<'_>) -> Result<(), Refusal> {
    let rule = operation(step, limits)?;
    let element = element_type(step, rule, limits)?;
    flags_and_unused(step, rule)?;
    let source_length = source_length(step, element)?;
    let places = Frame {
        rule,
        element,
        source_length,
        sizes,
    }
    .places(step)?;
    immediate(step, element, &places)?;
    overlap(rule.shape, &places)?;
    record(&places, workspace)
}

fn operation(step: &Step, limits: &Limits) -> Result<&'static Rule, Refusal> {
    let refusal = |reason| Refusal::new(reason).length(step.opcode.into());
    let opcode = Opcode::from_byte(step.opcode).ok_or(refusal(Reason::UnknownOpcode))?;
    rule_of_byte(step.opcode)
        .filter(|_| limits.operations & opcode.bit() != 0)
        .ok_or(refusal(Reason::UnsupportedOpcode))
}

fn element_type(step: &Step, rule: &Rule, limits: &Limits) -> Result<ElementType, Refusal> {
    let refusal = |reason| Refusal::new(reason).length(step.element_type.into());
    let element = ElementType::from_byte(step.element_type).ok_or(refusal(Reason::UnknownType))?;
    Some(element)
        .filter(|element| rule.element_types(limits) & element.bit() != 0)
        .ok_or(refusal(Reason::UnsupportedType))
}

fn flags_and_unused(step: &Step, rule: &Rule) -> Result<(), Refusal> {
    if step.flags & !rule.flags != 0 {
        let refusal = Refusal::new(Reason::StepFlags);
        return Err(refusal.length(step.flags.into()).limit(rule.flags.into()));
    }
    let [aux, second_aux] = step.aux;
    let unused = [
        (core::mem::offset_of!(Step, aux_type), u64::from(step.aux_type)),
        (core::mem::offset_of!(Step, aux), u64::from(aux)),
        (core::mem::offset_of!(Step, aux).wrapping_add(4), u64::from(second_aux)),
    ];
    unused
        .into_iter()
        .try_for_each(|(position, value)| zero(position, value))
}

/// Refuses a field that is not used and not zero.
fn zero(position: usize, value: u64) -> Result<(), Refusal> {
    if value == 0 {
        return Ok(());
    }
    Err(Refusal::new(Reason::StepReserved).offset(position as u64).length(value))
}

fn source_length(step: &Step, element: ElementType) -> Result<u64, Refusal> {
    if step.count == 0 {
        return Err(Refusal::new(Reason::ZeroCount).limit(1));
    }
    step.count.checked_mul(element.size()).ok_or_else(|| {
        let most = u64::MAX.checked_div(element.size()).unwrap_or_default();
        Refusal::new(Reason::CountOverflow).length(step.count).limit(most)
    })
}

impl Frame {
    fn places(&self, step: &Step) -> Result<Places, Refusal> {
        let mut places = [Place::Absent; 4];
        let operands = OperandIndex::ALL.into_iter().zip(self.rule.operands);
        let found = step.spaces.into_iter().zip(step.offsets);
        for ((place, (operand, wanted)), (space, offset)) in places.iter_mut().zip(operands).zip(found) {
            *place = self
                .place(operand, wanted, space, offset)
                .map_err(|refusal| refusal.operand(operand))?;
        }
        Ok(places)
    }

    fn place(&self, operand: OperandIndex, wanted: Operand, space: u8, offset: u64) -> Result<Place, Refusal> {
        let refuse = |reason| Err(Refusal::new(reason).length(space.into()));
        let Some(found) = Space::from_byte(space) else {
            return refuse(Reason::UnknownSpace);
        };
        match (found, wanted) {
            (Space::None, Operand::Absent) => self.no_offset(operand, offset, Place::Absent),
            (Space::None, _) => refuse(Reason::OperandMissing),
            (_, Operand::Absent) => refuse(Reason::OperandUnexpected),
            (Space::Immediate, Operand::Memory) => refuse(Reason::ImmediateNotAllowed),
            (Space::Immediate, _) => self.no_offset(operand, offset, Place::Immediate),
            // The operation takes the value from the immediate, and there is none.
            (_, Operand::Immediate) => refuse(Reason::OperandMissing),
            (Space::Data, _) => self.bytes(operand, offset, self.sizes.data).map(Place::Data),
            (Space::Scratch, _) => self.bytes(operand, offset, self.sizes.scratch).map(Place::Scratch),
        }
    }

    /// The place of an operand that lies nowhere in memory and so must not have an offset.
    fn no_offset(&self, operand: OperandIndex, offset: u64, place: Place) -> Result<Place, Refusal> {
        let position = core::mem::offset_of!(Step, offsets).wrapping_add((operand as usize).wrapping_mul(8));
        zero(position, offset).map(|()| place)
    }

    fn bytes(&self, operand: OperandIndex, offset: u64, size: u64) -> Result<Interval, Refusal> {
        let length = match (operand, self.rule.shape) {
            (OperandIndex::Dst, Shape::Reduction) => self.element.size(),
            _ => self.source_length,
        };
        if !offset.is_multiple_of(self.element.size()) {
            return Err(Refusal::new(Reason::Misaligned)
                .offset(offset)
                .limit(self.element.size()));
        }
        if offset.checked_add(length).is_none() {
            return Err(Refusal::new(Reason::OffsetOverflow).offset(offset).length(length));
        }
        Interval::within(offset, length, size).ok_or(
            Refusal::new(Reason::OutOfBounds)
                .offset(offset)
                .length(length)
                .limit(size),
        )
    }
}

/// The immediate fits the element type where an operand takes it, and is zero where none does.
fn immediate(step: &Step, element: ElementType, places: &Places) -> Result<(), Refusal> {
    let position = places.iter().position(|place| *place == Place::Immediate);
    let Some(operand) = position.and_then(|position| OperandIndex::from_u32(position as u32)) else {
        return zero(core::mem::offset_of!(Step, immediate), step.immediate);
    };
    let spare_bits = 64_u64.saturating_sub(element.size().saturating_mul(8));
    let widest = u64::MAX >> spare_bits.min(63);
    if step.immediate > widest {
        let refusal = Refusal::new(Reason::ImmediateTooWide).operand(operand);
        return Err(refusal.length(step.immediate).limit(widest));
    }
    Ok(())
}

/// The destination is disjoint from each source. Where elements are computed one by one it may also be exactly the bytes of a source.
fn overlap(shape: Shape, places: &Places) -> Result<(), Refusal> {
    let [destination, sources @ ..] = *places;
    for (source, operand) in sources
        .into_iter()
        .zip([OperandIndex::A, OperandIndex::B, OperandIndex::C])
    {
        let (written, read) = match (destination, source) {
            (Place::Data(written), Place::Data(read)) | (Place::Scratch(written), Place::Scratch(read)) => {
                (written, read)
            }
            _ => continue,
        };
        let shared = written.intersection(read);
        let in_place = shape == Shape::ElementWise && written == read;
        if !shared.is_empty() && !in_place {
            let refusal = Refusal::new(Reason::Overlap).operand(operand);
            return Err(refusal.offset(shared.start().into()).length(shared.length().into()));
        }
    }
    Ok(())
}

/// Refuses reads of device-local memory that was not written, and records everything else that the step reads and writes.
fn record(places: &Places, workspace: &mut Workspace<'_>) -> Result<(), Refusal> {
    let room = u64::from(workspace.max_steps());
    let no_room = |Full| Refusal::new(Reason::TooManySteps).limit(room);
    let [destination, sources @ ..] = *places;
    for (source, operand) in sources
        .into_iter()
        .zip([OperandIndex::A, OperandIndex::B, OperandIndex::C])
    {
        match source {
            Place::Data(read) => workspace.reads.add(read).map_err(no_room)?,
            Place::Scratch(read) => {
                if let Some(gap) = workspace.scratch.first_gap(read) {
                    let rest = read.end().saturating_sub(gap);
                    let refusal = Refusal::new(Reason::ScratchNotWritten).operand(operand);
                    return Err(refusal.offset(gap.into()).length(rest.into()));
                }
            }
            Place::Absent | Place::Immediate => {}
        }
    }
    match destination {
        Place::Data(written) => workspace.writes.add(written).map_err(no_room),
        Place::Scratch(written) => workspace.scratch.insert(written).map_err(no_room),
        Place::Absent | Place::Immediate => Ok(()),
    }
}

#[cfg(test)]
mod tests;
