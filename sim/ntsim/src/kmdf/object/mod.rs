//! Framework objects: what every `WDF*` handle stands for.
//!
//! - `handle`: handle values, and the way from a handle to its object (a wrong handle is bug check 0x10D/5);
//! - `attributes`: `WDF_OBJECT_ATTRIBUTES`, checked and copied;
//! - `context`: typed contexts, in pool memory;
//! - `create`, `dispose`: the life of an object, and of the tree below it;
//! - `deferred`: disposal put off to PASSIVE_LEVEL;
//! - `generic`: `WdfObjectCreate`; `api`: the `WdfObject*` functions.
//!
//! An object is an [`Object`] (what all have in common) with a body (what its type adds: a [`Body`]). [`Ref`] is a counted pointer to both.
//! Rust code of the framework holds `Rc`s; they keep the bookkeeping alive, not the object: an object ends when its Windows reference count reaches zero.

pub(crate) mod api;
pub(crate) mod attributes;
pub(crate) mod context;
pub(crate) mod create;
pub(crate) mod deferred;
pub(crate) mod dispose;
pub(crate) mod generic;
pub(crate) mod handle;
mod kind;

pub(crate) use attributes::{Attributes, ParentRule};
pub(crate) use create::{New, create};
pub(crate) use handle::{Handle, any, find, get};
pub(crate) use kind::Kind;

use context::Context;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ops::Deref;
use std::rc::{Rc, Weak};

/// What one object type adds to [`Object`].
pub(crate) trait Body: Any {
    /// The framework's own part of disposal: after the children were disposed, before the driver's `EvtCleanupCallback`. PASSIVE_LEVEL if the object was created
    /// with [`Flags::PASSIVE`]. May call the kernel and wait.
    fn dispose(&self, _object: &Rc<Object>) {}

    /// The last reference is gone and the driver's `EvtDestroyCallback` has run: frees what the object still holds.
    fn destroy(&self, _object: &Object) {}

    /// The lock that `WdfObjectAcquireLock` takes, for the types that have one.
    fn callback_lock(&self, _object: &Object) -> Option<Rc<super::sync::CallbackLock>> {
        None
    }
}

/// A [`Body`] that handles of one type stand for.
pub(crate) trait Typed: Body + Sized {
    /// The object type.
    const KIND: Kind;
    /// What the handle points to in the headers, for example `WDFQUEUE__`.
    type Raw;
}

/// Where an object is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// In use.
    Created,
    /// Its children, then it itself, are being disposed.
    Disposing,
    /// Disposal waits for PASSIVE_LEVEL.
    Deferred,
    /// Cleaned up by its parent or early; the initial reference is still there.
    Disposed,
    /// Cleaned up, the initial reference is gone: lives while somebody else holds a reference.
    Deleted,
    /// Gone.
    Destroyed,
}

bitflags::bitflags! {
    /// Properties of an object.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct Flags: u32 {
        /// `WdfObjectDelete` is refused.
        const NO_DELETE = 1;
        /// Disposed and destroyed at PASSIVE_LEVEL only.
        const PASSIVE = 2;
        /// `WdfObjectDelete` or its internal counterpart was called.
        const DELETE_CALLED = 4;
        /// `WdfObjectDelete` does nothing, without a word: requests that a queue presented.
        const NO_DELETE_SILENT = 8;
    }
}

/// What all framework objects have in common.
pub(crate) struct Object {
    handle: Handle,
    kind: Kind,
    flags: Cell<Flags>,
    life: Cell<Life>,
    references: Cell<u32>,
    parent: RefCell<Weak<Object>>,
    children: RefCell<BTreeMap<Handle, Rc<Object>>>,
    contexts: RefCell<Vec<Context>>,
    /// The pool block that stands for the framework's memory of this object, with the first context in it.
    block: Cell<*mut core::ffi::c_void>,
    body: Box<dyn Body>,
}

impl Object {
    /// The handle value.
    pub(crate) fn handle(&self) -> Handle {
        self.handle
    }

    /// The object type.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Where it is in its life.
    pub(crate) fn life(&self) -> Life {
        self.life.get()
    }

    /// Adds a property.
    pub(crate) fn set_flags(&self, flags: Flags) {
        self.flags.set(self.flags.get() | flags);
    }

    /// Whether it has a property.
    pub(crate) fn has(&self, flags: Flags) -> bool {
        self.flags.get().contains(flags)
    }

    /// The parent, while there is one.
    pub(crate) fn parent(&self) -> Option<Rc<Object>> {
        self.parent.borrow().upgrade()
    }

    /// The children, in order of creation.
    pub(crate) fn children(&self) -> Vec<Rc<Object>> {
        self.children.borrow().values().cloned().collect()
    }

    /// The nearest object of this type, from the object itself upwards.
    pub(crate) fn ancestor<T: Typed>(self: &Rc<Self>) -> Option<Ref<T>> {
        let mut at = Some(Rc::clone(self));
        while let Some(object) = at {
            if object.kind == T::KIND {
                return Ref::new(object);
            }
            at = object.parent();
        }
        None
    }

    /// The lock of `WdfObjectAcquireLock`, if the type has one.
    pub(crate) fn callback_lock(&self) -> Option<Rc<super::sync::CallbackLock>> {
        self.body.callback_lock(self)
    }
}

impl core::fmt::Debug for Object {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "{:?} {:?} {:?} refs={}",
            self.kind,
            self.handle,
            self.life.get(),
            self.references.get()
        )
    }
}

/// A counted pointer to an object whose type is known. Dereferences to the body.
pub(crate) struct Ref<T: Typed> {
    object: Rc<Object>,
    body: PhantomData<T>,
}

impl<T: Typed> Ref<T> {
    /// `None` when the object is of another type.
    pub(crate) fn new(object: Rc<Object>) -> Option<Self> {
        let body: &dyn Any = &*object.body;
        body.is::<T>().then_some(Self {
            object,
            body: PhantomData,
        })
    }

    /// What it has in common with all objects.
    pub(crate) fn object(&self) -> &Rc<Object> {
        &self.object
    }

    /// The handle as the driver has it.
    pub(crate) fn raw(&self) -> *mut T::Raw {
        self.object.handle.raw()
    }

    /// The handle value.
    pub(crate) fn handle(&self) -> Handle {
        self.object.handle
    }
}

impl<T: Typed> Clone for Ref<T> {
    fn clone(&self) -> Self {
        Self {
            object: Rc::clone(&self.object),
            body: PhantomData,
        }
    }
}

impl<T: Typed> Deref for Ref<T> {
    type Target = T;

    fn deref(&self) -> &T {
        let body: &dyn Any = &*self.object.body;
        body.downcast_ref().expect("checked when the reference was made")
    }
}

/// The framework's objects in one machine.
pub(crate) struct Objects {
    by_handle: RefCell<BTreeMap<Handle, Rc<Object>>>,
    by_context: RefCell<BTreeMap<usize, Handle>>,
    next: Cell<u64>,
    pub(crate) deferred: deferred::Queue,
}

impl Objects {
    pub(crate) fn new() -> Self {
        Self {
            by_handle: RefCell::default(),
            by_context: RefCell::default(),
            next: Cell::new(2),
            deferred: deferred::Queue::default(),
        }
    }

    /// The objects that exist, oldest first.
    pub(crate) fn all(&self) -> Vec<Rc<Object>> {
        self.by_handle.borrow().values().cloned().collect()
    }
}
