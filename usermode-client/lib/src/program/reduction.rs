//! Steps whose elements depend on all before them, in their order.

use hawser_abi::op::Opcode;
use hawser_abi::program::{OperandIndex, Step};

use super::builder::{plain, saturating};
use super::{Array, Element, Integer, ProgramBuilder, ProgramError};

impl ProgramBuilder {
    /// Adds `dst[0] = a[0] + a[1] + ...`.
    pub fn sum<T: Element>(&mut self, dst: Array<T>, a: Array<T>) -> Result<&mut Self, ProgramError> {
        self.reduce(plain::<T>(Opcode::Sum, a.count), dst, &[a])
    }

    /// Adds `dst[0] = a[0] + a[1] + ...`, clamped to the range of the type at each addition.
    pub fn saturating_sum<T: Integer>(&mut self, dst: Array<T>, a: Array<T>) -> Result<&mut Self, ProgramError> {
        self.reduce(saturating::<T>(Opcode::Sum, a.count), dst, &[a])
    }

    /// Adds `dst[0] = a[0] * b[0] + a[1] * b[1] + ...`, each product fused with its addition.
    pub fn dot<T: Element>(&mut self, dst: Array<T>, a: Array<T>, b: Array<T>) -> Result<&mut Self, ProgramError> {
        self.reduce(plain::<T>(Opcode::Dot, a.count), dst, &[a, b])
    }

    /// Adds `dst[0] = a[0] * b[0] + a[1] * b[1] + ...`, clamped to the range of the type at each addition.
    pub fn saturating_dot<T: Integer>(
        &mut self,
        dst: Array<T>,
        a: Array<T>,
        b: Array<T>,
    ) -> Result<&mut Self, ProgramError> {
        self.reduce(saturating::<T>(Opcode::Dot, a.count), dst, &[a, b])
    }

    /// Adds `dst[0]` = index of the first of the smallest elements of `a`; of the first NaN, if there is one.
    pub fn argmin<T: Element>(&mut self, dst: Array<u64>, a: Array<T>) -> Result<&mut Self, ProgramError> {
        self.reduce(plain::<T>(Opcode::ArgMin, a.count), dst, &[a])
    }

    /// Adds `dst[0]` = index of the first of the largest elements of `a`; of the first NaN, if there is one.
    pub fn argmax<T: Element>(&mut self, dst: Array<u64>, a: Array<T>) -> Result<&mut Self, ProgramError> {
        self.reduce(plain::<T>(Opcode::ArgMax, a.count), dst, &[a])
    }

    /// Adds `dst[i] = a[0] + ... + a[i]`.
    pub fn prefix_sum<T: Element>(&mut self, dst: Array<T>, a: Array<T>) -> Result<&mut Self, ProgramError> {
        self.element_wise(plain::<T>(Opcode::PrefixSum, dst.count), dst, &[a.into()])
    }

    /// Adds `dst[i] = a[0] + ... + a[i]`, clamped to the range of the type at each addition.
    pub fn saturating_prefix_sum<T: Integer>(&mut self, dst: Array<T>, a: Array<T>) -> Result<&mut Self, ProgramError> {
        self.element_wise(saturating::<T>(Opcode::PrefixSum, dst.count), dst, &[a.into()])
    }

    fn reduce<R: Element, T: Element>(
        &mut self,
        step: Step,
        dst: Array<R>,
        sources: &[Array<T>],
    ) -> Result<&mut Self, ProgramError> {
        self.length(OperandIndex::Dst, dst.count, 1)?;
        if let [_, b] = sources {
            self.length(OperandIndex::B, b.count, step.count)?;
        }
        let sources: Vec<_> = sources.iter().map(Array::source).collect();
        self.step(step, dst.place(), &sources)
    }
}
