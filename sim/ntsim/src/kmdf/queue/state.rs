//! The switches of an I/O queue: whether it accepts, whether it dispatches, whether it is shut down; and how many requests it presents at once. Pure.

use wdk_sys::{_WDF_IO_QUEUE_DISPATCH_TYPE as Dispatch, WDF_IO_QUEUE_DISPATCH_TYPE};

/// How a queue hands out requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DispatchType {
    /// One at a time, the next when the last was completed.
    Sequential,
    /// Up to this many at once.
    Parallel(u32),
    /// Only when the driver asks.
    Manual,
}

impl DispatchType {
    /// Reads the configuration's value. `presented` is `NumberOfPresentedRequests`, where `u32::MAX` means no limit.
    #[must_use]
    pub const fn from_raw(raw: WDF_IO_QUEUE_DISPATCH_TYPE, presented: u32) -> Option<Self> {
        match raw {
            Dispatch::WdfIoQueueDispatchSequential => Some(Self::Sequential),
            Dispatch::WdfIoQueueDispatchParallel => Some(Self::Parallel(presented)),
            Dispatch::WdfIoQueueDispatchManual => Some(Self::Manual),
            _ => None,
        }
    }

    /// Whether one more request may be presented while the driver owns `owned`.
    #[must_use]
    pub const fn may_present(self, owned: u32) -> bool {
        match self {
            Self::Sequential => owned == 0,
            Self::Parallel(limit) => owned < limit,
            Self::Manual => false,
        }
    }
}

/// The switches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switches {
    accepts: bool,
    dispatches: bool,
    shut_down: bool,
}

impl Switches {
    /// A queue as it is created: open.
    pub const OPEN: Self = Self {
        accepts: true,
        dispatches: true,
        shut_down: false,
    };

    /// Whether new requests are taken.
    #[must_use]
    pub const fn accepts(self) -> bool {
        self.accepts
    }

    /// Whether requests may be presented or retrieved.
    #[must_use]
    pub const fn dispatches(self) -> bool {
        self.dispatches
    }

    /// Takes requests again, unless the queue was shut down for removal.
    #[must_use]
    pub const fn accepting(self) -> Self {
        Self {
            accepts: !self.shut_down,
            ..self
        }
    }

    /// `WdfIoQueueStart`.
    #[must_use]
    pub const fn started(self) -> Self {
        Self {
            dispatches: true,
            ..self.accepting()
        }
    }

    /// `WdfIoQueueStop`: takes requests, keeps them.
    #[must_use]
    pub const fn stopped(self) -> Self {
        Self {
            dispatches: false,
            ..self.accepting()
        }
    }

    /// `WdfIoQueueDrain`, `WdfIoQueuePurge`: takes no more.
    #[must_use]
    pub const fn closed(self) -> Self {
        Self { accepts: false, ..self }
    }

    /// Removal: takes no more, and Start does not change that.
    #[must_use]
    pub const fn shut_down(self) -> Self {
        Self {
            shut_down: true,
            ..self.closed()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_shut_down_queue_stays_closed() {
        let down = Switches::OPEN.shut_down();
        assert!(!down.started().accepts() && !down.stopped().accepts());
    }

    #[test]
    fn stop_keeps_and_drain_refuses() {
        let stopped = Switches::OPEN.stopped();
        assert!(stopped.accepts() && !stopped.dispatches());
        let drained = Switches::OPEN.closed();
        assert!(!drained.accepts() && drained.dispatches());
        assert_eq!(drained.started(), Switches::OPEN);
    }

    proptest! {
        #[test]
        fn presentation_never_exceeds_the_limit(limit in 1..100_u32, owned in 0..200_u32) {
            prop_assert_eq!(DispatchType::Parallel(limit).may_present(owned), owned < limit);
            prop_assert_eq!(DispatchType::Sequential.may_present(owned), DispatchType::Parallel(1).may_present(owned));
            prop_assert!(!DispatchType::Manual.may_present(owned));
        }
    }
}
