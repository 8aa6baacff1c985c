//! `cargo xtask bench programs`: prints how fast programs are checked, planned and translated, and whether that is as promised.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use hawser_bench::cases::Inputs;
use hawser_bench::{gates, report, rounds};

/// Measures the check of programs against other verifiers and against the memory's own speed.
#[derive(Parser)]
struct Arguments {
    /// Rounds, each of which runs every case once
    #[arg(long, default_value_t = 21)]
    rounds: u32,
    /// Number of the processor on which everything runs
    #[arg(long, default_value_t = 0)]
    processor: usize,
    /// Only the cases whose name contains this; gates without their cases are left out
    #[arg(long)]
    only: Option<String>,
    /// Two rounds, and no gate: whether everything runs
    #[arg(long)]
    quick: bool,
    /// Write what was measured to this file, as JSON
    #[arg(long)]
    report: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    rounds::pin(arguments.processor)?;
    let inputs = Inputs::new(&[gates::SMALL, gates::MIDDLE, gates::LARGE], &gates::LISTS);
    let mut cases = inputs.cases()?;
    if let Some(part) = &arguments.only {
        cases.retain(|case| case.name.contains(part.as_str()));
    }
    let count = if arguments.quick { 2 } else { arguments.rounds };
    let timings = rounds::measure(&mut cases, count, Duration::from_millis(1));
    let measured = |name: &str| timings.iter().any(|timing| timing.name == name);
    let gates = gates::all().into_iter();
    let gates = gates.filter(|gate| measured(&gate.measured) && measured(&gate.reference));
    let verdicts: Vec<_> = gates.map(|gate| gates::judge(gate, &timings)).collect();
    report::print_timings(&timings);
    report::print_verdicts(&verdicts);
    if let Some(path) = &arguments.report {
        let text = serde_json::to_string_pretty(&report::json(&timings, &verdicts))?;
        std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    let failed = verdicts.iter().filter(|verdict| !verdict.holds()).count();
    println!("\n{} of {} gates hold", verdicts.len() - failed, verdicts.len());
    Ok(if arguments.quick || failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
