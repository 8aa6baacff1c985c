//! Interrupts: messages and line, mask and status, moderation, and what bus mastering has to do with it.

use hawser_abi::op::ElementType;
use hawser_abi::registers::{self, control, queue_offset, queue_register, sq_tail_doorbell};
use hawser_device::{Activity, BusMaster};

use crate::rig::{Command, Rig, fill, segment};

fn submit_some(rig: &mut Rig, queue: u16, count: u16) {
    let data = rig.alloc(4, 4);
    let placed = rig.place(&Command::on(
        vec![segment(data, 4)],
        vec![fill(ElementType::U32, 0, 1, 1)],
    ));
    for tag in 0..count {
        rig.submit(queue, tag, placed);
    }
}

fn up(mode: u32) -> Rig {
    let mut rig = Rig::new();
    rig.bring_up(2, 16, mode);
    rig
}

#[test]
fn each_queue_sends_its_message_and_no_status_is_left() {
    let mut rig = up(control::MSIX);
    submit_some(&mut rig, 1, 1);
    rig.settle();
    assert_eq!(rig.bus.messages, [2]);
    submit_some(&mut rig, 0, 2);
    rig.settle();
    assert_eq!(rig.bus.messages, [2, 1, 1]);
    assert_eq!(rig.read(registers::INT_STATUS), 0);
    assert!(!rig.bus.line);
}

#[test]
fn queues_may_share_the_message_of_errors() {
    let mut rig = Rig::new();
    rig.wait_ready();
    rig.set_up_queue(0, 16);
    rig.write(queue_register(0, queue_offset::ENABLE), 0);
    rig.write(queue_register(0, queue_offset::MESSAGE), 0);
    rig.write(queue_register(0, queue_offset::ENABLE), 1);
    rig.write(registers::CONTROL, control::ENABLE | control::MSIX);
    rig.write(registers::INT_MASK_CLEAR, 0b11);
    submit_some(&mut rig, 0, 1);
    rig.settle();
    assert_eq!(rig.bus.messages, [0]);
}

#[test]
fn the_line_follows_status_and_mask() {
    let mut rig = up(0);
    submit_some(&mut rig, 1, 2);
    rig.settle();
    assert!(rig.bus.line);
    assert_eq!(rig.read(registers::INT_STATUS), 0b100);
    rig.write(registers::INT_MASK_SET, 0b100);
    assert!(!rig.bus.line);
    assert_eq!(rig.read(registers::INT_STATUS), 0b100, "masking forgets nothing");
    rig.write(registers::INT_MASK_CLEAR, 0b100);
    assert!(rig.bus.line);
    rig.write(registers::INT_STATUS, 0b011);
    assert!(rig.bus.line, "only written ones clear");
    rig.write(registers::INT_STATUS, 0b100);
    assert!(!rig.bus.line);
    assert!(rig.bus.messages.is_empty());
    submit_some(&mut rig, 0, 1);
    rig.settle();
    assert!(rig.bus.line);
    assert_eq!(rig.read(registers::INT_STATUS), 0b010);
}

#[test]
fn a_masked_message_is_sent_when_it_is_unmasked() {
    let mut rig = up(control::MSIX);
    rig.write(registers::INT_MASK_SET, 0b010);
    submit_some(&mut rig, 0, 3);
    rig.settle();
    assert!(rig.bus.messages.is_empty());
    assert_eq!(rig.read(registers::INT_STATUS), 0b010);
    rig.write(registers::INT_MASK_CLEAR, 0b010);
    assert_eq!(rig.bus.messages, [1]);
    assert_eq!(rig.read(registers::INT_STATUS), 0);
}

#[test]
fn everything_is_masked_until_the_driver_says_otherwise() {
    let mut rig = Rig::new();
    rig.wait_ready();
    rig.set_up_queue(0, 16);
    rig.write(registers::CONTROL, control::ENABLE | control::MSIX);
    submit_some(&mut rig, 0, 1);
    rig.settle();
    assert!(rig.peek(0).is_some());
    assert!(rig.bus.messages.is_empty());
}

#[test]
fn messages_wait_for_bus_mastering_and_the_line_does_not() {
    let mut rig = up(control::MSIX);
    rig.device.set_bus_master(BusMaster::Disabled);
    rig.write(sq_tail_doorbell(0), 99);
    assert!(rig.bus.messages.is_empty());
    rig.device.set_bus_master(BusMaster::Enabled);
    assert_eq!(rig.settle(), Activity::Idle);
    assert_eq!(rig.bus.messages, [0]);

    let mut rig = up(0);
    rig.device.set_bus_master(BusMaster::Disabled);
    rig.write(sq_tail_doorbell(0), 99);
    assert!(rig.bus.line);
}

#[test]
fn moderation_collects_completions_up_to_a_number() {
    let mut rig = up(control::MSIX);
    rig.write(registers::MODERATION, 0xFFFF << 16 | 4);
    submit_some(&mut rig, 0, 3);
    assert!(matches!(rig.settle(), Activity::WaitUntil(_)));
    assert!(rig.bus.messages.is_empty());
    submit_some(&mut rig, 0, 1);
    assert_eq!(rig.settle(), Activity::Idle);
    assert_eq!(rig.bus.messages, [1]);
    submit_some(&mut rig, 0, 8);
    assert_eq!(rig.settle(), Activity::Idle);
    assert_eq!(rig.bus.messages, [1, 1, 1]);
}

#[test]
fn moderation_ends_after_a_time() {
    let mut rig = up(control::MSIX);
    rig.write(registers::MODERATION, 50 << 16 | 100);
    rig.bus.now_ns.set(1_000);
    submit_some(&mut rig, 0, 1);
    assert_eq!(rig.settle(), Activity::WaitUntil(51_000));
    rig.bus.now_ns.set(40_000);
    submit_some(&mut rig, 1, 1);
    submit_some(&mut rig, 0, 1);
    assert_eq!(rig.settle(), Activity::WaitUntil(51_000), "the first completion counts");
    rig.bus.now_ns.set(50_999);
    assert_eq!(rig.settle(), Activity::WaitUntil(51_000));
    assert!(rig.bus.messages.is_empty());
    rig.bus.now_ns.set(51_000);
    assert_eq!(rig.settle(), Activity::WaitUntil(90_000), "queues are moderated apart");
    assert_eq!(rig.bus.messages, [1]);
    rig.bus.now_ns.set(90_000);
    assert_eq!(rig.settle(), Activity::Idle);
    assert_eq!(rig.bus.messages, [1, 2]);
}

#[test]
fn ending_moderation_raises_what_was_collected() {
    let mut rig = up(control::MSIX);
    rig.write(registers::MODERATION, 0xFFFF << 16 | 100);
    submit_some(&mut rig, 0, 2);
    rig.settle();
    assert!(rig.bus.messages.is_empty());
    rig.write(registers::MODERATION, 0);
    assert_eq!(rig.settle(), Activity::Idle);
    assert_eq!(rig.bus.messages, [1]);
}
