//! `PAGED_CODE!`, the assertion that code which may page fault runs at low IRQL.

/// Asserts, in debug builds, that the IRQL is at most `APC_LEVEL`.
///
/// As in the real crate, `KeGetCurrentIrql` and `APC_LEVEL` are to be in scope where it is used.
#[macro_export]
macro_rules! PAGED_CODE {
    () => {
        debug_assert!(
            // SAFETY: may be called at any IRQL.
            unsafe { KeGetCurrentIrql() } <= APC_LEVEL as u8,
            "pageable code was entered above APC_LEVEL"
        )
    };
}
