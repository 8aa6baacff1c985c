//! Names and first versions of the KMDF functions, by table index.

include!(concat!(env!("OUT_DIR"), "/wdf_functions.rs"));

/// The number of entries of the KMDF 1.31 function table.
pub const WDF_FUNCTION_COUNT: usize = FUNCTIONS.len();

/// The name of the KMDF function at a table index.
#[must_use]
pub fn wdf_function_name(index: usize) -> Option<&'static str> {
    FUNCTIONS.get(index).map(|(name, _)| *name)
}

/// The first KMDF 1.x minor version that has the function at a table index.
#[must_use]
pub fn wdf_function_since(index: usize) -> Option<u32> {
    FUNCTIONS.get(index).map(|(_, since)| *since)
}
