//! Handles to open keys.

use std::collections::BTreeMap;
use wdk_sys::HANDLE;

/// What a handle was opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rights {
    /// Values may be read.
    Read,
    /// Values may be read and written.
    ReadWrite,
}

/// Open keys by handle. Kernel handles have the top bits set, and are multiples of four.
#[derive(Debug, Default)]
pub(super) struct Handles {
    open: BTreeMap<u32, (String, Rights)>,
    made: u32,
}

/// The first handle is this plus 4.
const KERNEL_HANDLE: usize = 0xFFFF_FFFF_8000_0000;

impl Handles {
    pub(super) fn insert(&mut self, path: String, rights: Rights) -> HANDLE {
        self.made += 1;
        self.open.insert(self.made, (path, rights));
        core::ptr::without_provenance_mut(KERNEL_HANDLE + 4 * self.made as usize)
    }

    pub(super) fn path(&self, handle: HANDLE) -> Option<(&str, Rights)> {
        self.open
            .get(&number(handle)?)
            .map(|(path, rights)| (path.as_str(), *rights))
    }

    /// Closes a handle; says whether it was open.
    pub(super) fn remove(&mut self, handle: HANDLE) -> bool {
        number(handle).is_some_and(|number| self.open.remove(&number).is_some())
    }

    /// The paths of all open keys.
    pub(super) fn open(&self) -> impl Iterator<Item = &str> {
        self.open.values().map(|(path, _)| path.as_str())
    }
}

fn number(handle: HANDLE) -> Option<u32> {
    let offset = handle.addr().checked_sub(KERNEL_HANDLE)?;
    u32::try_from(offset / 4).ok().filter(|_| offset % 4 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_handle_is_no_handle() {
        let mut handles = Handles::default();
        let handle = handles.insert("a".to_owned(), Rights::Read);
        assert_eq!(handles.path(handle), Some(("a", Rights::Read)));
        assert!(handles.remove(handle) && !handles.remove(handle));
        assert_eq!(handles.path(handle), None);
        assert_eq!(handles.path(core::ptr::null_mut()), None);
    }
}
