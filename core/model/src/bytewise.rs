//! A planner that decides byte by byte, for small buffers.

use std::ops::Range;

use crate::cost::is_cheaper_mapped;
use crate::plan::PAGE;
use crate::{Buffer, Limits};

/// Bit of a byte's code: the program reads it.
pub(crate) const READ: u8 = 1;
/// Bit of a byte's code: the program writes it.
pub(crate) const WRITTEN: u8 = 2;

/// What a program does with a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    None,
    /// It reads it.
    Read,
    /// It writes it.
    Write,
    /// It reads it and writes it.
    ReadAndWrite,
}

/// What becomes of a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The device cannot reach it.
    Untouched,
    /// It is in a mapping to the device.
    ToDevice,
    /// It is in a mapping from the device.
    FromDevice,
    /// It is copied into the arena.
    CopiedIn,
    /// It is copied out of the arena.
    CopiedOut,
    /// It is copied into the arena and out of it.
    CopiedInOut,
}

/// What becomes of each byte. Bit 0 of its code says that it is read, bit 1 that it is written.
pub fn fates(codes: &[u8], buffer: Buffer, limits: &Limits) -> Vec<Fate> {
    let (line, ahead) = (limits.line as usize, buffer.page_offset as usize);
    let mut fates: Vec<_> = codes
        .iter()
        .map(|code| match *code {
            0 => Fate::Untouched,
            READ => Fate::CopiedIn,
            WRITTEN => Fate::CopiedOut,
            _ => Fate::CopiedInOut,
        })
        .collect();
    let line_of = |at: usize| (ahead + at) / line;
    let in_buffer = |memory: usize| memory.checked_sub(ahead).and_then(|byte| codes.get(byte));
    let whole_line =
        |at: usize| (line_of(at) * line..(line_of(at) + 1) * line).all(|memory| in_buffer(memory) == Some(&WRITTEN));
    let candidates = [
        (Fate::ToDevice, runs(codes.len(), |at| codes[at] == READ)),
        (Fate::FromDevice, runs(codes.len(), whole_line)),
    ];
    for (fate, mut candidates) in candidates {
        let whole = |run: &Range<usize>| {
            let alike = |at: &usize| codes[*at] == codes[run.start];
            let start = (0..run.start).rev().take_while(alike).last().unwrap_or(run.start);
            let end = (run.end..codes.len())
                .take_while(alike)
                .last()
                .map_or(run.end, |last| last + 1);
            start as u64..end as u64
        };
        let is_cheaper = |run: &Range<usize>, end: usize| {
            is_cheaper_mapped(whole(run), run.start as u64..end as u64, buffer, limits)
        };
        candidates.retain(|run| is_cheaper(run, run.end));
        candidates.sort_by_key(|run| std::cmp::Reverse(run.len()));
        let mut registers = limits.map_registers;
        for run in candidates.into_iter().take(limits.mappings) {
            // Byte by byte: one more page, one register less.
            let mut page = None;
            let mut end = run.start;
            for at in run.clone() {
                let on = (buffer.page_offset + at as u64) / PAGE;
                if page != Some(on) {
                    let Some(less) = registers.checked_sub(1) else { break };
                    (registers, page) = (less, Some(on));
                }
                end = at + 1;
            }
            if is_cheaper(&run, end) {
                fates[run.start..end].fill(fate);
            }
        }
    }
    fates
}

/// The longest runs of bytes for which `wanted` holds, as ranges of indices.
fn runs(length: usize, wanted: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for at in (0..length).filter(|at| wanted(*at)) {
        match found.last_mut() {
            Some(last) if last.end == at => last.end = at + 1,
            _ => found.push(at..at + 1),
        }
    }
    found
}
