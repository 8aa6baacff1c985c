//! The DMA rules.

crate::rules! {
    /// A device accessed memory that is not mapped for it, or not for this direction.
    IOMMU_FAULT = "dma-iommu-fault", 0xE6, 0x26;
    /// A device was given a physical address instead of a device address.
    UNTRANSLATED_ADDRESS = "dma-untranslated-address", 0xE6, 0x26;
    /// A device accessed memory that is not in use.
    NO_MEMORY = "dma-no-memory", 0xE6, 0x26;
    /// A device accessed bytes beside the buffer that was mapped for it.
    OUTSIDE_BUFFER = "dma-outside-buffer", 0xE6, 0x0F;
    /// A common buffer was freed that is not allocated, or not with these parameters.
    COMMON_BUFFER_FREE = "dma-common-buffer-free", 0xE6, 0x03;
    /// A scatter/gather list was put that does not exist (any more).
    LIST_FREE = "dma-list-free", 0xE6, 0x06;
    /// An adapter was put while common buffers of it are allocated.
    ADAPTER_WITH_COMMON_BUFFERS = "dma-adapter-with-common-buffers", 0xE6, 0x07;
    /// An adapter was put while scatter/gather lists of it exist.
    ADAPTER_WITH_LISTS = "dma-adapter-with-lists", 0xE6, 0x0A;
    /// A driver unloaded and left a DMA adapter behind.
    ADAPTER_LEAK = "dma-adapter-leak", 0xE6, 0x11;
    /// DMA was set up for an MDL whose pages are not locked.
    UNLOCKED_MDL = "dma-unlocked-mdl", 0xE6, 0x0E;
    /// A DMA operation was called at another IRQL than it needs.
    EXACT_IRQL = "dma-irql-exact", 0xE6, 0x13;
    /// A DMA operation was called at too high an IRQL.
    IRQL_TOO_HIGH = "dma-irql-too-high", 0xE6, 0x14;
    /// A DMA adapter was used after PutDmaAdapter.
    ADAPTER_RELEASED = "dma-adapter-released", 0xE6, 0x18;
    /// A DMA operation was given no adapter.
    ADAPTER_NULL = "dma-adapter-null", 0xE6, 0x19;
    /// The address where the transfer begins is not in the MDL.
    OUTSIDE_MDL = "dma-outside-mdl", 0xE6, 0x1B;
    /// Bytes were mapped that are mapped already through the same MDL.
    MAPPED_TWICE = "dma-mapped-twice", 0xE6, 0x1D;
    /// A transfer of no bytes was set up.
    ZERO_LENGTH = "dma-zero-length", 0xE6, 0x21;
    /// The MDLs hold fewer bytes than the transfer.
    LENGTH_PAST_MDL = "dma-length-past-mdl", 0xE6, 0x24;
    /// A device description has a version that does not exist.
    DESCRIPTION_VERSION = "dma-description-version", 0xE6, 0x25;
    /// PutScatterGatherList was called with another direction, or on another adapter, than the list was made with.
    PUT_MISMATCH = "dma-put-mismatch", 0xE6, 0x16;
    /// A DMA transfer context was used that InitializeDmaTransferContext did not prepare.
    CONTEXT_NOT_INITIALIZED = "dma-context-not-initialized", 0xE6, 0x100;
    /// IoGetDmaAdapter was called for something that is not a physical device object.
    NOT_A_PDO = "dma-not-a-pdo", 0xCA, 0x2;
    /// A member of DMA_OPERATIONS was used that the version of the adapter does not have.
    OPERATION_NOT_IN_VERSION = "dma-operation-not-in-version", 0xE6, 0x101;
}
