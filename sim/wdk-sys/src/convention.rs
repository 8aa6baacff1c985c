//! The calling convention of Windows, in which every call crosses between driver, framework and kernel.
//!
//! On Windows it is the C convention, and the real crate spells it so. Elsewhere the same convention has another name, since C means the host's: the host form of a driver and
//! an image that was built for Windows are then called in the same way, and either can stand where the other does.

/// The type of a foreign function: `foreign!(fn(PDRIVER_OBJECT) -> NTSTATUS)`.
#[cfg(windows)]
macro_rules! foreign {
    (fn $($signature:tt)*) => { unsafe extern "C" fn $($signature)* };
}

/// The type of a foreign function: `foreign!(fn(PDRIVER_OBJECT) -> NTSTATUS)`.
#[cfg(not(windows))]
macro_rules! foreign {
    (fn $($signature:tt)*) => { unsafe extern "win64" fn $($signature)* };
}
pub(crate) use foreign;
