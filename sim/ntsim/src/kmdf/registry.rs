//! Registry keys: `WDFKEY` and the `WdfRegistry*` functions.

use super::object::{self, Attributes, Body, Flags, Kind, New, Object, ParentRule, Typed};
use crate::kmdf::driver;
use std::rc::Rc;
use wdk_sys::*;

/// The body of a `WDFKEY`.
struct Key {
    handle: HANDLE,
}

impl Body for Key {
    fn dispose(&self, _object: &Rc<Object>) {
        // SAFETY: opened when the object was made, closed once.
        let _ = unsafe { ntddk::ZwClose(self.handle) };
    }
}

impl Typed for Key {
    const KIND: Kind = Kind::Key;
    type Raw = WDFKEY__;
}

/// A string in the kernel's form.
pub(crate) struct Unicode {
    units: Vec<u16>,
}

impl Unicode {
    /// A kernel string followed by text.
    fn appended(base: PUNICODE_STRING, tail: &str) -> Self {
        let mut units = units_of(base);
        units.extend(tail.encode_utf16());
        Self { units }
    }

    pub(crate) fn new(text: &str) -> Self {
        Self {
            units: text.encode_utf16().collect(),
        }
    }

    /// A string of these characters.
    pub(crate) fn from_units(units: Vec<u16>) -> Self {
        Self { units }
    }

    /// The kernel's view of it, valid as long as it lives.
    pub(crate) fn view(&mut self) -> UNICODE_STRING {
        let bytes = u16::try_from(self.units.len() * 2).unwrap_or(u16::MAX - 1);
        UNICODE_STRING {
            Length: bytes,
            MaximumLength: bytes,
            Buffer: self.units.as_mut_ptr(),
        }
    }
}

/// The characters of a kernel string.
pub(crate) fn units_of(string: PUNICODE_STRING) -> Vec<u16> {
    if string.is_null() {
        return Vec::new();
    }
    // SAFETY: not null; a readable string, as its owner promised.
    let string = unsafe { string.read() };
    let length = usize::from(string.Length / 2);
    // SAFETY: the string says that it has this many units.
    (0..length)
        .map(|at| unsafe { string.Buffer.wrapping_add(at).read() })
        .collect()
}

fn open(root: HANDLE, name: PUNICODE_STRING, access: ACCESS_MASK) -> Result<HANDLE, NTSTATUS> {
    let mut attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as ULONG,
        RootDirectory: root,
        ObjectName: name,
        Attributes: OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
        ..OBJECT_ATTRIBUTES::default()
    };
    let mut handle = core::ptr::null_mut();
    // SAFETY: local variables; the name is valid, as the caller promised.
    let status = unsafe { ntddk::ZwOpenKey(&raw mut handle, access, &raw mut attributes) };
    if NT_SUCCESS(status) { Ok(handle) } else { Err(status) }
}

/// The bytes that a value query needs at most for a DWORD: the header and the data.
const PARTIAL_HEADER: usize = core::mem::offset_of!(KEY_VALUE_PARTIAL_INFORMATION, Data);

/// A queried value: its type and bytes.
struct Value {
    of: ULONG,
    bytes: Vec<u8>,
}

fn query(key: HANDLE, name: PUNICODE_STRING) -> Result<Value, NTSTATUS> {
    let mut needed = 0;
    let mut buffer = vec![0u32; 16];
    loop {
        let length = ULONG::try_from(buffer.len() * 4).map_err(|_| STATUS_INSUFFICIENT_RESOURCES)?;
        // SAFETY: local variables; the name is valid, as the caller promised.
        let status = unsafe {
            ntddk::ZwQueryValueKey(
                key,
                name,
                _KEY_VALUE_INFORMATION_CLASS::KeyValuePartialInformation,
                buffer.as_mut_ptr().cast(),
                length,
                &raw mut needed,
            )
        };
        let short = status == STATUS_BUFFER_OVERFLOW || status == STATUS_BUFFER_TOO_SMALL;
        if short && needed > length {
            buffer.resize(needed.div_ceil(4) as usize, 0);
        } else if NT_SUCCESS(status) {
            break;
        } else {
            return Err(status);
        }
    }
    let bytes: Vec<u8> = buffer.iter().flat_map(|word| word.to_le_bytes()).collect();
    let of = buffer[1];
    let length = buffer[2] as usize;
    let data = bytes
        .get(PARTIAL_HEADER..PARTIAL_HEADER + length)
        .ok_or(STATUS_INTERNAL_ERROR)?;
    Ok(Value {
        of,
        bytes: data.to_vec(),
    })
}

/// A DWORD of a key below the driver's service key, if it is there. For the framework's own settings.
pub(crate) fn read_ulong(service: PUNICODE_STRING, below: &str, name: &str) -> Option<ULONG> {
    let mut path = Unicode::appended(service, below);
    let mut path = path.view();
    let key = open(core::ptr::null_mut(), &raw mut path, KEY_READ).ok()?;
    let mut name = Unicode::new(name);
    let mut name = name.view();
    let value = query(key, &raw mut name);
    // SAFETY: opened above.
    let _ = unsafe { ntddk::ZwClose(key) };
    dword(&value.ok()?).ok()
}

fn dword(value: &Value) -> Result<ULONG, NTSTATUS> {
    if value.of != REG_DWORD {
        return Err(STATUS_OBJECT_TYPE_MISMATCH);
    }
    let bytes = value
        .bytes
        .as_slice()
        .try_into()
        .map_err(|_| STATUS_OBJECT_TYPE_MISMATCH)?;
    Ok(ULONG::from_le_bytes(bytes))
}

/// Opens the driver's `Parameters` key as a `WDFKEY`.
pub(crate) fn open_parameters(
    parent: &Rc<Object>,
    access: ACCESS_MASK,
    attributes: PWDF_OBJECT_ATTRIBUTES,
    key: *mut WDFKEY,
) -> NTSTATUS {
    let mut path = Unicode::appended(crate::kmdf::state(|s| s.driver.registry_path()), r"\Parameters");
    let mut path = path.view();
    publish(parent, attributes, key, || {
        open(core::ptr::null_mut(), &raw mut path, access)
    })
}

/// Opens the hardware or software key of a device as a `WDFKEY`.
pub(crate) fn open_device(
    parent: &Rc<Object>,
    pdo: PDEVICE_OBJECT,
    of: ULONG,
    access: ACCESS_MASK,
    attributes: PWDF_OBJECT_ATTRIBUTES,
    key: *mut WDFKEY,
) -> NTSTATUS {
    publish(parent, attributes, key, || {
        let mut handle = core::ptr::null_mut();
        // SAFETY: a live device object and a local variable.
        let status = unsafe { ntddk::IoOpenDeviceRegistryKey(pdo, of, access, &raw mut handle) };
        if NT_SUCCESS(status) { Ok(handle) } else { Err(status) }
    })
}

/// Makes the object around a handle.
fn publish(
    parent: &Rc<Object>,
    attributes: PWDF_OBJECT_ATTRIBUTES,
    key: *mut WDFKEY,
    open: impl FnOnce() -> Result<HANDLE, NTSTATUS>,
) -> NTSTATUS {
    let made = (|| {
        let attributes = Attributes::read_plain(attributes, ParentRule::Optional)?;
        let parent = attributes.parent_or(parent);
        let handle = open()?;
        object::create(
            &New {
                attributes: &attributes,
                parent: Some(&parent),
                flags: Flags::PASSIVE,
            },
            Key { handle },
        )
        .inspect_err(|_| {
            // SAFETY: opened above, owned by nobody.
            let _ = unsafe { ntddk::ZwClose(handle) };
        })
    })();
    match made {
        Ok(made) => {
            // SAFETY: the driver's own variable.
            unsafe { key.write(made.raw()) };
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

/// The handle behind a `WDFKEY`, or null for no key.
fn root_of(key: WDFKEY) -> HANDLE {
    if key.is_null() {
        core::ptr::null_mut()
    } else {
        object::get::<Key>(key).handle
    }
}

crate::wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Opens a key by path, or by name below an open key.
    #[irql(PASSIVE_LEVEL)]
    fn WdfRegistryOpenKey(parent: WDFKEY, name: PCUNICODE_STRING, access: ACCESS_MASK, attributes: PWDF_OBJECT_ATTRIBUTES, key: *mut WDFKEY) -> NTSTATUS {
        let root = root_of(parent);
        publish(driver::current().object(), attributes, key, || open(root, name.cast_mut(), access))
    }

    /// Closes a key, and deletes its object.
    #[irql(PASSIVE_LEVEL)]
    fn WdfRegistryClose(key: WDFKEY) {
        object::get::<Key>(key).object().delete();
    }

    /// The kernel handle of a key.
    #[irql(PASSIVE_LEVEL)]
    fn WdfRegistryWdmGetHandle(key: WDFKEY) -> HANDLE {
        object::get::<Key>(key).handle
    }

    /// A REG_DWORD value.
    #[irql(PASSIVE_LEVEL)]
    fn WdfRegistryQueryULong(key: WDFKEY, name: PCUNICODE_STRING, value: PULONG) -> NTSTATUS {
        let key = object::get::<Key>(key);
        match query(key.handle, name.cast_mut()).and_then(|found| dword(&found)) {
            Ok(found) => {
                // SAFETY: the driver's own variable.
                unsafe { value.write(found) };
                STATUS_SUCCESS
            }
            Err(status) => status,
        }
    }

    /// A value of any type.
    #[irql(PASSIVE_LEVEL)]
    fn WdfRegistryQueryValue(key: WDFKEY, name: PCUNICODE_STRING, length: ULONG, value: PVOID, queried: PULONG, of: PULONG) -> NTSTATUS {
        let key = object::get::<Key>(key);
        let found = match query(key.handle, name.cast_mut()) {
            Ok(found) => found,
            Err(status) => return status,
        };
        let bytes = found.bytes.len();
        if !queried.is_null() {
            // SAFETY: not null; the driver's own variable.
            unsafe { queried.write(bytes as ULONG) };
        }
        if !of.is_null() {
            // SAFETY: not null; the driver's own variable.
            unsafe { of.write(found.of) };
        }
        if value.is_null() || bytes > length as usize {
            return STATUS_BUFFER_OVERFLOW;
        }
        // SAFETY: the driver's buffer has `length` bytes, see above.
        unsafe { core::ptr::copy_nonoverlapping(found.bytes.as_ptr(), value.cast(), bytes) };
        STATUS_SUCCESS
    }

    /// Writes a REG_DWORD value.
    #[irql(PASSIVE_LEVEL)]
    fn WdfRegistryAssignULong(key: WDFKEY, name: PCUNICODE_STRING, value: ULONG) -> NTSTATUS {
        let key = object::get::<Key>(key);
        let mut value = value;
        // SAFETY: the driver's string, and a local variable of four bytes.
        unsafe { ntddk::ZwSetValueKey(key.handle, name.cast_mut(), 0, REG_DWORD, (&raw mut value).cast(), 4) }
    }
}
