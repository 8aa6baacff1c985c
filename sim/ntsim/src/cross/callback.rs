//! Calls from the kernel and the framework into drivers.

use super::{Domain, Returned, in_domain};
use crate::{
    sched::{self, Context},
    trace::{self, Kind},
    verifier::{self, irql},
};

/// Calls a routine of a driver. `args` is the text for the trace.
///
/// The routine must come back at the IRQL and the critical-region depth at which it was called.
pub fn callback<R: Returned>(name: &'static str, call: impl FnOnce() -> R, args: impl FnOnce() -> String) -> R {
    let context = sched::context_handle();
    let irql = context.irql.get();
    let result = callback_with_own_irql_rule(name, call, args);
    check_irql(&context, name, irql);
    sched::point(name);
    result
}

/// As [`callback`], for a caller that has a rule of its own about the IRQL.
pub(crate) fn callback_with_own_irql_rule<R: Returned>(
    name: &'static str,
    call: impl FnOnce() -> R,
    args: impl FnOnce() -> String,
) -> R {
    let context = sched::context_handle();
    sched::point(name);
    trace::emit(Kind::Enter, name, args);
    let depth = context.critical.get();
    context.calls.borrow_mut().push(name);
    let result = in_domain(Domain::Driver, call);
    context.calls.borrow_mut().pop();
    trace::returned(Kind::Leave, name, result.traced());
    check_depth(&context, name, depth);
    result
}

/// Runs `body` as framework code: for framework routines that the kernel calls.
pub fn as_framework<R>(body: impl FnOnce() -> R) -> R {
    in_domain(Domain::Framework, body)
}

fn check_irql(context: &Context, name: &str, before: wdk_sys::KIRQL) {
    let after = context.irql.get();
    if after == before {
        return;
    }
    let rule = match context.domain.get() {
        Domain::Framework => irql::KMDF_CALLBACK_IRQL,
        _ => irql::CALLBACK_IRQL,
    };
    let text = format!("{name} was called at IRQL {before} and returned at IRQL {after}");
    verifier::violation_with(rule, [u64::from(before), u64::from(after), 0], text);
    context.irql.set(before);
}

fn check_depth(context: &Context, name: &str, before: u32) {
    let after = context.critical.get();
    if after == before {
        return;
    }
    let rule = match context.domain.get() {
        Domain::Framework => irql::KMDF_CALLBACK_CRITICAL_REGION,
        _ => irql::CALLBACK_CRITICAL_REGION,
    };
    let text = format!("{name} was called inside {before} critical regions and returned inside {after}");
    verifier::violation_with(rule, [u64::from(before), u64::from(after), 0], text);
    context.critical.set(before);
}
