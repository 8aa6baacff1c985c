//! The table that connects messages with interrupt objects: `IO_INTERRUPT_MESSAGE_INFO`.

use super::interrupt_object::InterruptObject;
use std::rc::Rc;
use wdk_sys::{_KINTERRUPT_MODE, KINTERRUPT_MODE, KIRQL, PKINTERRUPT, PVOID, ULONG};

/// One message. `IO_INTERRUPT_MESSAGE_INFO_ENTRY`.
#[repr(C)]
struct Entry {
    message_address: u64,
    target_processors: u64,
    interrupt_object: PKINTERRUPT,
    message_data: ULONG,
    vector: ULONG,
    irql: KIRQL,
    mode: KINTERRUPT_MODE,
    polarity: i32,
}

/// What stands before the messages.
#[repr(C)]
struct Head {
    unified_irql: KIRQL,
    message_count: ULONG,
}

const _: () = assert!(size_of::<Head>() + size_of::<Entry>() == size_of::<wdk_sys::_IO_INTERRUPT_MESSAGE_INFO>());

/// A table in memory of its own.
pub(super) struct MessageTable {
    memory: Box<[u64]>,
    pub(super) objects: Vec<Rc<InterruptObject>>,
}

impl MessageTable {
    pub(super) fn new(objects: Vec<Rc<InterruptObject>>) -> Self {
        let words = (size_of::<Head>() + objects.len() * size_of::<Entry>()).div_ceil(8);
        let mut table = Self {
            memory: vec![0; words].into_boxed_slice(),
            objects,
        };
        table.fill();
        table
    }

    fn fill(&mut self) {
        let start: *mut Head = self.memory.as_mut_ptr().cast();
        let unified_irql = self
            .objects
            .iter()
            .map(|object| object.synchronize_irql)
            .max()
            .unwrap_or(0);
        let head = Head {
            unified_irql,
            message_count: self.objects.len() as ULONG,
        };
        // SAFETY: the memory was made for a head and the entries, aligned to 8.
        unsafe { start.write(head) };
        let entries: *mut Entry = start.wrapping_add(1).cast();
        for (index, object) in self.objects.iter().enumerate() {
            let entry = Entry {
                message_address: 0xFEE0_0000,
                target_processors: 1,
                interrupt_object: object.pointer(),
                message_data: object.line.vector(),
                vector: object.line.vector(),
                irql: object.synchronize_irql,
                mode: _KINTERRUPT_MODE::Latched,
                polarity: 0,
            };
            // SAFETY: one of the entries that the memory was made for.
            unsafe { entries.wrapping_add(index).write(entry) };
        }
    }

    /// The address that drivers get.
    pub(super) fn pointer(&self) -> PVOID {
        self.memory.as_ptr().cast_mut().cast()
    }
}
