//! Flags, source types, predicates and matrix dimensions that the device does not take.

use hawser_abi::descriptor::{DeviceStep, IN_IMMEDIATE};
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::step_flags;
use hawser_abi::queue::{CompletionStatus, NO_OPERAND};

use crate::fence::run_steps;
use crate::rig::{IMMEDIATE, NONE, step};

#[test]
fn malformed_auxiliary_fields_are_refused() {
    use CompletionStatus::{BadDescriptor, OutOfBounds, Success, Unsupported};
    let with = |good: DeviceStep, change: &dyn Fn(&mut DeviceStep)| {
        let mut step = good;
        change(&mut step);
        step
    };
    let compare = step(Opcode::Compare, ElementType::F32, 8, [(1, 0), (0, 0), IMMEDIATE, NONE]);
    let convert = DeviceStep {
        aux_type: ElementType::U8 as u8,
        ..step(Opcode::Convert, ElementType::F64, 8, [(1, 0), (0, 0), NONE, NONE])
    };
    let product = DeviceStep {
        aux: [2, 3],
        ..step(Opcode::MatMul, ElementType::F32, 8, [(1, 0), (0, 0), (0, 0), NONE])
    };
    let transpose = DeviceStep {
        aux: [2, 0],
        ..step(Opcode::Transpose, ElementType::U16, 8, [(1, 0), (0, 0), NONE, NONE])
    };
    let cases: Vec<(&str, DeviceStep, CompletionStatus, u8)> = vec![
        ("compare", compare, Success, NO_OPERAND),
        ("convert", convert, Success, NO_OPERAND),
        ("product", product, Success, NO_OPERAND),
        ("transpose", transpose, Success, NO_OPERAND),
        (
            "predicate 6",
            with(compare, &|s| s.aux[0] = 6),
            BadDescriptor,
            NO_OPERAND,
        ),
        (
            "second number of a comparison",
            with(compare, &|s| s.aux[1] = 1),
            BadDescriptor,
            NO_OPERAND,
        ),
        (
            "source type of a comparison",
            with(compare, &|s| s.aux_type = 1),
            BadDescriptor,
            NO_OPERAND,
        ),
        (
            "convert from nothing",
            with(convert, &|s| s.aux_type = 0),
            Unsupported,
            NO_OPERAND,
        ),
        (
            "convert from type 13",
            with(convert, &|s| s.aux_type = 13),
            Unsupported,
            NO_OPERAND,
        ),
        (
            "saturating to float",
            with(convert, &|s| s.flags = step_flags::SATURATE),
            Unsupported,
            NO_OPERAND,
        ),
        (
            "number of a conversion",
            with(convert, &|s| s.aux[0] = 1),
            BadDescriptor,
            NO_OPERAND,
        ),
        (
            "immediate source",
            with(convert, &|s| s.where_[1] = IN_IMMEDIATE),
            BadDescriptor,
            1,
        ),
        ("no rows", with(product, &|s| s.aux[0] = 0), BadDescriptor, NO_OPERAND),
        (
            "no columns",
            with(product, &|s| s.aux[1] = 0),
            BadDescriptor,
            NO_OPERAND,
        ),
        (
            "ragged product",
            with(product, &|s| s.aux[0] = 3),
            BadDescriptor,
            NO_OPERAND,
        ),
        ("huge product", with(product, &|s| s.aux[1] = u32::MAX), OutOfBounds, 1),
        (
            "product beyond 64 bits",
            with(product, &|s| (s.count, s.aux) = (1 << 61, [1 << 31, u32::MAX])),
            OutOfBounds,
            0,
        ),
        (
            "source type of a product",
            with(product, &|s| s.aux_type = 11),
            BadDescriptor,
            NO_OPERAND,
        ),
        (
            "no rows to transpose",
            with(transpose, &|s| s.aux[0] = 0),
            BadDescriptor,
            NO_OPERAND,
        ),
        (
            "ragged transposition",
            with(transpose, &|s| s.aux[0] = 3),
            BadDescriptor,
            NO_OPERAND,
        ),
        (
            "columns of a transposition",
            with(transpose, &|s| s.aux[1] = 4),
            BadDescriptor,
            NO_OPERAND,
        ),
    ];
    for (name, step, expected, operand) in cases {
        let (end, ..) = run_steps(vec![step]);
        assert_eq!((end.0, end.2), (expected, operand), "{name}");
    }
}
