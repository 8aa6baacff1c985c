//! The pool and MDL rules.

crate::rules! {
    /// No bytes of pool were asked for.
    POOL_ZERO_BYTES = "pool-zero-bytes", 0xC4, 0x00;
    /// Paged pool was allocated above APC_LEVEL.
    PAGED_POOL_IRQL = "paged-pool-irql", 0xC4, 0x01;
    /// Paged pool was freed above APC_LEVEL.
    PAGED_POOL_FREE_IRQL = "paged-pool-free-irql", 0xC4, 0x11;
    /// Pool flags name no pool, or more than one.
    POOL_FLAGS = "pool-flags", 0xC4, 0x16;
    /// Pool was asked for with tag 0.
    POOL_NO_TAG = "pool-no-tag", 0xC2, 0x9B;
    /// An address was freed that is no pool block.
    POOL_BAD_FREE = "pool-bad-free", 0xC4, 0x10;
    /// A pool block was freed twice.
    POOL_DOUBLE_FREE = "pool-double-free", 0xC4, 0x13;
    /// A pool block was freed with another tag than it was allocated with.
    POOL_WRONG_TAG = "pool-wrong-tag", 0xC2, 0x0A;
    /// A pool block was written past its end.
    POOL_OVERRUN = "pool-overrun", 0xC4, 0x51;
    /// A pool block was written to after it was freed.
    POOL_WRITE_AFTER_FREE = "pool-write-after-free", 0xCC, 0;
    /// An IRP was freed as pool.
    POOL_FREE_OF_IRP = "pool-free-of-irp", 0xC4, 0x105;
    /// A driver unloaded and left pool behind.
    POOL_LEAK = "pool-leak", 0xC4, 0x62;
    /// A driver unloaded and left MDLs behind.
    MDL_LEAK = "mdl-leak", 0xC4, 0x62;
    /// A driver accessed its own image in a way that the section does not allow.
    IMAGE_PROTECTION = "image-protection", 0xBE, 0;
    /// A driver's image was used after it was unloaded, or a part of it after initialization.
    IMAGE_GONE = "image-gone", 0xCE, 0;
    /// A kernel function raised an exception in a driver that cannot catch one.
    RAISED = "exception-raised", 0x7E, 0xC000_0005;
    /// IoFreeMdl was given no MDL, or one that was freed before.
    MDL_BAD_FREE = "mdl-bad-free", 0xC4, 0x16;
    /// An MDL was freed while its pages are locked.
    MDL_FREED_LOCKED = "mdl-freed-locked", 0xC4, 0xB9;
    /// Pages were unlocked, or their MDL was freed, while a device has a mapping of them.
    MDL_GONE_DURING_DMA = "mdl-gone-during-dma", 0xE6, 0x0E;
    /// MmBuildMdlForNonPagedPool was used for memory that is not nonpaged pool.
    MDL_NOT_NONPAGED_POOL = "mdl-not-nonpaged-pool", 0xC4, 0x7F;
    /// MmProbeAndLockPages was given an MDL that is locked, partial, mapped or of nonpaged pool.
    MDL_LOCK_FLAGS = "mdl-lock-flags", 0xC4, 0xB0;
    /// Pageable memory was locked above APC_LEVEL.
    MDL_LOCK_IRQL = "mdl-lock-irql", 0xC4, 0x70;
    /// An MDL was unlocked whose pages are not locked.
    MDL_UNLOCK_UNLOCKED = "mdl-unlock-unlocked", 0xC4, 0x7C;
    /// An MDL of nonpaged pool was unlocked.
    MDL_UNLOCK_NONPAGED = "mdl-unlock-nonpaged", 0xC4, 0x7D;
    /// A partial MDL was unlocked.
    MDL_UNLOCK_PARTIAL = "mdl-unlock-partial", 0xC4, 0xB4;
    /// An MDL was mapped that has a system address already.
    MDL_MAP_FLAGS = "mdl-map-flags", 0xC4, 0xB2;
    /// An MDL was mapped whose pages are not locked.
    MDL_MAP_UNLOCKED = "mdl-map-unlocked", 0xC4, 0x85;
    /// MmMapLockedPagesSpecifyCache was told to bug check when it fails.
    MDL_MAP_BUG_CHECK = "mdl-map-bug-check", 0xC4, 0x82;
    /// An MDL holds the number of a page that is no memory in use.
    MDL_BAD_PFN = "mdl-bad-pfn", 0xC4, 0x89;
    /// MmUnmapLockedPages was given an address that is not the mapping of the MDL.
    MDL_BAD_UNMAP = "mdl-bad-unmap", 0xDA, 0x400;
    /// A partial MDL was built for bytes outside its source.
    PARTIAL_MDL_OUTSIDE = "partial-mdl-outside", 0x12, 1;
    /// A partial MDL has no room for the pages of its part.
    PARTIAL_MDL_TOO_SMALL = "partial-mdl-too-small", 0x12, 2;
    /// A partial MDL was built again while the mapping of its last use exists.
    PARTIAL_MDL_STILL_MAPPED = "partial-mdl-still-mapped", 0xDA, 0x401;
    /// Pool or a common buffer was accessed after it was freed, or past its end.
    SYSTEM_MEMORY_GONE = "system-memory-gone", 0xCC, 1;
    /// A driver touched user memory that is not there, or that the user may not access so.
    USER_MEMORY = "user-memory", 0x50, 3;
    /// A system mapping of an MDL was used after its end, past its end, or for writing where only reading was locked.
    SYSTEM_MAPPING_GONE = "system-mapping-gone", 0xCE, 0;
}
