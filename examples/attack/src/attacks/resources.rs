//! Attacks by size: programs that would take what others need.

use hawser_abi::info::DeviceInfo;
use hawser_abi::op::ElementType::{F32, U8};
use hawser_abi::op::Opcode;
use hawser_abi::reason::Reason;

use crate::attack::{Attack, Given, refused};
use crate::draft::{IMMEDIATE, data, program, program_with, step};

/// The attacks.
pub fn attacks(info: &DeviceInfo) -> Vec<Attack> {
    let (steps, bytes) = (info.max_steps + 1, info.max_data + 1);
    let harmless = step(Opcode::Fill, U8, 16, [data(0), IMMEDIATE]);
    let in_place = step(Opcode::Neg, F32, info.arena_size / 4, [data(0), data(0)]);
    vec![
        Attack::new(
            "has one step too many",
            program(&vec![harmless; steps as usize]),
            refused(Reason::TooManySteps).numbers(0, steps.into(), info.max_steps.into()),
        ),
        Attack::new(
            "brings a buffer one byte too long",
            program_with(&[harmless], |header| header.data_size = bytes),
            refused(Reason::DataTooLarge).numbers(0, bytes, info.max_data),
        )
        .with(Given::Own(bytes)),
        Attack::new(
            "reads and writes more in place than the arena could ever hold copies of",
            program_with(&[in_place], |header| header.data_size = info.arena_size),
            refused(Reason::ArenaTooSmall).more_than(info.arena_size),
        )
        .with(Given::Own(info.arena_size)),
    ]
}
