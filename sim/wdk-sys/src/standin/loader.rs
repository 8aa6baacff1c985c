//! The interface of the KMDF loader, `WDFLDR.SYS`, by which a driver image binds to the framework.
#![allow(
    non_camel_case_types,
    non_snake_case,
    reason = "spelled as the framework spells them"
)]

#[allow(unused_imports, reason = "which of them a form needs depends on the target")]
use crate::{ctypes::*, types::*};

/// A framework version.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WDF_VERSION {
    /// 1 for KMDF.
    pub Major: ULONG,
    /// The minor version.
    pub Minor: ULONG,
    /// The build number of the headers; 0 is accepted.
    pub Build: ULONG,
}

/// What a driver image asks for, and where it wants the answer.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct WDF_BIND_INFO {
    /// The size of this record in bytes.
    pub Size: ULONG,
    /// `KmdfLibrary`, UTF-16, zero terminated.
    pub Component: *mut WCHAR,
    /// The version that the driver was built for.
    pub Version: WDF_VERSION,
    /// The number of functions that the driver knows.
    pub FuncCount: ULONG,
    /// Receives the address of the function table. The headers call this `WDFFUNC *`; the framework stores a table
    /// address through it.
    pub FuncTable: *mut *const WDFFUNC,
    /// The loader's own; null before binding.
    pub Module: PVOID,
}

/// A pointer to [`WDF_BIND_INFO`].
pub type PWDF_BIND_INFO = *mut WDF_BIND_INFO;

/// `KmdfLibrary`, UTF-16, zero terminated: the component that a KMDF driver binds to.
pub static WDF_KMDF_COMPONENT: [WCHAR; 12] = {
    let name = b"KmdfLibrary\0";
    let mut wide = [0; 12];
    let mut at = 0;
    while at < name.len() {
        wide[at] = name[at] as WCHAR;
        at += 1;
    }
    wide
};

#[cfg(not(windows))]
pub(super) use host::*;
#[cfg(windows)]
pub(super) use windows::*;

/// The thunks of the host form.
#[cfg(not(windows))]
mod host {
    use super::*;
    use crate::standin::slots::thunk;

    macro_rules! nt_thunks {
        ($($item:item)*) => {};
    }
    macro_rules! loader_thunks { ($($item:item)*) => { $($item)* } }

    include!(concat!(env!("OUT_DIR"), "/ntddk_thunks.rs"));
}

/// The imports of the Windows form.
#[cfg(windows)]
mod windows {
    use super::*;

    macro_rules! nt_imports {
        ($($item:item)*) => {};
    }
    macro_rules! loader_imports { ($($item:item)*) => { $($item)* } }

    include!(concat!(env!("OUT_DIR"), "/ntddk_imports.rs"));
}
