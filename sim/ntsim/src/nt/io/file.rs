//! File objects and handles: how a program opens and closes a device.

use super::{device, driver::Failure, interface::Target, irp::IoResult, security::Account, sync::send_and_wait};
use crate::{
    machine::{self, Machine},
    mem,
    nt::{pnp, rtl::text},
    sched,
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};
use wdk_sys::{
    _MODE, CSHORT, DO_EXCLUSIVE, FILE_OBJECT, GUID, IO_SECURITY_CONTEXT, IO_TYPE_FILE, IRP_MJ_CLEANUP, IRP_MJ_CLOSE,
    IRP_MJ_CREATE, NT_SUCCESS, PDEVICE_OBJECT, PFILE_OBJECT, PIO_STACK_LOCATION, PIRP, STATUS_ACCESS_DENIED,
    STATUS_NO_SUCH_DEVICE, STATUS_OBJECT_NAME_NOT_FOUND, UCHAR, UNICODE_STRING,
};

bitflags::bitflags! {
    /// What a handle is opened for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct DesiredAccess: u32 {
        /// Reading.
        const READ = wdk_sys::FILE_READ_DATA;
        /// Writing.
        const WRITE = wdk_sys::FILE_WRITE_DATA;
        /// Deleting, which devices do not do: drivers give it a meaning.
        const DELETE = wdk_sys::DELETE;
    }
}

/// The file objects of a machine: references by address.
#[derive(Debug, Default)]
pub(crate) struct Files(RefCell<BTreeMap<usize, u32>>);

impl Files {
    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.0.borrow().len() as u64
    }
}

/// The references of an object if it is a file object.
pub(crate) fn references(address: usize) -> Option<u32> {
    machine::with(|m| m.io.files.0.borrow().get(&address).copied())
}

/// Adds a reference.
pub(crate) fn reference(file: PFILE_OBJECT) {
    machine::with(|m| {
        m.io.files
            .0
            .borrow_mut()
            .entry(file.addr())
            .and_modify(|references| *references += 1);
    });
}

/// Takes a reference away. With the last the device gets IRP_MJ_CLOSE, in a thread of its own.
pub(crate) fn dereference(file: PFILE_OBJECT) {
    if drop_reference(file) {
        sched::spawn("close file object", move || close(file));
    }
}

/// Takes a reference away; whether it was the last.
fn drop_reference(file: PFILE_OBJECT) -> bool {
    machine::with(|m| {
        let mut files = m.io.files.0.borrow_mut();
        files.get_mut(&file.addr()).is_some_and(|references| {
            *references -= 1;
            *references == 0
        })
    })
}

/// An open handle of the user process. Dropping it does not close it: a process that forgets its handles is a leak that the ledger shows.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(crate) file: PFILE_OBJECT,
    pub(crate) access: DesiredAccess,
    closed: Rc<Cell<bool>>,
}

impl Machine {
    /// Opens the first enabled interface of a class, as a plain user.
    ///
    /// # Errors
    /// There is no such interface, the device's security descriptor or the driver refuses, or the machine stopped.
    pub fn open(&self, class: GUID, access: DesiredAccess) -> Result<Handle, Failure> {
        self.open_as(Account::User, class, access)
    }

    /// Opens the first enabled interface of a class.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_as(&self, account: Account, class: GUID, access: DesiredAccess) -> Result<Handle, Failure> {
        let opened = self.run("open device", move || open(account, &class, access))?;
        opened.map_err(Failure::Status)
    }

    /// How many enabled interfaces of a class there are.
    #[must_use]
    pub fn interfaces(&self, class: &GUID) -> usize {
        self.io.interfaces.enabled(class).len()
    }
}

impl Handle {
    /// The file object.
    #[must_use]
    pub fn file_object(&self) -> PFILE_OBJECT {
        self.file
    }

    /// Closes the handle. Requests that are pending go on, as after CloseHandle; the driver hears of it by IRP_MJ_CLEANUP.
    ///
    /// # Errors
    /// The machine stopped.
    pub fn close(&self) -> Result<(), Failure> {
        if self.closed.replace(true) {
            return Err(Failure::Status(wdk_sys::STATUS_INVALID_HANDLE));
        }
        let file = self.file;
        Ok(machine::current().run("close handle", move || cleanup(file))?)
    }

    /// Whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }
}

fn open(account: Account, class: &GUID, access: DesiredAccess) -> Result<Handle, i32> {
    let targets = machine::with(|m| m.io.interfaces.enabled(class));
    let target = targets.into_iter().next().ok_or(STATUS_OBJECT_NAME_NOT_FOUND)?;
    let pdo: PDEVICE_OBJECT = core::ptr::with_exposed_provenance_mut(target.pdo);
    if !pnp::may_be_opened(pdo) {
        return Err(STATUS_NO_SUCH_DEVICE);
    }
    if access.bits() & !account.rights() != 0 {
        return Err(STATUS_ACCESS_DENIED);
    }
    let top = device::top_of(pdo);
    // SAFETY: a live device object.
    let fields = unsafe { top.read() };
    if fields.Flags & DO_EXCLUSIVE != 0 && open_count(pdo) > 0 {
        return Err(STATUS_ACCESS_DENIED);
    }
    let file = make(pdo, access, &target);
    let result = create(top, file, access);
    if !NT_SUCCESS(result.status) {
        destroy(file);
        return Err(result.status);
    }
    Ok(Handle {
        file,
        access,
        closed: Rc::new(Cell::new(false)),
    })
}

fn open_count(pdo: PDEVICE_OBJECT) -> i32 {
    // SAFETY: a live device object.
    unsafe { (*pdo).ReferenceCount }
}

fn change_open_count(pdo: PDEVICE_OBJECT, change: i32) {
    let count = open_count(pdo) + change;
    // SAFETY: a live device object.
    let place = unsafe { &raw mut (*pdo).ReferenceCount };
    // SAFETY: as above.
    unsafe { place.write(count) };
}

fn make(pdo: PDEVICE_OBJECT, access: DesiredAccess, target: &Target) -> PFILE_OBJECT {
    let file: PFILE_OBJECT = mem::kernel_allocate(size_of::<FILE_OBJECT>(), *b"File").cast();
    // SAFETY: freshly allocated and zeroed; zero is a value of every field.
    let fields = unsafe { &mut *file };
    fields.Type = IO_TYPE_FILE as CSHORT;
    fields.Size = size_of::<FILE_OBJECT>() as CSHORT;
    fields.DeviceObject = pdo;
    fields.ReadAccess = access.contains(DesiredAccess::READ).into();
    fields.WriteAccess = access.contains(DesiredAccess::WRITE).into();
    if !target.reference.is_empty() {
        fields.FileName = text::allocate(&format!("\\{}", target.reference));
    }
    device::reference(pdo);
    change_open_count(pdo, 1);
    machine::with(|m| m.io.files.0.borrow_mut().insert(file.addr(), 1));
    file
}

/// Fills in the stack location of a request about a file.
fn about(irp: PIRP, stack: PIO_STACK_LOCATION, file: PFILE_OBJECT, major: u32) {
    // SAFETY: a fresh IRP of the caller.
    let place = unsafe { &raw mut (*irp).RequestorMode };
    // SAFETY: as above.
    unsafe { place.write(_MODE::UserMode as i8) };
    // SAFETY: as above.
    let place = unsafe { &raw mut (*irp).Tail.Overlay.OriginalFileObject };
    // SAFETY: as above.
    unsafe { place.write(file) };
    // SAFETY: as above; all fields are plain data.
    let location = unsafe { &mut *stack };
    location.MajorFunction = major as UCHAR;
    location.FileObject = file;
}

fn create(top: PDEVICE_OBJECT, file: PFILE_OBJECT, access: DesiredAccess) -> IoResult {
    let security: *mut IO_SECURITY_CONTEXT = mem::kernel_allocate(size_of::<IO_SECURITY_CONTEXT>(), *b"IoSc").cast();
    // SAFETY: freshly allocated and zeroed.
    let place = unsafe { &raw mut (*security).DesiredAccess };
    // SAFETY: as above.
    unsafe { place.write(access.bits()) };
    let result = send_and_wait(top, |irp, stack| {
        about(irp, stack, file, IRP_MJ_CREATE);
        // SAFETY: a fresh IRP.
        let place = unsafe { &raw mut (*stack).Parameters.Create.SecurityContext };
        // SAFETY: as above.
        unsafe { place.write(security) };
    });
    mem::kernel_free(security.cast());
    result
}

/// The last handle is closed.
fn cleanup(file: PFILE_OBJECT) {
    send_and_wait(related(file), |irp, stack| about(irp, stack, file, IRP_MJ_CLEANUP));
    if drop_reference(file) {
        close(file);
    }
}

/// The last reference is gone.
fn close(file: PFILE_OBJECT) {
    send_and_wait(related(file), |irp, stack| about(irp, stack, file, IRP_MJ_CLOSE));
    destroy(file);
    sched::notify();
}

/// The device that requests on a file go to.
pub(crate) fn related(file: PFILE_OBJECT) -> PDEVICE_OBJECT {
    // SAFETY: a live file object.
    device::top_of(unsafe { (*file).DeviceObject })
}

fn destroy(file: PFILE_OBJECT) {
    machine::with(|m| m.io.files.0.borrow_mut().remove(&file.addr()));
    // SAFETY: a file object that nobody uses any more.
    let name: UNICODE_STRING = unsafe { (*file).FileName };
    // SAFETY: as above.
    let pdo = unsafe { (*file).DeviceObject };
    text::free(name);
    change_open_count(pdo, -1);
    device::dereference(pdo);
    mem::kernel_free(file.cast());
}
