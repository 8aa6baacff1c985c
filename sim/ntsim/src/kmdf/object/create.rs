//! Making an object: its memory, its context, its place in the tree.

use super::context::{Context, block_bytes};
use super::{Attributes, Body, Flags, Handle, Kind, Life, Object, Ref, Typed};
use crate::kmdf::{self, pool};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use wdk_sys::*;

/// How an object is made.
pub(crate) struct New<'a> {
    /// Context and callbacks.
    pub(crate) attributes: &'a Attributes,
    /// Whose child it becomes; `None` for an object that somebody else deletes (the driver object, requests).
    pub(crate) parent: Option<&'a Rc<Object>>,
    /// Its properties.
    pub(crate) flags: Flags,
}

/// Makes an object of the type of `body`. Fails when there is no memory, or when the parent is being deleted (then `body` is dropped and no
/// callback is called).
pub(crate) fn create<T: Typed>(new: &New<'_>, body: T) -> Result<Ref<T>, NTSTATUS> {
    let object = create_any(new, T::KIND, Box::new(body))?;
    Ok(Ref::new(object).expect("the body has this type"))
}

fn create_any(new: &New<'_>, kind: Kind, body: Box<dyn Body>) -> Result<Rc<Object>, NTSTATUS> {
    let block = pool::allocate(block_bytes(new.attributes.context_size));
    if block.is_null() {
        return Err(STATUS_INSUFFICIENT_RESOURCES);
    }
    let context = Context::in_block(block, new.attributes);
    let data = context.data();
    let handle = if kind == Kind::Driver {
        Handle::DRIVER
    } else {
        kmdf::state(|s| s.objects.new_handle())
    };
    let object = Rc::new(Object {
        handle,
        kind,
        flags: Cell::new(new.flags),
        life: Cell::new(Life::Created),
        references: Cell::new(1),
        parent: RefCell::new(Weak::new()),
        children: RefCell::new(BTreeMap::new()),
        contexts: RefCell::new(vec![context]),
        block: Cell::new(block),
        body,
    });
    if let Some(parent) = new.parent {
        if parent.life() != Life::Created {
            object.free_memory();
            return Err(STATUS_DELETE_PENDING);
        }
        parent.children.borrow_mut().insert(handle, Rc::clone(&object));
        *object.parent.borrow_mut() = Rc::downgrade(parent);
    }
    object.register_context(data);
    kmdf::state(|s| s.objects.insert(Rc::clone(&object)));
    Ok(object)
}

impl Object {
    /// Deletes an object that the driver never saw: no callback runs.
    pub(crate) fn delete_from_failed_create(self: &Rc<Self>) {
        self.clear_callbacks();
        self.delete();
    }
}
