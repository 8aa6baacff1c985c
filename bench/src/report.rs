//! The tables for people, and the same as JSON.

use serde_json::{Value, json};

use crate::gates::Verdict;
use crate::rounds::Timing;

/// Prints what was measured.
pub fn print_timings(timings: &[Timing]) {
    println!(
        "{:<44} {:>9} {:>9} {:>7} {:>8}",
        "case", "ns least", "median", "B", "GB/s"
    );
    for timing in timings {
        println!(
            "{:<44} {:>9.2} {:>9.2} {:>7.1} {:>8.2}",
            timing.name,
            timing.least(),
            timing.median(),
            timing.bytes_per_unit,
            timing.gigabytes_per_second()
        );
    }
}

/// Prints what became of the gates.
pub fn print_verdicts(verdicts: &[Verdict]) {
    let mut promise = "";
    for verdict in verdicts {
        if verdict.gate.promise != promise {
            promise = verdict.gate.promise;
            println!("\n{promise}");
        }
        println!(
            "  {} {:>6.2} (rounds {:.2} to {:.2}), at most {:.2}: {} against {}",
            if verdict.holds() { "pass" } else { "FAIL" },
            verdict.ratio,
            verdict.spread.0,
            verdict.spread.1,
            verdict.gate.most,
            verdict.gate.measured,
            verdict.gate.reference
        );
    }
}

/// Everything as JSON: nanoseconds of every round, and every verdict.
pub fn json(timings: &[Timing], verdicts: &[Verdict]) -> Value {
    let timing = |timing: &Timing| {
        json!({
            "case": timing.name,
            "bytes_per_unit": timing.bytes_per_unit,
            "least_ns": timing.least(),
            "median_ns": timing.median(),
            "rounds_ns": timing.rounds,
        })
    };
    let verdict = |verdict: &Verdict| {
        json!({
            "promise": verdict.gate.promise,
            "measured": verdict.gate.measured,
            "reference": verdict.gate.reference,
            "most": verdict.gate.most,
            "ratio": verdict.ratio,
            "holds": verdict.holds(),
        })
    };
    json!({
        "cases": timings.iter().map(timing).collect::<Vec<_>>(),
        "gates": verdicts.iter().map(verdict).collect::<Vec<_>>(),
    })
}
