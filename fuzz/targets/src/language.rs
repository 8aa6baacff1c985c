//! Bytes are compiled as a program text. What compiles, the checker accepts; what does not is reported at places inside the text.

use hawser::language::{Compiled, Mistakes, compile};
use hawser_abi::reason::Reason;
use hawser_core::Limits;
use miette::{GraphicalReportHandler, GraphicalTheme};

use crate::Difference;
use crate::check_plan::{self, CONTROL};

/// Most steps of a program that is compared with the slow model as well.
const FEW_STEPS: usize = 64;

/// Compiles `bytes`, if they are text.
///
/// # Errors
/// The compiler made a program that a driver refuses, or a mistake cannot be shown.
pub fn run(bytes: &[u8]) -> Result<(), Difference> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Ok(());
    };
    match compile("fuzzed.hws", text) {
        Ok(compiled) => is_accepted(&compiled),
        Err(mistakes) => can_be_shown(&mistakes),
    }
}

fn is_accepted(compiled: &Compiled) -> Result<(), Difference> {
    let program = &compiled.program;
    let limits = Limits::default();
    let verdict = program.check(&limits);
    Difference::unless_equal("the checker on what was compiled", &verdict, &Ok(()))?;
    // Whether the arena is large enough is not known before a device is.
    let planned = program.inspect(&limits).map(drop);
    let is_planned = planned.is_ok() || planned.is_err_and(|refusal| refusal.reason == Reason::ArenaTooSmall);
    Difference::unless(is_planned, || format!("what was compiled is not planned: {planned:?}"))?;
    Difference::unless_equal("places of steps", &compiled.steps.len(), &program.step_count())?;
    if program.step_count() <= FEW_STEPS {
        check_plan::run(&[&[0; CONTROL], program.bytes()].concat())?;
    }
    Ok(())
}

/// Messages with excerpts can be made, and have something to say.
fn can_be_shown(mistakes: &Mistakes) -> Result<(), Difference> {
    Difference::unless(!mistakes.list().is_empty(), || "refused without a mistake".to_owned())?;
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::none());
    let mut shown = String::new();
    let rendered = handler.render_report(&mut shown, mistakes);
    Difference::unless(rendered.is_ok() && !shown.is_empty(), || {
        format!("the mistakes cannot be shown: {mistakes}")
    })
}
