//! What a target finds.

use std::fmt;

/// Two things that should be the same, or a law that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference(String);

impl Difference {
    /// A difference in words.
    pub fn new(what: String) -> Self {
        Self(what)
    }

    /// Nothing if `found` is what is `expected`.
    pub fn unless_equal<T: fmt::Debug + PartialEq>(what: &str, found: &T, expected: &T) -> Result<(), Self> {
        Self::unless(found == expected, || {
            format!("{what}: found {found:#?}, expected {expected:#?}")
        })
    }

    /// Nothing if the law `holds`.
    pub fn unless(holds: bool, what: impl FnOnce() -> String) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(Self(what())) }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Difference {}
