//! Programs of every operation, run by the reference interpreter.

use half::f16;
use hawser_abi::op::{Opcode, REV1_OPERATIONS};
use hawser_abi::program::{OperandIndex, Step};
use hawser_abi::reason::Reason;
use hawser_core::Refusal;
use hawser_device::reference;

use super::*;
use crate::testing::Memory;

/// Runs a program on data; returns the data afterwards.
fn run(builder: &ProgramBuilder, fill: impl FnOnce(&mut Memory)) -> Memory {
    let program = builder.build().expect("the driver takes the program");
    let mut memory = Memory::of(program.data_size() as usize);
    fill(&mut memory);
    reference::run(program.bytes(), &mut memory.0).expect("the program runs");
    memory
}

/// The example of `docs/operations.md`, with step 0 counting `converted` elements.
fn classify(converted: u64) -> (ProgramBuilder, [Array<f32>; 2], Array<u8>, Array<u64>) {
    let mut builder = ProgramBuilder::new();
    let pixels = builder.array::<u8>(3).unwrap();
    let weights = builder.array::<f32>(6).unwrap();
    let bias = builder.array::<f32>(2).unwrap();
    let class = builder.array::<u64>(1).unwrap();
    let x = builder.scratch::<f32>(3).unwrap();
    let h = builder.scratch::<f32>(2).unwrap();
    builder
        .convert(x.part(0..converted).unwrap(), pixels.part(0..converted).unwrap())
        .unwrap()
        .matmul(
            h.matrix(2, 1).unwrap(),
            weights.matrix(2, 3).unwrap(),
            x.matrix(3, 1).unwrap(),
        )
        .unwrap()
        .add(h, h, bias)
        .unwrap()
        .max(h, h, 0.0)
        .unwrap()
        .argmax(class, h)
        .unwrap();
    (builder, [weights, bias], pixels, class)
}

#[test]
fn the_documented_example_runs_and_is_laid_out_as_documented() {
    let (builder, [weights, bias], pixels, class) = classify(3);
    assert_eq!(
        (pixels.offset(), weights.offset(), bias.offset(), class.offset()),
        (0, 64, 128, 192)
    );
    let memory = run(&builder, |memory| {
        pixels.store(memory, &[1, 2, 3]).unwrap();
        weights.store(memory, &[1.0, 0.0, -1.0, 0.5, 0.5, 0.5]).unwrap();
        bias.store(memory, &[1.0, 0.25]).unwrap();
    });
    assert_eq!(class.load(&memory).unwrap(), [1]);
}

#[test]
fn the_documented_mistakes_are_refused_as_documented() {
    let refusal = |builder: &ProgramBuilder| match builder.build() {
        Err(ProgramError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    let Refusal {
        reason,
        step,
        operand,
        offset,
        length,
        ..
    } = refusal(&classify(2).0);
    assert_eq!(
        (reason, step, operand, offset, length),
        (Reason::ScratchNotWritten, Some(1), Some(OperandIndex::B), 8, 4)
    );
    let changed = |step: usize, change: fn(&mut Step)| {
        let program = classify(3).0.build().unwrap();
        let mut steps: Vec<Step> = (0..5).map(|index| program.step(index).unwrap()).collect();
        change(&mut steps[step]);
        let sizes = Sizes {
            data: program.data_size(),
            scratch: program.header().unwrap().scratch_size,
        };
        assemble(&steps, sizes)
            .check(&hawser_core::Limits::default())
            .unwrap_err()
    };
    let ragged = changed(1, |step| step.count = 3);
    assert_eq!(
        (ragged.reason, ragged.length, ragged.limit),
        (Reason::RaggedMatrix, 3, 2)
    );
    let misaligned = changed(4, |step| step.offsets[0] = 196);
    assert_eq!(
        (misaligned.reason, misaligned.step, misaligned.operand, misaligned.limit),
        (Reason::Misaligned, Some(4), Some(OperandIndex::Dst), 8)
    );
}

#[test]
fn every_operation_can_be_built_and_is_accepted() {
    let mut builder = ProgramBuilder::new();
    let [x, y, z] = [(); 3].map(|()| builder.array::<i32>(12).unwrap());
    let [f, g] = [(); 2].map(|()| builder.array::<f16>(12).unwrap());
    let mask = builder.array::<u8>(12).unwrap();
    let index = builder.array::<u64>(1).unwrap();
    let (total, narrow) = (x.part(0..1).unwrap(), builder.array::<i8>(12).unwrap());
    let build = |builder: &mut ProgramBuilder| -> Result<(), ProgramError> {
        builder
            .copy(x, y)?
            .fill(x, 3)?
            .add(x, x, y)?
            .sub(x, y, 1)?
            .mul(x, 2, y)?
            .div(x, y, 2)?;
        builder
            .rem(x, y, 2)?
            .min(x, y, z)?
            .max(f, f, g)?
            .fma(x, y, z, x)?
            .neg(f, g)?
            .abs(x, y)?;
        builder
            .sqrt(f, f)?
            .and(x, y, z)?
            .or(x, y, 1)?
            .xor(x, 7, z)?
            .not(x, y)?
            .shl(x, y, 3)?
            .shr(x, y, z)?;
        builder
            .compare(mask, Predicate::Lt, f, f16::ONE)?
            .select(f, mask, g, f16::ZERO)?
            .convert(f, x)?;
        builder
            .saturating_convert(narrow, x)?
            .sum(total, y)?
            .dot(total, y, z)?
            .argmin(index, f)?
            .argmax(index, x)?;
        builder
            .prefix_sum(y, y)?
            .saturating_add(x, y, z)?
            .saturating_sub(x, y, z)?
            .saturating_mul(x, y, z)?;
        builder
            .saturating_div(x, y, 3)?
            .saturating_fma(x, y, z, 1)?
            .saturating_neg(x, y)?
            .saturating_abs(x, y)?;
        builder
            .saturating_sum(total, y)?
            .saturating_dot(total, y, z)?
            .saturating_prefix_sum(x, y)?;
        let (left, right) = (y.matrix(3, 4)?, z.matrix(4, 3)?);
        let product = x.part(0..9)?.matrix(3, 3)?;
        builder
            .matmul(product, left, right)?
            .saturating_matmul(product, left, right)?;
        builder.transpose(x.matrix(4, 3)?, left)?;
        Ok(())
    };
    build(&mut builder).unwrap();
    let program = builder.build().unwrap();
    let built = (0..program.step_count() as u32)
        .filter_map(|index| Opcode::from_byte(program.step(index)?.opcode))
        .fold(0, |bits, opcode| bits | opcode.bit());
    assert_eq!(built, REV1_OPERATIONS, "operations that no method builds");
}

#[test]
fn results_are_those_of_the_operations() {
    let mut builder = ProgramBuilder::new();
    let x = builder.array::<i8>(4).unwrap();
    let clamped = builder.array::<i8>(4).unwrap();
    let mask = builder.array::<u8>(4).unwrap();
    let wide = builder.array::<i64>(4).unwrap();
    let turned = builder.array::<i64>(4).unwrap();
    let build = |builder: &mut ProgramBuilder| -> Result<(), ProgramError> {
        builder
            .saturating_add(clamped, x, 100)?
            .compare(mask, Predicate::Ge, x, 0)?
            .compare(mask, Predicate::Lt, 0, x)?;
        builder.select(x, mask, x, -1)?.convert(wide, x)?;
        builder.transpose(turned.matrix(2, 2)?, wide.matrix(2, 2)?)?;
        Ok(())
    };
    build(&mut builder).unwrap();
    let memory = run(&builder, |memory| x.store(memory, &[100, -100, 5, -5]).unwrap());
    assert_eq!(clamped.load(&memory).unwrap(), [127, 0, 105, 95]);
    assert_eq!(mask.load(&memory).unwrap(), [1, 0, 1, 0]);
    assert_eq!(wide.load(&memory).unwrap(), [100, -1, 5, -1]);
    assert_eq!(turned.load(&memory).unwrap(), [100, 5, -1, -1]);
}

#[test]
fn shapes_that_do_not_fit_are_told() {
    let mut builder = ProgramBuilder::new();
    let [x, y, z] = [(); 3].map(|()| builder.array::<f32>(12).unwrap());
    let shape = |array: Array<f32>, rows, columns| array.matrix(rows, columns).unwrap();
    let mismatch = |operand, found, expected| ProgramError::ShapeMismatch {
        step: 0,
        operand,
        found,
        expected,
    };
    let nine = x.part(0..9).unwrap().matrix(3, 3).unwrap();
    assert_eq!(
        builder.matmul(nine, shape(y, 4, 3), shape(z, 3, 4)).unwrap_err(),
        mismatch(OperandIndex::A, (4, 3), (3, 3))
    );
    let right = builder.matmul(nine, shape(y, 3, 4), shape(z, 3, 4)).unwrap_err();
    assert_eq!(right, mismatch(OperandIndex::B, (3, 4), (4, 3)));
    assert_eq!(
        right.to_string(),
        "step 0: the second source is a matrix of 3 x 4, and 4 x 3 is needed"
    );
    assert_eq!(
        builder.transpose(shape(x, 3, 4), shape(y, 3, 4)).unwrap_err(),
        mismatch(OperandIndex::Dst, (3, 4), (4, 3))
    );
    for (rows, columns) in [(0, 0), (3, 5), (12, 0), (1 << 63, 1 << 63), (u64::MAX, u64::MAX)] {
        let refused = ProgramError::NotAMatrix {
            rows,
            columns,
            count: 12,
        };
        assert_eq!(x.matrix(rows, columns).unwrap_err(), refused);
    }
    let empty = x.part(0..0).unwrap();
    assert!(empty.matrix(0, 5).is_err());
    let mask = builder.array::<u8>(11).unwrap();
    let length = |operand| ProgramError::LengthMismatch {
        step: 0,
        operand,
        found: 11,
        expected: 12,
    };
    assert_eq!(builder.select(x, mask, y, z).unwrap_err(), length(OperandIndex::A));
    assert_eq!(builder.convert(x, mask).unwrap_err(), length(OperandIndex::A));
    let short = y.part(0..11).unwrap();
    let total = z.part(0..1).unwrap();
    assert_eq!(builder.dot(total, x, short).unwrap_err(), length(OperandIndex::B));
}
