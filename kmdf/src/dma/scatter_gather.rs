//! The list of address ranges by which a device reaches a buffer.

use core::marker::PhantomData;
use core::ptr::NonNull;

use wdk_sys::{SCATTER_GATHER_ELEMENT, SCATTER_GATHER_LIST};

/// An address as the device puts it on the bus: a logical address, not a physical one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceAddress(pub u64);

/// A scatter-gather list, as long as the mapping that it describes cannot be released.
#[derive(Debug)]
pub struct ScatterGatherList<'a> {
    list: Option<NonNull<SCATTER_GATHER_LIST>>,
    callback: PhantomData<&'a ()>,
}

impl ScatterGatherList<'_> {
    /// The list that the framework passes to EvtProgramDma.
    ///
    /// # Safety
    /// Null, or a list that is followed by as many elements as it says, and that nobody writes, as long as this exists.
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

    /// The elements, in the order of the buffer.
    pub fn elements(&self) -> &[ScatterGatherElement] {
        let Some(list) = self.list else { return &[] };
        let first = list
            .as_ptr()
            .wrapping_byte_add(core::mem::offset_of!(SCATTER_GATHER_LIST, Elements));
        // SAFETY: so many elements follow the head, as the maker vouched, and nobody writes them; they are what a `ScatterGatherElement` is, and far fewer bytes than there are addresses.
        unsafe { core::slice::from_raw_parts(first.cast(), self.len() as usize) }
    }
}

/// A range of addresses by which a device reaches a part of a buffer.
#[repr(transparent)]
pub struct ScatterGatherElement(SCATTER_GATHER_ELEMENT);

impl ScatterGatherElement {
    /// The first address.
    pub const fn address(&self) -> DeviceAddress {
        // SAFETY: both views of the union are 64 bits of the address.
        let address = unsafe { self.0.Address.QuadPart };
        DeviceAddress(address.cast_unsigned())
    }

    /// Length in bytes.
    pub const fn length(&self) -> u32 {
        self.0.Length
    }
}

impl core::fmt::Debug for ScatterGatherElement {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:#x}+{:#x}", self.address().0, self.length())
    }
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
        let elements = view.elements().iter();
        let elements: Vec<_> = elements.map(|element| (element.address(), element.length())).collect();
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
        assert!(view.elements().is_empty());
    }
}
