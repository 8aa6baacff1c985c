//! The data buffer cut into regions of one route, with the reason for it and the steps that make it so.

use hawser_core::{DataRange, Piece, Route, Why};
use serde::Serialize;

use super::Subject;
use super::access::{Access, overlap};
use super::step_list::StepList;
use crate::plan_report::{arrays_in, route};
use crate::text::bytes;

/// Regions that are explained.
const EXPLAINED: usize = 64;

/// The first regions of the data buffer.
#[derive(Debug, Serialize)]
pub struct Regions {
    pub list: Vec<Region>,
    /// Regions behind them.
    pub left_out: u64,
}

/// A run of bytes.
#[derive(Debug, Serialize)]
pub struct Region {
    pub offset: u64,
    pub length: u64,
    /// As in a plan, or `untouched`.
    pub route: &'static str,
    pub arrays: Vec<String>,
    pub readers: StepList,
    pub writers: StepList,
    /// Why it takes this route.
    pub explanation: String,
}

impl Regions {
    pub fn of(subject: &Subject<'_>) -> Self {
        let all = cut(&subject.inspection.pieces, subject.inspection.checked.data_length());
        let explained = all.iter().take(EXPLAINED);
        Self {
            list: explained.map(|cut| Region::of(subject, cut)).collect(),
            left_out: all.len().saturating_sub(EXPLAINED) as u64,
        }
    }
}

/// A piece of the plan, or bytes that are in none.
pub struct Cut<'p> {
    pub range: DataRange,
    pub piece: Option<&'p Piece>,
}

/// The pieces, and what is between them.
pub fn cut(pieces: &[Piece], length: u64) -> Vec<Cut<'_>> {
    let (mut cuts, mut at) = (Vec::new(), 0);
    let ends = pieces.iter().map(|piece| (piece.range(), Some(piece)));
    let end = DataRange {
        offset: length,
        length: 0,
    };
    for (range, piece) in ends.chain([(end, None)]) {
        if range.offset > at {
            let length = range.offset - at;
            let range = DataRange { offset: at, length };
            cuts.push(Cut { range, piece: None });
        }
        if piece.is_some() {
            cuts.push(Cut { range, piece });
        }
        at = range.end();
    }
    cuts
}

impl Region {
    fn of(subject: &Subject<'_>, cut: &Cut<'_>) -> Self {
        let steps = |wanted: fn(&Access) -> bool| {
            let touching = subject
                .accesses
                .iter()
                .filter(|access| access.is_data() && wanted(access) && overlap(access.range, cut.range));
            touching.map(|access| access.step).collect()
        };
        let DataRange { offset, length } = cut.range;
        let arrays = arrays_in(&subject.file.compiled, cut.range);
        Self {
            offset,
            length,
            route: cut.piece.map_or("untouched", |piece| route(piece.route())),
            explanation: match cut.piece {
                Some(piece) => explanation(subject, piece),
                None if arrays.is_empty() && !subject.file.compiled.arrays.is_empty() => {
                    "Bytes between arrays: no step touches them, so they are neither mapped nor copied, and the device cannot reach them."
                        .into()
                }
                None => "No step touches them, so they are neither mapped nor copied, and the device cannot reach them.".into(),
            },
            arrays,
            readers: steps(|access| !access.is_write()),
            writers: steps(Access::is_write),
        }
    }
}

fn explanation(subject: &Subject<'_>, piece: &Piece) -> String {
    let line = bytes(subject.limits.dma_alignment.into());
    let most = subject.limits.max_mappings;
    match (subject.inspection.plan.why(piece), piece.route()) {
        (Why::OnlyRead, _) => {
            "The program only reads it: mapped for the device to read, where it is. The edges may lie anywhere, since \
            writing a cache line back harms no neighbour."
                .into()
        }
        (Why::OnlyWritten, _) => format!(
            "The program writes every byte and reads none: mapped for the device to write, where it is. Both edges are at cache lines of \
             {line} in memory, so that nothing beside it is lost."
        ),
        (Why::ReadAndWritten, _) => {
            "The program reads it and writes it, and Windows maps memory for one direction: copied into the \
            arena before the run, and out of it after a run that succeeded."
                .into()
        }
        (Why::PartialLine, _) => {
            let (start, end) = edges(subject, piece);
            format!(
                "The program writes it, but no whole cache line of {line}: it begins {start} into one and ends {end} into one. Mapped, the \
                 line would be lost to whoever has the rest of it. The device writes to the arena, from where it is copied out."
            )
        }
        (Why::TooManyMappings, Route::CopyIn(_)) => {
            format!(
                "The program only reads it, and {most} larger ranges have the mappings to the device: copied into the arena."
            )
        }
        (Why::TooManyMappings, _) => {
            format!(
                "The program only writes it, and {most} larger ranges have the mappings from the device: copied out of the arena."
            )
        }
        (Why::CheaperToCopy, Route::CopyIn(_)) => {
            "The program only reads it, and it is so short that a mapping would cost more than a copy: copied into the arena.".into()
        }
        (Why::CheaperToCopy, _) => {
            "The program only writes it, and it is so short that a mapping would cost more than a copy: copied out of the arena.".into()
        }
        (Why::TooFewRegisters, Route::CopyIn(_)) => {
            "The program only reads it, and no map registers are left for it: copied into the arena.".into()
        }
        (Why::TooFewRegisters, _) => {
            "The program only writes it, and no map registers are left for it: copied out of the arena.".into()
        }
    }
}

/// Bytes from the start of a cache line to the first byte of a piece, and to the one behind its last.
fn edges(subject: &Subject<'_>, piece: &Piece) -> (String, String) {
    let ahead = u64::from(subject.inspection.checked.shape().page_offset);
    let line = u64::from(subject.limits.dma_alignment.max(1));
    let DataRange { offset, length } = piece.range();
    let start = ahead + offset;
    (bytes(start % line), bytes((start + length) % line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_core::Limits;

    #[test]
    fn the_regions_are_the_whole_buffer() {
        let compiled = hawser::language::compile(
            "t",
            "in x : u8[10]\nout y : u8[100]\ninout z : u8[10]\nout w : u8[10]\ny = 1\nz = z + x\nw = 1\n",
        )
        .unwrap();
        for page_offset in [0, 1, 40, 64] {
            let inspection = compiled.program.inspect_at(&Limits::default(), page_offset).unwrap();
            let length = compiled.program.data_size();
            let cuts = cut(&inspection.pieces, length);
            let mut at = 0;
            for cut in &cuts {
                assert_eq!(cut.range.offset, at);
                assert!(cut.range.length > 0);
                at = cut.range.end();
            }
            assert_eq!(at, length);
            let pieces = cuts.iter().filter(|cut| cut.piece.is_some()).count();
            assert_eq!(pieces, inspection.pieces.len());
        }
    }
}
