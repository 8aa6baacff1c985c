//! A plan as JSON, with the names of the arrays.

use hawser::language::Compiled;
use hawser::program::Inspection;
use hawser_core::{DataRange, Piece, Plan, Route};
use serde::Serialize;

/// What the driver decides.
#[derive(Clone, Debug, Serialize)]
pub struct PlanReport {
    pub pieces: Vec<PieceReport>,
    pub mappings_to_device: u8,
    pub mappings_from_device: u8,
    pub bytes_to_device: u64,
    pub bytes_from_device: u64,
    pub bytes_copied_in: u64,
    pub bytes_copied_out: u64,
    /// Bytes of the driver's arena for copies, tables and the translated program.
    pub arena_bytes: u64,
}

/// A run of bytes of the data buffer.
#[derive(Clone, Debug, Serialize)]
pub struct PieceReport {
    pub offset: u64,
    pub length: u64,
    pub route: &'static str,
    pub why: &'static str,
    /// The arrays that lie in it, at least partly.
    pub arrays: Vec<String>,
}

impl PlanReport {
    /// The plan of a program.
    pub fn new(compiled: &Compiled, inspection: &Inspection) -> Self {
        let plan = &inspection.plan;
        Self {
            pieces: inspection
                .pieces
                .iter()
                .map(|piece| PieceReport::new(compiled, plan, piece))
                .collect(),
            mappings_to_device: plan.to_device(),
            mappings_from_device: plan.from_device(),
            bytes_to_device: plan.bytes_to_device(),
            bytes_from_device: plan.bytes_from_device(),
            bytes_copied_in: plan.bytes_copied_in(),
            bytes_copied_out: plan.bytes_copied_out(),
            arena_bytes: plan.layout().total,
        }
    }
}

impl PieceReport {
    fn new(compiled: &Compiled, plan: &Plan, piece: &Piece) -> Self {
        let range = piece.range();
        Self {
            offset: range.offset,
            length: range.length,
            route: route(piece.route()),
            why: plan.why(piece).text(),
            arrays: arrays_in(compiled, range),
        }
    }
}

/// Names of the arrays that lie in a range, at least partly.
pub fn arrays_in(compiled: &Compiled, range: DataRange) -> Vec<String> {
    let inside = compiled
        .data_arrays()
        .filter(|array| array.offset < range.end() && range.offset < array.offset + array.length());
    inside.map(|array| array.name.clone()).collect()
}

/// A route as people and programs read it.
pub fn route(route: Route) -> &'static str {
    match route {
        Route::ToDevice(_) => "to device",
        Route::FromDevice(_) => "from device",
        Route::CopyIn(_) => "copied in",
        Route::CopyOut(_) => "copied out",
        Route::CopyInOut(_) => "copied in and out",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_core::Limits;

    #[test]
    fn pieces_name_their_arrays() {
        let compiled = hawser::language::compile(
            "t",
            "in x : f32[160]\nin w : f32[160]\ninout y : f32[160]\nout z : f32[164]\ny = fma(x, w, y)\nz = 1\n",
        );
        let compiled = compiled.unwrap();
        let report = PlanReport::new(&compiled, &compiled.program.inspect(&Limits::default()).unwrap());
        let pieces: Vec<_> = report
            .pieces
            .iter()
            .map(|piece| (piece.offset, piece.length, piece.route, piece.arrays.join(" ")))
            .collect();
        assert_eq!(
            pieces,
            [
                (0, 1280, "to device", "x w".to_owned()),
                (1280, 640, "copied in and out", "y".to_owned()),
                (1920, 640, "from device", "z".to_owned()),
                (2560, 16, "copied out", "z".to_owned()),
            ]
        );
        assert_eq!((report.mappings_to_device, report.mappings_from_device), (1, 1));
    }
}
