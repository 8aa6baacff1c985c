//! Finds the devices with Hawser's interface.

use std::ptr;

use hawser_abi::ioctl::DEVICE_INTERFACE_GUID;
use windows_sys::Win32::Devices::DeviceAndDriverInstallation as cm;
use windows_sys::core::GUID;

use crate::transport::TransportError;

/// A device can come between asking for the length of the list and for the list.
const ATTEMPTS: usize = 8;

/// A path with its terminating zero.
pub(super) type WidePath = Vec<u16>;

fn class() -> GUID {
    let (data1, data2, data3, data4) = DEVICE_INTERFACE_GUID;
    GUID {
        data1,
        data2,
        data3,
        data4,
    }
}

/// The paths of all interfaces that are present and enabled, each with its terminating zero.
pub(super) fn present() -> Result<Vec<WidePath>, TransportError> {
    for _ in 0..ATTEMPTS {
        let mut list = vec![0; length_of_list()? as usize];
        match fill(&mut list) {
            cm::CR_SUCCESS => return Ok(split(&list)),
            cm::CR_BUFFER_SMALL => {}
            error => return Err(failed("CM_Get_Device_Interface_ListW", error)),
        }
    }
    Err(failed("CM_Get_Device_Interface_ListW", cm::CR_BUFFER_SMALL))
}

/// Characters of the list, with all zeros.
fn length_of_list() -> Result<u32, TransportError> {
    let class = class();
    let mut length = 0;
    // SAFETY: both pointers are to live locals of the types that the function takes; no device is named.
    let result = unsafe {
        cm::CM_Get_Device_Interface_List_SizeW(
            &mut length,
            &class,
            ptr::null(),
            cm::CM_GET_DEVICE_INTERFACE_LIST_PRESENT,
        )
    };
    match result {
        cm::CR_SUCCESS => Ok(length),
        error => Err(failed("CM_Get_Device_Interface_List_SizeW", error)),
    }
}

fn fill(list: &mut [u16]) -> cm::CONFIGRET {
    let class = class();
    let length = u32::try_from(list.len()).unwrap_or(u32::MAX);
    // SAFETY: `list` is writable for `length` characters, which the function does not exceed; `class` is live; no device is named.
    unsafe {
        cm::CM_Get_Device_Interface_ListW(
            &class,
            ptr::null(),
            list.as_mut_ptr(),
            length,
            cm::CM_GET_DEVICE_INTERFACE_LIST_PRESENT,
        )
    }
}

/// Cuts a list of strings that an empty string ends.
fn split(list: &[u16]) -> Vec<WidePath> {
    let paths = list
        .split(|character| *character == 0)
        .take_while(|path| !path.is_empty());
    paths.map(|path| path.iter().copied().chain([0]).collect()).collect()
}

fn failed(call: &'static str, result: cm::CONFIGRET) -> TransportError {
    TransportError::new(call, format!("CONFIGRET {result:#x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_at_its_empty_string() {
        let wide = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        assert_eq!(split(&wide("\\\\?\\a\0b\0\0junk\0")), [wide("\\\\?\\a\0"), wide("b\0")]);
        assert!(split(&wide("\0")).is_empty());
        assert!(split(&[]).is_empty());
    }
}
