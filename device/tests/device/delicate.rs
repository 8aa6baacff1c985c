//! Every operation and type on the values where arithmetic is delicate, each with each: device against reference.

use hawser_abi::descriptor::DeviceStep;
use hawser_abi::op::{ElementType, Opcode, Predicate};
use hawser_abi::program::step_flags;
use hawser_abi::rules::rule;

use crate::rig::{NONE, step};
use crate::semantics::{column, outcome, saturated};

const BINARY: [Opcode; 12] = [
    Opcode::Add,
    Opcode::Sub,
    Opcode::Mul,
    Opcode::Div,
    Opcode::Rem,
    Opcode::Min,
    Opcode::Max,
    Opcode::And,
    Opcode::Or,
    Opcode::Xor,
    Opcode::Shl,
    Opcode::Shr,
];
const UNARY: [Opcode; 4] = [Opcode::Neg, Opcode::Abs, Opcode::Sqrt, Opcode::Not];

fn takes(opcode: Opcode, element: ElementType) -> bool {
    rule(opcode).types & element.bit() != 0
}

fn may_saturate(opcode: Opcode, element: ElementType) -> bool {
    rule(opcode).flags(element) & step_flags::SATURATE != 0
}

/// Bits of values of a type on which its operations are delicate.
fn special_bits(element: ElementType) -> Vec<u64> {
    let bits = 8 * element.size();
    let mask = u64::MAX >> (64 - bits);
    let magnitudes: Vec<u64> = match element {
        // Zero, subnormals, the least normal, around 1, 1.5, 2 and 3, the largest exact integers, the largest, infinity.
        ElementType::F16 => vec![
            0, 1, 2, 0x3FF, 0x400, 0x3BFF, 0x3C00, 0x3C01, 0x3E00, 0x4000, 0x4200, 0x2E66, 0x6400, 0x6801, 0x7BFE,
            0x7BFF, 0x7C00, 0x7C01, 0x7E00, 0x7FFF,
        ],
        ElementType::BF16 => vec![
            0, 1, 2, 0x7F, 0x80, 0x3F7F, 0x3F80, 0x3F81, 0x3FC0, 0x4000, 0x4040, 0x3DCD, 0x4380, 0x1F80, 0x2000,
            0x7F7E, 0x7F7F, 0x7F80, 0x7F81, 0x7FC0,
        ],
        ElementType::F32 => vec![
            0,
            1,
            0x7F_FFFF,
            0x80_0000,
            0x3400_0000,
            0x3F7F_FFFF,
            0x3F80_0000,
            0x3F80_0001,
            0x3FC0_0000,
            0x4040_0000,
            0x3DCC_CCCD,
            0x4B80_0001,
            0x4F00_0000,
            0x5F00_0000,
            0x7F7F_FFFF,
            0x7F80_0000,
            0x7F80_0001,
            0x7FC0_0000,
        ],
        ElementType::F64 => vec![
            0,
            1,
            0x000F_FFFF_FFFF_FFFF,
            0x0010_0000_0000_0000,
            0x3CB0_0000_0000_0000,
            0x3FEF_FFFF_FFFF_FFFF,
            0x3FF0_0000_0000_0000,
            0x3FF0_0000_0000_0001,
            0x3FF8_0000_0000_0000,
            0x4008_0000_0000_0000,
            0x3FB9_9999_9999_999A,
            // 65520 and 65519.999...: where f16 begins to be infinite.
            0x40EF_FE00_0000_0000,
            0x40EF_FDFF_FFFF_FFFF,
            // Half-way between neighbours of bf16 and of f16, and a little more.
            0x3FF0_1000_0000_0000,
            0x3FF0_1000_0000_0001,
            0x3FF0_0200_0000_0000,
            0x3FF0_0200_0000_0001,
            // The same among subnormals of bf16.
            0x3790_0000_0000_0001,
            0x43E0_0000_0000_0000,
            0x7FEF_FFFF_FFFF_FFFF,
            0x7FF0_0000_0000_0000,
            0x7FF0_0000_0000_0001,
            0x7FF8_0000_0000_0000,
        ],
        _ => vec![
            0,
            1,
            2,
            3,
            7,
            bits - 1,
            bits,
            bits + 1,
            100,
            mask >> 1,
            (mask >> 1) - 1,
            0x55,
            0x5555_5555_5555_5555,
        ],
    };
    magnitudes
        .iter()
        .flat_map(|value| {
            let other = if element.is_float() {
                value | 1 << (bits - 1)
            } else {
                !value
            };
            [value & mask, other & mask]
        })
        .collect()
}

fn pairs(values: &[u64]) -> [Vec<u64>; 2] {
    let both = values.iter().flat_map(|a| values.iter().map(move |b| (*a, *b)));
    let (a, b) = both.unzip();
    [a, b]
}

#[test]
fn delicate_pairs_agree_in_every_binary_operation() {
    for element in ElementType::ALL {
        for opcode in BINARY.into_iter().filter(|opcode| takes(*opcode, element)) {
            let [mut a, mut b] = pairs(&special_bits(element));
            if matches!(opcode, Opcode::Div | Opcode::Rem) && !element.is_float() {
                let kept: Vec<usize> = (0..b.len()).filter(|index| b[*index] != 0).collect();
                a = kept.iter().map(|index| a[*index]).collect();
                b = kept.iter().map(|index| b[*index]).collect();
            }
            column(opcode, element, &[a.clone(), b.clone()]);
            if may_saturate(opcode, element) {
                saturated(opcode, element, &[a, b]);
            }
        }
    }
}

#[test]
fn delicate_values_agree_in_every_unary_operation() {
    for element in ElementType::ALL {
        for opcode in UNARY.into_iter().filter(|opcode| takes(*opcode, element)) {
            column(opcode, element, &[special_bits(element)]);
            if may_saturate(opcode, element) {
                saturated(opcode, element, &[special_bits(element)]);
            }
        }
    }
}

#[test]
fn delicate_triples_agree_in_fma() {
    for element in ElementType::ALL {
        let values = special_bits(element);
        let [a, b] = pairs(&values);
        for c in values {
            let sources = [a.clone(), b.clone(), vec![c; a.len()]];
            column(Opcode::Fma, element, &sources);
            if may_saturate(Opcode::Fma, element) {
                saturated(Opcode::Fma, element, &sources);
            }
        }
    }
}

#[test]
fn delicate_pairs_agree_in_every_comparison() {
    for element in ElementType::ALL {
        let [a, b] = pairs(&special_bits(element));
        for predicate in Predicate::ALL {
            let compare = DeviceStep {
                aux: [predicate as u32, 0],
                ..step(Opcode::Compare, element, a.len() as u64, [NONE; 4])
            };
            let results = outcome(
                compare,
                (ElementType::U8, a.len()),
                &[(element, a.clone()), (element, b.clone())],
            );
            assert!(results.iter().all(|result| *result < 2));
        }
    }
}

/// A conversion of all values of a column.
fn convert(from: ElementType, to: ElementType, flags: u8, values: &[u64]) -> Vec<u64> {
    let convert = DeviceStep {
        aux_type: from as u8,
        flags,
        ..step(Opcode::Convert, to, values.len() as u64, [NONE; 4])
    };
    outcome(convert, (to, values.len()), &[(from, values.to_vec())])
}

#[test]
fn delicate_values_agree_in_every_conversion() {
    for from in ElementType::ALL {
        for to in ElementType::ALL {
            convert(from, to, 0, &special_bits(from));
            if !from.is_float() && !to.is_float() {
                convert(from, to, step_flags::SATURATE, &special_bits(from));
            }
        }
    }
}

#[test]
fn every_value_of_16_bits_agrees() {
    let all: Vec<u64> = (0..=0xFFFF).collect();
    for element in [ElementType::F16, ElementType::BF16] {
        for opcode in [Opcode::Neg, Opcode::Abs, Opcode::Sqrt] {
            column(opcode, element, std::slice::from_ref(&all));
        }
        for other in ElementType::ALL {
            convert(element, other, 0, &all);
        }
        // What is between two values, and a little on either side of the middle.
        let singles: Vec<u64> = (0..=0xFFFF_u64)
            .flat_map(|upper| [0x7FFF, 0x8000, 0x8001].map(|lower| upper << 16 | lower))
            .collect();
        convert(ElementType::F32, element, 0, &singles);
        let integers: Vec<u64> = (0..=0xFFFF_u64).map(|value| value * 3 + 1).collect();
        convert(ElementType::U32, element, 0, &integers);
    }
}

#[test]
fn pairs_of_16_bits_agree_wherever_they_are() {
    const SEED: u64 = 16;
    println!("seed {SEED}");
    let mut dice = fastrand::Rng::with_seed(SEED);
    let mut values = || {
        std::iter::repeat_with(|| dice.u64(..=0xFFFF))
            .take(60_000)
            .collect::<Vec<u64>>()
    };
    for element in [ElementType::F16, ElementType::BF16] {
        for opcode in [Opcode::Add, Opcode::Sub, Opcode::Mul, Opcode::Div, Opcode::Rem] {
            column(opcode, element, &[values(), values()]);
        }
        column(Opcode::Fma, element, &[values(), values(), values()]);
    }
}
