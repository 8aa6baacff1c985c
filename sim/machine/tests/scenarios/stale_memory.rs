//! What a device did not write does not reach the user as somebody else's bytes: mappings from the device are cleared after a failed run, in every memory model. And where
//! a mapping has a gap all the same, bounce buffers bring stale bytes through it: this is what the planner's rule of complete writes is for.

use crate::common::{MODELS, open, result_of, stop, submit, upper_half};
use hawser_abi::descriptor::DeviceStep;
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::reason::Reason;
use hawser_device::{Accelerator, Behaviour};
use hawser_machine::{AcceleratorSlot, MemoryModel, SimBuffer, SimConfig, SimPc};
use ntsim::hal::STALE;
use ntsim::pci::{Activity, DevicePort, DmaFault, Identity, Level, PciFunction, PowerState};
use zerocopy::{FromBytes, IntoBytes};

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
        ..crate::common::config()
    }
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
    let request = upper_half(SIZE, 1, Opcode::Div, &[0, 0]);
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
    let request = upper_half(SIZE, 1, Opcode::Copy, &[0]);
    for memory in MODELS {
        println!("{memory:?}");
        let device = AcceleratorSlot::new(Accelerator::with_behaviour(Box::new(Hangs)));
        let pc = SimPc::start_with(&config(memory), Box::new(device)).expect("the PC starts");
        is_cleared(&pc, &request, &buffer(&pc, 0, 0), Reason::TimedOut);
        stop(pc);
    }
}

/// A device in whose programs copies are half as long as the driver wrote them: whatever the driver maps for a copy to write is then a plan with a gap.
struct Shortened(AcceleratorSlot);

/// The host as that device sees it.
struct ShorterCopies<'p>(&'p mut dyn DevicePort);

impl DevicePort for ShorterCopies<'_> {
    fn dma_read(&mut self, address: u64, data: &mut [u8]) -> Result<(), DmaFault> {
        self.0.dma_read(address, data)?;
        for bytes in data.chunks_exact_mut(size_of::<DeviceStep>()) {
            let mut step = DeviceStep::read_from_bytes(bytes).expect("the size is right");
            let kind = (step.opcode, step.element_type, step.count);
            if kind == (Opcode::Copy as u8, ElementType::U32 as u8, HALF as u64 / 4) {
                step.count /= 2;
                bytes.copy_from_slice(step.as_bytes());
            }
        }
        Ok(())
    }

    fn dma_write(&mut self, address: u64, data: &[u8]) -> Result<(), DmaFault> {
        self.0.dma_write(address, data)
    }

    fn message(&mut self, number: u16) {
        self.0.message(number);
    }

    fn line(&mut self, level: Level) {
        self.0.line(level);
    }

    fn now_ns(&self) -> u64 {
        self.0.now_ns()
    }

    fn messages_granted(&self) -> u16 {
        self.0.messages_granted()
    }
}

impl PciFunction for Shortened {
    fn identity(&self) -> Identity {
        self.0.identity()
    }

    fn read(&mut self, bar: u8, offset: u64, width: u8) -> u64 {
        self.0.read(bar, offset, width)
    }

    fn write(&mut self, bar: u8, offset: u64, width: u8, value: u64, port: &mut dyn DevicePort) {
        self.0.write(bar, offset, width, value, &mut ShorterCopies(port));
    }

    fn step(&mut self, port: &mut dyn DevicePort) -> Activity {
        self.0.step(&mut ShorterCopies(port))
    }

    fn set_bus_master(&mut self, enabled: bool) {
        self.0.set_bus_master(enabled);
    }

    fn set_power(&mut self, state: PowerState) {
        self.0.set_power(state);
    }

    fn unplug(&mut self) {
        self.0.unplug();
    }
}

#[test]
fn a_plan_with_a_gap_leaks_stale_bytes_where_memory_is_bounced() {
    for memory in MODELS {
        println!("{memory:?}");
        let device = Shortened(AcceleratorSlot::new(Accelerator::new()));
        let pc = SimPc::start_with(&config(memory), Box::new(device)).expect("the PC starts");
        let handle = open(&pc);
        let buffer = buffer(&pc, 0, usize::MAX);
        let outcome = submit(&handle, &upper_half(SIZE, 1, Opcode::Copy, &[0]), Some(&buffer));
        assert_eq!(outcome.status, 0, "nothing tells: the data is wrong");
        let record = result_of(&handle, 1).expect("a record");
        assert_eq!(record.bytes_from_device, HALF as u64);
        let upper = upper(&buffer);
        let (written, gap) = upper.split_at(HALF / 2);
        assert!(written.chunks(4).all(|word| word == 1_u32.to_le_bytes()));
        let found = if memory == MemoryModel::Bounce { STALE } else { BEFORE };
        assert!(gap.iter().all(|byte| *byte == found), "{memory:?}: {:#x}", gap[0]);
        handle.close();
        stop(pc);
    }
}
