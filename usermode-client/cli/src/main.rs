//! The command `hawser`: runs and checks programs, and asks the device about itself.
//!
//! `docs/assembly.md` describes assembly; `docs/language.md` describes the program language, the exit status and the JSON output.

mod args;
mod array_file;
mod assembly;
mod bindings;
mod check;
mod commands;
mod compile;
mod connection;
mod data;
mod exit;
mod explain;
mod failure;
mod fmt;
mod npy;
mod output_file;
mod pattern;
mod plan_report;
mod png_file;
mod program_file;
mod progress;
mod raw_data;
mod report;
mod run;
mod say;
mod show;
mod text;
mod values;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command, Output};
use failure::Failure;

fn main() -> ExitCode {
    let args = Args::parse();
    let output = args.output();
    let result = match &args.command {
        Command::Run(args) => run::run(args),
        Command::Check(args) => check::check(args),
        Command::Fmt(args) => fmt::fmt(args),
        Command::Compile(args) => compile::compile(args, "hawser.compile/1"),
        Command::Explain(args) => explain::explain(args),
        Command::Disasm(args) => assembly::disasm(args),
        Command::Asm(args) => compile::compile(args, "hawser.asm/1"),
        Command::Info(args) => commands::info(args),
        Command::Stats(args) => commands::stats(args),
    };
    let exit = result.unwrap_or_else(|failure| failure.report(output));
    match say::lost() {
        // There is nowhere else to say so.
        Some(cause) => exit.max(Failure::Lost { cause }.report(Output::Text)).into(),
        None => exit.into(),
    }
}
