//! Reports violations and stops machines.

use super::{BugCheck, Crash, CrashKind, Finding, Policy, Rule};
use crate::{
    machine::{self, Machine},
    sched,
    trace::{self, Kind},
};

/// Reports that a rule was broken. Comes back only under [`Policy::Collect`].
pub fn violation(rule: Rule, text: impl Into<String>) {
    violation_with(rule, [0; 3], text);
}

/// As [`violation`], with parameters 2 to 4 of the bug check.
pub fn violation_with(rule: Rule, parameters: [u64; 3], text: impl Into<String>) {
    match machine::with(|m| m.options.policy) {
        Policy::Stop => fatal(rule, parameters, text),
        Policy::Collect => collect(rule, parameters, text.into()),
    }
}

fn collect(rule: Rule, parameters: [u64; 3], text: String) {
    trace::emit(Kind::Verifier, rule.id, || text.clone());
    machine::with(|m| {
        let finding = Finding {
            rule,
            parameters,
            text,
            context: sched::context_name(),
            time: m.sched.clock.now(),
        };
        m.findings.borrow_mut().push(finding);
    });
}

/// Stops the machine because a rule was broken.
pub fn fatal(rule: Rule, parameters: [u64; 3], text: impl Into<String>) -> ! {
    let [p2, p3, p4] = parameters;
    bug_check(BugCheck {
        code: rule.code,
        parameters: [rule.p1, p2, p3, p4],
        rule: Some(rule),
        text: text.into(),
    })
}

/// Stops the machine with a bug check.
pub fn bug_check(bug: BugCheck) -> ! {
    trace::emit(Kind::BugCheck, "KeBugCheckEx", || {
        let [p1, p2, p3, p4] = bug.parameters;
        format!("code={:#x} P1={p1:#x} P2={p2:#x} P3={p3:#x} P4={p4:#x}", bug.code)
    });
    let report = report(CrashKind::BugCheck, bug);
    halt(report)
}

/// Stops the machine for another reason.
pub fn stop(kind: CrashKind, text: String) -> ! {
    let report = report(
        kind,
        BugCheck {
            code: 0,
            parameters: [0; 4],
            rule: None,
            text,
        },
    );
    halt(report)
}

/// The report of what stops the current context.
pub(crate) fn report(kind: CrashKind, bug: BugCheck) -> Crash {
    let context = sched::try_context_handle();
    machine::with(|m: &Machine| Crash {
        kind,
        code: bug.code,
        parameters: bug.parameters,
        rule: bug.rule,
        text: bug.text,
        context: sched::context_name(),
        irql: sched::irql_or_passive(),
        domain: context.as_ref().map(|context| context.domain.get()).unwrap_or_default(),
        calls: context
            .map(|context| context.calls.borrow().clone())
            .unwrap_or_default(),
        time: m.sched.clock.now(),
        tail: m.trace.tail(),
    })
}

/// Leaves the current context for good.
fn halt(report: Crash) -> ! {
    let text = if sched::in_context() {
        String::new()
    } else {
        report.to_string()
    };
    machine::with(|m| m.set_crash(report));
    if sched::in_context() {
        sched::abandon()
    }
    panic!("a kernel function was called outside a context of the machine: {text}")
}
