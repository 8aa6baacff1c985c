//! The macros that generate the functions with the foreign calling convention.

/// An [`IrqlRange`](crate::cross::IrqlRange) from `any`, `LEVEL`, `..= LEVEL`, `LEVEL ..` or `LEVEL ..= LEVEL`.
#[macro_export]
macro_rules! irql_range {
    (any) => {
        $crate::cross::IrqlRange::ANY
    };
    (..= $max:ident) => {
        $crate::cross::IrqlRange::new(0, ::wdk_sys::$max)
    };
    ($min:ident ..= $max:ident) => {
        $crate::cross::IrqlRange::new(::wdk_sys::$min, ::wdk_sys::$max)
    };
    ($min:ident ..) => {
        $crate::cross::IrqlRange::new(::wdk_sys::$min, ::wdk_sys::HIGH_LEVEL)
    };
    ($level:ident) => {
        $crate::cross::IrqlRange::new(::wdk_sys::$level, ::wdk_sys::$level)
    };
}

/// The text of a call's arguments.
#[doc(hidden)]
#[macro_export]
macro_rules! trace_text {
    () => { ::std::string::String::new };
    ($($format:tt)+) => { || ::std::format!($($format)+) };
}

/// Defines kernel functions and the list of them.
///
/// ```text
/// nt_exports! {
///     pub const EXPORTS = "ntoskrnl.exe";
///     /// What it does.
///     #[irql(..= DISPATCH_LEVEL)]
///     #[trace("vector={:#x}", vector)]
///     fn KeSomething(vector: ULONG) -> NTSTATUS { .. }
/// }
/// ```
///
/// The signature of each is checked against the bindings; `"image", unchecked` is for functions that the bindings do not declare.
#[macro_export]
macro_rules! nt_exports {
    ($vis:vis const $list:ident = $module:literal; $($functions:tt)*) => {
        $crate::nt_exports! { @list [checked] $vis $list $module; $($functions)* }
    };
    ($vis:vis const $list:ident = $module:literal, unchecked; $($functions:tt)*) => {
        $crate::nt_exports! { @list [unchecked] $vis $list $module; $($functions)* }
    };
    (
        @list $check:tt $vis:vis $list:ident $module:literal;
        $(
            $(#[doc = $doc:expr])*
            #[irql($($irql:tt)+)]
            $(#[trace($($trace:tt)+)])?
            fn $name:ident($($arg:ident: $of:ty),* $(,)?) $(-> $ret:ty)? $body:block
        )*
    ) => {
        /// The functions of this file that can be imported by name.
        $vis const $list: &[$crate::cross::Export] = &[$($crate::cross::Export {
            info: &$crate::cross::ExportInfo {
                module: $module,
                name: stringify!($name),
                irql: $crate::irql_range!($($irql)+),
            },
            address: $name as *const ::core::ffi::c_void,
        }),*];
        $(
            $(#[doc = $doc])*
            ///
            /// # Safety
            /// As the kernel function of this name: what the caller passes is what that function documents.
            #[allow(non_snake_case, clippy::too_many_arguments, reason = "the kernel's name and signature")]
            pub unsafe extern "win64" fn $name($($arg: $of),*) $(-> $ret)? {
                const INFO: $crate::cross::ExportInfo = $crate::cross::ExportInfo {
                    module: $module,
                    name: stringify!($name),
                    irql: $crate::irql_range!($($irql)+),
                };
                $crate::signature_check!($check $name($($of),*) $(-> $ret)?);
                $crate::cross::export(&INFO, $crate::trace_text!($($($trace)+)?), move || $(-> $ret)? { $body })
            }
        )*
    };
}

/// Compares a function's signature with the bindings.
#[doc(hidden)]
#[macro_export]
macro_rules! signature_check {
    ([unchecked] $($rest:tt)*) => {};
    ([checked] $name:ident($($of:ty),*) $(-> $ret:ty)?) => {
        const _: unsafe extern "win64" fn($($of),*) $(-> $ret)? = ::wdk_sys::ntddk::$name;
    };
}

/// Defines the functions behind the pointers of `DMA_OPERATIONS`: as [`nt_exports!`], without a list and a bindings check.
#[macro_export]
macro_rules! dma_operations {
    ($(
        $(#[doc = $doc:expr])*
        #[irql($($irql:tt)+)]
        $(#[trace($($trace:tt)+)])?
        fn $name:ident($($arg:ident: $of:ty),* $(,)?) $(-> $ret:ty)? $body:block
    )*) => {$(
        $(#[doc = $doc])*
        ///
        /// # Safety
        /// As the DMA operation of this name: what the caller passes is what that operation documents.
        #[allow(non_snake_case, clippy::too_many_arguments, reason = "the kernel's name and signature")]
        pub unsafe extern "win64" fn $name($($arg: $of),*) $(-> $ret)? {
            const INFO: $crate::cross::ExportInfo = $crate::cross::ExportInfo {
                module: "DMA_OPERATIONS",
                name: stringify!($name),
                irql: $crate::irql_range!($($irql)+),
            };
            $crate::cross::dma_operation(&INFO, $crate::trace_text!($($($trace)+)?), move || $(-> $ret)? { $body })
        }
    )*};
}

/// Defines framework functions and the list of them. `DriverGlobals` is implicit: [`globals`](crate::cross::globals).
#[macro_export]
macro_rules! wdf_exports {
    (
        $vis:vis const $list:ident;
        $(
            $(#[doc = $doc:expr])*
            #[irql($($irql:tt)+)]
            $(#[trace($($trace:tt)+)])?
            fn $name:ident($($arg:ident: $of:ty),* $(,)?) $(-> $ret:ty)? $body:block
        )*
    ) => {
        /// The functions of this file, for the function table.
        $vis const $list: &[$crate::cross::WdfExport] = &[$($crate::cross::WdfExport {
            name: stringify!($name),
            address: $name as *const ::core::ffi::c_void,
        }),*];
        $(
            $(#[doc = $doc])*
            ///
            /// # Safety
            /// As the framework function of this name: what the caller passes is what that function documents.
            #[allow(non_snake_case, clippy::too_many_arguments, reason = "the framework's name and signature")]
            pub unsafe extern "win64" fn $name(globals: ::wdk_sys::PWDF_DRIVER_GLOBALS, $($arg: $of),*) $(-> $ret)? {
                const INFO: $crate::cross::ExportInfo = $crate::cross::ExportInfo {
                    module: "WDF01000.SYS",
                    name: stringify!($name),
                    irql: $crate::irql_range!($($irql)+),
                };
                let _signature = |$($arg: $of),*| $(-> $ret)? {
                    // SAFETY: never called: it only lets the compiler compare the signature with the bindings.
                    unsafe { ::wdk_sys::call_unsafe_wdf_function_binding!($name, $($arg),*) }
                };
                $crate::cross::wdf_export(&INFO, globals, $crate::trace_text!($($($trace)+)?), move || $(-> $ret)? { $body })
            }
        )*
    };
}

/// Defines framework routines whose pointers are given to the kernel.
#[macro_export]
macro_rules! framework_callbacks {
    ($(
        $(#[doc = $doc:expr])*
        fn $name:ident($($arg:ident: $of:ty),* $(,)?) $(-> $ret:ty)? $body:block
    )*) => {$(
        $(#[doc = $doc])*
        ///
        /// # Safety
        /// Called by the kernel, as documented for a routine of this kind.
        #[allow(non_snake_case, reason = "spelled as such routines are")]
        pub unsafe extern "win64" fn $name($($arg: $of),*) $(-> $ret)? {
            $crate::cross::as_framework(move || $(-> $ret)? { $body })
        }
    )*};
}
