//! What can go wrong with a simulated PC.

use ntsim::image::ImageError;
use ntsim::verifier::Crash;
use thiserror::Error;

/// What can go wrong with a simulated PC.
#[derive(Debug, Error)]
pub enum SimError {
    /// The machine stopped: a bug check, a rule that was broken, a hang.
    #[error("the simulated machine stopped: {0}")]
    Stopped(#[from] Box<Crash>),
    /// The driver did not load.
    #[error("{driver} did not load: its entry point failed with NTSTATUS {status:#010x}")]
    DriverLoad {
        /// The file of an image, or what it is instead.
        driver: String,
        /// What `DriverEntry` returned.
        status: u32,
    },
    /// The driver's image was refused.
    #[error("{0}")]
    Image(ImageError),
    /// The device did not start.
    #[error("the device did not start: NTSTATUS {status:#010x}")]
    DeviceStart {
        /// Status of the start request.
        status: u32,
    },
    /// The device could not be opened.
    #[error("the device could not be opened: NTSTATUS {status:#010x}")]
    Open {
        /// Status of the create request.
        status: u32,
    },
    /// A buffer cannot be made as asked.
    #[error("a buffer cannot start {page_offset} bytes into a page")]
    PageOffset {
        /// The offset asked for.
        page_offset: usize,
    },
    /// The device could not be removed, or the driver not be unloaded.
    #[error("the device could not be shut down: NTSTATUS {status:#010x}")]
    Shutdown {
        /// Status of the request.
        status: u32,
    },
    /// The machine was shut down and something was left.
    #[error("after shutdown something is left:\n{0}")]
    Outstanding(Box<crate::Report>),
}

impl From<Crash> for SimError {
    fn from(crash: Crash) -> Self {
        Self::Stopped(Box::new(crash))
    }
}
