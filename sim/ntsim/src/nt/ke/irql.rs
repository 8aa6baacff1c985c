//! IRQL and critical regions.

use crate::{
    sched,
    verifier::{self, irql},
};
use wdk_sys::{APC_LEVEL, BOOLEAN, KIRQL};

crate::nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// The IRQL of the current processor.
    #[irql(any)]
    fn KeGetCurrentIrql() -> KIRQL {
        sched::current_irql()
    }

    /// Raises the IRQL. What `KeRaiseIrql` calls.
    #[irql(any)]
    fn KfRaiseIrql(new: KIRQL) -> KIRQL {
        let old = sched::current_irql();
        if new < old {
            let text = format!("KeRaiseIrql from IRQL {old} to IRQL {new}");
            verifier::violation_with(irql::RAISE_LOWERS, [u64::from(old), u64::from(new), 0], text);
        }
        sched::raise(new)
    }

    /// Lowers the IRQL.
    #[irql(any)]
    fn KeLowerIrql(new: KIRQL) {
        let old = sched::current_irql();
        if new > old {
            let text = format!("KeLowerIrql from IRQL {old} to IRQL {new}");
            verifier::violation_with(irql::LOWER_RAISES, [u64::from(old), u64::from(new), 0], text);
        }
        super::spin::check_lower(new);
        sched::lower(new);
    }

    /// Disables normal kernel APCs: no suspension, no termination.
    #[irql(..= APC_LEVEL)]
    fn KeEnterCriticalRegion() {
        sched::with_context(|context| context.critical.set(context.critical.get() + 1));
    }

    /// Takes one `KeEnterCriticalRegion` back.
    #[irql(..= APC_LEVEL)]
    fn KeLeaveCriticalRegion() {
        let depth = sched::with_context(|context| context.critical.get());
        match depth.checked_sub(1) {
            Some(less) => sched::with_context(|context| context.critical.set(less)),
            None => verifier::violation(
                irql::CRITICAL_REGION_NOT_ENTERED,
                "KeLeaveCriticalRegion outside a critical region",
            ),
        }
    }

    /// Whether normal kernel APCs are disabled.
    #[irql(..= DISPATCH_LEVEL)]
    fn KeAreApcsDisabled() -> BOOLEAN {
        let level = u32::from(sched::current_irql());
        BOOLEAN::from(level >= APC_LEVEL || sched::with_context(|context| context.critical.get() > 0))
    }

    /// Whether all kernel APCs are disabled.
    #[irql(..= DISPATCH_LEVEL)]
    fn KeAreAllApcsDisabled() -> BOOLEAN {
        BOOLEAN::from(u32::from(sched::current_irql()) >= APC_LEVEL)
    }
}
