//! Loading and unloading drivers.

use super::{call, extension};
use crate::{
    cross, hal,
    image::{Image, ImageError, LoadedImage},
    kmdf,
    machine::{self, Machine},
    mem, mmio,
    nt::{ke, registry, rtl::text},
    verifier::{self, Crash, io},
};
use wdk_sys::{
    CSHORT, DRIVER_EXTENSION, DRIVER_OBJECT, IO_TYPE_DRIVER, NT_SUCCESS, NTSTATUS, PDRIVER_OBJECT, PUNICODE_STRING,
    STATUS_INVALID_DEVICE_REQUEST, UNICODE_STRING, standin::DriverEntry,
};

/// What stops an operation from outside.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// A driver or the kernel said no.
    #[error("status {0:#010x}")]
    Status(NTSTATUS),
    /// The image was refused before its entry point ran, or by the framework.
    #[error("{0}")]
    Image(ImageError),
    /// The machine stopped.
    #[error("{0}")]
    Crash(Box<Crash>),
}

impl From<Crash> for Failure {
    fn from(crash: Crash) -> Self {
        Self::Crash(Box::new(crash))
    }
}

impl Failure {
    /// A failure for a status that is none of success.
    pub(crate) fn check(status: NTSTATUS) -> Result<(), Self> {
        if NT_SUCCESS(status) {
            Ok(())
        } else {
            Err(Self::Status(status))
        }
    }
}

/// A driver that can be loaded.
#[derive(Debug, Clone, Copy)]
pub struct DriverImage {
    name: &'static str,
    entry: DriverEntry,
    binding: Binding,
}

/// How the entry point of an image is reached.
#[derive(Debug, Clone, Copy)]
enum Binding {
    /// Through the stub that binds it to the framework.
    Framework,
    /// Directly.
    None,
}

impl DriverImage {
    /// The entry point as the kernel calls it: the stub that binds the driver to the framework, if there is one.
    fn enter(&self, object: PDRIVER_OBJECT, path: PUNICODE_STRING) -> NTSTATUS {
        match self.binding {
            // SAFETY: a fresh driver object and a valid path, on the machine's thread at PASSIVE_LEVEL.
            Binding::Framework => unsafe { wdk_sys::standin::fx_driver_entry(object, path, self.entry) },
            // SAFETY: as above.
            Binding::None => unsafe { (self.entry)(object, path) },
        }
    }

    /// A KMDF driver that is compiled into this process.
    #[must_use]
    pub const fn host(name: &'static str, entry: DriverEntry) -> Self {
        Self {
            name,
            entry,
            binding: Binding::Framework,
        }
    }

    /// A driver without framework that is compiled into this process.
    #[must_use]
    pub const fn wdm(name: &'static str, entry: DriverEntry) -> Self {
        Self {
            name,
            entry,
            binding: Binding::None,
        }
    }
}

/// A loaded driver.
#[derive(Debug, Clone, Copy)]
pub struct Driver {
    pub(crate) object: PDRIVER_OBJECT,
    name: &'static str,
}

impl Machine {
    /// Loads a driver: its registry key, its driver object, its entry point.
    ///
    /// # Errors
    /// The entry point failed, or the machine stopped.
    pub fn load_driver(&self, image: DriverImage) -> Result<Driver, Failure> {
        let (object, status) = self.run("load driver", move || {
            load(image.name, None, move |object, path| image.enter(object, path))
        })?;
        Failure::check(status)?;
        Ok(Driver {
            object,
            name: image.name,
        })
    }

    /// Loads a driver image as service `name`.
    ///
    /// # Errors
    /// The entry point failed, the framework does not have the version that the image asks for, or the machine stopped.
    pub fn load_image(&self, name: &'static str, image: &Image) -> Result<Driver, Failure> {
        let file = image.file().to_owned();
        let image = image.clone();
        let (object, status) = self.run("load driver", move || load_image(name, &image))?;
        let refusal = kmdf::take_refusal();
        match refusal {
            Some(reason) if !NT_SUCCESS(status) => return Err(Failure::Image(ImageError::Framework { file, reason })),
            _ => Failure::check(status)?,
        }
        Ok(Driver { object, name })
    }
}

impl Driver {
    /// The driver object.
    #[must_use]
    pub fn object(&self) -> PDRIVER_OBJECT {
        self.object
    }

    /// The name of the service.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Unloads the driver, whose devices must be gone. What it leaves behind is a violation.
    ///
    /// # Errors
    /// The driver cannot be unloaded, or the machine stopped.
    pub fn unload(self) -> Result<(), Failure> {
        let status = machine::current().run("unload driver", move || unload(self))?;
        Failure::check(status)
    }
}

/// Everything of a driver object that goes with it.
struct Parts {
    object: PDRIVER_OBJECT,
    extension: *mut DRIVER_EXTENSION,
}

fn load_image(name: &str, image: &Image) -> (PDRIVER_OBJECT, NTSTATUS) {
    let loaded = LoadedImage::new(image);
    let entry = loaded.entry();
    // SAFETY: a fresh driver object and a valid path, on the machine's thread at PASSIVE_LEVEL; the image was checked and is mapped.
    let (object, status) = load(name, Some(&loaded), move |object, path| unsafe { entry(object, path) });
    if NT_SUCCESS(status) {
        loaded.end_initialization();
        machine::with(|m| m.io.images.serves(object, loaded));
    } else {
        loaded.unload();
    }
    (object, status)
}

/// Makes what a driver needs and calls its entry point.
fn load(
    name: &str,
    image: Option<&LoadedImage>,
    entry: impl FnOnce(PDRIVER_OBJECT, PUNICODE_STRING) -> NTSTATUS,
) -> (PDRIVER_OBJECT, NTSTATUS) {
    let key = registry::create_service(name);
    let Parts { object, extension } = make(name);
    if let Some(image) = image {
        let addresses = image.addresses();
        // SAFETY: a fresh driver object.
        let fields = unsafe { &mut *object };
        fields.DriverStart = core::ptr::with_exposed_provenance_mut(addresses.start);
        fields.DriverSize = addresses.len() as u32;
    }
    let mut path = text::allocate(&key);
    let path_pointer = &raw mut path;
    let status = cross::callback("DriverEntry", || entry(object, path_pointer), String::new);
    text::free(path);
    if !NT_SUCCESS(status) {
        check_leaks(name, object);
        destroy(object, extension);
    }
    (object, status)
}

/// Makes a driver object whose routines refuse everything.
fn make(name: &str) -> Parts {
    let object: PDRIVER_OBJECT = mem::kernel_allocate(size_of::<DRIVER_OBJECT>(), *b"Driv").cast();
    let extension: *mut DRIVER_EXTENSION = mem::kernel_allocate(size_of::<DRIVER_EXTENSION>(), *b"DrvX").cast();
    // SAFETY: freshly allocated and zeroed; zero is a value of every field.
    let fields = unsafe { &mut *object };
    fields.Type = IO_TYPE_DRIVER as CSHORT;
    fields.Size = size_of::<DRIVER_OBJECT>() as CSHORT;
    fields.DriverExtension = extension;
    fields.DriverName = text::allocate(&format!("\\Driver\\{name}"));
    fields.MajorFunction = [Some(call::invalid_request); 28];
    // SAFETY: as above.
    let fields = unsafe { &mut *extension };
    fields.DriverObject = object;
    fields.ServiceKeyName = text::allocate(name);
    Parts { object, extension }
}

/// Makes the driver object of the bus driver.
pub(crate) fn make_bus_driver(name: &str) -> PDRIVER_OBJECT {
    make(name).object
}

fn unload(driver: Driver) -> NTSTATUS {
    let object = driver.object;
    // SAFETY: a live driver object.
    let fields = unsafe { object.read() };
    if machine::with(|m| m.io.devices.attached_count_of(object)) > 0 {
        return wdk_sys::STATUS_DEVICE_BUSY;
    }
    let Some(routine) = fields.DriverUnload else {
        return STATUS_INVALID_DEVICE_REQUEST;
    };
    // SAFETY: the driver's unload routine, called as documented for it.
    cross::callback("DriverUnload", || unsafe { routine(object) }, String::new);
    check_leaks(driver.name, object);
    destroy(object, fields.DriverExtension);
    if let Some(image) = machine::with(|m| m.io.images.of_driver(object)) {
        image.unload();
    }
    wdk_sys::STATUS_SUCCESS
}

/// Reports what a driver that is gone left behind.
fn check_leaks(name: &str, object: PDRIVER_OBJECT) {
    mmio::check_unload(name);
    ke::check_work_items(name, &machine::with(|m| m.io.devices.made_by(object)));
    hal::check_unload(name);
    mem::check_unload(name);
    let devices = machine::with(|m| m.io.devices.count_of(object));
    if devices > 0 {
        let text = format!("{name} is gone and leaves {devices} device objects");
        verifier::violation_with(io::DEVICE_LEAK, [object.addr() as u64, devices as u64, 0], text);
    }
    let irps = machine::with(|m| m.io.irps.count(|owner| owner == cross::Domain::Driver));
    if irps > 0 {
        let text = format!("{name} is gone and leaves {irps} IRPs");
        verifier::violation_with(io::IRP_LEAK, [object.addr() as u64, irps, 0], text);
    }
}

fn destroy(object: PDRIVER_OBJECT, extension: *mut DRIVER_EXTENSION) {
    extension::free(object);
    // SAFETY: a live driver object; nobody uses it after this function.
    let name: UNICODE_STRING = unsafe { (*object).DriverName };
    // SAFETY: as above.
    let service = unsafe { (*extension).ServiceKeyName };
    text::free(name);
    text::free(service);
    mem::kernel_free(extension.cast());
    mem::kernel_free(object.cast());
}
