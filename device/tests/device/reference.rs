//! The reference interpreter on its own: what it refuses, and that nothing makes it panic.

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{MAX_DATA, MAX_STEPS, OperandIndex, Space, Step, SubmitHeader, step_flags};
use hawser_device::reference::{ReferenceFault, run};
use proptest::prelude::*;
use zerocopy::{FromBytes, IntoBytes};

use crate::conformance::steps::{SCRATCH as WINDOW, prepare_scratch, seeds, step_of};
use crate::semantics::program;

const DATA: Space = Space::Data;
const SCRATCH: Space = Space::Scratch;
const IMMEDIATE: Space = Space::Immediate;
const NOTHING: Space = Space::None;

fn step(opcode: Opcode, count: u64, operands: [(Space, u64); 4]) -> Step {
    Step {
        opcode: opcode as u8,
        element_type: ElementType::I32 as u8,
        aux_type: 0,
        flags: 0,
        spaces: operands.map(|operand| operand.0 as u8),
        count,
        offsets: operands.map(|operand| operand.1),
        immediate: 0,
        aux: [0; 2],
    }
}

fn copy(count: u64, dst: (Space, u64), a: (Space, u64)) -> Step {
    step(Opcode::Copy, count, [dst, a, (NOTHING, 0), (NOTHING, 0)])
}

/// Runs steps on 64 bytes of data and as much scratch.
fn run_steps(steps: &[Step]) -> Result<(), ReferenceFault> {
    run(&program(steps, 64, 64), &mut [1; 64])
}

#[test]
fn a_good_program_runs_in_order() {
    let mut data = [0; 64];
    data[..4].copy_from_slice(&7i32.to_le_bytes());
    let steps = [
        copy(1, (SCRATCH, 60), (DATA, 0)),
        step(Opcode::Add, 1, [(DATA, 4), (DATA, 0), (SCRATCH, 60), (NOTHING, 0)]),
        step(Opcode::Sum, 2, [(DATA, 60), (DATA, 0), (NOTHING, 0), (NOTHING, 0)]),
    ];
    assert_eq!(run(&program(&steps, 64, 64), &mut data), Ok(()));
    assert_eq!(data[4..8], 14i32.to_le_bytes());
    assert_eq!(data[60..], 21i32.to_le_bytes());
}

#[test]
fn malformed_headers_are_refused() {
    type Case = (&'static str, fn(&mut SubmitHeader));
    let cases: [Case; 13] = [
        ("magic number", |header| header.magic ^= 1),
        ("version", |header| header.version = 2),
        ("header size", |header| header.header_size = 63),
        ("total size", |header| header.total_size += 64),
        ("step size", |header| header.step_size = 32),
        ("number of steps", |header| header.step_count = 0),
        ("number of steps", |header| header.step_count = MAX_STEPS + 1),
        ("number of steps for its size", |header| header.step_count = 2),
        ("flags", |header| header.flags = 1),
        ("reserved bytes", |header| header.reserved0 = 1),
        ("reserved bytes", |header| header.reserved1[11] = 1),
        ("scratch size", |header| header.scratch_size = (64 << 20) + 1),
        ("data size", |header| header.data_size = 63),
    ];
    let good = program(&[copy(1, (DATA, 4), (DATA, 0))], 64, 64);
    assert_eq!(run(&good, &mut [0; 64]), Ok(()));
    for (what, change) in cases {
        let mut bytes = good.clone();
        let (header, _) = SubmitHeader::mut_from_prefix(&mut bytes).expect("a header");
        change(header);
        assert_eq!(run(&bytes, &mut [0; 64]), Err(ReferenceFault::Header { what }));
    }
    let truncated = Err(ReferenceFault::Header {
        what: "it is truncated",
    });
    assert_eq!(run(&good[..63], &mut [0; 64]), truncated);
    for length in [0, MAX_DATA as usize + 1] {
        let steps = [copy(1, (SCRATCH, 4), (SCRATCH, 0))];
        let ended = run(&program(&steps, 64, length), &mut vec![0; length]);
        assert_eq!(ended, Err(ReferenceFault::Header { what: "data buffer" }));
    }
    assert_eq!(run(&[], &mut []), truncated);
}

#[test]
fn malformed_steps_are_refused() {
    let good = step(Opcode::Add, 2, [(DATA, 8), (DATA, 0), (IMMEDIATE, 0), (NOTHING, 0)]);
    type Change = (&'static str, Box<dyn Fn(&mut Step)>);
    let cases: Vec<Change> = vec![
        ("flags", Box::new(|s| s.flags = 2)),
        (
            "flags of an operation that has none",
            Box::new(|s| (s.opcode, s.flags) = (Opcode::Max as u8, step_flags::SATURATE)),
        ),
        ("second type", Box::new(|s| s.aux_type = 1)),
        ("aux", Box::new(|s| s.aux[1] = 1)),
        ("no elements", Box::new(|s| s.count = 0)),
        ("too many elements", Box::new(|s| s.count = 1 << 62)),
        ("unknown space", Box::new(|s| s.spaces[1] = 4)),
        ("no destination", Box::new(|s| s.spaces[0] = 0)),
        (
            "immediate destination",
            Box::new(|s| (s.spaces[0], s.offsets[0]) = (3, 0)),
        ),
        ("missing source", Box::new(|s| s.spaces[2] = 0)),
        ("source too many", Box::new(|s| s.spaces[3] = 1)),
        ("misaligned", Box::new(|s| s.offsets[1] = 2)),
        ("offset of an immediate", Box::new(|s| s.offsets[2] = 4)),
        ("offset of nothing", Box::new(|s| s.offsets[3] = 4)),
        ("wide immediate", Box::new(|s| s.immediate = 1 << 32)),
        ("unused immediate", Box::new(|s| (s.spaces[2], s.immediate) = (1, 1))),
        (
            "reduced immediate",
            Box::new(|s| (s.opcode, s.spaces) = (Opcode::Sum as u8, [1, 3, 0, 0])),
        ),
        (
            "copied immediate",
            Box::new(|s| (s.opcode, s.spaces) = (Opcode::Copy as u8, [1, 3, 0, 0])),
        ),
        (
            "fill from memory",
            Box::new(|s| (s.opcode, s.spaces) = (Opcode::Fill as u8, [1, 1, 0, 0])),
        ),
    ];
    assert_eq!(run_steps(&[good]), Ok(()));
    for (name, change) in cases {
        let mut bad = good;
        change(&mut bad);
        let fault = run_steps(&[good, bad]);
        let refused = matches!(fault, Err(ReferenceFault::Step { step: 1, .. }));
        assert!(refused, "{name}: {fault:?}");
    }
    let sqrt = Opcode::Sqrt as u8;
    for (opcode, element) in [(0, 5), (30, 5), (sqrt, 5), (1, 0), (1, 13), (Opcode::Not as u8, 9)] {
        let mut bad = copy(1, (DATA, 0), (DATA, 0));
        (bad.opcode, bad.element_type) = (opcode, element);
        assert_eq!(run_steps(&[bad]), Err(ReferenceFault::Unsupported { step: 0 }));
    }
}

#[test]
fn bounds_overlap_and_unwritten_scratch_are_refused() {
    use OperandIndex::{A, Dst};
    let bounds = |operand| Err(ReferenceFault::OutOfBounds { step: 0, operand });
    let overlap = Err(ReferenceFault::Overlap { step: 0, operand: A });
    let unwritten = Err(ReferenceFault::NotWritten { step: 0, operand: A });
    let sum = |count, dst| step(Opcode::Sum, count, [(DATA, dst), (DATA, 0), (NOTHING, 0), (NOTHING, 0)]);
    for (step, expected) in [
        (copy(8, (DATA, 32), (DATA, 0)), Ok(())),
        (copy(9, (DATA, 32), (DATA, 0)), bounds(Dst)),
        (copy(1, (DATA, u64::MAX - 3), (DATA, 0)), bounds(Dst)),
        (copy(9, (DATA, 0), (DATA, 32)), bounds(A)),
        (copy(17, (DATA, 0), (SCRATCH, 0)), bounds(Dst)),
        (copy(2, (DATA, 4), (DATA, 0)), overlap),
        (copy(2, (DATA, 0), (DATA, 4)), overlap),
        (copy(1, (DATA, 4), (DATA, 0)), Ok(())),
        (copy(2, (DATA, 4), (DATA, 4)), Ok(())),
        (sum(4, 12), overlap),
        (sum(1, 0), overlap),
        (sum(4, 16), Ok(())),
        (copy(1, (DATA, 0), (SCRATCH, 0)), unwritten),
    ] {
        assert_eq!(run_steps(&[step]), expected, "{step:?}");
    }
    let partly = [copy(2, (SCRATCH, 0), (DATA, 0)), copy(3, (DATA, 0), (SCRATCH, 0))];
    assert_eq!(
        run_steps(&partly),
        Err(ReferenceFault::NotWritten { step: 1, operand: A })
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(
        mut bytes in prop::collection::vec(prop_oneof![3 => 0u8..9, 1 => any::<u8>()], 0..600),
        valid_header in prop::bool::weighted(0.9),
        length in 0usize..100,
    ) {
        if valid_header && bytes.len() >= 128 {
            bytes.truncate(bytes.len() / 64 * 64);
            let steps: Vec<Step> = bytes[64..].chunks(64).map(|step| Step::read_from_bytes(step).expect("64 bytes")).collect();
            bytes = program(&steps, 64, length);
        }
        let mut data = vec![0; length];
        let _ = run(&bytes, &mut data);
        prop_assert_eq!(data.len(), length);
    }

    #[test]
    fn no_numbers_make_it_panic(
        opcode in 0u8..31,
        element_type in 0u8..14,
        spaces in [0u8..5, 0u8..5, 0u8..5, 0u8..5],
        numbers in [number(), number(), number(), number(), number(), number()],
    ) {
        let [count, dst, a, b, c, immediate] = numbers;
        let mut step = step(Opcode::Copy, count, [(DATA, dst), (DATA, a), (DATA, b), (DATA, c)]);
        (step.opcode, step.element_type, step.spaces, step.immediate) = (opcode, element_type, spaces, immediate);
        for position in 0..4 {
            if !(1..=2).contains(&step.spaces[position]) {
                step.offsets[position] = 0;
            }
        }
        prop_assert_eq!(step.as_bytes().len(), 64);
        let _ = run_steps(&[step, step]);
    }
}

/// Bytes of data of a program that is compared with the model of the contract.
const COMPARED: usize = 4096;

/// Whether the contract allows the program for a data buffer of so many bytes.
fn is_allowed(program: &[u8], length: usize) -> bool {
    let buffer = hawser_core_model::Buffer {
        length: length as u64,
        page_offset: 0,
    };
    hawser_core_model::check(program, buffer, &hawser_core_model::Limits::CONTRACT).is_ok()
}

/// Whether the interpreter runs the program, be it to a division by zero.
fn is_run(program: &[u8], length: usize) -> bool {
    matches!(
        run(program, &mut vec![1; length]),
        Ok(()) | Err(ReferenceFault::DivideByZero { .. })
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn a_step_with_a_changed_byte_or_place_is_refused_where_the_contract_refuses_it(
        seed in seeds(), at in 0_usize..64, byte in prop_oneof![3 => 0_u8..9, 1 => any::<u8>()], change in 0..8,
    ) {
        let mut step = step_of(&seed, COMPARED as u64);
        match change {
            0..3 => step.as_mut_bytes()[at] = byte,
            // What is in no memory has no offset.
            3..6 => (step.spaces[at % 4], step.offsets[at % 4]) = (at as u8 / 4 % 4, 0),
            _ => {}
        }
        let bytes = program(&[prepare_scratch(1), step], WINDOW, COMPARED);
        prop_assert_eq!(is_run(&bytes, COMPARED), is_allowed(&bytes, COMPARED));
    }

    #[test]
    fn a_header_with_a_changed_byte_is_refused_where_the_contract_refuses_it(
        at in 0_usize..64, byte in prop_oneof![3 => 0_u8..9, 1 => any::<u8>()], stated in 0_usize..100, length in 0_usize..100,
    ) {
        let length = if stated % 4 == 0 { length } else { stated };
        let mut bytes = program(&[copy(1, (DATA, 4), (DATA, 0))], 64, stated);
        bytes[at] = byte;
        prop_assert_eq!(is_run(&bytes, length), is_allowed(&bytes, length));
    }
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![4 => (0u64..16).prop_map(|word| word * 4), 1 => (0u64..9).prop_map(|back| 0u64.wrapping_sub(back * 4)), 1 => any::<u64>()]
}
