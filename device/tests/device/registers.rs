//! Registers: what they read as, what they take, and what stops the device.

use hawser_abi::pci::MEMORY_BAR_SIZE;
use hawser_abi::registers::{
    self, GONE, cap, control, cq_head_doorbell, fault, queue_offset, queue_register, sq_tail_doorbell, status,
};
use hawser_device::Activity;

use crate::rig::{Command, Rig, fill, segment};
use hawser_abi::op::ElementType;

#[test]
fn a_new_device_identifies_itself_and_becomes_ready_after_a_while() {
    let mut rig = Rig::new();
    assert_eq!(rig.read(registers::ID), registers::ID_VALUE);
    assert_eq!(rig.read(registers::VERSION), registers::VERSION_VALUE);
    assert_eq!(cap::queues(rig.read64(registers::CAP)), 4);
    assert_eq!(cap::max_entries(rig.read64(registers::CAP)), 1024);
    assert_eq!(rig.read64(registers::SCRATCH_SIZE), MEMORY_BAR_SIZE);
    assert_eq!(rig.read(registers::STATUS), 0, "a driver has to wait");
    rig.wait_ready();
    assert_eq!(rig.read(registers::STATUS), status::READY);
    assert_eq!(rig.read(registers::INT_MASK_SET), 0x1F);
    assert_eq!(rig.settle(), Activity::Idle);
}

#[test]
fn writes_before_the_device_is_ready_are_lost() {
    let mut rig = Rig::new();
    rig.write(registers::INT_MASK_CLEAR, u32::MAX);
    rig.write(registers::CONTROL, control::ENABLE);
    rig.write(registers::MODERATION, 5);
    rig.wait_ready();
    assert_eq!(rig.read(registers::INT_MASK_CLEAR), 0x1F);
    assert_eq!(rig.read(registers::CONTROL), 0);
    assert_eq!(rig.read(registers::MODERATION), 0);
}

#[test]
fn bits_above_the_width_of_an_access_do_not_count() {
    let mut rig = Rig::running();
    let offset = queue_register(1, queue_offset::SQ_ENTRIES);
    rig.device
        .write_register(offset, 4, 0xFFFF_FFFF_0000_0010, &mut rig.bus);
    assert_eq!(rig.read(offset), 16);
    assert_eq!(rig.read(registers::STATUS), status::READY);
}

#[test]
fn the_heartbeat_follows_time_and_is_never_all_ones() {
    let mut rig = Rig::new();
    let first = rig.read(registers::HEARTBEAT);
    rig.bus.now_ns.set(5_000);
    assert_eq!(rig.read(registers::HEARTBEAT), first + 5);
    rig.bus.now_ns.set(u64::from(u32::MAX) * 1000);
    assert_ne!(rig.read(registers::HEARTBEAT), GONE);
}

#[test]
fn no_register_of_a_living_device_reads_as_ones() {
    let mut rig = Rig::running();
    rig.write(registers::INT_MASK_SET, u32::MAX);
    rig.write(registers::MODERATION, u32::MAX - 1);
    rig.write(sq_tail_doorbell(3), 0);
    for offset in (0..0x2100).step_by(4) {
        assert_ne!(rig.read(offset), GONE, "{offset:#x}");
        assert_ne!(rig.read64(offset), u64::MAX, "{offset:#x}");
    }
}

#[test]
fn registers_that_do_not_exist_read_as_zero() {
    let mut rig = Rig::running();
    for (offset, width) in [
        (0x40, 4),
        (0x0000, 8),
        (0x0008, 4),
        (0x0001, 1),
        (0x1100, 4),
        (0xFFFC, 4),
    ] {
        assert_eq!(rig.device.read_register(offset, width, &mut rig.bus), 0, "{offset:#x}");
    }
}

#[test]
fn queue_configuration_reads_back() {
    let mut rig = Rig::running();
    let rings = rig.rings[0];
    assert_eq!(rig.read64(queue_register(0, queue_offset::SQ_BASE)), rings.sq);
    assert_eq!(rig.read64(queue_register(0, queue_offset::CQ_BASE)), rings.cq);
    assert_eq!(rig.read(queue_register(0, queue_offset::SQ_ENTRIES)), 16);
    assert_eq!(rig.read(queue_register(0, queue_offset::CQ_ENTRIES)), 16);
    assert_eq!(rig.read(queue_register(0, queue_offset::MESSAGE)), 1);
    assert_eq!(rig.read(queue_register(0, queue_offset::ENABLE)), 1);
    assert_eq!(rig.read(queue_register(1, queue_offset::ENABLE)), 0);
}

#[test]
fn values_that_a_register_cannot_take_stop_the_device() {
    let q0 = |offset| queue_register(0, offset);
    let q1 = |offset| queue_register(1, offset);
    let cases: [(&str, u64, u8, u64); 25] = [
        ("undefined", 0x40, 4, 0),
        ("undefined queue", queue_register(4, queue_offset::ENABLE), 4, 0),
        ("undefined doorbell", sq_tail_doorbell(4), 4, 0),
        ("read only", registers::ID, 4, 0),
        ("read only", registers::STATUS, 4, 0),
        ("read only", registers::HEARTBEAT, 4, 0),
        ("read only", registers::FAULT_SOURCE, 4, 0),
        ("half of a register", q1(queue_offset::SQ_BASE), 4, 0),
        ("half of a register", q1(queue_offset::SQ_BASE) + 4, 4, 0),
        ("two registers at once", q1(queue_offset::SQ_ENTRIES), 8, 16),
        ("misaligned", registers::CONTROL + 1, 4, 0),
        ("unknown control bit", registers::CONTROL, 4, 8),
        ("moderation of all ones", registers::MODERATION, 4, u32::MAX.into()),
        ("fault code other than 0", registers::FAULT_CODE, 4, 1),
        ("abort on an unknown queue", registers::ABORT, 4, 4 << 16),
        ("ring that is not page aligned", q1(queue_offset::SQ_BASE), 8, 0x1200),
        ("three entries", q1(queue_offset::SQ_ENTRIES), 4, 3),
        ("one entry", q1(queue_offset::CQ_ENTRIES), 4, 1),
        ("too many entries", q1(queue_offset::CQ_ENTRIES), 4, 2048),
        ("no entries", q1(queue_offset::SQ_ENTRIES), 4, 0),
        ("unknown message", q1(queue_offset::MESSAGE), 4, 5),
        ("enable without rings", q1(queue_offset::ENABLE), 4, 1),
        ("enable with 2", q1(queue_offset::ENABLE), 4, 2),
        ("enable twice", q0(queue_offset::ENABLE), 4, 1),
        ("configure while enabled", q0(queue_offset::MESSAGE), 4, 1),
    ];
    for (name, offset, width, value) in cases {
        let mut rig = Rig::running();
        rig.device.write_register(offset, width, value, &mut rig.bus);
        assert_eq!(rig.read(registers::STATUS), status::FATAL, "{name}");
        rig.assert_fatal(fault::BAD_CONFIGURATION);
        assert_eq!(rig.bus.messages, [0], "{name}");
    }
}

#[test]
fn a_ring_that_would_wrap_around_the_address_space_is_not_enabled() {
    let mut rig = Rig::running();
    rig.write64(queue_register(1, queue_offset::SQ_BASE), !0xFFF);
    rig.write64(queue_register(1, queue_offset::CQ_BASE), 0);
    rig.write(queue_register(1, queue_offset::SQ_ENTRIES), 64);
    rig.write(queue_register(1, queue_offset::CQ_ENTRIES), 64);
    rig.write(queue_register(1, queue_offset::ENABLE), 1);
    rig.assert_fatal(fault::BAD_CONFIGURATION);
}

#[test]
fn doorbells_outside_their_ring_stop_the_device() {
    let cases = [
        ("tail outside", sq_tail_doorbell(0), 16),
        ("head outside", cq_head_doorbell(0), 16),
        ("head before any completion", cq_head_doorbell(0), 1),
        ("tail of a disabled queue", sq_tail_doorbell(1), 0),
        ("head of a disabled queue", cq_head_doorbell(1), 0),
    ];
    for (name, offset, value) in cases {
        let mut rig = Rig::running();
        rig.write(offset, value);
        assert_eq!(rig.read(registers::STATUS), status::FATAL, "{name}");
        rig.assert_fatal(fault::BAD_DOORBELL);
        assert_eq!(
            rig.read(registers::FAULT_SOURCE) >> 16,
            u32::from(offset >= sq_tail_doorbell(1))
        );
    }
}

#[test]
fn a_failed_device_works_no_more_and_keeps_the_first_fault() {
    let mut rig = Rig::running();
    let data = rig.alloc(64, 64);
    let placed = rig.place(&Command::on(
        vec![segment(data, 64)],
        vec![fill(ElementType::U32, 0, 1, 5)],
    ));
    rig.submit(0, 1, placed);
    rig.write(sq_tail_doorbell(0), 99);
    rig.write(registers::CONTROL, 0x80);
    rig.assert_fatal(fault::BAD_DOORBELL);
    let before = rig.bus.accesses();
    assert_eq!(rig.settle(), Activity::Idle);
    assert_eq!(rig.bus.accesses(), before);
    assert_eq!(rig.peek(0), None);
    rig.write(queue_register(1, queue_offset::SQ_ENTRIES), 3);
    rig.assert_fatal(fault::BAD_DOORBELL);
}

#[test]
fn the_fault_outlives_a_reset_until_it_is_cleared() {
    let mut rig = Rig::running();
    rig.write(sq_tail_doorbell(0), 99);
    rig.write(registers::CONTROL, control::RESET);
    rig.wait_ready();
    assert_eq!(rig.read(registers::FAULT_CODE), fault::BAD_DOORBELL);
    rig.write(registers::FAULT_CODE, 0);
    assert_eq!(rig.read(registers::FAULT_CODE), fault::NONE);
    assert_eq!(rig.read(registers::STATUS), status::READY);
    rig.bring_up(1, 16, control::MSIX);
    rig.write(queue_register(1, queue_offset::MESSAGE), 77);
    rig.assert_fatal(fault::BAD_CONFIGURATION);
}
