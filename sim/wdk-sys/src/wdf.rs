//! KMDF functions, called through the function table.

/// Calls a KMDF function by name: `call_unsafe_wdf_function_binding!(WdfObjectDelete, object)`.
///
/// The arguments are those of the C function without `DriverGlobals`. The call is unsafe: the contract is that of the
/// KMDF function. Panics when the table that the framework bound is too short for the function.
#[macro_export]
macro_rules! call_unsafe_wdf_function_binding {
    ($function:ident $(, $argument:expr)* $(,)?) => {
        $crate::wdf::__private::calls::$function($($argument),*)
    };
}

#[doc(hidden)]
pub mod __private {
    //! What [`call_unsafe_wdf_function_binding!`] expands to.
    use crate::{convention::foreign, types::*};

    /// The number of entries of the bound function table.
    #[must_use]
    #[inline]
    pub fn get_wdf_function_count() -> usize {
        // SAFETY: written before the driver's entry point runs, never after.
        let count = unsafe { crate::WdfFunctionCount };
        count as usize
    }

    /// The table entry of a function. Panics when the table has no such entry, as the slice index in the real macro
    /// does.
    #[inline]
    fn table_entry(index: crate::_WDFFUNCENUM::Type) -> foreign!(fn()) {
        let index = usize::try_from(index).expect("an index is not negative");
        let count = get_wdf_function_count();
        if index >= count {
            refuse(index, format_args!("is not in the bound table of {count} functions"));
        }
        // SAFETY: written before the driver's entry point runs, never after.
        let table = unsafe { crate::WdfFunctions };
        if table.is_null() {
            refuse(index, format_args!("was called before WdfVersionBind"));
        }
        // SAFETY: the table has `get_wdf_function_count` entries, and `index` is below that.
        let entry = unsafe { table.add(index) };
        // SAFETY: a bound table is readable for as long as the driver is loaded.
        let function = unsafe { entry.read() };
        function.unwrap_or_else(|| refuse(index, format_args!("has a null entry in the bound table")))
    }

    #[cold]
    #[inline(never)]
    fn refuse(index: usize, why: core::fmt::Arguments<'_>) -> ! {
        panic!(
            "KMDF function {} {why}",
            crate::standin::wdf_function_name(index).unwrap_or("of unknown name")
        )
    }

    /// The first argument of every KMDF function.
    #[inline]
    fn driver_globals() -> PWDF_DRIVER_GLOBALS {
        // SAFETY: written before the driver's entry point runs, never after.
        unsafe { crate::WdfDriverGlobals }
    }

    /// A function that calls one table entry.
    macro_rules! wdf_call {
        ($(#[$attribute:meta])* $name:ident, $index:ident($($argument:ident: $of:ty),*) -> $returns:ty) => {
            $(#[$attribute])*
            #[inline(always)]
            pub unsafe fn $name($($argument: $of),*) -> $returns {
                let entry = super::table_entry(crate::_WDFFUNCENUM::$index);
                type Function = foreign!(fn(PWDF_DRIVER_GLOBALS $(, $of)*) -> $returns);
                // SAFETY: the framework's table has a function of this type at this index.
                let function = unsafe { ::core::mem::transmute::<foreign!(fn()), Function>(entry) };
                // SAFETY: the caller keeps the contract of the KMDF function.
                unsafe { function(super::driver_globals() $(, $argument)*) }
            }
        };
    }

    pub mod calls {
        //! One function for each public KMDF function.
        #![allow(missing_docs, reason = "the kernel documents them")]
        #![allow(non_snake_case, reason = "spelled as the headers spell them")]
        #![allow(
            clippy::missing_safety_doc,
            clippy::too_many_arguments,
            reason = "the contracts and signatures are the framework's"
        )]
        #![allow(
            clippy::items_after_statements,
            reason = "the function type belongs beside its one use"
        )]

        use crate::{convention::foreign, enums::*, types::*};

        include!(concat!(env!("OUT_DIR"), "/wdf_calls.rs"));
    }
}
