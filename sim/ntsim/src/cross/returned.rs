//! What a crossing function may return, and how the trace shows it.

use wdk_sys::LARGE_INTEGER;

/// A type that functions return across the layer.
pub trait Returned {
    /// The value for the trace: integers as bits, pointers as null (0) or not (1), because addresses differ from run to run.
    fn traced(&self) -> Option<u64>;
}

/// Names the type of a function that does not return.
pub trait Output {
    /// The return type.
    type Of;
}

impl<T> Output for fn() -> T {
    type Of = T;
}

/// The type of a call that does not return.
pub type Never = <fn() -> ! as Output>::Of;

impl Returned for Never {
    fn traced(&self) -> Option<u64> {
        None
    }
}

impl Returned for () {
    fn traced(&self) -> Option<u64> {
        None
    }
}

macro_rules! integers {
    ($($signed:ty => $unsigned:ty),*) => {$(
        impl Returned for $signed {
            fn traced(&self) -> Option<u64> {
                Some(u64::from(self.cast_unsigned()))
            }
        }
        impl Returned for $unsigned {
            fn traced(&self) -> Option<u64> {
                Some(u64::from(*self))
            }
        }
    )*};
}
integers!(i8 => u8, i16 => u16, i32 => u32, i64 => u64);

impl Returned for usize {
    fn traced(&self) -> Option<u64> {
        Some(*self as u64)
    }
}

impl Returned for isize {
    fn traced(&self) -> Option<u64> {
        Some(*self as u64)
    }
}

impl<T> Returned for *mut T {
    fn traced(&self) -> Option<u64> {
        Some(u64::from(!self.is_null()))
    }
}

impl<T> Returned for *const T {
    fn traced(&self) -> Option<u64> {
        Some(u64::from(!self.is_null()))
    }
}

impl Returned for LARGE_INTEGER {
    fn traced(&self) -> Option<u64> {
        None
    }
}
