//! The tables for people, and the same as JSON.

use serde_json::{Value, json};

use crate::cases::{Stage, hawser_name, other_name};
use crate::gates::Verdict;
use crate::programs::Kind;
use crate::rounds::{self, Ratio, Timing};
use crate::scale::Scale;

/// Everything that was measured, and what became of the gates.
pub struct Report<'a> {
    /// How much was measured.
    pub scale: &'a Scale,
    /// What was measured.
    pub timings: &'a [Timing],
    /// What became of the gates.
    pub verdicts: &'a [Verdict],
}

/// What Hawser's stages are compared with, whether or not a gate depends on it.
const OTHERS: [&str; 6] = [
    "rbpf",
    "solana-sbpf",
    "wasmparser",
    "copy",
    "read+compare",
    "read+ranges",
];

impl Report<'_> {
    /// All tables as text.
    pub fn text(&self) -> String {
        let tables = [self.times(), self.comparisons(), self.adversaries(), self.gates()];
        tables.into_iter().flatten().collect::<Vec<_>>().join("\n") + "\n"
    }

    /// Nanoseconds for each unit of each case, and bytes in each nanosecond at the least of them.
    fn times(&self) -> Vec<String> {
        let head = format!(
            "{:<44} {:>9} {:>9} {:>7} {:>8}",
            "case", "ns least", "median", "B", "GB/s"
        );
        let row = |timing: &Timing| {
            let (name, least, median) = (&timing.name, timing.least(), timing.median());
            let (bytes, speed) = (timing.bytes_per_unit, timing.gigabytes_per_second());
            format!("{name:<44} {least:>9.2} {median:>9.2} {bytes:>7.1} {speed:>8.2}")
        };
        [head].into_iter().chain(self.timings.iter().map(row)).collect()
    }

    /// How Hawser compares with everything else: the median of the ratios of all rounds, time for a step by time for an instruction, or by
    /// that for copying, or reading and comparing, the bytes of a step.
    fn comparisons(&self) -> Vec<String> {
        let of_kind = |kind: Kind| {
            let sizes = self.scale.sizes;
            let cases = Stage::ALL.iter().flat_map(|stage| sizes.map(|steps| (*stage, steps)));
            let rows = cases.map(|(stage, steps)| {
                let others = OTHERS.map(|other| other_name(other, kind.name(), steps));
                Row::of(self.timings, hawser_name(stage, kind, steps), &others)
            });
            ratios(&OTHERS, rows.collect())
        };
        [Kind::Random, Kind::Ordered].into_iter().flat_map(of_kind).collect()
    }

    /// What an adversary's program, or one for a device that lacks something, costs in terms of others of the same size.
    fn adversaries(&self) -> Vec<String> {
        let others = [Kind::Random, Kind::Arrays, Kind::Ordered];
        let name = |kind| hawser_name(Stage::Prepare, kind, self.scale.large());
        let kinds = Kind::ADVERSARIAL.into_iter().chain([Kind::Exact]);
        let rows = kinds.map(|kind| Row::of(self.timings, name(kind), &others.map(name)));
        ratios(&others.map(Kind::name), rows.collect())
    }

    /// What became of the gates.
    fn gates(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut promise = "";
        for verdict in self.verdicts {
            let gate = &verdict.gate;
            if gate.promise != promise {
                promise = gate.promise;
                lines.push(format!("\n{promise}: at most {}", gate.most));
            }
            let word = if verdict.holds() { "pass" } else { "FAIL" };
            let ratio = verdict
                .ratio
                .map_or("not measured".to_owned(), |Ratio { median, least, most }| {
                    format!("{median:>6.2} (rounds {least:.2} to {most:.2})")
                });
            lines.push(format!(
                "  {word} {ratio}: {} against {}",
                gate.measured, gate.reference
            ));
        }
        let held = self.verdicts.iter().filter(|verdict| verdict.holds()).count();
        lines.push(format!("\n{held} of {} gates hold", self.verdicts.len()));
        lines
    }

    /// Everything as JSON: nanoseconds of every round of each case, and every verdict with the ratio of each round.
    pub fn json(&self) -> Value {
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
                "rounds": rounds::ratios(self.timings, &verdict.gate.measured, &verdict.gate.reference),
                "holds": verdict.holds(),
            })
        };
        json!({
            "cases": self.timings.iter().map(timing).collect::<Vec<_>>(),
            "gates": self.verdicts.iter().map(verdict).collect::<Vec<_>>(),
        })
    }
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

/// A table of the rows that have a ratio; nothing if there are none.
fn ratios(others: &[&str], mut rows: Vec<Row>) -> Vec<String> {
    rows.retain(|row| row.ratios.iter().any(Option::is_some));
    if rows.is_empty() {
        return Vec::new();
    }
    let heads: Vec<_> = others.iter().map(|other| format!("{other:>12}")).collect();
    let mut lines = vec![format!("\n{:<44} {}", "times the time of", heads.join(" "))];
    for Row { name, ratios } in rows {
        let medians = ratios.iter().map(|ratio| ratio.map(|ratio| ratio.median));
        let columns = medians.map(|median| median.map_or(format!("{:>12}", "-"), |median| format!("{median:>12.2}")));
        lines.push(format!("{name:<44} {}", columns.collect::<Vec<_>>().join(" ")));
    }
    lines
}
