//! Driver images: the `.sys` files that Windows loads, loaded here.
//!
//! | step | file |
//! |---|---|
//! | a file is read and everything about it is checked that needs no machine | [`file`](Image) |
//! | ...where its sections lie | `sections` |
//! | ...its signature | `signature`; its checksum is the `kernel_image` crate's business |
//! | ...what it imports | `imports` |
//! | its sections are laid out, relocated, bound and protected | `map`, `relocate`, `stubs` |
//! | functions that compilers call and that kernels export | `runtime` |
//! | addresses in reports get names | `symbols` |
//!
//! An image calls kernel functions, the framework's table and the pointers that it is given by the calling convention of Windows, which all functions of the simulator have; and it is called
//! the same way. So nothing stands between an image and the functions that serve a driver that is compiled for the host.

mod error;
mod file;
mod imports;
mod load;
mod map;
mod relocate;
mod runtime;
mod sections;
mod signature;
mod stubs;
mod symbols;

pub use error::ImageError;
pub use file::{Image, Signing};
pub(crate) use load::{Images, LoadedImage};
use map::Mapped;
pub(crate) use symbols::name_of;
