//! Known results of conversions, from device and reference alike.

use hawser_abi::descriptor::DeviceStep;
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::step_flags;

use crate::known::{NAN_16, NAN_32, NAN_64, floats, ints};
use crate::rig::{NONE, step};
use crate::semantics::outcome;

use ElementType::{BF16, F16, F32, F64, I8, I16, I32, I64, U8, U32, U64};

/// A conversion of values.
fn convert(from: ElementType, to: ElementType, flags: u8, values: Vec<u64>) -> Vec<u64> {
    let convert = DeviceStep {
        aux_type: from as u8,
        flags,
        ..step(Opcode::Convert, to, values.len() as u64, [NONE; 4])
    };
    outcome(convert, (to, values.len()), &[(from, values)])
}

#[test]
fn integers_convert_by_their_low_bits_or_to_the_nearest() {
    let values = ints(I32, &[-1, 300, -300, 127, -128]);
    assert_eq!(convert(I32, I8, 0, values.clone()), ints(I8, &[-1, 44, -44, 127, -128]));
    let saturate = step_flags::SATURATE;
    assert_eq!(
        convert(I32, I8, saturate, values.clone()),
        ints(I8, &[-1, 127, -128, 127, -128])
    );
    assert_eq!(
        convert(I32, U64, 0, values.clone()),
        ints(U64, &[-1, 300, -300, 127, -128]),
        "the sign is extended"
    );
    assert_eq!(convert(I32, U64, saturate, values), [0, 300, 0, 127, 0]);
    assert_eq!(convert(U64, I64, saturate, vec![u64::MAX]), [i64::MAX as u64]);
    assert_eq!(convert(U8, I8, 0, vec![200]), ints(I8, &[-56]));
}

#[test]
fn integers_convert_to_the_nearest_float() {
    assert_eq!(
        convert(I32, F32, 0, vec![16_777_217, 16_777_219]),
        floats(F32, &[16_777_216.0, 16_777_220.0])
    );
    assert_eq!(
        convert(U64, F64, 0, vec![u64::MAX]),
        floats(F64, &[18_446_744_073_709_551_616.0])
    );
    let f16_edge = convert(U32, F16, 0, vec![2049, 2051, 65_519, 65_520]);
    assert_eq!(
        f16_edge,
        [floats(F16, &[2048.0, 2052.0, 65_504.0]), vec![0x7C00]].concat()
    );
    assert_eq!(convert(I32, F16, 0, ints(I32, &[-70_000])), [0xFC00]);
    // A little more than half-way, by a bit that f64 cannot keep.
    let above_half = (1 << 63) + (1 << 55) + 1;
    assert_eq!(convert(U64, BF16, 0, vec![above_half]), [0x5F01]);
    assert_eq!(convert(U64, BF16, 0, vec![above_half - 1]), [0x5F00]);
}

#[test]
fn floats_convert_towards_zero_and_always_to_the_nearest() {
    let values = floats(
        F64,
        &[
            1.9,
            -1.9,
            300.0,
            -300.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            -0.5,
        ],
    );
    assert_eq!(
        convert(F64, I8, 0, values.clone()),
        ints(I8, &[1, -1, 127, -128, 0, 127, -128, 0])
    );
    assert_eq!(convert(F64, U8, 0, values.clone()), [1, 0, 255, 0, 0, 255, 0, 0]);
    assert_eq!(convert(F64, U64, 0, values)[5], u64::MAX);
    assert_eq!(
        convert(F16, I16, 0, vec![0x7BFF, 0xFBFF]),
        ints(I16, &[32_767, -32_768])
    );
    assert_eq!(convert(F32, I64, 0, floats(F32, &[1e19])), [i64::MAX as u64]);
}

#[test]
fn floats_convert_to_floats_with_one_rounding() {
    // Just above half-way between two values of f16; the middle itself in f32.
    let above = 0x3FF0_0200_0000_0001;
    assert_eq!(convert(F64, F16, 0, vec![above, above - 1]), [0x3C01, 0x3C00]);
    assert_eq!(
        convert(F64, BF16, 0, vec![0x3FF0_1000_0000_0001, 0x3FF0_1000_0000_0000]),
        [0x3F81, 0x3F80]
    );
    assert_eq!(
        convert(F64, F16, 0, floats(F64, &[65_519.999, 65_520.0, 1e300])),
        [0x7BFF, 0x7C00, 0x7C00]
    );
    assert_eq!(convert(F32, F16, 0, vec![0xFFC0_1234, 0x8000_0000]), [NAN_16, 0x8000]);
    assert_eq!(
        convert(F16, F64, 0, vec![0x7C01, 1]),
        [NAN_64, 2.0_f64.powi(-24).to_bits()]
    );
    assert_eq!(
        convert(F32, F32, 0, vec![0x7F80_0001]),
        [NAN_32],
        "a conversion to the same type is one too"
    );
    assert_eq!(convert(BF16, F16, 0, vec![0x3F81, 0x4780]), [0x3C08, 0x7C00]);
}
