//! How requests reach a driver.
//!
//! A transport is one open handle. There are two: [`windows`](self) talks to the real device through `DeviceIoControl`, and `simulated`
//! to a machine in this process. Both keep the same rule: a data buffer is owned by the request until the driver has completed it.

#[cfg(not(windows))]
pub mod simulated;
#[cfg(windows)]
pub mod windows;

use std::error::Error as StdError;
use std::task::Waker;

use thiserror::Error;

use crate::status::NtStatus;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The status that the driver completed it with.
    pub status: NtStatus,
    /// Bytes that it returned.
    pub information: usize,
}

/// A call of the transport failed; the driver did not answer.
#[derive(Debug, Error)]
#[error("{call} failed: {cause}")]
pub struct TransportError {
    /// What was called.
    pub call: &'static str,
    /// What it said.
    #[source]
    pub cause: Box<dyn StdError + Send + Sync>,
}

impl TransportError {
    /// `call` failed for `cause`.
    pub fn new(call: &'static str, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            call,
            cause: cause.into(),
        }
    }
}

/// An access outside a data buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{length} bytes at offset {offset} are outside a data buffer of {size} bytes")]
pub struct OutsideBuffer {
    /// First byte of the access.
    pub offset: usize,
    /// Bytes of the access.
    pub length: usize,
    /// Bytes of the buffer.
    pub size: usize,
}

impl OutsideBuffer {
    /// Refuses an access of `length` bytes at `offset` that leaves a buffer of `size` bytes.
    pub fn check(offset: usize, length: usize, size: usize) -> Result<(), Self> {
        match offset.checked_add(length) {
            Some(end) if end <= size => Ok(()),
            _ => Err(Self { offset, length, size }),
        }
    }
}

/// Memory that a driver can lock and a device can reach. No request uses it while the caller holds it.
pub trait Buffer {
    /// Its length in bytes.
    fn len(&self) -> usize;
    /// Copies bytes from `offset` on out of the buffer.
    fn read(&self, offset: usize, into: &mut [u8]) -> Result<(), OutsideBuffer>;
    /// Copies bytes into the buffer from `offset` on.
    fn write(&mut self, offset: usize, from: &[u8]) -> Result<(), OutsideBuffer>;
    /// Whether it has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A request that was not sent, with its buffer.
#[derive(Debug)]
pub struct Unsent<B> {
    /// Why.
    pub error: TransportError,
    /// The buffer that was given.
    pub buffer: Option<B>,
}

/// An open handle of a device.
pub trait Transport {
    /// Data buffers of this transport.
    type Buffer: Buffer;
    /// Requests of this transport.
    type Request: Request<Buffer = Self::Buffer>;

    /// Allocates a data buffer of `length` bytes that begins `page_offset` bytes after a page boundary.
    fn allocate(&self, length: usize, page_offset: usize) -> Result<Self::Buffer, TransportError>;

    /// Sends a `METHOD_BUFFERED` IOCTL and waits for its end.
    fn control(&self, code: u32, input: &[u8], output: &mut [u8]) -> Result<Outcome, TransportError>;

    /// Sends an IOCTL whose output buffer is `data`, without waiting.
    fn submit(
        &self,
        code: u32,
        input: Vec<u8>,
        data: Option<Self::Buffer>,
    ) -> Result<Self::Request, Unsent<Self::Buffer>>;
}

/// A request in flight. It owns its data buffer; dropping it cancels it and waits for its end.
pub trait Request {
    /// Its data buffer.
    type Buffer: Buffer;

    /// How it ended, if it has; does not wait.
    fn poll(&mut self) -> Result<Option<Outcome>, TransportError>;
    /// Waits for its end.
    fn wait(&mut self) -> Result<Outcome, TransportError>;
    /// Asks the driver to end it early. It still ends only when [`Self::poll`] or [`Self::wait`] says so.
    fn cancel(&self) -> Result<(), TransportError>;
    /// Has `waker` woken when polling again is worth while.
    fn notify(&mut self, waker: &Waker) -> Result<(), TransportError>;
    /// Gives the data buffer back, waiting for the end first. Nothing comes back if the end cannot be learned.
    fn into_buffer(self) -> Option<Self::Buffer>;
}
