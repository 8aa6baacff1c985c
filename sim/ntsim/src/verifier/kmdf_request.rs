//! Rules of the framework's requests and queues.

crate::rules! {
    /// A request was completed although somebody still uses its buffers. P3 is the number of users.
    REQUEST_COMPLETED_WITH_REFERENCES = "kmdf-request-completed-with-references", 0x10D, 0x3;
    /// A request was completed with more bytes than its buffer has.
    REQUEST_INFORMATION_TOO_LARGE = "kmdf-request-information-too-large", 0x10D, 0x6;
    /// A request without an output buffer was completed with a number of bytes.
    REQUEST_INFORMATION_WITHOUT_OUTPUT = "kmdf-request-information-without-output", 0x10D, 0x300;
    /// The driver acted on a request that it does not own: completed, in a queue, or given back.
    REQUEST_NOT_OWNED = "kmdf-request-not-owned", 0x10D, 0x301;
    /// The driver used a request that was completed.
    REQUEST_COMPLETED = "kmdf-request-completed", 0x10D, 0x302;
    /// The driver used a request after its completion, and the framework reads through a null pointer.
    REQUEST_FRAMEWORK_FAULT = "kmdf-request-framework-fault", 0x1E, 0xC0000005;
    /// A cancelable request was given to a function that needs it not to be cancelable.
    REQUEST_CANCELABLE = "kmdf-request-cancelable", 0x10D, 0x303;
    /// WdfRequestUnmarkCancelable was called on a request that is not cancelable.
    REQUEST_NOT_CANCELABLE = "kmdf-request-not-cancelable", 0x10D, 0x304;
    /// A cancelable request was completed: that races with its own cancel callback.
    REQUEST_COMPLETED_CANCELABLE = "kmdf-request-completed-cancelable", 0x10D, 0x305;
    /// A user-mode address was asked for, or used, where the framework cannot vouch for the process.
    REQUEST_USER_BUFFER = "kmdf-request-user-buffer", 0x10D, 0x306;
    /// The file object of a request was asked for, but the driver has configured none.
    REQUEST_NO_FILE_OBJECT = "kmdf-request-no-file-object", 0x10D, 0x307;
    /// WdfRequestStopAcknowledge was called outside EvtIoStop.
    REQUEST_NOT_STOPPING = "kmdf-request-not-stopping", 0x10D, 0x308;
    /// A request was forwarded to the queue that it came from, or to a queue of another device.
    REQUEST_FORWARDED_WRONG = "kmdf-request-forwarded-wrong", 0x10D, 0x309;
    /// An operation is not allowed on a queue of this kind, or in its present state.
    QUEUE_WRONG_OPERATION = "kmdf-queue-wrong-operation", 0x10D, 0x30A;
    /// A queue was told to stop, drain or purge while an earlier such call was not complete.
    QUEUE_FATAL = "kmdf-queue-fatal", 0x10D, 0xA;
}
