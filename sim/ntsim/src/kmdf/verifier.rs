//! The framework's own verifier: `VerifierOn` of the driver's `Parameters\Wdf` key, and the two ways in which the framework reacts to misuse.

use crate::kmdf;
use crate::trace::{self, Kind};
use crate::verifier::{self, Rule};

/// Whether the driver runs with the framework's verifier on.
pub(crate) fn verifier_on() -> bool {
    kmdf::state(|s| s.driver.verifier_on())
}

/// The framework notices misuse that it can survive: with its verifier on it breaks into the debugger (without one, Windows stops), else it goes on silently.
pub(crate) fn debug_break(rule: Rule, text: impl Into<String>) {
    if verifier_on() {
        trace::emit(
            Kind::Verifier,
            "framework executed a debugger breakpoint (verifier violation)",
            String::new,
        );
        verifier::violation(rule, text);
    }
}

/// The framework notices misuse that it cannot survive: bug check, with its verifier on or off.
pub(crate) fn fatal(rule: Rule, p2: u64, p3: u64, text: impl Into<String>) -> ! {
    verifier::fatal(rule, [p2, p3, 0], text)
}
