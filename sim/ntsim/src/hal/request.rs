//! What a transfer is about: the bytes of a chain of MDLs, checked.

use super::types::Buffer;
use crate::{
    machine,
    mem::{PAGE, mdl, mdl_map},
    verifier::{self, Rule, dma},
};
use core::ops::Range;
use wdk_sys::{NTSTATUS, PMDL, STATUS_INVALID_PARAMETER};

/// Where in an MDL chain a transfer begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start {
    /// At this address in the first MDL.
    Address(usize),
    /// So many bytes into the chain.
    Offset(u64),
}

/// The bytes that a transfer is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) mdl: PMDL,
    pub(crate) start: Start,
    pub(crate) length: u32,
}

/// The same bytes as memory.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// One buffer for each MDL.
    pub(crate) parts: Vec<Buffer>,
    /// Which bytes of which MDL.
    pub(crate) covers: Vec<(usize, Range<usize>)>,
}

/// The longest chain that is followed.
const CHAIN: usize = 1 << 16;

impl Wanted {
    /// Where it begins in the chain, for the trace too: an address is taken relative to the first MDL.
    pub(crate) fn offset(&self) -> u64 {
        match self.start {
            Start::Offset(offset) => offset,
            Start::Address(address) => address.wrapping_sub(mdl::virtual_address(&mdl::read(self.mdl))) as u64,
        }
    }

    /// How many pages the bytes touch if they are in one MDL: the map registers that they take.
    pub(crate) fn pages(&self) -> u32 {
        let first = mdl::read(self.mdl);
        let address = (mdl::virtual_address(&first) as u64).wrapping_add(self.offset());
        mdl::span(address as usize % PAGE, self.length as usize) as u32
    }

    /// Finds the memory. The length is not 0.
    pub(crate) fn resolve(&self) -> Result<Resolved, NTSTATUS> {
        if self.length == 0 {
            return Err(refuse(dma::ZERO_LENGTH, self.mdl, "a transfer of 0 bytes"));
        }
        let mut skip = self.offset();
        if matches!(self.start, Start::Address(_)) && skip >= u64::from(mdl::read(self.mdl).ByteCount) {
            return Err(refuse(
                dma::OUTSIDE_MDL,
                self.mdl,
                "the address where the transfer begins is not in the MDL",
            ));
        }
        let mut left = self.length as usize;
        let mut resolved = Resolved {
            parts: Vec::new(),
            covers: Vec::new(),
        };
        let mut at = self.mdl;
        for _ in 0..CHAIN {
            if left == 0 || at.is_null() {
                break;
            }
            let header = mdl::read(at);
            let count = u64::from(header.ByteCount);
            if skip < count {
                let start = skip as usize;
                let end = start + left.min((count - skip) as usize);
                resolved.parts.push(part(at, start..end)?);
                resolved.covers.push((at.addr(), start..end));
                left -= end - start;
            }
            skip = skip.saturating_sub(count);
            at = header.Next;
        }
        if left > 0 {
            return Err(refuse(
                dma::LENGTH_PAST_MDL,
                self.mdl,
                "the MDLs hold fewer bytes than the transfer",
            ));
        }
        Ok(resolved)
    }
}

/// The memory of some bytes of one MDL.
fn part(at: PMDL, bytes: Range<usize>) -> Result<Buffer, NTSTATUS> {
    let header = mdl::read(at);
    if !mdl_map::is_locked(at, &header) {
        return Err(refuse(dma::UNLOCKED_MDL, at, "the pages of the MDL are not locked"));
    }
    let start = header.ByteOffset as usize + bytes.start;
    let pages = start / PAGE..(start + bytes.len()).div_ceil(PAGE);
    let frames = machine::with(|m| {
        let physical = &m.mem.physical;
        let each = pages.map(|page| {
            physical
                .frame(mdl::pfn(at, page))
                .filter(|frame| physical.used_for(*frame).is_some())
        });
        each.collect::<Option<Vec<_>>>()
    });
    let frames =
        frames.ok_or_else(|| refuse(dma::UNLOCKED_MDL, at, "the MDL names a page that is no memory in use"))?;
    Ok(Buffer {
        frames,
        offset: start % PAGE,
        length: bytes.len(),
    })
}

fn refuse(rule: Rule, mdl: PMDL, text: &str) -> NTSTATUS {
    verifier::violation_with(rule, [mdl.addr() as u64, 0, 0], text);
    STATUS_INVALID_PARAMETER
}
