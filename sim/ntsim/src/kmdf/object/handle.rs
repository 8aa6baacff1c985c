//! Handle values, and the way from a handle to its object.
//!
//! A handle is a number that is never used twice and that no pointer can have (the address is not canonical): an old handle is always recognised, and
//! a driver that dereferences one faults.

use super::{Kind, Object, Objects, Ref, Typed};
use crate::kmdf::{self, verifier};
use crate::verifier::kmdf::INVALID_HANDLE;
use std::rc::Rc;
use wdk_sys::WDFOBJECT;

/// The bits that all handles have.
const BASE: usize = 0x4B4D_0000_0000_0000;
/// The distance of two handles.
const STEP: usize = 16;

/// A handle value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Handle(usize);

impl Handle {
    /// The handle of the driver object: the same in every machine, because it is in the globals that all drivers of the process share.
    pub(crate) const DRIVER: Self = Self(BASE + STEP);

    /// The handle as a typed pointer.
    pub(crate) const fn raw<T>(self) -> *mut T {
        core::ptr::without_provenance_mut(self.0)
    }

    /// The handle as a number, for bug check parameters.
    pub(crate) fn value(self) -> u64 {
        self.0 as u64
    }

    /// The value that a driver passed.
    pub(crate) fn from_raw<T>(raw: *mut T) -> Self {
        Self(raw.addr())
    }
}

impl core::fmt::Debug for Handle {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0.checked_sub(BASE) {
            Some(offset) => write!(f, "#{}", offset / STEP),
            None => write!(f, "{:#x}", self.0),
        }
    }
}

impl Objects {
    /// A value that was never used before.
    pub(crate) fn new_handle(&self) -> Handle {
        let serial = self.next.get();
        self.next.set(serial + 1);
        let offset = usize::try_from(serial).expect("64-bit host") * STEP;
        Handle(BASE + offset)
    }

    pub(super) fn insert(&self, object: Rc<Object>) {
        self.by_handle.borrow_mut().insert(object.handle, object);
    }

    pub(super) fn remove(&self, handle: Handle) {
        self.by_handle.borrow_mut().remove(&handle);
    }

    pub(super) fn lookup(&self, handle: Handle) -> Option<Rc<Object>> {
        self.by_handle.borrow().get(&handle).cloned()
    }

    pub(super) fn insert_context(&self, data: usize, owner: Handle) {
        self.by_context.borrow_mut().insert(data, owner);
    }

    pub(super) fn remove_context(&self, data: usize) {
        self.by_context.borrow_mut().remove(&data);
    }

    pub(super) fn context_owner(&self, data: usize) -> Option<Handle> {
        self.by_context.borrow().get(&data).copied()
    }
}

/// The object of a handle, or `None` when there is none of this type. For the framework's own optional lookups.
pub(crate) fn find<T: Typed>(handle: *mut T::Raw) -> Option<Ref<T>> {
    kmdf::state(|s| s.objects.lookup(Handle::from_raw(handle))).and_then(Ref::new)
}

/// The object of a handle that a driver passed. Anything else than a live handle of this type is bug check 0x10D/5.
pub(crate) fn get<T: Typed>(handle: *mut T::Raw) -> Ref<T> {
    find(handle).unwrap_or_else(|| invalid(Handle::from_raw(handle), T::KIND))
}

/// The object of a handle of any type. Anything else is bug check 0x10D/5.
pub(crate) fn any(handle: WDFOBJECT) -> Rc<Object> {
    let handle = Handle::from_raw(handle);
    kmdf::state(|s| s.objects.lookup(handle)).unwrap_or_else(|| invalid(handle, Kind::Any))
}

#[cold]
fn invalid(handle: Handle, expected: Kind) -> ! {
    let found = match kmdf::state(|s| s.objects.lookup(handle)) {
        Some(object) => format!("a {} handle", object.kind.handle_name()),
        None if handle.0 == 0 => "a null handle".into(),
        None if kmdf::state(|s| s.objects.was_used(handle)) => "the handle of an object that no longer exists".into(),
        None => "no handle at all".into(),
    };
    let text = format!("{} was expected, but {handle:?} is {found}", expected.handle_name());
    verifier::fatal(INVALID_HANDLE, handle.value(), expected as u64, text)
}

impl Objects {
    /// Whether this value was a handle once.
    fn was_used(&self, handle: Handle) -> bool {
        let Some(offset) = handle.0.checked_sub(BASE) else {
            return false;
        };
        let serial = (offset / STEP) as u64;
        offset.is_multiple_of(STEP) && serial > 0 && serial < self.next.get()
    }
}
