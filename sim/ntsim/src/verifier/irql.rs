//! The IRQL rules.

crate::rules! {
    /// A kernel function was called at too high an IRQL.
    IRQL_TOO_HIGH = "irql-too-high", 0xD1, 0;
    /// A kernel function was called at too low an IRQL.
    IRQL_TOO_LOW = "irql-too-low", 0xC4, 0x30;
    /// KeRaiseIrql was asked to lower the IRQL.
    RAISE_LOWERS = "irql-raise-lowers", 0xC4, 0x31;
    /// KeLowerIrql was asked to raise the IRQL.
    LOWER_RAISES = "irql-lower-raises", 0xC4, 0x32;
    /// A driver routine that the kernel called returned at another IRQL.
    CALLBACK_IRQL = "callback-changed-irql", 0xC4, 0xF9;
    /// A driver routine that the kernel called returned inside another number of critical regions.
    CALLBACK_CRITICAL_REGION = "callback-leaked-critical-region", 0xC4, 0xC5;
    /// An interrupt service routine returned at another IRQL.
    ISR_IRQL = "isr-changed-irql", 0xC4, 0x111;
    /// KeLeaveCriticalRegion was called outside a critical region.
    CRITICAL_REGION_NOT_ENTERED = "critical-region-not-entered", 0x1, 0;
    /// A thread that waits, or returns to its creator, is at DISPATCH_LEVEL or above.
    WAIT_AT_DISPATCH = "wait-at-dispatch", 0xC4, 0x120;
    /// A framework function was called at an IRQL for which it is not documented.
    KMDF_IRQL = "kmdf-irql", 0xC4, 0x20005;
    /// An event callback of the driver returned at another IRQL.
    KMDF_CALLBACK_IRQL = "kmdf-callback-changed-irql", 0x10D, 0xE;
    /// An event callback of the driver returned inside another number of critical regions.
    KMDF_CALLBACK_CRITICAL_REGION = "kmdf-callback-leaked-critical-region", 0x10D, 0xF;
    /// A wait on memory that is no dispatcher object.
    WAIT_OBJECT = "wait-object", 0xC4, 0x121;
    /// A DPC was used that was never initialized.
    DPC_NOT_INITIALIZED = "dpc-not-initialized", 0xC7, 2;
    /// Memory was freed that holds a kernel object in use.
    OBJECT_FREED_IN_USE = "object-freed-in-use", 0xC7, 0;
    /// A work item was queued or freed while it is queued.
    WORK_ITEM_QUEUED = "work-item-queued", 0xE4, 0;
    /// A work item was used that was not allocated, or was freed.
    WORK_ITEM_UNKNOWN = "work-item-unknown", 0xE4, 1;
    /// Work items were left at unload.
    WORK_ITEM_LEAKED = "work-item-leaked", 0xCE, 1;
    /// A timer was used that was not allocated, or was deleted.
    EX_TIMER_UNKNOWN = "ex-timer-unknown", 0xC7, 4;
    /// A system thread ended at a raised IRQL or inside a critical region.
    THREAD_END_STATE = "thread-end-state", 0xC4, 0x3D;
}
