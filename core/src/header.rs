//! The rules of a submission's header.

use hawser_abi::program::{MAGIC, MAX_STEPS, Step, SubmitHeader, VERSION};
use hawser_abi::reason::Reason;
use zerocopy::{FromBytes, IntoBytes};

use crate::check::BufferShape;
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::workspace::Room;

const HEADER_SIZE: usize = size_of::<SubmitHeader>();
pub(crate) const STEP_SIZE: usize = size_of::<Step>();

/// The cookie of a submission whose header can be trusted to have one: it is long enough, and magic number, version and header size are
/// those of this contract.
pub fn readable_cookie(program: &[u8]) -> Option<u64> {
    let header = read(program).ok()?;
    identity(&header).ok()?;
    Some(header.cookie)
}

/// The header and the steps of a program whose header breaks no rule. `room` is what the check has room for.
pub(crate) fn parse<'p>(
    program: &'p [u8],
    shape: BufferShape,
    limits: &Limits,
    room: Room,
) -> Result<(SubmitHeader, &'p [[u8; STEP_SIZE]]), Refusal> {
    let header = read(program)?;
    identity(&header)?;
    sizes(&header, program.len(), limits.max_steps.min(room.steps).min(MAX_STEPS))?;
    reserved(&header)?;
    data(&header, shape, limits)?;
    let scratch = limits.scratch_limit().min(room.scratch);
    at_most(Reason::ScratchTooLarge, header.scratch_size, scratch)?;
    let steps = program.get(HEADER_SIZE..).unwrap_or_default();
    Ok((header, steps.as_chunks().0))
}

fn read(program: &[u8]) -> Result<SubmitHeader, Refusal> {
    SubmitHeader::read_from_prefix(program)
        .map(|(header, _)| header)
        .map_err(|_| {
            Refusal::new(Reason::HeaderTruncated)
                .length(program.len() as u64)
                .limit(HEADER_SIZE as u64)
        })
}

/// Refuses `found` where it is not `wanted`.
fn equal(reason: Reason, found: u64, wanted: u64) -> Result<(), Refusal> {
    if found == wanted {
        Ok(())
    } else {
        Err(Refusal::new(reason).length(found).limit(wanted))
    }
}

/// Refuses `found` where it is above `most`.
fn at_most(reason: Reason, found: u64, most: u64) -> Result<(), Refusal> {
    if found <= most {
        Ok(())
    } else {
        Err(Refusal::new(reason).length(found).limit(most))
    }
}

/// Refuses 0.
fn at_least_one(reason: Reason, found: u64) -> Result<(), Refusal> {
    if found >= 1 {
        Ok(())
    } else {
        Err(Refusal::new(reason).limit(1))
    }
}

fn identity(header: &SubmitHeader) -> Result<(), Refusal> {
    equal(Reason::BadMagic, header.magic.into(), MAGIC.into())?;
    equal(Reason::BadVersion, header.version.into(), VERSION.into())?;
    equal(Reason::BadHeaderSize, header.header_size.into(), HEADER_SIZE as u64)
}

fn sizes(header: &SubmitHeader, input_length: usize, max_steps: u32) -> Result<(), Refusal> {
    equal(Reason::BadStepSize, header.step_size.into(), STEP_SIZE as u64)?;
    equal(Reason::TotalSizeMismatch, header.total_size.into(), input_length as u64)?;
    let steps_size = u64::from(header.step_count).saturating_mul(STEP_SIZE as u64);
    let announced = steps_size.saturating_add(HEADER_SIZE as u64);
    equal(Reason::StepCountMismatch, announced, header.total_size.into())?;
    at_least_one(Reason::NoSteps, header.step_count.into())?;
    at_most(Reason::TooManySteps, header.step_count.into(), max_steps.into())
}

fn reserved(header: &SubmitHeader) -> Result<(), Refusal> {
    let fields: [(usize, &[u8]); 2] = [
        (
            core::mem::offset_of!(SubmitHeader, reserved0),
            header.reserved0.as_bytes(),
        ),
        (core::mem::offset_of!(SubmitHeader, reserved1), &header.reserved1),
    ];
    for (start, bytes) in fields {
        for (position, byte) in (start..).zip(bytes) {
            if *byte != 0 {
                let refusal = Refusal::new(Reason::HeaderReserved);
                return Err(refusal.offset(position as u64).length(u64::from(*byte)));
            }
        }
    }
    at_most(Reason::HeaderFlags, header.flags.into(), 0)
}

fn data(header: &SubmitHeader, shape: BufferShape, limits: &Limits) -> Result<(), Refusal> {
    at_least_one(Reason::NoDataBuffer, shape.length)?;
    equal(Reason::DataSizeMismatch, header.data_size, shape.length)?;
    at_most(Reason::DataTooLarge, shape.length, limits.data_limit())
}
