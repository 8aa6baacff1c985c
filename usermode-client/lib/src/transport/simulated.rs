//! A simulated machine in this process: Windows, the driver and the accelerator, all of it deterministic.
//!
//! A machine lives on the thread that started it, and it only runs while that thread waits for something.

use std::task::Waker;

use hawser_machine::{IoOutcome, SimBuffer, SimError, SimHandle, SimIo, SimPc};

use crate::device::Device;
use crate::error::Error;
use crate::status::NtStatus;
use crate::transport::{Buffer, Outcome, OutsideBuffer, Request, Transport, TransportError, Unsent};

pub use hawser_machine::{Access, DriverForm, Image, ImageError, MemoryModel, Report, Signing, SimConfig};

/// A running machine with the driver loaded and the accelerator plugged in. Clones are the same machine.
#[derive(Clone, Debug)]
pub struct Machine {
    pc: SimPc,
}

impl Machine {
    /// Boots a machine.
    pub fn start(config: &SimConfig) -> Result<Self, TransportError> {
        let pc = SimPc::start(config).map_err(|error| failed("booting the simulated machine", &error))?;
        Ok(Self { pc })
    }

    /// Opens the device. Each call makes a handle of its own.
    pub fn open(&self, access: Access) -> Result<Device<SimulatedTransport>, Error> {
        let handle = self
            .pc
            .open(access)
            .map_err(|error| failed("opening the device", &error))?;
        Ok(Device::new(SimulatedTransport {
            pc: self.pc.clone(),
            handle: Some(handle),
        }))
    }

    /// Removes the device and unloads the driver. Fails if a rule was broken or something is left; the message lists it.
    pub fn shutdown(self) -> Result<Report, TransportError> {
        self.pc
            .shutdown()
            .map_err(|error| failed("shutting the simulated machine down", &error))
    }
}

/// An open handle of the device in a simulated machine. Dropping it closes the handle.
#[derive(Debug)]
pub struct SimulatedTransport {
    pc: SimPc,
    /// Present until it is dropped.
    handle: Option<SimHandle>,
}

impl SimulatedTransport {
    fn handle(&self) -> Result<&SimHandle, TransportError> {
        self.handle
            .as_ref()
            .ok_or_else(|| TransportError::new("using the device", "the handle is closed"))
    }

    fn send(&self, code: u32, input: &[u8], data: Option<&SimBuffer>) -> Result<SimIo, TransportError> {
        self.handle()?
            .submit(code, input, data)
            .map_err(|error| failed("sending a request", &error))
    }
}

impl Drop for SimulatedTransport {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.close();
        }
    }
}

/// Memory of the process in the machine.
#[derive(Debug)]
pub struct SimulatedBuffer(SimBuffer);

impl Buffer for SimulatedBuffer {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn read(&self, offset: usize, into: &mut [u8]) -> Result<(), OutsideBuffer> {
        OutsideBuffer::check(offset, into.len(), self.len())?;
        self.0.read(offset, into);
        Ok(())
    }

    fn write(&mut self, offset: usize, from: &[u8]) -> Result<(), OutsideBuffer> {
        OutsideBuffer::check(offset, from.len(), self.len())?;
        self.0.write(offset, from);
        Ok(())
    }
}

impl Transport for SimulatedTransport {
    type Buffer = SimulatedBuffer;
    type Request = SimulatedRequest;

    fn allocate(&self, length: usize, page_offset: usize) -> Result<SimulatedBuffer, TransportError> {
        let buffer = self
            .pc
            .allocate(length, page_offset)
            .map_err(|error| failed("allocating a buffer", &error))?;
        Ok(SimulatedBuffer(buffer))
    }

    fn control(&self, code: u32, input: &[u8], output: &mut [u8]) -> Result<Outcome, TransportError> {
        let outcome = self.handle()?.control(code, input, output);
        outcome
            .map(Outcome::from)
            .map_err(|error| failed("sending a request", &error))
    }

    fn submit(
        &self,
        code: u32,
        input: Vec<u8>,
        data: Option<SimulatedBuffer>,
    ) -> Result<SimulatedRequest, Unsent<SimulatedBuffer>> {
        match self.send(code, &input, data.as_ref().map(|buffer| &buffer.0)) {
            Ok(io) => Ok(SimulatedRequest {
                io,
                buffer: data,
                state: State::InFlight,
            }),
            Err(error) => Err(Unsent { error, buffer: data }),
        }
    }
}

/// Whether a request may still run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    InFlight,
    Ended,
}

/// A request in flight in a simulated machine.
#[derive(Debug)]
pub struct SimulatedRequest {
    io: SimIo,
    buffer: Option<SimulatedBuffer>,
    state: State,
}

impl SimulatedRequest {
    /// Makes sure that the request has ended; says whether it has.
    fn settle(&mut self) -> bool {
        if self.state == State::InFlight {
            // A request that cannot be cancelled any more ends by itself, and in a machine that stopped nothing runs any more.
            let _ = self.cancel();
            let _ = self.wait();
        }
        self.state == State::Ended
    }
}

impl Request for SimulatedRequest {
    type Buffer = SimulatedBuffer;

    fn poll(&mut self) -> Result<Option<Outcome>, TransportError> {
        let outcome = self
            .io
            .poll()
            .map_err(|error| failed("waiting for a request", &error))?;
        if outcome.is_some() {
            self.state = State::Ended;
        }
        Ok(outcome.map(Outcome::from))
    }

    fn wait(&mut self) -> Result<Outcome, TransportError> {
        let outcome = self
            .io
            .wait()
            .map_err(|error| failed("waiting for a request", &error))?;
        self.state = State::Ended;
        Ok(outcome.into())
    }

    fn cancel(&self) -> Result<(), TransportError> {
        self.io.cancel().map_err(|error| failed("cancelling a request", &error))
    }

    /// Polling is what lets the machine run, so that it is always worth while.
    fn notify(&mut self, waker: &Waker) -> Result<(), TransportError> {
        waker.wake_by_ref();
        Ok(())
    }

    fn into_buffer(mut self) -> Option<SimulatedBuffer> {
        if self.settle() { self.buffer.take() } else { None }
    }
}

impl Drop for SimulatedRequest {
    fn drop(&mut self) {
        self.settle();
    }
}

impl From<IoOutcome> for Outcome {
    fn from(outcome: IoOutcome) -> Self {
        Self {
            status: NtStatus(outcome.status),
            information: outcome.information,
        }
    }
}

/// The machine's errors belong to its thread; what they say does not.
fn failed(call: &'static str, error: &SimError) -> TransportError {
    TransportError::new(call, error.to_string())
}
