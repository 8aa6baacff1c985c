//! Verdicts of checker and planner in the terms of the model.

use hawser_core::{Piece, Pieces, Plan, Refusal, Route, Why};
use hawser_core_model::{Cause, Fate, Part, Planned, Refused};

use super::case::Case;
use crate::Difference;

/// A plan, or the refusal.
pub type Outcome = Result<Planned, Refused>;

/// What the model says.
pub(super) fn of_model(case: &Case) -> Outcome {
    let (buffer, limits) = (case.buffer(), case.model_limits());
    let touched = hawser_core_model::check(&case.program, buffer, &limits)?;
    hawser_core_model::plan(&touched, buffer, &limits)
}

/// Nothing if both verdicts are the same to the last number.
///
/// # Errors
/// They are not.
pub fn agree(found: &Outcome, expected: &Outcome) -> Result<(), Difference> {
    Difference::unless_equal("verdict", found, expected)
}

pub(super) fn refused(refusal: &Refusal) -> Refused {
    Refused {
        reason: refusal.reason,
        step: refusal.step,
        operand: refusal.operand.map(|operand| operand as u8),
        offset: refusal.offset,
        length: refusal.length,
        limit: refusal.limit,
    }
}

pub(super) fn planned(plan: &Plan, pieces: Pieces<'_>) -> Planned {
    Planned {
        parts: pieces.iter().map(|piece| part(plan, piece)).collect(),
        places: pieces.iter().map(place).collect(),
        total: plan.layout().total,
    }
}

fn part(plan: &Plan, piece: &Piece) -> Part {
    Part {
        start: piece.range().offset,
        end: piece.range().end(),
        fate: match piece.route() {
            Route::ToDevice(_) => Fate::ToDevice,
            Route::FromDevice(_) => Fate::FromDevice,
            Route::CopyIn(_) => Fate::CopiedIn,
            Route::CopyOut(_) => Fate::CopiedOut,
            Route::CopyInOut(_) => Fate::CopiedInOut,
        },
        cause: match plan.why(piece) {
            Why::OnlyRead => Cause::OnlyRead,
            Why::OnlyWritten => Cause::OnlyWritten,
            Why::ReadAndWritten => Cause::ReadAndWritten,
            Why::PartialLine => Cause::PartialLine,
            Why::TooManyMappings => Cause::TooManyMappings,
            Why::TooFewRegisters => Cause::TooFewRegisters,
            Why::CheaperToCopy => Cause::CheaperToCopy,
        },
    }
}

fn place(piece: &Piece) -> Option<u64> {
    match piece.route() {
        Route::ToDevice(_) | Route::FromDevice(_) => None,
        Route::CopyIn(block) | Route::CopyOut(block) | Route::CopyInOut(block) => Some(block.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_abi::reason::Reason;

    const REFUSED: Refused = Refused {
        reason: Reason::OutOfBounds,
        step: Some(3),
        operand: Some(1),
        offset: 8,
        length: 16,
        limit: 20,
    };

    fn planned() -> Planned {
        Planned {
            parts: vec![Part {
                start: 0,
                end: 64,
                fate: Fate::ToDevice,
                cause: Cause::OnlyRead,
            }],
            places: vec![None],
            total: 512,
        }
    }

    #[test]
    fn each_number_of_a_wrong_refusal_is_a_difference() {
        let wrong = [
            Refused {
                reason: Reason::Misaligned,
                ..REFUSED
            },
            Refused {
                step: Some(2),
                ..REFUSED
            },
            Refused { step: None, ..REFUSED },
            Refused {
                operand: Some(0),
                ..REFUSED
            },
            Refused { offset: 9, ..REFUSED },
            Refused { length: 15, ..REFUSED },
            Refused { limit: 19, ..REFUSED },
        ];
        assert_eq!(agree(&Err(REFUSED), &Err(REFUSED)), Ok(()));
        for refused in wrong {
            assert!(agree(&Err(refused), &Err(REFUSED)).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn a_wrong_verdict_or_plan_is_a_difference() {
        assert_eq!(agree(&Ok(planned()), &Ok(planned())), Ok(()));
        assert!(agree(&Ok(planned()), &Err(REFUSED)).is_err());
        assert!(agree(&Err(REFUSED), &Ok(planned())).is_err());
        let changes: [fn(&mut Planned); 5] = [
            |plan| plan.parts[0].end = 63,
            |plan| plan.parts[0].fate = Fate::FromDevice,
            |plan| plan.parts[0].cause = Cause::OnlyWritten,
            |plan| plan.places[0] = Some(256),
            |plan| plan.total += 64,
        ];
        for change in changes {
            let mut wrong = planned();
            change(&mut wrong);
            assert!(agree(&Ok(wrong.clone()), &Ok(planned())).is_err(), "{wrong:?}");
        }
    }
}
