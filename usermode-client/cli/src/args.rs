//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Parser, Subcommand, ValueEnum};

/// Runs programs on a Hawser accelerator, or on a simulated machine with the real driver.
#[derive(Debug, Parser)]
#[command(name = "hawser", version, max_term_width = 110, after_help = AFTER_HELP)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "Exit status: 0 success, 1 result differs from the reference interpreter or layout is not canonical, 2 arguments, program or files not \
    usable, 3 no device or program refused or failed, 4 simulated machine stopped or something was left at its end.";

const RUN_HELP: &str = "Unbound arrays: element i of the k-th array of the data buffer (both from 0) is ((7 i + 13 k + 3) mod 64) + 1. \
    `out` arrays start as bytes of 0xA5.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a program and verify its result
    #[command(after_help = RUN_HELP)]
    Run(RunArgs),
    /// Check a program and print its plan, without a device
    Check(CheckArgs),
    /// Give programs their canonical layout
    Fmt(FmtArgs),
    /// Compile a program to what a driver takes
    Compile(CompileArgs),
    /// Explain the plan of a program, what is costly or surprising about it, and what it costs, without a device
    Explain(ExplainArgs),
    /// Print the steps of a program as assembly
    Disasm(DisasmArgs),
    /// Make a program of assembly
    Asm(CompileArgs),
    /// Print what device and driver can do
    Info(DeviceArgs),
    /// Print what the driver has done, and what it holds
    Stats(DeviceArgs),
}

#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Program (.hws, .hwa, .hwp)
    pub file: PathBuf,
    /// Take the values of an `in` or `inout` array from a NumPy file, or from a picture (.png)
    #[arg(long, value_name = "ARRAY=FILE.npy")]
    pub bind: Vec<Binding>,
    /// Write an `out` or `inout` array to a NumPy file or a picture, whether or not the result is the reference interpreter's
    #[arg(long, value_name = "ARRAY=FILE.npy")]
    pub out: Vec<Binding>,
    /// Take the data buffer of a program in assembly or bytes from a file
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Write the data buffer of a program in assembly or bytes to a file
    #[arg(long, value_name = "FILE")]
    pub data_out: Option<PathBuf>,
    /// Do not compare the result with the reference interpreter
    #[arg(long)]
    pub no_verify: bool,
    #[command(flatten)]
    pub device: DeviceArgs,
}

#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Program (.hws, .hwa, .hwp)
    pub file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub struct FmtArgs {
    /// Programs (.hws)
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Write nothing, and exit with 1 if a layout is not canonical
    #[arg(long)]
    pub check: bool,
}

#[derive(Debug, clap::Args)]
pub struct CompileArgs {
    /// Program (.hws, .hwa)
    pub file: PathBuf,
    /// Write header and steps to this file (.hwp)
    #[arg(short, long, value_name = "FILE.hwp")]
    pub out: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// Program (.hws, .hwa, .hwp)
    pub file: PathBuf,
    /// Plan for a data buffer that begins so many bytes into a page
    #[arg(long, value_name = "BYTES", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..4096))]
    pub page_offset: u32,
    /// Plan for a driver that has so many map registers for each direction [default: as many as are needed]
    #[arg(long, value_name = "PAGES")]
    pub map_registers: Option<u32>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub struct DisasmArgs {
    /// Program (.hws, .hwa, .hwp)
    pub file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub struct DeviceArgs {
    /// Use a simulated machine (the default where the system is not Windows)
    #[arg(long)]
    pub sim: bool,
    /// Memory model of the simulated machine [default: iommu]
    #[arg(long, value_enum)]
    pub memory: Option<Memory>,
    /// Seed of the simulated machine's schedule; without one, first come, first served
    #[arg(long)]
    pub seed: Option<u64>,
    /// Load this image of the driver (hawser.sys) into the simulated machine, instead of the driver that is compiled into the command
    #[arg(long, value_name = "FILE.sys")]
    pub image: Option<PathBuf>,
    /// Refuse an image that carries no signature
    #[arg(long, requires = "image")]
    pub signed: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// How device addresses relate to memory in the simulated machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Memory {
    /// A device address is the physical address
    Flat,
    /// Physical pages are permuted
    Scrambled,
    /// A device address exists only while a mapping does, with its direction
    #[default]
    Iommu,
    /// The device accesses copies, made one way: map registers are few
    Bounce,
}

#[cfg(not(windows))]
impl Memory {
    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::Scrambled => "scrambled",
            Self::Iommu => "iommu",
            Self::Bounce => "bounce",
        }
    }
}

/// Who reads the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// A person.
    Text,
    /// A program.
    Json,
}

impl From<bool> for Output {
    fn from(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }
}

impl Args {
    /// Who reads the output.
    pub fn output(&self) -> Output {
        match &self.command {
            Command::Run(args) => args.device.json,
            Command::Check(args) => args.json,
            Command::Fmt(_) => false,
            Command::Explain(args) => args.json,
            Command::Disasm(args) => args.json,
            Command::Compile(args) | Command::Asm(args) => args.json,
            Command::Info(args) | Command::Stats(args) => args.json,
        }
        .into()
    }
}

/// An array and a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub array: String,
    pub path: PathBuf,
}

impl FromStr for Binding {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((array, path)) if !array.is_empty() && !path.is_empty() => Ok(Self {
                array: array.into(),
                path: path.into(),
            }),
            _ => Err("expected ARRAY=FILE.npy"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_binding_has_two_sides() {
        let binding = Binding {
            array: "x".into(),
            path: "a=b.npy".into(),
        };
        assert_eq!("x=a=b.npy".parse(), Ok(binding));
        for text in ["x", "=a.npy", "x=", ""] {
            assert!(text.parse::<Binding>().is_err(), "{text}");
        }
    }
}
