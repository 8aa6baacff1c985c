//! Run-time library functions.

use crate::cross::Export;

/// The functions that this part exports.
pub(crate) const EXPORTS: &[&[Export]] = &[];
