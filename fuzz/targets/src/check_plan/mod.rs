//! Bytes are checked, planned and translated, and everything is compared with the slow model.

mod arena;
mod case;
mod lists;
mod mutate;
mod outcome;
mod tables;
mod translated;

use hawser_core::{Piece, Pieces, Plan, Workspace, check, plan};

use crate::Difference;
use arena::Arena;

pub use case::{CONTROL, Case, Control, flags};
pub use mutate::mutate;
pub use outcome::{Outcome, agree};

/// Checks and plans what `bytes` say: 16 bytes that choose limits, then the input buffer of a submission ([`Case`]).
///
/// # Errors
/// The checker or the planner disagrees with the model, or the tables or the translated program are not what the plan asks for.
pub fn run(bytes: &[u8]) -> Result<(), Difference> {
    compare(&Case::from_bytes(bytes))
}

/// Checks and plans a case.
///
/// # Errors
/// As of [`run`].
pub fn compare(case: &Case) -> Result<(), Difference> {
    let expected = outcome::of_model(case);
    let mut words = vec![u64::MAX; case.room.words()];
    let mut workspace = Workspace::new(&mut words, case.room);
    let mut pieces = vec![Piece::default(); case.pieces];
    let mut accepted = match check(&case.program, case.shape, &case.limits, &mut workspace) {
        Ok(accepted) => accepted,
        Err(refusal) => return agree(&Err(outcome::refused(&refusal)), &expected),
    };
    let checked = accepted.checked();
    let plan = match plan(&mut accepted, &case.limits, &mut pieces) {
        Ok(plan) => plan,
        Err(refusal) => return agree(&Err(outcome::refused(&refusal)), &expected),
    };
    let pieces = Pieces(&pieces[..plan.pieces()]);
    let found = Ok(outcome::planned(&plan, pieces));
    agree(&found, &expected)?;
    counts(&plan, pieces)?;
    let planned = expected.expect("both are a plan");
    let mut arena = Arena::new(plan.layout().total);
    translated::compare(case, &accepted, &plan, &mut arena)?;
    tables::compare(case, &checked, &plan, (pieces, &planned), &mut arena)
}

/// What the plan says of itself is what its pieces say.
fn counts(plan: &Plan, pieces: Pieces<'_>) -> Result<(), Difference> {
    use hawser_core::{Direction, Mapping, Route};
    let bytes = |wanted: fn(Route) -> bool| -> u64 {
        let routed = pieces.iter().filter(|piece| wanted(piece.route()));
        routed.map(|piece| piece.range().length).sum()
    };
    let found = [
        plan.bytes_to_device(),
        plan.bytes_from_device(),
        plan.bytes_copied_in(),
        plan.bytes_copied_out(),
    ];
    let expected = [
        bytes(|route| matches!(route, Route::ToDevice(_))),
        bytes(|route| matches!(route, Route::FromDevice(_))),
        bytes(|route| matches!(route, Route::CopyIn(_) | Route::CopyInOut(_))),
        bytes(|route| matches!(route, Route::CopyOut(_) | Route::CopyInOut(_))),
    ];
    Difference::unless_equal("bytes mapped and copied", &found, &expected)?;
    let mapping = |direction, range| Some(Mapping { range, direction });
    let mappings: Vec<Mapping> = pieces
        .iter()
        .filter_map(|piece| match piece.route() {
            Route::ToDevice(_) => mapping(Direction::ToDevice, piece.range()),
            Route::FromDevice(_) => mapping(Direction::FromDevice, piece.range()),
            _ => None,
        })
        .collect();
    Difference::unless_equal("mappings", &plan.mappings(), &&mappings[..])
}
