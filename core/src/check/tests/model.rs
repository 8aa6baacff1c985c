//! A slow check that remembers each byte, written from the contract alone, against which random programs are compared.

use std::vec;
use std::vec::Vec;

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::Step;
use hawser_abi::reason::Reason;

pub(super) const DATA: usize = 96;
pub(super) const SCRATCH: usize = 48;

/// Step, operand and reason of a refusal.
pub(super) type Broken = (u32, Option<u8>, Reason);
/// Operand and reason of a step's refusal.
type BrokenStep = (Option<u8>, Reason);

/// What a byte of the data buffer is: bit 0 read, bit 1 written.
pub(super) struct Memory {
    pub(super) data: Vec<u8>,
    scratch: Vec<bool>,
}

/// What the program does to memory, or why it is refused.
pub(super) fn model(steps: &[Step]) -> Result<Memory, Broken> {
    let mut memory = Memory {
        data: vec![0; DATA],
        scratch: vec![false; SCRATCH],
    };
    for (number, step) in steps.iter().enumerate() {
        model_step(step, &mut memory).map_err(|(operand, reason)| (number as u32, operand, reason))?;
    }
    Ok(memory)
}

/// For each source that an operation has: whether it may be memory, and whether it may be the immediate.
pub(super) fn sources(opcode: Opcode) -> Vec<(bool, bool)> {
    use Opcode::{
        Abs, ArgMax, ArgMin, Convert, Copy, Dot, Fill, Fma, MatMul, Neg, Not, PrefixSum, Select, Sqrt, Sum, Transpose,
    };
    match opcode {
        Fill => vec![(false, true)],
        Copy | Convert | Sum | ArgMin | ArgMax | PrefixSum | Transpose => vec![(true, false)],
        Neg | Abs | Sqrt | Not => vec![(true, true)],
        Dot | MatMul => vec![(true, false); 2],
        Select => vec![(true, false), (true, true), (true, true)],
        Fma => vec![(true, true); 3],
        _ => vec![(true, true); 2],
    }
}

fn takes(opcode: Opcode, element: ElementType) -> bool {
    let name = element.name();
    match opcode {
        Opcode::Neg | Opcode::Abs => !name.starts_with('u'),
        Opcode::Sqrt => name.contains('f'),
        Opcode::And | Opcode::Or | Opcode::Xor | Opcode::Not | Opcode::Shl | Opcode::Shr => !name.contains('f'),
        _ => true,
    }
}

fn may_saturate(opcode: Opcode, element: ElementType, source: Option<ElementType>) -> bool {
    let integer = |element: ElementType| !element.name().contains('f');
    let listed = [
        "add",
        "sub",
        "mul",
        "div",
        "fma",
        "neg",
        "abs",
        "convert",
        "sum",
        "dot",
        "prefix_sum",
        "matmul",
    ];
    listed.contains(&opcode.name()) && integer(element) && source.is_none_or(integer)
}

/// Elements of destination and sources.
type Elements = [u128; 4];

fn elements(step: &Step, opcode: Opcode) -> Result<Elements, BrokenStep> {
    let count = u128::from(step.count);
    let [m, k] = step.aux.map(u128::from);
    let matrix = matches!(opcode, Opcode::MatMul | Opcode::Transpose);
    if matrix && count % m != 0 {
        return Err((None, Reason::RaggedMatrix));
    }
    Ok(match opcode {
        Opcode::Sum | Opcode::Dot | Opcode::ArgMin | Opcode::ArgMax => [1, count, count, 0],
        Opcode::MatMul => [count, m * k, k * (count / m), 0],
        _ => [count; 4],
    })
}

/// The auxiliary fields, field by field.
fn auxiliary(step: &Step, opcode: Opcode) -> Result<(), Reason> {
    let [first, second] = step.aux;
    if opcode != Opcode::Convert && step.aux_type != 0 {
        return Err(Reason::StepReserved);
    }
    match (opcode, first) {
        (Opcode::Compare, 0..6) | (Opcode::MatMul | Opcode::Transpose, 1..) => {}
        (Opcode::Compare, _) => return Err(Reason::UnknownPredicate),
        (Opcode::MatMul | Opcode::Transpose, 0) => return Err(Reason::ZeroDimension),
        (_, 0) => {}
        _ => return Err(Reason::StepReserved),
    }
    match (opcode, second) {
        (Opcode::MatMul, 0) => Err(Reason::ZeroDimension),
        (Opcode::MatMul, _) | (_, 0) => Ok(()),
        _ => Err(Reason::StepReserved),
    }
}

fn model_step(step: &Step, memory: &mut Memory) -> Result<(), BrokenStep> {
    let whole = |reason| (None, reason);
    let opcode = Opcode::from_byte(step.opcode).ok_or(whole(Reason::UnknownOpcode))?;
    let element = ElementType::from_byte(step.element_type).ok_or(whole(Reason::UnknownType))?;
    if !takes(opcode, element) {
        return Err(whole(Reason::UnsupportedType));
    }
    let source = match opcode {
        Opcode::Convert => Some(ElementType::from_byte(step.aux_type).ok_or(whole(Reason::UnknownSourceType))?),
        _ => None,
    };
    if step.flags > 1 || (step.flags == 1 && !may_saturate(opcode, element, source)) {
        return Err(whole(Reason::StepFlags));
    }
    auxiliary(step, opcode).map_err(whole)?;
    if step.count == 0 {
        return Err(whole(Reason::ZeroCount));
    }
    let size = u128::from(element.size());
    let source_size = source.map_or(size, |source| source.size().into());
    let too_long = |bytes: u128| bytes > u128::from(u64::MAX);
    if too_long(u128::from(step.count) * size.max(source_size)) {
        return Err(whole(Reason::CountOverflow));
    }
    let elements = elements(step, opcode)?;
    if let Some(operand) = (1..3).find(|operand| too_long(elements[*operand] * size) && opcode == Opcode::MatMul) {
        return Err((Some(operand as u8), Reason::MatrixOverflow));
    }
    let sizes = match opcode {
        Opcode::Compare => [1, size, size, size],
        Opcode::Select => [size, 1, size, size],
        Opcode::ArgMin | Opcode::ArgMax => [8, size, size, size],
        _ => [size, source_size, size, size],
    };
    let places = places(step, opcode, elements, sizes)?;
    match step.spaces.iter().position(|space| *space == 3) {
        None if step.immediate != 0 => return Err(whole(Reason::StepReserved)),
        Some(operand) if size < 8 && step.immediate >> (8 * size) != 0 => {
            return Err((Some(operand as u8), Reason::ImmediateTooWide));
        }
        _ => {}
    }
    overlap(opcode, &places)?;
    touch(&places, memory)
}

/// Space, first byte and end of an operand in memory.
type Place = Option<(u8, usize, usize)>;

fn places(step: &Step, opcode: Opcode, elements: Elements, sizes: [u128; 4]) -> Result<[Place; 4], BrokenStep> {
    let sources = sources(opcode);
    let mut places = [None; 4];
    for operand in 0..4_u8 {
        let (space, offset) = (step.spaces[operand as usize], step.offsets[operand as usize]);
        let here = |reason| Err((Some(operand), reason));
        let wanted = match operand {
            0 => Some((true, false)),
            n => sources.get(usize::from(n) - 1).copied(),
        };
        match (space, wanted) {
            (4.., _) => return here(Reason::UnknownSpace),
            (0, Some(_)) => return here(Reason::OperandMissing),
            (1.., None) => return here(Reason::OperandUnexpected),
            (3, Some((_, false))) => return here(Reason::ImmediateNotAllowed),
            (0 | 3, _) if offset != 0 => return here(Reason::StepReserved),
            (0 | 3, _) => continue,
            (_, Some((false, _))) => return here(Reason::OperandMissing),
            _ => {}
        }
        let size = sizes[operand as usize];
        let end = u128::from(offset) + elements[operand as usize] * size;
        let limit = if space == 1 { DATA } else { SCRATCH };
        if u128::from(offset) % size != 0 {
            return here(Reason::Misaligned);
        }
        if end > u128::from(u64::MAX) {
            return here(Reason::OffsetOverflow);
        }
        if end > limit as u128 {
            return here(Reason::OutOfBounds);
        }
        places[operand as usize] = Some((space, offset as usize, end as usize));
    }
    Ok(places)
}

fn overlap(opcode: Opcode, places: &[Place; 4]) -> Result<(), BrokenStep> {
    let in_place = !matches!(
        opcode,
        Opcode::Sum | Opcode::Dot | Opcode::ArgMin | Opcode::ArgMax | Opcode::MatMul | Opcode::Transpose
    );
    let destination = places[0].expect("a destination is in memory");
    for operand in 1..4_u8 {
        let Some(source) = places[operand as usize] else {
            continue;
        };
        let shares = (destination.1..destination.2)
            .any(|byte| source.0 == destination.0 && (source.1..source.2).contains(&byte));
        if shares && (source != destination || !in_place) {
            return Err((Some(operand), Reason::Overlap));
        }
    }
    Ok(())
}

fn touch(places: &[Place; 4], memory: &mut Memory) -> Result<(), BrokenStep> {
    for operand in 1..4_u8 {
        match places[operand as usize] {
            Some((1, start, end)) => memory.data[start..end].iter_mut().for_each(|byte| *byte |= 1),
            Some((_, start, end)) if memory.scratch[start..end].contains(&false) => {
                return Err((Some(operand), Reason::ScratchNotWritten));
            }
            _ => {}
        }
    }
    match places[0].expect("a destination is in memory") {
        (1, start, end) => memory.data[start..end].iter_mut().for_each(|byte| *byte |= 2),
        (_, start, end) => memory.scratch[start..end].fill(true),
    }
    Ok(())
}
