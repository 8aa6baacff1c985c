//! Rules of the framework: objects, driver, device, PnP and power, locks, interrupts, timers, work items.

crate::rules! {
    /// A lock was acquired again by the thread that holds it.
    RECURSIVE_LOCK = "kmdf-recursive-lock", 0x10D, 0x2;
    /// A required parameter is null.
    REQUIRED_PARAMETER_IS_NULL = "kmdf-null-parameter", 0x10D, 0x4;
    /// A handle is null, of another type, or of an object that no longer exists.
    INVALID_HANDLE = "kmdf-invalid-handle", 0x10D, 0x5;
    /// An object lost its last reference although it was never deleted.
    OBJECT_FREED_BY_DEREFERENCE = "kmdf-freed-by-dereference", 0x10D, 0x7;
    /// A callback lock was asked of an object that has none.
    NO_CALLBACK_LOCK = "kmdf-no-callback-lock", 0x10D, 0xB;
    /// A lock was released by code that does not hold it.
    LOCK_NOT_OWNED = "kmdf-lock-not-owned", 0x10D, 0xB;
    /// WdfObjectDelete was called on an object that only the framework may delete.
    OBJECT_NOT_DELETABLE = "kmdf-object-not-deletable", 0x10D, 0x100;
    /// An object was still referenced when its driver was unloaded.
    OBJECT_LEAK = "kmdf-object-leak", 0x10D, 0x101;
    /// WdfDriverCreate was called a second time.
    DRIVER_CREATED_TWICE = "kmdf-driver-created-twice", 0x10D, 0x102;
    /// A function that belongs before WdfDeviceCreate was called with a WDFDEVICE_INIT that was used up.
    DEVICE_INIT_USED_UP = "kmdf-device-init-used-up", 0x10D, 0x103;
    /// A structure that the driver passed has the wrong Size.
    WRONG_STRUCTURE_SIZE = "kmdf-wrong-structure-size", 0x10D, 0x104;
    /// A PnP or power callback returned STATUS_NOT_SUPPORTED, which the PnP manager takes for "not handled".
    CALLBACK_NOT_SUPPORTED = "kmdf-callback-not-supported", 0x10D, 0x105;
    /// An interrupt object was created outside EvtDriverDeviceAdd and EvtDevicePrepareHardware, or with the wrong resources for the place.
    INTERRUPT_CREATE_PLACE = "kmdf-interrupt-create-place", 0x10D, 0x106;
    /// A DPC or work item of an interrupt was queued although the interrupt has no such callback.
    INTERRUPT_NO_DEFERRED_CALLBACK = "kmdf-interrupt-no-deferred-callback", 0x10D, 0x107;
    /// The lock of an interrupt was used while the interrupt was not connected.
    INTERRUPT_NOT_CONNECTED = "kmdf-interrupt-not-connected", 0x10D, 0x108;
    /// An object with automatic serialization has a parent whose execution level does not fit.
    INCOMPATIBLE_EXECUTION_LEVEL = "kmdf-incompatible-execution-level", 0x10D, 0x109;
    /// A function was asked to wait at DISPATCH_LEVEL or above, or from the callback it would wait for.
    WAIT_NOT_ALLOWED = "kmdf-wait-not-allowed", 0x10D, 0x10B;
    /// A structure or parameter holds a value that its function does not accept.
    INVALID_PARAMETER = "kmdf-invalid-parameter", 0x10D, 0x10C;
    /// More than one driver bound to the framework in one machine.
    SECOND_CLIENT = "kmdf-second-client", 0x10D, 0x10D;
    /// A wait lock was released by code that does not hold it.
    WAIT_LOCK_NOT_OWNED = "kmdf-wait-lock-not-owned", 0x10D, 0x10E;
}
