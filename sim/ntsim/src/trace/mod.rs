//! What happened, in order: events for people and for the conformance tests, and a hash for the determinism tests.

mod event;
mod recorder;

pub use event::{Event, Kind};
pub use recorder::{Recorder, TraceMode};

use crate::{machine, sched};
use std::borrow::Cow;

/// Records an event. `args` is only made when somebody keeps it.
pub fn emit(kind: Kind, name: impl Into<Cow<'static, str>>, args: impl FnOnce() -> String) {
    record(kind, name.into(), None, args);
}

/// Records the end of a call.
pub fn returned(kind: Kind, name: &'static str, ret: Option<u64>) {
    record(kind, Cow::Borrowed(name), ret, String::new);
}

/// Puts a return value into the hash without recording an event.
pub(crate) fn mix_return(name: &'static str, ret: Option<u64>) {
    machine::with(|m| m.trace.mix(name, ret.unwrap_or(u64::MAX)));
}

/// Records a remark.
pub fn note(name: impl Into<Cow<'static, str>>) {
    record(Kind::Note, name.into(), None, String::new);
}

fn record(kind: Kind, name: Cow<'static, str>, ret: Option<u64>, args: impl FnOnce() -> String) {
    machine::with(|m| {
        let irql = sched::irql_or_passive();
        m.trace.record(Event {
            time: m.sched.clock.now(),
            context: if m.trace.keeps_all() {
                sched::context_name()
            } else {
                String::new()
            },
            kind,
            irql,
            name,
            args: if m.trace.keeps_all() { args() } else { String::new() },
            ret,
        });
    });
}
