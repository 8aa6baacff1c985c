//! The library on a simulated machine, with the driver and the device.
#![cfg(not(windows))]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use hawser::transport::simulated::{Access, Machine, MemoryModel, SimConfig};
use hawser::{Array, Buffer, Error, NtStatus, Predicate, Program, ProgramBuilder};
use hawser_abi::reason::Reason;

fn machine(memory: MemoryModel) -> Machine {
    Machine::start(&SimConfig {
        memory,
        ..SimConfig::default()
    })
    .unwrap()
}

/// `y = x + constant` on `count` elements.
fn adder(count: u64, constant: i32) -> (Program, Array<i32>, Array<i32>) {
    let mut builder = ProgramBuilder::new();
    let x = builder.array::<i32>(count).unwrap();
    let y = builder.array::<i32>(count).unwrap();
    builder.add(y, x, constant).unwrap();
    (builder.build().unwrap(), x, y)
}

#[test]
fn programs_run_at_every_page_offset_and_their_records_are_kept() {
    for memory in [MemoryModel::Flat, MemoryModel::Scrambled, MemoryModel::Iommu] {
        let machine = machine(memory);
        let device = machine.open(Access::ReadWrite).unwrap();
        let (program, x, y) = adder(1000, 5);
        for page_offset in [0, 1, 63, 64, 4095] {
            let mut buffer = device.allocate_at(program.data_size() as usize, page_offset).unwrap();
            x.store(&mut buffer, &[37; 1000]).unwrap();
            let finished = device.run(&program, buffer).unwrap();
            assert_eq!(y.load(&finished.buffer).unwrap(), [42; 1000]);
            let record = device.result(finished.cookie).unwrap();
            assert_eq!((record.cookie, record.status), (finished.cookie, 0));
        }
        assert_eq!(device.stats().unwrap().succeeded, 5);
        drop(device);
        machine.shutdown().unwrap();
    }
}

#[test]
fn submissions_overlap_and_are_ended_in_any_order() {
    let machine = machine(MemoryModel::Iommu);
    let device = machine.open(Access::ReadWrite).unwrap();
    let programs: Vec<_> = (0..16).map(|constant| adder(4096, constant)).collect();
    let mut pending: Vec<_> = programs
        .iter()
        .map(|(program, x, _)| {
            let mut buffer = device.buffer_for(program).unwrap();
            x.store(&mut buffer, &[1; 4096]).unwrap();
            device.submit(program, buffer).unwrap()
        })
        .collect();
    pending.reverse();
    for (pending, (_, _, y)) in pending.into_iter().zip(programs.iter().rev()) {
        let constant = i32::try_from(pending.cookie()).unwrap() - 1;
        let finished = pending.wait().unwrap();
        assert_eq!(y.load(&finished.buffer).unwrap(), [1 + constant; 4096]);
    }
    drop(device);
    machine.shutdown().unwrap();
}

#[test]
fn a_submission_can_be_awaited() {
    let machine = machine(MemoryModel::Iommu);
    let device = machine.open(Access::ReadWrite).unwrap();
    let (program, _, y) = adder(100, 7);
    let mut pending = pin!(device.submit(&program, device.buffer_for(&program).unwrap()).unwrap());
    let mut context = Context::from_waker(Waker::noop());
    let finished = loop {
        if let Poll::Ready(finished) = pending.as_mut().poll(&mut context) {
            break finished.unwrap();
        }
    };
    assert_eq!(y.load(&finished.buffer).unwrap(), [7; 100]);
}

#[test]
fn a_submission_that_is_dropped_leaves_nothing() {
    let machine = machine(MemoryModel::Iommu);
    let device = machine.open(Access::ReadWrite).unwrap();
    let (program, ..) = adder(100_000, 7);
    for _ in 0..3 {
        drop(device.submit(&program, device.buffer_for(&program).unwrap()).unwrap());
    }
    assert_eq!(device.stats().unwrap().in_flight, 0);
    drop(device);
    machine.shutdown().unwrap();
}

#[test]
fn a_refusal_names_the_step_and_gives_the_buffer_back() {
    let machine = machine(MemoryModel::Iommu);
    let device = machine.open(Access::ReadWrite).unwrap();
    let (program, ..) = adder(100, 7);
    let mut bytes = program.with_cookie(99).into_bytes();
    bytes[64 + 8] = 101;
    let buffer = device.buffer_for(&program).unwrap();
    let failed = device.submit_bytes(bytes, Some(buffer)).unwrap().wait().unwrap_err();
    assert_eq!(
        failed.buffer.map(|buffer| buffer.len()),
        Some(program.data_size() as usize)
    );
    let Error::Ended(ending) = failed.error else {
        panic!("{}", failed.error)
    };
    assert_eq!(
        (ending.reason(), ending.step_index()),
        (Some(Reason::OutOfBounds), Some(0))
    );
    assert!(
        ending
            .to_string()
            .contains("step 0 (add i32): destination: an operand reaches outside its space"),
        "{ending}"
    );
    let failed = device
        .submit_bytes(program.into_bytes(), None)
        .unwrap()
        .wait()
        .unwrap_err();
    let Error::Ended(ending) = failed.error else {
        panic!("{}", failed.error)
    };
    assert_eq!(ending.reason(), Some(Reason::NoDataBuffer));
    drop(device);
    machine.shutdown().unwrap();
}

#[test]
fn a_handle_for_reading_asks_and_does_not_submit() {
    let machine = machine(MemoryModel::Flat);
    let device = machine.open(Access::Read).unwrap();
    assert_eq!(device.info().unwrap().slots, 32);
    let (program, ..) = adder(100, 7);
    let failed = device.run(&program, device.buffer_for(&program).unwrap()).unwrap_err();
    let Error::Ended(ending) = failed.error else {
        panic!("{}", failed.error)
    };
    assert_eq!(ending.status, NtStatus(0xC000_0022));
    drop(device);
    machine.shutdown().unwrap();
}

#[test]
fn cookies_belong_to_their_handle() {
    let machine = machine(MemoryModel::Flat);
    let [first, second] = [(); 2].map(|()| machine.open(Access::ReadWrite).unwrap());
    let (program, ..) = adder(100, 7);
    let finished = first.run(&program, first.buffer_for(&program).unwrap()).unwrap();
    let error = second.result(finished.cookie).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Request {
                status: NtStatus::NOT_FOUND,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_buffer_begins_within_a_page() {
    let machine = machine(MemoryModel::Flat);
    let device = machine.open(Access::ReadWrite).unwrap();
    assert!(device.allocate_at(10, 4096).is_err());
    let mut buffer = device.allocate_at(10, 4095).unwrap();
    buffer.write(8, &[1, 2]).unwrap();
    assert!(buffer.write(9, &[1, 2]).is_err());
    let mut read = [0; 2];
    buffer.read(8, &mut read).unwrap();
    assert_eq!(read, [1, 2]);
    assert!(buffer.read(usize::MAX, &mut read).is_err());
}

#[test]
fn operations_on_matrices_and_other_types_run_on_the_device() {
    let mut builder = ProgramBuilder::new();
    let pixels = builder.array::<u8>(300).unwrap();
    let weights = builder.array::<f32>(3_000).unwrap();
    let class = builder.array::<u64>(1).unwrap();
    let masked = builder.array::<u8>(10).unwrap();
    let x = builder.scratch::<f32>(300).unwrap();
    let h = builder.scratch::<f32>(10).unwrap();
    let turned = builder.scratch::<f32>(3_000).unwrap().matrix(10, 300).unwrap();
    builder.convert(x, pixels).unwrap();
    builder.transpose(turned, weights.matrix(300, 10).unwrap()).unwrap();
    let columns = (h.matrix(10, 1).unwrap(), x.matrix(300, 1).unwrap());
    builder.matmul(columns.0, turned, columns.1).unwrap();
    builder.compare(masked, Predicate::Ge, h, 300.0).unwrap();
    builder.saturating_mul(masked, masked, 200).unwrap();
    builder.saturating_add(masked, masked, masked).unwrap();
    builder.argmax(class, h).unwrap();
    let program = builder.build().unwrap();
    for memory in [
        MemoryModel::Flat,
        MemoryModel::Scrambled,
        MemoryModel::Iommu,
        MemoryModel::Bounce,
    ] {
        let machine = machine(memory);
        let device = machine.open(Access::ReadWrite).unwrap();
        let mut buffer = device.buffer_for(&program).unwrap();
        pixels.store(&mut buffer, &[1; 300]).unwrap();
        // Column j of the weights is j everywhere but in column 9, which is 0: h[j] is 300 j.
        let values: Vec<f32> = (0..3_000).map(|at| (at % 10 % 9) as f32).collect();
        weights.store(&mut buffer, &values).unwrap();
        let finished = device.run(&program, buffer).unwrap();
        assert_eq!(class.load(&finished.buffer).unwrap(), [8], "{memory:?}");
        assert_eq!(
            masked.load(&finished.buffer).unwrap(),
            [0, 255, 255, 255, 255, 255, 255, 255, 255, 0],
            "{memory:?}"
        );
        drop(device);
        machine.shutdown().unwrap();
    }
}
