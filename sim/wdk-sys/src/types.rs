//! Aliases, handles, callbacks, function pointers and records.
#![allow(missing_docs, reason = "the names are the documentation that the headers give")]
#![allow(non_camel_case_types, non_snake_case, reason = "spelled as bindgen spells them")]
#![allow(
    clippy::type_complexity,
    clippy::too_many_arguments,
    reason = "the signatures are the kernel's"
)]

use crate::{
    bindgen::{__BindgenBitfieldUnit, __BindgenOpaqueArray, __IncompleteArrayField, bit_fields},
    ctypes::*,
    enums::*,
};

/// The pointee of a handle: never dereferenced, but distinct, so that handles of different kinds do not mix.
macro_rules! handle_record {
    ($name:ident) => {
        #[repr(C)]
        #[derive(Debug, Default, Copy, Clone)]
        pub struct $name {
            pub unused: c_int,
        }
    };
}

/// A record of which only size and alignment are known.
macro_rules! opaque_record {
    ($name:ident, $size:literal, $align:literal) => {
        #[repr(C, align($align))]
        #[derive(Debug, Copy, Clone)]
        pub struct $name {
            _unused: [u8; $size],
        }
        zeroed_default!($name);
    };
}

/// All bytes zero, which is how C code initialises these records.
macro_rules! zeroed_default {
    ($name:ident) => {
        impl Default for $name {
            fn default() -> Self {
                // SAFETY: integers, raw pointers, `Option` of function pointers and records of these are all valid when
                // zero.
                unsafe { ::core::mem::zeroed() }
            }
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/types.rs"));
include!(concat!(env!("OUT_DIR"), "/records.rs"));
include!(concat!(env!("OUT_DIR"), "/bitfields.rs"));
