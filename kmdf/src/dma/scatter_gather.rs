//! The list of address ranges by which a device reaches a buffer.

use core::marker::PhantomData;
use core::ptr::NonNull;

use wdk_sys::{SCATTER_GATHER_ELEMENT, SCATTER_GATHER_LIST};

/// An address as the device puts it on the bus: a logical address, not a physical one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceAddress(pub u64);

/// A scatter-gather list, while EvtProgramDma runs.
#[derive(Debug)]
pub struct ScatterGatherList<'a> {
    list: Option<NonNull<SCATTER_GATHER_LIST>>,
    callback: PhantomData<&'a ()>,
}

impl ScatterGatherList<'_> {
    /// The list that the framework passes to EvtProgramDma.
    ///
    /// # Safety
    /// Null, or valid for the lifetime.
    pub(super) unsafe fn new(list: *mut SCATTER_GATHER_LIST) -> Self {
        Self {
            list: NonNull::new(list),
            callback: PhantomData,
        }
    }

    /// Number of elements. The caller must be ready for 0.
    pub fn len(&self) -> u32 {
        // SAFETY: valid, as the maker vouched.
        self.list.map_or(0, |list| unsafe { list.as_ref() }.NumberOfElements)
    }

    /// There are no elements: the system could not map the buffer.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Address and length in bytes of each element, in the order of the buffer.
    pub fn elements(&self) -> impl ExactSizeIterator<Item = (DeviceAddress, u64)> {
        let first = self.list.map_or(core::ptr::null(), |list| {
            let elements = list
                .as_ptr()
                .wrapping_byte_add(core::mem::offset_of!(SCATTER_GATHER_LIST, Elements));
            elements.cast::<SCATTER_GATHER_ELEMENT>().cast_const()
        });
        // Without a list there are no elements: nothing is read, and the pointer never leaves the list.
        (0..self.len() as usize).map(move |index| read(first.wrapping_add(index)))
    }
}

fn read(element: *const SCATTER_GATHER_ELEMENT) -> (DeviceAddress, u64) {
    // SAFETY: one of the list's elements, which follow it in memory.
    let element = unsafe { element.read() };
    // SAFETY: both views of the union are 64 bits of the address.
    let address = unsafe { element.Address.QuadPart };
    (DeviceAddress(address.cast_unsigned()), u64::from(element.Length))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;
    use wdk_sys::LARGE_INTEGER;

    #[repr(C)]
    struct ListOfTwo {
        head: SCATTER_GATHER_LIST,
        elements: [SCATTER_GATHER_ELEMENT; 2],
    }

    fn element(address: i64, length: u32) -> SCATTER_GATHER_ELEMENT {
        SCATTER_GATHER_ELEMENT {
            Address: LARGE_INTEGER { QuadPart: address },
            Length: length,
            Reserved: 0,
        }
    }

    #[test]
    fn elements_follow_the_head() {
        let mut list = ListOfTwo {
            head: SCATTER_GATHER_LIST {
                NumberOfElements: 2,
                Reserved: 0,
                Elements: Default::default(),
            },
            elements: [element(0x1000, 4096), element(-8, 16)],
        };
        // SAFETY: the list lives until the end of the test.
        let view = unsafe { ScatterGatherList::new((&raw mut list).cast()) };
        let elements: Vec<_> = view.elements().collect();
        assert_eq!(
            elements,
            [
                (DeviceAddress(0x1000), 4096),
                (DeviceAddress(0xFFFF_FFFF_FFFF_FFF8), 16)
            ]
        );
    }

    #[test]
    fn no_list_is_an_empty_list() {
        // SAFETY: null is allowed.
        let view = unsafe { ScatterGatherList::new(core::ptr::null_mut()) };
        assert!(view.is_empty());
        assert_eq!(view.elements().count(), 0);
    }
}
