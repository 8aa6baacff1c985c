//! The C types of the Windows x64 ABI. `long` has 32 bits there on every host, which is why `core::ffi` is not used.
#![allow(non_camel_case_types, reason = "C spells them so")]

pub use core::ffi::c_void;

pub type c_char = i8;
pub type c_uchar = u8;
pub type c_short = i16;
pub type c_ushort = u16;
pub type c_int = i32;
pub type c_long = i32;
pub type c_ulong = u32;
pub type c_longlong = i64;
pub type c_ulonglong = u64;
