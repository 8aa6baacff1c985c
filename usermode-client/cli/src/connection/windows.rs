//! The first device that is present.

use std::time::Duration;

use hawser::Device;
use hawser::transport::TransportError;
use hawser::transport::windows::{Access, WindowsTransport, open};

use super::{DriverForm, Need, Place, Shutdown};
use crate::args::DeviceArgs;
use crate::failure::Failure;

/// Time between two looks for the end of a request.
const PAUSE: Duration = Duration::from_millis(1);

/// An open device.
pub struct Connection {
    device: Device<WindowsTransport>,
    place: Place,
}

impl Connection {
    /// Opens the device.
    pub fn open(args: &DeviceArgs, need: Need) -> Result<Self, Failure> {
        if args.sim || args.memory.is_some() || args.seed.is_some() || args.image.is_some() {
            return Err(Failure::Usage {
                message: "this build has no simulated machine".into(),
            });
        }
        let access = match need {
            Need::Queries => Access::Read,
            Need::Programs => Access::ReadWrite,
        };
        let place = Place {
            kind: "device",
            driver: DriverForm {
                form: "device",
                file: None,
            },
            memory: None,
            seed: None,
        };
        Ok(Self {
            device: open(access)?,
            place,
        })
    }

    /// The device.
    pub fn device(&self) -> &Device<WindowsTransport> {
        &self.device
    }

    /// What it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Closes the device.
    pub fn close(self) -> Result<Option<Shutdown>, Failure> {
        drop(self.device);
        Ok(None)
    }

    /// A failed call is the system's or the driver's doing.
    pub fn failure(error: TransportError) -> Failure {
        Failure::Device(error.into())
    }
}

/// Leaves the processor to others between two looks for the end of a request.
pub fn pause() {
    std::thread::sleep(PAUSE);
}
