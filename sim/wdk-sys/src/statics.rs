//! The variables that KMDF's headers declare and its entry stub defines.
//!
//! Off Windows, simulated machines run one per thread and share these. The rule that makes this sound: every machine
//! binds the same table and the same globals, and the entry stub writes a variable only while it is null, atomically. A
//! driver reads them after its own bind, which has seen the value; so there is one write, before every read.
#![allow(missing_docs, reason = "the names are the documentation that the headers give")]
#![allow(non_upper_case_globals, reason = "spelled as the headers spell them")]

use crate::{
    enums::{_WDFFUNCENUM, _WDFSTRUCTENUM},
    types::*,
};

#[cfg_attr(windows, unsafe(export_name = "WdfFunctions_01031"))]
pub static mut WdfFunctions: *const WDFFUNC = core::ptr::null();

#[cfg_attr(windows, unsafe(no_mangle))]
pub static mut WdfDriverGlobals: PWDF_DRIVER_GLOBALS = core::ptr::null_mut();

#[cfg_attr(windows, unsafe(no_mangle))]
pub static mut WdfDriverMiniportUnloadOverride: WDFFUNC = None;

#[cfg_attr(windows, unsafe(no_mangle))]
pub static mut WdfClientVersionHigherThanFramework: BOOLEAN = 0;

#[cfg_attr(windows, unsafe(no_mangle))]
pub static mut WdfFunctionCount: ULONG = _WDFFUNCENUM::WdfFunctionTableNumEntries.cast_unsigned();

#[cfg_attr(windows, unsafe(no_mangle))]
pub static mut WdfStructureCount: ULONG = _WDFSTRUCTENUM::WDF_STRUCTURE_TABLE_NUM_ENTRIES.cast_unsigned();

#[cfg_attr(windows, unsafe(no_mangle))]
pub static mut WdfStructures: WDF_STRUCT_INFO = core::ptr::null_mut();
