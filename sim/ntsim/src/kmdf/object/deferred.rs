//! Disposal put off to PASSIVE_LEVEL: a list of objects, and a work item that empties it.

use super::Object;
use crate::kmdf::{self, driver};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// What is left to do with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Dispose the tree, then drop the initial reference.
    Delete,
    /// The last reference is gone.
    Destroy,
}

/// The list of one machine.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: RefCell<VecDeque<(Rc<Object>, Work)>>,
    /// Whether the work item is queued or running.
    scheduled: Cell<bool>,
}

impl Queue {
    /// Whether everything that was put off is done.
    pub(crate) fn is_empty(&self) -> bool {
        !self.scheduled.get() && self.waiting.borrow().is_empty()
    }
}

/// Puts an object on the list and makes sure that the work item runs.
pub(super) fn put_off(object: Rc<Object>, work: Work) {
    let schedule = kmdf::state(|s| {
        s.objects.deferred.waiting.borrow_mut().push_back((object, work));
        !s.objects.deferred.scheduled.replace(true)
    });
    if schedule {
        driver::queue_disposal();
    }
}

/// The body of the work item. PASSIVE_LEVEL.
pub(crate) fn run() {
    loop {
        let next = kmdf::state(|s| s.objects.deferred.waiting.borrow_mut().pop_front());
        let Some((object, work)) = next else { break };
        match work {
            Work::Delete => {
                object.dispose_tree();
                object.drop_initial_reference();
            }
            Work::Destroy => object.destroy(),
        }
    }
    kmdf::state(|s| s.objects.deferred.scheduled.set(false));
}
