//! The rules of a submission's header.

use hawser_abi::reason::Reason;

use crate::refused::Refused;
use crate::{Buffer, Limits};

/// Bytes of a header.
pub(crate) const BYTES: usize = 64;
const LARGEST_DATA: u64 = 1 << 30;
const MOST_STEPS: u64 = 65_536;
const LARGEST_SCRATCH: u64 = (1 << 30) - 1;

/// What the rules of steps need to know of the header.
pub(crate) struct Header {
    pub(crate) steps: u64,
    pub(crate) data: u64,
    pub(crate) scratch: u64,
}

/// The little-endian number of `width` bytes at `offset`.
pub(crate) fn field(bytes: &[u8], offset: usize, width: usize) -> u64 {
    let bytes = bytes[offset..offset + width].iter().rev();
    bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Refuses what is not as `wanted`, with the value found and the limit.
fn unless(holds: bool, reason: Reason, found: u64, limit: u64) -> Result<(), Refused> {
    if holds {
        Ok(())
    } else {
        Err(Refused::new(reason, found, limit))
    }
}

pub(crate) fn check(program: &[u8], buffer: Buffer, limits: &Limits) -> Result<Header, Refused> {
    let length = program.len() as u64;
    unless(program.len() >= BYTES, Reason::HeaderTruncated, length, BYTES as u64)?;
    let magic = field(b"HWSR", 0, 4);
    let fixed = [
        (Reason::BadMagic, field(program, 0, 4), magic),
        (Reason::BadVersion, field(program, 4, 2), 1),
        (Reason::BadHeaderSize, field(program, 6, 2), 64),
        (Reason::BadStepSize, field(program, 12, 2), 64),
        (Reason::TotalSizeMismatch, field(program, 8, 4), length),
    ];
    for (reason, found, wanted) in fixed {
        unless(found == wanted, reason, found, wanted)?;
    }
    let steps = field(program, 16, 4);
    let announced = 64 + 64 * steps;
    unless(announced == length, Reason::StepCountMismatch, announced, length)?;
    unless(steps > 0, Reason::NoSteps, 0, 1)?;
    let most = limits.steps.min(MOST_STEPS);
    unless(steps <= most, Reason::TooManySteps, steps, most)?;
    for position in (14..16).chain(52..64) {
        let found = field(program, position, 1);
        unless(found == 0, Reason::HeaderReserved, found, 0).map_err(|refused| refused.at(position as u64))?;
    }
    let flags = field(program, 20, 4);
    unless(flags == 0, Reason::HeaderFlags, flags, 0)?;
    unless(buffer.length > 0, Reason::NoDataBuffer, 0, 1)?;
    let data = field(program, 40, 8);
    unless(data == buffer.length, Reason::DataSizeMismatch, data, buffer.length)?;
    let largest = limits.data.min(LARGEST_DATA);
    unless(data <= largest, Reason::DataTooLarge, data, largest)?;
    let scratch = field(program, 32, 8);
    let largest = limits.scratch.min(LARGEST_SCRATCH);
    unless(scratch <= largest, Reason::ScratchTooLarge, scratch, largest)?;
    Ok(Header { steps, data, scratch })
}
