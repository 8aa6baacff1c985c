//! `cargo xtask bench programs`: prints how fast programs are checked, planned and translated, and whether that is as promised.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use hawser_bench::cases::Inputs;
use hawser_bench::document;
use hawser_bench::gates::{self, Verdict};
use hawser_bench::report::Report;
use hawser_bench::rounds::{self, Timing};
use hawser_bench::scale::Scale;

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
    /// See whether everything runs, with tiny programs, and bounds a thousand times as wide
    #[arg(long)]
    quick: bool,
    /// Multiply every bound by this; below 1 it shows how much room is left [default: 1]
    #[arg(long, value_name = "FACTOR")]
    loosen: Option<f64>,
    /// Write what was measured to this file, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Put what is printed into this page of the documentation, between its marks
    #[arg(long, value_name = "FILE", conflicts_with_all = ["quick", "only", "loosen"])]
    page: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    rounds::pin(arguments.processor)?;
    let mut scale = if arguments.quick { Scale::quick() } else { Scale::full() };
    scale.rounds = arguments.rounds.unwrap_or(scale.rounds);
    scale.loosened = arguments.loosen.unwrap_or(scale.loosened);
    let timings = measure(&scale, arguments.only.as_deref())?;
    let verdicts = gates::judge_all(gates::all(&scale), &timings, arguments.only.is_some());
    let report = Report {
        scale: &scale,
        timings: &timings,
        verdicts: &verdicts,
    };
    print!("{}", report.text());
    if let Some(path) = &arguments.report {
        write(path, &serde_json::to_string_pretty(&report.json())?)?;
    }
    if let Some(path) = &arguments.page {
        write(path, &filled_page(path, &report)?)?;
    }
    Ok(if verdicts.iter().all(Verdict::holds) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Measures all cases, or those with `only` in their name.
fn measure(scale: &Scale, only: Option<&str>) -> Result<Vec<Timing>> {
    let inputs = Inputs::new(scale.clone());
    let mut timings = Vec::new();
    for rounds in rounds::shares(scale.rounds) {
        let mut cases = inputs.cases()?;
        if let Some(part) = only {
            cases.retain(|case| case.name.contains(part));
        }
        rounds::add(&mut timings, rounds::measure(&mut cases, rounds, scale.shortest));
    }
    Ok(timings)
}

fn filled_page(path: &Path, report: &Report<'_>) -> Result<String> {
    let page = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    document::fill(&page, &document::processor(&cpuinfo), &report.text())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}
