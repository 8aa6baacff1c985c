//! Constants and NTSTATUS codes.
#![allow(missing_docs, reason = "the names are the documentation that the headers give")]
#![allow(non_upper_case_globals, reason = "spelled as the headers spell them")]

use crate::types::*;

include!(concat!(env!("OUT_DIR"), "/consts.rs"));
