//! `cargo xtask test`: every check of the project, in the order in which it is cheapest to fail.

use anyhow::Result;
use xshell::Shell;

use crate::{abi, links, lint, makefile, numpy, package, rule_tests, runner, sys, unsafe_scan, windows};

/// Runs all checks; ends with the sum of all test runners.
pub fn run(shell: &Shell) -> Result<()> {
    step("places where unsafe is not allowed");
    unsafe_scan::run(shell)?;
    step("generated files");
    abi::check(shell)?;
    step("paths in the documentation");
    links::run(shell)?;
    step("makefile for Windows");
    makefile::run(shell)?;
    step("rules of the simulator");
    rule_tests::run(shell)?;
    step("lints");
    lint::run(shell)?;
    step("type-checks for Windows");
    windows::run(shell)?;
    step("driver images");
    let image = sys::run_unless_skipped(shell)?;
    if image.is_some() {
        step("driver packages");
        package::run(shell, &package::Arguments::default())?;
    }
    step("NumPy round trip");
    numpy::run(shell)?;
    step("tests");
    runner::run_workspace_tests(shell, image.as_deref())
}

fn step(name: &str) {
    println!("\n=== {name}");
}
