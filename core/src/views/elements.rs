//! A scatter-gather list as its owner has it: a table takes groups of elements from it, and asks how each is read.

use crate::address::DeviceAddress;

/// The elements of a scatter-gather list, in the order of the data buffer, and how address and length of each are read.
#[derive(Clone, Copy, Debug)]
pub struct ScatterGatherElements<'l, E, F> {
    /// Those that were not taken.
    pub(super) list: &'l [E],
    read: F,
}

impl<'l, E, F: Fn(&E) -> (DeviceAddress, u32)> ScatterGatherElements<'l, E, F> {
    /// The elements of `list`, whose address and length in bytes `read` tells.
    pub const fn new(list: &'l [E], read: F) -> Self {
        Self { list, read }
    }

    /// Address and length of each of these elements.
    #[inline(always)]
    pub(super) fn read(&self, elements: &[E]) -> impl Iterator<Item = (DeviceAddress, u32)> {
        elements.iter().map(&self.read)
    }
}
