//! NTSTATUS values as the client meets them.

use std::fmt;

use hawser_abi::reason::{self, Reason};

/// An NTSTATUS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NtStatus(pub u32);

impl NtStatus {
    /// The request succeeded.
    pub const SUCCESS: Self = Self(0);
    /// The request has not ended.
    pub const PENDING: Self = Self(0x0000_0103);
    /// There is no record of this cookie.
    pub const NOT_FOUND: Self = Self(0xC000_0225);
    /// The request was cancelled.
    pub const CANCELLED: Self = Self(reason::STATUS_CANCELLED);

    /// Whether it is a success or informational value (`NT_SUCCESS`).
    pub const fn is_success(self) -> bool {
        self.0 >> 31 == 0
    }

    /// The reason that the value stands for, if it stands for exactly one.
    pub fn reason(self) -> Option<Reason> {
        Reason::from_status(self.0).or_else(|| {
            let mut shared = Reason::ALL.iter().filter(|reason| reason.status() == self.0);
            shared.next().copied().filter(|_| shared.next().is_none())
        })
    }

    /// The name of the Windows headers, where this is one of the values that a Hawser request can end with.
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find(|(value, _)| *value == self.0).map(|(_, name)| *name)
    }
}

const NAMES: [(u32, &str); 20] = [
    (0x0000_0000, "STATUS_SUCCESS"),
    (0x0000_0103, "STATUS_PENDING"),
    (0xC000_0004, "STATUS_INFO_LENGTH_MISMATCH"),
    (0xC000_0005, "STATUS_ACCESS_VIOLATION"),
    (0xC000_000D, "STATUS_INVALID_PARAMETER"),
    (0xC000_000E, "STATUS_NO_SUCH_DEVICE"),
    (0xC000_0010, "STATUS_INVALID_DEVICE_REQUEST"),
    (0xC000_0022, "STATUS_ACCESS_DENIED"),
    (0xC000_0023, "STATUS_BUFFER_TOO_SMALL"),
    (0xC000_0056, "STATUS_DELETE_PENDING"),
    (reason::STATUS_INSUFFICIENT_RESOURCES, "STATUS_INSUFFICIENT_RESOURCES"),
    (reason::STATUS_DEVICE_POWER_FAILURE, "STATUS_DEVICE_POWER_FAILURE"),
    (0xC000_00A3, "STATUS_DEVICE_NOT_READY"),
    (reason::STATUS_IO_TIMEOUT, "STATUS_IO_TIMEOUT"),
    (0xC000_00BB, "STATUS_NOT_SUPPORTED"),
    (reason::STATUS_DEVICE_DOES_NOT_EXIST, "STATUS_DEVICE_DOES_NOT_EXIST"),
    (reason::STATUS_CANCELLED, "STATUS_CANCELLED"),
    (0xC000_0206, "STATUS_INVALID_BUFFER_SIZE"),
    (0xC000_0225, "STATUS_NOT_FOUND"),
    (reason::STATUS_DEVICE_HARDWARE_ERROR, "STATUS_DEVICE_HARDWARE_ERROR"),
];

impl fmt::Display for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), Reason::from_status(self.0)) {
            (Some(name), _) => write!(f, "{name} ({:#010x})", self.0),
            (None, Some(reason)) => write!(f, "{} ({:#010x})", reason.name(), self.0),
            (None, None) => write!(f, "status {:#010x}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_status_with_a_name() {
        for reason in Reason::ALL {
            let status = NtStatus(reason.status());
            assert!(!status.to_string().starts_with("status"), "{}", reason.name());
            assert_eq!(status.is_success(), *reason == Reason::None);
        }
    }

    #[test]
    fn a_shared_status_names_no_reason() {
        assert_eq!(NtStatus(Reason::Overlap.status()).reason(), Some(Reason::Overlap));
        assert_eq!(NtStatus(Reason::TimedOut.status()).reason(), Some(Reason::TimedOut));
        assert_eq!(NtStatus(Reason::ArenaTooSmall.status()).reason(), None);
        assert_eq!(NtStatus(0xC000_0022).reason(), None);
    }

    #[test]
    fn names_are_listed_once() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
    }
}
