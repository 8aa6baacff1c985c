//! Steps that compute each element from the elements at its place.
//!
//! Methods named `saturating_` clamp the exact result to the range of the type where the others wrap.

use hawser_abi::op::{Opcode, Predicate};
use hawser_abi::program::{OperandIndex, Step};

use super::builder::{plain, saturating};
use super::{Array, Element, Float, Integer, Operand, ProgramBuilder, ProgramError, Signed};

/// Steps on two sources.
macro_rules! binary {
    ($($kind:ident: $($name:ident = $make:ident $opcode:ident $text:literal),+);+ $(;)?) => {
        impl ProgramBuilder {
            $($(
                #[doc = concat!("Adds `dst[i] = ", $text, "`.")]
                pub fn $name<T: $kind>(
                    &mut self,
                    dst: Array<T>,
                    a: impl Into<Operand<T>>,
                    b: impl Into<Operand<T>>,
                ) -> Result<&mut Self, ProgramError> {
                    self.element_wise($make::<T>(Opcode::$opcode, dst.count), dst, &[a.into(), b.into()])
                }
            )+)+
        }
    };
}

binary! {
    Element:
        add = plain Add "a[i] + b[i]",
        sub = plain Sub "a[i] - b[i]",
        mul = plain Mul "a[i] * b[i]",
        div = plain Div "a[i] / b[i]",
        rem = plain Rem "a[i] % b[i]",
        min = plain Min "min(a[i], b[i])",
        max = plain Max "max(a[i], b[i])";
    Integer:
        saturating_add = saturating Add "a[i] + b[i]",
        saturating_sub = saturating Sub "a[i] - b[i]",
        saturating_mul = saturating Mul "a[i] * b[i]",
        saturating_div = saturating Div "a[i] / b[i]",
        and = plain And "a[i] & b[i]",
        or = plain Or "a[i] | b[i]",
        xor = plain Xor "a[i] ^ b[i]",
        shl = plain Shl "a[i] << b[i]",
        shr = plain Shr "a[i] >> b[i]";
}

/// Steps on one source.
macro_rules! unary {
    ($($name:ident: $kind:path = $make:ident $opcode:ident $text:literal),+ $(,)?) => {
        impl ProgramBuilder {
            $(
                #[doc = concat!("Adds `dst[i] = ", $text, "`.")]
                pub fn $name<T: $kind>(
                    &mut self,
                    dst: Array<T>,
                    a: impl Into<Operand<T>>,
                ) -> Result<&mut Self, ProgramError> {
                    self.element_wise($make::<T>(Opcode::$opcode, dst.count), dst, &[a.into()])
                }
            )+
        }
    };
}

unary! {
    neg: Signed = plain Neg "-a[i]",
    abs: Signed = plain Abs "|a[i]|",
    sqrt: Float = plain Sqrt "sqrt(a[i])",
    not: Integer = plain Not "!a[i]",
}

/// Steps on three sources.
macro_rules! ternary {
    ($($name:ident: $kind:ident = $make:ident $opcode:ident $text:literal),+ $(,)?) => {
        impl ProgramBuilder {
            $(
                #[doc = concat!("Adds `dst[i] = ", $text, "`.")]
                pub fn $name<T: $kind>(
                    &mut self,
                    dst: Array<T>,
                    a: impl Into<Operand<T>>,
                    b: impl Into<Operand<T>>,
                    c: impl Into<Operand<T>>,
                ) -> Result<&mut Self, ProgramError> {
                    let step = $make::<T>(Opcode::$opcode, dst.count);
                    self.element_wise(step, dst, &[a.into(), b.into(), c.into()])
                }
            )+
        }
    };
}

ternary! {
    fma: Element = plain Fma "a[i] * b[i] + c[i]",
    saturating_fma: Integer = saturating Fma "a[i] * b[i] + c[i]",
}

impl ProgramBuilder {
    /// Adds `dst[i] = a[i]`.
    pub fn copy<T: Element>(&mut self, dst: Array<T>, a: Array<T>) -> Result<&mut Self, ProgramError> {
        self.element_wise(plain::<T>(Opcode::Copy, dst.count), dst, &[a.into()])
    }

    /// Adds `dst[i] = value`.
    pub fn fill<T: Element>(&mut self, dst: Array<T>, value: T) -> Result<&mut Self, ProgramError> {
        self.element_wise(plain::<T>(Opcode::Fill, dst.count), dst, &[Operand::Constant(value)])
    }

    /// Adds `dst[i] = -a[i]`.
    pub fn saturating_neg<T: Integer + Signed>(
        &mut self,
        dst: Array<T>,
        a: impl Into<Operand<T>>,
    ) -> Result<&mut Self, ProgramError> {
        self.element_wise(saturating::<T>(Opcode::Neg, dst.count), dst, &[a.into()])
    }

    /// Adds `dst[i] = |a[i]|`.
    pub fn saturating_abs<T: Integer + Signed>(
        &mut self,
        dst: Array<T>,
        a: impl Into<Operand<T>>,
    ) -> Result<&mut Self, ProgramError> {
        self.element_wise(saturating::<T>(Opcode::Abs, dst.count), dst, &[a.into()])
    }

    /// Adds `dst[i] = a[i] <predicate> b[i]`, as a byte 1 or 0.
    pub fn compare<T: Element>(
        &mut self,
        dst: Array<u8>,
        predicate: Predicate,
        a: impl Into<Operand<T>>,
        b: impl Into<Operand<T>>,
    ) -> Result<&mut Self, ProgramError> {
        let (a, b) = (a.into(), b.into());
        for (operand, index) in [(&a, OperandIndex::A), (&b, OperandIndex::B)] {
            if let Operand::Array(array) = operand {
                self.length(index, array.count, dst.count)?;
            }
        }
        let step = Step {
            aux: [predicate as u32, 0],
            ..plain::<T>(Opcode::Compare, dst.count)
        };
        self.step(step, dst.place(), &[a.source(), b.source()])
    }

    /// Adds `dst[i] = if mask[i] != 0 { b[i] } else { c[i] }`.
    pub fn select<T: Element>(
        &mut self,
        dst: Array<T>,
        mask: Array<u8>,
        b: impl Into<Operand<T>>,
        c: impl Into<Operand<T>>,
    ) -> Result<&mut Self, ProgramError> {
        let (b, c) = (b.into(), c.into());
        self.length(OperandIndex::A, mask.count, dst.count)?;
        for (operand, index) in [(&b, OperandIndex::B), (&c, OperandIndex::C)] {
            if let Operand::Array(array) = operand {
                self.length(index, array.count, dst.count)?;
            }
        }
        let step = plain::<T>(Opcode::Select, dst.count);
        self.step(step, dst.place(), &[mask.source(), b.source(), c.source()])
    }

    /// Adds `dst[i] = a[i]` in another type. Integers keep their low bits, floats become integers towards zero and within range.
    pub fn convert<S: Element, T: Element>(&mut self, dst: Array<T>, a: Array<S>) -> Result<&mut Self, ProgramError> {
        self.conversion(plain::<T>(Opcode::Convert, dst.count), dst, a)
    }

    /// Adds `dst[i] = a[i]` in another type, in its range.
    pub fn saturating_convert<S: Integer, T: Integer>(
        &mut self,
        dst: Array<T>,
        a: Array<S>,
    ) -> Result<&mut Self, ProgramError> {
        self.conversion(saturating::<T>(Opcode::Convert, dst.count), dst, a)
    }

    fn conversion<S: Element, T: Element>(
        &mut self,
        step: Step,
        dst: Array<T>,
        a: Array<S>,
    ) -> Result<&mut Self, ProgramError> {
        self.length(OperandIndex::A, a.count, dst.count)?;
        let step = Step {
            aux_type: S::TYPE as u8,
            ..step
        };
        self.step(step, dst.place(), &[a.source()])
    }
}
