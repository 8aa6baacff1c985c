//! The version of Windows that the simulator stands for: Windows 10, version 2004, the first one with KMDF 1.31.

use wdk_sys::*;

const MAJOR: ULONG = 10;
const MINOR: ULONG = 0;
const BUILD: ULONG = 19041;
/// `VER_PLATFORM_WIN32_NT`.
const PLATFORM: ULONG = 2;
/// `NTDDI_WIN10_VB`, the version level of that build.
const LEVEL: ULONG = 0x0A00_0008;

crate::nt_exports! {
    pub(crate) const EXPORTS = "ntoskrnl.exe";

    /// The version of the system.
    #[irql(PASSIVE_LEVEL)]
    fn RtlGetVersion(version: PRTL_OSVERSIONINFOW) -> NTSTATUS {
        // SAFETY: the caller's own structure.
        unsafe { crate::field!(version, RTL_OSVERSIONINFOW, dwMajorVersion).write(MAJOR) };
        // SAFETY: as above.
        unsafe { crate::field!(version, RTL_OSVERSIONINFOW, dwMinorVersion).write(MINOR) };
        // SAFETY: as above.
        unsafe { crate::field!(version, RTL_OSVERSIONINFOW, dwBuildNumber).write(BUILD) };
        // SAFETY: as above.
        unsafe { crate::field!(version, RTL_OSVERSIONINFOW, dwPlatformId).write(PLATFORM) };
        STATUS_SUCCESS
    }

    /// Whether the system is of a version level or newer.
    #[irql(PASSIVE_LEVEL)]
    fn RtlIsNtDdiVersionAvailable(version: ULONG) -> BOOLEAN {
        BOOLEAN::from(version <= LEVEL)
    }
}
