//! What the tour prints.

use std::fmt::Write;

use hawser::Ending;

use crate::attack::Attack;
use crate::tour::Outcome;

/// An attack and how it ended, in a few lines.
pub fn attack(attack: &Attack, outcome: &Outcome) -> String {
    let mut text = format!("  {}\n", attack.tries);
    match &outcome.ending {
        Some(ending) => text.push_str(&refusal(ending)),
        None => text.push_str("      NOT REFUSED\n"),
    }
    if let Some(complaint) = &outcome.complaint {
        // Writing to a string does not fail.
        let _ = writeln!(text, "      WRONG: {complaint}");
    }
    text
}

/// Status and reason; then, where there is a record, the place and the numbers.
fn refusal(ending: &Ending) -> String {
    let reason = ending.reason().map_or("unknown", |reason| reason.text());
    let place = ending.record.map_or_else(
        || "no record: the header cannot be trusted to have a cookie".into(),
        |record| {
            let step = ending.step_index().map(|index| format!("step {index}, "));
            let operand = ending.operand().map(|operand| format!("{}, ", operand.name()));
            format!(
                "{}{}offset {}, length {}, limit {}",
                step.unwrap_or_default(),
                operand.unwrap_or_default(),
                record.offset,
                record.length,
                record.limit
            )
        },
    );
    format!("      {}: {reason}\n      {place}\n", ending.status)
}
