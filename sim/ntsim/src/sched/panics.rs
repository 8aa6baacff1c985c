//! Panics of Rust code in a context become a report instead of the end of the process.
//!
//! A panic in a driver could not unwind: it would reach an `extern "C"` function and abort. So the panic hook gives the context up as a bug check does.
//! That leaves the hook without returning from it, which the standard library counts as a panic in progress; catching a second, silent one takes that back.

use super::in_context;
use crate::verifier::{self, CrashKind};
use std::{
    panic::{self, PanicHookInfo},
    sync::Once,
};

/// Installs the hook, once per process. Panics outside contexts go to the hook that was there.
pub(crate) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| if in_context() { divert(info) } else { previous(info) }));
    });
}

fn divert(info: &PanicHookInfo<'_>) -> ! {
    let message = info.payload_as_str().unwrap_or("a panic without a text");
    let place = info.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
    let text = format!("panic in driver or simulator code{place}: {message}");
    forget_panic();
    verifier::stop(CrashKind::Panic, text)
}

/// Makes the standard library forget that this thread is in the panic hook: the end of the inner panic clears both.
fn forget_panic() {
    let inner = panic::catch_unwind(|| panic::resume_unwind(Box::new(())));
    debug_assert!(inner.is_err());
}
