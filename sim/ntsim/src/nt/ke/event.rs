//! Events.

use super::header::{Header, release, type_code};
use wdk_sys::{_EVENT_TYPE, BOOLEAN, EVENT_TYPE, KPRIORITY, LONG, PRKEVENT};

crate::nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Makes an event.
    #[irql(any)]
    fn KeInitializeEvent(event: PRKEVENT, kind: EVENT_TYPE, state: BOOLEAN) {
        let code = if kind == _EVENT_TYPE::SynchronizationEvent {
            type_code::SYNCHRONIZATION_EVENT
        } else {
            type_code::NOTIFICATION_EVENT
        };
        Header::of(event).initialize(code, LONG::from(state != 0));
    }

    /// Signals an event; returns the state before.
    #[irql(..= DISPATCH_LEVEL)]
    fn KeSetEvent(event: PRKEVENT, _increment: KPRIORITY, _wait: BOOLEAN) -> LONG {
        let header = Header::of(event);
        let before = header.set_signal(1);
        release(header);
        before
    }

    /// Takes the signal of an event away.
    #[irql(..= DISPATCH_LEVEL)]
    fn KeClearEvent(event: PRKEVENT) {
        Header::of(event).set_signal(0);
    }

    /// Takes the signal of an event away; returns the state before.
    #[irql(..= DISPATCH_LEVEL)]
    fn KeResetEvent(event: PRKEVENT) -> LONG {
        Header::of(event).set_signal(0)
    }

    /// Whether an event is signaled.
    #[irql(..= DISPATCH_LEVEL)]
    fn KeReadStateEvent(event: PRKEVENT) -> LONG {
        Header::of(event).signal()
    }
}
