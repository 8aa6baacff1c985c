//! Known results of element-wise operations, from device and reference alike.

use half::{bf16, f16};
use hawser_abi::descriptor::DeviceStep;
use hawser_abi::op::{ElementType, Opcode, Predicate};

use crate::rig::{IMMEDIATE, NONE, step};
use crate::semantics::{Column, agreed, bytes_of, column, outcome, saturated, values_of};

use ElementType::{BF16, F16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};

pub const NAN_16: u64 = 0x7E00;
pub const NAN_32: u64 = 0x7FC0_0000;
pub const NAN_64: u64 = 0x7FF8_0000_0000_0000;

/// Bits of integers of a type.
pub fn ints(element: ElementType, values: &[i128]) -> Vec<u64> {
    let mask = u64::MAX >> (64 - 8 * element.size());
    values.iter().map(|value| *value as u64 & mask).collect()
}

/// Bits of floats of a type, which have the values exactly.
pub fn floats(element: ElementType, values: &[f64]) -> Vec<u64> {
    let bits = |value: f64| match element {
        F16 => u64::from(f16::from_f64(value).to_bits()),
        BF16 => u64::from(bf16::from_f64(value).to_bits()),
        F32 => u64::from((value as f32).to_bits()),
        _ => value.to_bits(),
    };
    values.iter().copied().map(bits).collect()
}

#[test]
fn integers_of_every_width_wrap_or_saturate() {
    let cases: [(Opcode, ElementType, [i128; 2], i128, i128); 20] = [
        (Opcode::Add, I8, [127, 1], -128, 127),
        (Opcode::Add, I8, [-128, -1], 127, -128),
        (Opcode::Add, U8, [255, 1], 0, 255),
        (Opcode::Add, U64, [u64::MAX as i128, 2], 1, u64::MAX as i128),
        (Opcode::Sub, U16, [0, 1], 65_535, 0),
        (Opcode::Sub, I16, [-32_768, 1], 32_767, -32_768),
        (
            Opcode::Sub,
            I64,
            [i64::MIN as i128, 1],
            i64::MAX as i128,
            i64::MIN as i128,
        ),
        (Opcode::Sub, I8, [100, 100], 0, 0),
        (Opcode::Mul, I8, [-128, -1], -128, 127),
        (Opcode::Mul, I8, [100, -100], -16, -128),
        (Opcode::Mul, U8, [16, 17], 16, 255),
        (Opcode::Mul, U32, [65_536, 65_537], 65_536, u32::MAX as i128),
        (Opcode::Mul, I64, [1 << 62, -4], 0, i64::MIN as i128),
        (Opcode::Mul, U64, [1 << 63, 3], 1 << 63, u64::MAX as i128),
        (Opcode::Div, I8, [-128, -1], -128, 127),
        (
            Opcode::Div,
            I64,
            [i64::MIN as i128, -1],
            i64::MIN as i128,
            i64::MAX as i128,
        ),
        (Opcode::Div, I16, [-7, 2], -3, -3),
        (Opcode::Div, U16, [65_535, 2], 32_767, 32_767),
        (Opcode::Div, U8, [200, 255], 0, 0),
        (
            Opcode::Div,
            U64,
            [u64::MAX as i128, 1],
            u64::MAX as i128,
            u64::MAX as i128,
        ),
    ];
    for (opcode, element, operands, wrapped, clamped) in cases {
        let sources = operands.map(|operand| ints(element, &[operand]));
        let name = format!("{} {} {operands:?}", opcode.name(), element.name());
        assert_eq!(column(opcode, element, &sources), ints(element, &[wrapped]), "{name}");
        assert_eq!(
            saturated(opcode, element, &sources),
            ints(element, &[clamped]),
            "saturated {name}"
        );
    }
}

#[test]
fn fused_integers_are_exact_before_they_wrap_or_saturate() {
    let cases: [(ElementType, [i128; 3], i128, i128); 6] = [
        // The product alone would saturate; the sum comes back into range.
        (I8, [64, 2, -1], 127, 127),
        (I8, [-128, -128, -128], -128, 127),
        (U8, [255, 255, 255], 0, 255),
        (I64, [i64::MIN as i128, -1, -1], i64::MAX as i128, i64::MAX as i128),
        (
            I64,
            [i64::MIN as i128, i64::MIN as i128, i64::MIN as i128],
            i64::MIN as i128,
            i64::MAX as i128,
        ),
        (
            U64,
            [u64::MAX as i128, u64::MAX as i128, u64::MAX as i128],
            0,
            u64::MAX as i128,
        ),
    ];
    for (element, operands, wrapped, clamped) in cases {
        let sources = operands.map(|operand| ints(element, &[operand]));
        let name = format!("{} {operands:?}", element.name());
        assert_eq!(
            column(Opcode::Fma, element, &sources),
            ints(element, &[wrapped]),
            "{name}"
        );
        assert_eq!(
            saturated(Opcode::Fma, element, &sources),
            ints(element, &[clamped]),
            "saturated {name}"
        );
    }
}

#[test]
fn remainders_have_the_sign_of_the_dividend() {
    let of = |element, a: &[i128], b: &[i128]| column(Opcode::Rem, element, &[ints(element, a), ints(element, b)]);
    assert_eq!(of(I32, &[7, -7, 7, -7], &[3, 3, -3, -3]), ints(I32, &[1, -1, 1, -1]));
    assert_eq!(of(I8, &[-128], &[-1]), [0]);
    assert_eq!(of(I64, &[i64::MIN.into()], &[-1]), [0]);
    assert_eq!(of(U8, &[255], &[16]), [15]);
    let inf = f64::INFINITY;
    let a = floats(F64, &[5.5, -5.5, 0.0, -0.0, 5.0, inf, 1.0, f64::NAN, 1e300]);
    let b = floats(F64, &[2.0, 2.0, 3.0, 3.0, inf, 3.0, 0.0, 1.0, 3.0]);
    let expected = [
        floats(F64, &[1.5, -1.5, 0.0, -0.0, 5.0]),
        vec![NAN_64; 3],
        floats(F64, &[1e300 % 3.0]),
    ]
    .concat();
    assert_eq!(column(Opcode::Rem, F64, &[a, b]), expected);
    let largest = floats(F16, &[65_504.0]);
    assert_eq!(
        column(Opcode::Rem, F16, &[largest, floats(F16, &[0.125 + 2.0])]),
        floats(F16, &[65_504.0 % 2.125])
    );
}

#[test]
fn signs_change_and_go() {
    for (opcode, wrapped, clamped) in [
        (Opcode::Neg, [0, -1, 128, -127], [0, -1, 127, -127]),
        (Opcode::Abs, [0, 1, 128, 127], [0, 1, 127, 127]),
    ] {
        let a = ints(I8, &[0, 1, -128, 127]);
        assert_eq!(column(opcode, I8, std::slice::from_ref(&a)), ints(I8, &wrapped));
        assert_eq!(saturated(opcode, I8, &[a]), ints(I8, &clamped));
    }
    assert_eq!(column(Opcode::Neg, I64, &[vec![1 << 63]]), [1 << 63]);
    assert_eq!(saturated(Opcode::Abs, I64, &[vec![1 << 63]]), [(1 << 63) - 1]);
    // A NaN has no sign to change.
    assert_eq!(
        column(Opcode::Neg, F32, &[vec![0, 0x8000_0000, 0xFFC0_0001]]),
        [0x8000_0000, 0, NAN_32]
    );
    assert_eq!(
        column(Opcode::Abs, F16, &[vec![0x8000, 0xFC00, 0xBC00, 0xFE01]]),
        [0, 0x7C00, 0x3C00, NAN_16]
    );
    assert_eq!(column(Opcode::Neg, BF16, &[vec![0x3F80, 0x7F81]]), [0xBF80, 0x7FC0]);
}

#[test]
fn square_roots_are_rounded_correctly() {
    let a = floats(F32, &[4.0, 2.0, -0.0, -1.0, f64::INFINITY, f64::NEG_INFINITY]);
    let expected = [
        floats(F32, &[2.0, std::f64::consts::SQRT_2, -0.0]),
        vec![NAN_32, 0x7F80_0000, NAN_32],
    ]
    .concat();
    assert_eq!(column(Opcode::Sqrt, F32, &[a]), expected);
    assert_eq!(
        column(Opcode::Sqrt, F16, &[vec![1]]),
        floats(F16, &[2.0_f64.powi(-12)]),
        "a subnormal"
    );
    assert_eq!(column(Opcode::Sqrt, BF16, &[vec![0x4000]]), [0x3FB5]);
    assert_eq!(
        column(Opcode::Sqrt, F64, &[floats(F64, &[2.0])]),
        floats(F64, &[std::f64::consts::SQRT_2])
    );
}

#[test]
fn bits_are_combined_and_shifted() {
    let (a, b) = (vec![0b1100], vec![0b1010]);
    let of = |opcode| column(opcode, U16, &[a.clone(), b.clone()]);
    assert_eq!(of(Opcode::And), [0b1000]);
    assert_eq!(of(Opcode::Or), [0b1110]);
    assert_eq!(of(Opcode::Xor), [0b0110]);
    assert_eq!(column(Opcode::Not, I8, &[vec![0, 0x0F]]), [0xFF, 0xF0]);
    // As many bits as there are, and more; a count has no sign, so that -1 is the most.
    let counts = ints(I8, &[0, 1, 7, 8, 127, -1]);
    let shift = |opcode, element, value| column(opcode, element, &[vec![value; 6], counts.clone()]);
    assert_eq!(shift(Opcode::Shl, I8, 0x81), [0x81, 0x02, 0x80, 0, 0, 0]);
    assert_eq!(shift(Opcode::Shr, I8, 0x81), ints(I8, &[-127, -64, -1, -1, -1, -1]));
    assert_eq!(shift(Opcode::Shr, I8, 0x41), [0x41, 0x20, 0, 0, 0, 0]);
    assert_eq!(shift(Opcode::Shr, U8, 0x81), [0x81, 0x40, 1, 0, 0, 0]);
    let wide = [vec![1 << 63; 4], vec![63, 64, 1 << 32, u64::MAX]];
    assert_eq!(column(Opcode::Shr, U64, &wide), [1, 0, 0, 0]);
    assert_eq!(column(Opcode::Shr, I64, &wide), [u64::MAX; 4]);
    assert_eq!(
        column(Opcode::Shl, I64, &[vec![1; 4], wide[1].clone()]),
        [1 << 63, 0, 0, 0]
    );
}

#[test]
fn comparisons_give_truth_values() {
    let of = |predicate: Predicate, element: ElementType, a: &[u64], b: &[u64]| {
        let compare = DeviceStep {
            aux: [predicate as u32, 0],
            ..step(Opcode::Compare, element, a.len() as u64, [NONE; 4])
        };
        outcome(compare, (U8, a.len()), &[(element, a.to_vec()), (element, b.to_vec())])
    };
    let a = floats(F32, &[1.0, 2.0, 3.0, -0.0, f64::NAN, f64::NAN]);
    let b = floats(F32, &[2.0, 2.0, 2.0, 0.0, 2.0, f64::NAN]);
    let expected = [
        (Predicate::Eq, [0, 1, 0, 1, 0, 0]),
        (Predicate::Ne, [1, 0, 1, 0, 1, 1]),
        (Predicate::Lt, [1, 0, 0, 0, 0, 0]),
        (Predicate::Le, [1, 1, 0, 1, 0, 0]),
        (Predicate::Gt, [0, 0, 1, 0, 0, 0]),
        (Predicate::Ge, [0, 1, 1, 1, 0, 0]),
    ];
    for (predicate, expected) in expected {
        assert_eq!(of(predicate, F32, &a, &b), expected, "{}", predicate.name());
    }
    assert_eq!(of(Predicate::Lt, I8, &[0xFF], &[1]), [1], "-1 < 1");
    assert_eq!(of(Predicate::Lt, U8, &[0xFF], &[1]), [0], "255 < 1");
    assert_eq!(of(Predicate::Gt, BF16, &[0x3F81], &[0x3F80]), [1]);
}

#[test]
fn selections_move_bits_by_any_nonzero_byte() {
    let signalling = 0x7F80_0001;
    let mask: Column = (U8, vec![0, 1, 0x80, 0, 255]);
    let select = step(Opcode::Select, F32, 5, [NONE; 4]);
    let sources = [
        mask.clone(),
        (F32, vec![signalling, 1, 2, 3, 4]),
        (F32, vec![5, 6, 7, signalling, 9]),
    ];
    assert_eq!(outcome(select, (F32, 5), &sources), [5, 1, 2, signalling, 4]);
    // With a constant, and in place of the other source.
    let select = DeviceStep {
        immediate: 77,
        ..step(Opcode::Select, U16, 3, [(0, 0), (0, 6), (0, 0), IMMEDIATE])
    };
    let data = [bytes_of(U16, &[1, 2, 3]), vec![1, 0, 2]].concat();
    assert_eq!(values_of(U16, &agreed("select", select, &data)[..6]), [1, 77, 3]);
}

#[test]
fn narrow_floats_round_once() {
    // 1 + 2^-11 is half-way between neighbours.
    let fma = |element, operands: [u64; 3]| column(Opcode::Fma, element, &operands.map(|operand| vec![operand]));
    let half_ulp = 0x1000;
    assert_eq!(floats(F16, &[2.0_f64.powi(-11)]), [half_ulp]);
    // (1 + 2^-10) * 2^-11 + 1 is above the middle by 2^-21.
    assert_eq!(fma(F16, [0x3C01, half_ulp, 0x3C00]), [0x3C01]);
    assert_eq!(fma(F16, [0x3C00, half_ulp, 0x3C00]), [0x3C00]);
    // Out of the range of the type, as product and as sum.
    assert_eq!(fma(F16, [0x7800, 0x7800, 0x0001]), [0x7C00]);
    // 7 * 37 is half-way between 258 and 260; what is far too small for f64 to add decides.
    let product = [floats(BF16, &[7.0])[0], floats(BF16, &[37.0])[0]];
    let below = floats(BF16, &[-(2.0_f64.powi(-100))])[0];
    assert_eq!(fma(BF16, [product[0], product[1], 0]), floats(BF16, &[260.0]));
    assert_eq!(fma(BF16, [product[0], product[1], below]), floats(BF16, &[258.0]));
    // A product of bf16 below the subnormals of f32, just above half of the least bf16.
    let tiny = [
        floats(BF16, &[2.0_f64.powi(-67)])[0] | 1,
        floats(BF16, &[2.0_f64.powi(-67)])[0],
    ];
    assert_eq!(column(Opcode::Mul, BF16, &tiny.map(|bits| vec![bits])), [1]);
    let even = [tiny[1], tiny[1]];
    assert_eq!(
        column(Opcode::Mul, BF16, &even.map(|bits| vec![bits])),
        [0],
        "half-way, to even"
    );
    assert_eq!(
        column(Opcode::Add, F16, &[vec![0x7BFF], vec![0x4C00]]),
        [0x7C00],
        "65504 + 16"
    );
    assert_eq!(
        column(Opcode::Add, F16, &[vec![0x7BFF], vec![0x4BFF]]),
        [0x7BFF],
        "65504 + 15.99"
    );
}
