//! Any number of interrupt messages will do, down to one line, with any number of queues.

use crate::common::{Sent, copy_halves, open, pattern, send, stats};
use hawser_abi::info::DeviceInfo;
use hawser_abi::ioctl::IOCTL_HAWSER_GET_INFO;
use hawser_machine::{SimConfig, SimHandle, SimPc};
use ntsim::machine::InterruptSupply;
use zerocopy::FromBytes;

const SIZE: usize = 16 * 1024;

fn info(handle: &SimHandle) -> DeviceInfo {
    let mut out = [0; size_of::<DeviceInfo>()];
    assert_eq!(
        handle
            .control(IOCTL_HAWSER_GET_INFO, &[], &mut out)
            .expect("the machine goes on")
            .status,
        0
    );
    DeviceInfo::read_from_bytes(&out).expect("the size is right")
}

/// Runs a dozen requests at once and returns what the driver says of itself.
fn serves(interrupts: InterruptSupply, queues: u32, seed: Option<u64>) -> DeviceInfo {
    let parameters = vec![("Queues".to_owned(), queues)];
    let pc = SimPc::start(&SimConfig {
        interrupts,
        seed,
        parameters,
        ..crate::common::config()
    })
    .expect("the PC starts");
    let handle = open(&pc);
    let requests: Vec<_> = (0..12)
        .map(|number| {
            let buffer = pc.allocate(SIZE, 0).expect("user memory");
            send(&handle, &copy_halves(SIZE, number), buffer, pattern(SIZE, number))
        })
        .collect();
    for Sent { before, io, buffer } in &requests {
        assert_eq!(
            io.wait()
                .unwrap_or_else(|error| panic!("{interrupts:?}, {queues} queues: {error}"))
                .status,
            0
        );
        let mut after = vec![0; SIZE];
        buffer.read(0, &mut after);
        assert!(
            after[SIZE / 2..] == before[..SIZE / 2],
            "{interrupts:?}, {queues} queues: wrong data"
        );
    }
    assert_eq!(stats(&handle).succeeded, 12);
    let info = info(&handle);
    drop(requests);
    handle.close();
    pc.shutdown()
        .unwrap_or_else(|error| panic!("{interrupts:?}, {queues} queues: {error}"));
    info
}

#[test]
fn all_messages_and_all_queues() {
    let info = serves(InterruptSupply::Messages(5), 4, None);
    assert_eq!((info.messages, info.queues), (5, 4));
}

#[test]
fn fewer_messages_than_queues() {
    for messages in 1..=4 {
        let info = serves(InterruptSupply::Messages(messages), 4, None);
        assert_eq!(info.messages, u32::from(messages));
    }
}

#[test]
fn one_line() {
    for queues in [1, 4] {
        assert_eq!(serves(InterruptSupply::Line, queues, None).messages, 0);
    }
}

#[test]
fn in_any_order_of_events() {
    for seed in 0..10 {
        serves(InterruptSupply::Messages(5), 4, Some(seed));
        serves(InterruptSupply::Messages(2), 3, Some(seed));
        serves(InterruptSupply::Line, 2, Some(seed));
    }
}
