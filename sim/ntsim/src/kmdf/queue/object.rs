//! The body of a `WDFQUEUE`: its lists, its switches, its power state.

use super::deferred::Deferred;
use super::power::Settled;
use super::state::{DispatchType, Switches};
use crate::kmdf::device::Device;
use crate::kmdf::event::Event;
use crate::kmdf::object::{Body, Handle, Kind, Object, Ref, Typed};
use crate::kmdf::request::Request;
use crate::kmdf::sync::{CallbackLock, Constraints};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use wdk_sys::*;

/// Where a power-managed queue is between D0 and Dx. A queue that is not power-managed is always on, but for its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Power {
    /// Requests are presented.
    On,
    /// Requests are kept.
    Off,
    /// Nothing new is presented; waits for handlers that are running.
    StartingTransition,
    /// The driver's requests are about to be stopped.
    Stopping,
    /// EvtIoStop(suspend) is being called.
    StoppingNotifying,
    /// Every request was stopped; waits for answers.
    StoppingNotified,
    /// The driver's requests are about to be purged.
    Purge,
    /// EvtIoStop(purge) is being called.
    PurgeNotifying,
    /// Every request was purged; waits for answers.
    PurgeNotified,
    /// The driver's requests are about to be resumed.
    Restarting,
    /// EvtIoResume is being called.
    RestartingNotifying,
    /// Every request was resumed.
    RestartingNotified,
}

impl Power {
    /// Whether the driver is being told about power: cancel callbacks wait, so that no request is completed twice.
    pub(super) fn is_notifying(self) -> bool {
        matches!(
            self,
            Self::StoppingNotifying | Self::PurgeNotifying | Self::RestartingNotifying
        )
    }

    /// Whether EvtIoStop may be answered.
    pub(super) fn is_stopping(self) -> bool {
        matches!(
            self,
            Self::StoppingNotifying | Self::StoppingNotified | Self::PurgeNotifying | Self::PurgeNotified
        )
    }
}

/// The driver's callbacks.
#[derive(Clone, Copy)]
pub(crate) struct Callbacks {
    pub(super) default: PFN_WDF_IO_QUEUE_IO_DEFAULT,
    pub(super) read: PFN_WDF_IO_QUEUE_IO_READ,
    pub(super) write: PFN_WDF_IO_QUEUE_IO_WRITE,
    pub(super) control: PFN_WDF_IO_QUEUE_IO_DEVICE_CONTROL,
    pub(super) internal: PFN_WDF_IO_QUEUE_IO_INTERNAL_DEVICE_CONTROL,
    pub(super) stop: PFN_WDF_IO_QUEUE_IO_STOP,
    pub(super) resume: PFN_WDF_IO_QUEUE_IO_RESUME,
    pub(super) cancelled: PFN_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE,
}

/// A callback that is to be called once when something is reached.
#[derive(Clone)]
pub(crate) enum Notice {
    /// The driver's, with its context.
    Driver(PFN_WDF_IO_QUEUE_STATE, WDFCONTEXT),
    /// The framework's own: a function that waits.
    Framework(Rc<Event>),
}

/// Where requests of a queue are.
#[derive(Default)]
pub(super) struct Lists {
    /// Waiting to be presented, cancelable by the framework.
    pub(super) waiting: VecDeque<Ref<Request>>,
    /// With the driver and cancelable by it.
    pub(super) cancelable: Vec<Ref<Request>>,
    /// Cancelled while cancelable: EvtRequestCancel is to be called.
    pub(super) cancelled: VecDeque<Ref<Request>>,
    /// Cancelled while waiting for the second time: EvtIoCanceledOnQueue is to be called.
    pub(super) cancelled_on_queue: VecDeque<Ref<Request>>,
    /// With the driver.
    pub(super) owned: VecDeque<Ref<Request>>,
    /// With the driver, to be told about power.
    pub(super) notify: VecDeque<Ref<Request>>,
    /// With the driver, told about power.
    pub(super) notified: VecDeque<Ref<Request>>,
}

impl Lists {
    /// Takes a request out of the lists of requests that the driver has.
    pub(super) fn remove_owned(&mut self, request: Handle) {
        for list in [&mut self.owned, &mut self.notify, &mut self.notified] {
            list.retain(|found| found.handle() != request);
        }
    }
}

/// The body of a `WDFQUEUE`.
pub(crate) struct Queue {
    pub(super) device: Ref<Device>,
    pub(super) dispatch: DispatchType,
    pub(super) power_managed: bool,
    pub(super) allow_zero_length: bool,
    pub(super) callbacks: Callbacks,
    pub(super) constraints: Constraints,
    /// The lock of the callbacks, when they are serialized.
    pub(super) lock: Option<Rc<CallbackLock>>,
    pub(super) lists: RefCell<Lists>,
    pub(super) switches: Cell<Switches>,
    pub(super) power: Cell<Power>,
    /// How many threads are in the event loop.
    pub(super) dispatching: Cell<u32>,
    /// Something changed that a thread in the event loop has to look at before it leaves.
    pub(super) look_again: Cell<bool>,
    /// Requests that the driver has, including those on their way to another queue.
    pub(super) driver_count: Cell<u32>,
    pub(super) idle: RefCell<Option<Notice>>,
    pub(super) purged: RefCell<Option<Notice>>,
    pub(super) ready: RefCell<Option<(PFN_WDF_IO_QUEUE_STATE, WDFCONTEXT)>>,
    /// Requests came into the empty queue, and the driver was not told yet.
    pub(super) filled: Cell<bool>,
    /// Requests that the driver gives back are cancelled: a purge is under way.
    pub(super) cancel_returned: Cell<bool>,
    /// A power transition of the queue is complete.
    pub(super) settled: Settled,
    pub(super) disposing: Cell<bool>,
    pub(super) deleted: Cell<bool>,
    /// The queue is empty and closed for good.
    pub(super) ended: Event,
    pub(super) deferred: Deferred,
}

impl Body for Queue {
    fn dispose(&self, object: &Rc<Object>) {
        let Some(queue) = Ref::<Self>::new(Rc::clone(object)) else {
            return;
        };
        self.device.io().remove(queue.handle());
        super::control::close(&queue);
        self.deferred.close();
    }

    fn callback_lock(&self, _object: &Object) -> Option<Rc<CallbackLock>> {
        self.lock.clone()
    }
}

impl Typed for Queue {
    const KIND: Kind = Kind::Queue;
    type Raw = WDFQUEUE__;
}

impl Queue {
    /// Requests waiting in the queue.
    pub(super) fn waiting_count(&self) -> u32 {
        u32::try_from(self.lists.borrow().waiting.len()).unwrap_or(u32::MAX)
    }

    /// The driver gets a request.
    pub(super) fn add_owned(&self, request: &Ref<Request>) {
        self.lists.borrow_mut().owned.push_back(request.clone());
        self.driver_count.set(self.driver_count.get() + 1);
    }

    /// The driver no longer has a request.
    pub(super) fn remove_owned(&self, request: &Ref<Request>) {
        self.lists.borrow_mut().remove_owned(request.handle());
        self.driver_count.set(self.driver_count.get() - 1);
    }

    /// Whether a handler for requests with this major function was given. Manual queues need none.
    pub(super) fn handles(&self, major: u32) -> bool {
        let calls = &self.callbacks;
        self.dispatch == DispatchType::Manual
            || calls.default.is_some()
            || match major {
                IRP_MJ_READ => calls.read.is_some(),
                IRP_MJ_WRITE => calls.write.is_some(),
                IRP_MJ_DEVICE_CONTROL => calls.control.is_some(),
                IRP_MJ_INTERNAL_DEVICE_CONTROL => calls.internal.is_some(),
                _ => false,
            }
    }

    /// A request came into the empty queue: the driver of a manual queue may want to know.
    pub(super) fn note_arrival(&self) {
        if self.waiting_count() == 1 {
            self.filled.set(true);
        }
    }
}
