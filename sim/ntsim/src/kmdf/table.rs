//! The function table: 458 entries by index. Each function that is not implemented has a trap of its own, which stops the run and names it.

use crate::cross;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use wdk_sys::WDFFUNC;
use wdk_sys::standin::{WDF_FUNCTION_COUNT, wdf_function_name};

/// The type of a table entry, without its arguments.
type Entry = unsafe extern "win64" fn();

/// The table, as drivers are bound to it: the same for every machine of the process.
pub(crate) fn table() -> &'static [WDFFUNC; WDF_FUNCTION_COUNT] {
    static TABLE: OnceLock<Box<[WDFFUNC; WDF_FUNCTION_COUNT]>> = OnceLock::new();
    TABLE.get_or_init(|| Box::new(build()))
}

fn build() -> [WDFFUNC; WDF_FUNCTION_COUNT] {
    let mut implemented = BTreeMap::new();
    for export in super::functions() {
        let twice = implemented.insert(export.name, export.address);
        assert!(twice.is_none(), "{} is implemented twice", export.name);
    }
    let mut entries = [None; WDF_FUNCTION_COUNT];
    for (index, entry) in entries.iter_mut().enumerate() {
        let name = wdf_function_name(index).expect("the table has this many functions");
        *entry = Some(match implemented.remove(name) {
            // SAFETY: `wdf_exports!` made the address from a function of this calling convention; callers cast it back to the type of the index.
            Some(address) => unsafe { core::mem::transmute::<*const core::ffi::c_void, Entry>(address) },
            None => TRAPS[index],
        });
    }
    assert!(
        implemented.is_empty(),
        "the table has no such functions: {:?}",
        implemented.keys()
    );
    entries
}

/// What stands in the table for function `INDEX` when nothing implements it. It has no use for its arguments, so one signature serves for all.
unsafe extern "win64" fn trap<const INDEX: usize>() {
    cross::unimplemented(
        "WDF01000.SYS",
        wdf_function_name(INDEX).unwrap_or("a function behind the end of the table"),
    )
}

macro_rules! traps {
    ($($tens:literal)*) => {
        [$(
            trap::<{ $tens * 10 }>, trap::<{ $tens * 10 + 1 }>, trap::<{ $tens * 10 + 2 }>, trap::<{ $tens * 10 + 3 }>, trap::<{ $tens * 10 + 4 }>,
            trap::<{ $tens * 10 + 5 }>, trap::<{ $tens * 10 + 6 }>, trap::<{ $tens * 10 + 7 }>, trap::<{ $tens * 10 + 8 }>, trap::<{ $tens * 10 + 9 }>,
        )*]
    };
}

/// One trap per index, up to the next ten.
static TRAPS: [Entry; 460] = traps!(
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45
);

const _: () = assert!(WDF_FUNCTION_COUNT <= TRAPS.len());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_there() {
        assert!(table().iter().all(Option::is_some));
    }

    #[test]
    fn an_implemented_function_is_at_the_index_of_its_name() {
        for export in crate::kmdf::functions() {
            let index = (0..WDF_FUNCTION_COUNT).find(|i| wdf_function_name(*i) == Some(export.name));
            let entry = index
                .and_then(|i| table()[i])
                .map(|entry| entry as *const core::ffi::c_void);
            assert_eq!(entry, Some(export.address), "{}", export.name);
        }
    }
}
