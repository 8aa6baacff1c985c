//! The tables for people, and the same as JSON.

use serde_json::{Value, json};

use crate::cases::{Stage, hawser_name, other_name};
use crate::gates::Verdict;
use crate::programs::Kind;
use crate::rounds::{Ratio, Timing};
use crate::scale::Scale;

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

/// What Hawser's stages are compared with, whether or not a gate depends on it.
const OTHERS: [&str; 5] = ["rbpf", "solana-sbpf", "wasmparser", "copy", "read+compare"];

/// Prints how Hawser compares with everything else: the median of the ratios of all rounds, time for a step by time for an instruction, or
/// by that for copying, or reading and comparing, the bytes of a step.
pub fn print_comparisons(scale: &Scale, timings: &[Timing]) {
    for kind in [Kind::Random, Kind::Ordered] {
        let cases = Stage::ALL
            .iter()
            .flat_map(|stage| scale.sizes.map(|steps| (*stage, steps)));
        let rows = cases.map(|(stage, steps)| {
            let others = OTHERS.map(|other| other_name(other, kind.name(), steps));
            Row::of(timings, hawser_name(stage, kind, steps), &others)
        });
        print_ratios(&OTHERS, rows.collect());
    }
}

/// Prints what an adversary's program costs in terms of others of the same size.
pub fn print_adversaries(scale: &Scale, timings: &[Timing]) {
    let others = [Kind::Random, Kind::Arrays, Kind::Ordered];
    let name = |kind| hawser_name(Stage::Prepare, kind, scale.large());
    let rows = Kind::ADVERSARIAL.map(|kind| Row::of(timings, name(kind), &others.map(name)));
    print_ratios(&others.map(Kind::name), rows.into());
}

/// The ratios of one case to several others.
struct Row {
    name: String,
    ratios: Vec<Option<Ratio>>,
}

impl Row {
    fn of(timings: &[Timing], name: String, others: &[String]) -> Self {
        let ratios = others.iter().map(|other| Ratio::of(timings, &name, other));
        Self {
            ratios: ratios.collect(),
            name,
        }
    }
}

/// Prints the rows that have a ratio, and nothing if there are none.
fn print_ratios(others: &[&str], mut rows: Vec<Row>) {
    rows.retain(|row| row.ratios.iter().any(Option::is_some));
    if rows.is_empty() {
        return;
    }
    let heads: Vec<_> = others.iter().map(|other| format!("{other:>12}")).collect();
    println!("\n{:<44} {}", "times the time of", heads.join(" "));
    for Row { name, ratios } in rows {
        let ratios = ratios.iter().map(|ratio| ratio.map(|ratio| ratio.median));
        let columns = ratios.map(|ratio| ratio.map_or(format!("{:>12}", "-"), |ratio| format!("{ratio:>12.2}")));
        println!("{name:<44} {}", columns.collect::<Vec<_>>().join(" "));
    }
}

/// Prints what became of the gates.
pub fn print_verdicts(verdicts: &[Verdict]) {
    let mut promise = "";
    for verdict in verdicts {
        let gate = &verdict.gate;
        if gate.promise != promise {
            promise = gate.promise;
            println!("\n{promise}: at most {}", gate.most);
        }
        let word = if verdict.holds() { "pass" } else { "FAIL" };
        let ratio = verdict
            .ratio
            .map_or("not measured".to_owned(), |Ratio { median, least, most }| {
                format!("{median:>6.2} (rounds {least:.2} to {most:.2})")
            });
        println!("  {word} {ratio}: {} against {}", gate.measured, gate.reference);
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
            "ratio": verdict.ratio.map(|ratio| ratio.median),
            "holds": verdict.holds(),
        })
    };
    json!({
        "cases": timings.iter().map(timing).collect::<Vec<_>>(),
        "gates": verdicts.iter().map(verdict).collect::<Vec<_>>(),
    })
}
