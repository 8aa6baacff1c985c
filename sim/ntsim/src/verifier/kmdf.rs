//! Rules of the framework: objects, driver, device, PnP and power, locks, interrupts, timers, work items.
//!
//! Three kinds. Bug check 0x10D: the framework stops Windows itself, whatever its verifier's setting. Bug check 0x7E with 0x80000003: the framework's verifier breaks into the
//! debugger, which is an unhandled breakpoint where there is none; silent while the verifier is off. The others: the framework does not notice, and what
//! follows is named.

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
    OBJECT_NOT_DELETABLE = "kmdf-object-not-deletable", 0x7E, 0x8000_0003;
    /// An object was still referenced when its driver was unloaded.
    OBJECT_LEAK = "kmdf-object-leak", 0x7E, 0x8000_0003;
    /// WdfDriverCreate was called a second time.
    DRIVER_CREATED_TWICE = "kmdf-driver-created-twice", 0x7E, 0x8000_0003;
    /// A structure that the driver passed has the wrong Size.
    WRONG_STRUCTURE_SIZE = "kmdf-wrong-structure-size", 0x7E, 0x8000_0003;
    /// A PnP or power callback returned STATUS_NOT_SUPPORTED, which the PnP manager takes for "not handled".
    CALLBACK_NOT_SUPPORTED = "kmdf-callback-not-supported", 0x7E, 0x8000_0003;
    /// An interrupt object was created outside EvtDriverDeviceAdd and EvtDevicePrepareHardware, or with the wrong resources for the place.
    INTERRUPT_CREATE_PLACE = "kmdf-interrupt-create-place", 0x7E, 0x8000_0003;
    /// A DPC or work item of an interrupt was queued although the interrupt has no such callback.
    INTERRUPT_NO_DEFERRED_CALLBACK = "kmdf-interrupt-no-deferred-callback", 0x7E, 0x8000_0003;
    /// An object with automatic serialization has a parent whose execution level does not fit.
    INCOMPATIBLE_EXECUTION_LEVEL = "kmdf-incompatible-execution-level", 0x7E, 0x8000_0003;
    /// A structure or parameter holds a value that its function does not accept.
    INVALID_PARAMETER = "kmdf-invalid-parameter", 0x7E, 0x8000_0003;
    /// A WDFDEVICE_INIT was used after WdfDeviceCreate took it over: freed memory.
    DEVICE_INIT_USED_UP = "kmdf-device-init-used-up", 0xCC, 0;
    /// An interrupt that is not connected was used: the kernel would be given a null interrupt object.
    INTERRUPT_NOT_CONNECTED = "kmdf-interrupt-not-connected", 0xD1, 0;
    /// A function was asked to wait at DISPATCH_LEVEL or above, or from the callback it would wait for: it would never return.
    WAIT_NOT_ALLOWED = "kmdf-wait-not-allowed", 0xC4, 0x120;
    /// A wait lock was released by code that does not hold it: the critical region of somebody else ends.
    WAIT_LOCK_NOT_OWNED = "kmdf-wait-lock-not-owned", 0x1, 0;
    /// A second driver bound to the framework: no rule of Windows, but a limit of this simulator.
    SECOND_CLIENT = "kmdf-second-client", 0, 0;
}
