//! The handle of an open device.

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::{GENERIC_READ, GENERIC_WRITE, HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_OVERLAPPED, FILE_SHARE_READ, FILE_SHARE_WRITE, OPEN_EXISTING,
};

use super::interface::WidePath;
use crate::transport::TransportError;

/// What a handle may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Information and statistics.
    Read,
    /// Programs as well.
    ReadWrite,
}

/// An open device. It is closed when nothing refers to it any more, and every request refers to it.
#[derive(Debug)]
pub(super) struct DeviceFile(OwnedHandle);

impl DeviceFile {
    pub(super) fn open(path: &WidePath, access: Access) -> Result<Self, TransportError> {
        assert_eq!(path.last(), Some(&0), "a path ends with a zero");
        let rights = match access {
            Access::Read => GENERIC_READ,
            Access::ReadWrite => GENERIC_READ | GENERIC_WRITE,
        };
        // SAFETY: `path` is live and ends with a zero; no security attributes and no template are given, which is allowed.
        let handle = unsafe {
            CreateFileW(
                path.as_ptr(),
                rights,
                FILE_SHARE_READ | FILE_SHARE_WRITE,
                ptr::null(),
                OPEN_EXISTING,
                FILE_FLAG_OVERLAPPED,
                ptr::null_mut(),
            )
        };
        if handle == INVALID_HANDLE_VALUE {
            return Err(TransportError::new("opening the device", io::Error::last_os_error()));
        }
        // SAFETY: `CreateFileW` returned this handle just now, and nothing else will close it.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    pub(super) fn raw(&self) -> HANDLE {
        self.0.as_raw_handle()
    }
}
