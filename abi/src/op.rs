//! Operations and element types, and which of them revision 1 of the accelerator runs. [`crate::rules`] says what each operation takes.

/// What a step does. The value is the `opcode` byte of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Opcode {
    /// `dst[i] = a[i]`
    Copy = 1,
    /// `dst[i] = immediate`
    Fill = 2,
    /// `dst[i] = a[i] + b[i]`
    Add = 3,
    /// `dst[i] = a[i] - b[i]`
    Sub = 4,
    /// `dst[i] = a[i] * b[i]`
    Mul = 5,
    /// `dst[i] = a[i] / b[i]`; an integer divisor of zero faults the step
    Div = 6,
    /// `dst[i]` = remainder of `a[i] / b[i]`; an integer divisor of zero faults the step
    Rem = 7,
    /// `dst[i]` = the smaller of `a[i]` and `b[i]`
    Min = 8,
    /// `dst[i]` = the larger of `a[i]` and `b[i]`
    Max = 9,
    /// `dst[i] = a[i] * b[i] + c[i]`, floats rounded once
    Fma = 10,
    /// `dst[i] = -a[i]`
    Neg = 11,
    /// `dst[i] = |a[i]|`
    Abs = 12,
    /// `dst[i]` = square root of `a[i]`
    Sqrt = 13,
    /// `dst[i] = a[i] & b[i]`
    And = 14,
    /// `dst[i] = a[i] | b[i]`
    Or = 15,
    /// `dst[i] = a[i] ^ b[i]`
    Xor = 16,
    /// `dst[i] = !a[i]`
    Not = 17,
    /// `dst[i] = a[i] << b[i]`
    Shl = 18,
    /// `dst[i] = a[i] >> b[i]`
    Shr = 19,
    /// `dst[i] = (a[i] <predicate aux[0]> b[i])` as a byte 0 or 1
    Compare = 20,
    /// `dst[i] = if a[i] != 0 { b[i] } else { c[i] }`
    Select = 21,
    /// `dst[i] = a[i]` converted from the auxiliary type
    Convert = 22,
    /// `dst[0] = a[0] + a[1] + ...`, added from the first element to the last
    Sum = 23,
    /// `dst[0] = a[0] * b[0] + a[1] * b[1] + ...`, added from the first product to the last
    Dot = 24,
    /// `dst[0]` = index of the first smallest element
    ArgMin = 25,
    /// `dst[0]` = index of the first largest element
    ArgMax = 26,
    /// `dst[i] = a[0] + ... + a[i]`
    PrefixSum = 27,
    /// `dst` = matrix product of `a`, which has `aux[0]` rows and `aux[1]` columns, and `b`
    MatMul = 28,
    /// `dst` = `a`, which has `aux[0]` rows, with rows and columns exchanged
    Transpose = 29,
}

impl Opcode {
    /// Every operation of the contract, in the order of its value.
    pub const ALL: [Opcode; 29] = [
        Opcode::Copy,
        Opcode::Fill,
        Opcode::Add,
        Opcode::Sub,
        Opcode::Mul,
        Opcode::Div,
        Opcode::Rem,
        Opcode::Min,
        Opcode::Max,
        Opcode::Fma,
        Opcode::Neg,
        Opcode::Abs,
        Opcode::Sqrt,
        Opcode::And,
        Opcode::Or,
        Opcode::Xor,
        Opcode::Not,
        Opcode::Shl,
        Opcode::Shr,
        Opcode::Compare,
        Opcode::Select,
        Opcode::Convert,
        Opcode::Sum,
        Opcode::Dot,
        Opcode::ArgMin,
        Opcode::ArgMax,
        Opcode::PrefixSum,
        Opcode::MatMul,
        Opcode::Transpose,
    ];

    /// The operation with this `opcode` byte, if the contract knows one.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1..=29 => Some(Self::ALL[byte as usize - 1]),
            _ => None,
        }
    }

    /// The bit of this operation in [`DeviceInfo::operations`](crate::info::DeviceInfo::operations).
    pub const fn bit(self) -> u64 {
        1 << self as u8
    }

    /// The operation of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// The name in the program language and in messages.
    pub const fn name(self) -> &'static str {
        const NAMES: [&str; 29] = [
            "copy",
            "fill",
            "add",
            "sub",
            "mul",
            "div",
            "rem",
            "min",
            "max",
            "fma",
            "neg",
            "abs",
            "sqrt",
            "and",
            "or",
            "xor",
            "not",
            "shl",
            "shr",
            "compare",
            "select",
            "convert",
            "sum",
            "dot",
            "argmin",
            "argmax",
            "prefix_sum",
            "matmul",
            "transpose",
        ];
        NAMES[self as usize - 1]
    }
}

/// Type of the elements a step works on. The value is the `element_type` byte of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ElementType {
    /// Signed 8-bit integer
    I8 = 1,
    /// Unsigned 8-bit integer
    U8 = 2,
    /// Signed 16-bit integer
    I16 = 3,
    /// Unsigned 16-bit integer
    U16 = 4,
    /// Signed 32-bit integer
    I32 = 5,
    /// Unsigned 32-bit integer
    U32 = 6,
    /// Signed 64-bit integer
    I64 = 7,
    /// Unsigned 64-bit integer
    U64 = 8,
    /// IEEE 754 binary16
    F16 = 9,
    /// bfloat16
    BF16 = 10,
    /// IEEE 754 binary32
    F32 = 11,
    /// IEEE 754 binary64
    F64 = 12,
}

impl ElementType {
    /// Every element type of the contract, in the order of its value.
    pub const ALL: [ElementType; 12] = [
        ElementType::I8,
        ElementType::U8,
        ElementType::I16,
        ElementType::U16,
        ElementType::I32,
        ElementType::U32,
        ElementType::I64,
        ElementType::U64,
        ElementType::F16,
        ElementType::BF16,
        ElementType::F32,
        ElementType::F64,
    ];

    /// The type with this `element_type` byte, if the contract knows one.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1..=12 => Some(Self::ALL[byte as usize - 1]),
            _ => None,
        }
    }

    /// Size of an element in bytes, which is also the alignment of its offset.
    pub const fn size(self) -> u64 {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 | Self::F16 | Self::BF16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// The least and the greatest value of a type of integers.
    pub const fn integers(self) -> (i128, i128) {
        let bits = 8 * self.size();
        match self {
            Self::I8 | Self::I16 | Self::I32 | Self::I64 => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
            _ => (0, (1 << bits) - 1),
        }
    }

    /// Whether its values are floating-point numbers.
    pub const fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::BF16 | Self::F32 | Self::F64)
    }

    /// The bit of this type in [`DeviceInfo::element_types`](crate::info::DeviceInfo::element_types).
    pub const fn bit(self) -> u32 {
        1 << self as u8
    }

    /// The element type of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// The name in the program language and in messages.
    pub const fn name(self) -> &'static str {
        const NAMES: [&str; 12] = [
            "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f16", "bf16", "f32", "f64",
        ];
        NAMES[self as usize - 1]
    }
}

/// How a comparison compares. The value is the `aux[0]` of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Predicate {
    /// `a == b`
    Eq = 0,
    /// `a != b`
    Ne = 1,
    /// `a < b`
    Lt = 2,
    /// `a <= b`
    Le = 3,
    /// `a > b`
    Gt = 4,
    /// `a >= b`
    Ge = 5,
}

impl Predicate {
    /// Every predicate of the contract, in the order of its value.
    pub const ALL: [Predicate; 6] = [Self::Eq, Self::Ne, Self::Lt, Self::Le, Self::Gt, Self::Ge];

    /// The predicate with this number, if the contract knows one.
    pub const fn from_u32(value: u32) -> Option<Self> {
        match value {
            0..=5 => Some(Self::ALL[value as usize]),
            _ => None,
        }
    }

    /// The predicate of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// The name in messages.
    pub const fn name(self) -> &'static str {
        ["eq", "ne", "lt", "le", "gt", "ge"][self as usize]
    }
}

/// Operations that revision 1 runs, as bits: all of the contract.
pub const REV1_OPERATIONS: u64 = {
    let (mut bits, mut next) = (0, 0);
    while next < Opcode::ALL.len() {
        bits |= Opcode::ALL[next].bit();
        next += 1;
    }
    bits
};

/// Element types that revision 1 computes with, as bits: all of the contract.
pub const REV1_ELEMENT_TYPES: u32 = ALL_ELEMENT_TYPES;

/// Element types, as bits, that revision 1 takes for an operation.
pub const fn rev1_types(operation: Opcode) -> u32 {
    crate::rules::rule(operation).types_on(REV1_ELEMENT_TYPES)
}

/// Every element type of the contract, as bits.
pub const ALL_ELEMENT_TYPES: u32 = {
    let (mut bits, mut next) = (0, 0);
    while next < ElementType::ALL.len() {
        bits |= ElementType::ALL[next].bit();
        next += 1;
    }
    bits
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_values_agree() {
        for byte in 0..=u8::MAX {
            assert_eq!(
                Opcode::from_byte(byte).map(|op| op as u8),
                (1..=29).contains(&byte).then_some(byte)
            );
            assert_eq!(
                ElementType::from_byte(byte).map(|ty| ty as u8),
                (1..=12).contains(&byte).then_some(byte)
            );
            assert_eq!(
                Predicate::from_u32(byte.into()).map(|predicate| predicate as u8),
                (byte < 6).then_some(byte)
            );
        }
    }

    #[test]
    fn names_lead_back_to_what_they_name() {
        for operation in Opcode::ALL {
            assert_eq!(Opcode::named(operation.name()), Some(operation));
        }
        for element in ElementType::ALL {
            assert_eq!(ElementType::named(element.name()), Some(element));
        }
        for predicate in Predicate::ALL {
            assert_eq!(Predicate::named(predicate.name()), Some(predicate));
        }
        assert_eq!(
            (Opcode::named("i8"), ElementType::named(""), Predicate::named("EQ")),
            (None, None, None)
        );
    }

    #[test]
    fn ranges_are_those_of_the_types() {
        assert_eq!(ElementType::I8.integers(), (i8::MIN.into(), i8::MAX.into()));
        assert_eq!(ElementType::U16.integers(), (0, u16::MAX.into()));
        assert_eq!(ElementType::I64.integers(), (i64::MIN.into(), i64::MAX.into()));
        assert_eq!(ElementType::U64.integers(), (0, u64::MAX.into()));
    }
}
