//! Translates the program and compares what the device gets with what the program says.

use hawser_abi::descriptor::{
    Binding, Descriptor, IN_IMMEDIATE, IN_SCRATCH, NOWHERE, READ_BINDING, WRITE_BINDING, binding_flags,
};
use hawser_core::{Accepted, DescriptorPlace, Plan, translate, write_descriptor};
use zerocopy::IntoBytes;

use super::arena::Arena;
use super::case::Case;
use super::tables::BLOCK;
use crate::Difference;

const SCRATCH_BASE: u64 = 0x1_0000;
const STEP: usize = 64;

pub(super) fn compare(
    case: &Case,
    accepted: &Accepted<'_, '_>,
    plan: &Plan,
    arena: &mut Arena,
) -> Result<(), Difference> {
    let layout = plan.layout();
    let translated = translate(accepted, layout, arena);
    Difference::unless_equal("translation", &translated, &Ok(()))?;
    let steps = &case.program[STEP..];
    let expected: Vec<u8> = steps.chunks(STEP).flat_map(device_step).collect();
    let found = arena.read(layout.steps.0, expected.len() as u64);
    Difference::unless_equal("translated steps", &found, &Some(expected))?;

    let place = DescriptorPlace {
        block: BLOCK,
        scratch_base: SCRATCH_BASE,
        read_segments: layout.read_capacity,
        write_segments: layout.write_capacity,
    };
    let head = write_descriptor(&accepted.checked(), layout, &place, arena);
    let length = 128 + steps.len() as u32;
    let head = head.map(|head| (head.address, head.length));
    Difference::unless_equal("descriptor's place", &head, &Ok((BLOCK.at(layout.descriptor), length)))?;
    let descriptor = Descriptor {
        length,
        binding_count: 2,
        bindings_offset: 64,
        step_count: (steps.len() / STEP) as u32,
        steps_offset: 128,
        reserved0: 0,
        scratch_base: SCRATCH_BASE,
        scratch_length: u64::from_le_bytes(case.program[32..40].try_into().expect("8 bytes")),
        reserved1: [0; 24],
    };
    let binding = |table: hawser_core::BlockOffset, segments, flags| Binding {
        segment_table: BLOCK.0 + table.0,
        length: case.shape.length,
        segments,
        flags,
        reserved: 0,
    };
    let bindings = [
        binding(layout.read_table, layout.read_capacity, binding_flags::DEVICE_READ),
        binding(layout.write_table, layout.write_capacity, binding_flags::DEVICE_WRITE),
    ];
    let written = arena.read(layout.descriptor.0, 64);
    Difference::unless_equal("descriptor", &written, &Some(descriptor.as_bytes().to_vec()))?;
    let written = arena.read(layout.bindings.0, 64);
    Difference::unless_equal("bindings", &written, &Some(bindings.as_bytes().to_vec()))
}

/// The step with the device's names of places.
fn device_step(step: &[u8]) -> Vec<u8> {
    let mut device = step.to_vec();
    for (operand, place) in device[4..8].iter_mut().enumerate() {
        *place = match (*place, operand) {
            (1, 0) => WRITE_BINDING,
            (1, _) => READ_BINDING,
            (2, _) => IN_SCRATCH,
            (3, _) => IN_IMMEDIATE,
            _ => NOWHERE,
        };
    }
    device
}
