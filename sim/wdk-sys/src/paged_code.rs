//! `PAGED_CODE!`, the assertion that code which may page fault runs at low IRQL.

/// Asserts, in debug builds, that the IRQL is at most `APC_LEVEL`.
#[macro_export]
macro_rules! PAGED_CODE {
    () => {
        debug_assert!(
            // SAFETY: may be called at any IRQL.
            unsafe { $crate::ntddk::KeGetCurrentIrql() } <= $crate::APC_LEVEL as u8,
            "pageable code was entered above APC_LEVEL"
        )
    };
}
