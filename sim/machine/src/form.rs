//! The two forms of the driver: compiled into this process, or the image that Windows installs.

use ntsim::image::Image;
use ntsim::machine::Machine;
use ntsim::nt::io::{Driver, DriverImage, Failure};

/// Which form of the driver a PC loads.
#[derive(Clone, Debug, Default)]
pub enum DriverForm {
    /// The driver compiled for the host, linked into this process: fast to build, and open to the host's debuggers and sanitizers.
    #[default]
    Host,
    /// `hawser.sys`, as it was built for Windows.
    Image(Image),
}

impl DriverForm {
    /// Loads the driver as a service.
    pub(crate) fn load(&self, machine: &Machine, service: &'static str) -> Result<Driver, Failure> {
        match self {
            Self::Host => machine.load_driver(DriverImage::host(service, hawser_driver::driver_entry)),
            Self::Image(image) => machine.load_image(service, image),
        }
    }
}

impl std::fmt::Display for DriverForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Host => f.write_str("the driver that is compiled into this program"),
            Self::Image(image) => f.write_str(image.file()),
        }
    }
}
