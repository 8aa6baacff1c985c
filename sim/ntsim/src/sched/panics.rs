//! Panics of Rust code in a context become a report instead of the end of the process.
//!
//! A panic in a driver could not unwind: it would reach an `extern "C"` function and abort. So the panic hook gives the context up, as a bug check does,
//! without ever returning. Before that it has to leave the standard library as if it had returned: a forced unwind runs the clean-up of the library's
//! frames (which releases the lock on the hook) and stops at the first frame above them; then catching a second, silent panic ends the state of being in
//! the panic hook.

use super::in_context;
use crate::verifier::{self, CrashKind};
use std::{
    cell::Cell,
    ffi::{c_int, c_void},
    panic::{self, PanicHookInfo},
    sync::Once,
};

/// Installs the hook, once per process. Panics outside contexts go to the hook that was there.
pub(crate) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(
            move |info| if in_context() { divert(info) } else { previous(info) },
        ));
    });
}

fn divert(info: &PanicHookInfo<'_>) -> ! {
    let message = info.payload_as_str().unwrap_or("a panic without a text");
    let place = info
        .location()
        .map(|at| format!(" at {}:{}", at.file(), at.line()))
        .unwrap_or_default();
    TEXT.set(format!("panic in driver or simulator code{place}: {message}"));
    let inside_library: *const PanicHookInfo<'_> = info;
    leave_library(inside_library.cast());
    // Not reached as long as the frames of the library can be unwound; then its lock stays taken.
    give_up()
}

thread_local! {
    /// What is reported at the end of the forced unwind.
    static TEXT: Cell<String> = const { Cell::new(String::new()) };
}

fn give_up() -> ! {
    forget_panic();
    verifier::stop(CrashKind::Panic, TEXT.take())
}

/// Makes the standard library forget that this thread is in the panic hook: the end of the inner panic clears that and the count of panics.
fn forget_panic() {
    let inner = panic::catch_unwind(|| panic::resume_unwind(Box::new(())));
    debug_assert!(inner.is_err());
}

/// The header of an exception, as the Itanium C++ ABI lays it out.
#[repr(C, align(16))]
struct Exception {
    class: u64,
    cleanup: Option<extern "C" fn(c_int, *mut Exception)>,
    private: [usize; 2],
}

type Stop = extern "C-unwind" fn(c_int, c_int, u64, *mut Exception, *mut c_void, *mut c_void) -> c_int;

unsafe extern "C-unwind" {
    fn _Unwind_ForcedUnwind(exception: *mut Exception, stop: Stop, argument: *mut c_void) -> c_int;
    fn _Unwind_GetCFA(context: *mut c_void) -> usize;
}

/// Unwinds to the frame above the one that `inside` points into. Does not return when that works.
fn leave_library(inside: *const c_void) {
    let exception = Box::leak(Box::new(Exception {
        class: 0,
        cleanup: None,
        private: [0; 2],
    }));
    // SAFETY: the exception lives for ever; `stop` never lets the unwind pass the panic machinery of the standard library, whose frames may be unwound.
    unsafe { _Unwind_ForcedUnwind(exception, stop, inside.cast_mut()) };
}

/// Called for each frame before its clean-up runs.
extern "C-unwind" fn stop(
    _version: c_int,
    _actions: c_int,
    _class: u64,
    _exception: *mut Exception,
    context: *mut c_void,
    inside: *mut c_void,
) -> c_int {
    /// Go on.
    const NO_REASON: c_int = 0;
    // SAFETY: the unwinder passes its context.
    let frame = unsafe { _Unwind_GetCFA(context) };
    if frame > inside.addr() { give_up() } else { NO_REASON }
}
