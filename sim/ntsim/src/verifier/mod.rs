//! The verifier: rules that drivers break, and what happens then.
//!
//! A rule is a constant in the file of its area. [`violation`] follows the machine's [`Policy`]; [`fatal`] and [`bug_check`] always stop the machine: the
//! context that broke the rule never runs again, nothing unwinds, and the machine's run loop returns a [`Crash`].

#[macro_use]
mod rule;
mod crash;
mod stop;

pub mod dma;
pub mod io;
pub mod irql;
pub mod kmdf;
pub mod kmdf_dma;
pub mod kmdf_request;
pub mod locks;
pub mod memory;
pub mod mmio;

pub use crash::{BugCheck, Crash, CrashKind, Finding};
pub use rule::Rule;
pub(crate) use stop::report;
pub use stop::{bug_check, fatal, stop, violation, violation_with};

/// What a violation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// It stops the machine, as Driver Verifier does.
    #[default]
    Stop,
    /// It is recorded, and the machine goes on as far as it can, as without Driver Verifier.
    Collect,
}

/// Every rule.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    [
        dma::RULES,
        io::RULES,
        irql::RULES,
        kmdf::RULES,
        kmdf_dma::RULES,
        kmdf_request::RULES,
        locks::RULES,
        memory::RULES,
        mmio::RULES,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::rules;
    use std::collections::BTreeSet;

    #[test]
    fn rule_identifiers_are_unique() {
        let mut seen = BTreeSet::new();
        for rule in rules() {
            assert!(seen.insert(rule.id), "{} is there twice", rule.id);
            assert!(!rule.text.is_empty(), "{} has no text", rule.id);
        }
    }
}
