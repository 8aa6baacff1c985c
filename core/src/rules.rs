//! What each operation takes: one row for each opcode.

use hawser_abi::op::{ALL_ELEMENT_TYPES, Opcode};

use crate::limits::Limits;

/// What may stand in the place of an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    /// Nothing.
    Absent,
    /// Bytes of the data buffer or of device-local memory.
    Memory,
    /// The immediate.
    Immediate,
    /// Either of them.
    MemoryOrImmediate,
}

/// How many elements the destination has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One for each element of a source.
    ElementWise,
    /// One in all.
    Reduction,
}

/// Element types that an operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Types {
    /// Every type of the contract: elements are moved, not computed with.
    All,
    /// Those that the device computes with.
    Computed,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) types: Types,
    pub(crate) shape: Shape,
    /// Bits of [`step_flags`](hawser_abi::program::step_flags) that the operation takes.
    pub(crate) flags: u8,
    /// Destination, first, second and third source.
    pub(crate) operands: [Operand; 4],
}

impl Rule {
    /// Element types, as bits, that the operation takes on a device with these limits.
    pub(crate) fn element_types(&self, limits: &Limits) -> u32 {
        match self.types {
            Types::All => ALL_ELEMENT_TYPES,
            Types::Computed => limits.element_types,
        }
    }
}

/// The rule of an operation; none for operations of the contract that no device runs yet.
pub(crate) const fn rule(operation: Opcode) -> Option<Rule> {
    use Operand::{Absent, Immediate, Memory, MemoryOrImmediate as Either};
    use Shape::{ElementWise, Reduction};
    use Types::{All, Computed};
    let (types, shape, operands) = match operation {
        Opcode::Copy => (All, ElementWise, [Memory, Memory, Absent, Absent]),
        Opcode::Fill => (All, ElementWise, [Memory, Immediate, Absent, Absent]),
        Opcode::Add => (Computed, ElementWise, [Memory, Either, Either, Absent]),
        Opcode::Sub => (Computed, ElementWise, [Memory, Either, Either, Absent]),
        Opcode::Mul => (Computed, ElementWise, [Memory, Either, Either, Absent]),
        Opcode::Div => (Computed, ElementWise, [Memory, Either, Either, Absent]),
        Opcode::Min => (Computed, ElementWise, [Memory, Either, Either, Absent]),
        Opcode::Max => (Computed, ElementWise, [Memory, Either, Either, Absent]),
        Opcode::Fma => (Computed, ElementWise, [Memory, Either, Either, Either]),
        Opcode::Sum => (Computed, Reduction, [Memory, Memory, Absent, Absent]),
        _ => return None,
    };
    Some(Rule {
        types,
        shape,
        flags: 0,
        operands,
    })
}

/// The rules by opcode byte, so that checking a step costs a look-up and no branch on the operation.
static RULES: [Option<Rule>; 256] = {
    let mut rules = [None; 256];
    let mut rest: &[Opcode] = &Opcode::ALL;
    while let [operation, tail @ ..] = rest {
        let (byte, rule) = (*operation as usize, rule(*operation));
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler; the index is a byte")]
        {
            rules[byte] = rule;
        }
        rest = tail;
    }
    rules
};

/// The rule of the operation with this opcode byte, if there is one.
pub(crate) fn rule_of_byte(opcode: u8) -> Option<&'static Rule> {
    RULES.get(usize::from(opcode))?.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_abi::op::{REV1_OPERATIONS, rev1_types};

    #[test]
    fn revision_1_has_a_row_for_each_operation_that_it_runs_and_no_other() {
        for byte in 0..=u8::MAX {
            let runs = Opcode::from_byte(byte).is_some_and(|operation| operation.bit() & REV1_OPERATIONS != 0);
            assert_eq!(rule_of_byte(byte).is_some(), runs, "opcode {byte}");
        }
    }

    #[test]
    fn types_are_those_of_the_contract() {
        for operation in Opcode::ALL {
            if let Some(rule) = rule(operation) {
                assert_eq!(
                    rule.element_types(&Limits::default()),
                    rev1_types(operation),
                    "{}",
                    operation.name()
                );
            }
        }
    }

    #[test]
    fn every_operation_writes_memory_and_reads_something() {
        for rule in Opcode::ALL.into_iter().filter_map(rule) {
            assert_eq!(rule.operands[0], Operand::Memory);
            assert_ne!(rule.operands[1], Operand::Absent);
        }
    }
}
