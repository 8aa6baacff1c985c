//! Arithmetic of the basic operations, device against reference and both against known results; and the means for others to do so.

use hawser_abi::descriptor::{DeviceStep, NOWHERE};
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{MAGIC, Space, Step, SubmitHeader, VERSION, step_flags};
use hawser_abi::queue::CompletionStatus;
use hawser_device::reference::{self, ReferenceFault};
use zerocopy::IntoBytes;

use crate::rig::{Command, IMMEDIATE, NONE, Rig, fill, scratch, segment, status_of, step};

/// A program of one step on data.
pub fn program(steps: &[Step], scratch_size: u64, data_size: usize) -> Vec<u8> {
    let header = SubmitHeader {
        magic: MAGIC,
        version: VERSION,
        header_size: 64,
        total_size: 64 + 64 * steps.len() as u32,
        step_size: 64,
        reserved0: 0,
        step_count: steps.len() as u32,
        flags: 0,
        cookie: 1,
        scratch_size,
        data_size: data_size as u64,
        timeout_ms: 0,
        reserved1: [0; 12],
    };
    [header.as_bytes(), steps.as_bytes()].concat()
}

/// The step as a user writes it: binding 0 is the data buffer.
fn as_submitted(step: &DeviceStep) -> Step {
    Step {
        opcode: step.opcode,
        element_type: step.element_type,
        aux_type: step.aux_type,
        flags: step.flags,
        spaces: step.where_.map(|place| match place {
            NOWHERE => Space::None as u8,
            hawser_abi::descriptor::IN_IMMEDIATE => Space::Immediate as u8,
            hawser_abi::descriptor::IN_SCRATCH => Space::Scratch as u8,
            _ => Space::Data as u8,
        }),
        count: step.count,
        offsets: step.offsets,
        immediate: step.immediate,
        aux: step.aux,
    }
}

fn on_device(steps: Vec<DeviceStep>, data: &[u8]) -> (CompletionStatus, Vec<u8>) {
    let mut rig = Rig::running();
    let at = rig.put(data, 64);
    let entry = rig.run(&Command::on(vec![segment(at, data.len() as u64)], steps));
    (status_of(&entry), rig.bus.at(at, data.len()).to_vec())
}

fn by_reference(steps: &[DeviceStep], data: &[u8]) -> (Result<(), ReferenceFault>, Vec<u8>) {
    let steps: Vec<Step> = steps.iter().map(as_submitted).collect();
    let mut data = data.to_vec();
    let result = reference::run(&program(&steps, 0, data.len()), &mut data);
    (result, data)
}

/// Runs a step on both and returns the data that both agree on.
pub fn agreed(name: &str, step: DeviceStep, data: &[u8]) -> Vec<u8> {
    let (status, device) = on_device(vec![step], data);
    let (result, reference) = by_reference(&[step], data);
    assert_eq!((status, result), (CompletionStatus::Success, Ok(())), "{name}");
    assert_eq!(device, reference, "{name}");
    device
}

pub fn bytes_of(element: ElementType, values: &[u64]) -> Vec<u8> {
    let size = element.size() as usize;
    values
        .iter()
        .flat_map(|value| value.to_le_bytes()[..size].to_vec())
        .collect()
}

pub fn values_of(element: ElementType, bytes: &[u8]) -> Vec<u64> {
    let widen = |chunk: &[u8]| {
        let mut value = [0; 8];
        value[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(value)
    };
    bytes.chunks(element.size() as usize).map(widen).collect()
}

/// Elements of one type.
pub type Column = (ElementType, Vec<u64>);

/// Runs a step, whose operands are put where there is room, on columns of values; returns the `count` elements that it writes.
pub fn outcome(step: DeviceStep, (element, count): (ElementType, usize), sources: &[Column]) -> Vec<u64> {
    let mut step = step;
    let bytes = count * element.size() as usize;
    let mut data = vec![0; bytes.next_multiple_of(8)];
    step.where_ = [0, NOWHERE, NOWHERE, NOWHERE];
    for (position, (element, values)) in (1..).zip(sources) {
        (step.where_[position], step.offsets[position]) = (0, data.len() as u64);
        data.extend(bytes_of(*element, values));
        data.resize(data.len().next_multiple_of(8), 0);
    }
    let name = format!("{step:?}");
    values_of(element, &agreed(&name, step, &data)[..bytes])
}

/// Runs an element-wise operation on columns of values of its type and returns the results.
pub fn column(opcode: Opcode, element: ElementType, sources: &[Vec<u64>]) -> Vec<u64> {
    let count = sources[0].len();
    let sources: Vec<Column> = sources.iter().map(|source| (element, source.clone())).collect();
    let step = step(opcode, element, count as u64, [NONE; 4]);
    outcome(step, (element, count), &sources)
}

/// The same with results that saturate.
pub fn saturated(opcode: Opcode, element: ElementType, sources: &[Vec<u64>]) -> Vec<u64> {
    let count = sources[0].len();
    let sources: Vec<Column> = sources.iter().map(|source| (element, source.clone())).collect();
    let step = DeviceStep {
        flags: step_flags::SATURATE,
        ..step(opcode, element, count as u64, [NONE; 4])
    };
    outcome(step, (element, count), &sources)
}

#[test]
fn copy_and_fill_move_elements_of_every_type() {
    for element in ElementType::ALL {
        let size = element.size();
        let data: Vec<u8> = (0..10 * size).map(|index| index as u8 + 1).collect();
        let copied = agreed(
            "copy",
            step(Opcode::Copy, element, 4, [(0, 5 * size), (0, 0), NONE, NONE]),
            &data,
        );
        assert_eq!(
            copied[5 * size as usize..9 * size as usize],
            data[..4 * size as usize],
            "{}",
            element.name()
        );
        let bits = 0x8182_8384_8586_8788 >> (64 - 8 * size);
        let filled = agreed("fill", fill(element, size, 3, bits), &data);
        assert_eq!(values_of(element, &filled)[1..4], [bits; 3], "{}", element.name());
    }
}

#[test]
fn integers_wrap_and_divide_as_documented() {
    let i32s = |values: &[i32]| values.iter().map(|value| u64::from(*value as u32)).collect::<Vec<_>>();
    let (a, b) = (i32s(&[i32::MAX, i32::MIN, -7, 7, i32::MIN]), i32s(&[1, 1, 2, -2, -1]));
    let run = |opcode| column(opcode, ElementType::I32, &[a.clone(), b.clone()]);
    assert_eq!(run(Opcode::Add), i32s(&[i32::MIN, i32::MIN + 1, -5, 5, i32::MAX]));
    assert_eq!(run(Opcode::Sub), i32s(&[i32::MAX - 1, i32::MAX, -9, 9, i32::MIN + 1]));
    assert_eq!(run(Opcode::Div), i32s(&[i32::MAX, i32::MIN, -3, -3, i32::MIN]));
    assert_eq!(run(Opcode::Min), i32s(&[1, i32::MIN, -7, -2, i32::MIN]));
    assert_eq!(run(Opcode::Mul), i32s(&[i32::MAX, i32::MIN, -14, -14, i32::MIN]));
    let max = column(Opcode::Max, ElementType::U32, &[vec![0xFFFF_FFFF, 1], vec![1, 0]]);
    assert_eq!(max, [0xFFFF_FFFF, 1], "unsigned");
    let wrapped = column(Opcode::Fma, ElementType::I64, &[vec![1 << 62], vec![3], vec![1 << 62]]);
    assert_eq!(wrapped, [0]);
    let least = column(Opcode::Div, ElementType::I64, &[vec![1 << 63], vec![u64::MAX]]);
    assert_eq!(least, [1 << 63]);
}

#[test]
fn floats_follow_ieee_754_with_one_nan() {
    const NAN: u64 = 0x7FC0_0000;
    let bits = |values: &[f32]| {
        values
            .iter()
            .map(|value| u64::from(value.to_bits()))
            .collect::<Vec<_>>()
    };
    let signalling = u64::from(0x7F80_0001u32);
    let payload = u64::from(0xFFC1_2345u32);
    let a = [bits(&[0.0, -0.0, 1.0, f32::INFINITY]), vec![signalling, payload]].concat();
    let b = [bits(&[-0.0, 0.0, 0.0, f32::INFINITY]), bits(&[1.0, 1.0])].concat();
    let run = |opcode| column(opcode, ElementType::F32, &[a.clone(), b.clone()]);
    let zero = u64::from((-0.0f32).to_bits());
    let inf = u64::from(f32::INFINITY.to_bits());
    let one = u64::from(1.0f32.to_bits());
    assert_eq!(run(Opcode::Min), [zero, zero, 0, inf, NAN, NAN]);
    assert_eq!(run(Opcode::Max), [0, 0, one, inf, NAN, NAN]);
    assert_eq!(run(Opcode::Div), [NAN, NAN, inf, NAN, NAN, NAN]);
    assert_eq!(run(Opcode::Sub)[3], NAN);
    let copied = column(Opcode::Copy, ElementType::F32, &[vec![signalling, payload]]);
    assert_eq!(copied, [signalling, payload], "a copy changes no bit");

    let one_sum = column(Opcode::Sum, ElementType::F32, &[vec![payload]]);
    assert_eq!(one_sum[0], NAN, "the sum of one NaN");
    let twice = 1.0f32 + f32::EPSILON;
    let fused = column(
        Opcode::Fma,
        ElementType::F32,
        &[bits(&[twice]), bits(&[twice]), bits(&[-1.0 - 2.0 * f32::EPSILON])],
    );
    assert_eq!(fused, bits(&[f32::EPSILON * f32::EPSILON]), "rounded once");
}

#[test]
fn a_sum_runs_from_first_to_last_across_chunks() {
    let count = 50_000;
    let mut values = vec![u64::from(1e-3f32.to_bits()); count];
    values[0] = u64::from(1e8f32.to_bits());
    values[count - 1] = u64::from((-1e8f32).to_bits());
    let mut data = bytes_of(ElementType::F32, &values);
    data.extend([0; 8]);
    let sum = step(
        Opcode::Sum,
        ElementType::F32,
        count as u64,
        [(0, 4 * count as u64), (0, 0), NONE, NONE],
    );
    let result = agreed("sum", sum, &data);
    assert_eq!(
        result[4 * count..4 * count + 4],
        0.0f32.to_le_bytes(),
        "the small ones are lost one by one"
    );
    assert_eq!(result[4 * count + 4..], [0; 4], "one element is written");
}

#[test]
fn immediates_are_splat_over_chunks_at_any_source() {
    let count = 40_000u64;
    for opcode in [Opcode::Sub, Opcode::Fma] {
        for place in 1..=3 {
            let mut operands = [(0, 0), (0, 0), (0, 0), NONE];
            if opcode == Opcode::Fma {
                operands[3] = (0, 0);
            } else if place == 3 {
                continue;
            }
            operands[place] = IMMEDIATE;
            let step = DeviceStep {
                immediate: 2.5f64.to_bits(),
                ..step(opcode, ElementType::F64, count, operands)
            };
            let values: Vec<u64> = (0..count).map(|index| (index as f64 * 0.7).to_bits()).collect();
            agreed(opcode.name(), step, &bytes_of(ElementType::F64, &values));
        }
    }
}

#[test]
fn scratch_keeps_every_chunk_of_a_large_step() {
    let count = 50_000u64;
    let bytes = 4 * count;
    let data: Vec<u8> = (0..2 * bytes).map(|index| (index * index / 7) as u8).collect();
    let mut rig = Rig::running();
    let at = rig.put(&data, 64);
    let steps = vec![
        step(Opcode::Copy, ElementType::U32, count, [scratch(64), (0, 0), NONE, NONE]),
        step(
            Opcode::Add,
            ElementType::U32,
            count,
            [(0, bytes), scratch(64), scratch(64), NONE],
        ),
    ];
    let entry = rig.run(&Command::on(vec![segment(at, 2 * bytes)], steps));
    assert_eq!(status_of(&entry), CompletionStatus::Success);
    let results = values_of(ElementType::U32, rig.bus.at(at + bytes, bytes as usize));
    let expected = values_of(ElementType::U32, &data[..bytes as usize]);
    assert!(
        results
            .iter()
            .zip(expected)
            .all(|(result, value)| *result == value * 2 % (1 << 32))
    );
}

#[test]
fn both_refuse_integer_division_by_zero() {
    let integers = ElementType::ALL.into_iter().filter(|element| !element.is_float());
    for element in integers {
        let data = bytes_of(element, &[4, 5, 6, 1, 0, 2]);
        for (opcode, flags) in [(Opcode::Div, 0), (Opcode::Div, step_flags::SATURATE), (Opcode::Rem, 0)] {
            let divide = DeviceStep {
                flags,
                ..step(opcode, element, 3, [(0, 0), (0, 0), (0, 3 * element.size()), NONE])
            };
            let name = format!("{} {}", opcode.name(), element.name());
            assert_eq!(
                on_device(vec![divide], &data).0,
                CompletionStatus::DivideByZero,
                "{name}"
            );
            let expected = Err(ReferenceFault::DivideByZero { step: 0, element: 1 });
            assert_eq!(by_reference(&[divide], &data).0, expected, "{name}");
        }
    }
}
