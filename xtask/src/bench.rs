//! Runs the benchmarks. They are a workspace of their own, so that what they compare with stays out of this one.

use anyhow::Result;
use clap::{Args, Subcommand};
use xshell::{Shell, cmd};

/// Where the benchmarks are.
pub const MANIFEST: &str = "bench/Cargo.toml";
/// What selects them in a command of cargo. They are built beside the project, whose dependencies are partly theirs.
pub const SELECTION: [&str; 5] = ["--locked", "--manifest-path", MANIFEST, "--target-dir", "target"];

/// What is measured.
#[derive(Subcommand)]
pub enum Bench {
    /// How fast programs are checked, planned and translated; fails unless every promised ratio holds
    Programs(Programs),
}

/// Arguments for the benchmark.
#[derive(Args)]
#[command(disable_help_flag = true)]
pub struct Programs {
    /// Options of the benchmark, which `--help` lists
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

/// Builds a benchmark in release, and runs it.
pub fn run(shell: &Shell, bench: &Bench) -> Result<()> {
    let Bench::Programs(Programs { options }) = bench;
    cmd!(shell, "cargo run --quiet --release {SELECTION...} -- {options...}")
        .quiet()
        .run()?;
    Ok(())
}
