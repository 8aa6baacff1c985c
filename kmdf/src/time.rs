//! Time since the system started, and short waits.

use core::time::Duration;

use wdk_sys::{_MODE, LARGE_INTEGER, ntddk};

/// A moment of interrupt time: time since the system started, in units of 100 ns. Not affected by changes of the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(u64);

impl Instant {
    /// The present moment, by `KeQueryInterruptTimePrecise`. Any IRQL.
    pub fn now() -> Self {
        let mut performance_counter = 0;
        // SAFETY: the pointer leads to a local; the function has no other precondition.
        Self(unsafe { ntddk::KeQueryInterruptTimePrecise(&raw mut performance_counter) })
    }

    /// Nanoseconds from `earlier` to this moment; 0 where `earlier` is later.
    pub const fn nanoseconds_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0).saturating_mul(100)
    }

    /// The moment that lies `by` after this one.
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(units(by)))
    }
}

/// Units of 100 ns, rounded up.
fn units(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(100)).unwrap_or(u64::MAX)
}

/// A due time relative to now, as timers and waits take it: negative units of 100 ns.
pub(crate) fn relative(duration: Duration) -> i64 {
    -i64::try_from(units(duration)).unwrap_or(i64::MAX)
}

/// Lets the thread sleep. `IRQL <= APC_LEVEL`.
pub fn delay(duration: Duration) {
    let mut interval = LARGE_INTEGER {
        QuadPart: relative(duration),
    };
    // SAFETY: the pointer leads to a local that the call only reads while it runs.
    let status = unsafe { ntddk::KeDelayExecutionThread(_MODE::KernelMode as i8, 0, &raw mut interval) };
    debug_assert!(status >= 0, "a wait that is not alertable ends by its time only");
}

/// Asks `done` again and again, with sleeps of `step` between, until it gives a value or `limit` has passed. `IRQL <= APC_LEVEL`.
///
/// The number of questions is bounded as well, so that a clock that stands still cannot make the wait endless.
pub fn poll<T>(limit: Duration, step: Duration, mut done: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now().after(limit);
    for _ in 0..=questions(limit, step) {
        if let Some(value) = done() {
            return Some(value);
        }
        if Instant::now() >= deadline {
            return done();
        }
        delay(step);
    }
    None
}

fn questions(limit: Duration, step: Duration) -> u64 {
    u64::try_from(limit.as_nanos() / step.as_nanos().max(1)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_in_units_of_100_ns() {
        let start = Instant(1000);
        let later = start.after(Duration::from_nanos(150));
        assert_eq!(later, Instant(1002), "a started unit counts");
        assert_eq!(later.nanoseconds_since(start), 200);
        assert_eq!(start.nanoseconds_since(later), 0);
        assert_eq!(relative(Duration::from_millis(1)), -10_000);
        assert_eq!(Instant(u64::MAX).after(Duration::MAX), Instant(u64::MAX));
    }

    #[test]
    fn a_wait_asks_a_bounded_number_of_times() {
        assert_eq!(questions(Duration::from_millis(10), Duration::from_millis(3)), 3);
        assert_eq!(questions(Duration::from_millis(10), Duration::ZERO), 10_000_000);
    }
}
