//! C enumerations: one module each, with `Type` and the enumerators.
#![allow(missing_docs, reason = "the names are the documentation that the headers give")]
#![allow(
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    reason = "spelled as bindgen spells them"
)]

include!(concat!(env!("OUT_DIR"), "/enums.rs"));
