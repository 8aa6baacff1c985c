//! What bytes stand for: a program, limits, a data buffer, and what scatter-gather lists look like.

use hawser_abi::program::{MAGIC, SubmitHeader, VERSION};
use hawser_core::{BufferShape, Costs, Limits, Room, max_pieces};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of a [`Control`].
pub const CONTROL: usize = size_of::<Control>();
/// Most steps for which a workspace has room.
const MOST_ROOM: u32 = 512;
/// Bytes of device-local memory for which it has room: fewer than a device has, since making room takes longer than checking.
const SCRATCH_ROOM: u64 = 256 << 10;

/// Chooses limits and lists. Zeros choose the limits of revision 1, a buffer at the start of a page, and right lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Control {
    /// Bits of [`flags`]; the four bits above them choose what mappings cost.
    pub flags: u8,
    /// Cache line: 64, 1, 2, 4 ... 128 bytes.
    pub line: u8,
    /// Most mappings: 8, 7 ... 0, and more than there can be.
    pub mappings: u8,
    /// Map registers.
    pub registers: u8,
    /// Bytes of the arena.
    pub arena: u8,
    /// Most steps, and room in the workspace.
    pub steps: u8,
    /// An operation that the device does not run.
    pub operation: u8,
    /// An element type that the device does not compute with.
    pub element: u8,
    /// Bytes from the start of a page to the data buffer, within a page.
    pub page_offset: u16,
    /// Bits of an address that the device can put on the bus, from 64 downwards.
    pub address_bits: u8,
    /// Pieces for which there is room; 0 for as many as there can be.
    pub pieces: u8,
    /// What scatter-gather lists and addresses are made of.
    pub seed: u32,
}

/// Bits of [`Control::flags`].
pub mod flags {
    /// The header is made right, so that the steps are looked at.
    pub const RIGHT_HEADER: u8 = 1;
    /// The data buffer does not have the length that the header states.
    pub const OTHER_LENGTH: u8 = 2;
    /// One scatter-gather element is wrong.
    pub const WRONG_ELEMENT: u8 = 4;
    /// Elements never continue each other.
    pub const SCATTERED: u8 = 8;
}

/// What is checked and planned.
#[derive(Clone, Debug)]
pub struct Case {
    /// The input buffer.
    pub program: Vec<u8>,
    /// The data buffer.
    pub shape: BufferShape,
    /// The limits.
    pub limits: Limits,
    /// What the workspace has room for.
    pub room: Room,
    /// Pieces for which there is room.
    pub pieces: usize,
    /// What the limits were made from.
    pub control: Control,
}

/// Costs with which mappings of pages are worth little more than copies.
const DEAR: Costs = Costs {
    mapping: 3000,
    page: 1000,
};

/// The entry of a table that a byte chooses.
fn choose<T: Copy>(table: &[T], byte: u8) -> T {
    table[usize::from(byte) % table.len()]
}

impl Case {
    /// The case that `bytes` stand for: a [`Control`], missing bytes of which are zero, and the input buffer.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let (head, program) = bytes.split_at(bytes.len().min(CONTROL));
        let mut control = Control::default();
        control.as_mut_bytes()[..head.len()].copy_from_slice(head);
        let mut program = program.to_vec();
        if control.flags & flags::RIGHT_HEADER != 0 {
            make_header_right(&mut program);
        }
        let header = SubmitHeader::read_from_prefix(&program).map(|(header, _)| header);
        let stated = header.map_or(0, |header| header.data_size);
        let other = control.flags & flags::OTHER_LENGTH != 0;
        let limits = limits(&control);
        let room = Room {
            steps: choose(&[MOST_ROOM, MOST_ROOM, 1, 3, 16], control.steps / 8),
            scratch: SCRATCH_ROOM,
        };
        let pieces = match control.pieces {
            0 => max_pieces(room.steps.min(limits.max_steps)),
            few => few.into(),
        };
        Self {
            program,
            shape: BufferShape {
                length: if other { stated / 2 } else { stated },
                page_offset: u32::from(control.page_offset) % 4096,
            },
            limits,
            room,
            pieces,
            control,
        }
    }

    /// The limits, as the model takes them.
    pub(super) fn model_limits(&self) -> hawser_core_model::Limits {
        hawser_core_model::Limits {
            steps: self.limits.max_steps.min(self.room.steps).into(),
            data: self.limits.max_data,
            scratch: self.limits.scratch_size.min(self.room.scratch),
            operations: self.limits.operations,
            element_types: self.limits.element_types,
            mappings: self.limits.max_mappings as usize,
            line: self.limits.dma_alignment.into(),
            map_registers: self.limits.map_registers.into(),
            mapping_cost: self.limits.costs.mapping.into(),
            page_cost: self.limits.costs.page.into(),
            arena: self.limits.arena_size,
            pieces: self.pieces as u64,
        }
    }

    /// The data buffer, as the model takes it.
    pub(super) fn buffer(&self) -> hawser_core_model::Buffer {
        hawser_core_model::Buffer {
            length: self.shape.length,
            page_offset: self.shape.page_offset.into(),
        }
    }
}

fn limits(control: &Control) -> Limits {
    let default = Limits::default();
    let without = |byte: u8, count: u8| match byte % count {
        0 => u64::MAX,
        number => !(1 << number),
    };
    Limits {
        max_steps: choose(&[default.max_steps, 1, 2, 5], control.steps),
        max_data: choose(&[default.max_data, u64::MAX, 1 << 20, 4096], control.arena / 16),
        max_mappings: choose(&[8, 7, 6, 5, 4, 3, 2, 1, 0, u32::MAX], control.mappings),
        scratch_size: choose(&[default.scratch_size, u64::MAX, 4096], control.arena / 64),
        arena_size: choose(&[default.arena_size, u64::MAX, 1 << 20, 4096, 512, 0], control.arena),
        dma_alignment: choose(&[64, 1, 2, 4, 8, 16, 32, 128], control.line),
        map_registers: choose(&[u32::MAX, 0, 1, 2, 3, 5, 16, 64], control.registers),
        operations: default.operations & without(control.operation, 30),
        element_types: default.element_types & without(control.element, 13) as u32,
        costs: choose(&[Costs::LEAST, Costs::FREE, DEAR], control.flags / 16),
        device_address_bits: 64 - u32::from(control.address_bits) % 33,
    }
}

/// Leaves what a header may choose, within the contract, and makes the rest right.
fn make_header_right(program: &mut Vec<u8>) {
    let head = size_of::<SubmitHeader>();
    let steps = program.len().saturating_sub(head) / 64;
    program.resize(head + 64 * steps, 0);
    let Ok((header, _)) = SubmitHeader::mut_from_prefix(program) else {
        return;
    };
    *header = SubmitHeader {
        magic: MAGIC,
        version: VERSION,
        header_size: 64,
        total_size: (head + 64 * steps) as u32,
        step_size: 64,
        reserved0: 0,
        step_count: steps as u32,
        flags: 0,
        reserved1: [0; 12],
        data_size: header.data_size % (1 << 30) + 1,
        scratch_size: header.scratch_size % (2 * SCRATCH_ROOM),
        ..*header
    };
}
