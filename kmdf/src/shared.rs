//! Memory that a device or user threads may change at any moment.
//!
//! Such memory is never a plain reference or slice: the compiler may assume of those that nobody else writes. A [`SharedMemory`] is reached by relaxed atomic
//! accesses of bytes and aligned 64-bit words only, which stay defined whatever others do meanwhile. What was read once is a value of the driver's own; reading
//! again may give something else.
//!
//! Accesses are not ordered among each other. [`fence`](crate::fence) orders them with what follows.

use core::marker::PhantomData;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// An access reached outside the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange;

/// A run of shared memory. Copying the view does not copy the memory.
#[derive(Clone, Copy, Debug)]
pub struct SharedMemory<'a> {
    base: *mut u8,
    length: usize,
    memory: PhantomData<&'a ()>,
}

// SAFETY: every access is atomic.
unsafe impl Send for SharedMemory<'_> {}
// SAFETY: every access is atomic.
unsafe impl Sync for SharedMemory<'_> {}

const WORD: usize = size_of::<u64>();

impl<'a> SharedMemory<'a> {
    /// A view of `length` bytes at `base`.
    ///
    /// # Safety
    /// For `'a` the bytes are mapped, readable and writable, and no plain reference to them exists.
    pub(crate) unsafe fn new(base: *mut u8, length: usize) -> Self {
        Self {
            base,
            length,
            memory: PhantomData,
        }
    }

    /// Bytes of the memory.
    pub const fn len(&self) -> usize {
        self.length
    }

    /// There are no bytes.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The part of `length` bytes from `offset` on.
    pub fn part(&self, offset: usize, length: usize) -> Result<Self, OutOfRange> {
        let end = offset.checked_add(length).ok_or(OutOfRange)?;
        if end > self.length {
            return Err(OutOfRange);
        }
        Ok(Self {
            base: self.base.wrapping_add(offset),
            length,
            memory: PhantomData,
        })
    }

    /// Writes `bytes` at `offset`.
    pub fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), OutOfRange> {
        let to = self.part(offset, bytes.len())?;
        let (head, words) = to.split_head();
        let (first, rest) = bytes.split_at(head);
        let (middle, last) = rest.split_at(words * WORD);
        to.write_bytes(0, first);
        for (index, word) in middle.chunks_exact(WORD).enumerate() {
            let value = word.try_into().map_or(0, u64::from_ne_bytes);
            to.word(head + index * WORD).store(value, Relaxed);
        }
        to.write_bytes(head + words * WORD, last);
        Ok(())
    }

    /// Reads into `bytes` from `offset`.
    pub fn read(&self, offset: usize, bytes: &mut [u8]) -> Result<(), OutOfRange> {
        let from = self.part(offset, bytes.len())?;
        let (head, words) = from.split_head();
        let (first, rest) = bytes.split_at_mut(head);
        let (middle, last) = rest.split_at_mut(words * WORD);
        from.read_bytes(0, first);
        for (index, word) in middle.chunks_exact_mut(WORD).enumerate() {
            word.copy_from_slice(&from.word(head + index * WORD).load(Relaxed).to_ne_bytes());
        }
        from.read_bytes(head + words * WORD, last);
        Ok(())
    }

    /// Writes a value at `offset`.
    pub fn write_value<T: IntoBytes + Immutable>(&self, offset: usize, value: &T) -> Result<(), OutOfRange> {
        self.write(offset, value.as_bytes())
    }

    /// Reads a value at `offset`. It is the driver's own copy.
    pub fn read_value<T: FromBytes + IntoBytes>(&self, offset: usize) -> Result<T, OutOfRange> {
        let mut value = T::new_zeroed();
        self.read(offset, value.as_mut_bytes())?;
        Ok(value)
    }

    /// Writes zeros over the whole memory.
    pub fn clear(&self) {
        let (head, words) = self.split_head();
        for at in 0..head {
            self.byte(at).store(0, Relaxed);
        }
        for index in 0..words {
            self.word(head + index * WORD).store(0, Relaxed);
        }
        for at in head + words * WORD..self.length {
            self.byte(at).store(0, Relaxed);
        }
    }

    /// Copies all of `from`, which must have the same length and not overlap.
    pub fn copy_from(&self, from: &SharedMemory<'_>) -> Result<(), OutOfRange> {
        if from.length != self.length {
            return Err(OutOfRange);
        }
        let (head, words) = self.split_head();
        if !(from.base.addr().wrapping_add(head)).is_multiple_of(WORD) {
            self.copy_bytes(from, 0..self.length);
            return Ok(());
        }
        self.copy_bytes(from, 0..head);
        for index in 0..words {
            let at = head + index * WORD;
            self.word(at).store(from.word(at).load(Relaxed), Relaxed);
        }
        self.copy_bytes(from, head + words * WORD..self.length);
        Ok(())
    }

    fn copy_bytes(&self, from: &SharedMemory<'_>, range: core::ops::Range<usize>) {
        for at in range {
            self.byte(at).store(from.byte(at).load(Relaxed), Relaxed);
        }
    }

    fn write_bytes(&self, offset: usize, bytes: &[u8]) {
        for (at, byte) in bytes.iter().enumerate() {
            self.byte(offset + at).store(*byte, Relaxed);
        }
    }

    fn read_bytes(&self, offset: usize, bytes: &mut [u8]) {
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = self.byte(offset + at).load(Relaxed);
        }
    }

    /// Bytes before the first aligned word, and how many whole words follow.
    fn split_head(&self) -> (usize, usize) {
        let head = (self.base.addr().wrapping_neg() % WORD).min(self.length);
        (head, (self.length - head) / WORD)
    }

    /// The byte at `at`, which is below the length.
    fn byte(&self, at: usize) -> &AtomicU8 {
        debug_assert!(at < self.length);
        // SAFETY: inside the memory, which the maker of the view vouched for.
        unsafe { AtomicU8::from_ptr(self.base.wrapping_add(at)) }
    }

    /// The word at `at`, which is aligned and ends within the length.
    fn word(&self, at: usize) -> &AtomicU64 {
        let pointer = self.base.wrapping_add(at).cast::<u64>();
        debug_assert!(at + WORD <= self.length && pointer.is_aligned());
        // SAFETY: aligned, and inside the memory, which the maker of the view vouched for.
        unsafe { AtomicU64::from_ptr(pointer) }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// Memory of which a view may be made: cells, so that no plain reference stands in the way.
    struct Cells(Vec<core::cell::Cell<u64>>);

    impl Cells {
        fn new(bytes: usize) -> Self {
            Self((0..bytes.div_ceil(WORD)).map(|_| core::cell::Cell::new(0)).collect())
        }

        fn view(&self, skip: usize, length: usize) -> SharedMemory<'_> {
            assert!(skip + length <= self.0.len() * WORD);
            let base: *mut u8 = self.0.as_ptr().cast_mut().cast();
            // SAFETY: within the vector, which the view borrows; cells allow writes.
            unsafe { SharedMemory::new(base.wrapping_add(skip), length) }
        }
    }

    fn content(view: &SharedMemory<'_>) -> Vec<u8> {
        let mut bytes = std::vec![0; view.len()];
        view.read(0, &mut bytes).expect("the whole view");
        bytes
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_nothing_else_changes(
            skip in 0_usize..9, offset in 0_usize..40, bytes in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let cells = Cells::new(128);
            let view = cells.view(skip, 104);
            view.write(0, &[0xA5; 104]).expect("in range");
            view.write(offset, &bytes).expect("in range");
            let mut expected = std::vec![0xA5_u8; 104];
            expected[offset..offset + bytes.len()].copy_from_slice(&bytes);
            prop_assert_eq!(content(&view), expected);
            let mut back = std::vec![0; bytes.len()];
            view.read(offset, &mut back).expect("in range");
            prop_assert_eq!(back, bytes);
        }

        #[test]
        fn copies_do_not_depend_on_alignment(to_skip in 0_usize..9, from_skip in 0_usize..9, bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let (to_cells, from_cells) = (Cells::new(96), Cells::new(96));
            let to = to_cells.view(to_skip, bytes.len());
            let from = from_cells.view(from_skip, bytes.len());
            from.write(0, &bytes).expect("in range");
            to.copy_from(&from).expect("same length");
            prop_assert_eq!(content(&to), bytes);
        }

        #[test]
        fn clearing_stays_inside(skip in 0_usize..9, offset in 0_usize..30, length in 0_usize..50) {
            let cells = Cells::new(104);
            let view = cells.view(skip, 90);
            view.write(0, &[0xFF; 90]).expect("in range");
            view.part(offset, length).expect("in range").clear();
            let mut expected = std::vec![0xFF_u8; 90];
            expected[offset..offset + length].fill(0);
            prop_assert_eq!(content(&view), expected);
        }
    }

    #[test]
    fn nothing_reaches_outside() {
        let cells = Cells::new(64);
        let view = cells.view(0, 10);
        assert_eq!(view.write(8, &[0; 3]), Err(OutOfRange));
        assert_eq!(view.read(11, &mut []), Err(OutOfRange));
        assert_eq!(view.read_value::<u64>(3), Err(OutOfRange));
        assert_eq!(view.read_value::<u64>(2), Ok(0));
        assert!(view.part(usize::MAX, 2).is_err());
        assert_eq!(view.copy_from(&cells.view(16, 9)), Err(OutOfRange));
    }
}
