//! Requests that wait for a slot, for space, or for the device to be set up again; first come first served.
//!
//! They wait in a manual queue of the framework, which cancels them by itself, and nothing of the driver's is held for them: when its turn comes a request is checked
//! again from the start. As long as any request waits, later ones wait behind it, so that a large one is not starved by small ones.

use core::sync::atomic::{AtomicBool, Ordering};

use hawser_abi::reason::Reason;
use kmdf::{NewDevice, Queue, Request, Result, WaitLock, WaitingOps, WorkItem, WorkItemOps};

use crate::device::Device;
use crate::stats::End;
use crate::submit::{self, Attempt};

/// The queue, and the work item that serves it.
#[derive(Debug)]
pub struct Waiting {
    queue: Queue,
    work: WorkItem,
    /// Held while the queue is served, so that two servers never change its order.
    serving: WaitLock<()>,
    /// The server has taken a request out that may have to go back.
    in_hand: AtomicBool,
    /// Nobody has a turn: the device is about to leave D0, or has left it.
    paused: AtomicBool,
}

impl Waiting {
    /// Nobody waits.
    pub fn new(device: &NewDevice<'_>) -> Result<Self> {
        Ok(Self {
            queue: device.manual_queue::<Cancelled>()?,
            work: device.work_item::<Serve>()?,
            serving: device.wait_lock(())?,
            in_hand: AtomicBool::new(false),
            paused: AtomicBool::new(false),
        })
    }

    /// Requests in the queue.
    pub fn queued(&self) -> u64 {
        self.queue.waiting().into()
    }

    /// Somebody waits, or may have to go on waiting: whoever comes now comes later.
    pub fn anybody(&self) -> bool {
        self.in_hand.load(Ordering::SeqCst) || self.queue.waiting() > 0
    }

    /// Lets a request wait.
    pub fn enqueue(&self, device: &Device, request: Request) {
        match request.forward(&self.queue) {
            // What it waits for may have come meanwhile, when nobody saw it wait.
            Ok(()) => self.work.enqueue(),
            Err((request, _)) => submit::end_unstarted(device, request, End::Abandoned(Reason::Cancelled)),
        }
    }

    /// Something that requests wait for has become free. `IRQL <= DISPATCH_LEVEL`.
    pub fn wake(&self) {
        if self.anybody() {
            self.work.enqueue();
        }
    }

    /// Gives nobody a turn any more. What was taken out of the queue has been started or put back when this returns: the framework waits only for requests that the
    /// driver has when the queues are stopped. `PASSIVE_LEVEL`.
    pub fn pause(&self) {
        self.paused.store(true, Ordering::SeqCst);
        drop(self.serving.lock());
    }

    /// Goes on after a pause.
    pub fn resume(&self) {
        self.paused.store(false, Ordering::SeqCst);
        self.wake();
    }

    /// Takes the first request out of the queue.
    fn next(&self) -> Option<Request> {
        if self.paused.load(Ordering::SeqCst) {
            None
        } else {
            self.queue.retrieve_next()
        }
    }

    /// Gives every waiting request its turn, until one has to go on waiting. `PASSIVE_LEVEL`.
    fn serve(&self, device: &Device) {
        let _serving = self.serving.lock();
        // Raised before the queue shrinks, so that a request that arrives now sees that others are first.
        self.in_hand.store(true, Ordering::SeqCst);
        while let Some(request) = self.next() {
            if let Attempt::NotNow(request) = submit::attempt(device, request) {
                // The queue takes nothing back only while the device is being removed.
                if let Err((request, _)) = request.requeue() {
                    submit::end_unstarted(device, request, End::Abandoned(Reason::Cancelled));
                }
                break;
            }
        }
        self.in_hand.store(false, Ordering::SeqCst);
    }
}

/// Serves the queue.
#[derive(Debug)]
struct Serve;

impl WorkItemOps for Serve {
    type Device = Device;

    fn run(device: &Device) {
        device.waiting.serve(device);
    }
}

/// Requests that are cancelled while they wait.
#[derive(Debug)]
struct Cancelled;

impl WaitingOps for Cancelled {
    type Device = Device;

    fn canceled(device: &Device, request: Request) {
        submit::end_unstarted(device, request, End::Abandoned(Reason::Cancelled));
    }
}
