//! NTSTATUS as a type, and the results that carry it.

use core::fmt;

use wdk_sys::{NT_SUCCESS, NTSTATUS};

/// An NTSTATUS code.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct NtStatus(NTSTATUS);

/// The result of an operation that fails with an [`NtStatus`].
pub type Result<T = ()> = core::result::Result<T, NtStatus>;

impl NtStatus {
    /// `STATUS_SUCCESS`.
    pub const SUCCESS: Self = Self(wdk_sys::STATUS_SUCCESS);
    /// `STATUS_BUFFER_TOO_SMALL`.
    pub const BUFFER_TOO_SMALL: Self = Self(wdk_sys::STATUS_BUFFER_TOO_SMALL);
    /// `STATUS_ACCESS_DENIED`.
    pub const ACCESS_DENIED: Self = Self(wdk_sys::STATUS_ACCESS_DENIED);
    /// `STATUS_CANCELLED`.
    pub const CANCELLED: Self = Self(wdk_sys::STATUS_CANCELLED);
    /// `STATUS_DEVICE_CONFIGURATION_ERROR`.
    pub const DEVICE_CONFIGURATION_ERROR: Self = Self(wdk_sys::STATUS_DEVICE_CONFIGURATION_ERROR);
    /// `STATUS_DEVICE_DOES_NOT_EXIST`.
    pub const DEVICE_DOES_NOT_EXIST: Self = Self(wdk_sys::STATUS_DEVICE_DOES_NOT_EXIST);
    /// `STATUS_DEVICE_HARDWARE_ERROR`.
    pub const DEVICE_HARDWARE_ERROR: Self = Self(wdk_sys::STATUS_DEVICE_HARDWARE_ERROR);
    /// `STATUS_DEVICE_NOT_READY`.
    pub const DEVICE_NOT_READY: Self = Self(wdk_sys::STATUS_DEVICE_NOT_READY);
    /// `STATUS_INSUFFICIENT_RESOURCES`.
    pub const INSUFFICIENT_RESOURCES: Self = Self(wdk_sys::STATUS_INSUFFICIENT_RESOURCES);
    /// `STATUS_INTERNAL_ERROR`.
    pub const INTERNAL_ERROR: Self = Self(wdk_sys::STATUS_INTERNAL_ERROR);
    /// `STATUS_INVALID_DEVICE_REQUEST`.
    pub const INVALID_DEVICE_REQUEST: Self = Self(wdk_sys::STATUS_INVALID_DEVICE_REQUEST);
    /// `STATUS_INVALID_PARAMETER`.
    pub const INVALID_PARAMETER: Self = Self(wdk_sys::STATUS_INVALID_PARAMETER);
    /// `STATUS_IO_TIMEOUT`.
    pub const IO_TIMEOUT: Self = Self(wdk_sys::STATUS_IO_TIMEOUT);
    /// `STATUS_NOT_FOUND`.
    pub const NOT_FOUND: Self = Self(wdk_sys::STATUS_NOT_FOUND);

    /// The status with these 32 bits.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits.cast_signed())
    }

    /// The 32 bits of the status.
    pub const fn bits(self) -> u32 {
        self.0.cast_unsigned()
    }

    /// Success or information.
    pub const fn is_success(self) -> bool {
        NT_SUCCESS(self.0)
    }

    pub(crate) const fn raw(self) -> NTSTATUS {
        self.0
    }
}

impl fmt::Debug for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NtStatus({:#010X})", self.bits())
    }
}

/// What a call into the framework or the kernel returned.
pub(crate) const fn check(status: NTSTATUS) -> Result {
    if NT_SUCCESS(status) {
        Ok(())
    } else {
        Err(NtStatus(status))
    }
}

/// What a callback returns to the framework.
pub(crate) const fn returned(result: Result) -> NTSTATUS {
    match result {
        Ok(()) => wdk_sys::STATUS_SUCCESS,
        Err(status) => status.raw(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_codes_are_errors_and_keep_their_bits() {
        assert_eq!(check(NtStatus::NOT_FOUND.raw()), Err(NtStatus::NOT_FOUND));
        assert_eq!(check(0x103), Ok(()), "STATUS_PENDING is a success code");
        assert_eq!(NtStatus::from_bits(0xE048_0001).bits(), 0xE048_0001);
        assert!(!NtStatus::from_bits(0xE048_0001).is_success());
        assert_eq!(returned(Err(NtStatus::IO_TIMEOUT)), NtStatus::IO_TIMEOUT.raw());
    }
}
