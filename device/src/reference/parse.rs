//! Reads the header of a program and refuses what is malformed.

use hawser_abi::pci::MEMORY_BAR_SIZE;
use hawser_abi::program::{MAGIC, MAX_DATA, MAX_STEPS, Step, SubmitHeader, VERSION};
use zerocopy::FromBytes;

use super::ReferenceFault;

/// Bytes of a step.
pub(super) const STEP_BYTES: usize = size_of::<Step>();

/// A program whose header is in order.
pub(super) struct Parsed<'a> {
    pub(super) steps: &'a [u8],
    pub(super) scratch_size: usize,
}

/// Reads the header of a program for a buffer of `data_size` bytes.
pub(super) fn header(program: &[u8], data_size: usize) -> Result<Parsed<'_>, ReferenceFault> {
    let (header, steps) = SubmitHeader::read_from_prefix(program).map_err(|_| ReferenceFault::Header {
        what: "it is truncated",
    })?;
    let rules = [
        (header.magic == MAGIC, "magic number"),
        (header.version == VERSION, "version"),
        (
            usize::from(header.header_size) == size_of::<SubmitHeader>(),
            "header size",
        ),
        (header.total_size as usize == program.len(), "total size"),
        (usize::from(header.step_size) == STEP_BYTES, "step size"),
        ((1..=MAX_STEPS).contains(&header.step_count), "number of steps"),
        (
            header.step_count as usize * STEP_BYTES == steps.len(),
            "number of steps for its size",
        ),
        (header.flags == 0, "flags"),
        (header.reserved0 == 0 && header.reserved1 == [0; 12], "reserved bytes"),
        (header.scratch_size <= MEMORY_BAR_SIZE, "scratch size"),
        ((1..=MAX_DATA).contains(&(data_size as u64)), "data buffer"),
        (header.data_size == data_size as u64, "data size"),
    ];
    if let Some((_, what)) = rules.into_iter().find(|(holds, _)| !holds) {
        return Err(ReferenceFault::Header { what });
    }
    Ok(Parsed {
        steps,
        scratch_size: header.scratch_size as usize,
    })
}
