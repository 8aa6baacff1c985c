//! What a device did not write does not reach the user as somebody else's bytes: mappings from the device are cleared after a failed run, in every memory model.

mod common;

use common::{MODELS, open, program, result_of, step, stop, submit};
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::reason::Reason;
use hawser_device::{Accelerator, Behaviour};
use hawser_machine::{AcceleratorSlot, MemoryModel, SimBuffer, SimConfig, SimPc};

const SIZE: usize = 64 * 1024;
const HALF: usize = SIZE / 2;
/// What the request's owner has in the upper half before.
const BEFORE: u8 = 0x21;

fn config(memory: MemoryModel) -> SimConfig {
    let small = [
        ("TimeoutMs", 250),
        ("ArenaKiB", 2048),
        ("MaxSteps", 16),
        ("MaxDataKiB", 1024),
    ];
    SimConfig {
        memory,
        parameters: small.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        ..common::config()
    }
}

/// A step that makes the upper half from the lower half, word by word.
fn halves(opcode: Opcode, sources: &[u64]) -> Vec<u8> {
    let half = HALF as u64;
    program(
        SIZE as u64,
        1,
        &[step(opcode, ElementType::U32, half / 4, half, sources)],
    )
}

/// Words of 1 in the lower half, but for the one number `zero`.
fn buffer(pc: &SimPc, page_offset: usize, zero: usize) -> SimBuffer {
    let buffer = pc.allocate(SIZE, page_offset).expect("user memory");
    let words: Vec<u8> = (0..HALF / 4)
        .flat_map(|word| u32::from(word != zero).to_le_bytes())
        .collect();
    buffer.write(0, &words);
    buffer.write(HALF, &[BEFORE; HALF]);
    buffer
}

fn upper(buffer: &SimBuffer) -> Vec<u8> {
    let mut bytes = vec![0; HALF];
    buffer.read(HALF, &mut bytes);
    bytes
}

/// The request ends for `reason`. What was mapped for the device to write is zeros, and the rest is as it was.
fn is_cleared(pc: &SimPc, request: &[u8], buffer: &SimBuffer, reason: Reason) {
    let handle = open(pc);
    assert_eq!(submit(&handle, request, Some(buffer)).status, reason.status());
    let record = result_of(&handle, 1).expect("a record");
    assert!(record.bytes_from_device > 0, "a mapping is what this is about");
    let upper = upper(buffer);
    let zeros = upper.iter().filter(|byte| **byte == 0).count();
    assert_eq!(zeros as u64, record.bytes_from_device);
    let kept = upper.iter().filter(|byte| **byte == BEFORE).count();
    assert_eq!(zeros + kept, HALF, "somebody else's bytes, or results of a failed run");
    handle.close();
}

#[test]
fn a_fault_leaves_zeros_in_every_memory_model() {
    let request = halves(Opcode::Div, &[0, 0]);
    for memory in MODELS {
        let pc = SimPc::start(&config(memory)).expect("the PC starts");
        // The second offset leaves bytes in front of and behind the whole cache lines.
        for page_offset in [0, 20] {
            for zero in [0, HALF / 4 - 1] {
                println!("{memory:?}, page offset {page_offset}, word {zero} is zero");
                is_cleared(&pc, &request, &buffer(&pc, page_offset, zero), Reason::DivideByZero);
            }
        }
        stop(pc);
    }
}

struct Hangs;

impl Behaviour for Hangs {
    fn fetches(&mut self, _queue: u16) -> bool {
        false
    }
}

#[test]
fn a_program_that_is_stopped_leaves_zeros_in_every_memory_model() {
    let request = halves(Opcode::Copy, &[0]);
    for memory in MODELS {
        println!("{memory:?}");
        let device = AcceleratorSlot::new(Accelerator::with_behaviour(Box::new(Hangs)));
        let pc = SimPc::start_with(&config(memory), Box::new(device)).expect("the PC starts");
        is_cleared(&pc, &request, &buffer(&pc, 0, 0), Reason::TimedOut);
        stop(pc);
    }
}
