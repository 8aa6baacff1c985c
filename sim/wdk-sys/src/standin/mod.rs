//! What the real crate does not have: import slots, the KMDF entry stub, and reflection over the KMDF table.

#[cfg(not(windows))]
mod entry_host;
mod entry_stub;
#[cfg(windows)]
mod entry_windows;
mod functions;
mod loader;
#[cfg(not(windows))]
pub(crate) mod slots;

#[cfg(not(windows))]
pub use entry_host::fx_driver_entry;
pub use entry_stub::DriverEntry;
#[cfg(windows)]
pub use entry_windows::FxDriverEntry;
pub use functions::{WDF_FUNCTION_COUNT, wdf_function_name, wdf_function_since};
pub use loader::{PWDF_BIND_INFO, WDF_BIND_INFO, WDF_KMDF_COMPONENT, WDF_VERSION};
#[cfg(not(windows))]
pub use slots::{ImportSlot, VARIABLE_ARGUMENTS, imports, set_unbound_handler, variables};
