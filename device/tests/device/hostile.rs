//! Property: nothing that a driver writes to registers or memory makes the device panic, run away or refuse a reset.

use hawser_abi::descriptor::{DeviceStep, IN_IMMEDIATE, IN_SCRATCH, NOWHERE, binding_flags};
use hawser_abi::registers::{
    self, GONE, control, cq_head_doorbell, queue_offset, queue_register, sq_tail_doorbell, status,
};
use hawser_device::{Activity, BusMaster, Faultless};
use proptest::prelude::*;
use zerocopy::IntoBytes;

use crate::bus::BASE;
use crate::rig::{Command, Placed, Rig, segment};

/// Bus accesses that a piece of work may make: a chunk of four operands in single bytes, and a little.
const MOST_ACCESSES: usize = 4 * 65_536 + 16;
const MEMORY: usize = 1 << 20;
/// Offset of segment tables and descriptor: behind two queues and the data.
const TABLES: usize = 0x6000;

#[derive(Clone, Debug)]
enum Attack {
    Write { offset: u64, width: u8, value: u64 },
    Scribble { at: usize, byte: u8 },
    ScribbleWord { at: usize, value: u64 },
    Run(u16),
    Master(bool),
    PowerCycle,
    Recover,
}

/// Registers that a driver writes, with the values that it might.
fn plausible_writes() -> impl Strategy<Value = Attack> {
    let write = |offset, width, value| Attack::Write { offset, width, value };
    let queue = || 0u16..2;
    prop_oneof![
        4 => (queue(), 0u64..8).prop_map(move |(queue, tail)| write(sq_tail_doorbell(queue), 4, tail)),
        2 => (queue(), 0u64..2).prop_map(move |(queue, head)| write(cq_head_doorbell(queue), 4, head)),
        2 => (queue(), 0u64..6).prop_map(move |(queue, tag)| write(registers::ABORT, 4, u64::from(queue) << 16 | tag)),
        1 => (queue(), 0u64..2).prop_map(move |(queue, value)| write(queue_register(queue, queue_offset::ENABLE), 4, value)),
        1 => (0u64..8).prop_map(move |bits| write(registers::CONTROL, 4, bits)),
        1 => any::<u16>().prop_map(move |value| write(registers::MODERATION, 4, value.into())),
        1 => (0u64..64).prop_map(move |bits| write(registers::INT_STATUS, 4, bits)),
        1 => (0u64..64).prop_map(move |bits| write(registers::INT_MASK_SET, 4, bits)),
        1 => (0u64..64).prop_map(move |bits| write(registers::INT_MASK_CLEAR, 4, bits)),
        1 => Just(write(registers::FAULT_CODE, 4, 0)),
    ]
}

fn wild_writes() -> impl Strategy<Value = Attack> {
    let offset = prop_oneof![
        4 => (0u64..0x80).prop_map(|word| word * 4),
        4 => (0u64..0x50).prop_map(|word| registers::QUEUE_BASE + word * 4),
        4 => (0u64..10).prop_map(|word| registers::DOORBELL_BASE + word * 4),
        1 => any::<u64>(),
    ];
    let width = prop_oneof![8 => Just(4u8), 4 => Just(8u8), 1 => any::<u8>()];
    let value = prop_oneof![
        4 => 0u64..20,
        2 => (0u64..256).prop_map(|page| BASE + page * 4096),
        1 => any::<u64>(),
        1 => Just(u64::MAX),
    ];
    (offset, width, value).prop_map(|(offset, width, value)| Attack::Write { offset, width, value })
}

/// Where rings, segment tables and the descriptor are.
fn interesting() -> impl Strategy<Value = usize> {
    prop_oneof![
        2 => 0usize..0x200,
        1 => 0x2000usize..0x2200,
        4 => TABLES..TABLES + 0x400,
        1 => 0usize..0x8000,
    ]
}

fn attacks() -> impl Strategy<Value = Attack> {
    let word = prop_oneof![
        3 => 0u64..70_000,
        2 => (0u64..MEMORY as u64).prop_map(|at| BASE + at),
        1 => (0u32..64).prop_map(|bit| 1 << bit),
        1 => any::<u64>(),
        1 => Just(u64::MAX),
    ];
    prop_oneof![
        8 => plausible_writes(),
        1 => wild_writes(),
        3 => (interesting(), any::<u8>()).prop_map(|(at, byte)| Attack::Scribble { at, byte }),
        3 => (interesting(), word).prop_map(|(at, value)| Attack::ScribbleWord { at: at & !7, value }),
        6 => (1u16..40).prop_map(Attack::Run),
        1 => any::<bool>().prop_map(Attack::Master),
        1 => Just(Attack::PowerCycle),
        4 => Just(Attack::Recover),
    ]
}

/// A raw step, mostly of the right shape, whose numbers lean towards those that are inside.
fn raw_steps() -> impl Strategy<Value = DeviceStep> {
    let opcode = prop_oneof![12 => 1u8..7, 6 => 8u8..11, 2 => Just(23u8), 1 => any::<u8>()];
    let element = prop_oneof![8 => 5u8..8, 8 => 11u8..13, 1 => any::<u8>()];
    let place = || prop_oneof![6 => Just(0u8), 1 => Just(1u8), 4 => Just(IN_SCRATCH), 2 => Just(IN_IMMEDIATE)];
    let number = || prop_oneof![20 => (0u64..100).prop_map(|value| value * 8), 2 => 0u64..4_096, 1 => any::<u64>()];
    let operand = move || (place(), number());
    let immediate = prop_oneof![2 => Just(0u64), 2 => 0u64..9, 1 => any::<u64>()];
    let odd = prop_oneof![30 => Just(None), 1 => (0usize..64, any::<u8>()).prop_map(Some)];
    (
        opcode,
        element,
        number(),
        [operand(), operand(), operand(), operand()],
        immediate,
        odd,
    )
        .prop_map(|(opcode, element_type, count, mut operands, immediate, odd)| {
            let sources = match opcode {
                1 | 2 | 23 => 1,
                10 => 3,
                _ => 2,
            };
            for (position, operand) in operands.iter_mut().enumerate() {
                match operand.0 {
                    _ if position > sources => *operand = (NOWHERE, 0),
                    IN_IMMEDIATE if position == 0 => operand.0 = 0,
                    IN_IMMEDIATE => operand.1 = 0,
                    _ => {}
                }
            }
            let used = operands.iter().any(|operand| operand.0 == IN_IMMEDIATE);
            let mut step = DeviceStep {
                opcode,
                element_type,
                aux_type: 0,
                flags: 0,
                where_: operands.map(|operand| operand.0),
                count: count.max(1),
                offsets: operands.map(|operand| operand.1),
                immediate: if used { immediate } else { 0 },
                aux: [0; 2],
            };
            if let Some((at, byte)) = odd {
                step.as_mut_bytes()[at] = byte;
            }
            step
        })
}

fn command(rig: &mut Rig, steps: Vec<DeviceStep>) -> Placed {
    let data = rig.alloc(8192, 4096);
    let command = Command {
        bindings: vec![
            (
                vec![segment(data, 1000), segment(data + 2000, 3000)],
                binding_flags::ALL,
            ),
            (vec![segment(data + 100, 3000)], binding_flags::DEVICE_READ),
        ],
        steps,
        window: (0, 4096),
    };
    rig.place(&command)
}

fn submit_all(rig: &mut Rig, placed: Placed) {
    rig.bring_up(2, 8, control::MSIX);
    for tag in 0..5 {
        rig.submit(tag % 2, tag, placed);
    }
}

fn step_bounded(rig: &mut Rig) -> Activity {
    let before = rig.bus.accesses();
    let activity = rig.step();
    assert!(rig.bus.accesses() - before <= MOST_ACCESSES);
    activity
}

/// A reset always helps: the device is ready again and accesses nothing.
fn recover(rig: &mut Rig) {
    rig.device.set_bus_master(BusMaster::Enabled);
    rig.write(registers::CONTROL, control::RESET);
    rig.wait_ready();
    assert_eq!(rig.read(registers::CONTROL), 0);
    let before = rig.bus.accesses();
    assert_eq!(rig.settle(), Activity::Idle);
    assert_eq!(rig.bus.accesses(), before);
}

fn apply(rig: &mut Rig, placed: Placed, attack: &Attack) {
    match *attack {
        Attack::Write { offset, width, value } => rig.device.write_register(offset, width, value, &mut rig.bus),
        Attack::Scribble { at, byte } => rig.bus.memory[at] = byte,
        Attack::ScribbleWord { at, value } => rig.bus.memory[at..at + 8].copy_from_slice(&value.to_le_bytes()),
        Attack::Run(pieces) => {
            for _ in 0..pieces {
                if step_bounded(rig) != Activity::Busy {
                    break;
                }
            }
        }
        Attack::Master(true) => rig.device.set_bus_master(BusMaster::Enabled),
        Attack::Master(false) => rig.device.set_bus_master(BusMaster::Disabled),
        Attack::PowerCycle => {
            rig.device.power_off(&mut rig.bus);
            rig.device.power_on();
        }
        Attack::Recover => {
            recover(rig);
            submit_all(rig, placed);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_breaks_the_device(
        steps in prop::collection::vec(raw_steps(), 1..20),
        attacks in prop::collection::vec(attacks(), 1..60),
    ) {
        let mut rig = Rig::with(Box::new(Faultless), MEMORY);
        rig.bring_up(2, 8, control::MSIX);
        let placed = command(&mut rig, steps);
        for tag in 0..5 {
            rig.submit(tag % 2, tag, placed);
        }
        for attack in &attacks {
            apply(&mut rig, placed, attack);
            prop_assert_ne!(rig.read(registers::STATUS), GONE);
            prop_assert!(rig.read(registers::STATUS).count_ones() <= 1);
        }
        recover(&mut rig);
        prop_assert_eq!(rig.read(registers::STATUS), status::READY);
    }

    #[test]
    fn a_program_of_wild_steps_ends(steps in prop::collection::vec(raw_steps(), 1..40)) {
        let mut rig = Rig::with(Box::new(Faultless), MEMORY);
        rig.bring_up(1, 8, control::MSIX);
        let placed = command(&mut rig, steps);
        rig.submit(0, 1, placed);
        while step_bounded(&mut rig) == Activity::Busy {}
        prop_assert!(rig.take(0).is_some());
        rig.write(sq_tail_doorbell(0), 1);
        prop_assert_eq!(rig.read(registers::STATUS), status::READY);
    }
}
