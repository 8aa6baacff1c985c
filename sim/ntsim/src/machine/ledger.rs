//! What is outstanding.

/// A number of outstanding things of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// What they are, for example `pool`, `MDL`, `I/O space`.
    pub kind: &'static str,
    /// Who has them: a driver, a pool tag, a device.
    pub owner: String,
    /// How many.
    pub count: u64,
    /// How many bytes, where that says something.
    pub bytes: u64,
}
