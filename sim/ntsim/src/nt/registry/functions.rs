//! The `Zw` functions of the registry.

use super::{
    handles::Rights,
    tree::{NoKey, Value},
};
use crate::{machine, nt::rtl};
use wdk_sys::*;

// Values that the bindings do not hold.
const KEY_SET_VALUE: ACCESS_MASK = 0x2;
const KEY_CREATE_SUB_KEY: ACCESS_MASK = 0x4;
const MAXIMUM_ALLOWED: ACCESS_MASK = 0x0200_0000;
const REG_CREATED_NEW_KEY: ULONG = 1;
const REG_OPENED_EXISTING_KEY: ULONG = 2;
const STATUS_OBJECT_PATH_SYNTAX_BAD: NTSTATUS = 0xC000_003B_u32.cast_signed();
const STATUS_KEY_DELETED: NTSTATUS = 0xC000_017C_u32.cast_signed();

/// Opens a key that is there.
pub(super) fn open(path: String, access: ACCESS_MASK) -> Result<HANDLE, NTSTATUS> {
    machine::with(|m| {
        if !m.registry.tree.borrow().has(&path) {
            return Err(STATUS_OBJECT_NAME_NOT_FOUND);
        }
        let writes = access & (KEY_SET_VALUE | KEY_CREATE_SUB_KEY | GENERIC_WRITE | GENERIC_ALL | MAXIMUM_ALLOWED) != 0;
        let rights = if writes { Rights::ReadWrite } else { Rights::Read };
        Ok(m.registry.handles.borrow_mut().insert(path, rights))
    })
}

/// The full path that object attributes name.
fn path_of(attributes: POBJECT_ATTRIBUTES) -> Result<String, NTSTATUS> {
    // SAFETY: the caller's own structure.
    let attributes = unsafe { attributes.read() };
    let name = rtl::text::read(attributes.ObjectName);
    if attributes.RootDirectory.is_null() {
        return if name.starts_with('\\') {
            Ok(name)
        } else {
            Err(STATUS_OBJECT_PATH_SYNTAX_BAD)
        };
    }
    let (root, _) = key(attributes.RootDirectory)?;
    Ok(if name.is_empty() {
        root
    } else {
        format!("{root}\\{name}")
    })
}

fn key(handle: HANDLE) -> Result<(String, Rights), NTSTATUS> {
    machine::with(|m| {
        let handles = m.registry.handles.borrow();
        handles
            .path(handle)
            .map(|(path, rights)| (path.to_owned(), rights))
            .ok_or(STATUS_INVALID_HANDLE)
    })
}

fn writable(handle: HANDLE) -> Result<String, NTSTATUS> {
    match key(handle)? {
        (path, Rights::ReadWrite) => Ok(path),
        (_, Rights::Read) => Err(STATUS_ACCESS_DENIED),
    }
}

pub(super) fn publish(to: PHANDLE, opened: Result<HANDLE, NTSTATUS>) -> NTSTATUS {
    match opened {
        Ok(handle) => {
            // SAFETY: the caller's own variable.
            unsafe { to.write(handle) };
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

/// The structure of `KeyValuePartialInformation`.
fn partial(value: &Value) -> Vec<u8> {
    let length = value.bytes.len() as ULONG;
    [
        0_u32.to_le_bytes().as_slice(),
        &value.kind.to_le_bytes(),
        &length.to_le_bytes(),
        &value.bytes,
    ]
    .concat()
}

/// Bytes of that structure before the data.
const PARTIAL_HEADER: usize = 12;

fn status_of(result: Result<(), NTSTATUS>) -> NTSTATUS {
    result.err().unwrap_or(STATUS_SUCCESS)
}

crate::nt_exports! {
    pub(crate) const EXPORTS = "ntoskrnl.exe";

    /// Opens a key.
    #[irql(PASSIVE_LEVEL)]
    fn ZwOpenKey(handle: PHANDLE, access: ACCESS_MASK, attributes: POBJECT_ATTRIBUTES) -> NTSTATUS {
        publish(handle, path_of(attributes).and_then(|path| open(path, access)))
    }

    /// Makes or opens a key.
    #[irql(PASSIVE_LEVEL)]
    fn ZwCreateKey(handle: PHANDLE, access: ACCESS_MASK, attributes: POBJECT_ATTRIBUTES, _index: ULONG, _class: PUNICODE_STRING, _options: ULONG, disposition: PULONG) -> NTSTATUS {
        let opened = path_of(attributes).and_then(|path| {
            let known = machine::with(|m| m.registry.tree.borrow_mut().create(&path));
            if !disposition.is_null() {
                // SAFETY: not null; the caller's own variable.
                unsafe { disposition.write(if known { REG_OPENED_EXISTING_KEY } else { REG_CREATED_NEW_KEY }) };
            }
            open(path, access)
        });
        publish(handle, opened)
    }

    /// Reads a value; only `KeyValuePartialInformation` is served.
    #[irql(PASSIVE_LEVEL)]
    fn ZwQueryValueKey(handle: HANDLE, name: PUNICODE_STRING, class: KEY_VALUE_INFORMATION_CLASS, to: PVOID, length: ULONG, needed: PULONG) -> NTSTATUS {
        if class != _KEY_VALUE_INFORMATION_CLASS::KeyValuePartialInformation {
            return STATUS_INVALID_PARAMETER;
        }
        let path = match key(handle) {
            Ok((path, _)) => path,
            Err(status) => return status,
        };
        let found = machine::with(|m| m.registry.tree.borrow().value(&path, &rtl::text::read(name)).map(partial));
        let Some(found) = found else { return STATUS_OBJECT_NAME_NOT_FOUND };
        // SAFETY: the caller's own variable.
        unsafe { needed.write(found.len() as ULONG) };
        let room = length as usize;
        if room < PARTIAL_HEADER {
            return STATUS_BUFFER_TOO_SMALL;
        }
        // SAFETY: the caller's buffer has `length` bytes.
        unsafe { core::ptr::copy_nonoverlapping(found.as_ptr(), to.cast(), room.min(found.len())) };
        if room < found.len() { STATUS_BUFFER_OVERFLOW } else { STATUS_SUCCESS }
    }

    /// Writes a value.
    #[irql(PASSIVE_LEVEL)]
    fn ZwSetValueKey(handle: HANDLE, name: PUNICODE_STRING, _index: ULONG, kind: ULONG, data: PVOID, length: ULONG) -> NTSTATUS {
        status_of(writable(handle).and_then(|path| {
            let mut bytes = vec![0; length as usize];
            // SAFETY: the caller's buffer has `length` bytes.
            unsafe { core::ptr::copy_nonoverlapping(data.cast(), bytes.as_mut_ptr(), bytes.len()) };
            let value = Value { kind, bytes };
            machine::with(|m| m.registry.tree.borrow_mut().set(&path, &rtl::text::read(name), value)).map_err(|NoKey| STATUS_KEY_DELETED)
        }))
    }

    /// Deletes a value.
    #[irql(PASSIVE_LEVEL)]
    fn ZwDeleteValueKey(handle: HANDLE, name: PUNICODE_STRING) -> NTSTATUS {
        status_of(writable(handle).and_then(|path| {
            let removed = machine::with(|m| m.registry.tree.borrow_mut().unset(&path, &rtl::text::read(name)));
            if removed { Ok(()) } else { Err(STATUS_OBJECT_NAME_NOT_FOUND) }
        }))
    }

    /// Deletes a key without keys below it.
    #[irql(PASSIVE_LEVEL)]
    fn ZwDeleteKey(handle: HANDLE) -> NTSTATUS {
        status_of(writable(handle).and_then(|path| {
            let removed = machine::with(|m| m.registry.tree.borrow_mut().remove(&path));
            if removed { Ok(()) } else { Err(STATUS_CANNOT_DELETE) }
        }))
    }

    /// Closes a handle.
    #[irql(PASSIVE_LEVEL)]
    fn ZwClose(handle: HANDLE) -> NTSTATUS {
        let closed = machine::with(|m| m.registry.handles.borrow_mut().remove(handle));
        if closed { STATUS_SUCCESS } else { STATUS_INVALID_HANDLE }
    }
}
