//! Requests, owned: whoever holds a [`Request`] is the one who completes it, and completing uses it up.

use core::mem::ManuallyDrop;
use core::ptr::NonNull;

use wdk_sys::{WDF_REQUEST_PARAMETERS, WDFOBJECT, WDFREQUEST, call_unsafe_wdf_function_binding};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::context::{self, Context};
use crate::mdl::UserBuffer;
use crate::queue::Queue;
use crate::status::{NtStatus, Result, check};

/// A device control request that the driver owns.
///
/// One that is dropped is completed with `STATUS_INTERNAL_ERROR`, so that no request is ever lost; that is a net under the driver, not a way to complete.
///
/// A request cannot be used after it was completed, nor completed twice:
///
/// ```compile_fail,E0382
/// fn twice(request: kmdf::Request) {
///     request.complete(kmdf::NtStatus::SUCCESS);
///     request.complete(kmdf::NtStatus::SUCCESS);
/// }
/// ```
///
/// Its input lives no longer than the request:
///
/// ```compile_fail,E0505
/// fn late(request: kmdf::Request) -> usize {
///     let input = request.direct_input().unwrap_or_default();
///     request.complete(kmdf::NtStatus::SUCCESS);
///     input.len()
/// }
/// ```
#[derive(Debug)]
#[must_use = "a request must be completed or handed on"]
pub struct Request {
    handle: WDFREQUEST,
    ioctl: Ioctl,
}

// SAFETY: a request may be used from any thread; `Request` is its only owner.
unsafe impl Send for Request {}
// SAFETY: the methods that take `&self` only read what does not change before completion.
unsafe impl Sync for Request {}

/// What a device control request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ioctl {
    /// The control code.
    pub code: u32,
    /// Bytes of the input buffer.
    pub input_length: usize,
    /// Bytes of the output buffer.
    pub output_length: usize,
}

/// How the I/O manager passes buffers: the two low bits of a control code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Buffered,
    /// Both buffers are the caller's input: the second one was locked for reading only.
    InDirect,
    /// The second buffer is the caller's output, and was locked for writing.
    OutDirect,
    Neither,
}

impl Ioctl {
    fn method(self) -> Method {
        match self.code & 3 {
            0 => Method::Buffered,
            1 => Method::InDirect,
            2 => Method::OutDirect,
            _ => Method::Neither,
        }
    }
}

impl Request {
    /// Takes the request that the framework presented with these parameters.
    ///
    /// # Safety
    /// The framework just made the driver the owner of the request.
    pub(crate) unsafe fn presented(handle: WDFREQUEST, ioctl: Ioctl) -> Self {
        Self { handle, ioctl }
    }

    /// Takes a request that came out of a queue, or back from it.
    ///
    /// # Safety
    /// The framework just made the driver the owner of the request.
    pub(crate) unsafe fn retrieved(handle: WDFREQUEST) -> Self {
        let mut parameters = WDF_REQUEST_PARAMETERS {
            Size: size_of::<WDF_REQUEST_PARAMETERS>() as u16,
            ..Default::default()
        };
        // SAFETY: the request is the driver's; the pointer leads to a local.
        unsafe { call_unsafe_wdf_function_binding!(WdfRequestGetParameters, handle, &raw mut parameters) };
        // SAFETY: integers and a pointer, valid whatever was stored; queues of this crate hold device control requests only.
        let control = unsafe { parameters.Parameters.DeviceIoControl };
        let ioctl = Ioctl {
            code: control.IoControlCode,
            input_length: control.InputBufferLength,
            output_length: control.OutputBufferLength,
        };
        Self { handle, ioctl }
    }

    /// What is asked for.
    pub const fn ioctl(&self) -> Ioctl {
        self.ioctl
    }

    /// Gives the handle away without completing.
    fn into_handle(self) -> WDFREQUEST {
        ManuallyDrop::new(self).handle
    }

    /// Completes with a status. `IRQL <= DISPATCH_LEVEL`, no spin lock held.
    pub fn complete(self, status: NtStatus) {
        self.complete_with_information(status, 0);
    }

    /// Completes with a status and a number of bytes. `IRQL <= DISPATCH_LEVEL`, no spin lock held.
    pub fn complete_with_information(self, status: NtStatus, bytes: usize) {
        let handle = self.into_handle();
        // SAFETY: the driver owned the request, and nobody can use it any more.
        unsafe {
            call_unsafe_wdf_function_binding!(WdfRequestCompleteWithInformation, handle, status.raw(), bytes as u64);
        }
    }

    /// The input of a direct request.
    ///
    /// The bytes are the system buffer: kernel memory into which the I/O manager copied the caller's input before the driver saw the request, freed after
    /// completion. Nobody writes to it meanwhile, since with the direct methods output goes elsewhere; so it can be a plain slice, for as long as the request is
    /// borrowed. `STATUS_BUFFER_TOO_SMALL` where the input is empty; `STATUS_INVALID_DEVICE_REQUEST` for other methods.
    pub fn direct_input(&self) -> Result<&[u8]> {
        if !matches!(self.ioctl.method(), Method::InDirect | Method::OutDirect) {
            return Err(NtStatus::INVALID_DEVICE_REQUEST);
        }
        let (buffer, length) = self.input_buffer(1)?;
        // SAFETY: `length` bytes of kernel memory that nobody writes before completion, which would use up `self`.
        Ok(unsafe { core::slice::from_raw_parts(buffer.as_ptr(), length) })
    }

    fn input_buffer(&self, least: usize) -> Result<(NonNull<u8>, usize)> {
        let (mut buffer, mut length) = (core::ptr::null_mut(), 0);
        // SAFETY: the driver owns the request; the pointers lead to locals.
        let status = unsafe {
            call_unsafe_wdf_function_binding!(
                WdfRequestRetrieveInputBuffer,
                self.handle,
                least,
                &raw mut buffer,
                &raw mut length
            )
        };
        check(status)?;
        Ok((NonNull::new(buffer.cast()).ok_or(NtStatus::INTERNAL_ERROR)?, length))
    }

    /// The input of a buffered request, which must have exactly the size of `T`. `STATUS_INVALID_PARAMETER` where it has not.
    pub fn buffered_input<T: FromBytes>(&self) -> Result<T> {
        if self.ioctl.method() != Method::Buffered {
            return Err(NtStatus::INVALID_DEVICE_REQUEST);
        }
        if self.ioctl.input_length != size_of::<T>() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let (buffer, length) = self.input_buffer(size_of::<T>())?;
        // SAFETY: `length` bytes of kernel memory; the slice ends before anything writes the output, which shares the memory.
        let bytes = unsafe { core::slice::from_raw_parts(buffer.as_ptr(), length) };
        T::read_from_bytes(bytes).map_err(|_| NtStatus::INVALID_PARAMETER)
    }

    /// Completes a buffered request with `value` as output. `STATUS_BUFFER_TOO_SMALL` where the output buffer does not hold it.
    pub fn reply<T: IntoBytes + Immutable>(self, value: &T) {
        match self.write_output(value.as_bytes()) {
            Ok(()) => self.complete_with_information(NtStatus::SUCCESS, size_of::<T>()),
            Err(status) => self.complete(status),
        }
    }

    fn write_output(&self, bytes: &[u8]) -> Result {
        if self.ioctl.method() != Method::Buffered {
            return Err(NtStatus::INVALID_DEVICE_REQUEST);
        }
        let (mut buffer, mut length) = (core::ptr::null_mut(), 0);
        // SAFETY: the driver owns the request; the pointers lead to locals.
        let status = unsafe {
            call_unsafe_wdf_function_binding!(
                WdfRequestRetrieveOutputBuffer,
                self.handle,
                bytes.len(),
                &raw mut buffer,
                &raw mut length
            )
        };
        check(status)?;
        if buffer.is_null() || length < bytes.len() {
            return Err(NtStatus::BUFFER_TOO_SMALL);
        }
        // SAFETY: the framework checked the length; the caller's bytes are not the system buffer, to which this crate lends no reference that lives on.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.cast::<u8>(), bytes.len()) };
        Ok(())
    }

    /// The output buffer of a `METHOD_OUT_DIRECT` request. `STATUS_BUFFER_TOO_SMALL` where it is empty; `STATUS_INVALID_DEVICE_REQUEST` for other methods. With
    /// `METHOD_IN_DIRECT` the pages are locked for reading only, and a [`UserBuffer`] can be written.
    pub fn user_buffer(&self) -> Result<UserBuffer<'_>> {
        if self.ioctl.method() != Method::OutDirect {
            return Err(NtStatus::INVALID_DEVICE_REQUEST);
        }
        let mut mdl = core::ptr::null_mut();
        // SAFETY: the driver owns the request; the pointer leads to a local.
        let status =
            unsafe { call_unsafe_wdf_function_binding!(WdfRequestRetrieveOutputWdmMdl, self.handle, &raw mut mdl) };
        check(status)?;
        let mdl = NonNull::new(mdl).ok_or(NtStatus::BUFFER_TOO_SMALL)?;
        // SAFETY: with this method the I/O manager locked the pages for writing, until completion, which would use up `self`.
        Ok(unsafe { UserBuffer::new(mdl) })
    }

    /// The context of the file object through which the request came, if it has one of type `F`.
    pub fn file<F: Context>(&self) -> Option<&F> {
        // SAFETY: the driver owns the request.
        let file = unsafe { call_unsafe_wdf_function_binding!(WdfRequestGetFileObject, self.handle) };
        if file.is_null() {
            return None;
        }
        // SAFETY: the request keeps its file object alive until it is completed.
        unsafe { context::get::<F>(file.cast()) }
    }

    /// The context of the request itself, if it was initialised with a value of type `R`.
    pub fn note<R: Context>(&self) -> Option<&R> {
        // SAFETY: the driver owns the request, so it is alive.
        unsafe { context::get::<R>(self.object()) }
    }

    /// Initialises the context of the request. Fails where that was done before, or requests have no context of this type.
    pub fn set_note<R: Context>(&self, value: R) -> Result<&R> {
        // SAFETY: the driver owns the request, so it is alive.
        unsafe { context::set(self.object(), value) }
    }

    fn object(&self) -> WDFOBJECT {
        self.handle.cast()
    }

    /// Puts the request at the end of a manual queue, which then owns it. Comes back where the queue does not take it.
    pub fn forward(self, queue: &Queue) -> core::result::Result<(), (Self, NtStatus)> {
        // SAFETY: the driver owns the request; the queue is alive, as it is a child of the device that the driver serves.
        let status =
            unsafe { call_unsafe_wdf_function_binding!(WdfRequestForwardToIoQueue, self.handle, queue.handle()) };
        self.unless_taken(status)
    }

    /// Puts a request that was retrieved from a manual queue back at that queue's head.
    pub fn requeue(self) -> core::result::Result<(), (Self, NtStatus)> {
        // SAFETY: the driver owns the request; the framework checks that it came from a manual queue.
        let status = unsafe { call_unsafe_wdf_function_binding!(WdfRequestRequeue, self.handle) };
        self.unless_taken(status)
    }

    fn unless_taken(self, status: i32) -> core::result::Result<(), (Self, NtStatus)> {
        match check(status) {
            Ok(()) => {
                let _queue_owns_it = ManuallyDrop::new(self);
                Ok(())
            }
            Err(status) => Err((self, status)),
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        crate::debug::message(c"kmdf: a request was dropped without being completed");
        let handle = self.handle;
        // SAFETY: the driver owned the request, and nobody can use it any more.
        unsafe {
            call_unsafe_wdf_function_binding!(WdfRequestComplete, handle, NtStatus::INTERNAL_ERROR.raw());
        }
    }
}

/// A request that the driver owns elsewhere and that the framework asks it to stop, in EvtIoStop.
///
/// Doing nothing makes the framework wait for its completion before the device leaves D0.
#[derive(Debug)]
pub struct StoppedRequest {
    pub(crate) handle: WDFREQUEST,
}

impl StoppedRequest {
    /// Lets the device leave D0 while the driver keeps the request; EvtIoResume will follow.
    pub fn keep(self) {
        let handle = self.handle;
        // SAFETY: called within EvtIoStop for the request that it is about, at most once.
        unsafe {
            call_unsafe_wdf_function_binding!(WdfRequestStopAcknowledge, handle, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_output_buffer_was_locked_for_writing() {
        let method = |code| {
            Ioctl {
                code,
                input_length: 0,
                output_length: 0,
            }
            .method()
        };
        let methods = [0, 1, 2, 3].map(|low| method(0x8A57_E010 | low));
        assert_eq!(
            methods,
            [Method::Buffered, Method::InDirect, Method::OutDirect, Method::Neither]
        );
    }
}
