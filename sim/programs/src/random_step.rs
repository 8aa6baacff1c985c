//! A random step whose operands lie inside their spaces.

use arbitrary::{Result, Unstructured};
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{Space, Step, step_flags};
use hawser_abi::rules::{ABSENT, EITHER, IMMEDIATE, OperandRule, Rule, rule};
use zerocopy::FromZeros;

/// Bytes of the spaces.
#[derive(Clone, Copy)]
pub(crate) struct Spaces {
    pub(crate) data: u64,
    pub(crate) scratch: u64,
}

/// Most multiplications of a matrix product, which tests also compute one by one.
const LARGEST_PRODUCT: u64 = 20_000;
/// Most elements of a step.
const MOST_ELEMENTS: u64 = 3000;

pub(crate) fn draw(source: &mut Unstructured<'_>, spaces: Spaces) -> Result<Step> {
    let opcode = *source.choose(&Opcode::ALL)?;
    let rule = rule(opcode);
    let element = a_type(source, rule.types)?;
    let mut step = Step {
        opcode: opcode as u8,
        element_type: element as u8,
        ..Step::new_zeroed()
    };
    let from = if opcode == Opcode::Convert {
        a_type(source, rule.types)?
    } else {
        element
    };
    if opcode == Opcode::Convert {
        step.aux_type = from as u8;
    }
    if source.ratio(1, 3)? {
        step.flags = step_flags::SATURATE & rule.flags(element) & rule.flags(from);
    }
    let largest = element.size().max(from.size());
    shape(source, opcode, &mut step, (spaces.data / 4 / largest).max(1))?;
    let operands = Operands {
        rule,
        own: element.size(),
        auxiliary: from.size(),
        spaces,
    };
    for operand in 0..4 {
        operands.place(source, operand, &mut step)?;
    }
    if step.spaces.contains(&(Space::Immediate as u8)) {
        step.immediate = immediate(source, element)?;
    }
    Ok(step)
}

fn a_type(source: &mut Unstructured<'_>, types: u32) -> Result<ElementType> {
    let taken: Vec<_> = ElementType::ALL
        .into_iter()
        .filter(|element| types & element.bit() != 0)
        .collect();
    source.choose(&taken).copied()
}

/// Count and auxiliary numbers, such that no operand has more than `most` elements.
fn shape(source: &mut Unstructured<'_>, opcode: Opcode, step: &mut Step, most: u64) -> Result<()> {
    let most = most.min(MOST_ELEMENTS);
    let few = if source.ratio(1, 2)? { most.min(40) } else { most };
    step.count = source.int_in_range(1..=few)?;
    match opcode {
        Opcode::Compare => step.aux[0] = source.int_in_range(0..=5)?,
        Opcode::Transpose => {
            let rows = source.int_in_range(1..=step.count)?;
            step.aux[0] = rows as u32;
            step.count -= step.count % rows;
        }
        Opcode::MatMul => {
            let rows = source.int_in_range(1..=most.min(64))?;
            let inner = source.int_in_range(1..=(most / rows).clamp(1, 64))?;
            let columns = (most / rows.max(inner)).min(LARGEST_PRODUCT / (rows * inner));
            step.aux = [rows as u32, inner as u32];
            step.count = rows * source.int_in_range(1..=columns.max(1))?;
        }
        _ => {}
    }
    Ok(())
}

/// What is known of the operands of a step.
struct Operands {
    rule: &'static Rule,
    own: u64,
    auxiliary: u64,
    spaces: Spaces,
}

impl Operands {
    /// Bytes of an element and of all.
    fn size(&self, step: &Step, operand: OperandRule) -> (u64, u64) {
        let size = operand.element.size(self.own, self.auxiliary);
        let elements = operand.extent.elements(step).expect("the shape is a small one");
        (size, elements * size)
    }

    fn place(&self, source: &mut Unstructured<'_>, number: usize, step: &mut Step) -> Result<()> {
        let operand = self.rule.operands[number];
        if operand.spaces == ABSENT {
            return Ok(());
        }
        let constant = operand.spaces == IMMEDIATE || operand.spaces == EITHER && source.ratio(1, 6)?;
        if constant {
            step.spaces[number] = Space::Immediate as u8;
            return Ok(());
        }
        let (size, bytes) = self.size(step, operand);
        let in_place = number > 0 && self.size(step, self.rule.operands[0]) == (size, bytes) && source.ratio(1, 4)?;
        if in_place {
            step.spaces[number] = step.spaces[0];
            step.offsets[number] = step.offsets[0];
            return Ok(());
        }
        let in_scratch = bytes <= self.spaces.scratch && source.ratio(1, 4)?;
        let (space, room) = if in_scratch {
            (Space::Scratch, self.spaces.scratch)
        } else {
            (Space::Data, self.spaces.data)
        };
        step.spaces[number] = space as u8;
        step.offsets[number] = offset(source, size, bytes, room)?;
        Ok(())
    }
}

/// An offset at which `bytes` bytes fit into `room`. Most are inside a quarter of it, since operands that lie anywhere mostly overlap.
fn offset(source: &mut Unstructured<'_>, size: u64, bytes: u64, room: u64) -> Result<u64> {
    let quarter = room / 4 / 8 * 8;
    if bytes > quarter || source.ratio(1, 6)? {
        let last = room.saturating_sub(bytes) / size;
        return Ok(source.int_in_range(0..=last)? * size);
    }
    let start = source.int_in_range(0..=3)? * quarter;
    let skew = match source.int_in_range(0..=2)? {
        0 => 0,
        1 => (quarter - bytes).min(128) / size,
        _ => (quarter - bytes) / size,
    };
    Ok(start + source.int_in_range(0..=skew)? * size)
}

/// Bits of a constant: any, small, or a float around 1.
fn immediate(source: &mut Unstructured<'_>, element: ElementType) -> Result<u64> {
    let bits = match source.int_in_range(0..=2)? {
        0 => source.arbitrary()?,
        1 => source.int_in_range(0..=4)?,
        _ => match element {
            ElementType::F16 => 0x3E00,
            ElementType::BF16 => 0x3FC0,
            ElementType::F32 => u64::from(1.5_f32.to_bits()),
            _ => 1.5_f64.to_bits(),
        },
    };
    Ok(bits & (u64::MAX >> (64 - 8 * element.size())))
}
