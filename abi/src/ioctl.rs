//! IOCTL codes of the device, computed as the `CTL_CODE` macro of the Windows headers computes them.

/// Vendor-defined device type: values below 0x8000 belong to Microsoft.
pub const FILE_DEVICE_HAWSER: u32 = 0x8A57;

/// How the I/O manager passes the buffers of an IOCTL (bits 0 and 1 of the code).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Method {
    /// Both buffers are copied through one system buffer.
    Buffered = 0,
    /// The output buffer is locked and described by an MDL after a probe for read access.
    InDirect = 1,
    /// The output buffer is locked and described by an MDL after a probe for write access.
    OutDirect = 2,
    /// User addresses are passed as they are.
    Neither = 3,
}

/// Access that a handle must have been opened with (bits 14 and 15 of the code).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Access {
    /// `FILE_ANY_ACCESS`.
    Any = 0,
    /// `FILE_READ_ACCESS`.
    Read = 1,
    /// `FILE_WRITE_ACCESS`.
    Write = 2,
    /// `FILE_READ_ACCESS | FILE_WRITE_ACCESS`.
    ReadWrite = 3,
}

/// The value of `CTL_CODE(device_type, function, method, access)`.
pub const fn ctl_code(device_type: u32, function: u32, method: Method, access: Access) -> u32 {
    (device_type << 16) | ((access as u32) << 14) | (function << 2) | method as u32
}

/// Runs a program. Input: [`SubmitHeader`](crate::program::SubmitHeader) and steps. Output: the data buffer, which the program
/// reads and writes in place. `METHOD_OUT_DIRECT`; the handle needs read and write access.
pub const IOCTL_HAWSER_SUBMIT: u32 = ctl_code(FILE_DEVICE_HAWSER, 0x800, Method::OutDirect, Access::ReadWrite);
/// Returns [`DeviceInfo`](crate::info::DeviceInfo). `METHOD_BUFFERED`, read access.
pub const IOCTL_HAWSER_GET_INFO: u32 = ctl_code(FILE_DEVICE_HAWSER, 0x801, Method::Buffered, Access::Read);
/// Returns [`Stats`](crate::info::Stats). `METHOD_BUFFERED`, read access.
pub const IOCTL_HAWSER_GET_STATS: u32 = ctl_code(FILE_DEVICE_HAWSER, 0x802, Method::Buffered, Access::Read);
/// Takes a [`ResultQuery`](crate::result::ResultQuery), returns a [`ResultRecord`](crate::result::ResultRecord).
/// `METHOD_BUFFERED`, read access.
pub const IOCTL_HAWSER_GET_RESULT: u32 = ctl_code(FILE_DEVICE_HAWSER, 0x803, Method::Buffered, Access::Read);
/// Resets the accelerator. `METHOD_BUFFERED`, no buffers; read and write access, and [`RESET_ACCESS`].
pub const IOCTL_HAWSER_RESET: u32 = ctl_code(FILE_DEVICE_HAWSER, 0x804, Method::Buffered, Access::ReadWrite);

/// What a handle must have been opened for, besides reading and writing, to reset: the standard right `DELETE`. A code has no bits for it, so the driver checks it.
///
/// The device's security descriptor gives it to the system and to administrators, and to nobody else.
pub const RESET_ACCESS: u32 = 0x0001_0000;

/// GUID of the device interface, as `(data1, data2, data3, data4)`: {6B3E1C52-0C7B-4D1F-9E63-2F8A54C0D7A1}.
pub const DEVICE_INTERFACE_GUID: (u32, u16, u16, [u8; 8]) = (
    0x6B3E_1C52,
    0x0C7B,
    0x4D1F,
    [0x9E, 0x63, 0x2F, 0x8A, 0x54, 0xC0, 0xD7, 0xA1],
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_the_vendor_range() {
        const { assert!(FILE_DEVICE_HAWSER >= 0x8000) };
        for code in [
            IOCTL_HAWSER_SUBMIT,
            IOCTL_HAWSER_GET_INFO,
            IOCTL_HAWSER_GET_STATS,
            IOCTL_HAWSER_GET_RESULT,
            IOCTL_HAWSER_RESET,
        ] {
            assert!((code >> 2) & 0xFFF >= 0x800, "function below 0x800 in {code:#x}");
        }
    }

    #[test]
    fn codes_have_the_documented_values() {
        assert_eq!(IOCTL_HAWSER_SUBMIT, 0x8A57_E002);
        assert_eq!(IOCTL_HAWSER_GET_INFO, 0x8A57_6004);
        assert_eq!(IOCTL_HAWSER_GET_STATS, 0x8A57_6008);
        assert_eq!(IOCTL_HAWSER_GET_RESULT, 0x8A57_600C);
        assert_eq!(IOCTL_HAWSER_RESET, 0x8A57_E010);
    }
}
