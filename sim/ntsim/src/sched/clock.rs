//! The virtual clock and what is due when.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

/// A moment, in nanoseconds since the machine was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Time(u64);

impl Time {
    /// From nanoseconds.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Self(ns)
    }

    /// In nanoseconds.
    #[must_use]
    pub const fn ns(self) -> u64 {
        self.0
    }

    /// In the kernel's unit of 100 ns.
    #[must_use]
    pub const fn units(self) -> u64 {
        self.0 / 100
    }

    /// So many nanoseconds later.
    #[must_use]
    pub const fn after_ns(self, ns: u64) -> Self {
        Self(self.0.saturating_add(ns))
    }

    /// So many units of 100 ns later.
    #[must_use]
    pub const fn after_units(self, units: u64) -> Self {
        self.after_ns(units.saturating_mul(100))
    }
}

impl core::fmt::Display for Time {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "t={}.{:03} us", self.0 / 1000, self.0 % 1000)
    }
}

/// Names something that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimerKey {
    due: Time,
    sequence: u64,
}

/// What happens when the time has come. It runs inside whatever context is interrupted: it may queue and wake, never wait or call a driver.
pub(crate) type Due = Box<dyn FnOnce()>;

/// The virtual clock.
#[derive(Default)]
pub struct Clock {
    now: Cell<Time>,
    next: Cell<Option<Time>>,
    sequence: Cell<u64>,
    due: RefCell<BTreeMap<TimerKey, Due>>,
}

impl Clock {
    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now.get()
    }

    /// When the next thing is due.
    #[must_use]
    pub fn next(&self) -> Option<Time> {
        self.next.get()
    }

    /// Has something happen at a time.
    pub(crate) fn at(&self, due: Time, action: Due) -> TimerKey {
        let sequence = self.sequence.get();
        self.sequence.set(sequence + 1);
        let key = TimerKey { due, sequence };
        self.due.borrow_mut().insert(key, action);
        self.refresh();
        key
    }

    /// Takes that back. False when it happened already.
    pub(crate) fn cancel(&self, key: TimerKey) -> bool {
        let action = self.due.borrow_mut().remove(&key);
        self.refresh();
        action.is_some()
    }

    /// Moves the clock.
    pub(crate) fn advance(&self, ns: u64) {
        self.now.set(self.now.get().after_ns(ns));
    }

    /// Moves the clock to a time, never back.
    pub(crate) fn advance_to(&self, time: Time) {
        self.now.set(self.now.get().max(time));
    }

    /// Whether something is due now.
    pub(crate) fn is_due(&self) -> bool {
        self.next.get().is_some_and(|next| next <= self.now.get())
    }

    /// Lets everything happen that is due.
    pub(crate) fn run_due(&self) {
        while self.is_due() {
            let first = self.due.borrow_mut().pop_first();
            self.refresh();
            let Some((_, action)) = first else { return };
            action();
        }
    }

    fn refresh(&self) {
        let next = self.due.borrow().keys().next().map(|key| key.due);
        self.next.set(next);
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, Time};
    use std::{cell::RefCell, rc::Rc};

    #[test]
    fn things_happen_in_order_of_time_then_of_request() {
        let clock = Clock::default();
        let log = Rc::new(RefCell::new(Vec::new()));
        let push = |value: u32| {
            let log = Rc::clone(&log);
            Box::new(move || log.borrow_mut().push(value))
        };
        clock.at(Time::from_ns(20), push(3));
        clock.at(Time::from_ns(10), push(1));
        let cancelled = clock.at(Time::from_ns(15), push(9));
        clock.at(Time::from_ns(20), push(4));
        assert!(clock.cancel(cancelled));
        assert!(!clock.cancel(cancelled));
        clock.run_due();
        assert!(log.borrow().is_empty());
        clock.advance(12);
        clock.run_due();
        assert_eq!(*log.borrow(), [1]);
        clock.advance_to(Time::from_ns(20));
        clock.run_due();
        assert_eq!(*log.borrow(), [1, 3, 4]);
        assert_eq!(clock.next(), None);
    }
}
