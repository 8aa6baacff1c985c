//! The device's own fence: bounds, directions and holes; and what becomes of accesses that the host refuses.

use hawser_abi::descriptor::{DeviceStep, HOLE, binding_flags};
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::queue::{CompletionEntry, CompletionStatus, NO_OPERAND, NO_STEP};
use hawser_abi::registers::{self, status};
use zerocopy::IntoBytes;

use crate::rig::{Command, IMMEDIATE, NONE, Operand, Rig, scratch, segment, status_of, step};

pub const READ: u32 = binding_flags::DEVICE_READ;
const WRITE: u32 = binding_flags::DEVICE_WRITE;

/// Status, step, operand and offset of a completion.
pub type End = (CompletionStatus, u32, u8, u64);

pub fn end(entry: &CompletionEntry) -> End {
    (status_of(entry), entry.step, entry.operand, entry.offset)
}

/// Runs steps with a readable binding 0 and a writable binding 1 of 4096 bytes each, with 64-byte holes at 1024.
pub fn run_steps(steps: Vec<DeviceStep>) -> (End, Rig, [u64; 2]) {
    let mut rig = Rig::running();
    let parts = [rig.alloc(4096, 64), rig.alloc(4096, 64)];
    let view = |base: u64| {
        vec![
            segment(base, 1024),
            segment(HOLE, 64),
            segment(base + 1088, 4096 - 1088),
        ]
    };
    let command = Command {
        bindings: vec![(view(parts[0]), READ), (view(parts[1]), WRITE)],
        steps,
        window: (4096, 256),
    };
    let entry = rig.run(&command);
    assert_eq!(
        rig.read(registers::STATUS),
        status::READY,
        "a fault of a command is none of the device"
    );
    (end(&entry), rig, parts)
}

pub fn add(count: u64, dst: Operand, a: Operand, b: Operand) -> DeviceStep {
    step(Opcode::Add, ElementType::I32, count, [dst, a, b, NONE])
}

#[test]
fn faults_of_access_name_step_operand_and_offset() {
    use CompletionStatus::{Direction, OutOfBounds};
    let cases: [(&str, DeviceStep, CompletionStatus, u8, u64); 17] = [
        (
            "dst one element too long",
            add(2, (1, 4092), (0, 0), (0, 0)),
            OutOfBounds,
            0,
            4,
        ),
        (
            "a one element too long",
            add(2, (1, 0), (0, 4092), (0, 0)),
            OutOfBounds,
            1,
            4,
        ),
        ("b behind the end", add(1, (1, 0), (0, 0), (0, 4096)), OutOfBounds, 2, 0),
        (
            "b far behind the end",
            add(1, (1, 0), (0, 0), (0, u64::MAX - 3)),
            OutOfBounds,
            2,
            0,
        ),
        (
            "a that wraps",
            add(1 << 60, (1, 0), (0, 8), (0, 0)),
            OutOfBounds,
            0,
            1024,
        ),
        (
            "dst into the hole",
            add(4, (1, 1012), (0, 0), (0, 0)),
            OutOfBounds,
            0,
            12,
        ),
        (
            "a into the hole",
            add(300, scratch(0), (0, 8), (0, 0)),
            OutOfBounds,
            0,
            256,
        ),
        ("a in the hole", add(1, (1, 0), (0, 1084), (0, 0)), OutOfBounds, 1, 0),
        (
            "b across the hole",
            add(20, (1, 0), (0, 0), (0, 1020)),
            OutOfBounds,
            2,
            4,
        ),
        (
            "dst in scratch, too long",
            add(2, scratch(252), (0, 0), (0, 0)),
            OutOfBounds,
            0,
            4,
        ),
        (
            "a behind scratch",
            add(1, (1, 0), scratch(256), (0, 0)),
            OutOfBounds,
            1,
            0,
        ),
        (
            "a far behind scratch",
            add(1, (1, 0), scratch(u64::MAX - 3), (0, 0)),
            OutOfBounds,
            1,
            0,
        ),
        ("dst only readable", add(1, (0, 0), (0, 0), (0, 0)), Direction, 0, 0),
        ("a only writable", add(1, (1, 0), (1, 0), (0, 0)), Direction, 1, 0),
        ("b only writable", add(1, (1, 0), (0, 0), (1, 0)), Direction, 2, 0),
        (
            "c only writable",
            step(Opcode::Fma, ElementType::F32, 1, [(1, 0), (0, 0), (0, 0), (1, 0)]),
            Direction,
            3,
            0,
        ),
        (
            "sum with its result behind the end",
            step(Opcode::Sum, ElementType::F64, 4, [(1, 4096), (0, 0), NONE, NONE]),
            OutOfBounds,
            0,
            0,
        ),
    ];
    for (name, faulty, expected, operand, offset) in cases {
        let good = add(1, (1, 0), (0, 0), (0, 4));
        let (end, ..) = run_steps(vec![good, faulty]);
        assert_eq!(end, (expected, 1, operand, offset), "{name}");
    }
}

#[test]
fn what_is_just_inside_is_let_pass() {
    let steps = vec![
        add(1, (1, 4092), (0, 4092), (0, 4092)),
        add(256, (1, 0), (0, 0), (0, 0)),
        add(1, (1, 1088), (0, 1088), (0, 1020)),
        add(64, scratch(0), (0, 0), (0, 0)),
        add(1, scratch(252), (0, 0), IMMEDIATE),
        step(Opcode::Sum, ElementType::F64, 128, [(1, 4088), (0, 0), NONE, NONE]),
    ];
    let (end, ..) = run_steps(steps);
    assert_eq!(end, (CompletionStatus::Success, NO_STEP, NO_OPERAND, 0));
}

#[test]
fn a_step_at_fault_writes_nothing_and_later_steps_do_not_run() {
    let constant = |count, dst, bits| DeviceStep {
        immediate: bits,
        ..step(Opcode::Fill, ElementType::U32, count, [dst, IMMEDIATE, NONE, NONE])
    };
    let steps = vec![
        constant(1, (1, 0), 7),
        constant(1000, (1, 4), 8),
        constant(1, (1, 8), 9),
    ];
    let (end, mut rig, parts) = run_steps(steps);
    assert_eq!(end, (CompletionStatus::OutOfBounds, 1, 0, 1020));
    assert_eq!(rig.bus.at(parts[1], 4), [7, 0, 0, 0]);
    assert!(rig.bus.at(parts[1] + 4, 4092).iter().all(|byte| *byte == 0));
}

#[test]
fn refused_memory_ends_the_command_with_a_bus_error() {
    use CompletionStatus::BusError;
    let build = || {
        let mut rig = Rig::running();
        let parts = [rig.alloc(1 << 20, 64), rig.alloc(1 << 20, 64)];
        let command = Command {
            bindings: vec![
                (vec![segment(parts[0], 1 << 20)], READ),
                (
                    vec![segment(parts[1], 100_000), segment(parts[1] + 200_000, 100_000)],
                    WRITE,
                ),
            ],
            steps: vec![
                step(Opcode::Copy, ElementType::U32, 1, [(1, 0), (0, 0), NONE, NONE]),
                step(Opcode::Copy, ElementType::U32, 50_000, [(1, 0), (0, 400), NONE, NONE]),
            ],
            window: (0, 0),
        };
        let bytes = rig.layout(&command);
        let placed = rig.put_descriptor(&bytes);
        (rig, parts, placed)
    };
    let (mut rig, parts, placed) = build();
    rig.bus
        .refused
        .push(parts[0] + 400 + 65_536 + 5..parts[0] + 400 + 65_536 + 6);
    assert_eq!(
        end(&rig.run_placed(placed)),
        (BusError, 1, 1, 65_536),
        "the chunk that was refused"
    );

    let (mut rig, parts, placed) = build();
    rig.bus.refused.push(parts[1] + 200_000..parts[1] + 200_001);
    assert_eq!(
        end(&rig.run_placed(placed)),
        (BusError, 1, 0, 100_000),
        "the run that was refused"
    );

    let (mut rig, _, placed) = build();
    rig.bus.refused.push(placed.address..placed.address + 1);
    assert_eq!(
        end(&rig.run_placed(placed)),
        (BusError, NO_STEP, NO_OPERAND, 0),
        "the head"
    );

    let (mut rig, _, placed) = build();
    rig.bus.refused.push(placed.address + 64..placed.address + 96);
    assert_eq!(
        end(&rig.run_placed(placed)),
        (BusError, NO_STEP, NO_OPERAND, 0),
        "the bindings"
    );

    let (mut rig, _, placed) = build();
    let steps = placed.address + 128;
    rig.bus.refused.push(steps..steps + 1);
    assert_eq!(end(&rig.run_placed(placed)), (BusError, 0, NO_OPERAND, 0), "the steps");
}

#[test]
fn integer_division_by_zero_names_the_element() {
    let mut rig = Rig::running();
    let count = 40_000u64;
    let divisors: Vec<i32> = (0..count as i32)
        .map(|index| if index == 30_001 { 0 } else { -1 })
        .collect();
    let a = rig.put(&vec![1; 4 * count as usize], 64);
    let b = rig.put(divisors.as_bytes(), 64);
    let command = Command {
        bindings: vec![
            (vec![segment(a, 4 * count)], binding_flags::ALL),
            (vec![segment(b, 4 * count)], READ),
        ],
        steps: vec![step(
            Opcode::Div,
            ElementType::I32,
            count,
            [(0, 0), (0, 0), (1, 0), NONE],
        )],
        window: (0, 0),
    };
    assert_eq!(
        end(&rig.run(&command)),
        (CompletionStatus::DivideByZero, 0, 2, 4 * 30_001)
    );
}
