//! Nonpaged pool memory that is given back when its owner is dropped.

use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use wdk_sys::{POOL_FLAG_NON_PAGED, ntddk};
use zerocopy::FromZeros;

use crate::ledger::{LedgerKind, LedgerRef};
use crate::status::{NtStatus, Result};

/// The tag under which pool memory is accounted, read from left to right in a debugger.
#[derive(Clone, Copy, Debug)]
pub struct PoolTag(u32);

impl PoolTag {
    /// The tag of these four characters.
    pub const fn new(characters: &[u8; 4]) -> Self {
        Self(u32::from_le_bytes(*characters))
    }
}

/// Where pool memory comes from: its tag, and the ledger that it is entered in.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    tag: PoolTag,
    ledger: LedgerRef,
}

impl Pool {
    /// Memory with this tag, entered in this ledger.
    pub const fn new(tag: PoolTag, ledger: LedgerRef) -> Self {
        Self { tag, ledger }
    }

    fn allocate(&self, bytes: usize) -> Result<NonNull<u8>> {
        if bytes == 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        // SAFETY: a size that is not zero; the memory comes zeroed, since POOL_FLAG_UNINITIALIZED is not asked for.
        let memory = unsafe { ntddk::ExAllocatePool2(POOL_FLAG_NON_PAGED, bytes as u64, self.tag.0) };
        let memory = NonNull::new(memory.cast::<u8>()).ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
        self.ledger.get().take(LedgerKind::Pool, bytes as u64);
        Ok(memory)
    }

    fn free(&self, memory: NonNull<u8>, bytes: usize) {
        // SAFETY: allocated by `allocate` with this tag, and freed once, by the drop of its only owner.
        unsafe { ntddk::ExFreePoolWithTag(memory.as_ptr().cast(), self.tag.0) };
        self.ledger.get().give_back(LedgerKind::Pool, bytes as u64);
    }
}

/// One value in nonpaged pool. Moving it moves a pointer. `IRQL <= DISPATCH_LEVEL`.
#[derive(Debug)]
pub struct PoolBox<T> {
    value: NonNull<T>,
    pool: Pool,
    owns: PhantomData<T>,
}

// SAFETY: owns its value, as a `T` would.
unsafe impl<T: Send> Send for PoolBox<T> {}
// SAFETY: owns its value, as a `T` would.
unsafe impl<T: Sync> Sync for PoolBox<T> {}

impl<T> PoolBox<T> {
    /// A block that holds `value`.
    pub fn new(pool: Pool, value: T) -> Result<Self> {
        let value_at = Self::place(pool)?;
        // SAFETY: fresh memory of the size of `T`, aligned for it.
        unsafe { value_at.write(value) };
        Ok(Self {
            value: value_at,
            pool,
            owns: PhantomData,
        })
    }

    /// A block of zeros, which never passes through the stack.
    pub fn zeroed(pool: Pool) -> Result<Self>
    where
        T: FromZeros,
    {
        Ok(Self {
            value: Self::place(pool)?,
            pool,
            owns: PhantomData,
        })
    }

    fn place(pool: Pool) -> Result<NonNull<T>> {
        const {
            assert!(
                size_of::<T>() > 0 && align_of::<T>() <= 16,
                "pool memory is aligned to 16 bytes"
            )
        };
        Ok(pool.allocate(size_of::<T>())?.cast())
    }
}

impl<T> Deref for PoolBox<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: initialised when the box was made, and owned by it.
        unsafe { self.value.as_ref() }
    }
}

impl<T> DerefMut for PoolBox<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: initialised when the box was made, and owned by it.
        unsafe { self.value.as_mut() }
    }
}

impl<T> Drop for PoolBox<T> {
    fn drop(&mut self) {
        // SAFETY: initialised, and not used afterwards.
        unsafe { self.value.drop_in_place() };
        self.pool.free(self.value.cast(), size_of::<T>());
    }
}

/// A run of plain values in nonpaged pool, zero at first. `IRQL <= DISPATCH_LEVEL`.
#[derive(Debug)]
pub struct PoolSlice<T> {
    first: NonNull<T>,
    length: usize,
    pool: Pool,
    owns: PhantomData<T>,
}

// SAFETY: owns its values, as a `[T]` would.
unsafe impl<T: Send> Send for PoolSlice<T> {}
// SAFETY: owns its values, as a `[T]` would.
unsafe impl<T: Sync> Sync for PoolSlice<T> {}

impl<T: FromZeros + Copy> PoolSlice<T> {
    /// A block of `length` zeroed values.
    pub fn zeroed(pool: Pool, length: usize) -> Result<Self> {
        const { assert!(align_of::<T>() <= 16, "pool memory is aligned to 16 bytes") };
        let bytes = length
            .checked_mul(size_of::<T>())
            .ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
        Ok(Self {
            first: pool.allocate(bytes)?.cast(),
            length,
            pool,
            owns: PhantomData,
        })
    }
}

impl<T> Deref for PoolSlice<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `length` values, valid since zero is, owned by the block.
        unsafe { core::slice::from_raw_parts(self.first.as_ptr(), self.length) }
    }
}

impl<T> DerefMut for PoolSlice<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: `length` values, valid since zero is, owned by the block.
        unsafe { core::slice::from_raw_parts_mut(self.first.as_ptr(), self.length) }
    }
}

impl<T> Drop for PoolSlice<T> {
    fn drop(&mut self) {
        self.pool.free(self.first.cast(), self.length * size_of::<T>());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_read_from_left_to_right_in_memory() {
        assert_eq!(PoolTag::new(b"Tag1").0.to_le_bytes(), *b"Tag1");
    }
}
