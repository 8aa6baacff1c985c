//! Puts header and steps together.

use hawser_abi::program::{MAGIC, Step, SubmitHeader, VERSION};
use zerocopy::{FromZeros, IntoBytes};

use super::Program;

/// Bytes of the spaces that a program works on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes of the data buffer.
    pub data: u64,
    /// Bytes of device-local memory.
    pub scratch: u64,
}

/// The program of these steps, with no cookie and the driver's default time. Numbers that do not fit their field are cut to the largest
/// that does, which the driver refuses.
pub fn assemble(steps: &[Step], sizes: Sizes) -> Program {
    let steps = steps.as_bytes();
    let total = steps.len().saturating_add(size_of::<SubmitHeader>());
    let header = SubmitHeader {
        magic: MAGIC,
        version: VERSION,
        header_size: size_of::<SubmitHeader>() as u16,
        total_size: u32::try_from(total).unwrap_or(u32::MAX),
        step_size: size_of::<Step>() as u16,
        step_count: u32::try_from(steps.len() / size_of::<Step>()).unwrap_or(u32::MAX),
        scratch_size: sizes.scratch,
        data_size: sizes.data,
        ..SubmitHeader::new_zeroed()
    };
    Program::from_bytes([header.as_bytes(), steps].concat())
}
