//! Everything malformed in commands, descriptors, bindings, segments and steps is refused, and what is just right is not.

use hawser_abi::descriptor::{DeviceStep, HOLE, IN_IMMEDIATE, NOWHERE, Segment, binding_flags};
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::pci::MEMORY_BAR_SIZE;
use hawser_abi::program::step_flags;
use hawser_abi::queue::{COMMAND_RUN, CompletionStatus, NO_OPERAND, NO_STEP, SubmissionEntry};
use hawser_abi::registers::control;
use hawser_device::Faultless;
use zerocopy::IntoBytes;

use crate::fence::{READ, add, end, run_steps};
use crate::rig::{Command, IMMEDIATE, NONE, Placed, Rig, fill, scratch, segment, step};

#[test]
fn malformed_steps_are_refused() {
    use CompletionStatus::{BadDescriptor, Unsupported};
    let good = add(1, (1, 0), (0, 0), IMMEDIATE);
    let with = |change: &dyn Fn(&mut DeviceStep)| {
        let mut step = good;
        change(&mut step);
        step
    };
    let cases: Vec<(&str, DeviceStep, CompletionStatus, u8)> = vec![
        ("opcode 0", with(&|s| s.opcode = 0), Unsupported, NO_OPERAND),
        ("opcode 200", with(&|s| s.opcode = 200), Unsupported, NO_OPERAND),
        ("type 0", with(&|s| s.element_type = 0), Unsupported, NO_OPERAND),
        ("type 13", with(&|s| s.element_type = 13), Unsupported, NO_OPERAND),
        (
            "bits of floats",
            with(&|s| (s.opcode, s.element_type) = (Opcode::And as u8, ElementType::F32 as u8)),
            Unsupported,
            NO_OPERAND,
        ),
        (
            "negative unsigned",
            with(&|s| (s.opcode, s.element_type, s.where_[2]) = (Opcode::Neg as u8, ElementType::U32 as u8, NOWHERE)),
            Unsupported,
            NO_OPERAND,
        ),
        (
            "saturation of a minimum",
            with(&|s| (s.opcode, s.flags) = (Opcode::Min as u8, step_flags::SATURATE)),
            Unsupported,
            NO_OPERAND,
        ),
        (
            "saturation of floats",
            with(&|s| (s.element_type, s.flags) = (ElementType::BF16 as u8, step_flags::SATURATE)),
            Unsupported,
            NO_OPERAND,
        ),
        ("unknown flags", with(&|s| s.flags = 0x80), BadDescriptor, NO_OPERAND),
        ("second type", with(&|s| s.aux_type = 1), BadDescriptor, NO_OPERAND),
        ("aux", with(&|s| s.aux = [0, 1]), BadDescriptor, NO_OPERAND),
        ("no elements", with(&|s| s.count = 0), BadDescriptor, NO_OPERAND),
        (
            "count overflow",
            with(&|s| s.count = 1 << 62),
            BadDescriptor,
            NO_OPERAND,
        ),
        (
            "immediate too wide",
            with(&|s| s.immediate = 1 << 32),
            BadDescriptor,
            NO_OPERAND,
        ),
        ("no dst", with(&|s| s.where_[0] = NOWHERE), BadDescriptor, 0),
        ("immediate dst", with(&|s| s.where_[0] = IN_IMMEDIATE), BadDescriptor, 0),
        ("no a", with(&|s| s.where_[1] = NOWHERE), BadDescriptor, 1),
        ("unknown binding", with(&|s| s.where_[1] = 2), BadDescriptor, 1),
        ("binding 252", with(&|s| s.where_[1] = 0xFC), BadDescriptor, 1),
        ("c that add does not have", with(&|s| s.where_[3] = 0), BadDescriptor, 3),
        ("offset of nothing", with(&|s| s.offsets[3] = 4), BadDescriptor, 3),
        ("offset of an immediate", with(&|s| s.offsets[2] = 4), BadDescriptor, 2),
        ("misaligned dst", with(&|s| s.offsets[0] = 2), BadDescriptor, 0),
        ("misaligned a", with(&|s| s.offsets[1] = 1), BadDescriptor, 1),
        (
            "immediate that nobody uses",
            with(&|s| (s.where_[2], s.immediate) = (0, 1)),
            BadDescriptor,
            NO_OPERAND,
        ),
        (
            "sum of an immediate",
            step(Opcode::Sum, ElementType::I32, 1, [(1, 0), IMMEDIATE, NONE, NONE]),
            BadDescriptor,
            1,
        ),
    ];
    let (end, ..) = run_steps(vec![good]);
    assert_eq!(end.0, CompletionStatus::Success);
    for (name, faulty, expected, operand) in cases {
        let (end, ..) = run_steps(vec![good, good, faulty]);
        assert_eq!(end, (expected, 2, operand, 0), "{name}");
    }
}

/// A good command of two bindings, and where its parts are in the descriptor.
fn good_command(rig: &mut Rig) -> Command {
    let data = rig.alloc(128, 64);
    Command {
        bindings: vec![
            (vec![segment(data, 64)], binding_flags::ALL),
            (vec![segment(data + 64, 32), segment(HOLE, 32)], READ),
        ],
        steps: vec![fill(ElementType::U32, 0, 1, 5)],
        window: (0, 64),
    }
}

#[test]
fn malformed_descriptors_are_refused() {
    const BINDING: usize = 64;
    const STEPS: u32 = 128;
    let put =
        |at: usize, value: u32| move |bytes: &mut Vec<u8>| bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    let put64 =
        |at: usize, value: u64| move |bytes: &mut Vec<u8>| bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
    type Change = Box<dyn Fn(&mut Vec<u8>)>;
    let cases: Vec<(&str, Change)> = vec![
        ("stated length too short", Box::new(put(0, 128))),
        ("stated length too long", Box::new(put(0, 4096))),
        ("no bindings", Box::new(put(4, 0))),
        ("33 bindings", Box::new(put(4, 33))),
        ("more bindings than fit", Box::new(put(4, 3))),
        ("4 G bindings", Box::new(put(4, u32::MAX))),
        ("bindings in the head", Box::new(put(8, 56))),
        ("bindings misaligned", Box::new(put(8, 68))),
        ("bindings behind the end", Box::new(put(8, !7))),
        ("no steps", Box::new(put(12, 0))),
        ("more steps than fit", Box::new(put(12, 2))),
        ("4 G steps", Box::new(put(12, u32::MAX))),
        ("steps in the head", Box::new(put(16, 0))),
        ("steps in the bindings", Box::new(put(16, 96))),
        ("steps misaligned", Box::new(put(16, STEPS - 4))),
        ("reserved", Box::new(put(20, 1))),
        ("window outside local memory", Box::new(put64(24, MEMORY_BAR_SIZE))),
        ("window that wraps", Box::new(put64(24, u64::MAX))),
        ("window too long", Box::new(put64(32, MEMORY_BAR_SIZE + 1))),
        ("more reserved", Box::new(put(60, 1))),
        ("table misaligned", Box::new(|bytes| bytes[BINDING] += 8)),
        ("table that wraps", Box::new(put64(BINDING, !15))),
        ("binding too long", Box::new(put64(BINDING + 8, 65))),
        ("binding too short", Box::new(put64(BINDING + 8, 63))),
        ("no segments", Box::new(put(BINDING + 16, 0))),
        ("too many segments", Box::new(put(BINDING + 16, 1 << 21))),
        ("unknown flags of a binding", Box::new(put(BINDING + 20, 4))),
        ("reserved of a binding", Box::new(put(BINDING + 24, 1))),
        ("second binding", Box::new(put(BINDING + 32 + 20, 8))),
    ];
    let run = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut rig = Rig::running();
        let command = good_command(&mut rig);
        let mut bytes = rig.layout(&command);
        change(&mut bytes);
        let placed = rig.put_descriptor(&bytes);
        end(&rig.run_placed(placed))
    };
    assert_eq!(run(&|_| {}).0, CompletionStatus::Success);
    for (name, change) in cases {
        assert_eq!(
            run(&*change),
            (CompletionStatus::BadDescriptor, NO_STEP, NO_OPERAND, 0),
            "{name}"
        );
    }
}

#[test]
fn segments_that_make_no_sense_are_refused() {
    let cases: [(&str, Vec<Segment>); 4] = [
        ("empty", vec![segment(64, 0)]),
        (
            "empty among others",
            vec![segment(64, 4), segment(128, 0), segment(256, 4)],
        ),
        ("empty hole", vec![segment(HOLE, 0)]),
        ("wraps", vec![segment(u64::MAX - 3, 8)]),
    ];
    for (name, segments) in cases {
        let mut rig = Rig::running();
        let mut command = good_command(&mut rig);
        command.bindings[1].0 = segments;
        assert_eq!(
            end(&rig.run(&command)),
            (CompletionStatus::BadDescriptor, NO_STEP, NO_OPERAND, 0),
            "{name}"
        );
    }
}

#[test]
fn a_good_descriptor_at_a_misaligned_address_is_refused() {
    for (align, expected) in [(64, CompletionStatus::Success), (32, CompletionStatus::BadDescriptor)] {
        let mut rig = Rig::running();
        let command = good_command(&mut rig);
        let bytes = rig.layout(&command);
        let address = rig.alloc(bytes.len() + 64, 64) + (64 - align);
        rig.bus.at(address, bytes.len()).copy_from_slice(&bytes);
        let length = bytes.len() as u32;
        assert_eq!(end(&rig.run_placed(Placed { address, length })).0, expected);
    }
}

#[test]
fn a_good_segment_table_at_a_misaligned_address_is_refused() {
    for (align, expected) in [(16, CompletionStatus::Success), (8, CompletionStatus::BadDescriptor)] {
        let mut rig = Rig::running();
        let command = good_command(&mut rig);
        let mut bytes = rig.layout(&command);
        let table = rig.alloc(64, 16) + (16 - align);
        rig.bus.at(table, 16).copy_from_slice(command.bindings[0].0.as_bytes());
        bytes[64..72].copy_from_slice(&table.to_le_bytes());
        let placed = rig.put_descriptor(&bytes);
        assert_eq!(end(&rig.run_placed(placed)).0, expected);
    }
}

#[test]
fn there_may_be_two_mebi_segments_and_not_one_more() {
    const HALF: usize = 1 << 20;
    for (extra, expected) in [(0, CompletionStatus::Success), (1, CompletionStatus::BadDescriptor)] {
        let mut rig = Rig::with(Box::new(Faultless), 24 << 20);
        rig.bring_up(1, 4, control::MSIX);
        let mut command = good_command(&mut rig);
        command.bindings = vec![
            (vec![segment(HOLE, 1); extra], READ),
            (vec![segment(HOLE, 1); HALF], READ),
            (Vec::new(), binding_flags::ALL),
        ];
        command.steps = vec![step(
            Opcode::Fill,
            ElementType::U32,
            1,
            [scratch(0), IMMEDIATE, NONE, NONE],
        )];
        let mut bytes = rig.layout(&command);
        // The third binding has the segments of the second.
        let (second, third) = (bytes[96..116].to_vec(), 128);
        bytes[third..third + second.len()].copy_from_slice(&second);
        let placed = rig.put_descriptor(&bytes);
        assert_eq!(end(&rig.run_placed(placed)).0, expected);
    }
}

#[test]
fn an_empty_binding_is_allowed_and_reaches_nothing() {
    let mut rig = Rig::running();
    let mut command = good_command(&mut rig);
    command.bindings[1].0 = Vec::new();
    assert_eq!(end(&rig.run(&command)).0, CompletionStatus::Success);
    command.steps[0].where_[1] = 1;
    command.steps[0].immediate = 0;
    assert_eq!(end(&rig.run(&command)), (CompletionStatus::OutOfBounds, 0, 1, 0));
}

#[test]
fn malformed_commands_are_refused() {
    type Case = (&'static str, fn(&mut SubmissionEntry));
    let cases: [Case; 8] = [
        ("unknown command", |entry| entry.command = 2),
        ("command 0", |entry| entry.command = 0),
        ("reserved", |entry| entry.reserved0 = 1),
        ("more reserved", |entry| entry.reserved1[43] = 1),
        ("descriptor misaligned", |entry| entry.descriptor += 32),
        ("descriptor that wraps", |entry| entry.descriptor = !63),
        ("length 0", |entry| entry.descriptor_length = 0),
        ("length of a part", |entry| entry.descriptor_length -= 64),
    ];
    for (name, change) in cases {
        let mut rig = Rig::running();
        let command = good_command(&mut rig);
        let placed = rig.place(&command);
        let mut entry = SubmissionEntry {
            command: COMMAND_RUN,
            reserved0: 0,
            tag: 0xFFFF,
            generation: u32::MAX,
            descriptor: placed.address,
            descriptor_length: placed.length,
            reserved1: [0; 44],
        };
        change(&mut entry);
        rig.submit_entry(0, entry);
        rig.settle();
        let completion = rig.take(0).expect("a completion");
        assert_eq!(
            end(&completion),
            (CompletionStatus::BadDescriptor, NO_STEP, NO_OPERAND, 0),
            "{name}"
        );
        assert_eq!((completion.tag, completion.generation), (0xFFFF, u32::MAX));
    }
}
