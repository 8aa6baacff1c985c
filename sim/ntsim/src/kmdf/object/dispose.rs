//! The end of an object: disposal (cleanup callbacks, children before parents), then destruction when the last reference is gone.
//!
//! Deleting an object first disposes the whole tree below it, depth first: the children in the order of their creation, each child's own children before it,
//! the framework's part before the driver's `EvtCleanupCallback`. Only then are the initial references dropped, again children first; an object that
//! somebody still holds lives on, disposed, and is destroyed by the last dereference, possibly after its parent.
//!
//! Above PASSIVE_LEVEL, a tree with an object that needs PASSIVE_LEVEL is put off as a whole to a work item (`deferred`).

use super::deferred::Work;
use super::{Flags, Life, Object};
use crate::kmdf::{self, verifier};
use crate::verifier::kmdf::OBJECT_FREED_BY_DEREFERENCE;
use std::rc::{Rc, Weak};
use wdk_sys::{KIRQL, PASSIVE_LEVEL, ntddk::KeGetCurrentIrql};

/// The current IRQL.
fn irql() -> KIRQL {
    // SAFETY: callable in any context.
    unsafe { KeGetCurrentIrql() }
}

/// Whether the code runs above PASSIVE_LEVEL.
fn raised() -> bool {
    u32::from(irql()) != PASSIVE_LEVEL
}

impl Object {
    /// Adds a reference.
    pub(crate) fn reference(&self) {
        self.references.set(self.references.get() + 1);
    }

    /// Drops a reference; destroys the object when it was the last.
    pub(crate) fn dereference(self: &Rc<Self>) {
        let left = self.references.get() - 1;
        self.references.set(left);
        if left > 0 {
            return;
        }
        if self.parent().is_some() || !self.children.borrow().is_empty() {
            let text = format!(
                "{} {:?} lost its last reference by WdfObjectDereference, but was never deleted",
                self.kind.handle_name(),
                self.handle
            );
            verifier::fatal(OBJECT_FREED_BY_DEREFERENCE, self.handle.value(), 0, text);
        }
        if raised() && self.has(Flags::PASSIVE) {
            self.life.set(Life::Deferred);
            kmdf::object::deferred::put_off(Rc::clone(self), Work::Destroy);
        } else {
            self.destroy();
        }
    }

    /// Disposes the object and its tree, and drops the initial reference. A second call does nothing.
    pub(crate) fn delete(self: &Rc<Self>) {
        if self.has(Flags::DELETE_CALLED) {
            return;
        }
        self.set_flags(Flags::DELETE_CALLED);
        match self.life() {
            Life::Created => {
                if self.leave_parent() {
                    self.dispose_or_put_off(Work::Delete);
                }
            }
            Life::Disposed => {
                if self.leave_parent() {
                    self.drop_initial_reference();
                }
            }
            Life::Disposing | Life::Deferred | Life::Deleted | Life::Destroyed => {}
        }
    }

    /// Disposes the object and its tree now, and leaves the initial reference for a later [`Object::delete`]. PASSIVE_LEVEL.
    pub(crate) fn early_dispose(self: &Rc<Self>) {
        if self.life() == Life::Created && self.leave_parent() {
            self.dispose_tree();
        }
    }

    /// Drops the initial references of the children of a disposed object.
    pub(crate) fn destroy_children(self: &Rc<Self>) {
        loop {
            let first = self.children.borrow_mut().pop_first();
            let Some((_, child)) = first else { break };
            *child.parent.borrow_mut() = Weak::new();
            if child.life() == Life::Disposed {
                child.drop_initial_reference();
            }
        }
    }

    /// Takes the object out of its parent's list. `false` when the parent is being disposed: then the parent finishes the job.
    fn leave_parent(&self) -> bool {
        let Some(parent) = self.parent() else { return true };
        if parent.life() != Life::Created {
            return false;
        }
        parent.children.borrow_mut().remove(&self.handle);
        *self.parent.borrow_mut() = Weak::new();
        true
    }

    fn dispose_or_put_off(self: &Rc<Self>, work: Work) {
        if raised() && self.tree_needs_passive() {
            self.life.set(Life::Deferred);
            kmdf::object::deferred::put_off(Rc::clone(self), work);
        } else {
            self.dispose_tree();
            self.drop_initial_reference();
        }
    }

    /// Whether the object or one below it can be disposed at PASSIVE_LEVEL only.
    fn tree_needs_passive(&self) -> bool {
        self.has(Flags::PASSIVE) || self.children().iter().any(|child| child.tree_needs_passive())
    }

    /// Disposes children, then the object. The initial reference stays.
    pub(super) fn dispose_tree(self: &Rc<Self>) {
        self.life.set(Life::Disposing);
        for child in self.children() {
            if child.life() == Life::Created {
                child.dispose_tree();
            }
        }
        self.body.dispose(self);
        self.call_cleanup();
        self.life.set(Life::Disposed);
    }

    /// The object is disposed and nobody's child any more.
    pub(super) fn drop_initial_reference(self: &Rc<Self>) {
        self.life.set(Life::Deleted);
        self.destroy_children();
        self.dereference();
    }

    pub(super) fn destroy(self: &Rc<Self>) {
        self.life.set(Life::Destroyed);
        self.call_destroy();
        self.body.destroy(self);
        kmdf::state(|s| s.objects.remove(self.handle));
        self.free_memory();
    }
}
