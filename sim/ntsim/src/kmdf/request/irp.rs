//! The IRP of a request, as far as the framework reads and writes it.
//!
//! IRPs are shared with the kernel: nothing here makes a reference into one.

use wdk_sys::*;

/// An IRP that is at the framework's device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Irp(PIRP);

/// Reads a field.
macro_rules! read {
    ($self:ident . $($field:tt)+) => {{
        // SAFETY: the framework owns the IRP, so it is there.
        unsafe { (*$self.0).$($field)+ }
    }};
}

/// Writes a field.
macro_rules! write {
    ($self:ident . $($field:tt).+ = $value:expr) => {{
        let value = $value;
        // SAFETY: the framework owns the IRP, so it is there and nobody else writes this field.
        unsafe { (*$self.0).$($field).+ = value }
    }};
}

/// Reads a field of the current stack location.
macro_rules! stack {
    ($self:ident . $($field:tt)+) => {{
        let stack = $self.stack();
        // SAFETY: an IRP at a device has a current stack location.
        unsafe { (*stack).$($field)+ }
    }};
}

/// The parameters of a device control request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeviceControl {
    /// The control code.
    pub(crate) code: u32,
    /// Bytes of input.
    pub(crate) input: u32,
    /// Bytes of output.
    pub(crate) output: u32,
}

impl DeviceControl {
    /// `METHOD_BUFFERED` and so on.
    pub(crate) fn method(&self) -> u32 {
        self.code & 3
    }
}

impl Irp {
    /// An IRP that the kernel handed to the framework.
    pub(crate) fn new(irp: PIRP) -> Self {
        Self(irp)
    }

    /// The kernel's pointer.
    pub(crate) fn raw(self) -> PIRP {
        self.0
    }

    fn stack(self) -> PIO_STACK_LOCATION {
        read!(self.Tail.Overlay.__bindgen_anon_2.__bindgen_anon_1.CurrentStackLocation)
    }

    /// `IRP_MJ_*`.
    pub(crate) fn major(self) -> u32 {
        u32::from(stack!(self.MajorFunction))
    }

    /// The minor function.
    pub(crate) fn minor(self) -> UCHAR {
        stack!(self.MinorFunction)
    }

    /// The file object.
    pub(crate) fn file(self) -> PFILE_OBJECT {
        stack!(self.FileObject)
    }

    /// Length of a read.
    pub(crate) fn read_length(self) -> u32 {
        stack!(self.Parameters.Read.Length)
    }

    /// Length of a write.
    pub(crate) fn write_length(self) -> u32 {
        stack!(self.Parameters.Write.Length)
    }

    /// The parameters of a device control.
    pub(crate) fn device_control(self) -> DeviceControl {
        DeviceControl {
            code: stack!(self.Parameters.DeviceIoControl.IoControlCode),
            input: stack!(self.Parameters.DeviceIoControl.InputBufferLength),
            output: stack!(self.Parameters.DeviceIoControl.OutputBufferLength),
        }
    }

    /// The user's pointer to the input of a `METHOD_NEITHER` request.
    pub(crate) fn type3_input(self) -> PVOID {
        stack!(self.Parameters.DeviceIoControl.Type3InputBuffer)
    }

    /// The parameters as the driver sees them.
    pub(crate) fn parameters(self) -> _WDF_REQUEST_PARAMETERS__bindgen_ty_1 {
        const { assert!(size_of::<_WDF_REQUEST_PARAMETERS__bindgen_ty_1>() == size_of::<_IO_STACK_LOCATION__bindgen_ty_1>()) }
        let stack = self.stack();
        // SAFETY: an IRP at a device has a current stack location.
        let parameters = unsafe { &raw const (*stack).Parameters };
        // SAFETY: the framework's union has the size of the kernel's and the same members, as the headers demand.
        unsafe { parameters.cast::<_WDF_REQUEST_PARAMETERS__bindgen_ty_1>().read() }
    }

    /// `IoMarkIrpPending`.
    pub(crate) fn mark_pending(self) {
        let stack = self.stack();
        let control = stack!(self.Control) | UCHAR::try_from(SL_PENDING_RETURNED).expect("a bit");
        // SAFETY: an IRP at a device has a current stack location, which is the framework's to write.
        unsafe { (*stack).Control = control }
    }

    /// `Irp->MdlAddress`.
    pub(crate) fn mdl(self) -> PMDL {
        read!(self.MdlAddress)
    }

    /// `Irp->AssociatedIrp.SystemBuffer`.
    pub(crate) fn system_buffer(self) -> PVOID {
        read!(self.AssociatedIrp.SystemBuffer)
    }

    /// `Irp->UserBuffer`.
    pub(crate) fn user_buffer(self) -> PVOID {
        read!(self.UserBuffer)
    }

    /// Whether the IRP came from user mode.
    pub(crate) fn requestor_mode(self) -> KPROCESSOR_MODE {
        read!(self.RequestorMode)
    }

    /// Whether it was cancelled.
    pub(crate) fn is_cancelled(self) -> bool {
        read!(self.Cancel) != 0
    }

    /// The IRQL to go back to after the cancel spin lock.
    pub(crate) fn cancel_irql(self) -> KIRQL {
        read!(self.CancelIrql)
    }

    /// `IoSetCancelRoutine`.
    pub(crate) fn exchange_cancel_routine(self, routine: PDRIVER_CANCEL) -> PDRIVER_CANCEL {
        let old = read!(self.CancelRoutine);
        write!(self.CancelRoutine = routine);
        old
    }

    /// `Irp->Flags`.
    pub(crate) fn flags(self) -> u32 {
        read!(self.Flags)
    }

    /// Sets `Irp->Flags`.
    pub(crate) fn set_flags(self, flags: u32) {
        write!(self.Flags = flags);
    }

    /// `Irp->IoStatus.Status`.
    pub(crate) fn status(self) -> NTSTATUS {
        read!(self.IoStatus.__bindgen_anon_1.Status)
    }

    /// Sets `Irp->IoStatus.Status`.
    pub(crate) fn set_status(self, status: NTSTATUS) {
        write!(self.IoStatus.__bindgen_anon_1.Status = status);
    }

    /// `Irp->IoStatus.Information`.
    pub(crate) fn information(self) -> ULONG_PTR {
        read!(self.IoStatus.Information)
    }

    /// Sets `Irp->IoStatus.Information`.
    pub(crate) fn set_information(self, information: ULONG_PTR) {
        write!(self.IoStatus.Information = information);
    }

    /// The word that the framework keeps in the IRP while it is in a queue.
    pub(crate) fn tag(self) -> PVOID {
        read!(self.Tail.Overlay.__bindgen_anon_1.__bindgen_anon_1.DriverContext[3])
    }

    /// Sets the word of [`Irp::tag`].
    pub(crate) fn set_tag(self, tag: PVOID) {
        let mut context = read!(self.Tail.Overlay.__bindgen_anon_1.__bindgen_anon_1.DriverContext);
        context[3] = tag;
        write!(self.Tail.Overlay.__bindgen_anon_1.__bindgen_anon_1.DriverContext = context);
    }

    /// Completes the IRP with what was set.
    pub(crate) fn complete(self, boost: CCHAR) {
        // SAFETY: the framework owns the IRP and gives it up here.
        unsafe { ntddk::IofCompleteRequest(self.0, boost) }
    }

    /// Completes an IRP that no request was made for.
    pub(crate) fn fail(self, status: NTSTATUS) -> NTSTATUS {
        self.set_status(status);
        self.set_information(0);
        self.complete(0);
        status
    }
}
