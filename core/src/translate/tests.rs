//! Reads back what was written for the device.

use std::vec;
use std::vec::Vec;

use hawser_abi::op::{ElementType, Opcode};
use zerocopy::{FromBytes, FromZeros};

use super::*;
use crate::header::STEP_SIZE;
use crate::limits::Limits;
use crate::pieces::Piece;
use crate::plan::{Plan, max_pieces};
use crate::testing::{
    IMMEDIATE, READ, VecArena, WRITTEN, buffer, data, header, planned, program, scratch, step, with_planned,
};

#[test]
fn spaces_become_bindings_and_all_else_stays() {
    let source = Step {
        immediate: 0x1234,
        ..step(
            Opcode::Fma,
            ElementType::F32,
            5,
            &[data(8), data(16), IMMEDIATE, scratch(24)],
        )
    };
    let expected = DeviceStep {
        opcode: 10,
        element_type: 11,
        aux_type: 0,
        flags: 0,
        where_: [WRITE_BINDING, READ_BINDING, IN_IMMEDIATE, IN_SCRATCH],
        count: 5,
        offsets: [8, 16, 0, 24],
        immediate: 0x1234,
        aux: [0; 2],
    };
    assert_eq!(device_step(&source), expected);
    let copy = step(Opcode::Copy, ElementType::U8, 1, &[scratch(0), data(0)]);
    assert_eq!(device_step(&copy).where_, [IN_SCRATCH, READ_BINDING, NOWHERE, NOWHERE]);
}

#[test]
fn no_step_whatever_its_bytes_gets_a_binding_of_the_other_direction() {
    let expected = |space, data_binding| match Space::from_byte(space) {
        Some(Space::Data) => data_binding,
        Some(Space::Scratch) => IN_SCRATCH,
        Some(Space::Immediate) => IN_IMMEDIATE,
        Some(Space::None) | None => NOWHERE,
    };
    for space in 0..=u8::MAX {
        let step = Step {
            spaces: [space; 4],
            ..Step::new_zeroed()
        };
        let source = expected(space, READ_BINDING);
        let places = [expected(space, WRITE_BINDING), source, source, source];
        assert_eq!(device_step(&step).where_, places, "space {space}");
    }
}

/// Steps that each fill a byte more of the data buffer, and the program of them.
fn fills(count: u32) -> (Vec<Step>, Vec<u8>) {
    let fill = |n: u32| Step {
        immediate: u64::from(n % 256),
        ..step(
            Opcode::Fill,
            ElementType::U8,
            1 + u64::from(n),
            &[data(u64::from(n)), IMMEDIATE],
        )
    };
    let steps: Vec<_> = (0..count).map(fill).collect();
    let bytes = program(&header(&steps, DATA, 0), &steps);
    (steps, bytes)
}

const DATA: u64 = 4096;

/// What is made of a program with a data buffer of as many bytes, which is overwritten as soon as it is planned.
fn with_plan<T>(program: Vec<u8>, then: impl FnOnce(&Accepted<'_, '_>, &Plan) -> T) -> T {
    let mut pieces = vec![Piece::default(); max_pieces((program.len() / STEP_SIZE) as u32)];
    with_planned(
        program,
        buffer(DATA),
        &Limits::default(),
        &mut pieces,
        |accepted, plan| then(accepted, &plan.expect("there is room")),
    )
}

#[test]
fn every_step_is_written_in_its_place_as_it_was_when_it_was_checked() {
    for count in [1, 15, 16, 17, 40, 63, 64, 65, 200] {
        let (steps, bytes) = fills(count);
        let (layout, arena) = with_plan(bytes, |accepted, plan| {
            let mut arena = VecArena::new(plan.layout().total);
            assert_eq!(translate(accepted, plan.layout(), &mut arena), Ok(()));
            (*plan.layout(), arena)
        });
        assert_eq!(arena.writes, steps.len());
        let (before, rest) = arena.bytes.split_at(layout.steps.0 as usize);
        let (written, behind) = rest.split_at(steps.len() * STEP_SIZE);
        let expected: Vec<_> = steps.iter().map(device_step).collect();
        assert_eq!(<[DeviceStep]>::ref_from_bytes(written).expect("aligned"), expected);
        assert!(
            before.iter().chain(behind).all(|byte| *byte == 0xEE),
            "nothing was written beside the steps"
        );
    }
}

#[test]
fn a_block_without_room_for_the_steps_is_noticed() {
    let (_, bytes) = fills(20);
    with_plan(bytes, |accepted, plan| {
        let layout = plan.layout();
        let end = layout.steps.0 + 20 * STEP_SIZE as u64;
        for (length, expected) in [(end - 1, Err(OutsideArena)), (end, Ok(()))] {
            assert_eq!(translate(accepted, layout, &mut VecArena::new(length)), expected);
        }
    });
}

#[test]
fn the_descriptor_names_tables_steps_and_window() {
    let planned = planned(&[READ, WRITTEN, 0], 0, &Limits::default());
    let layout = planned.plan().layout();
    let mut arena = VecArena::new(layout.total);
    let place = DescriptorPlace {
        block: DeviceAddress(0x4000),
        scratch_base: 0x80,
        read_segments: 2,
        write_segments: 3,
    };
    let head = write_descriptor(&planned.checked, layout, &place, &mut arena).expect("the block is large enough");
    assert_eq!(
        head,
        DescriptorHead {
            address: DeviceAddress(0x4000),
            length: 64 + 64 + 2 * 64
        }
    );
    let (descriptor, rest) = Descriptor::read_from_prefix(&arena.bytes).expect("it is there");
    assert_eq!(
        descriptor,
        Descriptor {
            length: 256,
            binding_count: 2,
            bindings_offset: 64,
            step_count: 2,
            steps_offset: 128,
            reserved0: 0,
            scratch_base: 0x80,
            scratch_length: 3,
            reserved1: [0; 24],
        }
    );
    let (read, rest) = Binding::read_from_prefix(rest).expect("it is there");
    let (write, _) = Binding::read_from_prefix(rest).expect("it is there");
    let table = |at: BlockOffset| 0x4000 + at.0;
    assert_eq!(
        (read.segment_table, read.length, read.segments),
        (table(layout.read_table), 3, 2)
    );
    assert_eq!(
        (write.segment_table, write.length, write.segments),
        (table(layout.write_table), 3, 3)
    );
    assert_eq!(
        (read.flags, write.flags),
        (binding_flags::DEVICE_READ, binding_flags::DEVICE_WRITE)
    );
    assert_eq!(
        (READ_BINDING, WRITE_BINDING),
        (0, 1),
        "the order in which they are written"
    );
}
