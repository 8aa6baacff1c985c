//! What each step of a program reads and writes, and where.

use hawser::Program;
use hawser_abi::op::ElementType;
use hawser_abi::program::{OperandIndex, Space, Step};
use hawser_abi::rules::{Extent, OperandRule, rule_of_byte};
use hawser_core::DataRange;

/// What a step does with an operand in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Index of the step.
    pub step: u32,
    pub operand: OperandIndex,
    /// The data buffer or device-local memory.
    pub space: Space,
    /// The bytes there.
    pub range: DataRange,
}

impl Access {
    /// Whether the step writes the bytes.
    pub fn is_write(&self) -> bool {
        self.operand == OperandIndex::Dst
    }

    /// Whether the bytes are in the data buffer.
    pub fn is_data(&self) -> bool {
        self.space == Space::Data
    }

    /// Whether both have a byte in common.
    pub fn meets(&self, other: &Self) -> bool {
        self.space == other.space && overlap(self.range, other.range)
    }
}

/// Whether two ranges have a byte in common.
pub fn overlap(one: DataRange, other: DataRange) -> bool {
    one.offset < other.end() && other.offset < one.end()
}

/// The accesses of all steps, in their order. Those of a step that breaks the contract are left out.
pub fn accesses(program: &Program) -> Vec<Access> {
    let steps = (0..).map_while(|index| Some((index, program.step(index)?)));
    steps.flat_map(|(index, step)| of_step(index, &step)).collect()
}

fn of_step(index: u32, step: &Step) -> Vec<Access> {
    let Some(rule) = rule_of_byte(step.opcode) else {
        return Vec::new();
    };
    let operands = OperandIndex::ALL.into_iter().zip(rule.operands);
    let places = step.spaces.into_iter().zip(step.offsets);
    let access = |((operand, rule), (space, offset)): ((OperandIndex, OperandRule), (u8, u64))| {
        let space = Space::from_byte(space).filter(|space| matches!(space, Space::Data | Space::Scratch))?;
        let length = bytes(step, rule)?;
        Some(Access {
            step: index,
            operand,
            space,
            range: DataRange { offset, length },
        })
    };
    operands.zip(places).filter_map(access).collect()
}

/// Bytes of an operand.
fn bytes(step: &Step, rule: OperandRule) -> Option<u64> {
    let own = ElementType::from_byte(step.element_type)?.size();
    let auxiliary = ElementType::from_byte(step.aux_type).map_or(own, ElementType::size);
    let [first, second] = step.aux.map(u64::from);
    let elements = match rule.extent {
        Extent::Count => step.count,
        Extent::One => 1,
        Extent::LeftMatrix => first.checked_mul(second)?,
        Extent::RightMatrix => second.checked_mul(step.count.checked_div(first)?)?,
    };
    elements.checked_mul(rule.element.size(own, auxiliary))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser::ProgramBuilder;

    fn told(program: &Program) -> Vec<(u32, OperandIndex, Space, u64, u64)> {
        accesses(program)
            .iter()
            .map(|access| {
                let DataRange { offset, length } = access.range;
                (access.step, access.operand, access.space, offset, length)
            })
            .collect()
    }

    #[test]
    fn operands_have_the_bytes_of_their_elements() {
        let mut builder = ProgramBuilder::new();
        let x = builder.array::<f32>(64).unwrap();
        let truth = builder.array::<u8>(64).unwrap();
        let t = builder.scratch::<u64>(1).unwrap();
        let program = builder
            .compare(truth, hawser::Predicate::Lt, x, 2.0)
            .unwrap()
            .argmax(t, x)
            .unwrap()
            .build()
            .unwrap();
        assert_eq!(
            told(&program),
            [
                (0, OperandIndex::Dst, Space::Data, 256, 64),
                (0, OperandIndex::A, Space::Data, 0, 256),
                (1, OperandIndex::Dst, Space::Scratch, 0, 8),
                (1, OperandIndex::A, Space::Data, 0, 256),
            ]
        );
    }

    #[test]
    fn a_step_of_another_contract_has_no_accesses() {
        let mut bytes = hawser::assembly::assemble("t", ".step opcode 200 spaces 1 1 0 0 count 4")
            .unwrap()
            .program
            .into_bytes();
        assert_eq!(told(&Program::from_bytes(bytes.clone())), []);
        bytes[64] = 28;
        bytes[65] = 99;
        assert_eq!(told(&Program::from_bytes(bytes)), []);
    }
}
