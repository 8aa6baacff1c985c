//! Typed contexts: the driver's own memory on an object. Several per object, zeroed, in non-paged pool.

use super::{Attributes, Life, Object};
use crate::kmdf::{self, pool};
use core::ffi::c_void;
use wdk_sys::*;

/// The framework's memory for one object or context header, which its pool blocks are larger by. (Windows' sizes differ by object type; nothing depends on them.)
pub(super) const HEADER_BYTES: usize = 128;

/// One context of an object.
pub(super) struct Context {
    type_info: PCWDF_OBJECT_CONTEXT_TYPE_INFO,
    data: *mut c_void,
    /// The block to free; null for the first context, which lies in the object's block.
    block: *mut c_void,
    cleanup: PFN_WDF_OBJECT_CONTEXT_CLEANUP,
    destroy: PFN_WDF_OBJECT_CONTEXT_DESTROY,
}

/// What became of [`Object::add_context`].
pub(crate) enum Added {
    /// A new context, zeroed.
    New(*mut c_void),
    /// The object has a context of this type already.
    Exists(*mut c_void),
    /// The object is being deleted.
    TooLate,
    /// No memory.
    NoMemory,
}

/// The bytes of the block for a header with a context of this size.
pub(super) fn block_bytes(context_size: usize) -> usize {
    HEADER_BYTES + context_size.next_multiple_of(align_of::<usize>())
}

impl Context {
    /// Where the driver's bytes are; null when there are none.
    pub(super) fn data(&self) -> *mut c_void {
        self.data
    }

    /// A context inside `block`, just behind the header.
    pub(super) fn in_block(block: *mut c_void, attributes: &Attributes) -> Self {
        let data = if attributes.context_type.is_null() {
            core::ptr::null_mut()
        } else {
            block.wrapping_byte_add(HEADER_BYTES)
        };
        Self {
            type_info: attributes.context_type,
            data,
            block: core::ptr::null_mut(),
            cleanup: attributes.cleanup,
            destroy: attributes.destroy,
        }
    }
}

impl Object {
    /// The context of this type, or null.
    pub(crate) fn context(&self, type_info: PCWDF_OBJECT_CONTEXT_TYPE_INFO) -> *mut c_void {
        let contexts = self.contexts.borrow();
        let found = contexts
            .iter()
            .find(|c| !c.type_info.is_null() && c.type_info == type_info);
        found.map_or(core::ptr::null_mut(), |c| c.data)
    }

    /// Adds a context to a live object.
    pub(crate) fn add_context(&self, attributes: &Attributes) -> Added {
        let block = pool::allocate(block_bytes(attributes.context_size));
        if block.is_null() {
            return Added::NoMemory;
        }
        let exists = self.context(attributes.context_type);
        if self.life() != Life::Created || !exists.is_null() {
            pool::free(block);
            return if exists.is_null() {
                Added::TooLate
            } else {
                Added::Exists(exists)
            };
        }
        let mut context = Context::in_block(block, attributes);
        context.block = block;
        let data = context.data;
        self.contexts.borrow_mut().push(context);
        self.register_context(data);
        Added::New(data)
    }

    /// Makes `WdfObjectContextGetObject` find the object.
    pub(super) fn register_context(&self, data: *mut c_void) {
        if !data.is_null() {
            kmdf::state(|s| s.objects.insert_context(data.addr(), self.handle));
        }
    }

    /// Calls the `EvtCleanupCallback` of each context that was not called yet.
    pub(super) fn call_cleanup(&self) {
        let mut at = 0;
        while let Some(callback) = self.take_callback(at, |c| c.cleanup.take()) {
            if let Some(callback) = callback {
                // SAFETY: the driver's callback, with a handle that is valid while it runs.
                kmdf::call::void(
                    "EvtCleanupCallback",
                    || unsafe { callback(self.handle.raw()) },
                    || self.describe(),
                );
            }
            at += 1;
        }
    }

    /// Calls what is left of the callbacks, cleanup before destroy, context by context.
    pub(super) fn call_destroy(&self) {
        self.call_cleanup();
        let mut at = 0;
        while let Some(callback) = self.take_callback(at, |c| c.destroy.take()) {
            if let Some(callback) = callback {
                // SAFETY: the driver's callback, with a handle that is valid while it runs.
                kmdf::call::void(
                    "EvtDestroyCallback",
                    || unsafe { callback(self.handle.raw()) },
                    || self.describe(),
                );
            }
            at += 1;
        }
    }

    /// The callback of context `at`, taken out so that it runs once; `None` behind the last context.
    fn take_callback<C>(&self, at: usize, take: impl FnOnce(&mut Context) -> C) -> Option<C> {
        self.contexts.borrow_mut().get_mut(at).map(take)
    }

    /// Makes sure that no callback is called: the object was never given to the driver.
    pub(crate) fn clear_callbacks(&self) {
        for context in self.contexts.borrow_mut().iter_mut() {
            context.cleanup = None;
            context.destroy = None;
        }
    }

    /// Frees the contexts and the object's own block.
    pub(super) fn free_memory(&self) {
        let contexts = core::mem::take(&mut *self.contexts.borrow_mut());
        for context in contexts {
            kmdf::state(|s| s.objects.remove_context(context.data.addr()));
            if !context.block.is_null() {
                pool::free(context.block);
            }
        }
        let block = self.block.replace(core::ptr::null_mut());
        if !block.is_null() {
            pool::free(block);
        }
    }

    /// For traces.
    pub(super) fn describe(&self) -> String {
        format!("object={} {:?}", self.kind().handle_name(), self.handle)
    }
}
