//! Reads back what was written for the device.

use hawser_abi::op::{ElementType, Opcode};
use zerocopy::{FromBytes, FromZeros};

use super::*;
use crate::limits::Limits;
use crate::testing::{IMMEDIATE, READ, VecArena, WRITTEN, data, planned, scratch, step};

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

#[test]
fn every_step_is_written_in_its_place() {
    // Alternating bytes make as many steps.
    for count in [1_usize, 15, 16, 17, 40] {
        let codes: std::vec::Vec<u8> = (0..count).flat_map(|_| [READ, 0]).collect();
        let planned = planned(&codes, 0, &Limits::default());
        let layout = planned.plan().layout();
        let mut arena = VecArena::new(layout.total);
        assert_eq!(translate(&planned.checked, &planned.bytes, layout, &mut arena), Ok(()));
        assert_eq!(arena.writes, count.div_ceil(RUN));
        let start = layout.steps.0 as usize;
        for (n, bytes) in arena.bytes[start..start + count * 64].chunks(64).enumerate() {
            let step = DeviceStep::read_from_bytes(bytes).expect("64 bytes");
            assert_eq!((step.offsets, step.count), ([0, 2 * n as u64, 0, 0], 1));
        }
        let rest = &arena.bytes[start + count * 64..];
        assert!(
            rest.iter().all(|byte| *byte == 0xEE),
            "nothing was written behind the steps"
        );
    }
}

#[test]
fn another_program_or_block_is_noticed() {
    let planned = planned(&[READ, 0, READ], 0, &Limits::default());
    let layout = planned.plan().layout();
    let mut arena = VecArena::new(layout.total);
    let mut translate = |bytes: &[u8]| translate(&planned.checked, bytes, layout, &mut arena);
    let length = planned.bytes.len();
    let longer = [&planned.bytes[..], &[0]].concat();
    for other in [
        &planned.bytes[..length - 64],
        &planned.bytes[..length - 1],
        &longer,
        &[],
    ] {
        assert_eq!(translate(other), Err(TranslateError::OtherProgram));
    }
    let mut small = VecArena::new(layout.steps.0 + 64);
    let translated = super::translate(&planned.checked, &planned.bytes, layout, &mut small);
    assert_eq!(translated, Err(TranslateError::OutsideArena));
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
