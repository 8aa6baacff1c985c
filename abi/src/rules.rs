//! What each operation takes: one row for each opcode, from which the driver checks programs, the device tells what it runs, and the table
//! in the documentation is made.

use crate::op::{ALL_ELEMENT_TYPES, ElementType, Opcode};
use crate::program::{Space, Step, step_flags};

/// Spaces that an operand may lie in: bit `n` stands for [`Space`] `n`.
pub type Spaces = u8;

/// The operation has no such operand.
pub const ABSENT: Spaces = 1 << Space::None as u8;
/// Bytes of the data buffer or of device-local memory.
pub const MEMORY: Spaces = 1 << Space::Data as u8 | 1 << Space::Scratch as u8;
/// The immediate.
pub const IMMEDIATE: Spaces = 1 << Space::Immediate as u8;
/// Bytes in memory or the immediate.
pub const EITHER: Spaces = MEMORY | IMMEDIATE;

/// What the elements of an operand are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ElementOf {
    /// Elements of the step's type.
    Step = 0,
    /// Bytes: truth values, of which every one but 0 is true.
    Truth = 1,
    /// Positions in an array, as `u64`.
    Position = 2,
    /// Elements of the auxiliary type.
    Auxiliary = 3,
}

impl ElementOf {
    /// Bytes of an element, which are also its alignment, for a step with a type of `own` bytes and an auxiliary type of `auxiliary`.
    pub const fn size(self, own: u64, auxiliary: u64) -> u64 {
        match self {
            Self::Step => own,
            Self::Truth => 1,
            Self::Position => 8,
            Self::Auxiliary => auxiliary,
        }
    }
}

/// How many elements an operand has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Extent {
    /// As many as the step counts.
    Count = 0,
    /// One.
    One = 1,
    /// Those of a matrix of `aux[0]` rows and `aux[1]` columns.
    LeftMatrix = 2,
    /// Those of a matrix of `aux[1]` rows and `count / aux[0]` columns.
    RightMatrix = 3,
}

impl Extent {
    /// How many elements that is in `step`, unless a matrix has no rows or its size does not fit in 64 bits.
    pub fn elements(self, step: &Step) -> Option<u64> {
        let [rows, columns] = step.aux.map(u64::from);
        match self {
            Self::Count => Some(step.count),
            Self::One => Some(1),
            Self::LeftMatrix => Some(rows * columns),
            Self::RightMatrix => step.count.checked_div(rows)?.checked_mul(columns),
        }
    }
}

/// What the auxiliary fields of a step mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AuxUse {
    /// Nothing; they are zero.
    Unused = 0,
    /// `aux[0]` is a [`Predicate`](crate::op::Predicate).
    Predicate = 1,
    /// `aux_type` is the element type of the source.
    SourceType = 2,
    /// `aux[0]` and `aux[1]` are the rows and columns of the first source.
    Product = 3,
    /// `aux[0]` is the number of rows of the source.
    Rows = 4,
}

/// Whether the destination may be exactly the bytes of a source. Any other overlap is refused for every operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum InPlace {
    /// It may not: elements are needed again after others have been written.
    Refused = 0,
    /// It may.
    Allowed = 1,
}

/// What an operation takes in the place of one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct OperandRule {
    /// Where it may lie.
    pub spaces: Spaces,
    /// What its elements are.
    pub element: ElementOf,
    /// How many there are.
    pub extent: Extent,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Rule {
    /// Element types, as bits, that the operation takes.
    pub types: u32,
    /// Those of them that it takes on a device that does not compute with them, because it only moves their bits.
    pub moved: u32,
    /// Bits of [`step_flags`] that it takes for integers.
    pub integer_flags: u8,
    /// Bits of [`step_flags`] that it takes for floats.
    pub float_flags: u8,
    /// What the auxiliary fields mean.
    pub aux: AuxUse,
    /// Whether it may run in place.
    pub in_place: InPlace,
    /// Destination, first, second and third source.
    pub operands: [OperandRule; 4],
}

impl Rule {
    /// Element types, as bits, that the operation takes on a device that computes with the types `computed`.
    #[inline]
    pub const fn types_on(&self, computed: u32) -> u32 {
        self.types & (self.moved | computed)
    }

    /// Bits of [`step_flags`] that the operation takes for elements of this type. A conversion takes those that both of its types take.
    #[inline]
    pub const fn flags(&self, element: ElementType) -> u8 {
        if element.is_float() {
            self.float_flags
        } else {
            self.integer_flags
        }
    }
}

/// The rule of an operation.
pub const fn rule(operation: Opcode) -> &'static Rule {
    // `Opcode` is dense from 1 on, and the table has a row for each.
    &RULES[operation as usize - 1]
}

/// The rule of the operation with this opcode byte, if there is one.
#[inline]
pub fn rule_of_byte(opcode: u8) -> Option<&'static Rule> {
    RULES.get(usize::from(opcode).wrapping_sub(1))
}

/// An operand with elements of the step's type, as many as it counts.
const fn counted(spaces: Spaces) -> OperandRule {
    of(spaces, ElementOf::Step, Extent::Count)
}

const fn of(spaces: Spaces, element: ElementOf, extent: Extent) -> OperandRule {
    OperandRule {
        spaces,
        element,
        extent,
    }
}

const NONE: OperandRule = counted(ABSENT);
const DST: OperandRule = counted(MEMORY);
const READ: OperandRule = counted(MEMORY);
const VALUE: OperandRule = counted(EITHER);
const CONSTANT: OperandRule = counted(IMMEDIATE);
const TRUTH: OperandRule = of(MEMORY, ElementOf::Truth, Extent::Count);
const FOREIGN: OperandRule = of(MEMORY, ElementOf::Auxiliary, Extent::Count);
const ONE: OperandRule = of(MEMORY, ElementOf::Step, Extent::One);
const POSITION: OperandRule = of(MEMORY, ElementOf::Position, Extent::One);
const LEFT: OperandRule = of(MEMORY, ElementOf::Step, Extent::LeftMatrix);
const RIGHT: OperandRule = of(MEMORY, ElementOf::Step, Extent::RightMatrix);

const fn types(list: &[ElementType]) -> u32 {
    let (mut bits, mut next) = (0, 0);
    while next < list.len() {
        bits |= list[next].bit();
        next += 1;
    }
    bits
}

/// Integer types, as bits.
pub const INTEGERS: u32 = SIGNED | types(&[ElementType::U8, ElementType::U16, ElementType::U32, ElementType::U64]);
/// Types of integers with a sign, as bits.
pub const SIGNED: u32 = types(&[ElementType::I8, ElementType::I16, ElementType::I32, ElementType::I64]);
/// Floating-point types, as bits.
pub const FLOATS: u32 = types(&[ElementType::F16, ElementType::BF16, ElementType::F32, ElementType::F64]);

/// An operation that works on element after element, in place where one wants.
const fn plain(types: u32, operands: [OperandRule; 4]) -> Rule {
    Rule {
        types,
        moved: 0,
        integer_flags: 0,
        float_flags: 0,
        aux: AuxUse::Unused,
        in_place: InPlace::Allowed,
        operands,
    }
}

impl Rule {
    /// It only moves bits.
    const fn moving(self) -> Self {
        Self {
            moved: self.types,
            ..self
        }
    }

    /// Its integer results saturate where one wants.
    const fn saturating(self) -> Self {
        Self {
            integer_flags: step_flags::SATURATE,
            ..self
        }
    }

    const fn not_in_place(self) -> Self {
        Self {
            in_place: InPlace::Refused,
            ..self
        }
    }

    const fn with_aux(self, aux: AuxUse) -> Self {
        Self { aux, ..self }
    }
}

const NUMBERS: u32 = INTEGERS | FLOATS;
const BINARY: [OperandRule; 4] = [DST, VALUE, VALUE, NONE];
const UNARY: [OperandRule; 4] = [DST, VALUE, NONE, NONE];

/// The rules, in the order of [`Opcode::ALL`].
pub static RULES: [Rule; Opcode::ALL.len()] = {
    let mut rules = [plain(0, [NONE; 4]); Opcode::ALL.len()];
    let mut next = 0;
    while next < rules.len() {
        rules[next] = row(Opcode::ALL[next]);
        next += 1;
    }
    rules
};

const fn row(operation: Opcode) -> Rule {
    match operation {
        Opcode::Copy => plain(ALL_ELEMENT_TYPES, [DST, READ, NONE, NONE]).moving(),
        Opcode::Fill => plain(ALL_ELEMENT_TYPES, [DST, CONSTANT, NONE, NONE]).moving(),
        Opcode::Add | Opcode::Sub | Opcode::Mul | Opcode::Div => plain(NUMBERS, BINARY).saturating(),
        Opcode::Rem | Opcode::Min | Opcode::Max => plain(NUMBERS, BINARY),
        Opcode::Fma => plain(NUMBERS, [DST, VALUE, VALUE, VALUE]).saturating(),
        Opcode::Neg | Opcode::Abs => plain(SIGNED | FLOATS, UNARY).saturating(),
        Opcode::Sqrt => plain(FLOATS, UNARY),
        Opcode::And | Opcode::Or | Opcode::Xor | Opcode::Shl | Opcode::Shr => plain(INTEGERS, BINARY),
        Opcode::Not => plain(INTEGERS, UNARY),
        Opcode::Compare => plain(NUMBERS, [TRUTH, VALUE, VALUE, NONE]).with_aux(AuxUse::Predicate),
        Opcode::Select => plain(ALL_ELEMENT_TYPES, [DST, TRUTH, VALUE, VALUE]).moving(),
        Opcode::Convert => plain(NUMBERS, [DST, FOREIGN, NONE, NONE])
            .saturating()
            .with_aux(AuxUse::SourceType),
        Opcode::Sum => plain(NUMBERS, [ONE, READ, NONE, NONE]).saturating().not_in_place(),
        Opcode::Dot => plain(NUMBERS, [ONE, READ, READ, NONE]).saturating().not_in_place(),
        Opcode::ArgMin | Opcode::ArgMax => plain(NUMBERS, [POSITION, READ, NONE, NONE]).not_in_place(),
        Opcode::PrefixSum => plain(NUMBERS, [DST, READ, NONE, NONE]).saturating(),
        Opcode::MatMul => plain(NUMBERS, [DST, LEFT, RIGHT, NONE])
            .saturating()
            .not_in_place()
            .with_aux(AuxUse::Product),
        Opcode::Transpose => plain(ALL_ELEMENT_TYPES, [DST, READ, NONE, NONE])
            .moving()
            .not_in_place()
            .with_aux(AuxUse::Rows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::FromZeros;

    #[test]
    fn every_opcode_byte_finds_its_own_row() {
        for byte in 0..=u8::MAX {
            let expected = Opcode::from_byte(byte).map(rule);
            assert_eq!(rule_of_byte(byte), expected, "opcode {byte}");
        }
        for (row_of_table, operation) in RULES.iter().zip(Opcode::ALL) {
            assert_eq!(*row_of_table, row(operation), "{}", operation.name());
        }
    }

    #[test]
    fn every_operation_writes_memory_and_reads_something() {
        for rule in &RULES {
            let [destination, first, ..] = rule.operands;
            assert_eq!(destination.spaces, MEMORY);
            assert_ne!(first.spaces, ABSENT);
            assert_ne!(rule.types, 0);
            assert_eq!(rule.moved & !rule.types, 0);
        }
    }

    #[test]
    fn an_extent_counts_the_elements_of_a_step() {
        let [all, one, left, right] = [Extent::Count, Extent::One, Extent::LeftMatrix, Extent::RightMatrix];
        let mut step = Step::new_zeroed();
        (step.count, step.aux) = (6 * 7, [6, 5]);
        assert_eq!(
            [all, one, left, right].map(|extent| extent.elements(&step)),
            [42, 1, 30, 35].map(Some)
        );
        step.aux = [u32::MAX; 2];
        assert_eq!(left.elements(&step), Some(0xFFFF_FFFE_0000_0001));
        (step.count, step.aux) = (u64::MAX, [1, 2]);
        assert_eq!(right.elements(&step), None);
        step.aux = [0, 1];
        assert_eq!(right.elements(&step), None);
    }

    #[test]
    fn no_type_is_both_integer_and_float() {
        assert_eq!(INTEGERS & FLOATS, 0);
        assert_eq!(INTEGERS | FLOATS, ALL_ELEMENT_TYPES);
        assert_eq!(SIGNED & !INTEGERS, 0);
        for element in ElementType::ALL {
            assert_eq!(element.is_float(), FLOATS & element.bit() != 0);
        }
    }

    #[test]
    fn a_row_is_small() {
        assert!(size_of::<Rule>() <= 32);
    }
}
