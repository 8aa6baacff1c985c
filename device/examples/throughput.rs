//! Measures how fast the device model and the reference interpreter run large steps.

use std::time::Instant;

use hawser_abi::descriptor::{Binding, Descriptor, DeviceStep, NOWHERE, Segment, binding_flags};
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{MAGIC, Space, Step, SubmitHeader, VERSION};
use hawser_abi::queue::{COMMAND_RUN, SubmissionEntry};
use hawser_abi::registers::{CONTROL, control, queue_offset, queue_register, sq_tail_doorbell};
use hawser_device::{Accelerator, Activity, BusError, BusMaster, HostBus, reference};
use zerocopy::IntoBytes;

const DATA: usize = 256 << 20;
/// Rings, descriptor and tables are behind the data.
const SQ: usize = DATA;
const CQ: usize = DATA + 0x1000;
const DESCRIPTOR: usize = DATA + 0x2000;
const TABLE: usize = DATA + 0x3000;
const TOTAL: usize = DATA + (4 << 20);

struct Memory(Vec<u8>);

impl HostBus for Memory {
    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), BusError> {
        let from = self.0.get(address as usize..).and_then(|bytes| bytes.get(..into.len()));
        into.copy_from_slice(from.ok_or(BusError)?);
        Ok(())
    }

    fn write(&mut self, address: u64, from: &[u8]) -> Result<(), BusError> {
        let into = self
            .0
            .get_mut(address as usize..)
            .and_then(|bytes| bytes.get_mut(..from.len()));
        into.ok_or(BusError)?.copy_from_slice(from);
        Ok(())
    }

    fn message(&mut self, _vector: u16) {}

    fn line(&mut self, _asserted: bool) {}

    fn now_ns(&self) -> u64 {
        0
    }
}

impl Memory {
    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

/// `b = op(a, b, a)` over the two halves of the data, in pages whose order is reversed.
fn run(opcode: Opcode, element: ElementType, sources: usize) {
    let half = DATA as u64 / 2;
    let mut memory = Memory(vec![0x3C; TOTAL]);
    let segments: Vec<Segment> = (0..DATA / 4096)
        .rev()
        .map(|page| Segment {
            address: page as u64 * 4096,
            length: 4096,
        })
        .collect();
    let mut step = DeviceStep {
        opcode: opcode as u8,
        element_type: element as u8,
        aux_type: 0,
        flags: 0,
        where_: [0, 0, 0, 0],
        count: half / element.size(),
        offsets: [half, 0, half, 0],
        immediate: 0,
        aux: [0; 2],
    };
    for position in 1 + sources..4 {
        step.where_[position] = NOWHERE;
        step.offsets[position] = 0;
    }
    let head = Descriptor {
        length: 160,
        binding_count: 1,
        bindings_offset: 64,
        step_count: 1,
        steps_offset: 96,
        reserved0: 0,
        scratch_base: 0,
        scratch_length: 0,
        reserved1: [0; 24],
    };
    let binding = Binding {
        segment_table: TABLE as u64,
        length: DATA as u64,
        segments: segments.len() as u32,
        flags: binding_flags::ALL,
        reserved: 0,
    };
    let entry = SubmissionEntry {
        command: COMMAND_RUN,
        reserved0: 0,
        tag: 0,
        generation: 1,
        descriptor: DESCRIPTOR as u64,
        descriptor_length: 160,
        reserved1: [0; 44],
    };
    memory.put(SQ, entry.as_bytes());
    memory.put(
        DESCRIPTOR,
        &[head.as_bytes(), binding.as_bytes(), step.as_bytes()].concat(),
    );
    memory.put(TABLE, segments.as_bytes());
    let mut device = Accelerator::new();
    device.set_bus_master(BusMaster::Enabled);
    while device.step(&mut memory) == Activity::Busy {}
    for (offset, width, value) in [
        (queue_register(0, queue_offset::SQ_BASE), 8, SQ as u64),
        (queue_register(0, queue_offset::CQ_BASE), 8, CQ as u64),
        (queue_register(0, queue_offset::SQ_ENTRIES), 4, 16),
        (queue_register(0, queue_offset::CQ_ENTRIES), 4, 16),
        (queue_register(0, queue_offset::ENABLE), 4, 1),
        (CONTROL, 4, u64::from(control::ENABLE | control::MSIX)),
        (sq_tail_doorbell(0), 4, 1),
    ] {
        device.write_register(offset, width, value, &mut memory);
    }
    let start = Instant::now();
    while device.step(&mut memory) == Activity::Busy {}
    let device_time = start.elapsed();
    assert_eq!(memory.0[CQ + 28], 0, "the step succeeds");

    let submitted = Step {
        opcode: step.opcode,
        element_type: step.element_type,
        aux_type: 0,
        flags: 0,
        spaces: step
            .where_
            .map(|place| if place == NOWHERE { Space::None } else { Space::Data } as u8),
        count: step.count,
        offsets: step.offsets,
        immediate: 0,
        aux: [0; 2],
    };
    let header = SubmitHeader {
        magic: MAGIC,
        version: VERSION,
        header_size: 64,
        total_size: 128,
        step_size: 64,
        reserved0: 0,
        step_count: 1,
        flags: 0,
        cookie: 0,
        scratch_size: 0,
        data_size: DATA as u64,
        timeout_ms: 0,
        reserved1: [0; 12],
    };
    let program = [header.as_bytes(), submitted.as_bytes()].concat();
    let mut data = vec![0x3C; DATA];
    let start = Instant::now();
    let result = reference::run(&program, &mut data);
    let reference_time = start.elapsed();
    assert_eq!(result, Ok(()));
    println!(
        "{:>4} {:<4} destination of {} MiB: device {:>6.0} MB/s, reference {:>6.0} MB/s",
        opcode.name(),
        element.name(),
        half >> 20,
        half as f64 / 1e6 / device_time.as_secs_f64(),
        half as f64 / 1e6 / reference_time.as_secs_f64()
    );
}

fn main() {
    run(Opcode::Copy, ElementType::F32, 1);
    run(Opcode::Add, ElementType::I32, 2);
    run(Opcode::Div, ElementType::I32, 2);
    run(Opcode::Add, ElementType::F32, 2);
    run(Opcode::Max, ElementType::F32, 2);
    run(Opcode::Fma, ElementType::F32, 3);
    run(Opcode::Fma, ElementType::F64, 3);
    run(Opcode::Sum, ElementType::F32, 1);
}
