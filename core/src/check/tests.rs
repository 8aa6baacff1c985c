//! Trips every rule, shows what is just inside it, and compares the whole check with the slow one of `hawser-core-model`.

mod blocks;
mod broken;
mod broken_operations;
mod generate;

use std::collections::BTreeSet;
use std::string::ToString;
use std::vec;
use std::vec::Vec;

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{Space, Step, SubmitHeader, step_flags};
use hawser_abi::reason::Reason;

use zerocopy::FromZeros;

use broken::broken_rules;
use broken_operations::broken_operations;

use super::*;
use crate::readable_cookie;
use crate::testing::{IMMEDIATE, NOTHING, Where, buffer, data, header, program, room, scratch, step};
use crate::workspace::Room;

const DATA: u64 = 256;
const SCRATCH: u64 = 64;

/// The outcome of a check: what was recorded to be read and written, or the refusal.
type Outcome = Result<(Vec<Interval>, Vec<Interval>), Refusal>;

fn check_bytes(bytes: &[u8], shape: BufferShape, limits: &Limits) -> Outcome {
    let mut words = vec![u64::MAX; room(16).words()];
    let mut workspace = Workspace::new(&mut words, room(16));
    let mut accepted = check(bytes, shape, limits, &mut workspace)?;
    let (reads, writes) = accepted.accesses(&mut []);
    Ok((reads.to_vec(), writes.to_vec()))
}

fn check_steps(steps: &[Step]) -> Outcome {
    check_bytes(
        &program(&header(steps, DATA, SCRATCH), steps),
        buffer(DATA),
        &Limits::default(),
    )
}

fn fill(at: Where, count: u64) -> Step {
    step(Opcode::Fill, ElementType::F32, count, &[at, IMMEDIATE])
}

fn copy(to: Where, from: Where) -> Step {
    step(Opcode::Copy, ElementType::F32, 4, &[to, from])
}

fn add(operands: &[Where]) -> Step {
    step(Opcode::Add, ElementType::I32, 4, operands)
}

/// A comparison of four integers.
fn compare(predicate: u32, to: Where, b: Where) -> Step {
    Step {
        aux: [predicate, 0],
        ..step(Opcode::Compare, ElementType::I32, 4, &[to, data(16), b])
    }
}

/// A conversion to `f32`.
fn convert(from: ElementType, count: u64, to: Where, a: Where) -> Step {
    Step {
        aux_type: from as u8,
        ..step(Opcode::Convert, ElementType::F32, count, &[to, a])
    }
}

fn convert_to_i32(from: ElementType) -> Step {
    Step {
        element_type: ElementType::I32 as u8,
        ..convert(from, 2, data(0), data(64))
    }
}

/// A product of matrices of `f32`, the left one with these rows and columns.
fn matmul(aux: [u32; 2], count: u64, to: Where, left: Where, right: Where) -> Step {
    Step {
        aux,
        ..step(Opcode::MatMul, ElementType::F32, count, &[to, left, right])
    }
}

fn transpose(rows: u32, count: u64, to: Where, a: Where) -> Step {
    Step {
        aux: [rows, 0],
        ..step(Opcode::Transpose, ElementType::F32, count, &[to, a])
    }
}

fn saturating(step: Step) -> Step {
    Step {
        flags: step_flags::SATURATE,
        ..step
    }
}

/// Changes one thing of a good header.
fn with_header(change: impl FnOnce(&mut SubmitHeader)) -> Outcome {
    let steps = [fill(data(0), 4)];
    let mut header = header(&steps, DATA, SCRATCH);
    change(&mut header);
    check_bytes(&program(&header, &steps), buffer(DATA), &Limits::default())
}

fn with_limits(limits: Limits) -> Outcome {
    let steps = [fill(data(0), 4), fill(data(16), 4)];
    check_bytes(&program(&header(&steps, DATA, SCRATCH), &steps), buffer(DATA), &limits)
}

/// Changes one thing of a good step on `i32`.
fn with_step(change: impl FnOnce(&mut Step)) -> Outcome {
    let mut step = add(&[data(0), data(16), IMMEDIATE]);
    change(&mut step);
    check_steps(&[fill(data(0), 4), step])
}

fn new(reason: Reason) -> Refusal {
    Refusal::new(reason)
}

/// A refusal of the step that [`with_step`] changes.
fn of_step(reason: Reason) -> Refusal {
    new(reason).step(1)
}

/// Every way to break a rule, with the refusal that is due.
fn broken() -> Vec<(Outcome, Refusal)> {
    [broken_rules(), broken_operations()].concat()
}

#[test]
fn every_broken_rule_is_refused_precisely() {
    for (number, (outcome, refusal)) in broken().into_iter().enumerate() {
        assert_eq!(outcome, Err(refusal), "case {number}: {refusal}");
    }
}

#[test]
fn every_reason_that_a_program_can_cause_is_tripped() {
    let tripped: BTreeSet<_> = broken().iter().map(|(_, refusal)| refusal.reason).collect();
    let can_cause = |reason: &&Reason| (1..0x40).contains(&(**reason as u16)) && **reason != Reason::CookieInUse;
    for reason in Reason::ALL.iter().filter(can_cause) {
        assert!(tripped.contains(reason), "nothing trips {}", reason.name());
    }
}

#[test]
fn what_lies_just_inside_the_rules_is_accepted() {
    let limits = Limits::default();
    let exact = Limits {
        max_steps: 2,
        max_data: DATA,
        scratch_size: SCRATCH,
        ..limits
    };
    let accepted = [
        with_limits(exact),
        with_step(|s| s.immediate = 0xFFFF_FFFF),
        with_step(|s| s.offsets[0] = DATA - 16),
        with_step(|s| s.offsets[1] = 0),
        with_step(|s| (s.spaces[1], s.offsets[1]) = (Space::Immediate as u8, 0)),
        with_step(|s| (s.count, s.offsets[0], s.offsets[1]) = (DATA / 8, 0, DATA / 2)),
        check_steps(&[fill(scratch(0), SCRATCH / 4), copy(data(0), scratch(SCRATCH - 16))]),
        check_steps(&[
            fill(scratch(0), 4),
            copy(scratch(16), scratch(0)),
            copy(data(0), scratch(8)),
        ]),
        check_steps(&[fill(scratch(0), 4), add(&[scratch(0), scratch(0), scratch(0)])]),
        check_steps(&[step(Opcode::Sum, ElementType::F64, 31, &[data(248), data(0)])]),
        check_steps(&[step(Opcode::Fill, ElementType::U8, 1, &[data(255), IMMEDIATE])]),
        check_steps(
            &[step(Opcode::Fill, ElementType::U64, 1, &[data(0), IMMEDIATE])].map(|s| Step {
                immediate: u64::MAX,
                ..s
            }),
        ),
        check_steps(&[copy(scratch(0), data(0))]),
        check_steps(&[compare(0, data(64), data(0))]),
        check_steps(&[compare(5, data(1), IMMEDIATE)]),
        check_steps(&[step(
            Opcode::Compare,
            ElementType::I8,
            9,
            &[data(3), data(3), IMMEDIATE],
        )]),
        check_steps(&[step(
            Opcode::Select,
            ElementType::I8,
            9,
            &[data(3), data(3), data(3), IMMEDIATE],
        )]),
        check_steps(&[step(
            Opcode::Select,
            ElementType::F32,
            4,
            &[data(16), data(1), data(16), data(16)],
        )]),
        check_steps(&[convert(ElementType::U16, 7, data(4), data(34))]),
        check_steps(&[convert(ElementType::F32, 7, data(4), data(4))]),
        check_steps(&[convert(ElementType::I64, 7, data(4), data(DATA - 56))]),
        check_steps(&[saturating(convert_to_i32(ElementType::U64))]),
        check_steps(&[step(Opcode::ArgMin, ElementType::U8, 3, &[data(8), data(1)])]),
        check_steps(&[step(Opcode::PrefixSum, ElementType::F16, 3, &[data(2), data(2)])]),
        check_steps(&[step(Opcode::Neg, ElementType::I16, 3, &[data(2), IMMEDIATE])].map(saturating)),
        // 2 x 3 times 3 x 4, which fill the buffer to its end.
        check_steps(&[matmul([2, 3], 8, data(DATA - 32), data(0), data(24))]),
        check_steps(&[matmul([2, 3], 8, data(0), data(DATA - 24), data(32))]),
        check_steps(&[matmul([2, 3], 8, data(0), data(32), data(DATA - 48))]),
        check_steps(&[matmul([1, 1], 1, data(0), data(4), data(4))]),
        check_steps(&[transpose(3, 12, data(0), data(48))]),
        check_steps(&[transpose(12, 12, data(0), data(48))]),
    ];
    for (number, outcome) in accepted.into_iter().enumerate() {
        assert!(outcome.is_ok(), "case {number}: {outcome:?}");
    }
}

#[test]
fn operands_that_are_not_there_may_stand_in_any_position() {
    assert!(check_steps(&[fill(data(0), 4), add(&[data(0), IMMEDIATE, data(16), NOTHING])]).is_ok());
    assert!(check_steps(&[fill(data(0), 4), add(&[data(0), IMMEDIATE, IMMEDIATE, NOTHING])]).is_ok());
}

#[test]
fn what_is_accepted_is_described() {
    let steps = [
        copy(scratch(0), data(16)),
        add(&[data(0), data(16), data(32)]),
        copy(data(64), scratch(0)),
    ];
    let mut header = header(&steps, DATA, SCRATCH);
    header.timeout_ms = 1234;
    let bytes = program(&header, &steps);
    let mut words = vec![0; room(3).words()];
    let mut workspace = Workspace::new(&mut words, room(3));
    let shape = BufferShape {
        length: DATA,
        page_offset: 17,
    };
    let mut accepted = check(&bytes, shape, &Limits::default(), &mut workspace).expect("the program is right");
    let reads: &[_] = &[Interval::new(16, 48)];
    let writes: &[_] = &[Interval::new(0, 16), Interval::new(64, 80)];
    assert_eq!(accepted.accesses(&mut []), (reads, writes));
    let checked = accepted.checked();
    assert_eq!(
        (checked.step_count(), checked.timeout_ms(), checked.cookie()),
        (3, 1234, 77)
    );
    assert_eq!(
        (checked.scratch_size(), checked.data_length(), checked.shape()),
        (SCRATCH, DATA, shape)
    );
}

#[test]
fn a_program_may_lie_at_any_address() {
    let steps = [fill(data(0), 4), copy(data(16), data(0))];
    let bytes = program(&header(&steps, DATA, SCRATCH), &steps);
    for shift in 0..8 {
        let shifted = [&vec![0; shift][..], &bytes].concat();
        assert_eq!(
            check_bytes(&shifted[shift..], buffer(DATA), &Limits::default()),
            check_steps(&steps)
        );
    }
}

#[test]
fn a_workspace_serves_one_program_after_another() {
    let mut words = vec![0; room(2).words()];
    let mut workspace = Workspace::new(&mut words, room(2));
    let writes = [fill(scratch(0), 4), fill(data(0), 4)];
    let reads = [copy(data(0), scratch(0))];
    let bytes = program(&header(&writes, DATA, SCRATCH), &writes);
    assert!(check(&bytes, buffer(DATA), &Limits::default(), &mut workspace).is_ok());
    let bytes = program(&header(&reads, DATA, SCRATCH), &reads);
    let refusal = check(&bytes, buffer(DATA), &Limits::default(), &mut workspace).err();
    assert_eq!(
        refusal.map(|refusal| refusal.reason),
        Some(Reason::ScratchNotWritten),
        "nothing is left of the first"
    );
    let three = [writes[0], writes[0], writes[0]];
    let bytes = program(&header(&three, DATA, SCRATCH), &three);
    let refusal = check(&bytes, buffer(DATA), &Limits::default(), &mut workspace).err();
    assert_eq!(
        refusal,
        Some(new(Reason::TooManySteps).length(3).limit(2)),
        "the workspace is a limit too"
    );
}

#[test]
fn cookies_are_read_only_from_headers_that_have_one() {
    let steps = [fill(data(0), 4)];
    let good = header(&steps, DATA, SCRATCH);
    assert_eq!(readable_cookie(&program(&good, &steps)), Some(77));
    assert_eq!(
        readable_cookie(&program(&SubmitHeader { step_count: 9, ..good }, &steps)),
        Some(77)
    );
    assert_eq!(
        readable_cookie(&program(&SubmitHeader { magic: 0, ..good }, &steps)),
        None
    );
    assert_eq!(
        readable_cookie(&program(&SubmitHeader { version: 0, ..good }, &steps)),
        None
    );
    assert_eq!(
        readable_cookie(&program(&SubmitHeader { header_size: 0, ..good }, &steps)),
        None
    );
    assert_eq!(readable_cookie(&program(&good, &steps)[..63]), None);
}

#[test]
fn refusals_read_as_sentences() {
    let refusal = with_step(|s| s.offsets[1] = 18).expect_err("it is misaligned");
    let text =
        "step 1: first source: the offset of an operand is not a multiple of its element size (offset 18, limit 4)";
    assert_eq!(refusal.to_string(), text);
}

/// The last bytes that there can be of both spaces, and the first that there cannot.
#[test]
fn the_last_bytes_of_the_largest_spaces_are_in_reach() {
    const DATA: u64 = 1 << 30;
    const SCRATCH: u64 = (1 << 30) - 1;
    let limits = Limits {
        scratch_size: SCRATCH,
        ..Limits::default()
    };
    let room = Room {
        steps: 2,
        scratch: SCRATCH,
    };
    let mut words = vec![0; room.words()];
    let mut verdict = |to: u64, from: u64, back: u64| {
        let steps = [
            step(Opcode::Copy, ElementType::U8, 1, &[scratch(to), data(from)]),
            step(Opcode::Copy, ElementType::U8, 1, &[data(back), scratch(to)]),
        ];
        let bytes = program(&header(&steps, DATA, SCRATCH), &steps);
        let mut workspace = Workspace::new(&mut words, room);
        let found = check(&bytes, buffer(DATA), &limits, &mut workspace);
        found
            .map(|mut accepted| {
                let (reads, writes) = accepted.accesses(&mut []);
                [reads, writes].map(|list| (list.len(), list[0].start()))
            })
            .map_err(|refusal| (refusal.reason, refusal.step))
    };
    let last = DATA as u32 - 1;
    assert_eq!(verdict(SCRATCH - 1, 7, DATA - 1), Ok([(1, 7), (1, last)]));
    assert_eq!(verdict(0, DATA - 1, 7), Ok([(1, last), (1, 7)]));
    assert_eq!(verdict(SCRATCH, 7, 9), Err((Reason::OutOfBounds, Some(0))));
    assert_eq!(verdict(7, 9, DATA), Err((Reason::OutOfBounds, Some(1))));
}

/// Steps for which the trusted copy has no block are refused, whatever they are.
#[test]
fn no_step_passes_unseen() {
    let steps = vec![zerocopy::transmute!(fill(data(0), 4)); 2 * BLOCK + 1];
    let sizes = SpaceSizes {
        data: DATA,
        scratch: SCRATCH,
    };
    let limits = Limits::default();
    let pass = Pass::new(&limits, sizes);
    for (blocks, expected) in [
        (0, Err(no_room(steps.len(), 0))),
        (2, Err(no_room(steps.len(), 2 * BLOCK as u32))),
        (3, Ok(())),
    ] {
        let mut words = vec![0; room(1).words()];
        let mut workspace = Workspace::new(&mut words, room(1));
        let (_, temporaries) = workspace.start(1, SCRATCH);
        let (mut rows, mut rests) = (
            vec![FromZeros::new_zeroed(); blocks],
            vec![FromZeros::new_zeroed(); blocks],
        );
        let mut copy = TrustedCopy::new(&mut rows, &mut rests);
        assert_eq!(look_at(&steps, &pass, copy.start(steps.len()), temporaries), expected);
    }
}
