//! A minimal driver: brings the device up, builds descriptors, submits commands, collects completions.

use hawser_abi::descriptor::{
    Binding, Descriptor, DeviceStep, IN_IMMEDIATE, IN_SCRATCH, NOWHERE, Segment, binding_flags,
};
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::queue::{COMMAND_RUN, CompletionEntry, CompletionStatus, PHASE, SubmissionEntry};
use hawser_abi::registers::{self, control, cq_head_doorbell, queue_offset, queue_register, sq_tail_doorbell, status};
use hawser_device::{Accelerator, Activity, Behaviour, BusMaster, Faultless};
use zerocopy::{FromBytes, IntoBytes};

use crate::bus::{BASE, TestBus};

/// Pieces of work after which a command counts as never ending.
const PATIENCE: usize = 2_000_000;

/// What the driver knows of a queue.
#[derive(Clone, Copy, Default)]
pub struct Rings {
    pub sq: u64,
    pub cq: u64,
    pub entries: u32,
    pub tail: u32,
    pub head: u32,
    pub phase: u16,
}

/// Device, host and driver.
pub struct Rig {
    pub device: Accelerator,
    pub bus: TestBus,
    pub rings: [Rings; 4],
    free: u64,
}

/// A placed descriptor.
#[derive(Clone, Copy)]
pub struct Placed {
    pub address: u64,
    pub length: u32,
}

/// What becomes a descriptor.
#[derive(Clone)]
pub struct Command {
    pub bindings: Vec<(Vec<Segment>, u32)>,
    pub steps: Vec<DeviceStep>,
    pub window: (u64, u64),
}

impl Rig {
    pub fn new() -> Self {
        Self::with(Box::new(Faultless), 16 << 20)
    }

    pub fn with(behaviour: Box<dyn Behaviour>, memory: usize) -> Self {
        let mut rig = Self {
            device: Accelerator::with_behaviour(behaviour),
            bus: TestBus::new(memory),
            rings: Default::default(),
            free: BASE,
        };
        rig.device.set_bus_master(BusMaster::Enabled);
        rig
    }

    /// A device with queue 0 of 16 entries, MSI-X, nothing masked.
    pub fn running() -> Self {
        let mut rig = Self::new();
        rig.bring_up(1, 16, control::MSIX);
        rig
    }

    pub fn bring_up(&mut self, queues: u16, entries: u32, mode: u32) {
        self.wait_ready();
        for queue in 0..queues {
            self.set_up_queue(queue, entries);
        }
        self.write(registers::CONTROL, control::ENABLE | mode);
        self.write(registers::INT_MASK_CLEAR, u32::MAX);
    }

    /// Configures and enables a queue; one that was set up before keeps its memory.
    pub fn set_up_queue(&mut self, queue: u16, entries: u32) {
        let before = self.rings[usize::from(queue)];
        let (sq, cq) = if before.entries == entries {
            (before.sq, before.cq)
        } else {
            (
                self.alloc(entries as usize * 64, 4096),
                self.alloc(entries as usize * 32, 4096),
            )
        };
        self.bus.at(cq, entries as usize * 32).fill(0);
        self.write64(queue_register(queue, queue_offset::SQ_BASE), sq);
        self.write64(queue_register(queue, queue_offset::CQ_BASE), cq);
        self.write(queue_register(queue, queue_offset::SQ_ENTRIES), entries);
        self.write(queue_register(queue, queue_offset::CQ_ENTRIES), entries);
        self.write(queue_register(queue, queue_offset::MESSAGE), 1 + u32::from(queue));
        self.write(queue_register(queue, queue_offset::ENABLE), 1);
        self.rings[usize::from(queue)] = Rings {
            sq,
            cq,
            entries,
            phase: PHASE,
            ..Rings::default()
        };
    }

    pub fn wait_ready(&mut self) {
        for _ in 0..64 {
            if self.read(registers::STATUS) & status::READY != 0 {
                return;
            }
            self.step();
        }
        panic!("the device did not become ready");
    }

    pub fn read(&mut self, offset: u64) -> u32 {
        self.device.read_register(offset, 4, &mut self.bus) as u32
    }

    pub fn read64(&mut self, offset: u64) -> u64 {
        self.device.read_register(offset, 8, &mut self.bus)
    }

    pub fn write(&mut self, offset: u64, value: u32) {
        self.device.write_register(offset, 4, value.into(), &mut self.bus);
    }

    pub fn write64(&mut self, offset: u64, value: u64) {
        self.device.write_register(offset, 8, value, &mut self.bus);
    }

    pub fn step(&mut self) -> Activity {
        self.device.step(&mut self.bus)
    }

    /// Steps until the device has nothing to do now.
    pub fn settle(&mut self) -> Activity {
        for _ in 0..PATIENCE {
            match self.step() {
                Activity::Busy => {}
                settled => return settled,
            }
        }
        panic!("the device is never done");
    }

    pub fn alloc(&mut self, length: usize, align: u64) -> u64 {
        let address = self.free.next_multiple_of(align);
        self.free = address + length as u64;
        assert!(
            self.free <= BASE + self.bus.memory.len() as u64,
            "the test's memory is full"
        );
        address
    }

    pub fn put(&mut self, bytes: &[u8], align: u64) -> u64 {
        let address = self.alloc(bytes.len(), align);
        self.bus.at(address, bytes.len()).copy_from_slice(bytes);
        address
    }

    /// Lays a command out in host memory.
    pub fn place(&mut self, command: &Command) -> Placed {
        let bytes = self.layout(command);
        self.put_descriptor(&bytes)
    }

    pub fn put_descriptor(&mut self, bytes: &[u8]) -> Placed {
        Placed {
            address: self.put(bytes, 64),
            length: bytes.len() as u32,
        }
    }

    /// The bytes of a command's descriptor; its segment tables are put into host memory.
    pub fn layout(&mut self, command: &Command) -> Vec<u8> {
        let bindings: Vec<Binding> = command
            .bindings
            .iter()
            .map(|(segments, flags)| Binding {
                segment_table: self.put(segments.as_bytes(), 16),
                length: segments.iter().map(|segment| segment.length).sum(),
                segments: segments.len() as u32,
                flags: *flags,
                reserved: 0,
            })
            .collect();
        let steps_offset = 64 + 32 * bindings.len() as u32;
        let head = Descriptor {
            length: steps_offset + 64 * command.steps.len() as u32,
            binding_count: bindings.len() as u32,
            bindings_offset: 64,
            step_count: command.steps.len() as u32,
            steps_offset,
            reserved0: 0,
            scratch_base: command.window.0,
            scratch_length: command.window.1,
            reserved1: [0; 24],
        };
        [head.as_bytes(), bindings.as_bytes(), command.steps.as_bytes()].concat()
    }

    pub fn submit(&mut self, queue: u16, tag: u16, placed: Placed) {
        self.submit_entry(
            queue,
            SubmissionEntry {
                command: COMMAND_RUN,
                reserved0: 0,
                tag,
                generation: 0x1000 + u32::from(tag),
                descriptor: placed.address,
                descriptor_length: placed.length,
                reserved1: [0; 44],
            },
        );
    }

    pub fn submit_entry(&mut self, queue: u16, entry: SubmissionEntry) {
        let rings = &mut self.rings[usize::from(queue)];
        let at = rings.sq + u64::from(rings.tail) * 64;
        rings.tail = (rings.tail + 1) % rings.entries;
        let tail = rings.tail;
        self.bus.at(at, 64).copy_from_slice(entry.as_bytes());
        self.write(sq_tail_doorbell(queue), tail);
    }

    /// Takes the next completion and rings the doorbell.
    pub fn take(&mut self, queue: u16) -> Option<CompletionEntry> {
        let entry = self.peek(queue)?;
        let rings = &mut self.rings[usize::from(queue)];
        rings.head = (rings.head + 1) % rings.entries;
        if rings.head == 0 {
            rings.phase ^= PHASE;
        }
        let head = rings.head;
        self.write(cq_head_doorbell(queue), head);
        Some(entry)
    }

    /// The next completion, if its phase says that it is one.
    pub fn peek(&mut self, queue: u16) -> Option<CompletionEntry> {
        let rings = self.rings[usize::from(queue)];
        let bytes = self.bus.at(rings.cq + u64::from(rings.head) * 32, 32);
        let entry = CompletionEntry::read_from_bytes(bytes).expect("32 bytes");
        assert_eq!(entry.phase & !PHASE, 0);
        (entry.phase == rings.phase).then_some(entry)
    }

    /// Runs one command on queue 0 to its end.
    pub fn run(&mut self, command: &Command) -> CompletionEntry {
        let placed = self.place(command);
        self.run_placed(placed)
    }

    pub fn run_placed(&mut self, placed: Placed) -> CompletionEntry {
        self.submit(0, 7, placed);
        self.settle();
        self.take(0).expect("a completion")
    }

    /// Asserts that the device stopped for the fault with this code.
    pub fn assert_fatal(&mut self, code: u32) {
        assert_eq!(self.read(registers::STATUS), status::FATAL);
        assert_eq!(
            self.read(registers::FAULT_CODE),
            code,
            "{:?}",
            self.device.fault_detail()
        );
    }
}

impl Command {
    /// A command with one binding for both directions.
    pub fn on(segments: Vec<Segment>, steps: Vec<DeviceStep>) -> Self {
        Self {
            bindings: vec![(segments, binding_flags::ALL)],
            steps,
            window: (0, 1 << 20),
        }
    }
}

pub fn segment(address: u64, length: u64) -> Segment {
    Segment { address, length }
}

/// An operand: its place and offset.
pub type Operand = (u8, u64);
pub const NONE: Operand = (NOWHERE, 0);
pub const IMMEDIATE: Operand = (IN_IMMEDIATE, 0);

pub fn scratch(offset: u64) -> Operand {
    (IN_SCRATCH, offset)
}

pub fn step(opcode: Opcode, element: ElementType, count: u64, operands: [Operand; 4]) -> DeviceStep {
    DeviceStep {
        opcode: opcode as u8,
        element_type: element as u8,
        aux_type: 0,
        flags: 0,
        where_: operands.map(|operand| operand.0),
        count,
        offsets: operands.map(|operand| operand.1),
        immediate: 0,
        aux: [0; 2],
    }
}

/// `dst[..] = bits`, through binding 0.
pub fn fill(element: ElementType, dst: u64, count: u64, bits: u64) -> DeviceStep {
    DeviceStep {
        immediate: bits,
        ..step(Opcode::Fill, element, count, [(0, dst), IMMEDIATE, NONE, NONE])
    }
}

pub fn status_of(entry: &CompletionEntry) -> CompletionStatus {
    CompletionStatus::from_byte(entry.status).expect("a status of the contract")
}
