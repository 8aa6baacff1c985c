//! The record as a script: a cursor that moves with what happens, and stops at the first deviation.

use crate::scenario::{Ev, Event, Scenario};
use ntsim::trace::{self, Kind};
use std::cell::{Cell, RefCell};

/// What the framework's verifier breaks are called in the record and in the trace.
const BREAK: &str = "framework executed a debugger breakpoint (verifier violation)";

/// The kernel functions whose calls were recorded.
const KERNEL: [&str; 6] = [
    "IoConnectInterruptEx",
    "IoDisconnectInterruptEx",
    "PoSetPowerState",
    "PoRequestPowerIrp",
    "IoDeleteDevice",
    "IoInvalidateDeviceState",
];

/// The script of a scenario.
pub struct Script {
    events: Vec<Event>,
    /// For each event, how many recorded callbacks are open before it.
    depths: Vec<u32>,
    at: Cell<usize>,
    failure: RefCell<Option<String>>,
    /// Up to here DMA events are not compared.
    loose_until: usize,
}

/// Callbacks whose end was not recorded.
pub fn ends_unseen(name: &str) -> bool {
    matches!(
        name,
        "EvtCleanupCallback" | "EvtDestroyCallback" | "EvtDriverUnload" | "EvtInterruptSynchronize"
    )
}

fn depths(events: &[Event]) -> Vec<u32> {
    let mut depth = 0;
    events
        .iter()
        .map(|event| {
            if event.ev == Ev::Leave {
                depth -= 1;
            }
            let here = depth;
            if event.ev == Ev::Enter && !ends_unseen(&event.name) {
                depth += 1;
            }
            here
        })
        .collect()
}

/// The request for power that the framework makes on a thread of its own, and what the harness did at that time on another: the harness goes first.
fn let_harness_go_first(events: &mut [Event]) {
    for at in 1..events.len() {
        let harness = events[at].name.starts_with("let ") || events[at].name == "scenario ends";
        if harness && events[at - 1].name == "PoRequestPowerIrp" {
            events.swap(at - 1, at);
        }
    }
}

impl Script {
    /// The script of a scenario. `loose`: the DMA events of the beginning are not compared.
    pub fn new(scenario: &Scenario, loose: bool) -> Self {
        let dropped = |(index, event): &(usize, &Event)| loose && *index < scenario.beginning && event.ev == Ev::Dma;
        let kept: Vec<(usize, &Event)> = scenario
            .trace
            .iter()
            .enumerate()
            .filter(|pair| !dropped(pair))
            .collect();
        let loose_until = if loose {
            kept.iter().filter(|(index, _)| *index < scenario.beginning).count()
        } else {
            0
        };
        let mut events: Vec<Event> = kept.into_iter().map(|(_, event)| event.clone()).collect();
        let_harness_go_first(&mut events);
        Self {
            depths: depths(&events),
            events,
            at: Cell::new(0),
            failure: RefCell::new(None),
            loose_until,
        }
    }

    /// The next event of the record.
    pub fn next(&self) -> Option<Event> {
        self.events.get(self.at.get()).cloned()
    }

    /// How many events were seen.
    pub fn position(&self) -> usize {
        self.at.get()
    }

    /// Whether the next event lies outside every callback.
    pub fn at_top(&self) -> bool {
        self.depths.get(self.at.get()).is_some_and(|depth| *depth == 0)
    }

    /// The events that come, the next one first.
    pub fn rest(&self) -> &[Event] {
        &self.events[self.at.get().min(self.events.len())..]
    }

    /// The events inside the call that is next: up to its return.
    pub fn inside_call(&self) -> &[Event] {
        let rest = self.rest();
        let Some(call) = rest.first() else { return rest };
        let mut open = 0;
        for (index, event) in rest.iter().enumerate() {
            match event.ev {
                Ev::Call if event.name == call.name => open += 1,
                Ev::Ret if event.name == call.name => open -= 1,
                _ => {}
            }
            if open == 0 {
                return &rest[1.min(index)..index];
            }
        }
        &rest[1..]
    }

    /// Whether a deviation was seen.
    pub fn failed(&self) -> bool {
        self.failure.borrow().is_some()
    }

    /// The first deviation.
    pub fn failure(&self) -> Option<String> {
        self.failure.borrow().clone()
    }

    /// Reports a deviation.
    pub fn fail(&self, text: impl Into<String>) {
        let mut failure = self.failure.borrow_mut();
        if failure.is_none() {
            let at = self.at.get();
            let before: Vec<String> = self.events[at.saturating_sub(6)..at]
                .iter()
                .map(|event| format!("  {}", show(event)))
                .collect();
            let next = self.events.get(at).map_or("the end".to_owned(), show);
            *failure = Some(format!(
                "event {at}: {}\n  expected: {next}\nafter:\n{}",
                text.into(),
                before.join("\n")
            ));
        }
    }

    /// Something happened.
    pub fn observe(&self, seen: Event) {
        if self.failed() || self.at.get() == self.events.len() {
            return;
        }
        if seen.ev == Ev::Dma && self.at.get() < self.loose_until {
            return;
        }
        if self.events.get(self.at.get()).is_some_and(|next| same(next, &seen)) {
            self.at.set(self.at.get() + 1);
        } else {
            self.fail(format!("seen:     {}", show(&seen)));
        }
    }

    /// Looks at what the machine recorded since the last time.
    pub fn drain(&self) {
        for event in ntsim::machine::current().take_trace() {
            if let Some(seen) = translate(event) {
                self.observe(seen);
            }
        }
    }
}

/// Whether an event is the recorded one. The IRQL of breaks was not recorded.
fn same(recorded: &Event, seen: &Event) -> bool {
    let irql = if seen.ev == Ev::Verifier {
        recorded.irql
    } else {
        seen.irql
    };
    *recorded == Event { irql, ..seen.clone() }
}

fn show(event: &Event) -> String {
    let ret = event.ret.as_ref().map(|ret| format!(" = {ret}")).unwrap_or_default();
    format!("{:?} @{} {} [{}]{ret}", event.ev, event.irql, event.name, event.args)
}

/// An event of the machine's trace, if its like was recorded.
fn translate(event: trace::Event) -> Option<Event> {
    let ev = match event.kind {
        Kind::Dma => Ev::Dma,
        Kind::Kernel if KERNEL.contains(&&*event.name) => Ev::Kernel,
        Kind::Pdo => Ev::Pdo,
        Kind::Verifier if event.name == BREAK => Ev::Verifier,
        _ => return None,
    };
    Some(Event {
        ev,
        irql: event.irql,
        name: event.name.into_owned(),
        args: event.args,
        ret: None,
    })
}
