//! Routines that Windows calls.

/// Defines a routine that Windows calls: `callback! { unsafe extern "C" fn on_work(item: WDFWORKITEM) { .. } }`.
///
/// Windows calls by its C convention. Where the driver is compiled for another host, `extern "C"` would mean that host's, so the routine gets the convention by name.
#[cfg(windows)]
#[macro_export]
macro_rules! callback {
    ($(#[$attribute:meta])* $visibility:vis unsafe extern "C" fn $($rest:tt)*) => {
        $(#[$attribute])* $visibility unsafe extern "C" fn $($rest)*
    };
}

/// Defines a routine that Windows calls: `callback! { unsafe extern "C" fn on_work(item: WDFWORKITEM) { .. } }`.
///
/// Windows calls by its C convention. Where the driver is compiled for another host, `extern "C"` would mean that host's, so the routine gets the convention by name.
#[cfg(not(windows))]
#[macro_export]
macro_rules! callback {
    ($(#[$attribute:meta])* $visibility:vis unsafe extern "C" fn $($rest:tt)*) => {
        $(#[$attribute])* $visibility unsafe extern "win64" fn $($rest)*
    };
}
