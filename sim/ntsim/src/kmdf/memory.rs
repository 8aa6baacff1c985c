//! `WDFMEMORY`: a buffer with an object around it.

use super::object::{self, Attributes, Body, Flags, Kind, New, Object, ParentRule, Ref, Typed};
use super::{driver, pool};
use core::ffi::c_void;
use std::cell::Cell;
use std::rc::Rc;
use wdk_sys::*;

/// The body of a `WDFMEMORY`.
pub(crate) struct Memory {
    buffer: Cell<*mut c_void>,
    length: Cell<usize>,
    owned: bool,
}

impl Body for Memory {
    fn destroy(&self, _object: &Object) {
        if self.owned {
            pool::free(self.buffer.get());
        }
    }
}

impl Typed for Memory {
    const KIND: Kind = Kind::Memory;
    type Raw = WDFMEMORY__;
}

/// A memory object around a buffer that somebody else owns; a child of `parent`.
pub(crate) fn wrap(parent: &Rc<Object>, buffer: PVOID, length: usize) -> Result<Ref<Memory>, NTSTATUS> {
    let new = New {
        attributes: &Attributes::default(),
        parent: Some(parent),
        flags: Flags::NO_DELETE,
    };
    object::create(
        &new,
        Memory {
            buffer: Cell::new(buffer),
            length: Cell::new(length),
            owned: false,
        },
    )
}

fn create(attributes: PWDF_OBJECT_ATTRIBUTES, memory: Memory, handle: *mut WDFMEMORY) -> NTSTATUS {
    let made = Attributes::read_plain(attributes, ParentRule::Optional).and_then(|attributes| {
        let parent = attributes.parent_or(driver::current().object());
        object::create(
            &New {
                attributes: &attributes,
                parent: Some(&parent),
                flags: Flags::empty(),
            },
            memory,
        )
    });
    match made {
        Ok(made) => {
            // SAFETY: the driver's own variable.
            unsafe { handle.write(made.raw()) };
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

/// A memory object with a buffer of its own. Its bytes are not zero: nothing promises that.
pub(crate) fn create_owned(
    attributes: PWDF_OBJECT_ATTRIBUTES,
    size: usize,
    handle: *mut WDFMEMORY,
) -> Result<PVOID, NTSTATUS> {
    if size == 0 {
        return Err(STATUS_INVALID_PARAMETER);
    }
    let block = pool::allocate(size);
    if block.is_null() {
        return Err(STATUS_INSUFFICIENT_RESOURCES);
    }
    // SAFETY: the block has `size` bytes.
    unsafe { block.cast::<u8>().write_bytes(UNINITIALIZED, size) };
    let status = create(
        attributes,
        Memory {
            buffer: Cell::new(block),
            length: Cell::new(size),
            owned: true,
        },
        handle,
    );
    if NT_SUCCESS(status) {
        return Ok(block);
    }
    pool::free(block);
    Err(status)
}

/// What stands in memory that nobody wrote.
const UNINITIALIZED: u8 = 0xCD;

/// A bounds-checked pointer into a memory object.
fn at(memory: &Memory, offset: usize, length: usize) -> Result<*mut u8, NTSTATUS> {
    let end = offset.checked_add(length).ok_or(STATUS_INTEGER_OVERFLOW)?;
    if end > memory.length.get() {
        return Err(STATUS_INVALID_BUFFER_SIZE);
    }
    Ok(memory.buffer.get().cast::<u8>().wrapping_add(offset))
}

crate::wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Makes a memory object with a buffer of its own, in non-paged pool.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfMemoryCreate(attributes: PWDF_OBJECT_ATTRIBUTES, _pool: POOL_TYPE, _tag: ULONG, size: usize, memory: *mut WDFMEMORY, buffer: *mut PVOID) -> NTSTATUS {
        match create_owned(attributes, size, memory) {
            Ok(block) => {
                if !buffer.is_null() {
                    // SAFETY: not null; the driver's own variable.
                    unsafe { buffer.write(block) };
                }
                STATUS_SUCCESS
            }
            Err(status) => status,
        }
    }

    /// Makes a memory object around the driver's buffer.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfMemoryCreatePreallocated(attributes: PWDF_OBJECT_ATTRIBUTES, buffer: PVOID, size: usize, memory: *mut WDFMEMORY) -> NTSTATUS {
        if size == 0 || buffer.is_null() {
            return STATUS_INVALID_PARAMETER;
        }
        create(attributes, Memory { buffer: Cell::new(buffer), length: Cell::new(size), owned: false }, memory)
    }

    /// The buffer and its length.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfMemoryGetBuffer(memory: WDFMEMORY, size: *mut usize) -> PVOID {
        let memory = object::get::<Memory>(memory);
        if !size.is_null() {
            // SAFETY: not null; the driver's own variable.
            unsafe { size.write(memory.length.get()) };
        }
        memory.buffer.get()
    }

    /// Gives a preallocated memory object another buffer.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfMemoryAssignBuffer(memory: WDFMEMORY, buffer: PVOID, size: usize) -> NTSTATUS {
        let memory = object::get::<Memory>(memory);
        if memory.owned || size == 0 || buffer.is_null() {
            return STATUS_INVALID_PARAMETER;
        }
        memory.buffer.set(buffer);
        memory.length.set(size);
        STATUS_SUCCESS
    }

    /// Copies out of a memory object.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfMemoryCopyToBuffer(memory: WDFMEMORY, offset: usize, buffer: PVOID, length: usize) -> NTSTATUS {
        let memory = object::get::<Memory>(memory);
        match at(&memory, offset, length) {
            Ok(from) => {
                // SAFETY: `at` checked our side, the driver answers for its own; the driver's buffers may overlap.
                unsafe { core::ptr::copy(from, buffer.cast(), length) };
                STATUS_SUCCESS
            }
            Err(status) => status,
        }
    }

    /// Copies into a memory object.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfMemoryCopyFromBuffer(memory: WDFMEMORY, offset: usize, buffer: PVOID, length: usize) -> NTSTATUS {
        let memory = object::get::<Memory>(memory);
        match at(&memory, offset, length) {
            Ok(to) => {
                // SAFETY: `at` checked our side, the driver answers for its own; the driver's buffers may overlap.
                unsafe { core::ptr::copy(buffer.cast(), to, length) };
                STATUS_SUCCESS
            }
            Err(status) => status,
        }
    }
}
