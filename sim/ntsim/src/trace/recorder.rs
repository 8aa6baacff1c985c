//! Keeps events and the hash over them.

use super::Event;
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
};

/// What a machine keeps of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TraceMode {
    /// The last few, for a crash report.
    #[default]
    Off,
    /// All, with arguments.
    Full,
}

/// How many of the last events a crash report shows.
const TAIL: usize = 40;

/// The events of a machine.
#[derive(Debug)]
pub struct Recorder {
    mode: TraceMode,
    events: RefCell<VecDeque<Event>>,
    hash: Cell<u64>,
}

impl Recorder {
    pub(crate) fn new(mode: TraceMode) -> Self {
        Self {
            mode,
            events: RefCell::default(),
            hash: Cell::new(0xCBF2_9CE4_8422_2325),
        }
    }

    /// Whether all events are kept, with arguments.
    #[must_use]
    pub fn keeps_all(&self) -> bool {
        self.mode == TraceMode::Full
    }

    /// The hash of all events so far: kind, IRQL, name and returned value, and of all choices.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash.get()
    }

    pub(crate) fn record(&self, event: Event) {
        self.mix(&event.name, (event.kind as u64) << 32 | u64::from(event.irql));
        self.mix("", event.ret.unwrap_or(u64::MAX));
        let mut events = self.events.borrow_mut();
        if self.mode == TraceMode::Off && events.len() == TAIL {
            events.pop_front();
        }
        events.push_back(event);
    }

    /// Puts a text and a number into the hash.
    pub(crate) fn mix(&self, text: &str, number: u64) {
        let mut hash = self.hash.get();
        for byte in text.as_bytes() {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        }
        self.hash
            .set((hash ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29));
    }

    /// The events that are kept, from index `from` on.
    #[must_use]
    pub fn since(&self, from: usize) -> Vec<Event> {
        self.events.borrow().iter().skip(from).cloned().collect()
    }

    /// The number of events that are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.borrow().len()
    }

    /// Whether no event is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes and returns the events that are kept.
    pub(crate) fn take(&self) -> Vec<Event> {
        self.events.borrow_mut().drain(..).collect()
    }

    /// The last events as text.
    pub(crate) fn tail(&self) -> Vec<String> {
        let events = self.events.borrow();
        events
            .iter()
            .skip(events.len().saturating_sub(TAIL))
            .map(ToString::to_string)
            .collect()
    }
}
