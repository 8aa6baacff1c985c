//! What a forecast says beside the cycles, which the conformance tests compare with runs, and what it refuses.

use hawser_abi::descriptor::{DeviceStep, HOLE, READ_BINDING, WRITE_BINDING};
use hawser_abi::op::{ElementType, Opcode};
use hawser_device::{NotForecast, StepCost, Tables, forecast};

use crate::rig::{IMMEDIATE, NONE, scratch, segment, step};

const R: u8 = READ_BINDING;
const W: u8 = WRITE_BINDING;

fn cost_of(step: DeviceStep) -> StepCost {
    let whole = [segment(1 << 20, 1 << 20)];
    let tables = Tables {
        read: &whole,
        write: &whole,
        scratch_length: 4096,
    };
    forecast(&tables, &[step]).unwrap().steps[0]
}

#[test]
fn bytes_are_told_by_where_they_go() {
    let add = step(Opcode::Add, ElementType::F32, 100, [(W, 0), (R, 512), scratch(0), NONE]);
    let expected = StepCost {
        cycles: 16 + 3 * (25 + 4),
        host_read: 400,
        host_written: 400,
        local: 400,
        operations: 100,
    };
    assert_eq!(cost_of(add), expected);
    let sum = step(Opcode::Sum, ElementType::U16, 1000, [scratch(0), (R, 0), NONE, NONE]);
    let StepCost {
        host_read,
        host_written,
        local,
        ..
    } = cost_of(sum);
    assert_eq!((host_read, host_written, local), (2000, 0, 2));
    let fill = step(Opcode::Fill, ElementType::U8, 33, [(W, 0), IMMEDIATE, NONE, NONE]);
    let StepCost {
        cycles,
        host_read,
        host_written,
        ..
    } = cost_of(fill);
    assert_eq!((cycles, host_read, host_written), (16 + 3 + 4, 0, 33));
}

#[test]
fn a_product_reads_its_sources_once_for_each_tile() {
    let product = DeviceStep {
        aux: [100, 100],
        ..step(
            Opcode::MatMul,
            ElementType::F32,
            10_000,
            [(W, 0), (R, 0), (R, 40_000), NONE],
        )
    };
    let StepCost {
        host_read,
        host_written,
        operations,
        ..
    } = cost_of(product);
    // Two tiles in each direction: both sources are read twice.
    assert_eq!((host_read, host_written, operations), (160_000, 40_000, 1_000_000));
}

#[test]
fn what_the_device_would_refuse_has_no_forecast() {
    let copy = step(Opcode::Copy, ElementType::U8, 64, [(W, 0), (R, 0), NONE, NONE]);
    let (whole, hole) = ([segment(4096, 64)], [segment(HOLE, 64)]);
    let tables = |read, write| Tables {
        read,
        write,
        scratch_length: 0,
    };
    assert!(forecast(&tables(&whole, &whole), &[copy]).is_ok());
    assert_eq!(forecast(&tables(&hole, &whole), &[copy]), Err(NotForecast::Step(0)));
    let outside = DeviceStep { count: 65, ..copy };
    assert_eq!(
        forecast(&tables(&whole, &whole), &[copy, outside]),
        Err(NotForecast::Step(1))
    );
    let empty = [segment(4096, 0)];
    assert_eq!(forecast(&tables(&empty, &whole), &[copy]), Err(NotForecast::Tables));
}
