//! Decodes the instruction that faulted.

use crate::image;
use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter};

/// The longest instruction.
const LONGEST: usize = 15;
const PAGE: u64 = 4096;

/// A decoded instruction.
pub(super) struct Instruction(pub(super) iced_x86::Instruction);

impl Instruction {
    /// Decodes code that is at `rip`.
    pub(super) fn new(code: &[u8], rip: u64) -> Self {
        Self(Decoder::with_ip(64, code, rip, DecoderOptions::NONE).decode())
    }

    /// The instruction as assembly language, and where it is if that is in an image.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        IntelFormatter::new().format(&self.0, &mut text);
        match image::name_of(self.0.ip() as usize) {
            Some(place) => format!("{text} in {place}"),
            None => text,
        }
    }
}

/// The instruction at an address that was just executed.
pub(super) fn at(rip: u64) -> Instruction {
    let in_page = (PAGE - rip % PAGE) as usize;
    let short = Instruction::new(&bytes(rip, in_page.min(LONGEST)), rip);
    if short.0.is_invalid() && in_page < LONGEST {
        return Instruction::new(&bytes(rip, LONGEST), rip);
    }
    short
}

/// A copy of code. Nothing when the address is no code at all: a jump into nowhere faults at its target.
fn bytes(rip: u64, length: usize) -> Vec<u8> {
    let mut copy = vec![0; length];
    let local = libc::iovec {
        iov_base: copy.as_mut_ptr().cast(),
        iov_len: length,
    };
    let remote = libc::iovec {
        iov_base: core::ptr::with_exposed_provenance_mut(rip as usize),
        iov_len: length,
    };
    let process = std::process::id().cast_signed();
    // SAFETY: reads into `copy`; the system checks the other address.
    let read = unsafe { libc::process_vm_readv(process, &raw const local, 1, &raw const remote, 1, 0) };
    copy.truncate(usize::try_from(read).unwrap_or(0));
    copy
}
