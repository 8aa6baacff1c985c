//! The run loop: takes steps until somebody outside has what they wait for.

use super::{Context, ContextKind, coroutine, coroutine::Back, step::Step};
use crate::{
    machine::{Count, Machine},
    nt::ke,
    verifier::{BugCheck, Crash, CrashKind, report},
};
use std::{borrow::Cow, rc::Rc};
use wdk_sys::{DISPATCH_LEVEL, KIRQL};

/// How much time passes at once while something else could happen.
const ELAPSE_NS: u64 = 10_000;

/// Runs until `done` says so.
pub(crate) fn run_until(machine: &Machine, done: &dyn Fn() -> bool) -> Result<(), Crash> {
    assert!(!super::in_context(), "a machine is run from outside its contexts");
    super::panics::install_hook();
    while !done() {
        stopped(machine)?;
        match next_step(machine) {
            Some(step) => take(machine, step),
            None => machine.set_crash(hang(machine)),
        }
    }
    stopped(machine)
}

/// Runs until nothing can run without a timer.
pub(crate) fn settle(machine: &Machine) -> Result<(), Crash> {
    super::panics::install_hook();
    loop {
        stopped(machine)?;
        match next_runnable(machine) {
            Some(step) => take(machine, step),
            None => return stopped(machine),
        }
    }
}

/// Throws every context away.
pub(crate) fn discard_contexts(machine: &Machine) {
    for context in machine.sched.contexts.take().into_values() {
        coroutine::discard(&context);
    }
}

fn stopped(machine: &Machine) -> Result<(), Crash> {
    machine.crash().map_or(Ok(()), Err)
}

/// The next step; when only time can bring one, time passes first.
fn next_step(machine: &Machine) -> Option<Step> {
    next_runnable(machine).or_else(|| machine.sched.clock.next().map(|_| Step::Time))
}

fn next_runnable(machine: &Machine) -> Option<Step> {
    if let Some(step) = machine.sched.next_step.take() {
        return Some(step);
    }
    if machine.sched.points.get() > machine.sched.budget {
        machine.set_crash(outside_report(
            CrashKind::Budget,
            "the budget of scheduling points is used up".to_owned(),
        ));
    }
    machine.pass_point();
    if let Some(step) = machine.pick(None) {
        return Some(step);
    }
    machine.sched.poll_blocked();
    machine.pick(None)
}

fn take(machine: &Machine, step: Step) {
    let sched = &machine.sched;
    match step {
        Step::Continue => unreachable!("a context goes on without the run loop"),
        Step::Elapse => {
            let soon = sched.clock.now().after_ns(ELAPSE_NS);
            sched
                .clock
                .advance_to(sched.clock.next().map_or(soon, |next| next.min(soon)));
            sched.clock.run_due();
        }
        Step::Time => {
            if let Some(next) = sched.clock.next() {
                sched.clock.advance_to(next);
                sched.clock.run_due();
                sched.notified.set(true);
            }
        }
        Step::Device { index } => machine.pci.step(machine, index),
        Step::Run { processor } => run(machine, processor),
        Step::Dispatch { processor } => dispatch(machine, processor),
        Step::Preempt { processor } => preempt(machine, processor),
        Step::Dpc { processor } => start_dpc(machine, processor),
        Step::Interrupt { processor, line } => {
            let level = machine.ke.interrupts.accept(line);
            let body = Box::new(move || ke::interrupt::service(line));
            push(
                machine,
                processor,
                (Cow::Borrowed("ISR"), ContextKind::Isr, level),
                body,
            );
        }
    }
}

fn dispatch(machine: &Machine, processor: usize) {
    let waiting = machine.sched.ready.borrow().len();
    let index = machine.sched.choose(&machine.trace, waiting, "thread");
    let thread = machine.sched.ready.borrow_mut().remove(index);
    if let Some(thread) = thread {
        place(machine, processor, thread);
        run(machine, processor);
    }
}

fn preempt(machine: &Machine, processor: usize) {
    let thread = machine.sched.processors[processor].stack.borrow_mut().pop();
    if let Some(thread) = thread {
        thread.processor.set(None);
        machine.sched.ready.borrow_mut().push_back(thread);
    }
    dispatch(machine, processor);
}

fn start_dpc(machine: &Machine, processor: usize) {
    let entry = machine.sched.processors[processor].dpcs.borrow_mut().pop_front();
    if let Some(entry) = entry {
        Count::bump(&machine.count.dpcs);
        let what = (Cow::Borrowed(entry.name), ContextKind::Dpc, DISPATCH_LEVEL as KIRQL);
        push(machine, processor, what, entry.run);
    }
}

/// Starts a context on top of what a processor does.
fn push(
    machine: &Machine,
    processor: usize,
    (name, kind, irql): (Cow<'static, str>, ContextKind, KIRQL),
    body: Box<dyn FnOnce()>,
) {
    let context = machine.sched.make_context(name, kind, irql, body);
    place(machine, processor, context);
    run(machine, processor);
}

fn place(machine: &Machine, processor: usize, context: Rc<Context>) {
    context.processor.set(Some(processor));
    machine.sched.processors[processor].stack.borrow_mut().push(context);
}

/// Lets the top context of a processor go on.
fn run(machine: &Machine, processor: usize) {
    machine.sched.last_processor.set(processor);
    let Some(context) = machine.sched.processors[processor].top() else {
        return;
    };
    if coroutine::resume(&context) == Back::Finished || context.ended.get() {
        machine.sched.processors[processor].stack.borrow_mut().pop();
        finish(machine, &context);
    }
}

/// A context has ended.
pub(super) fn finish(machine: &Machine, context: &Rc<Context>) {
    context.processor.set(None);
    coroutine::discard(context);
    machine.sched.contexts.borrow_mut().remove(&context.id);
    machine.sched.notified.set(true);
}

/// Nothing can run.
fn hang(machine: &Machine) -> Crash {
    let contexts = machine.sched.describe_contexts();
    let text = if contexts.is_empty() {
        "nothing is left to run, and what was waited for did not happen".to_owned()
    } else {
        format!("nothing can run any more:\n    {}", contexts.join("\n    "))
    };
    outside_report(CrashKind::Hang, text)
}

fn outside_report(kind: CrashKind, text: String) -> Crash {
    report(
        kind,
        BugCheck {
            code: 0,
            parameters: [0; 4],
            rule: None,
            text,
        },
    )
}
