//! What is known when a machine stopped.

use super::Rule;
use crate::{cross::Domain, sched::Time};
use wdk_sys::KIRQL;

/// A bug check about to happen.
#[derive(Debug, Clone)]
pub struct BugCheck {
    /// The code, for example `0x10D`.
    pub code: u32,
    /// The four parameters.
    pub parameters: [u64; 4],
    /// The rule that was broken, if it was one of the verifier's.
    pub rule: Option<Rule>,
    /// What happened, in words.
    pub text: String,
}

/// Why a machine stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashKind {
    /// A bug check.
    BugCheck,
    /// Something that is not implemented was called.
    Unimplemented,
    /// Nothing can run, and nobody can change that.
    Hang,
    /// The budget of scheduling points is used up.
    Budget,
    /// Rust code of a driver or of the simulator panicked.
    Panic,
}

/// Why a machine stopped, and where.
#[derive(Debug, Clone)]
pub struct Crash {
    /// The kind.
    pub kind: CrashKind,
    /// The bug check code; 0 unless it is one.
    pub code: u32,
    /// Its parameters.
    pub parameters: [u64; 4],
    /// The rule that was broken.
    pub rule: Option<Rule>,
    /// What happened.
    pub text: String,
    /// The context it happened in.
    pub context: String,
    /// Its IRQL.
    pub irql: KIRQL,
    /// Whose code ran.
    pub domain: Domain,
    /// The calls and routines it was in, outermost first.
    pub calls: Vec<&'static str>,
    /// When.
    pub time: Time,
    /// The last events.
    pub tail: Vec<String>,
}

impl std::error::Error for Crash {}

impl core::fmt::Display for Crash {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.kind {
            CrashKind::BugCheck => {
                let [p1, p2, p3, p4] = self.parameters;
                writeln!(
                    f,
                    "bug check {:#X} ({p1:#x}, {p2:#x}, {p3:#x}, {p4:#x}): {}",
                    self.code, self.text
                )?;
            }
            kind => writeln!(f, "{kind:?}: {}", self.text)?,
        }
        if let Some(rule) = self.rule {
            writeln!(f, "  rule {}: {}", rule.id, rule.text.trim())?;
        }
        writeln!(
            f,
            "  in {} at IRQL {}, {:?} code, {}",
            self.context, self.irql, self.domain, self.time
        )?;
        if !self.calls.is_empty() {
            writeln!(f, "  within {}", self.calls.join(" > "))?;
        }
        for line in &self.tail {
            writeln!(f, "    {line}")?;
        }
        Ok(())
    }
}

/// A violation that did not stop the machine.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule that was broken.
    pub rule: Rule,
    /// Parameters 2 to 4 of its bug check.
    pub parameters: [u64; 3],
    /// What happened.
    pub text: String,
    /// The context it happened in.
    pub context: String,
    /// When.
    pub time: Time,
}
