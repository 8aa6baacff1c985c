//! Win32 error codes back to the NTSTATUS that they were made of.
//!
//! A request that fails at once reports only a Win32 error code. Statuses of the driver's own have the customer bit, and
//! `RtlNtStatusToDosError` hands them on unchanged.

use windows_sys::Win32::Foundation as win32;

use crate::status::NtStatus;

/// `FACILITY_NTWIN32` with severity error: an NTSTATUS that carries a Win32 code.
const NTWIN32: u32 = 0xC007_0000;
/// The customer bit.
const CUSTOMER: u32 = 1 << 29;

/// The NTSTATUS behind a Win32 error code.
pub(super) fn from_win32(code: u32) -> NtStatus {
    if code & CUSTOMER != 0 {
        return NtStatus(code);
    }
    NtStatus(match code {
        win32::ERROR_SUCCESS => 0,
        win32::ERROR_INVALID_FUNCTION => 0xC000_0010,
        win32::ERROR_ACCESS_DENIED => 0xC000_0022,
        win32::ERROR_BAD_LENGTH => 0xC000_0004,
        win32::ERROR_NOT_READY => 0xC000_00A3,
        win32::ERROR_NOT_SUPPORTED => 0xC000_00BB,
        win32::ERROR_INVALID_PARAMETER => 0xC000_000D,
        win32::ERROR_SEM_TIMEOUT => 0xC000_00B5,
        win32::ERROR_INSUFFICIENT_BUFFER => 0xC000_0023,
        win32::ERROR_OPERATION_ABORTED => 0xC000_0120,
        win32::ERROR_NOACCESS => 0xC000_0005,
        win32::ERROR_NOT_FOUND => 0xC000_0225,
        win32::ERROR_NO_SYSTEM_RESOURCES => 0xC000_009A,
        win32::ERROR_INVALID_USER_BUFFER => 0xC000_0206,
        other => NTWIN32 | other & 0xFFFF,
    })
}
