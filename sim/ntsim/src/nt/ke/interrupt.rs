//! Interrupt lines: MSI-X messages and level-triggered lines, and their delivery to processors.

use super::interrupt_object::{InterruptObject, Service};
use crate::{
    cross,
    machine::{self, Count, Machine},
    pci::{InterruptResource, Level},
    sched,
    verifier::{self, irql, mmio},
};
use std::{cell::RefCell, rc::Rc};
use wdk_sys::KIRQL;

/// The vector of the first line.
const FIRST_VECTOR: u32 = 0x61;
/// The IRQL of device interrupts.
const DEVICE_IRQL: KIRQL = 9;
/// How often a level-triggered line may interrupt for nothing before that is reported.
const UNCLAIMED_LIMIT: u32 = 100;

/// Names an interrupt line or message of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineId(u32);

impl LineId {
    /// The vector of the line.
    #[must_use]
    pub fn vector(self) -> u32 {
        FIRST_VECTOR + self.0
    }
}

/// How a line signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    /// A message is one interrupt.
    Message(u16),
    /// The line interrupts as long as it is asserted.
    Level,
}

/// One line.
struct Line {
    trigger: Trigger,
    /// The message was sent and not delivered, or the line is asserted.
    pending: bool,
    in_service: bool,
    processor: usize,
    unclaimed: u32,
    handlers: Vec<Rc<InterruptObject>>,
}

/// All lines of a machine.
pub(crate) struct Lines {
    lines: RefCell<Vec<Line>>,
    processors: usize,
}

impl Lines {
    pub(crate) fn new(processors: usize) -> Self {
        Self {
            lines: RefCell::default(),
            processors,
        }
    }

    /// The line that a processor at this IRQL has to serve now.
    pub(crate) fn deliverable(&self, processor: usize, irql: KIRQL) -> Option<LineId> {
        if irql >= DEVICE_IRQL {
            return None;
        }
        let lines = self.lines.borrow();
        let ready =
            |line: &Line| line.pending && !line.in_service && line.processor == processor && !line.handlers.is_empty();
        lines.iter().position(ready).map(|index| LineId(index as u32))
    }

    /// A processor takes the interrupt; at which IRQL.
    pub(crate) fn accept(&self, id: LineId) -> KIRQL {
        self.change(id, |line| {
            line.in_service = true;
            if line.trigger != Trigger::Level {
                line.pending = false;
            }
            line.handlers
                .iter()
                .map(|handler| handler.synchronize_irql)
                .max()
                .unwrap_or(DEVICE_IRQL)
        })
    }

    fn change<R>(&self, id: LineId, f: impl FnOnce(&mut Line) -> R) -> R {
        f(&mut self.lines.borrow_mut()[id.0 as usize])
    }

    /// Adds a line; its processor goes round.
    fn add(&self, trigger: Trigger) -> (LineId, InterruptResource) {
        let mut lines = self.lines.borrow_mut();
        let id = LineId(lines.len() as u32);
        let processor = lines.len() % self.processors;
        let handlers = Vec::new();
        lines.push(Line {
            trigger,
            pending: false,
            in_service: false,
            processor,
            unclaimed: 0,
            handlers,
        });
        let message = match trigger {
            Trigger::Message(number) => Some(number),
            Trigger::Level => None,
        };
        (
            id,
            InterruptResource {
                message,
                vector: id.vector(),
                irql: DEVICE_IRQL,
                affinity: 1 << processor,
            },
        )
    }

    /// How a line signals.
    pub(super) fn trigger(&self, id: LineId) -> Trigger {
        self.change(id, |line| line.trigger)
    }

    /// Adds a service routine to a line.
    pub(super) fn connect(&self, id: LineId, handler: Rc<InterruptObject>) {
        self.change(id, |line| line.handlers.push(handler));
    }

    /// Whether the service routines of a line run now.
    pub(super) fn in_service(&self, id: LineId) -> bool {
        self.change(id, |line| line.in_service)
    }

    /// Takes a service routine off its line.
    pub(super) fn disconnect(&self, handler: &Rc<InterruptObject>) {
        self.change(handler.line, |line| {
            line.handlers.retain(|other| !Rc::ptr_eq(other, handler))
        });
    }
}

/// The line with a vector.
pub(super) fn by_vector(vector: u32) -> Option<LineId> {
    let index = vector.checked_sub(FIRST_VECTOR)?;
    machine::with(|m| (m.ke.interrupts.lines.borrow().len() > index as usize).then_some(LineId(index)))
}

/// Makes lines for a function: so many messages, or one line when that is 0.
pub(crate) fn allocate(m: &Machine, messages: u16) -> Vec<(LineId, InterruptResource)> {
    if messages == 0 {
        return vec![m.ke.interrupts.add(Trigger::Level)];
    }
    (0..messages)
        .map(|number| m.ke.interrupts.add(Trigger::Message(number)))
        .collect()
}

/// Runs the service routines of a line, in the context of the interrupt.
pub(crate) fn service(id: LineId) {
    let (handlers, trigger) =
        machine::with(|m| m.ke.interrupts.change(id, |line| (line.handlers.clone(), line.trigger)));
    let mut claimed = false;
    for handler in handlers {
        claimed |= run(&handler);
        if claimed && trigger == Trigger::Level {
            break;
        }
    }
    if claimed {
        machine::with(|m| Count::bump(&m.count.interrupts));
    }
    let unclaimed = machine::with(|m| {
        m.ke.interrupts.change(id, |line| {
            line.in_service = false;
            line.unclaimed = if claimed || trigger != Trigger::Level {
                0
            } else {
                line.unclaimed + 1
            };
            line.unclaimed
        })
    });
    if unclaimed > UNCLAIMED_LIMIT {
        machine::with(|m| m.ke.interrupts.change(id, |line| line.unclaimed = 0));
        let text = format!(
            "vector {:#x} interrupted {unclaimed} times and no service routine claimed it",
            id.vector()
        );
        verifier::violation(mmio::INTERRUPT_STORM, text);
    }
    sched::notify();
}

/// Runs one service routine under its interrupt spin lock; whether it claimed the interrupt.
fn run(handler: &Rc<InterruptObject>) -> bool {
    super::spin::acquire(handler.lock);
    let before = sched::current_irql();
    let claimed = match handler.service {
        Service::Line(routine) => cross::callback_with_own_irql_rule(
            "KSERVICE_ROUTINE",
            // SAFETY: the driver connected this routine, with this context.
            || unsafe { routine(handler.pointer(), handler.context) },
            String::new,
        ),
        Service::Message(routine, number) => cross::callback_with_own_irql_rule(
            "KMESSAGE_SERVICE_ROUTINE",
            // SAFETY: the driver connected this routine, with this context.
            || unsafe { routine(handler.pointer(), handler.context, number) },
            || format!("message={number}"),
        ),
    };
    let after = sched::current_irql();
    if after != before {
        let text = format!("an interrupt service routine was called at IRQL {before} and returned at IRQL {after}");
        verifier::violation_with(irql::ISR_IRQL, [u64::from(before), u64::from(after), 0], text);
        sched::lower(before);
    }
    super::spin::release(handler.lock);
    claimed != 0
}

/// A message was sent.
pub(crate) fn pulse(id: LineId) {
    machine::with(|m| m.ke.interrupts.change(id, |line| line.pending = true));
}

/// A line changed its level.
pub(crate) fn drive(id: LineId, level: Level) {
    machine::with(|m| {
        m.ke.interrupts
            .change(id, |line| line.pending = level == Level::Asserted)
    });
}

/// The function behind these lines is gone: what was not delivered never will be.
pub(crate) fn silence(lines: &[LineId]) {
    machine::with(|m| {
        lines
            .iter()
            .for_each(|id| m.ke.interrupts.change(*id, |line| line.pending = false))
    });
}
