//! NT functions.
//!
//! Off Windows each is a thunk that jumps through its import slot ([`crate::standin::imports`]); calling one whose slot
//! is not bound stops the run and names it. On Windows each is imported from its image.
#![allow(missing_docs, reason = "the kernel documents them")]
#![allow(non_snake_case, non_upper_case_globals, reason = "spelled as the headers spell them")]
#![allow(
    clippy::missing_safety_doc,
    clippy::too_many_arguments,
    reason = "the contracts and signatures are the kernel's"
)]

#[allow(unused_imports, reason = "which of them a form needs depends on the target")]
use crate::{ctypes::*, enums::*, types::*};

#[cfg(not(windows))]
pub use host::*;
#[cfg(windows)]
pub use windows::*;

/// The thunks of the host form.
#[cfg(not(windows))]
mod host {
    use super::*;
    use crate::standin::slots::{thunk, variadic_thunk};

    macro_rules! nt_thunks { ($($item:item)*) => { $($item)* } }
    macro_rules! loader_thunks {
        ($($item:item)*) => {};
    }

    include!(concat!(env!("OUT_DIR"), "/ntddk_thunks.rs"));
}

/// The imports of the Windows form.
#[cfg(windows)]
mod windows {
    use super::*;

    macro_rules! nt_imports { ($($item:item)*) => { $($item)* } }
    macro_rules! loader_imports {
        ($($item:item)*) => {};
    }

    include!(concat!(env!("OUT_DIR"), "/ntddk_imports.rs"));
}
