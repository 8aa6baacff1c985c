//! Bug checks by drivers and the framework.

use crate::verifier::{self, BugCheck};
use wdk_sys::{
    BOOLEAN, KBUGCHECK_CALLBACK_REASON, PKBUGCHECK_REASON_CALLBACK_RECORD, PKBUGCHECK_REASON_CALLBACK_ROUTINE, PUCHAR,
    ULONG, ULONG_PTR, USHORT,
};

crate::nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Stops the machine.
    #[irql(any)]
    fn KeBugCheckEx(code: ULONG, p1: ULONG_PTR, p2: ULONG_PTR, p3: ULONG_PTR, p4: ULONG_PTR) -> ! {
        let parameters = [p1 as u64, p2 as u64, p3 as u64, p4 as u64];
        verifier::bug_check(BugCheck { code, parameters, rule: None, text: "KeBugCheckEx was called".to_owned() })
    }

    /// Has a routine called when the machine stops. It never is: a machine that stopped runs nothing more.
    #[irql(any)]
    fn KeRegisterBugCheckReasonCallback(
        _record: PKBUGCHECK_REASON_CALLBACK_RECORD,
        _routine: PKBUGCHECK_REASON_CALLBACK_ROUTINE,
        _reason: KBUGCHECK_CALLBACK_REASON,
        _component: PUCHAR,
    ) -> BOOLEAN {
        1
    }

    /// Takes that back.
    #[irql(any)]
    fn KeDeregisterBugCheckReasonCallback(_record: PKBUGCHECK_REASON_CALLBACK_RECORD) -> BOOLEAN {
        1
    }

    /// Whether no debugger is attached: none ever is.
    #[irql(any)]
    fn KdRefreshDebuggerNotPresent() -> BOOLEAN {
        1
    }
}

crate::nt_exports! {
    pub const FRAMEWORK_EXPORTS = "ntoskrnl.exe", unchecked;

    /// The calls that led here: none are told.
    #[irql(any)]
    fn RtlCaptureStackBackTrace(_skip: ULONG, _capture: ULONG, _frames: *mut *mut core::ffi::c_void, hash: *mut ULONG) -> USHORT {
        if !hash.is_null() {
            // SAFETY: not null, so the caller passes memory for it.
            unsafe { hash.write(0) };
        }
        0
    }
}
