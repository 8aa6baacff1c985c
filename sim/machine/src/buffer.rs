//! Memory of the simulated user process.

use std::rc::Rc;

use ntsim::mem::{UserBuffer, UserRange};

/// A buffer of the simulated user process. Clones share the memory, which lives until the last is dropped.
#[derive(Clone, Debug)]
pub struct SimBuffer {
    memory: Rc<UserBuffer>,
}

impl SimBuffer {
    pub(crate) fn new(memory: UserBuffer) -> Self {
        Self {
            memory: Rc::new(memory),
        }
    }

    pub(crate) fn range(&self) -> UserRange {
        self.memory.range()
    }

    /// Bytes of the buffer.
    #[must_use]
    pub fn len(&self) -> usize {
        self.range().length
    }

    /// Whether the buffer has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies bytes out.
    ///
    /// # Panics
    /// The range is not inside the buffer.
    pub fn read(&self, offset: usize, into: &mut [u8]) {
        self.memory.read(offset, into);
    }

    /// Copies bytes in.
    ///
    /// # Panics
    /// The range is not inside the buffer.
    pub fn write(&self, offset: usize, from: &[u8]) {
        self.memory.write(offset, from);
    }
}
