//! The rules of device registers, configuration space and interrupts.

crate::rules! {
    /// Device registers were still mapped when the driver unloaded.
    IO_SPACE_LEAKED = "io-space-leaked", 0xC4, 0x62;
    /// MmUnmapIoSpace was called with another size or address than MmMapIoSpace returned.
    IO_SPACE_UNMAP_MISMATCH = "io-space-unmap-mismatch", 0xDA, 0;
    /// MmMapIoSpace was asked for physical addresses that are no device's.
    IO_SPACE_NOT_A_DEVICE = "io-space-not-a-device", 0x1A, 0;
    /// Device registers were accessed after MmUnmapIoSpace.
    REGISTER_USE_AFTER_UNMAP = "register-use-after-unmap", 0x50, 0;
    /// Device registers were accessed with a width or alignment that the bus does not have.
    REGISTER_ACCESS_SHAPE = "register-access-shape", 0xC4, 0x85;
    /// Device registers were accessed outside the BAR.
    REGISTER_OUT_OF_BOUNDS = "register-out-of-bounds", 0x50, 1;
    /// Device registers were accessed while the device was not in D0 or its memory decoding was off.
    REGISTER_NOT_IN_D0 = "register-access-not-in-d0", 0x9C, 0;
    /// Device registers were written that were mapped read-only.
    REGISTER_READ_ONLY = "register-read-only", 0xBE, 0;
    /// Device registers were accessed by an instruction that the simulator cannot carry out.
    REGISTER_INSTRUCTION = "register-access-instruction", 0x1E, 0;
    /// A driver touched memory that is not there.
    INVALID_MEMORY = "invalid-memory", 0x50, 2;
    /// A driver executed an instruction that traps.
    TRAPPING_INSTRUCTION = "trapping-instruction", 0x1E, 1;
    /// A kernel stack overflowed.
    STACK_OVERFLOW = "stack-overflow", 0x7F, 8;
    /// An interrupt was connected with parameters that no resource of a device has.
    INTERRUPT_PARAMETERS = "interrupt-parameters", 0xC4, 0x112;
    /// A level-triggered interrupt stays asserted and no service routine claims it.
    INTERRUPT_STORM = "interrupt-storm", 0xC4, 0x113;
    /// An interrupt was disconnected that is not connected.
    INTERRUPT_NOT_CONNECTED = "interrupt-not-connected", 0xC4, 0x114;
    /// An interrupt was still connected when the driver unloaded.
    INTERRUPT_LEAKED = "interrupt-leaked", 0xC4, 0x115;
}
