//! Run-time library functions.

mod strings;
pub(crate) mod text;
mod version;

use crate::cross::Export;

/// The functions that this part exports.
pub(crate) const EXPORTS: &[&[Export]] = &[strings::EXPORTS, version::EXPORTS];
