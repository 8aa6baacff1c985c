//! Project tasks: `cargo xtask <task>`.

mod abi;
mod bench;
mod fuzz;
mod header;
mod links;
mod lint;
mod makefile;
mod numpy;
mod operations;
mod package;
mod programs;
mod rule_tests;
mod runner;
mod simulator;
mod source;
mod sys;
mod tables;
mod test;
mod unsafe_scan;
mod windows;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xshell::Shell;

#[derive(Parser)]
#[command(about = "Project tasks", disable_version_flag = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that must hold before a change lands: lints, generated files, tests, type-checks for Windows
    Test,
    /// Write the C header and the generated tables in docs/ from the source
    Abi {
        /// Fail where a file is stale, and write nothing
        #[arg(long)]
        check: bool,
    },
    /// Format check, clippy and rustdoc over the whole workspace
    Lint,
    /// Type-check client and driver for the Windows targets
    CheckWindows,
    /// List places with `unsafe` where the project allows none
    ScanUnsafe,
    /// Check that the paths named in the documentation exist
    CheckLinks,
    /// Check that Makefile.toml fits the makefile of wdk-build that it extends
    CheckMakefile,
    /// Check that each rule of the simulator is raised by its code and named by a test
    CheckRules,
    /// Build the driver's image, `hawser.sys`, for Windows: no WDK is needed
    Sys(sys::Arguments),
    /// Lay out the driver package: image, INF and symbols, test-signed where osslsigncode is installed
    Package(package::Arguments),
    /// Fuzz checker, language and driver, each for so many seconds; cargo-fuzz is installed where it is missing
    Fuzz(fuzz::Arguments),
    /// Round trip of real `.npy` files written and read by NumPy
    Numpy,
    /// Measure how fast Hawser is, against other software in the same run
    #[command(subcommand)]
    Bench(bench::Bench),
}

/// Exit status where an image was asked for and there is no toolchain that could make it.
const NO_CROSS_TOOLCHAIN: u8 = 3;

fn main() -> ExitCode {
    let Err(error) = run(&Arguments::parse()) else {
        return ExitCode::SUCCESS;
    };
    eprintln!("Error: {error:?}");
    match error.downcast_ref() {
        Some(sys::NoCrossToolchain { .. }) => NO_CROSS_TOOLCHAIN.into(),
        None => ExitCode::FAILURE,
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let shell = Shell::new()?;
    shell.change_dir(root());
    match arguments.task {
        Task::Test => test::run(&shell),
        Task::Abi { check: true } => abi::check(&shell),
        Task::Abi { check: false } => abi::write(&shell),
        Task::Lint => lint::run(&shell),
        Task::CheckWindows => windows::run(&shell),
        Task::ScanUnsafe => unsafe_scan::run(&shell),
        Task::CheckLinks => links::run(&shell),
        Task::CheckMakefile => makefile::run(&shell),
        Task::CheckRules => rule_tests::run(&shell),
        Task::Sys(ref arguments) => sys::run(&shell, arguments),
        Task::Package(ref arguments) => package::run(&shell, arguments),
        Task::Fuzz(ref arguments) => fuzz::run(&shell, arguments),
        Task::Numpy => numpy::run(&shell),
        Task::Bench(ref bench) => bench::run(&shell, bench),
    }
}

/// The workspace's folder.
fn root() -> std::path::PathBuf {
    let xtask = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}
