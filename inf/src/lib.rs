//! The INF of the driver package, and the checks that it passes.
//!
//! `hawser.inx` beside this crate's manifest is what the package's INF is made of. InfVerif, which judges an INF, runs on Windows only; [`check`] holds the file to those of its rules that concern
//! this package, and to the [`Contract`] of the driver: its ids, names, interrupts, settings and access rights.
#![forbid(unsafe_code)]

mod contract;
mod reader;
mod rules;

pub use contract::{Contract, Setting};
pub use reader::{Entry, Inf, ReadError, Section};
pub use rules::{Finding, Rule, check};

/// The text of `hawser.inx`.
pub const SOURCE: &str = include_str!("../hawser.inx");
