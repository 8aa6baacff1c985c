//! Rings: phase over many laps, full rings, several queues, the order of writes, faults of the rings themselves.

use hawser_abi::op::ElementType;
use hawser_abi::queue::{CompletionStatus, NO_OPERAND, NO_STEP};
use hawser_abi::registers::{self, control, fault};
use hawser_device::Activity;

use crate::rig::{Command, Placed, Rig, fill, segment, status_of};

/// A command that stores `value` at `address`.
fn store(rig: &mut Rig, address: u64, value: u64) -> Placed {
    rig.place(&Command::on(
        vec![segment(address, 4)],
        vec![fill(ElementType::U32, 0, 1, value)],
    ))
}

#[test]
fn completions_come_in_order_with_the_right_phase_over_many_laps() {
    let mut rig = Rig::new();
    rig.bring_up(1, 4, control::MSIX);
    let data = rig.alloc(4, 4);
    for number in 0..50u16 {
        let placed = store(&mut rig, data, number.into());
        rig.submit(0, number, placed);
        rig.settle();
        let entry = rig.take(0).expect("a completion");
        assert_eq!(status_of(&entry), CompletionStatus::Success);
        assert_eq!((entry.tag, entry.generation), (number, 0x1000 + u32::from(number)));
        assert_eq!((entry.step, entry.operand, entry.offset), (NO_STEP, NO_OPERAND, 0));
        assert_eq!(u32::from(entry.sq_head), u32::from(number + 1) % 4);
        assert_eq!(rig.bus.at(data, 4), u32::from(number).to_le_bytes());
        assert_eq!(rig.peek(0), None, "no completion is new twice");
    }
}

#[test]
fn batches_wrap_around_the_ring() {
    let mut rig = Rig::new();
    rig.bring_up(1, 8, control::MSIX);
    let data = rig.alloc(4, 4);
    let placed = store(&mut rig, data, 1);
    let mut expected = 0;
    for batch in [7, 5, 7, 3, 6, 7] {
        for tag in expected..expected + batch {
            rig.submit(0, tag, placed);
        }
        rig.settle();
        for tag in expected..expected + batch {
            let entry = rig.take(0).expect("a completion");
            assert_eq!(
                (entry.tag, entry.sq_head),
                (tag, (tag + 1) % 8),
                "the entry that is read next"
            );
        }
        expected += batch;
        assert_eq!(rig.peek(0), None);
    }
}

#[test]
fn a_full_completion_ring_holds_the_queue_up() {
    let mut rig = Rig::new();
    rig.bring_up(1, 4, control::MSIX);
    let data = rig.alloc(4, 4);
    let placed = store(&mut rig, data, 1);
    for tag in 0..3 {
        rig.submit(0, tag, placed);
    }
    rig.settle();
    for tag in 3..6 {
        rig.submit(0, tag, placed);
    }
    let before = rig.bus.writes.len();
    assert_eq!(rig.settle(), Activity::Idle);
    assert_eq!(
        rig.bus.writes.len(),
        before + 1,
        "the fourth command ran, and posted nothing"
    );
    for tag in 0..6 {
        assert_eq!(rig.take(0).expect("a completion").tag, tag);
        rig.settle();
    }
}

#[test]
fn the_completion_is_one_write_after_all_data() {
    let mut rig = Rig::running();
    let data = rig.alloc(300_000, 64);
    let entry = rig.run(&Command::on(
        vec![segment(data, 100_000), segment(data + 200_000, 100_000)],
        vec![fill(ElementType::F64, 0, 25_000, 7)],
    ));
    assert_eq!(status_of(&entry), CompletionStatus::Success);
    let (last, data_writes) = rig.bus.writes.split_last().expect("writes");
    assert_eq!(*last, (rig.rings[0].cq, 32));
    assert!(data_writes.iter().all(|(address, _)| *address >= data));
    assert_eq!(data_writes.iter().map(|(_, length)| length).sum::<usize>(), 200_000);
}

#[test]
fn queues_take_turns() {
    let mut rig = Rig::new();
    rig.bring_up(4, 8, control::MSIX);
    let data = rig.alloc(4 << 20, 64);
    for queue in 0..4u16 {
        let part = data + u64::from(queue) * (1 << 20);
        let placed = rig.place(&Command::on(
            vec![segment(part, 1 << 20)],
            vec![fill(ElementType::U32, 0, 1 << 18, u64::from(queue) + 1)],
        ));
        rig.submit(queue, queue, placed);
    }
    rig.settle();
    let turns: Vec<u64> = rig
        .bus
        .writes
        .iter()
        .filter(|(address, _)| *address >= data)
        .map(|(address, _)| (address - data) >> 20)
        .collect();
    assert_eq!(turns.len(), 4 * 16, "chunks of 64 KiB");
    assert!(turns.chunks(4).all(|round| round == [0, 1, 2, 3]), "{turns:?}");
    for queue in 0..4u16 {
        assert_eq!(rig.take(queue).expect("a completion").tag, queue);
        let part = data + u64::from(queue) * (1 << 20);
        let expected = (u32::from(queue) + 1).to_le_bytes();
        assert!(rig.bus.at(part, 1 << 20).chunks(4).all(|value| value == expected));
    }
}

#[test]
fn a_ring_that_the_host_refuses_stops_the_device() {
    let mut rig = Rig::running();
    let data = rig.alloc(4, 4);
    let placed = store(&mut rig, data, 1);
    let rings = rig.rings[0];
    rig.submit(0, 3, placed);
    rig.bus.refused.push(rings.sq..rings.sq + 64);
    rig.settle();
    rig.assert_fatal(fault::RING_ACCESS);
    assert_eq!(rig.read64(registers::FAULT_ADDRESS), rings.sq);

    let mut rig = Rig::running();
    let data = rig.alloc(4, 4);
    let placed = store(&mut rig, data, 1);
    let rings = rig.rings[0];
    rig.submit(0, 3, placed);
    rig.bus.refused.push(rings.cq..rings.cq + 4096);
    rig.settle();
    rig.assert_fatal(fault::RING_ACCESS);
    assert_eq!(rig.read64(registers::FAULT_ADDRESS), rings.cq);
    assert_eq!(rig.read(registers::FAULT_SOURCE), 3);
    assert_eq!(rig.bus.messages, [0], "the error, and no completion");
}

#[test]
fn the_same_command_always_costs_the_same() {
    let mut rig = Rig::running();
    let data = rig.alloc(1 << 20, 64);
    let one = Command::on(
        vec![segment(data, 1 << 16), segment(data + (1 << 17), 1 << 16)],
        vec![fill(ElementType::U32, 0, 1 << 15, 9)],
    );
    // 64 for the command, 2 segments, 16 for the step, two chunks of 4096 + 4.
    assert_eq!(rig.run(&one).cycles, 64 + 2 + 16 + 2 * (4096 + 4));
    assert_eq!(rig.run(&one).cycles, 64 + 2 + 16 + 2 * (4096 + 4));
}
