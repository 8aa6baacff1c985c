//! Programs written field by field: the builder of the client and the language would refuse to write these.

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{MAGIC, Space, Step, SubmitHeader, VERSION};
use zerocopy::{FromZeros, IntoBytes};

/// Bytes of the data buffer that the attacks are given.
pub const DATA: u64 = 4096;
/// Bytes of device-local memory that the attacks ask for.
pub const WINDOW: u64 = 1024;

/// Where an operand lies.
#[derive(Clone, Copy)]
pub struct Place {
    space: Space,
    offset: u64,
}

/// At `offset` in the data buffer.
pub const fn data(offset: u64) -> Place {
    let space = Space::Data;
    Place { space, offset }
}

/// At `offset` in device-local memory.
pub const fn local(offset: u64) -> Place {
    let space = Space::Scratch;
    Place { space, offset }
}

/// The step's immediate.
pub const IMMEDIATE: Place = Place {
    space: Space::Immediate,
    offset: 0,
};

/// A step on `count` elements. The first place is that of the destination, the others are those of the sources.
pub fn step<const N: usize>(opcode: Opcode, element: ElementType, count: u64, places: [Place; N]) -> Step {
    let mut step = Step::new_zeroed();
    (step.opcode, step.element_type, step.count) = (opcode as u8, element as u8, count);
    let fields = step.spaces.iter_mut().zip(&mut step.offsets);
    for ((space, offset), place) in fields.zip(places) {
        (*space, *offset) = (place.space as u8, place.offset);
    }
    step
}

/// A program with a correct header, which may then be made wrong.
pub fn program(steps: &[Step]) -> Vec<u8> {
    program_with(steps, |_| {})
}

/// The same with a header that `lie` changes.
pub fn program_with(steps: &[Step], lie: impl FnOnce(&mut SubmitHeader)) -> Vec<u8> {
    let steps = steps.as_bytes();
    let mut header = SubmitHeader {
        magic: MAGIC,
        version: VERSION,
        header_size: size_of::<SubmitHeader>() as u16,
        total_size: (size_of::<SubmitHeader>() + steps.len()) as u32,
        step_size: size_of::<Step>() as u16,
        step_count: (steps.len() / size_of::<Step>()) as u32,
        scratch_size: WINDOW,
        data_size: DATA,
        ..SubmitHeader::new_zeroed()
    };
    lie(&mut header);
    [header.as_bytes(), steps].concat()
}
