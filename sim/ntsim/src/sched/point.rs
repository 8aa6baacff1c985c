//! Scheduling points.

use super::{ContextKind, coroutine, step::Step, try_context_handle};
use crate::{
    machine::{self, Machine},
    verifier::{self, CrashKind},
};

/// What a scheduling point costs in virtual time.
const POINT_NS: u64 = 20;

/// Once in so many points the run loop is asked whether what is waited for outside has happened.
const LOOK_UP: u64 = 64;

/// Lets something else happen before the running context goes on. `_label` says where, for a debugger.
pub fn point(_label: &'static str) {
    let Some(context) = try_context_handle() else { return };
    if context.kind == ContextKind::Device {
        return;
    }
    let processor = context.processor.get().expect("a running context is on a processor");
    drop(context);
    let (step, exhausted) = machine::with(|m| {
        m.pass_point();
        (m.pick(Some(processor)), m.sched.points.get() > m.sched.budget)
    });
    if exhausted {
        verifier::stop(
            CrashKind::Budget,
            "the budget of scheduling points is used up".to_owned(),
        );
    }
    let step = match step {
        None | Some(Step::Continue) if machine::with(|m| m.sched.points.get()) % LOOK_UP != 0 => return,
        None | Some(Step::Continue) => Step::Run { processor },
        Some(step) => step,
    };
    machine::with(|m| m.sched.next_step.set(Some(step)));
    coroutine::suspend();
}

/// The running context keeps its processor busy for so long; interrupts and everything else may happen meanwhile.
pub fn stall(ns: u64) {
    machine::with(|m| m.sched.clock.advance(ns));
    point("stall");
}

impl Machine {
    /// What every point does: time passes, and what is due happens.
    pub(super) fn pass_point(&self) {
        let sched = &self.sched;
        sched.points.set(sched.points.get() + 1);
        sched.clock.advance(POINT_NS);
        sched.clock.run_due();
        if sched.notified.replace(false) {
            sched.poll_blocked();
        }
    }

    /// Chooses a step. `None` when nothing is enabled.
    pub(super) fn pick(&self, running: Option<usize>) -> Option<Step> {
        let mut steps = self.sched.enabled.take();
        self.enabled_steps(running, &mut steps);
        let picked = match steps.len() {
            0 => None,
            n => steps.get(self.sched.choose(&self.trace, n, "step")).copied(),
        };
        self.sched.enabled.replace(steps);
        picked
    }
}
