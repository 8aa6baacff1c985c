//! The I/O manager rules.

crate::rules! {
    /// IoFreeIrp was given something that is no IRP.
    FREE_NOT_AN_IRP = "irp-free-not-an-irp", 0xC9, 0x01;
    /// IoFreeIrp was given an IRP that a driver still has.
    FREE_IN_USE = "irp-free-in-use", 0xC9, 0x20B;
    /// IoReuseIrp was given an IRP that a driver still has.
    REUSE_IN_USE = "irp-reuse-in-use", 0xC9, 0x20A;
    /// IoInitializeIrp was given an IRP of IoAllocateIrp.
    INITIALIZE_ALLOCATED = "irp-initialize-allocated", 0xC9, 0x20D;
    /// IoInitializeIrp was given too little memory.
    INITIALIZE_SIZE = "irp-initialize-size", 0xC9, 0x200;
    /// A function was given something that is no IRP.
    NOT_AN_IRP = "irp-not-an-irp", 0xC9, 0x03;
    /// IoCallDriver was given something that is no device object.
    NOT_A_DEVICE = "irp-not-a-device", 0xC9, 0x04;
    /// An IRP was completed twice.
    COMPLETED_TWICE = "irp-completed-twice", 0x44, 0;
    /// An IRP was completed with STATUS_PENDING.
    COMPLETED_PENDING = "irp-completed-pending", 0xC9, 0x06;
    /// An IRP was completed while its cancel routine was set.
    COMPLETED_CANCELABLE = "irp-completed-cancelable", 0xC9, 0x07;
    /// An IRP was passed down while its cancel routine was set.
    PASSED_CANCELABLE = "irp-passed-cancelable", 0xC9, 0x203;
    /// An IRP has no stack location for the next driver.
    NO_MORE_LOCATIONS = "irp-no-more-locations", 0x35, 0;
    /// A dispatch routine returned STATUS_PENDING for an IRP that was not marked pending.
    PENDING_NOT_MARKED = "irp-pending-not-marked", 0xC9, 0x23D;
    /// A dispatch routine marked an IRP pending and did not return STATUS_PENDING.
    MARKED_NOT_PENDING = "irp-marked-not-pending", 0xC9, 0x23E;
    /// A dispatch routine returned another status than it completed the IRP with.
    STATUS_DIFFERS = "irp-status-differs", 0xC9, 0x224;
    /// A dispatch routine neither completed an IRP nor passed it down nor returned STATUS_PENDING.
    NOT_COMPLETED = "irp-not-completed", 0xC9, 0x226;
    /// The dispatch table of a driver has a null pointer.
    NO_DISPATCH_ROUTINE = "irp-no-dispatch-routine", 0xC9, 0x21F;
    /// No completion routine kept an IRP that its driver allocated.
    NOT_CAUGHT = "irp-not-caught", 0xC9, 0x20C;
    /// An IRP has a cancel routine although it completed.
    CANCEL_ROUTINE_AFTER_COMPLETION = "irp-cancel-routine-after-completion", 0x48, 0;
    /// A cancel routine did not release the cancel spin lock.
    CANCEL_LOCK_HELD = "irp-cancel-lock-held", 0xC4, 0x35;
    /// IoDeleteDevice was called twice for a device object.
    DELETED_TWICE = "device-deleted-twice", 0xC9, 0x240;
    /// A device object was deleted while it was attached to another.
    DELETED_ATTACHED = "device-deleted-attached", 0xC9, 0x201;
    /// IoDetachDevice was called for a device object to which nothing is attached.
    DETACHED_TWICE = "device-detached-twice", 0xC9, 0x202;
    /// AddDevice did not clear DO_DEVICE_INITIALIZING.
    STILL_INITIALIZING = "device-still-initializing", 0xC9, 0x243;
    /// A driver did not detach its device object, or did not delete it, when the device was removed.
    NOT_DETACHED = "device-not-detached", 0xC9, 0x21D;
    /// A driver was unloaded and left device objects behind.
    DEVICE_LEAK = "device-leak", 0xCE, 1;
    /// A driver was unloaded and left IRPs behind.
    IRP_LEAK = "irp-leak", 0xCE, 2;
    /// An object was referenced or dereferenced that has no references.
    OBJECT_WITHOUT_REFERENCES = "object-without-references", 0xC4, 0x3F;
    /// A remove lock was released more often than it was acquired.
    REMOVE_LOCK = "remove-lock-released-too-often", 0xC4, 0xD5;
    /// A buffered request completed with more bytes than its buffer has.
    INFORMATION_TOO_LARGE = "irp-information-too-large", 0xC9, 0x300;
    /// A driver failed a PnP request that cannot be failed.
    CANNOT_BE_FAILED = "pnp-cannot-be-failed", 0xC9, 0x247;
    /// PoRequestPowerIrp was called in a way that it does not allow.
    POWER_REQUEST = "power-request", 0x9F, 0x0;
}
