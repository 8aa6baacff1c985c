//! Property: whatever the program and however its data lies in memory, the device computes bit for bit what the reference computes, and takes
//! the cycles that were forecast.

pub mod steps;

use hawser_abi::descriptor::{HOLE, Segment, binding_flags};
use hawser_abi::program::Step;
use hawser_abi::queue::CompletionStatus;
use hawser_abi::registers::control;
use hawser_device::reference::{self, ReferenceFault};
use hawser_device::{Faultless, NotForecast, Tables, forecast};
use proptest::prelude::*;

use crate::bus::BASE;
use crate::rig::{Command, Rig, segment, status_of};
use crate::semantics::program;
use steps::{SCRATCH, extents, prepare_scratch, seeds, step_of, touched, translate};

const WINDOW_BASE: u64 = 4096;

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

/// The cycles that are forecast for a command with a binding for what is read and one for what is written.
fn foreseen(command: &Command) -> Result<u64, NotForecast> {
    let [read, write] = [0, 1].map(|binding| command.bindings[binding].0.as_slice());
    let tables = Tables {
        read,
        write,
        scratch_length: command.window.1,
    };
    Ok(forecast(&tables, &command.steps)?.cycles())
}

fn patterned(length: usize, pattern: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    fastrand::Rng::with_seed(pattern).fill(&mut bytes);
    match pattern % 4 {
        // Small numbers, so that division by zero and exact results come up.
        0 => bytes.chunks_mut(4).for_each(|chunk| {
            chunk[1..].fill(0);
            chunk[0] &= 0x0F;
        }),
        // Floats of every width around 1.
        1 => bytes.chunks_mut(2).for_each(|chunk| chunk[1] = chunk[1] & 0x83 | 0x3C),
        // Small numbers of 16 bits and of either sign, among zeros.
        2 => bytes.chunks_mut(2).for_each(|chunk| {
            let sign = if chunk[1] & 1 == 0 { 0 } else { 0xFF };
            chunk[0] = (chunk[0] & 0x07) ^ sign;
            chunk[1] = sign;
        }),
        _ => {}
    }
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
        // A single step may be left that both would refuse.
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
                let (_, size) = extents(&steps[step])[2];
                prop_assert_eq!((entry.step, entry.operand, entry.offset), (step as u32, 2, element * size));
            }
            other => {
                prop_assert_eq!(other, Ok(()));
                prop_assert_eq!(status_of(&entry), CompletionStatus::Success);
                prop_assert_eq!(Ok(entry.cycles), foreseen(&command));
                for &(offset, length, address) in &pieces {
                    let bytes = &result[offset as usize..(offset + length) as usize];
                    prop_assert!(rig.bus.at(address, bytes.len()) == bytes, "piece at {}", offset);
                }
            }
        }
    }
}
