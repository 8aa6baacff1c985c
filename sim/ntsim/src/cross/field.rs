//! Addresses of fields of foreign structures, without touching the structure.

/// The address of a field: `field!(dpc, KDPC, DpcData)` for `dpc: *mut KDPC`. Safe: it only computes.
#[macro_export]
macro_rules! field {
    ($object:expr, $of:ty, $field:ident) => {
        $crate::cross::field_at($object, ::core::mem::offset_of!($of, $field), |object: &$of| {
            &raw const object.$field
        })
    };
}

/// The address `offset` bytes into an object, typed as `shape` says.
pub fn field_at<T, F>(object: *mut T, offset: usize, _shape: fn(&T) -> *const F) -> *mut F {
    object.wrapping_byte_add(offset).cast()
}

#[cfg(test)]
mod tests {
    use wdk_sys::KDPC;

    #[test]
    fn a_field_is_where_the_layout_says() {
        let dpc: *mut KDPC = core::ptr::without_provenance_mut(0x1000);
        let routine: *mut wdk_sys::PKDEFERRED_ROUTINE = field!(dpc, KDPC, DeferredRoutine);
        assert_eq!(routine.addr(), 0x1000 + core::mem::offset_of!(KDPC, DeferredRoutine));
    }
}
