//! The device in a simulated machine, which is started for the command and shut down after it.

use std::path::Path;

use hawser::Device;
use hawser::transport::TransportError;
use hawser::transport::simulated::{self, Access, Image, Machine, MemoryModel, Signing, SimConfig, SimulatedTransport};

use super::{DriverForm, Need, Place, Shutdown};
use crate::args::{DeviceArgs, Memory};
use crate::failure::Failure;

/// An open device.
pub struct Connection {
    device: Device<SimulatedTransport>,
    machine: Machine,
    place: Place,
}

impl Connection {
    /// Starts a machine and opens its device.
    pub fn open(args: &DeviceArgs, need: Need) -> Result<Self, Failure> {
        let memory = args.memory.unwrap_or_default();
        let signing = if args.signed {
            Signing::Required
        } else {
            Signing::Optional
        };
        let image = args
            .image
            .as_deref()
            .map(|path| open_image(path, signing))
            .transpose()?;
        let file = image.as_ref().map(|image| image.file().to_owned());
        let config = SimConfig {
            driver: image.map_or(simulated::DriverForm::Host, simulated::DriverForm::Image),
            memory: model(memory),
            seed: args.seed,
            ..SimConfig::default()
        };
        let machine = Machine::start(&config).map_err(Self::failure)?;
        let access = match need {
            Need::Queries => Access::Read,
            Need::Programs => Access::ReadWrite,
        };
        let device = machine.open(access)?;
        let place = Place {
            kind: "simulated",
            driver: DriverForm {
                form: if file.is_some() { "image" } else { "host" },
                file,
            },
            memory: Some(memory.name()),
            seed: args.seed,
        };
        Ok(Self { device, machine, place })
    }

    /// The device.
    pub fn device(&self) -> &Device<SimulatedTransport> {
        &self.device
    }

    /// What it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Closes the device, removes it, unloads the driver, and checks that nothing is left.
    pub fn close(self) -> Result<Option<Shutdown>, Failure> {
        drop(self.device);
        let report = self.machine.shutdown().map_err(Self::failure)?;
        Ok(Some(Shutdown {
            report: report.to_string(),
        }))
    }

    /// A failed call is the machine's doing.
    pub fn failure(error: TransportError) -> Failure {
        Failure::Machine(error)
    }
}

fn open_image(path: &Path, signing: Signing) -> Result<Image, Failure> {
    Image::open(path, signing).map_err(|error| Failure::Image {
        message: error.to_string(),
    })
}

fn model(memory: Memory) -> MemoryModel {
    match memory {
        Memory::Flat => MemoryModel::Flat,
        Memory::Scrambled => MemoryModel::Scrambled,
        Memory::Iommu => MemoryModel::Iommu,
        Memory::Bounce => MemoryModel::Bounce,
    }
}

/// Looking for the end of a request is what lets the machine run: there is no reason to pause.
pub fn pause() {}
