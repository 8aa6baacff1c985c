//! Writes a checked program in the form that the device executes.

use hawser_abi::descriptor::{
    Binding, Descriptor, DeviceStep, IN_IMMEDIATE, IN_SCRATCH, NOWHERE, READ_BINDING, WRITE_BINDING, binding_flags,
};
use hawser_abi::program::{Space, Step};
use zerocopy::IntoBytes;

use crate::address::{BlockOffset, DeviceAddress};
use crate::check::{Accepted, Checked};
use crate::combination::{COMBINATIONS, combination, spaces};
use crate::layout::{ArenaLayout, BINDINGS};
use crate::writer::{ArenaWriter, OutsideArena};

/// The steps of a program that was checked, as the device gets them: what they were when they were checked.
///
/// Offsets stay as they are; spaces become bindings. A destination can only become [`WRITE_BINDING`] and a source only [`READ_BINDING`],
/// whatever the step says.
#[inline(always)]
pub fn device_steps(accepted: &Accepted<'_, '_>) -> impl Iterator<Item = DeviceStep> {
    let copy = accepted.copy();
    let steps = copy.rows().iter().zip(copy.rests());
    steps.map(|(row, rest)| device_step(&rest.step(row.offsets())))
}

/// Writes these steps into the block for which the program was planned.
pub fn translate(
    accepted: &Accepted<'_, '_>,
    layout: &ArenaLayout,
    writer: &mut impl ArenaWriter,
) -> Result<(), OutsideArena> {
    let mut at = layout.steps;
    for step in device_steps(accepted) {
        writer.write(at, step.as_bytes())?;
        at = at.plus(size_of::<DeviceStep>() as u64);
    }
    Ok(())
}

#[inline(always)]
fn device_step(step: &Step) -> DeviceStep {
    DeviceStep {
        opcode: step.opcode,
        element_type: step.element_type,
        aux_type: step.aux_type,
        flags: step.flags,
        where_: bindings(step.spaces),
        count: step.count,
        offsets: step.offsets,
        immediate: step.immediate,
        aux: step.aux,
    }
}

/// What the spaces of a step become; nothing if one of them is unknown, which a check has refused.
///
/// A table, because the spaces of steps follow no pattern: branches on them would be mispredicted.
#[inline(always)]
fn bindings(spaces: [u8; 4]) -> [u8; 4] {
    let spaces = u32::from_le_bytes(spaces);
    if spaces & !0x0303_0303 != 0 {
        return [NOWHERE; 4];
    }
    PLACES.get(combination(spaces)).copied().unwrap_or([NOWHERE; 4])
}

/// What each combination of spaces becomes.
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "made when the crate is built, where a wrong index is an error"
)]
static PLACES: [[u8; 4]; COMBINATIONS] = {
    let mut places = [[NOWHERE; 4]; COMBINATIONS];
    let mut number = 0;
    while number < COMBINATIONS {
        let [destination, a, b, c] = spaces(number);
        places[number] = [
            place(destination, WRITE_BINDING),
            place(a, READ_BINDING),
            place(b, READ_BINDING),
            place(c, READ_BINDING),
        ];
        number += 1;
    }
    places
};

/// What a space becomes if the data buffer becomes `data_binding`.
const fn place(space: usize, data_binding: u8) -> u8 {
    const DATA: usize = Space::Data as usize;
    const SCRATCH: usize = Space::Scratch as usize;
    const IMMEDIATE: usize = Space::Immediate as usize;
    match space {
        DATA => data_binding,
        SCRATCH => IN_SCRATCH,
        IMMEDIATE => IN_IMMEDIATE,
        _ => NOWHERE,
    }
}

/// Where a program runs, known when everything is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DescriptorPlace {
    /// Address of the request's block of the arena, a multiple of 64.
    pub block: DeviceAddress,
    /// First byte of the program's window of device-local memory.
    pub scratch_base: u64,
    /// Segments of the table of what is read.
    pub read_segments: u32,
    /// Segments of the table of what is written.
    pub write_segments: u32,
}

/// What the submission entry says of a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DescriptorHead {
    /// Address of the descriptor.
    pub address: DeviceAddress,
    /// Bytes of descriptor, bindings and steps.
    pub length: u32,
}

/// Writes descriptor and bindings.
pub fn write_descriptor(
    checked: &Checked,
    layout: &ArenaLayout,
    place: &DescriptorPlace,
    writer: &mut impl ArenaWriter,
) -> Result<DescriptorHead, OutsideArena> {
    let length = u32::try_from(layout.descriptor_length()).map_err(|_| OutsideArena)?;
    let binding = |table: BlockOffset, segments, flags| Binding {
        segment_table: place.block.at(table).0,
        length: checked.data_length(),
        segments,
        flags,
        reserved: 0,
    };
    let descriptor = Descriptor {
        length,
        binding_count: BINDINGS,
        bindings_offset: offset_in_descriptor(layout, layout.bindings)?,
        step_count: checked.step_count(),
        steps_offset: offset_in_descriptor(layout, layout.steps)?,
        reserved0: 0,
        scratch_base: place.scratch_base,
        scratch_length: checked.scratch_size(),
        reserved1: [0; 24],
    };
    // In the order of their numbers: READ_BINDING, WRITE_BINDING.
    let bindings = [
        binding(layout.read_table, place.read_segments, binding_flags::DEVICE_READ),
        binding(layout.write_table, place.write_segments, binding_flags::DEVICE_WRITE),
    ];
    writer.write(layout.descriptor, descriptor.as_bytes())?;
    writer.write(layout.bindings, bindings.as_bytes())?;
    Ok(DescriptorHead {
        address: place.block.at(layout.descriptor),
        length,
    })
}

fn offset_in_descriptor(layout: &ArenaLayout, part: BlockOffset) -> Result<u32, OutsideArena> {
    u32::try_from(part.0.saturating_sub(layout.descriptor.0)).map_err(|_| OutsideArena)
}

#[cfg(test)]
mod tests;
