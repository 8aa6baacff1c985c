//! Clocks, and the ways in which the kernel writes times.

use crate::sched::{self, Time};
use wdk_sys::{LARGE_INTEGER, LONGLONG, PLARGE_INTEGER, PULONG64, ULONG, ULONG64};

/// The system time at which a machine starts: 2024-01-01 00:00 UTC, in units of 100 ns since 1601.
const BOOT: u64 = 133_485_408_000_000_000;
/// Ticks of the performance counter per second.
const FREQUENCY: i64 = 10_000_000;
/// The length of a clock tick in units of 100 ns: 64 ticks per second.
const TIME_INCREMENT: ULONG = 156_250;

/// The 64 bits of a `LARGE_INTEGER`.
///
/// # Safety
/// The pointer is valid for reads.
pub(super) unsafe fn quad(value: PLARGE_INTEGER) -> LONGLONG {
    // SAFETY: passed on from the caller; every bit pattern is a number.
    unsafe { value.cast::<LONGLONG>().read_unaligned() }
}

/// The moment that a due time means: negative is relative, positive a system time.
pub(super) fn due(units: LONGLONG) -> Time {
    if units < 0 {
        return sched::now().after_units(units.unsigned_abs());
    }
    Time::from_ns(units.unsigned_abs().saturating_sub(BOOT).saturating_mul(100))
}

fn write_counter(to: PULONG64) {
    if !to.is_null() {
        // SAFETY: not null, so the caller passes memory for it.
        unsafe { to.write(sched::now().units()) };
    }
}

crate::nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// The time since boot in units of 100 ns; the performance counter at that moment too.
    #[irql(any)]
    fn KeQueryInterruptTimePrecise(counter: PULONG64) -> ULONG64 {
        write_counter(counter);
        sched::now().units()
    }

    /// The time since boot, without the time asleep, in units of 100 ns.
    #[irql(any)]
    fn KeQueryUnbiasedInterruptTime() -> ULONG64 {
        sched::now().units()
    }

    /// The time of day in units of 100 ns since 1601.
    #[irql(any)]
    fn KeQuerySystemTimePrecise(time: PLARGE_INTEGER) {
        let value = BOOT + sched::now().units();
        // SAFETY: the caller passes memory for it; anything else faults here as it would there.
        unsafe { time.write(LARGE_INTEGER { QuadPart: value.cast_signed() }) };
    }

    /// The length of a clock tick in units of 100 ns.
    #[irql(any)]
    fn KeQueryTimeIncrement() -> ULONG {
        TIME_INCREMENT
    }
}

crate::nt_exports! {
    pub const HAL_EXPORTS = "HAL.dll";

    /// The performance counter, and how often it ticks per second.
    #[irql(any)]
    fn KeQueryPerformanceCounter(frequency: PLARGE_INTEGER) -> LARGE_INTEGER {
        if !frequency.is_null() {
            // SAFETY: not null, so the caller passes memory for it.
            unsafe { frequency.write(LARGE_INTEGER { QuadPart: FREQUENCY }) };
        }
        LARGE_INTEGER { QuadPart: sched::now().units().cast_signed() }
    }

    /// Keeps the processor busy for so many microseconds.
    #[irql(any)]
    fn KeStallExecutionProcessor(microseconds: ULONG) {
        sched::stall(u64::from(microseconds) * 1000);
    }
}

#[cfg(test)]
mod tests {
    use super::{BOOT, due};
    use crate::Machine;

    #[test]
    fn due_times_are_relative_or_system_times() {
        let machine = Machine::builder().build();
        let now = machine.now();
        assert_eq!(due(-10), now.after_ns(1000));
        assert_eq!(due(BOOT.cast_signed() + 5).ns(), 500);
        assert_eq!(due(1).ns(), 0, "long ago");
        assert!(due(i64::MIN).ns() == u64::MAX, "never");
    }
}
