//! Rules of the framework's DMA: enablers, transactions, common buffers.

crate::rules! {
    /// A function was called on a transaction in a state that forbids it. P3 is the state: 1 created, 3 initialized, 4 transfer, 5 completed, 6 failed, 7 released, 8 deleted.
    DMA_STATE = "kmdf-dma-state", 0x10D, 0x8;
    /// A transaction was released while the device may still use its scatter-gather list.
    RELEASED_DURING_TRANSFER = "kmdf-dma-released-during-transfer", 0x10D, 0x8;
    /// A transaction was deleted while the device may still use its scatter-gather list.
    DELETED_DURING_TRANSFER = "kmdf-dma-deleted-during-transfer", 0x10D, 0x8;
    /// A request was completed while a transaction was using its buffer: the memory is let go under the device's hands.
    REQUEST_COMPLETED_UNDER_DMA = "kmdf-dma-request-completed-under-dma", 0x10D, 0x3;
    /// A transaction was used where the framework has no adapter for it, and reads through a null pointer.
    DMA_FRAMEWORK_FAULT = "kmdf-dma-framework-fault", 0x1E, 0xC0000005;
    /// A transaction that waited for map registers was deleted before they became free.
    DMA_CALLBACK_AFTER_DELETE = "kmdf-dma-callback-after-delete", 0x10D, 0x200;
    /// A DMA enabler was configured with settings that contradict each other, or too late.
    DMA_CONFIGURATION = "kmdf-dma-configuration", 0x10D, 0x201;
    /// A function that needs DMA version 3 was called on a transaction of an enabler with version 2; it does nothing.
    DMA_NEEDS_VERSION_3 = "kmdf-dma-needs-version-3", 0x10D, 0x202;
    /// A setting of a transaction was made in a state in which it is too late.
    DMA_SETTING_TOO_LATE = "kmdf-dma-setting-too-late", 0x10D, 0x203;
    /// More bytes were reported as moved than the current fragment has.
    DMA_REPORT_TOO_LONG = "kmdf-dma-report-too-long", 0x10D, 0x204;
    /// A transaction was initialized with more bytes than its MDL chain describes.
    DMA_BUFFER_TOO_SHORT = "kmdf-dma-buffer-too-short", 0x10D, 0x205;
}
