//! What the compiler made of the bindings; the lists are generated, the numbers in them are the compiler's.
#![allow(non_snake_case, reason = "the names are the bindings'")]
#![allow(clippy::type_complexity, reason = "the function types are the framework's")]

use wdk_sys::wdf::__private::calls;

/// Size and alignment of a record, by tag.
pub struct Record {
    pub tag: &'static str,
    pub size: usize,
    pub align: usize,
}

/// Offset and size of a field, by the C name of the member.
pub struct Field {
    pub tag: &'static str,
    pub member: &'static str,
    pub offset: usize,
    pub size: usize,
}

/// The bytes of a zeroed record after one bit field was set to all ones.
pub struct BitField {
    pub tag: &'static str,
    pub member: &'static str,
    pub bytes: Vec<u8>,
}

macro_rules! record {
    ($tag:ident, $of:ty) => {
        Record {
            tag: stringify!($tag),
            size: size_of::<$of>(),
            align: align_of::<$of>(),
        }
    };
}

macro_rules! field {
    ($tag:ident, $member:literal, $of:ty, $($path:ident).+) => {
        Field {
            tag: stringify!($tag),
            member: $member,
            offset: core::mem::offset_of!($of, $($path).+),
            // SAFETY: never called, only its type is used.
            size: pointee_size(|record: *const $of| unsafe { &raw const (*record).$($path).+ }),
        }
    };
}

/// The place of the record that has a bit field, in the record at `start`.
macro_rules! owner {
    ($start:ident,) => {
        $start
    };
    ($start:ident, $($path:tt)+) => {
        // SAFETY: the record is allocated.
        unsafe { &raw mut (*$start)$($path)+ }
    };
}

macro_rules! bit_field {
    ($tag:ident, $member:literal, $of:ty, [$($path:tt)*], $setter:path) => {{
        let mut record = Box::new(core::mem::MaybeUninit::<$of>::zeroed());
        let start = record.as_mut_ptr();
        let owner = owner!(start, $($path)*);
        // SAFETY: the record is allocated and zeroed, which is valid for it.
        unsafe { $setter(owner, !0) };
        // SAFETY: every byte was zeroed, and the record was not moved since, so that padding is initialised too.
        let bytes = unsafe { core::slice::from_raw_parts(start.cast::<u8>(), size_of::<$of>()) }.to_vec();
        BitField { tag: stringify!($tag), member: $member, bytes }
    }};
}

macro_rules! constant {
    ($name:ident) => {
        (
            stringify!($name),
            core::any::type_name_of_val(&wdk_sys::$name),
            i128::from(wdk_sys::$name),
        )
    };
}

macro_rules! pointer {
    ($name:ident) => {
        (
            stringify!($name),
            core::any::type_name_of_val(&wdk_sys::$name),
            wdk_sys::$name.addr() as i128,
        )
    };
}

const fn pointee_size<T, U, F: Fn(*const T) -> *const U + Copy>(_: F) -> usize {
    size_of::<U>()
}

/// The number of parameters of a function pointer type.
pub trait Arity {
    const ARITY: usize;
}

macro_rules! arity {
    ($($parameter:ident)*) => {
        impl<R $(, $parameter)*> Arity for Option<unsafe extern "win64" fn($($parameter),*) -> R> {
            const ARITY: usize = [$(stringify!($parameter)),*].len();
        }
    };
}
arity!(A);
arity!(A B);
arity!(A B C);
arity!(A B C D);
arity!(A B C D E);
arity!(A B C D E F);
arity!(A B C D E F G);
arity!(A B C D E F G H);
arity!(A B C D E F G H I);
arity!(A B C D E F G H I J);
arity!(A B C D E F G H I J K);
arity!(A B C D E F G H I J K L);

include!(concat!(env!("OUT_DIR"), "/reflected_layout.rs"));
include!(concat!(env!("OUT_DIR"), "/reflected_numbers.rs"));
