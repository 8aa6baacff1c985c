//! An overlapped request in flight.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::io;
use std::ptr;
use std::sync::Arc;
use std::task::Waker;

use windows_sys::Win32::Foundation::{ERROR_IO_INCOMPLETE, ERROR_IO_PENDING, ERROR_NOT_FOUND, GetLastError};
use windows_sys::Win32::System::IO::{CancelIoEx, DeviceIoControl, GetOverlappedResult, OVERLAPPED};

use super::buffer::WindowsBuffer;
use super::event::Event;
use super::file::DeviceFile;
use super::status::from_win32;
use super::waiter::Waiter;
use crate::status::NtStatus;
use crate::transport::{Outcome, Request, TransportError, Unsent};

/// The output buffer of an IOCTL, if there is one.
pub(super) struct OutputBuffer(pub Option<WindowsBuffer>);

impl OutputBuffer {
    fn pointer_and_length(&self) -> Option<(*mut c_void, u32)> {
        match &self.0 {
            Some(buffer) => Some((buffer.start().cast(), buffer.length_u32()?)),
            None => Some((ptr::null_mut(), 0)),
        }
    }
}

/// What is sent.
pub(super) struct Sent {
    pub(super) code: u32,
    pub(super) input: Vec<u8>,
    pub(super) output: OutputBuffer,
}

/// Everything that the kernel may touch until the request has ended. It stays at its address.
struct Shared {
    overlapped: UnsafeCell<OVERLAPPED>,
    event: Event,
    sent: Sent,
}

impl Shared {
    /// The NTSTATUS that the I/O manager put into the first field of the `OVERLAPPED`.
    fn status(&self) -> NtStatus {
        let status = self.overlapped.get().cast::<usize>();
        // SAFETY: `OVERLAPPED` is `repr(C)` and begins with `Internal`, a `usize`; the read is volatile since the kernel writes it.
        NtStatus(unsafe { ptr::read_volatile(status) } as u32)
    }
}

/// Whether a wait blocks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    Look,
    Wait,
}

/// A request. It owns what the kernel uses; dropping it cancels the request and waits for its end.
pub struct WindowsRequest {
    file: Arc<DeviceFile>,
    /// Waits for the event in `shared`, and so is dropped before it.
    waiter: Option<Waiter>,
    /// Taken only after the end.
    shared: Option<Box<Shared>>,
    outcome: Option<Outcome>,
}

// SAFETY: nothing in a request belongs to a thread: with `CancelIoEx` and an event, any thread may wait for and cancel overlapped I/O,
// and the `OVERLAPPED` is reached only through `&mut self` or by the kernel.
unsafe impl Send for WindowsRequest {}

impl WindowsRequest {
    pub(super) fn send(file: &Arc<DeviceFile>, sent: Sent) -> Result<Self, Unsent<WindowsBuffer>> {
        let unsent = |error, sent: Sent| {
            Err(Unsent {
                error,
                buffer: sent.output.0,
            })
        };
        let input_length = u32::try_from(sent.input.len()).ok();
        let (Some(input_length), Some((output, output_length))) = (input_length, sent.output.pointer_and_length())
        else {
            return unsent(
                TransportError::new("DeviceIoControl", "a buffer is longer than 32 bits can say"),
                sent,
            );
        };
        let event = match Event::new() {
            Ok(event) => event,
            Err(error) => return unsent(error, sent),
        };
        let overlapped = OVERLAPPED {
            hEvent: event.raw(),
            ..OVERLAPPED::default()
        };
        let shared = Box::new(Shared {
            overlapped: UnsafeCell::new(overlapped),
            event,
            sent,
        });
        let input = shared.sent.input.as_ptr().cast();
        // SAFETY: input, output and `OVERLAPPED` are live and of the lengths stated; `Shared` owns them and is not freed or moved
        // before the request has ended (see `into_buffer` and `drop`). With an `OVERLAPPED` the byte count may be null.
        let done = unsafe {
            DeviceIoControl(
                file.raw(),
                shared.sent.code,
                input,
                input_length,
                output,
                output_length,
                ptr::null_mut(),
                shared.overlapped.get(),
            )
        };
        let mut request = Self {
            file: file.clone(),
            waiter: None,
            shared: Some(shared),
            outcome: None,
        };
        if done == 0 {
            request.outcome = match last_error() {
                ERROR_IO_PENDING => None,
                // The call failed without a pending request: the kernel is done with the buffers.
                error => Some(Outcome {
                    status: from_win32(error),
                    information: 0,
                }),
            };
        }
        Ok(request)
    }

    fn ask(&mut self, patience: Patience) -> Result<Option<Outcome>, TransportError> {
        if let (None, Some(shared)) = (self.outcome, &self.shared) {
            self.outcome = self.overlapped_result(shared, patience)?;
        }
        Ok(self.outcome)
    }

    fn overlapped_result(&self, shared: &Shared, patience: Patience) -> Result<Option<Outcome>, TransportError> {
        let overlapped = shared.overlapped.get();
        let mut transferred = 0;
        // SAFETY: `overlapped` belongs to a request on this handle and is live; `transferred` is a live local.
        let ok = unsafe {
            GetOverlappedResult(
                self.file.raw(),
                overlapped,
                &mut transferred,
                i32::from(patience == Patience::Wait),
            )
        };
        if ok == 0 {
            match last_error() {
                ERROR_IO_INCOMPLETE => return Ok(None),
                error if shared.status() == NtStatus::PENDING => return Err(os_error("GetOverlappedResult", error)),
                _ => {}
            }
        }
        Ok(Some(Outcome {
            status: shared.status(),
            information: transferred as usize,
        }))
    }

    /// Makes sure that the request has ended; says whether it has.
    fn settle(&mut self) -> bool {
        if self.shared.is_none() || self.outcome.is_some() {
            return true;
        }
        // A request that cannot be cancelled any more ends by itself.
        let _ = self.cancel();
        self.wait().is_ok()
    }
}

impl Request for WindowsRequest {
    type Buffer = WindowsBuffer;

    fn poll(&mut self) -> Result<Option<Outcome>, TransportError> {
        self.ask(Patience::Look)
    }

    fn wait(&mut self) -> Result<Outcome, TransportError> {
        let outcome = self.ask(Patience::Wait)?;
        outcome.ok_or_else(|| TransportError::new("GetOverlappedResult", "the wait ended before the request"))
    }

    fn cancel(&self) -> Result<(), TransportError> {
        let (None, Some(shared)) = (self.outcome, &self.shared) else {
            return Ok(());
        };
        // SAFETY: the `OVERLAPPED` belongs to a request on this handle and is live.
        let ok = unsafe { CancelIoEx(self.file.raw(), shared.overlapped.get()) };
        match (ok, last_error()) {
            (0, error) if error != ERROR_NOT_FOUND => Err(os_error("CancelIoEx", error)),
            _ => Ok(()),
        }
    }

    fn notify(&mut self, waker: &Waker) -> Result<(), TransportError> {
        if self.outcome.is_some() {
            waker.wake_by_ref();
            return Ok(());
        }
        match (&self.waiter, &self.shared) {
            (Some(waiter), _) => waiter.replace(waker),
            (None, Some(shared)) => self.waiter = Some(Waiter::new(shared.event.raw(), waker)?),
            (None, None) => waker.wake_by_ref(),
        }
        Ok(())
    }

    fn into_buffer(mut self) -> Option<WindowsBuffer> {
        self.waiter = None;
        if self.settle() {
            self.shared.take()?.sent.output.0.take()
        } else {
            None
        }
    }
}

impl Drop for WindowsRequest {
    fn drop(&mut self) {
        self.waiter = None;
        if !self.settle() {
            // The kernel may still write to these: they are leaked rather than freed under it.
            std::mem::forget(self.shared.take());
        }
    }
}

fn os_error(call: &'static str, code: u32) -> TransportError {
    TransportError::new(call, io::Error::from_raw_os_error(code as i32))
}

fn last_error() -> u32 {
    // SAFETY: the function reads a value of the calling thread.
    unsafe { GetLastError() }
}
