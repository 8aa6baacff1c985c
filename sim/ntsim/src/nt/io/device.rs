//! Device objects and device stacks.

use crate::{
    cross, machine, mem,
    verifier::{self, io},
};
use std::{cell::RefCell, collections::BTreeMap};
use wdk_sys::{
    BOOLEAN, CCHAR, CSHORT, DEVICE_OBJECT, DO_DEVICE_HAS_NAME, DO_DEVICE_INITIALIZING, DO_EXCLUSIVE, IO_TYPE_DEVICE,
    NTSTATUS, PDEVICE_OBJECT, PDRIVER_OBJECT, PFILE_OBJECT, PUNICODE_STRING, STATUS_SUCCESS, ULONG, USHORT,
};

nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Makes a device object.
    #[irql(..= APC_LEVEL)]
    #[trace("extension={DeviceExtensionSize} type={DeviceType:#x} characteristics={DeviceCharacteristics:#x}")]
    fn IoCreateDevice(
        DriverObject: PDRIVER_OBJECT, DeviceExtensionSize: ULONG, DeviceName: PUNICODE_STRING, DeviceType: ULONG,
        DeviceCharacteristics: ULONG, Exclusive: BOOLEAN, DeviceObject: *mut PDEVICE_OBJECT
    ) -> NTSTATUS {
        let named = if DeviceName.is_null() { 0 } else { DO_DEVICE_HAS_NAME };
        let exclusive = if Exclusive == 0 { 0 } else { DO_EXCLUSIVE };
        let shape = Shape {
            extension: DeviceExtensionSize as usize,
            kind: DeviceType,
            characteristics: DeviceCharacteristics,
            flags: DO_DEVICE_INITIALIZING | named | exclusive,
        };
        let device = create(DriverObject, shape, Ownership::Driver);
        // SAFETY: the caller's result, valid for the call by contract.
        unsafe { DeviceObject.write(device) };
        STATUS_SUCCESS
    }

    /// Deletes a device object: at once, or when nobody has it any more.
    #[irql(..= APC_LEVEL)]
    fn IoDeleteDevice(DeviceObject: PDEVICE_OBJECT) {
        delete(DeviceObject);
    }

    /// Puts a device on top of a stack; the device that was on top so far.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoAttachDeviceToDeviceStack(SourceDevice: PDEVICE_OBJECT, TargetDevice: PDEVICE_OBJECT) -> PDEVICE_OBJECT {
        attach(SourceDevice, TargetDevice)
    }

    /// Takes the device off that is attached to a device.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoDetachDevice(TargetDevice: PDEVICE_OBJECT) {
        detach(TargetDevice);
    }

    /// The device on top of a stack, with a reference.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoGetAttachedDeviceReference(DeviceObject: PDEVICE_OBJECT) -> PDEVICE_OBJECT {
        let top = top_of(DeviceObject);
        reference(top);
        top
    }

    /// The device that requests on a file go to.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoGetRelatedDeviceObject(FileObject: PFILE_OBJECT) -> PDEVICE_OBJECT {
        // SAFETY: the caller's file object, live by contract.
        top_of(unsafe { (*FileObject).DeviceObject })
    }
}

/// Who answers for a device object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// A driver under test or the framework.
    Driver,
    /// The bus driver, which is part of the kernel here.
    Bus,
}

/// What the I/O manager knows of a device object.
#[derive(Debug)]
struct Device {
    ownership: Ownership,
    driver: usize,
    /// The device below; 0 at the bottom.
    below: usize,
    references: u32,
    deleted: bool,
}

/// The device objects of a machine, by address.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    live: RefCell<BTreeMap<usize, Device>>,
    /// Every device object that was ever made, with its driver.
    made: RefCell<Vec<(usize, PDEVICE_OBJECT)>>,
}

impl Devices {
    /// Whether a device belongs to the kernel; none when it is no device, or a deleted one.
    pub(crate) fn is_kernels(&self, device: PDEVICE_OBJECT) -> Option<bool> {
        let live = self.live.borrow();
        live.get(&device.addr())
            .filter(|found| !found.deleted)
            .map(|found| found.ownership == Ownership::Bus)
    }

    /// How many device objects of a driver are in a stack.
    pub(crate) fn attached_count_of(&self, driver: PDRIVER_OBJECT) -> usize {
        let live = self.live.borrow();
        live.values()
            .filter(|device| device.driver == driver.addr() && device.below != 0)
            .count()
    }

    /// How many device objects a driver has.
    pub(crate) fn count_of(&self, driver: PDRIVER_OBJECT) -> usize {
        self.live
            .borrow()
            .values()
            .filter(|device| device.driver == driver.addr())
            .count()
    }

    /// Every device object that a driver ever made.
    pub(crate) fn made_by(&self, driver: PDRIVER_OBJECT) -> Vec<PDEVICE_OBJECT> {
        let made = self.made.borrow();
        made.iter()
            .filter(|(of, _)| *of == driver.addr())
            .map(|(_, device)| *device)
            .collect()
    }

    /// How many device objects drivers have.
    pub(crate) fn count(&self) -> u64 {
        self.live
            .borrow()
            .values()
            .filter(|device| device.ownership == Ownership::Driver)
            .count() as u64
    }

    fn with<R>(&self, device: PDEVICE_OBJECT, f: impl FnOnce(&mut Device) -> R) -> Option<R> {
        self.live.borrow_mut().get_mut(&device.addr()).map(f)
    }
}

/// What a device object is to be like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// The size of the device extension.
    pub(crate) extension: usize,
    /// The device type.
    pub(crate) kind: u32,
    /// Characteristics.
    pub(crate) characteristics: u32,
    /// Flags.
    pub(crate) flags: u32,
}

/// The size of the part that only the kernel uses.
const KERNEL_PART: usize = 112;

/// Makes a device object and puts it into the list of its driver.
pub(crate) fn create(driver: PDRIVER_OBJECT, shape: Shape, ownership: Ownership) -> PDEVICE_OBJECT {
    let own = size_of::<DEVICE_OBJECT>();
    let extension = shape.extension.next_multiple_of(16);
    let device: PDEVICE_OBJECT = mem::kernel_allocate(own + extension + KERNEL_PART, *b"Devi").cast();
    // SAFETY: a live driver object; it lists its devices.
    let next = unsafe { (*driver).DeviceObject };
    // SAFETY: freshly allocated and zeroed; zero is a value of every field.
    let fields = unsafe { &mut *device };
    fields.Type = IO_TYPE_DEVICE as CSHORT;
    fields.Size = (own + shape.extension) as USHORT;
    fields.DriverObject = driver;
    fields.NextDevice = next;
    fields.Flags = shape.flags;
    fields.Characteristics = shape.characteristics;
    fields.DeviceType = shape.kind;
    fields.StackSize = 1;
    let behind = device.wrapping_byte_add(own);
    fields.DeviceExtension = if shape.extension == 0 {
        core::ptr::null_mut()
    } else {
        behind.cast()
    };
    fields.DeviceObjectExtension = behind.wrapping_byte_add(extension).cast();
    // SAFETY: a live driver object.
    let place = unsafe { &raw mut (*driver).DeviceObject };
    // SAFETY: as above.
    unsafe { place.write(device) };
    let record = Device {
        ownership,
        driver: driver.addr(),
        below: 0,
        references: 1,
        deleted: false,
    };
    machine::with(|m| {
        m.io.devices.live.borrow_mut().insert(device.addr(), record);
        m.io.devices.made.borrow_mut().push((driver.addr(), device));
    });
    device
}

/// Deletes a device object.
pub(crate) fn delete(device: PDEVICE_OBJECT) {
    let state = machine::with(|m| m.io.devices.with(device, |found| (found.deleted, found.below)));
    let parameters = [device.addr() as u64, 0, 0];
    match state {
        None | Some((true, _)) => {
            let text = "IoDeleteDevice was given no device object, or one that was deleted before";
            return verifier::violation_with(io::DELETED_TWICE, parameters, text);
        }
        Some((false, below)) if below != 0 => {
            let text = "a device object was deleted while it is attached to another; IoDetachDevice comes first";
            verifier::violation_with(io::DELETED_ATTACHED, parameters, text);
            detach(device.with_addr(below));
        }
        Some(_) => {}
    }
    unlink(device);
    machine::with(|m| m.io.devices.with(device, |found| found.deleted = true));
    dereference(device);
}

/// Takes a device out of the list of its driver.
fn unlink(device: PDEVICE_OBJECT) {
    // SAFETY: a live device object and its live driver object.
    let driver = unsafe { (*device).DriverObject };
    // SAFETY: as above.
    let mut place = unsafe { &raw mut (*driver).DeviceObject };
    // SAFETY: the head of the list, then fields of live device objects in it.
    while let at = unsafe { place.read() }
        && !at.is_null()
    {
        // SAFETY: a live device object of the list.
        let next = unsafe { &raw mut (*at).NextDevice };
        if at == device {
            // SAFETY: as above.
            let rest = unsafe { next.read() };
            // SAFETY: as above.
            unsafe { place.write(rest) };
            return;
        }
        place = next;
    }
}

/// Adds a reference to a device object.
pub(crate) fn reference(device: PDEVICE_OBJECT) {
    machine::with(|m| m.io.devices.with(device, |found| found.references += 1));
}

/// Takes a reference away; the memory goes with the last.
pub(crate) fn dereference(device: PDEVICE_OBJECT) {
    let left = machine::with(|m| {
        m.io.devices.with(device, |found| {
            found.references -= 1;
            found.references
        })
    });
    if left == Some(0) {
        machine::with(|m| m.io.devices.live.borrow_mut().remove(&device.addr()));
        mem::kernel_free(device.cast());
    }
}

/// The references of an object if it is a device object.
pub(crate) fn references(address: usize) -> Option<u32> {
    machine::with(|m| m.io.devices.live.borrow().get(&address).map(|found| found.references))
}

/// The device on top of a stack.
pub(crate) fn top_of(device: PDEVICE_OBJECT) -> PDEVICE_OBJECT {
    let mut top = device;
    // SAFETY: live device objects: the caller's, and those attached to it.
    while let above = unsafe { (*top).AttachedDevice }
        && !above.is_null()
    {
        top = above;
    }
    top
}

fn attach(source: PDEVICE_OBJECT, target: PDEVICE_OBJECT) -> PDEVICE_OBJECT {
    if machine::with(|m| m.io.devices.is_kernels(target)).is_none() {
        return core::ptr::null_mut();
    }
    let top = top_of(target);
    // SAFETY: a live device object.
    let below = unsafe { top.read() };
    if below.Flags & DO_DEVICE_INITIALIZING != 0 {
        return core::ptr::null_mut();
    }
    if below.StackSize == CCHAR::MAX {
        cross::unimplemented(
            "ntoskrnl.exe",
            "IoAttachDeviceToDeviceStack of more devices than an IRP has locations",
        );
    }
    // SAFETY: the caller's device object, live by contract.
    let fields = unsafe { &mut *source };
    fields.StackSize = below.StackSize + 1;
    fields.AlignmentRequirement = below.AlignmentRequirement;
    fields.SectorSize = below.SectorSize;
    // SAFETY: a live device object.
    let place = unsafe { &raw mut (*top).AttachedDevice };
    // SAFETY: as above.
    unsafe { place.write(source) };
    machine::with(|m| m.io.devices.with(source, |found| found.below = top.addr()));
    top
}

fn detach(target: PDEVICE_OBJECT) {
    let known = machine::with(|m| m.io.devices.is_kernels(target)).is_some();
    let above = if known {
        // SAFETY: a device object that is known is live.
        unsafe { (*target).AttachedDevice }
    } else {
        core::ptr::null_mut()
    };
    if above.is_null() {
        let text = "IoDetachDevice was given a device object to which nothing is attached";
        return verifier::violation_with(io::DETACHED_TWICE, [target.addr() as u64, 0, 0], text);
    }
    // SAFETY: a live device object.
    let place = unsafe { &raw mut (*target).AttachedDevice };
    // SAFETY: as above.
    unsafe { place.write(core::ptr::null_mut()) };
    machine::with(|m| m.io.devices.with(above, |found| found.below = 0));
}
