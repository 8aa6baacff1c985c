//! Files that arrays come from and go to: pictures where the name ends in `.png`, NumPy files otherwise.

use std::path::{Path, PathBuf};

use hawser_abi::op::ElementType;
use thiserror::Error;

use crate::npy::{self, NpyArray, NpyError, Wanted};
use crate::png_file::{self, PngError, is_png};

/// Why a file cannot be used.
#[derive(Debug, Error)]
pub enum ArrayFileError {
    /// A NumPy file.
    #[error(transparent)]
    Npy(#[from] NpyError),
    /// A picture.
    #[error(transparent)]
    Png(#[from] PngError),
}

impl ArrayFileError {
    /// A word for the error that stays the same when its message changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Npy(error) => error.code(),
            Self::Png(error) => error.code(),
        }
    }
}

/// Reads an array.
pub fn read(path: &Path, wanted: Wanted) -> Result<NpyArray, ArrayFileError> {
    if is_png(path) {
        Ok(png_file::read(path, wanted)?)
    } else {
        Ok(npy::read(path, wanted)?)
    }
}

/// Where a file would be written, by a name that no other path has; see [`npy::destination`].
pub fn destination(path: &Path) -> Result<PathBuf, ArrayFileError> {
    Ok(npy::destination(path)?)
}

/// Refuses, before anything runs, an array that cannot be written to a file of this name.
pub fn check(path: &Path, element: ElementType, shape: &[u64]) -> Result<(), ArrayFileError> {
    if is_png(path) {
        png_file::check(path, element, shape)?;
    }
    Ok(())
}

/// Writes an array.
pub fn write(path: &Path, element: ElementType, array: &NpyArray) -> Result<(), ArrayFileError> {
    if is_png(path) {
        Ok(png_file::write(path, array)?)
    } else {
        Ok(npy::write(path, element, array)?)
    }
}
