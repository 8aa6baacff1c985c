//! What the driver keeps for a handle: the records of its last submissions, and `IOCTL_HAWSER_GET_RESULT`; whether it may reset.

use hawser_abi::ioctl::RESET_ACCESS;
use hawser_abi::result::{ResultQuery, ResultRecord, VERSION};
use hawser_core::{BeginError, ResultTable, Ticket};
use kmdf::{FileOps, NewFile, NtStatus, PoolBox, Request, Result, SpinLock};

use crate::device::Device;

/// A handle's own state.
#[derive(Debug)]
pub struct Handle {
    results: SpinLock<PoolBox<ResultTable>>,
    reset: Reset,
}
kmdf::context_type!(Handle);

/// Whether a handle may reset the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// It was opened for that, which takes an administrator.
    Allowed,
    /// It was not.
    Denied,
}

impl FileOps for Handle {
    type Device = Device;

    fn open(device: &Device, file: &NewFile) -> Result<Self> {
        let reset = if file.has_access(RESET_ACCESS) {
            Reset::Allowed
        } else {
            Reset::Denied
        };
        Ok(Self {
            results: file.spin_lock(PoolBox::zeroed(device.pool)?)?,
            reset,
        })
    }
}

impl Handle {
    /// Whether it may reset the device.
    pub const fn reset(&self) -> Reset {
        self.reset
    }

    /// Enters a submission.
    pub fn begin(&self, cookie: u64) -> core::result::Result<Ticket, BeginError> {
        self.results.lock().begin(cookie)
    }

    /// Notes how a submission ended.
    pub fn complete(&self, ticket: Ticket, record: &ResultRecord) {
        self.results.lock().complete(ticket, record);
    }

    /// Enters a submission that ended at once. Leaves the record of one with the same cookie alone while that is in flight.
    pub fn note(&self, cookie: u64, record: &ResultRecord) {
        let mut results = self.results.lock();
        if let Ok(ticket) = results.begin(cookie) {
            results.complete(ticket, record);
        }
    }

    fn lookup(&self, cookie: u64) -> Option<ResultRecord> {
        self.results.lock().lookup(cookie).copied()
    }
}

/// Answers a result query. A malformed query ends with `STATUS_INVALID_PARAMETER`, an unknown cookie with `STATUS_NOT_FOUND`.
pub fn answer(request: Request) {
    match find(&request) {
        Ok(record) => request.reply(&record),
        Err(status) => request.complete(status),
    }
}

fn find(request: &Request) -> Result<ResultRecord> {
    let query: ResultQuery = request.buffered_input()?;
    if query.size as usize != size_of::<ResultQuery>() || query.version != VERSION {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let handle = request.file::<Handle>().ok_or(NtStatus::INVALID_PARAMETER)?;
    handle.lookup(query.cookie).ok_or(NtStatus::NOT_FOUND)
}
