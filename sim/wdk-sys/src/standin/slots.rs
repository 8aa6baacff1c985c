//! Import slots: where a thunk finds the function that it stands for, as a PE image does in its import address table.

use core::{
    ffi::c_void,
    sync::atomic::{AtomicPtr, Ordering},
};

/// One imported function.
pub struct ImportSlot {
    /// The image that exports it, for example `ntoskrnl.exe`.
    pub module: &'static str,
    /// The name it is exported under.
    pub name: &'static str,
    target: AtomicPtr<c_void>,
}

impl ImportSlot {
    const fn new(module: &'static str, name: &'static str) -> Self {
        Self {
            module,
            name,
            target: AtomicPtr::new(core::ptr::null_mut()),
        }
    }

    /// Binds the import to the exported function, which has the signature of the function of this name in
    /// [`crate::ntddk`].
    ///
    /// Binding the same target again does nothing, so several threads may bind. Panics when the slot is bound to
    /// another target: a call through it could be under way.
    pub fn bind(&self, target: *const c_void) {
        let target = target.cast_mut();
        let bound = self
            .target
            .compare_exchange(core::ptr::null_mut(), target, Ordering::Release, Ordering::Relaxed);
        assert!(
            bound.is_ok() || bound == Err(target),
            "{}!{} is bound to another target already",
            self.module,
            self.name
        );
    }

    /// The bound function; null while there is none.
    #[must_use]
    pub fn target(&self) -> *const c_void {
        self.target.load(Ordering::Acquire)
    }

    /// The bound function, or the end of the run.
    pub(crate) fn resolve(&self) -> *const c_void {
        let target = self.target();
        if target.is_null() {
            unbound(self)
        }
        target
    }
}

impl core::fmt::Debug for ImportSlot {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}!{} -> {:p}", self.module, self.name, self.target())
    }
}

include!(concat!(env!("OUT_DIR"), "/ntddk_slots.rs"));
include!(concat!(env!("OUT_DIR"), "/ntddk_variables.rs"));

/// Every import that the crate has a thunk for, sorted by name: the NT functions, `WdfVersionBind` and
/// `WdfVersionUnbind`.
#[must_use]
pub fn imports() -> &'static [ImportSlot] {
    &IMPORTS
}

/// Variables that images of Windows export: image and name.
#[must_use]
pub fn variables() -> &'static [(&'static str, &'static str)] {
    &VARIABLES
}

/// The slot of a thunk.
#[inline]
pub(crate) fn slot(index: usize) -> &'static ImportSlot {
    &IMPORTS[index]
}

type UnboundHandler = fn(module: &'static str, name: &'static str) -> !;

/// The handler as a pointer; null stands for the default.
static UNBOUND_HANDLER: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// Says what happens when a thunk is called whose slot is not bound. By default the call panics with the name, which
/// ends the process, because a thunk is an `extern "win64"` function. The handler must not unwind either.
pub fn set_unbound_handler(f: fn(module: &'static str, name: &'static str) -> !) {
    UNBOUND_HANDLER.store(f as *mut (), Ordering::Release);
}

#[cold]
#[inline(never)]
fn unbound(slot: &ImportSlot) -> ! {
    let handler = UNBOUND_HANDLER.load(Ordering::Acquire);
    if handler.is_null() {
        panic!("{}!{} was called, but nothing exports it", slot.module, slot.name);
    }
    // SAFETY: only `set_unbound_handler` stores here, and it stores a function of this type.
    let handler = unsafe { core::mem::transmute::<*mut (), UnboundHandler>(handler) };
    handler(slot.module, slot.name)
}

/// A function that jumps through one slot.
macro_rules! thunk {
    ($slot:literal, $(#[$attribute:meta])* $name:ident($($argument:ident: $of:ty),*) -> $returns:ty) => {
        $(#[$attribute])*
        pub unsafe extern "win64" fn $name($($argument: $of),*) -> $returns {
            let target = $crate::standin::slots::slot($slot).resolve();
            // SAFETY: `ImportSlot::bind` is given a function of this signature.
            let function = unsafe {
                ::core::mem::transmute::<*const ::core::ffi::c_void, unsafe extern "win64" fn($($of),*) -> $returns>(target)
            };
            // SAFETY: the caller keeps the contract of the function.
            unsafe { function($($argument),*) }
        }
    };
}
pub(crate) use thunk;

/// How many values behind the named parameters a variadic function is given. A function with variable arguments cannot be defined, so what stands for one takes so many, and looks at
/// those that its format names.
pub const VARIABLE_ARGUMENTS: usize = 8;

/// A variadic function that jumps through one slot: declared with variable arguments, for callers, and defined with [`VARIABLE_ARGUMENTS`] of them.
///
/// The convention of Windows passes both in the same way. The values that a caller did not pass are what happens to lie there: registers, and the caller's own stack.
macro_rules! variadic_thunk {
    ($slot:literal, $(#[$attribute:meta])* $name:ident($($argument:ident: $of:ty),*) -> $returns:ty) => {
        unsafe extern "win64" {
            $(#[$attribute])*
            #[link_name = concat!("wdk_sys_standin_", stringify!($name))]
            pub fn $name($($argument: $of,)* ...) -> $returns;
        }

        const _: () = {
            type Function = unsafe extern "win64" fn($($of,)* usize, usize, usize, usize, usize, usize, usize, usize) -> $returns;

            #[unsafe(export_name = concat!("wdk_sys_standin_", stringify!($name)))]
            unsafe extern "win64" fn thunk(
                $($argument: $of,)* v0: usize, v1: usize, v2: usize, v3: usize, v4: usize, v5: usize, v6: usize, v7: usize,
            ) -> $returns {
                let target = $crate::standin::slots::slot($slot).resolve();
                // SAFETY: `ImportSlot::bind` is given a function of this signature.
                let function = unsafe { ::core::mem::transmute::<*const ::core::ffi::c_void, Function>(target) };
                // SAFETY: the caller keeps the contract of the function.
                unsafe { function($($argument,)* v0, v1, v2, v3, v4, v5, v6, v7) }
            }
        };
    };
}
pub(crate) use variadic_thunk;
