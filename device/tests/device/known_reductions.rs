//! Known results of reductions, running sums and operations on matrices, from device and reference alike.

use hawser_abi::descriptor::DeviceStep;
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::step_flags;

use crate::known::{floats, ints};
use crate::rig::{NONE, step};
use crate::semantics::outcome;

use ElementType::{BF16, F16, F32, F64, I8, I16, I32, U8, U16, U64};

/// A reduction to one element.
fn reduce(opcode: Opcode, element: ElementType, flags: u8, sources: &[Vec<u64>]) -> u64 {
    let reduce = DeviceStep {
        flags,
        ..step(opcode, element, sources[0].len() as u64, [NONE; 4])
    };
    let result = match opcode {
        Opcode::ArgMin | Opcode::ArgMax => U64,
        _ => element,
    };
    let columns: Vec<_> = sources.iter().map(|source| (element, source.clone())).collect();
    outcome(reduce, (result, 1), &columns)[0]
}

const SATURATE: u8 = step_flags::SATURATE;

#[test]
fn integer_sums_wrap_at_the_end_or_saturate_on_the_way() {
    let values = ints(I8, &[100, 100, -100, -100]);
    assert_eq!(reduce(Opcode::Sum, I8, 0, std::slice::from_ref(&values)), 0);
    // 100, then 127, 27, -73.
    assert_eq!(reduce(Opcode::Sum, I8, SATURATE, &[values]), ints(I8, &[-73])[0]);
    assert_eq!(reduce(Opcode::Sum, U16, SATURATE, &[vec![60_000, 6_000]]), 65_535);
    let factors = [ints(I8, &[100, -1]), ints(I8, &[100, 100])];
    assert_eq!(reduce(Opcode::Dot, I8, 0, &factors), ints(I8, &[10_000 - 100])[0]);
    assert_eq!(reduce(Opcode::Dot, I8, SATURATE, &factors), 27, "127 - 100");
    // Each product is exact before it is added: -128 + 128 * 1.
    let factors = [ints(I8, &[-128, -128]), ints(I8, &[1, -1])];
    assert_eq!(reduce(Opcode::Dot, I8, SATURATE, &factors), 0);
}

#[test]
fn narrow_sums_are_rounded_at_the_end() {
    // In f16, 2048 + 1 + 1 would stay 2048.
    let values = floats(F16, &[2048.0, 1.0, 1.0]);
    assert_eq!(
        reduce(Opcode::Sum, F16, 0, std::slice::from_ref(&values)),
        floats(F16, &[2050.0])[0]
    );
    let ones = floats(F16, &[1.0, 1.0, 1.0]);
    assert_eq!(reduce(Opcode::Dot, F16, 0, &[values, ones]), floats(F16, &[2050.0])[0]);
    // Beyond the range of f16 on the way, and back.
    let values = floats(F16, &[65_504.0, 65_504.0, -65_504.0]);
    assert_eq!(reduce(Opcode::Sum, F16, 0, &[values]), 0x7BFF);
    // In f32, 2^24 + 1 stays what it is: the order of additions is kept.
    let values = floats(BF16, &[16_777_216.0, 1.0, 1.0]);
    assert_eq!(
        reduce(Opcode::Sum, BF16, 0, &[values]),
        floats(BF16, &[16_777_216.0])[0]
    );
}

#[test]
fn sums_begin_with_the_first_element_and_dots_with_zero() {
    let zeros = floats(F32, &[-0.0, -0.0]);
    let ones = floats(F32, &[1.0, 1.0]);
    assert_eq!(reduce(Opcode::Sum, F32, 0, std::slice::from_ref(&zeros)), 0x8000_0000);
    assert_eq!(reduce(Opcode::Dot, F32, 0, &[zeros, ones]), 0);
    assert_eq!(reduce(Opcode::Sum, BF16, 0, &[vec![0xFF81]]), 0x7FC0, "one NaN");
}

#[test]
fn dots_are_fused() {
    let x = 1.0 + f64::from(f32::EPSILON);
    let sources = [
        floats(F32, &[-1.0, x]),
        floats(F32, &[1.0 + 2.0 * f64::from(f32::EPSILON), x]),
    ];
    let expected = floats(F32, &[f64::from(f32::EPSILON).powi(2)])[0];
    assert_eq!(reduce(Opcode::Dot, F32, 0, &sources), expected);
}

#[test]
fn the_first_extreme_wins_and_a_nan_before_all() {
    let of = |opcode, element, values: Vec<u64>| reduce(opcode, element, 0, &[values]);
    let values = ints(I16, &[3, -5, 7, -5, 7]);
    assert_eq!(of(Opcode::ArgMin, I16, values.clone()), 1);
    assert_eq!(of(Opcode::ArgMax, I16, values), 2);
    assert_eq!(of(Opcode::ArgMax, U8, vec![1, 0xFF, 0x7F]), 1);
    let zeros = floats(F64, &[0.0, -0.0, 0.0]);
    assert_eq!(of(Opcode::ArgMin, F64, zeros.clone()), 0, "zeros are equal");
    assert_eq!(of(Opcode::ArgMax, F64, zeros), 0);
    let with_nan = [
        floats(F16, &[1.0, f64::NEG_INFINITY]),
        vec![0x7C01, 0xFE00],
        floats(F16, &[-2.0]),
    ]
    .concat();
    assert_eq!(of(Opcode::ArgMin, F16, with_nan.clone()), 2, "the first NaN");
    assert_eq!(of(Opcode::ArgMax, F16, with_nan), 2);
    // Across chunks: the last element of many, and a NaN before it.
    let mut many = vec![floats(F32, &[1.0])[0]; 40_000];
    many[39_999] = floats(F32, &[2.0])[0];
    assert_eq!(of(Opcode::ArgMax, F32, many.clone()), 39_999);
    assert_eq!(of(Opcode::ArgMin, F32, many.clone()), 0);
    many[20_000] = 0x7FC0_0000;
    assert_eq!(of(Opcode::ArgMax, F32, many), 20_000);
}

/// A running sum.
fn prefix(element: ElementType, flags: u8, values: Vec<u64>) -> Vec<u64> {
    let count = values.len();
    let prefix = DeviceStep {
        flags,
        ..step(Opcode::PrefixSum, element, count as u64, [NONE; 4])
    };
    outcome(prefix, (element, count), &[(element, values)])
}

#[test]
fn running_sums_are_rounded_for_storing_only() {
    assert_eq!(prefix(I8, 0, ints(I8, &[100, 100, 100])), ints(I8, &[100, -56, 44]));
    assert_eq!(
        prefix(I8, SATURATE, ints(I8, &[100, 100, -1])),
        ints(I8, &[100, 127, 126])
    );
    let values = floats(F16, &[2048.0, 1.0, 1.0, 1.0]);
    assert_eq!(prefix(F16, 0, values), floats(F16, &[2048.0, 2048.0, 2050.0, 2052.0]));
    assert_eq!(
        prefix(F32, 0, vec![0x8000_0000, 0x7F80_0001, 0]),
        [0x8000_0000, 0x7FC0_0000, 0x7FC0_0000]
    );
    let sums = prefix(I32, 0, vec![1; 40_000]);
    assert!(
        sums.iter().zip(1..).all(|(sum, expected)| *sum == expected),
        "across chunks"
    );
}

/// A matrix product.
fn multiply(element: ElementType, flags: u8, [rows, inner, columns]: [u32; 3], sources: [Vec<u64>; 2]) -> Vec<u64> {
    let count = (rows * columns) as usize;
    let product = DeviceStep {
        aux: [rows, inner],
        flags,
        ..step(Opcode::MatMul, element, count as u64, [NONE; 4])
    };
    outcome(product, (element, count), &sources.map(|source| (element, source)))
}

#[test]
fn products_are_rows_by_columns() {
    let left = ints(I32, &[1, 2, 3, 4, 5, 6]);
    let right = ints(I32, &[7, 8, 9, 10, 11, 12]);
    let product = multiply(I32, 0, [2, 3, 2], [left, right]);
    assert_eq!(product, ints(I32, &[58, 64, 139, 154]));
    let saturated = multiply(U8, SATURATE, [1, 2, 2], [vec![20, 1], vec![20, 1, 3, 4]]);
    assert_eq!(saturated, [255, 24]);
    let narrow = multiply(
        F16,
        0,
        [1, 3, 1],
        [floats(F16, &[2048.0, 1.0, 1.0]), floats(F16, &[1.0; 3])],
    );
    assert_eq!(narrow, floats(F16, &[2050.0]), "totals are f32");
}

#[test]
fn products_of_many_tiles_are_complete() {
    for shape in [[70, 65, 66], [1, 5_000, 3], [130, 1, 70], [3, 2, 5_000], [100, 200, 1]] {
        let [rows, inner, columns] = shape;
        let left: Vec<u64> = (0..u64::from(rows * inner)).map(|index| index % 7).collect();
        let right: Vec<u64> = (0..u64::from(inner * columns)).map(|index| index % 5).collect();
        let product = multiply(I32, 0, shape, [left.clone(), right.clone()]);
        let (inner, columns) = (inner as usize, columns as usize);
        for (at, found) in product.iter().enumerate() {
            let (row, column) = (at / columns, at % columns);
            let expected: u64 = (0..inner)
                .map(|k| left[row * inner + k] * right[k * columns + column])
                .sum();
            assert_eq!(*found, expected, "{shape:?}: row {row}, column {column}");
        }
    }
}

#[test]
fn transpositions_exchange_rows_and_columns() {
    for element in ElementType::ALL {
        for (rows, columns) in [(2, 3), (1, 5), (5, 1), (70, 65), (5_000, 2), (3, 4_097)] {
            let count = rows * columns;
            let mask = u64::MAX >> (64 - 8 * element.size());
            let values: Vec<u64> = (0..count)
                .map(|index: u64| index.wrapping_mul(0x9E37_79B9_7F4A_7C15) & mask)
                .collect();
            let transpose = DeviceStep {
                aux: [rows as u32, 0],
                ..step(Opcode::Transpose, element, count, [NONE; 4])
            };
            let moved = outcome(transpose, (element, count as usize), &[(element, values.clone())]);
            let expected = |at: u64| values[(at % rows * columns + at / rows) as usize];
            assert!(
                (0..count).all(|at| moved[at as usize] == expected(at)),
                "{rows} x {columns} {}",
                element.name()
            );
        }
    }
}
