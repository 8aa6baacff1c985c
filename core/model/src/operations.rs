//! What each operation takes, stated once more.

/// Element types that an operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Types {
    All,
    Integers,
    Floats,
    /// Signed integers and floats.
    Signed,
}

/// What the elements of an operand are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    /// Of the step's type.
    Own,
    /// Bytes.
    Byte,
    /// `u64`.
    Position,
    /// Of the auxiliary type.
    Auxiliary,
}

/// How many elements an operand has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elements {
    Count,
    One,
    LeftMatrix,
    RightMatrix,
}

/// What an operation uses the auxiliary fields for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Auxiliary {
    Nothing,
    Predicate,
    SourceType,
    RowsAndColumns,
    Rows,
}

/// An operand of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// Whether it may lie in memory.
    pub memory: bool,
    /// Whether it may be the immediate.
    pub immediate: bool,
    pub(crate) element: Element,
    pub(crate) elements: Elements,
}

/// What an operation takes.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Its name.
    pub name: &'static str,
    /// Destination and sources.
    pub operands: &'static [Operand],
    pub(crate) types: Types,
    pub(crate) moves: bool,
    pub(crate) saturates: bool,
    pub(crate) in_place: bool,
    pub(crate) auxiliary: Auxiliary,
}

const fn operand(memory: bool, immediate: bool) -> Operand {
    Operand {
        memory,
        immediate,
        element: Element::Own,
        elements: Elements::Count,
    }
}

/// Memory.
const M: Operand = operand(true, false);
/// The immediate.
const I: Operand = operand(false, true);
/// Memory or the immediate.
const E: Operand = operand(true, true);
/// One element in memory.
const ONE: Operand = Operand {
    elements: Elements::One,
    ..M
};
/// One `u64` in memory.
const POSITION: Operand = Operand {
    element: Element::Position,
    ..ONE
};
/// Bytes in memory.
const BYTES: Operand = Operand {
    element: Element::Byte,
    ..M
};
/// Elements of the auxiliary type.
const FOREIGN: Operand = Operand {
    element: Element::Auxiliary,
    ..M
};
const LEFT: Operand = Operand {
    elements: Elements::LeftMatrix,
    ..M
};
const RIGHT: Operand = Operand {
    elements: Elements::RightMatrix,
    ..M
};

/// An element-wise operation that may run in place.
const fn row(name: &'static str, types: Types, operands: &'static [Operand]) -> Operation {
    Operation {
        name,
        operands,
        types,
        moves: false,
        saturates: false,
        in_place: true,
        auxiliary: Auxiliary::Nothing,
    }
}

impl Operation {
    const fn moves(self) -> Self {
        Self { moves: true, ..self }
    }

    const fn saturates(self) -> Self {
        Self {
            saturates: true,
            ..self
        }
    }

    const fn apart(self) -> Self {
        Self {
            in_place: false,
            ..self
        }
    }

    const fn with(self, auxiliary: Auxiliary) -> Self {
        Self { auxiliary, ..self }
    }
}

/// In the order of their opcodes, from 1 on.
const TABLE: [Operation; 29] = {
    use Types::{All, Floats, Integers, Signed};
    [
        row("copy", All, &[M, M]).moves(),
        row("fill", All, &[M, I]).moves(),
        row("add", All, &[M, E, E]).saturates(),
        row("sub", All, &[M, E, E]).saturates(),
        row("mul", All, &[M, E, E]).saturates(),
        row("div", All, &[M, E, E]).saturates(),
        row("rem", All, &[M, E, E]),
        row("min", All, &[M, E, E]),
        row("max", All, &[M, E, E]),
        row("fma", All, &[M, E, E, E]).saturates(),
        row("neg", Signed, &[M, E]).saturates(),
        row("abs", Signed, &[M, E]).saturates(),
        row("sqrt", Floats, &[M, E]),
        row("and", Integers, &[M, E, E]),
        row("or", Integers, &[M, E, E]),
        row("xor", Integers, &[M, E, E]),
        row("not", Integers, &[M, E]),
        row("shl", Integers, &[M, E, E]),
        row("shr", Integers, &[M, E, E]),
        row("compare", All, &[BYTES, E, E]).with(Auxiliary::Predicate),
        row("select", All, &[M, BYTES, E, E]).moves(),
        row("convert", All, &[M, FOREIGN])
            .saturates()
            .with(Auxiliary::SourceType),
        row("sum", All, &[ONE, M]).saturates().apart(),
        row("dot", All, &[ONE, M, M]).saturates().apart(),
        row("argmin", All, &[POSITION, M]).apart(),
        row("argmax", All, &[POSITION, M]).apart(),
        row("prefix_sum", All, &[M, M]).saturates(),
        row("matmul", All, &[M, LEFT, RIGHT])
            .saturates()
            .apart()
            .with(Auxiliary::RowsAndColumns),
        row("transpose", All, &[M, M]).moves().apart().with(Auxiliary::Rows),
    ]
};

/// The operation with this opcode.
pub fn operation(opcode: u8) -> Option<&'static Operation> {
    TABLE.get(usize::from(opcode).checked_sub(1)?)
}

/// An element type: `i8 u8 i16 u16 i32 u32 i64 u64 f16 bf16 f32 f64`, from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ElementType(u8);

impl ElementType {
    pub(crate) fn from_byte(byte: u64) -> Option<Self> {
        u8::try_from(byte).ok().filter(|byte| (1..=12).contains(byte)).map(Self)
    }

    pub(crate) fn bit(self) -> u32 {
        1 << self.0
    }

    /// Bytes of an element.
    pub(crate) fn size(self) -> u128 {
        [1, 1, 2, 2, 4, 4, 8, 8, 2, 2, 4, 8][usize::from(self.0) - 1]
    }

    pub(crate) fn is_float(self) -> bool {
        self.0 >= 9
    }

    pub(crate) fn is_of(self, types: Types) -> bool {
        match types {
            Types::All => true,
            Types::Integers => !self.is_float(),
            Types::Floats => self.is_float(),
            Types::Signed => self.is_float() || self.0 % 2 == 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_abi::op;

    #[test]
    fn the_rows_are_in_the_order_of_the_contract() {
        assert_eq!(TABLE.len(), op::Opcode::ALL.len());
        for opcode in op::Opcode::ALL {
            assert_eq!(operation(opcode as u8).map(|row| row.name), Some(opcode.name()));
        }
        assert!(operation(0).is_none() && operation(30).is_none());
    }

    #[test]
    fn element_types_are_those_of_the_contract() {
        for element in op::ElementType::ALL {
            let here = ElementType::from_byte(element as u64).expect("it is known");
            assert_eq!(here.size(), u128::from(element.size()), "{}", element.name());
            assert_eq!(here.is_float(), element.name().contains('f'), "{}", element.name());
            assert_eq!(
                here.is_of(Types::Signed),
                !element.name().starts_with('u'),
                "{}",
                element.name()
            );
        }
        assert!(ElementType::from_byte(0).is_none() && ElementType::from_byte(13).is_none());
    }
}
