//! The device as the simulated user process has it open.

use ntsim::mem::Protection;
use ntsim::nt::io::{DesiredAccess, Handle, IoResult, PendingIo};

use crate::pc::SimPc;
use crate::{SimBuffer, SimError};

/// What a handle is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading: information, statistics, results.
    Read,
    /// Reading and writing: submissions too.
    ReadWrite,
    /// All of that, and resetting.
    Reset,
}

impl From<Access> for DesiredAccess {
    fn from(access: Access) -> Self {
        match access {
            Access::Read => Self::READ,
            Access::ReadWrite => Self::READ | Self::WRITE,
            Access::Reset => Self::READ | Self::WRITE | Self::DELETE,
        }
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IoOutcome {
    /// NTSTATUS, as its 32 bits.
    pub status: u32,
    /// What the driver put into the request's information field.
    pub information: usize,
}

impl From<IoResult> for IoOutcome {
    fn from(result: IoResult) -> Self {
        Self {
            status: result.status.cast_unsigned(),
            information: result.information as usize,
        }
    }
}

/// An open handle to the device.
#[derive(Clone, Debug)]
pub struct SimHandle {
    pc: SimPc,
    handle: Handle,
}

impl SimHandle {
    pub(crate) fn new(pc: SimPc, handle: Handle) -> Self {
        Self { pc, handle }
    }

    /// Sends a buffered request and waits for it. On success `output` holds what the driver returned.
    ///
    /// # Errors
    /// The machine stopped.
    pub fn control(&self, code: u32, input: &[u8], output: &mut [u8]) -> Result<IoOutcome, SimError> {
        let buffer = self
            .pc
            .machine()
            .user_memory()
            .allocate(output.len(), 0, Protection::ReadWrite);
        let range = (!output.is_empty()).then(|| buffer.range());
        let outcome = IoOutcome::from(self.handle.ioctl_and_wait(code, input, range)?);
        buffer.read(0, output);
        Ok(outcome)
    }

    /// Sends a request with a data buffer and returns while it is under way.
    ///
    /// # Errors
    /// The machine stopped earlier.
    pub fn submit(&self, code: u32, input: &[u8], data: Option<&SimBuffer>) -> Result<SimIo, SimError> {
        self.pc.alive()?;
        let io = self.handle.ioctl(code, input, data.map(SimBuffer::range));
        Ok(SimIo {
            pc: self.pc.clone(),
            io,
            _data: data.cloned(),
        })
    }

    /// Closes the handle, as the end of its process would.
    pub fn close(self) {
        // A machine that stopped has nothing left to close; its report says why it stopped.
        let _stopped = self.handle.close();
    }
}

/// A request under way. It keeps its data buffer alive.
#[derive(Debug)]
pub struct SimIo {
    pc: SimPc,
    io: PendingIo,
    _data: Option<SimBuffer>,
}

impl SimIo {
    /// Lets the machine run a little and says whether the request has ended.
    ///
    /// # Errors
    /// The machine stopped.
    pub fn poll(&self) -> Result<Option<IoOutcome>, SimError> {
        if self.io.result().is_none() {
            self.pc.run_for_progress()?;
        }
        Ok(self.io.result().map(IoOutcome::from))
    }

    /// Waits for the end of the request.
    ///
    /// # Errors
    /// The machine stopped.
    pub fn wait(&self) -> Result<IoOutcome, SimError> {
        Ok(self.pc.machine().wait(&self.io)?.into())
    }

    /// Asks for the request's cancelation.
    ///
    /// # Errors
    /// The machine stopped earlier.
    pub fn cancel(&self) -> Result<(), SimError> {
        self.pc.alive()?;
        self.io.cancel();
        Ok(())
    }
}
