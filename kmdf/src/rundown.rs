//! Values that come and go while others use them.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ops::Deref;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;

/// A value that exists only between [`publish`](Rundown::publish) and [`retire`](Rundown::retire), such as the hardware of a device. Users borrow it for a short
/// time, without a lock and at any IRQL; retiring waits for them.
#[derive(Debug)]
pub struct Rundown<T> {
    /// Bit 0: published. Bit 1: being published or retired. Above: the number of borrowers.
    state: AtomicUsize,
    value: UnsafeCell<MaybeUninit<T>>,
}

const PUBLISHED: usize = 1;
const CHANGING: usize = 2;
const BORROWER: usize = 4;

/// How long borrowers may take after the value was retired.
const PATIENCE: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(1);

// SAFETY: the value moves in and out only while nobody borrows it.
unsafe impl<T: Send> Send for Rundown<T> {}
// SAFETY: borrowers share the value, and whoever retires it takes it.
unsafe impl<T: Send + Sync> Sync for Rundown<T> {}

/// Why a value could not be retired or published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RundownError {
    /// There is none, or there is one already.
    WrongState,
    /// A borrower did not finish. The value stays where it is, for ever.
    StillBorrowed,
}

impl<T> Rundown<T> {
    /// Without a value.
    pub const fn new() -> Self {
        Self {
            state: AtomicUsize::new(0),
            value: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// Puts a value in. Any IRQL.
    pub fn publish(&self, value: T) -> Result<(), RundownError> {
        let free = self
            .state
            .compare_exchange(0, CHANGING, Ordering::Acquire, Ordering::Relaxed);
        free.map_err(|_| RundownError::WrongState)?;
        // SAFETY: nobody else reads or writes while CHANGING is set and PUBLISHED is not.
        let place = unsafe { &mut *self.value.get() };
        place.write(value);
        self.state.store(PUBLISHED, Ordering::Release);
        Ok(())
    }

    /// Borrows the value, if there is one. Any IRQL.
    pub fn borrow(&self) -> Option<Borrowed<'_, T>> {
        let grow = |state: usize| (state & PUBLISHED != 0).then_some(state + BORROWER);
        let grown = self.state.fetch_update(Ordering::Acquire, Ordering::Relaxed, grow);
        grown.ok().map(|_| Borrowed { from: self })
    }

    /// Lets nobody borrow the value any more, waits for those who did, and takes it out. `IRQL <= APC_LEVEL`.
    pub fn retire(&self) -> Result<T, RundownError> {
        let close = |state: usize| (state & PUBLISHED != 0).then_some((state & !PUBLISHED) | CHANGING);
        let closed = self.state.fetch_update(Ordering::Acquire, Ordering::Relaxed, close);
        closed.map_err(|_| RundownError::WrongState)?;
        let unused = || (self.state.load(Ordering::Acquire) == CHANGING).then_some(());
        crate::time::poll(PATIENCE, STEP, unused).ok_or(RundownError::StillBorrowed)?;
        // SAFETY: nobody borrows it, and CHANGING keeps it so.
        let place = unsafe { &*self.value.get() };
        // SAFETY: it was published, and is not used again: whoever publishes next overwrites it.
        let value = unsafe { place.assume_init_read() };
        self.state.store(0, Ordering::Release);
        Ok(value)
    }
}

impl<T> Default for Rundown<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for Rundown<T> {
    fn drop(&mut self) {
        if *self.state.get_mut() & PUBLISHED != 0 {
            // SAFETY: published, and nobody borrows: `self` is borrowed mutably.
            unsafe { self.value.get_mut().assume_init_drop() };
        }
    }
}

/// The value of a [`Rundown`], borrowed.
#[derive(Debug)]
pub struct Borrowed<'a, T> {
    from: &'a Rundown<T>,
}

impl<T> Deref for Borrowed<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: shared by borrowers only while the count is not zero.
        let value = unsafe { &*self.from.value.get() };
        // SAFETY: it was published when it was borrowed, and stays until the count is zero.
        unsafe { value.assume_init_ref() }
    }
}

impl<T> Drop for Borrowed<'_, T> {
    fn drop(&mut self) {
        self.from.state.fetch_sub(BORROWER, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_can_be_borrowed_only_while_it_is_published() {
        let rundown = Rundown::new();
        assert!(rundown.borrow().is_none());
        assert_eq!(rundown.publish(5), Ok(()));
        assert_eq!(rundown.publish(6), Err(RundownError::WrongState));
        {
            let (first, second) = (rundown.borrow(), rundown.borrow());
            assert_eq!(first.map(|value| *value), Some(5));
            assert_eq!(second.map(|value| *value), Some(5));
        }
        assert_eq!(rundown.state.load(Ordering::Relaxed), PUBLISHED);
    }

    #[test]
    fn dropping_drops_a_published_value() {
        let dropped = core::cell::Cell::new(0);
        struct Count<'a>(&'a core::cell::Cell<u32>);
        impl Drop for Count<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() + 1);
            }
        }
        let rundown = Rundown::new();
        assert!(rundown.publish(Count(&dropped)).is_ok());
        drop(rundown);
        assert_eq!(dropped.get(), 1);
        drop(Rundown::<Count<'_>>::new());
        assert_eq!(dropped.get(), 1);
    }
}
