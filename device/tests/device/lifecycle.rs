//! Ends of commands and of the device: abort, pause, disabling, reset, bus mastering off, D3, unplugging.

use hawser_abi::op::ElementType;
use hawser_abi::queue::CompletionStatus;
use hawser_abi::registers::{self, GONE, control, fault, queue_offset, queue_register, status};
use hawser_device::{Activity, BusMaster};

use crate::rig::{Command, NONE, Placed, Rig, fill, scratch, segment, status_of, step};
use hawser_abi::op::Opcode;

/// A command of many chunks, and the first byte that it writes.
fn long(rig: &mut Rig) -> (Placed, u64) {
    let data = rig.alloc(4 << 20, 64);
    let placed = rig.place(&Command::on(
        vec![segment(data, 4 << 20)],
        vec![fill(ElementType::U32, 0, 1 << 20, 0xAAAA_AAAA)],
    ));
    (placed, data)
}

fn short(rig: &mut Rig) -> Placed {
    let data = rig.alloc(4, 4);
    rig.place(&Command::on(
        vec![segment(data, 4)],
        vec![fill(ElementType::U32, 0, 1, 1)],
    ))
}

/// Submits a long command as tag 1 and lets it get to its middle.
fn in_the_middle() -> (Rig, u64) {
    let mut rig = Rig::running();
    let (placed, data) = long(&mut rig);
    rig.submit(0, 1, placed);
    for _ in 0..20 {
        assert_eq!(rig.step(), Activity::Busy);
    }
    assert_eq!(rig.bus.at(data, 4), [0xAA; 4]);
    assert_eq!(rig.bus.at(data + (4 << 20) - 4, 4), [0; 4]);
    (rig, data)
}

#[test]
fn a_running_command_is_aborted_and_says_so() {
    let (mut rig, _) = in_the_middle();
    let accesses = rig.bus.accesses();
    rig.write(registers::ABORT, 1);
    rig.settle();
    assert_eq!(
        status_of(&rig.take(0).expect("a completion")),
        CompletionStatus::Aborted
    );
    assert_eq!(rig.bus.accesses(), accesses + 1, "nothing but the completion");
    assert_eq!(rig.bus.messages, [1]);
}

#[test]
fn a_queued_command_is_aborted_before_it_starts() {
    let (mut rig, _) = in_the_middle();
    let (placed, untouched) = long(&mut rig);
    let last = short(&mut rig);
    rig.submit(0, 2, placed);
    rig.submit(0, 3, last);
    rig.write(registers::ABORT, 2);
    rig.settle();
    let ends: Vec<_> = std::iter::from_fn(|| rig.take(0))
        .map(|entry| (entry.tag, status_of(&entry)))
        .collect();
    use CompletionStatus::{Aborted, Success};
    assert_eq!(ends, [(1, Success), (2, Aborted), (3, Success)]);
    assert_eq!(rig.bus.at(untouched, 4), [0; 4]);
}

#[test]
fn an_abort_never_hits_a_later_command_with_the_same_tag() {
    let (mut rig, _) = in_the_middle();
    let again = short(&mut rig);
    // Tag 9 is not in the ring when it is aborted; two commands are.
    rig.submit(0, 2, again);
    rig.write(registers::ABORT, 9);
    rig.submit(0, 9, again);
    rig.settle();
    // Nothing at all is in the ring here.
    rig.write(registers::ABORT, 1);
    rig.submit(0, 1, again);
    rig.settle();
    for tag in [1, 2, 9, 1] {
        let entry = rig.take(0).expect("a completion");
        assert_eq!((entry.tag, status_of(&entry)), (tag, CompletionStatus::Success));
    }
    rig.write(registers::ABORT, 3 << 16 | 1);
    assert_eq!(
        rig.read(registers::STATUS),
        status::READY,
        "a disabled queue has nothing to abort"
    );
}

#[test]
fn a_command_that_has_ended_cannot_be_aborted() {
    let mut rig = Rig::new();
    rig.bring_up(1, 2, control::MSIX);
    let placed = short(&mut rig);
    rig.submit(0, 1, placed);
    rig.settle();
    rig.submit(0, 2, placed);
    rig.settle();
    // The ring is full: the end of the second command waits.
    rig.write(registers::ABORT, 2);
    rig.take(0);
    rig.settle();
    assert_eq!(
        status_of(&rig.take(0).expect("a completion")),
        CompletionStatus::Success
    );
}

#[test]
fn clearing_enable_pauses_and_setting_it_goes_on() {
    let (mut rig, data) = in_the_middle();
    rig.write(registers::CONTROL, control::MSIX);
    let accesses = rig.bus.accesses();
    assert_eq!(rig.settle(), Activity::Idle);
    assert_eq!(rig.bus.accesses(), accesses);
    rig.write(registers::CONTROL, control::MSIX | control::ENABLE);
    rig.settle();
    assert_eq!(
        status_of(&rig.take(0).expect("a completion")),
        CompletionStatus::Success
    );
    assert!(rig.bus.at(data, 4 << 20).iter().all(|byte| *byte == 0xAA));
}

#[test]
fn disabling_a_queue_forgets_its_commands() {
    let (mut rig, _) = in_the_middle();
    rig.write(queue_register(0, queue_offset::ENABLE), 0);
    let accesses = rig.bus.accesses();
    assert_eq!(rig.settle(), Activity::Idle);
    assert_eq!(rig.bus.accesses(), accesses);
    assert_eq!(rig.peek(0), None);
    rig.set_up_queue(0, 16);
    let placed = short(&mut rig);
    assert_eq!(status_of(&rig.run_placed(placed)), CompletionStatus::Success);
}

#[test]
fn a_reset_ends_all_access_only_when_it_is_over() {
    let (mut rig, _) = in_the_middle();
    let accesses = rig.bus.accesses();
    rig.write(registers::CONTROL, control::RESET);
    assert_eq!(rig.read(registers::STATUS), status::RESETTING);
    assert_eq!(rig.read(registers::CONTROL) & control::RESET, control::RESET);
    assert_eq!(rig.read(queue_register(0, queue_offset::ENABLE)), 1);
    rig.step();
    assert!(
        rig.bus.accesses() > accesses,
        "memory may be accessed until the reset is over"
    );
    for _ in 0..64 {
        if rig.read(registers::CONTROL) & control::RESET == 0 {
            break;
        }
        rig.write(registers::INT_MASK_CLEAR, 1);
        rig.write(registers::CONTROL, control::ENABLE);
        rig.write(0x40, 1);
        rig.step();
    }
    let accesses = rig.bus.accesses();
    assert_eq!(rig.read(registers::STATUS), status::READY);
    assert_eq!(rig.read(queue_register(0, queue_offset::ENABLE)), 0);
    assert_eq!(rig.read64(queue_register(0, queue_offset::SQ_BASE)), 0);
    assert_eq!(rig.settle(), Activity::Idle);
    assert_eq!(rig.bus.accesses(), accesses);
    assert_eq!(rig.peek(0), None, "no completion of what was lost");
    assert!(rig.bus.messages.is_empty());
}

#[test]
fn a_device_that_was_reset_works_again() {
    let (mut rig, _) = in_the_middle();
    rig.write(registers::MODERATION, 1000 << 16 | 8);
    rig.write(registers::CONTROL, control::RESET);
    rig.step();
    rig.wait_ready();
    assert_eq!(rig.read(registers::MODERATION), 0);
    assert_eq!(rig.read(registers::INT_MASK_SET), 0x1F);
    assert_eq!(rig.read(registers::CONTROL), 0);
    rig.bring_up(1, 8, control::MSIX);
    let placed = short(&mut rig);
    assert_eq!(status_of(&rig.run_placed(placed)), CompletionStatus::Success);
    assert_eq!(rig.bus.messages, [1]);
}

#[test]
fn a_reset_drops_the_line() {
    let mut rig = Rig::new();
    rig.bring_up(1, 8, 0);
    let placed = short(&mut rig);
    rig.run_placed(placed);
    assert!(rig.bus.line);
    rig.write(registers::CONTROL, control::RESET);
    assert!(!rig.bus.line);
    rig.wait_ready();
    rig.write(registers::INT_MASK_CLEAR, u32::MAX);
    assert_eq!(rig.read(registers::INT_STATUS), 0);
    assert!(!rig.bus.line);
}

#[test]
fn without_bus_mastering_every_access_is_refused() {
    let (mut rig, _) = in_the_middle();
    rig.device.set_bus_master(BusMaster::Disabled);
    let accesses = rig.bus.accesses();
    rig.settle();
    assert_eq!(rig.bus.accesses(), accesses);
    rig.assert_fatal(fault::RING_ACCESS);
}

#[test]
fn an_unplugged_device_is_all_ones_and_silent() {
    let (mut rig, _) = in_the_middle();
    rig.device.unplug(&mut rig.bus);
    let accesses = rig.bus.accesses();
    for offset in (0..0x2100).step_by(4) {
        assert_eq!(rig.read(offset), GONE);
        assert_eq!(rig.read64(offset), u64::MAX);
    }
    assert_eq!(rig.device.read_register(0, 1, &mut rig.bus), 0xFF);
    assert_eq!(rig.device.read_register(0, 2, &mut rig.bus), 0xFFFF);
    rig.write(registers::CONTROL, control::RESET);
    rig.write(0x40, 1);
    assert_eq!(rig.settle(), Activity::Idle);
    assert_eq!(rig.bus.accesses(), accesses);
    rig.device.power_on();
    assert_eq!(rig.read(registers::ID), GONE, "gone for ever");
}

#[test]
fn the_line_drops_when_the_device_is_unplugged() {
    let mut rig = Rig::new();
    rig.bring_up(1, 8, 0);
    let placed = short(&mut rig);
    rig.run_placed(placed);
    assert!(rig.bus.line);
    rig.device.unplug(&mut rig.bus);
    assert!(!rig.bus.line);
}

#[test]
fn d3_loses_everything() {
    let (mut rig, _) = in_the_middle();
    rig.device.write_local(0, &[1, 2, 3, 4]);
    rig.write(0x40, 1);
    rig.device.power_off(&mut rig.bus);
    let accesses = rig.bus.accesses();
    assert_eq!(rig.read(registers::STATUS), GONE);
    let mut local = [0; 4];
    rig.device.read_local(0, &mut local);
    assert_eq!(local, [0xFF; 4]);
    rig.device.write_local(0, &[9; 4]);
    rig.write(registers::MODERATION, 7);
    assert_eq!(rig.settle(), Activity::Idle);
    assert_eq!(rig.bus.accesses(), accesses);

    rig.device.power_on();
    assert_eq!(rig.read(registers::ID), registers::ID_VALUE);
    assert_eq!(rig.read(registers::STATUS), 0);
    rig.wait_ready();
    assert_eq!(rig.read(registers::FAULT_CODE), fault::NONE);
    assert_eq!(rig.read(registers::MODERATION), 0);
    assert_eq!(rig.read(queue_register(0, queue_offset::ENABLE)), 0);
    rig.device.read_local(0, &mut local);
    assert_eq!(local, [0; 4]);
    rig.bring_up(1, 8, control::MSIX);
    let placed = short(&mut rig);
    assert_eq!(status_of(&rig.run_placed(placed)), CompletionStatus::Success);
}

#[test]
fn bar_2_and_programs_see_the_same_local_memory() {
    let mut rig = Rig::running();
    rig.device.write_local(0x1008, &[1, 2, 3, 4]);
    let data = rig.alloc(4, 4);
    let copy = step(Opcode::Copy, ElementType::U32, 1, [(0, 0), scratch(8), NONE, NONE]);
    let mut command = Command::on(vec![segment(data, 4)], vec![copy]);
    command.window = (0x1000, 0x1000);
    assert_eq!(status_of(&rig.run(&command)), CompletionStatus::Success);
    assert_eq!(rig.bus.at(data, 4), [1, 2, 3, 4]);
    let mut outside = [0; 2];
    rig.device.read_local(u64::MAX, &mut outside);
    assert_eq!(outside, [0xFF; 2]);
}
