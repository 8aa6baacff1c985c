//! Stand-in for the `wdk-sys` crate, generated from ABI data.
//!
//! Import it under the name `wdk_sys`: the same driver source then compiles with or without the WDK. Names, module
//! paths and types are those of `wdk-sys` 0.5.2 for everything that `data/` describes; KMDF 1.31 is what is bound.
//!
//! Functions have the calling convention of Windows: `extern "C"` there, `extern "win64"` elsewhere.
//!
//! - crate root: types, constants, enum modules, [`NT_SUCCESS`] and its kin, [`PAGED_CODE!`],
//!   [`call_unsafe_wdf_function_binding!`], the statics of KMDF;
//! - [`ntddk`]: the NT functions. Off Windows each jumps through an import slot, as a PE image calls through its import
//!   address table; on Windows each is imported from its image;
//! - [`standin`]: what the real crate does not have: import slots, the KMDF entry stub, and the names of the KMDF
//!   functions.
#![no_std]
#![allow(unsafe_code, reason = "raw bindings: a foreign ABI is all there is here")]

#[cfg(not(windows))]
extern crate std;

mod bindgen;
mod consts;
mod convention;
mod ctypes;
mod enums;
#[cfg(windows)]
mod image_guard;
#[cfg(windows)]
mod image_symbols;
pub mod ntddk;
mod paged_code;
pub mod standin;
mod statics;
mod status;
mod types;
pub mod wdf;

pub use bindgen::{__BindgenBitfieldUnit, __BindgenOpaqueArray, __IncompleteArrayField};
pub use consts::*;
pub use enums::*;
pub use statics::*;
pub use status::{NT_ERROR, NT_INFORMATION, NT_SUCCESS, NT_WARNING};
pub use types::*;
