//! What each operation takes: element types, the saturation flag, sources, and how many elements of what size.

use hawser_abi::op::{ElementType, Opcode};

use super::action::{Detail, Extent};
use super::integer;

/// What a source may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accepts {
    Memory,
    Immediate,
    MemoryOrImmediate,
}

/// The sources of an operation.
pub(super) fn sources(opcode: Opcode) -> &'static [Accepts] {
    use Accepts::{Immediate, Memory, MemoryOrImmediate as Either};
    match opcode {
        Opcode::Fill => &[Immediate],
        Opcode::Neg | Opcode::Abs | Opcode::Sqrt | Opcode::Not => &[Either],
        Opcode::Copy
        | Opcode::Convert
        | Opcode::Sum
        | Opcode::ArgMin
        | Opcode::ArgMax
        | Opcode::PrefixSum
        | Opcode::Transpose => &[Memory],
        Opcode::Dot | Opcode::MatMul => &[Memory, Memory],
        Opcode::Fma => &[Either, Either, Either],
        Opcode::Select => &[Memory, Either, Either],
        Opcode::Add
        | Opcode::Sub
        | Opcode::Mul
        | Opcode::Div
        | Opcode::Rem
        | Opcode::Min
        | Opcode::Max
        | Opcode::And
        | Opcode::Or
        | Opcode::Xor
        | Opcode::Shl
        | Opcode::Shr
        | Opcode::Compare => &[Either, Either],
    }
}

/// Whether the operation has a meaning for elements of this type.
pub(super) fn takes(opcode: Opcode, element: ElementType) -> bool {
    match opcode {
        Opcode::Neg | Opcode::Abs => !integer::is_unsigned(element),
        Opcode::Sqrt => !integer::is_integer(element),
        Opcode::And | Opcode::Or | Opcode::Xor | Opcode::Not | Opcode::Shl | Opcode::Shr => {
            integer::is_integer(element)
        }
        _ => true,
    }
}

/// Whether the operation, from elements of type `from` to ones of type `to`, can be asked to saturate.
pub(super) fn may_saturate(opcode: Opcode, from: ElementType, to: ElementType) -> bool {
    let has_variant = matches!(
        opcode,
        Opcode::Add
            | Opcode::Sub
            | Opcode::Mul
            | Opcode::Div
            | Opcode::Fma
            | Opcode::Neg
            | Opcode::Abs
            | Opcode::Convert
            | Opcode::Sum
            | Opcode::Dot
            | Opcode::PrefixSum
            | Opcode::MatMul
    );
    has_variant && integer::is_integer(from) && integer::is_integer(to)
}

/// Whether the destination may be exactly the range of a source: each element is read before it is written, and not needed again.
pub(super) fn works_in_place(opcode: Opcode) -> bool {
    !matches!(
        opcode,
        Opcode::Sum | Opcode::Dot | Opcode::ArgMin | Opcode::ArgMax | Opcode::MatMul | Opcode::Transpose
    )
}

/// The types of a step.
#[derive(Clone, Copy)]
pub(super) struct Types {
    pub(super) element: ElementType,
    pub(super) from: ElementType,
}

/// Extents of destination, first, second and third source, unless one of them cannot be counted in 64 bits.
pub(super) fn extents(opcode: Opcode, types: Types, count: u64, detail: Detail) -> Option<[Extent; 4]> {
    let size = types.element.size();
    let plain = Extent::new(count, size)?;
    let bytes = Extent::new(count, 1)?;
    Some(match (opcode, detail) {
        (Opcode::Compare, _) => [bytes, plain, plain, plain],
        (Opcode::Select, _) => [plain, bytes, plain, plain],
        (Opcode::Convert, _) => [plain, Extent::new(count, types.from.size())?, plain, plain],
        (Opcode::Sum | Opcode::Dot, _) => [Extent::new(1, size)?, plain, plain, plain],
        (Opcode::ArgMin | Opcode::ArgMax, _) => [Extent::new(1, 8)?, plain, plain, plain],
        (_, Detail::MatMul(product)) => {
            let left = Extent::new(product.rows.checked_mul(product.inner)?, size)?;
            let right = Extent::new(product.inner.checked_mul(product.columns)?, size)?;
            [plain, left, right, plain]
        }
        _ => [plain; 4],
    })
}
