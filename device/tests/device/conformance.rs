//! Property: whatever the program and however its data lies in memory, the device computes bit for bit what the reference computes.

use hawser_abi::descriptor::{
    DeviceStep, HOLE, IN_IMMEDIATE, IN_SCRATCH, NOWHERE, READ_BINDING, Segment, WRITE_BINDING, binding_flags,
};
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{Space, Step};
use hawser_abi::queue::CompletionStatus;
use hawser_abi::registers::control;
use hawser_device::Faultless;
use hawser_device::reference::{self, ReferenceFault};
use proptest::prelude::*;

use crate::bus::BASE;
use crate::rig::{Command, Rig, segment, status_of};
use crate::semantics::program;

const OPCODES: [Opcode; 10] = [
    Opcode::Copy,
    Opcode::Fill,
    Opcode::Add,
    Opcode::Sub,
    Opcode::Mul,
    Opcode::Div,
    Opcode::Min,
    Opcode::Max,
    Opcode::Fma,
    Opcode::Sum,
];
const TYPES: [ElementType; 5] = [
    ElementType::I32,
    ElementType::U32,
    ElementType::I64,
    ElementType::F32,
    ElementType::F64,
];
const SCRATCH: u64 = 300_000;
const WINDOW_BASE: u64 = 4096;

/// Numbers from which a step is made that stays inside its spaces.
#[derive(Clone, Debug)]
struct Seed {
    opcode: usize,
    element: usize,
    count: u64,
    operands: [(u8, u64); 4],
    immediate: u64,
}

fn seeds() -> impl Strategy<Value = Seed> {
    let count = prop_oneof![4 => 1u64..40, 2 => 1u64..3_000, 1 => 15_000u64..40_000];
    let operand = || (0u8..8, any::<u64>());
    let immediate = prop_oneof![
        any::<u64>(),
        0u64..4,
        Just(1.5f64.to_bits()),
        Just(u64::from(2.5f32.to_bits()))
    ];
    (
        0usize..10,
        any::<usize>(),
        count,
        [operand(), operand(), operand(), operand()],
        immediate,
    )
        .prop_map(|(opcode, element, count, operands, immediate)| Seed {
            opcode,
            element,
            count,
            operands,
            immediate,
        })
}

/// How the data buffer lies in host memory.
#[derive(Clone, Debug)]
struct Layout {
    /// Lengths of the pieces, taken in turn.
    pieces: Vec<u64>,
    /// Bytes between two pieces, taken in turn.
    gaps: Vec<u64>,
    /// Lengths at which views are cut further, taken in turn.
    cuts: Vec<u64>,
}

fn layouts() -> impl Strategy<Value = Layout> {
    let length = || prop_oneof![1u64..16, 1u64..5_000, 4_096u64..65_537, Just(4_096u64)];
    (
        prop::collection::vec(length(), 1..20),
        prop::collection::vec(0u64..70, 1..5),
        prop::collection::vec(length(), 1..8),
    )
        .prop_map(|(pieces, gaps, cuts)| Layout { pieces, gaps, cuts })
}

/// The step that a seed stands for, for a data buffer of `data_size` bytes.
fn step_of(seed: &Seed, data_size: u64) -> Step {
    let opcode = OPCODES[seed.opcode];
    let element = match opcode {
        Opcode::Copy | Opcode::Fill => ElementType::ALL[seed.element % ElementType::ALL.len()],
        _ => TYPES[seed.element % TYPES.len()],
    };
    let size = element.size();
    let count = seed.count.min(data_size / size / 3).min(SCRATCH / size / 3).max(1);
    let sources = match opcode {
        Opcode::Copy | Opcode::Fill | Opcode::Sum => 1,
        Opcode::Fma => 3,
        _ => 2,
    };
    let mut spaces = [Space::None as u8; 4];
    let mut offsets = [0; 4];
    for position in 0..=sources {
        let (choice, raw) = seed.operands[position];
        let elements = if position == 0 && opcode == Opcode::Sum {
            1
        } else {
            count
        };
        let (space, room) = match choice {
            _ if position == 1 && opcode == Opcode::Fill => (Space::Immediate, 0),
            0..4 => (Space::Data, data_size),
            6 if position > 0 && opcode != Opcode::Sum => (Space::Immediate, 0),
            _ => (Space::Scratch, SCRATCH),
        };
        spaces[position] = space as u8;
        if space != Space::Immediate {
            offsets[position] = match raw % 4 {
                0 => raw % (room / size - elements + 1) * size,
                // Blocks, which are disjoint or the same: others mostly overlap.
                _ => raw / 4 % (room / (elements * size)) * elements * size,
            };
        }
        // Exactly the destination's range, which is the overlap that is allowed.
        if choice == 3 && position > 0 && space == Space::Data && opcode != Opcode::Sum {
            spaces[position] = spaces[0];
            offsets[position] = offsets[0];
        }
    }
    let used = spaces.contains(&(Space::Immediate as u8));
    let mask = u64::MAX >> (64 - 8 * size);
    Step {
        opcode: opcode as u8,
        element_type: element as u8,
        aux_type: 0,
        flags: 0,
        spaces,
        count,
        offsets,
        immediate: if used { seed.immediate & mask } else { 0 },
        aux: [0; 2],
    }
}

/// A step that writes all of the scratch memory.
fn prepare_scratch(bits: u64) -> Step {
    Step {
        opcode: Opcode::Fill as u8,
        element_type: ElementType::I64 as u8,
        aux_type: 0,
        flags: 0,
        spaces: [Space::Scratch, Space::Immediate, Space::None, Space::None].map(|space| space as u8),
        count: SCRATCH / 8,
        offsets: [0; 4],
        immediate: bits,
        aux: [0; 2],
    }
}

/// Runs the reference, without the steps that it refuses. Returns the steps left, the result and the data.
fn reference_run(mut steps: Vec<Step>, data: &[u8]) -> (Vec<Step>, Result<(), ReferenceFault>, Vec<u8>) {
    loop {
        let mut out = data.to_vec();
        match reference::run(&program(&steps, SCRATCH, data.len()), &mut out) {
            Err(ReferenceFault::Overlap { step, .. } | ReferenceFault::NotWritten { step, .. }) if steps.len() > 1 => {
                steps.remove(step);
            }
            result => return (steps, result, out),
        }
    }
}

fn translate(step: &Step) -> DeviceStep {
    let place = |position: usize| match Space::from_byte(step.spaces[position]) {
        Some(Space::Data) if position == 0 => WRITE_BINDING,
        Some(Space::Data) => READ_BINDING,
        Some(Space::Scratch) => IN_SCRATCH,
        Some(Space::Immediate) => IN_IMMEDIATE,
        _ => NOWHERE,
    };
    DeviceStep {
        opcode: step.opcode,
        element_type: step.element_type,
        aux_type: 0,
        flags: 0,
        where_: [place(0), place(1), place(2), place(3)],
        count: step.count,
        offsets: step.offsets,
        immediate: step.immediate,
        aux: [0; 2],
    }
}

/// For each byte of data, whether operand positions in `positions` touch it.
fn touched(steps: &[Step], positions: std::ops::Range<usize>, length: usize) -> Vec<bool> {
    let mut map = vec![false; length];
    for step in steps {
        for position in positions.clone() {
            if step.spaces[position] == Space::Data as u8 {
                let size = ElementType::from_byte(step.element_type).expect("a type").size();
                let is_result = position == 0 && step.opcode == Opcode::Sum as u8;
                let count = if is_result { 1 } else { step.count };
                let start = step.offsets[position] as usize;
                map[start..start + (count * size) as usize].fill(true);
            }
        }
    }
    map
}

/// The host address of each piece of the buffer: its offset, its length, where it is. The last piece comes first in memory.
fn scatter(layout: &Layout, length: u64, base: u64) -> Vec<(u64, u64, u64)> {
    let mut pieces = Vec::new();
    let mut offset = 0;
    for piece in layout.pieces.iter().cycle() {
        if offset == length {
            break;
        }
        let piece = (*piece).min(length - offset);
        pieces.push((offset, piece, 0));
        offset += piece;
    }
    let mut at = base;
    for (piece, gap) in pieces.iter_mut().rev().zip(layout.gaps.iter().cycle()) {
        piece.2 = at + gap;
        at += gap + piece.1;
    }
    pieces
}

/// The segments of a view in which only `touched` bytes can be reached.
fn view(pieces: &[(u64, u64, u64)], touched: &[bool], layout: &Layout) -> Vec<Segment> {
    let mut cuts = layout.cuts.iter().cycle();
    let mut segments = Vec::new();
    for &(offset, length, address) in pieces {
        let mut done = 0;
        while done < length {
            let reach = touched[(offset + done) as usize];
            let limit = (length - done).min(*cuts.next().expect("an endless cycle"));
            let run = (0..limit)
                .take_while(|index| touched[(offset + done + index) as usize] == reach)
                .count() as u64;
            segments.push(segment(if reach { address + done } else { HOLE }, run));
            done += run;
        }
    }
    segments
}

fn patterned(length: usize, pattern: u64) -> Vec<u8> {
    let mut state = pattern | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut bytes: Vec<u8> = (0..length.div_ceil(8)).flat_map(|_| next().to_le_bytes()).collect();
    if pattern.is_multiple_of(3) {
        // Small numbers, so that division by zero and exact results come up.
        for chunk in bytes.chunks_mut(4) {
            chunk[1..].fill(0);
            chunk[0] &= 0x0F;
        }
    }
    bytes.truncate(length);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn device_and_reference_agree(
        length in prop_oneof![2usize..60, 60usize..9_000, 9_000usize..60_000].prop_map(|words| words * 4),
        seeds in prop::collection::vec(seeds(), 1..12),
        layout in layouts(),
        pattern in any::<u64>(),
    ) {
        let data = patterned(length, pattern);
        let prepared = (!pattern.is_multiple_of(8)).then(|| prepare_scratch(pattern));
        let steps = prepared.into_iter().chain(seeds.iter().map(|seed| step_of(seed, length as u64))).collect();
        let (steps, expected, result) = reference_run(steps, &data);
        prop_assume!(!matches!(expected, Err(ReferenceFault::Overlap { .. } | ReferenceFault::NotWritten { .. })));

        // Room for two tables of single bytes, and behind them for single bytes with the widest gaps.
        let mut rig = Rig::with(Box::new(Faultless), 48 << 20);
        rig.bring_up(1, 4, control::MSIX);
        let pieces = scatter(&layout, length as u64, BASE + (24 << 20));
        for &(offset, length, address) in &pieces {
            let bytes = &data[offset as usize..(offset + length) as usize];
            rig.bus.at(address, bytes.len()).copy_from_slice(bytes);
        }
        let command = Command {
            bindings: vec![
                (view(&pieces, &touched(&steps, 1..4, length), &layout), binding_flags::DEVICE_READ),
                (view(&pieces, &touched(&steps, 0..1, length), &layout), binding_flags::DEVICE_WRITE),
            ],
            steps: steps.iter().map(translate).collect(),
            window: (WINDOW_BASE, SCRATCH),
        };
        let entry = rig.run(&command);
        match expected {
            Err(ReferenceFault::DivideByZero { step, element }) => {
                prop_assert_eq!(status_of(&entry), CompletionStatus::DivideByZero);
                let size = ElementType::from_byte(steps[step].element_type).expect("a type").size();
                prop_assert_eq!((entry.step, entry.operand, entry.offset), (step as u32, 2, element * size));
            }
            other => {
                prop_assert_eq!(other, Ok(()));
                prop_assert_eq!(status_of(&entry), CompletionStatus::Success);
                for &(offset, length, address) in &pieces {
                    let bytes = &result[offset as usize..(offset + length) as usize];
                    prop_assert!(rig.bus.at(address, bytes.len()) == bytes, "piece at {}", offset);
                }
            }
        }
    }
}
