//! A manual-reset event, which the kernel sets when a request ends.

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::Threading::CreateEventW;

use crate::transport::TransportError;

/// The event.
#[derive(Debug)]
pub(super) struct Event(OwnedHandle);

impl Event {
    /// A manual-reset event that is not set.
    pub(super) fn new() -> Result<Self, TransportError> {
        let (manual_reset, initially_set) = (1, 0);
        // SAFETY: attributes and name may be null.
        let handle = unsafe { CreateEventW(ptr::null(), manual_reset, initially_set, ptr::null()) };
        if handle.is_null() {
            return Err(TransportError::new("CreateEventW", io::Error::last_os_error()));
        }
        // SAFETY: `CreateEventW` returned this handle just now, and nothing else will close it.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    pub(super) fn raw(&self) -> HANDLE {
        self.0.as_raw_handle()
    }
}
