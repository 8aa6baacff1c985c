//! Typed contexts of framework objects.
//!
//! The framework gives every object zeroed memory of the size that a type information record states, and finds it again by the address of that
//! record. Here the record is bound to a Rust type, the zeroed memory stands for "not initialised yet", and the value is dropped when the
//! framework destroys the object.

use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU32, Ordering};

use wdk_sys::{
    _WDF_EXECUTION_LEVEL, _WDF_SYNCHRONIZATION_SCOPE, PCWDF_OBJECT_CONTEXT_TYPE_INFO, WDF_OBJECT_ATTRIBUTES,
    WDF_OBJECT_CONTEXT_TYPE_INFO, WDFOBJECT, call_unsafe_wdf_function_binding,
};

use crate::status::{NtStatus, Result, check};

/// A type of which framework objects can have one value as context. Implemented by [`context_type!`](crate::context_type!).
pub trait Context: Sized + Sync + 'static {
    /// The one type information record of the type.
    fn context_type() -> &'static ContextType<Self>;
}

/// The framework's type information record for contexts of type `T`.
#[derive(Debug)]
pub struct ContextType<T> {
    info: WDF_OBJECT_CONTEXT_TYPE_INFO,
    of: PhantomData<fn() -> T>,
}

// SAFETY: never written after it was made; its pointers lead to statics.
unsafe impl<T> Sync for ContextType<T> {}

impl<T> ContextType<T> {
    /// The record that lies in the static `own`. Its address is its identity.
    pub const fn new(name: &'static CStr, own: &'static Self) -> Self {
        assert!(
            align_of::<ContextCell<T>>() <= 16,
            "contexts are aligned like pool memory"
        );
        Self {
            info: WDF_OBJECT_CONTEXT_TYPE_INFO {
                Size: size_of::<WDF_OBJECT_CONTEXT_TYPE_INFO>() as u32,
                ContextName: name.as_ptr().cast(),
                ContextSize: size_of::<ContextCell<T>>(),
                UniqueType: &raw const own.info,
                EvtDriverGetUniqueContextType: None,
            },
            of: PhantomData,
        }
    }

    fn unique(&'static self) -> PCWDF_OBJECT_CONTEXT_TYPE_INFO {
        self.info.UniqueType
    }
}

/// Makes a type usable as a context: `context_type!(Slot);`
#[macro_export]
macro_rules! context_type {
    ($type:ty) => {
        impl $crate::Context for $type {
            fn context_type() -> &'static $crate::ContextType<Self> {
                static TYPE: $crate::ContextType<$type> = $crate::ContextType::new(
                    match ::core::ffi::CStr::from_bytes_with_nul(concat!(stringify!($type), "\0").as_bytes()) {
                        Ok(name) => name,
                        Err(_) => panic!("a type name has no NUL"),
                    },
                    &TYPE,
                );
                &TYPE
            }
        }
    };
}

/// Context memory as the framework hands it out: zero means not initialised.
#[repr(C)]
struct ContextCell<T> {
    state: AtomicU32,
    value: UnsafeCell<MaybeUninit<T>>,
}

const EMPTY: u32 = 0;
const BUSY: u32 = 1;
const READY: u32 = 2;

impl<T> ContextCell<T> {
    fn get(&self) -> Option<&T> {
        if self.state.load(Ordering::Acquire) != READY {
            return None;
        }
        // SAFETY: once READY, the value is never written again before the object is destroyed.
        let value = unsafe { &*self.value.get() };
        // SAFETY: READY is stored after the value was written.
        Some(unsafe { value.assume_init_ref() })
    }

    fn set(&self, value: T) -> Result<&T> {
        let first = self
            .state
            .compare_exchange(EMPTY, BUSY, Ordering::Acquire, Ordering::Relaxed);
        first.map_err(|_| NtStatus::INTERNAL_ERROR)?;
        // SAFETY: only the one caller who turned EMPTY into BUSY gets here, and nobody reads before READY.
        let place = unsafe { &mut *self.value.get() };
        let value = place.write(value);
        self.state.store(READY, Ordering::Release);
        Ok(value)
    }
}

/// The attributes of an object with a context of type `T`, as `WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE` makes them.
pub(crate) fn attributes<T: Context>() -> WDF_OBJECT_ATTRIBUTES {
    WDF_OBJECT_ATTRIBUTES {
        EvtDestroyCallback: Some(destroy::<T>),
        ContextTypeInfo: T::context_type().unique(),
        ..plain_attributes()
    }
}

/// The attributes of an object without a context, as `WDF_OBJECT_ATTRIBUTES_INIT` makes them.
pub(crate) fn plain_attributes() -> WDF_OBJECT_ATTRIBUTES {
    WDF_OBJECT_ATTRIBUTES {
        Size: size_of::<WDF_OBJECT_ATTRIBUTES>() as u32,
        ExecutionLevel: _WDF_EXECUTION_LEVEL::WdfExecutionLevelInheritFromParent,
        SynchronizationScope: _WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeInheritFromParent,
        ..Default::default()
    }
}

/// The context cell of type `T` of an object, if it has one.
///
/// # Safety
/// The object is alive for `'a`: its handle is valid and it has not been destroyed.
unsafe fn cell<'a, T: Context>(object: WDFOBJECT) -> Option<&'a ContextCell<T>> {
    let unique = T::context_type().unique();
    // SAFETY: the object is alive, as the caller promises; the type record is a static.
    let memory = unsafe { call_unsafe_wdf_function_binding!(WdfObjectGetTypedContextWorker, object, unique) };
    let cell: *const ContextCell<T> = memory.cast_const().cast();
    // SAFETY: the framework found memory by the record of `T`: it has the size of a cell, pool alignment, began zeroed, and lives as long as the object.
    unsafe { cell.as_ref() }
}

/// The initialised context of type `T` of an object.
///
/// # Safety
/// The object is alive for `'a`.
pub(crate) unsafe fn get<'a, T: Context>(object: WDFOBJECT) -> Option<&'a T> {
    // SAFETY: passed on from the caller.
    unsafe { cell::<T>(object) }.and_then(ContextCell::get)
}

/// Initialises the context of type `T` of an object that was made with [`attributes`].
///
/// # Safety
/// The object is alive for `'a`.
pub(crate) unsafe fn set<'a, T: Context>(object: WDFOBJECT, value: T) -> Result<&'a T> {
    // SAFETY: passed on from the caller.
    unsafe { cell::<T>(object) }.ok_or(NtStatus::INTERNAL_ERROR)?.set(value)
}

/// Adds a context of type `T` to an object that has others already.
///
/// # Safety
/// The object is alive for `'a`.
pub(crate) unsafe fn add<'a, T: Context>(object: WDFOBJECT, value: T) -> Result<&'a T> {
    let mut attributes = attributes::<T>();
    let mut memory = core::ptr::null_mut();
    // SAFETY: the object is alive; both pointers lead to locals that the call only uses while it runs.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(WdfObjectAllocateContext, object, &raw mut attributes, &raw mut memory)
    };
    check(status)?;
    // SAFETY: passed on from the caller.
    unsafe { set(object, value) }
}

callback! {
    /// EvtDestroyCallback: drops the context, if it was ever initialised.
    unsafe extern "C" fn destroy<T: Context>(object: WDFOBJECT) {
        // SAFETY: the framework frees the context's memory only after this callback.
        let Some(cell) = (unsafe { cell::<T>(object) }) else {
            return;
        };
        if cell.state.swap(BUSY, Ordering::Acquire) == READY {
            // SAFETY: nobody else has a reference: the object is being destroyed.
            let value = unsafe { &mut *cell.value.get() };
            // SAFETY: it was READY, and is not any more.
            unsafe { value.assume_init_drop() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Number(u32);
    context_type!(Number);

    struct Other;
    context_type!(Other);

    #[test]
    fn a_type_has_one_record_and_no_two_types_share_it() {
        let record = Number::context_type();
        assert!(core::ptr::eq(record, Number::context_type()));
        assert_eq!(record.unique(), &raw const record.info);
        assert_ne!(record.unique(), Other::context_type().unique());
        assert_eq!(record.info.ContextSize, size_of::<ContextCell<Number>>());
    }

    #[test]
    fn zeroed_memory_is_an_uninitialised_context_which_is_set_once() {
        // SAFETY: the state of a zeroed cell is EMPTY, and its value may be uninitialised.
        let cell: ContextCell<Number> = unsafe { MaybeUninit::zeroed().assume_init() };
        assert!(cell.get().is_none());
        assert_eq!(cell.set(Number(7)).map(|number| number.0), Ok(7));
        assert_eq!(cell.get().map(|number| number.0), Some(7));
        assert!(cell.set(Number(8)).is_err());
        assert_eq!(cell.get().map(|number| number.0), Some(7));
    }
}
