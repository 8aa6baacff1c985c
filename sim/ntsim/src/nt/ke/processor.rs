//! Processors.

use crate::{machine, sched};
use wdk_sys::{PPROCESSOR_NUMBER, ULONG, USHORT};

/// All processor groups.
const ALL_GROUPS: USHORT = 0xFFFF;

fn count(group: USHORT) -> ULONG {
    if group == 0 || group == ALL_GROUPS {
        machine::with(|m| m.options.processors as ULONG)
    } else {
        0
    }
}

crate::nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// The number of active processors of a group.
    #[irql(any)]
    fn KeQueryActiveProcessorCountEx(group: USHORT) -> ULONG {
        count(group)
    }

    /// The number of processors that a group can have.
    #[irql(any)]
    fn KeQueryMaximumProcessorCountEx(group: USHORT) -> ULONG {
        count(group)
    }

    /// The processor that runs the caller.
    #[irql(any)]
    fn KeGetCurrentProcessorNumberEx(number: PPROCESSOR_NUMBER) -> ULONG {
        let processor = sched::with_context(|context| context.processor.get()).unwrap_or(0);
        if !number.is_null() {
            let value = wdk_sys::PROCESSOR_NUMBER { Group: 0, Number: processor as u8, Reserved: 0 };
            // SAFETY: not null, so the caller passes memory for it.
            unsafe { number.write(value) };
        }
        processor as ULONG
    }

    /// The alignment that keeps data of two processors in different cache lines.
    #[irql(any)]
    fn KeGetRecommendedSharedDataAlignment() -> ULONG {
        64
    }
}
