//! Who opens a device, and what its security descriptor lets them do.
//!
//! Every device has the descriptor that Windows gives a device by default: all rights for the system and administrators; reading, writing and executing for everybody. What an INF says instead is not
//! read; Hawser's gives users less, and administrators the same.

use wdk_sys::{READ_CONTROL, STANDARD_RIGHTS_ALL, SYNCHRONIZE};

/// Whose thread opens a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Account {
    /// A user without special rights, or an administrator whose process is not elevated.
    #[default]
    User,
    /// An administrator whose process is elevated.
    Administrator,
}

/// The rights that only files and devices have: reading, writing, executing... `FILE_DELETE_CHILD` is of no use for the first three.
const FILE_RIGHTS: u32 = 0x1FF;
const FILE_DELETE_CHILD: u32 = 0x40;
/// What `GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE` stand for.
const READ_WRITE_EXECUTE: u32 = READ_CONTROL | SYNCHRONIZE | FILE_RIGHTS & !FILE_DELETE_CHILD;
/// What `GENERIC_ALL` stands for.
const ALL: u32 = STANDARD_RIGHTS_ALL | FILE_RIGHTS;

impl Account {
    /// The rights that the descriptor gives.
    pub(super) const fn rights(self) -> u32 {
        match self {
            Self::User => READ_WRITE_EXECUTE,
            Self::Administrator => ALL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rights_add_up_to_those_of_the_headers() {
        assert_eq!(Account::Administrator.rights(), 0x001F_01FF);
        assert_eq!(Account::User.rights(), 0x0012_01BF);
    }
}
