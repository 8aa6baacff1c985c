//! Reads a step and refuses what is malformed.

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{OperandIndex, Space, Step, step_flags};
use zerocopy::FromBytes;

use super::ReferenceFault;
use super::action::{Action, Destination, Detail, Extent, Operand, Overflow, Place, Predicate, Source};
use super::matrix::Product;
use super::rules::{self, Accepts, Types};

/// What is wrong with a step.
type Complaint = &'static str;

/// Reads step number `index`.
pub(super) fn step(bytes: &[u8], index: usize) -> Result<Action, ReferenceFault> {
    let malformed = |what| ReferenceFault::Step { step: index, what };
    let step = Step::read_from_bytes(bytes).map_err(|_| malformed("it is truncated"))?;
    let (opcode, element) = Opcode::from_byte(step.opcode)
        .zip(ElementType::from_byte(step.element_type))
        .filter(|(opcode, element)| rules::takes(*opcode, *element))
        .ok_or(ReferenceFault::Unsupported { step: index })?;
    action(&step, opcode, element).map_err(malformed)
}

fn action(step: &Step, opcode: Opcode, element: ElementType) -> Result<Action, Complaint> {
    let from = source_type(step, opcode, element)?;
    let overflow = overflow(step, rules::may_saturate(opcode, from, element))?;
    if step.count == 0 {
        return Err("impossible number of elements");
    }
    let detail = detail(step, opcode)?;
    let types = Types { element, from };
    let [dst, a, b, c] = rules::extents(opcode, types, step.count, detail).ok_or("impossible number of elements")?;
    let Some(Source::At(place)) = source(step, OperandIndex::Dst, dst)? else {
        return Err("the destination is not in memory");
    };
    let given = [
        operand(step, OperandIndex::A, a)?,
        operand(step, OperandIndex::B, b)?,
        operand(step, OperandIndex::C, c)?,
    ];
    let sources = match (rules::sources(opcode), given) {
        (&[_], [Some(a), None, None]) => [a, a, a],
        (&[_, _], [Some(a), Some(b), None]) => [a, b, a],
        (&[_, _, _], [Some(a), Some(b), Some(c)]) => [a, b, c],
        _ => return Err("wrong number of sources"),
    };
    check_immediate(step, opcode, element, &sources)?;
    Ok(Action {
        opcode,
        element,
        from,
        overflow,
        detail,
        count: step.count,
        dst: Destination { place, extent: dst },
        sources,
    })
}

/// The type of what the step reads.
fn source_type(step: &Step, opcode: Opcode, element: ElementType) -> Result<ElementType, Complaint> {
    match (opcode, step.aux_type) {
        (Opcode::Convert, byte) => ElementType::from_byte(byte).ok_or("unknown type to convert from"),
        (_, 0) => Ok(element),
        _ => Err("unused fields are not zero"),
    }
}

fn overflow(step: &Step, may_saturate: bool) -> Result<Overflow, Complaint> {
    match step.flags {
        0 => Ok(Overflow::Wrap),
        step_flags::SATURATE if may_saturate => Ok(Overflow::Saturate),
        _ => Err("flags"),
    }
}

fn detail(step: &Step, opcode: Opcode) -> Result<Detail, Complaint> {
    match (opcode, step.aux) {
        (Opcode::Compare, [number, 0]) => {
            let predicate = Predicate::from_number(number).ok_or("unknown predicate")?;
            Ok(Detail::Compare(predicate))
        }
        (Opcode::MatMul, [_, 0]) => Err("a matrix without columns"),
        (Opcode::MatMul, [rows, inner]) => {
            let columns = columns(step.count, rows)?;
            let (rows, inner) = (rows.into(), inner.into());
            Ok(Detail::MatMul(Product { rows, inner, columns }))
        }
        (Opcode::Transpose, [rows, 0]) => {
            let columns = columns(step.count, rows)?;
            let rows = rows.into();
            Ok(Detail::Transpose { rows, columns })
        }
        (_, [0, 0]) => Ok(Detail::None),
        _ => Err("unused fields are not zero"),
    }
}

/// Columns of a matrix of `count` elements in so many rows.
fn columns(count: u64, rows: u32) -> Result<u64, Complaint> {
    match (count.checked_div(rows.into()), count.checked_rem(rows.into())) {
        (Some(columns), Some(0)) => Ok(columns),
        (Some(_), _) => Err("the rows of a matrix do not divide its elements"),
        (None, _) => Err("a matrix without rows"),
    }
}

fn operand(step: &Step, which: OperandIndex, extent: Extent) -> Result<Option<Operand>, Complaint> {
    let source = source(step, which, extent)?;
    Ok(source.map(|source| Operand { source, extent }))
}

fn source(step: &Step, which: OperandIndex, extent: Extent) -> Result<Option<Source>, Complaint> {
    let position = which as usize;
    let offset = *step.offsets.get(position).ok_or("operand")?;
    let space = step.spaces.get(position).and_then(|byte| Space::from_byte(*byte));
    if offset % extent.size() != 0 {
        return Err("an operand is misaligned");
    }
    match (space.ok_or("unknown space")?, offset) {
        (Space::Data, _) => Ok(Some(Source::At(Place::Data(offset)))),
        (Space::Scratch, _) => Ok(Some(Source::At(Place::Scratch(offset)))),
        (Space::None, 0) => Ok(None),
        (Space::Immediate, 0) => Ok(Some(Source::Immediate(step.immediate))),
        _ => Err("an operand outside memory has an offset"),
    }
}

fn check_immediate(step: &Step, opcode: Opcode, element: ElementType, sources: &[Operand; 3]) -> Result<(), Complaint> {
    let is_immediate = |operand: &Operand| matches!(operand.source, Source::Immediate(_));
    let mut accepted = rules::sources(opcode).iter().zip(sources);
    let is_misplaced = |(accepts, operand): (&Accepts, &Operand)| match accepts {
        Accepts::Memory => is_immediate(operand),
        Accepts::Immediate => !is_immediate(operand),
        Accepts::MemoryOrImmediate => false,
    };
    if accepted.any(is_misplaced) {
        return Err("a source is in memory, or an immediate, and has to be the other");
    }
    let has_immediate = sources.iter().any(is_immediate);
    let too_wide = element.size() < 8 && step.immediate >= 1 << (8 * element.size());
    if step.immediate != 0 && (!has_immediate || too_wide) {
        return Err("immediate");
    }
    Ok(())
}
