//! `cargo xtask bench programs`: prints how fast programs are checked, planned and translated, and whether that is as promised.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use hawser_bench::cases::Inputs;
use hawser_bench::rounds::{self, Timing};
use hawser_bench::scale::Scale;
use hawser_bench::{gates, report};

/// Measures the check of programs against other verifiers and against the memory's own speed.
///
/// The exit status is 0 only if every gate holds.
#[derive(Parser)]
struct Arguments {
    /// Rounds, each of which runs every case once [default: 21]
    #[arg(long)]
    rounds: Option<u32>,
    /// Number of the processor on which everything runs [default: the last one that there is]
    #[arg(long)]
    processor: Option<usize>,
    /// Measure only cases whose name contains this; gates of which a case is missing are not judged
    #[arg(long)]
    only: Option<String>,
    /// See whether everything runs, with tiny programs and without enforcing a gate
    #[arg(long)]
    quick: bool,
    /// Write what was measured to this file, as JSON
    #[arg(long)]
    report: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    rounds::pin(arguments.processor)?;
    let mut scale = if arguments.quick { Scale::quick() } else { Scale::full() };
    scale.rounds = arguments.rounds.unwrap_or(scale.rounds);
    let timings = measure(&scale, arguments.only.as_deref())?;
    let verdicts = gates::judge_all(gates::all(&scale), &timings, arguments.only.is_some());
    report::print_timings(&timings);
    report::print_comparisons(&scale, &timings);
    report::print_adversaries(&scale, &timings);
    report::print_verdicts(&verdicts);
    if let Some(path) = &arguments.report {
        let text = serde_json::to_string_pretty(&report::json(&timings, &verdicts))?;
        std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    let failed = verdicts.iter().filter(|verdict| !verdict.holds()).count();
    println!("\n{} of {} gates hold", verdicts.len() - failed, verdicts.len());
    if arguments.quick {
        println!("which says nothing: the programs are tiny");
    }
    Ok(if arguments.quick || failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Measures all cases, or those with `only` in their name.
fn measure(scale: &Scale, only: Option<&str>) -> Result<Vec<Timing>> {
    let inputs = Inputs::new(scale.clone());
    let mut cases = inputs.cases()?;
    if let Some(part) = only {
        cases.retain(|case| case.name.contains(part));
    }
    Ok(rounds::measure(&mut cases, scale.rounds, scale.shortest))
}
