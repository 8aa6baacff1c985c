//! The helper types that bindgen puts beside the records that it writes.
#![allow(missing_docs, reason = "the API is bindgen's")]
#![allow(non_camel_case_types, reason = "spelled as bindgen spells them")]

use core::marker::PhantomData;

/// Storage of consecutive bit fields, least significant bit of the first byte first.
#[repr(C)]
#[derive(Copy, Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct __BindgenBitfieldUnit<Storage> {
    storage: Storage,
}

impl<Storage> __BindgenBitfieldUnit<Storage> {
    #[inline]
    pub const fn new(storage: Storage) -> Self {
        Self { storage }
    }
}

impl<Storage: AsRef<[u8]> + AsMut<[u8]>> __BindgenBitfieldUnit<Storage> {
    /// Bit `index`. Panics when it is outside the storage.
    #[inline]
    pub fn get_bit(&self, index: usize) -> bool {
        self.storage.as_ref()[index / 8] >> (index % 8) & 1 == 1
    }

    /// Sets bit `index`. Panics when it is outside the storage.
    #[inline]
    pub fn set_bit(&mut self, index: usize, val: bool) {
        let byte = &mut self.storage.as_mut()[index / 8];
        let mask = 1 << (index % 8);
        *byte = if val { *byte | mask } else { *byte & !mask };
    }

    /// The `bit_width` bits from `bit_offset` on. At most 64; panics when they are outside the storage.
    #[inline]
    pub fn get(&self, bit_offset: usize, bit_width: u8) -> u64 {
        debug_assert!(bit_width <= 64);
        (0..usize::from(bit_width)).fold(0, |value, bit| value | u64::from(self.get_bit(bit_offset + bit)) << bit)
    }

    /// Sets the `bit_width` bits from `bit_offset` on to the low bits of `val`. At most 64; panics when they are
    /// outside the storage.
    #[inline]
    pub fn set(&mut self, bit_offset: usize, bit_width: u8, val: u64) {
        debug_assert!(bit_width <= 64);
        for bit in 0..usize::from(bit_width) {
            self.set_bit(bit_offset + bit, val >> bit & 1 == 1);
        }
    }
}

/// A flexible array member: no size of its own, the elements follow the record.
#[repr(C)]
#[derive(Default)]
pub struct __IncompleteArrayField<T>(PhantomData<T>, [T; 0]);

impl<T> __IncompleteArrayField<T> {
    #[inline]
    pub const fn new() -> Self {
        Self(PhantomData, [])
    }

    /// The first element.
    #[inline]
    pub fn as_ptr(&self) -> *const T {
        core::ptr::from_ref(self).cast()
    }

    /// The first element.
    #[inline]
    pub fn as_mut_ptr(&mut self) -> *mut T {
        core::ptr::from_mut(self).cast()
    }

    /// The elements.
    ///
    /// # Safety
    /// `len` initialised elements follow the record, in the same allocation that `self` was reached through.
    #[inline]
    pub unsafe fn as_slice(&self, len: usize) -> &[T] {
        // SAFETY: the caller promises `len` elements.
        unsafe { core::slice::from_raw_parts(self.as_ptr(), len) }
    }

    /// The elements.
    ///
    /// # Safety
    /// As for [`Self::as_slice`], and nothing else refers to them.
    #[inline]
    pub unsafe fn as_mut_slice(&mut self, len: usize) -> &mut [T] {
        // SAFETY: the caller promises `len` elements and sole access.
        unsafe { core::slice::from_raw_parts_mut(self.as_mut_ptr(), len) }
    }
}

impl<T> core::fmt::Debug for __IncompleteArrayField<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("__IncompleteArrayField")
    }
}

/// Bytes of a member that bindgen does not describe.
#[repr(C)]
#[derive(Copy, Clone, Debug, Hash, Eq, PartialEq)]
pub struct __BindgenOpaqueArray<T: Copy>(pub T);

/// The accessors of one record's bit fields.
macro_rules! bit_fields {
    (
        $record:ident, $unit:ident: $storage:ty, $new:ident,
        $($get:ident $set:ident $get_raw:ident $set_raw:ident: $of:ident [$offset:literal, $width:literal],)*
    ) => {
        impl $record {
            $(
                #[inline]
                pub fn $get(&self) -> $of {
                    self.$unit.get($offset, $width) as $of
                }

                #[inline]
                pub fn $set(&mut self, val: $of) {
                    self.$unit.set($offset, $width, val as u64);
                }

                /// # Safety
                /// `this` points to a record that may be read.
                #[inline]
                pub unsafe fn $get_raw(this: *const Self) -> $of {
                    // SAFETY: the caller promises a readable record.
                    let unit = unsafe { (&raw const (*this).$unit).read() };
                    unit.get($offset, $width) as $of
                }

                /// # Safety
                /// `this` points to a record that may be read and written.
                #[inline]
                pub unsafe fn $set_raw(this: *mut Self, val: $of) {
                    // SAFETY: the caller promises a record.
                    let place = unsafe { &raw mut (*this).$unit };
                    // SAFETY: the caller promises that it may be read.
                    let mut unit = unsafe { place.read() };
                    unit.set($offset, $width, val as u64);
                    // SAFETY: the caller promises that it may be written.
                    unsafe { place.write(unit) };
                }
            )*

            #[inline]
            pub fn $new($($get: $of),*) -> $storage {
                let mut unit: $storage = Default::default();
                $(unit.set($offset, $width, $get as u64);)*
                unit
            }
        }
    };
}
pub(crate) use bit_fields;

#[cfg(test)]
mod tests {
    use super::__BindgenBitfieldUnit;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn set_writes_its_bits_only(bytes: [u8; 16], offset in 0usize..=64, width in 0u8..=64, value: u64) {
            let mut unit = __BindgenBitfieldUnit::new(bytes);
            unit.set(offset, width, value);
            let mask = if width == 0 { 0 } else { (u128::MAX >> (128 - u32::from(width))) << offset };
            let expected = (u128::from_le_bytes(bytes) & !mask) | ((u128::from(value) << offset) & mask);
            prop_assert_eq!(u128::from_le_bytes(unit.storage), expected);
        }

        #[test]
        fn get_reads_what_a_shift_and_a_mask_read(bytes: [u8; 16], offset in 0usize..=64, width in 1u8..=64) {
            let unit = __BindgenBitfieldUnit::new(bytes);
            let expected = (u128::from_le_bytes(bytes) >> offset) as u64 & (u64::MAX >> (64 - u32::from(width)));
            prop_assert_eq!(unit.get(offset, width), expected);
        }
    }
}
