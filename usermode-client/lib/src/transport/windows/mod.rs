//! The real device: its interface is found, opened for overlapped I/O, and asked through `DeviceIoControl`.
//!
//! The kernel writes to three things while a request is in flight: the data buffer, the `OVERLAPPED` and the event in it. A
//! [`WindowsRequest`] owns all of them and gives nothing up before the request has ended.
#![allow(unsafe_code, reason = "Windows is called through its C interface")]

mod buffer;
mod event;
mod file;
mod interface;
mod request;
mod status;
mod waiter;

use std::sync::Arc;

use crate::device::Device;
use crate::error::Error;
use crate::transport::{Buffer, Outcome, Request, Transport, TransportError, Unsent};

pub use buffer::WindowsBuffer;
pub use file::Access;
pub use request::WindowsRequest;

use file::DeviceFile;
use request::{OutputBuffer, Sent};

/// An open handle of the device.
#[derive(Clone, Debug)]
pub struct WindowsTransport {
    file: Arc<DeviceFile>,
}

/// Paths of the devices that are present, as `CreateFile` takes them.
pub fn devices() -> Result<Vec<String>, TransportError> {
    let paths = interface::present()?;
    Ok(paths.iter().map(|path| String::from_utf16_lossy(path)).collect())
}

/// Opens the first device that is present.
pub fn open(access: Access) -> Result<Device<WindowsTransport>, Error> {
    let paths = interface::present()?;
    let path = paths.first().ok_or(Error::NoDevice)?;
    let file = Arc::new(DeviceFile::open(path, access)?);
    Ok(Device::new(WindowsTransport { file }))
}

impl Transport for WindowsTransport {
    type Buffer = WindowsBuffer;
    type Request = WindowsRequest;

    fn allocate(&self, length: usize, page_offset: usize) -> Result<WindowsBuffer, TransportError> {
        WindowsBuffer::allocate(length, page_offset)
    }

    fn control(&self, code: u32, input: &[u8], output: &mut [u8]) -> Result<Outcome, TransportError> {
        let answer = WindowsBuffer::allocate(output.len(), 0)?;
        let mut request = self
            .submit(code, input.to_vec(), Some(answer))
            .map_err(|unsent| unsent.error)?;
        let outcome = request.wait()?;
        let answer = request
            .into_buffer()
            .ok_or_else(|| TransportError::new("DeviceIoControl", "the answer is lost"))?;
        answer
            .read(0, output)
            .map_err(|error| TransportError::new("reading an answer", error))?;
        Ok(outcome)
    }

    fn submit(
        &self,
        code: u32,
        input: Vec<u8>,
        data: Option<WindowsBuffer>,
    ) -> Result<WindowsRequest, Unsent<WindowsBuffer>> {
        WindowsRequest::send(
            &self.file,
            Sent {
                code,
                input,
                output: OutputBuffer(data),
            },
        )
    }
}
