//! What the fuzzers feed, as functions of bytes that ordinary tests call as well.
//!
//! A target returns what is wrong as a [`Difference`]; the fuzzers make a crash of it, and the tests of this crate replay every file of
//! `fuzz/seeds` and `fuzz/regressions` and show that a wrong verdict is one.
#![forbid(unsafe_code)]

pub mod assembly;
pub mod check_plan;
mod choice;
mod difference;
pub mod language;
mod shown;
pub mod whole_path;

pub use difference::Difference;

/// A target: something that must hold for all bytes.
pub type Target = fn(&[u8]) -> Result<(), Difference>;

/// The targets, by the names that their fuzzers and their folders of inputs have.
pub const TARGETS: [(&str, Target); 4] = [
    ("assembly", assembly::run),
    ("check_plan", check_plan::run),
    ("language", language::run),
    ("whole_path", whole_path::run),
];
