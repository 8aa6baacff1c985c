//! Decides for each range of the data buffer how the device gets at it.

use hawser_abi::reason::Reason;

use crate::bytewise::{Access, Fate};
use crate::cost::is_cheaper_mapped;
use crate::layout::{self, Layout};
use crate::refused::Refused;
use crate::{Buffer, Limits, Touched};

/// Bytes of a page.
pub(crate) const PAGE: u64 = 4096;
/// Most mappings in each direction that a plan can list.
const MOST_MAPPINGS: usize = 8;

/// Why a range meets its fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It is only read.
    OnlyRead,
    /// It is only written.
    OnlyWritten,
    /// It is read and written.
    ReadAndWritten,
    /// It is written, but not all of its cache line.
    PartialLine,
    /// Larger ranges have all mappings.
    TooManyMappings,
    /// Larger ranges, or the range in front, have all map registers.
    TooFewRegisters,
    /// Copying it costs less than mapping it.
    CheaperToCopy,
}

/// A range that meets one fate for one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// First byte.
    pub start: u64,
    /// Byte behind the last.
    pub end: u64,
    /// What becomes of it.
    pub fate: Fate,
    /// Why.
    pub cause: Cause,
}

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The ranges that the device reaches, ascending.
    pub parts: Vec<Part>,
    /// For each of them, its place in the block of the arena if it is copied.
    pub places: Vec<Option<u64>>,
    /// Bytes of the block of the arena.
    pub total: u64,
}

/// A run of bytes with the same access, and the part of it that may be mapped.
struct Run {
    start: u64,
    end: u64,
    access: Access,
    body: (u64, u64),
    /// What of the body is mapped, from its start on; empty if nothing is.
    mapped: (u64, u64),
    /// Why the rest of the body is not.
    rest: Cause,
}

impl Run {
    /// Whether mapping the bytes up to `end` is cheaper than copying the whole run.
    fn is_cheaper_mapped(&self, end: u64, buffer: Buffer, limits: &Limits) -> bool {
        is_cheaper_mapped(self.start..self.end, self.body.0..end, buffer, limits)
    }
}

/// Parts that mappings can add to the runs that they are cut out of: two edges for each of eight that are written, and a rest in each direction.
const ADDED: u64 = 18;

/// Plans a program that was accepted.
///
/// # Errors
/// `ArenaTooSmall`: there is no room for the pieces, or the block is larger than the arena.
pub fn plan(touched: &Touched, buffer: Buffer, limits: &Limits) -> Result<Planned, Refused> {
    let mut runs = runs(touched, buffer, limits.line);
    let room = runs.len() as u64 + ADDED;
    if room > limits.pieces {
        return Err(Refused::new(Reason::ArenaTooSmall, room, limits.pieces));
    }
    for access in [Access::Read, Access::Write] {
        share(&mut runs, access, buffer, limits);
    }
    let parts: Vec<Part> = runs.iter().flat_map(parts).collect();
    let Layout { places, total } = layout::lay_out(&parts, buffer, touched.steps);
    let arena = limits.arena.min(u32::MAX.into());
    if total > arena {
        return Err(Refused::new(Reason::ArenaTooSmall, total, arena));
    }
    Ok(Planned { parts, places, total })
}

/// The longest runs of bytes that the program treats alike.
fn runs(touched: &Touched, buffer: Buffer, line: u64) -> Vec<Run> {
    let ranges = touched.reads.iter().chain(touched.writes.iter());
    let mut cuts: Vec<u64> = ranges.flat_map(|(start, end)| [start, end]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut runs = Vec::new();
    for pair in cuts.windows(2) {
        let (start, end) = (pair[0], pair[1]);
        let access = match (touched.reads.contains(start), touched.writes.contains(start)) {
            (false, false) => continue,
            (true, false) => Access::Read,
            (false, true) => Access::Write,
            (true, true) => Access::ReadAndWrite,
        };
        runs.push(Run {
            start,
            end,
            access,
            body: body(start..end, access, buffer, line),
            mapped: (start, start),
            rest: Cause::TooManyMappings,
        });
    }
    runs
}

/// What of a run may be mapped: all of what is read, and the whole cache lines of memory of what is written.
fn body(run: std::ops::Range<u64>, access: Access, buffer: Buffer, line: u64) -> (u64, u64) {
    let ahead = buffer.page_offset;
    match access {
        Access::Read => (run.start, run.end),
        Access::Write => {
            let first = (ahead + run.start).div_ceil(line) * line;
            let end = (ahead + run.end) / line * line;
            if first < end {
                (first - ahead, end - ahead)
            } else {
                (run.start, run.start)
            }
        }
        Access::ReadAndWrite | Access::None => (run.start, run.start),
    }
}

/// Gives the mappings and map registers of one direction to the largest bodies, and to the first of equal ones.
fn share(runs: &mut [Run], access: Access, buffer: Buffer, limits: &Limits) {
    let mut candidates = Vec::new();
    for run in runs
        .iter_mut()
        .filter(|run| run.access == access && run.body.0 < run.body.1)
    {
        if run.is_cheaper_mapped(run.body.1, buffer, limits) {
            candidates.push(run);
        } else {
            run.rest = Cause::CheaperToCopy;
        }
    }
    candidates.sort_by_key(|run| std::cmp::Reverse(run.body.1 - run.body.0));
    let mut registers = limits.map_registers;
    for run in candidates.into_iter().take(limits.mappings.min(MOST_MAPPINGS)) {
        let (start, end) = (buffer.page_offset + run.body.0, buffer.page_offset + run.body.1);
        let first_page = start / PAGE;
        let pages = end.div_ceil(PAGE) - first_page;
        let end = match registers {
            0 => run.body.0,
            left if left >= pages => run.body.1,
            left => (first_page + left) * PAGE - buffer.page_offset,
        };
        registers -= registers.min(pages);
        run.rest = Cause::TooFewRegisters;
        if run.is_cheaper_mapped(end, buffer, limits) {
            run.mapped = (run.body.0, end);
        }
    }
}

/// The parts of a run.
fn parts(run: &Run) -> Vec<Part> {
    let part = |start, end, fate, cause| Part {
        start,
        end,
        fate,
        cause,
    };
    let (start, end, body, rest) = (run.start, run.end, run.body, run.rest);
    let mapped = run.mapped.1;
    let parts = match run.access {
        Access::None => Vec::new(),
        Access::ReadAndWrite => vec![part(start, end, Fate::CopiedInOut, Cause::ReadAndWritten)],
        Access::Read => vec![
            part(start, mapped, Fate::ToDevice, Cause::OnlyRead),
            part(mapped, end, Fate::CopiedIn, rest),
        ],
        Access::Write if body.0 == body.1 => vec![part(start, end, Fate::CopiedOut, Cause::PartialLine)],
        Access::Write if run.mapped.0 == mapped => vec![part(start, end, Fate::CopiedOut, rest)],
        Access::Write => vec![
            part(start, body.0, Fate::CopiedOut, Cause::PartialLine),
            part(body.0, mapped, Fate::FromDevice, Cause::OnlyWritten),
            part(mapped, body.1, Fate::CopiedOut, rest),
            part(body.1, end, Fate::CopiedOut, Cause::PartialLine),
        ],
    };
    parts.into_iter().filter(|part| part.start < part.end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytewise::{READ, WRITTEN, fates};
    use crate::ranges::Ranges;
    use proptest::prelude::*;

    fn ranges(codes: &[u8], bit: u8) -> Ranges {
        let mut ranges = Ranges::default();
        for (at, _) in codes.iter().enumerate().filter(|(_, code)| *code & bit != 0) {
            ranges.add(at as u64, at as u64 + 1);
        }
        ranges
    }

    proptest! {
        /// Two models that decide in different ways: range by range and byte by byte.
        #[test]
        fn ranges_meet_the_fates_of_their_bytes(
            runs in prop::collection::vec((0_u8..4, 1_usize..200), 1..24), page_offset in 3500_u64..4096,
            line in prop::sample::select(vec![1_u64, 8, 64]), mappings in 0_usize..9,
            map_registers in prop::sample::select(vec![0, 1, 2, 3, u64::from(u32::MAX)]),
            costs in prop::sample::select(vec![(0, 0), (100, 20), (512, 64)])
        ) {
            let codes: Vec<u8> = runs.into_iter().flat_map(|(code, length)| vec![code; length]).collect();
            let touched = Touched { steps: 1, reads: ranges(&codes, READ), writes: ranges(&codes, WRITTEN) };
            let buffer = Buffer { length: codes.len() as u64, page_offset };
            let limits = Limits {
                steps: 1, data: u64::MAX, scratch: 0, operations: u64::MAX, element_types: u32::MAX,
                mappings, line, map_registers, mapping_cost: costs.0, page_cost: costs.1, arena: u64::MAX, pieces: u64::MAX,
            };
            let planned = plan(&touched, buffer, &limits).expect("there is room");
            let mut found = vec![Fate::Untouched; codes.len()];
            for part in &planned.parts {
                found[part.start as usize..part.end as usize].fill(part.fate);
            }
            prop_assert_eq!(found, fates(&codes, buffer, &limits));
        }
    }
}
