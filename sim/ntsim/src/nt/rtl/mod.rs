//! Run-time library functions.

mod strings;
mod version;

pub(crate) use strings::text;

use crate::cross::Export;

/// The functions that this part exports.
pub(crate) const EXPORTS: &[&[Export]] = &[strings::EXPORTS, version::EXPORTS];
