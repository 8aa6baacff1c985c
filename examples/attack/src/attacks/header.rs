//! Attacks by a header that says something else than what was sent.

use hawser_abi::op::ElementType::U8;
use hawser_abi::op::Opcode;
use hawser_abi::program::{MAGIC, SubmitHeader};
use hawser_abi::reason::Reason;

use crate::attack::{Attack, Expected, refused};
use crate::draft::{IMMEDIATE, data, program, program_with, step};

/// A program of one harmless step under a header that `lie` changes.
fn lying(tries: &'static str, lie: impl FnOnce(&mut SubmitHeader), expected: Expected) -> Attack {
    let step = step(Opcode::Fill, U8, 16, [data(0), IMMEDIATE]);
    Attack::new(tries, program_with(&[step], lie), expected)
}

/// The attacks.
pub fn attacks() -> Vec<Attack> {
    let reserved = |position| refused(Reason::HeaderReserved).numbers(position, 1, 0);
    let mut cut = program(&[]);
    cut.truncate(63);
    vec![
        Attack::new(
            "ends within its header",
            cut,
            refused(Reason::HeaderTruncated).numbers(0, 63, 64),
        ),
        Attack::new(
            "is empty",
            Vec::new(),
            refused(Reason::HeaderTruncated).numbers(0, 0, 64),
        ),
        lying(
            "is no program",
            |header| header.magic = 0,
            refused(Reason::BadMagic).numbers(0, 0, MAGIC.into()),
        ),
        lying(
            "comes from the future",
            |header| header.version = 2,
            refused(Reason::BadVersion).numbers(0, 2, 1),
        ),
        lying(
            "has the steps begin before the end of the header",
            |header| header.header_size = 32,
            refused(Reason::BadHeaderSize).numbers(0, 32, 64),
        ),
        lying(
            "has steps of no bytes",
            |header| header.step_size = 0,
            refused(Reason::BadStepSize).numbers(0, 0, 64),
        ),
        lying(
            "says that it is longer than what was sent",
            |header| (header.total_size, header.step_count) = (64 + 64 * 100, 100),
            refused(Reason::TotalSizeMismatch).numbers(0, 64 + 64 * 100, 128),
        ),
        lying(
            "announces a step that it does not have",
            |header| header.step_count = 2,
            refused(Reason::StepCountMismatch).numbers(0, 192, 128),
        ),
        lying(
            "announces so many steps that their size fits with 32 bits",
            |header| header.step_count = (1 << 26) + 1,
            refused(Reason::StepCountMismatch).numbers(0, 64 + 64 * ((1 << 26) + 1), 128),
        ),
        Attack::new("has no steps", program(&[]), refused(Reason::NoSteps).numbers(0, 0, 1)),
        lying("uses a reserved field", |header| header.reserved0 = 1, reserved(14)),
        lying(
            "uses the last reserved byte",
            |header| header.reserved1[11] = 1,
            reserved(63),
        ),
        lying(
            "sets a flag that does not exist",
            |header| header.flags = 1 << 31,
            refused(Reason::HeaderFlags).numbers(0, 1 << 31, 0),
        ),
    ]
}
