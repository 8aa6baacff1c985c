//! An open device: what it is, what it has done, and programs for it.

use std::sync::atomic::{AtomicU64, Ordering};

use hawser_abi::info::{self, DeviceInfo, Stats};
use hawser_abi::ioctl;
use hawser_abi::result::{self, ResultQuery, ResultRecord};
use hawser_core::Limits;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::error::{Error, Failed};
use crate::pending::{Finished, Pending};
use crate::program::Program;
use crate::status::NtStatus;
use crate::transport::{Transport, TransportError};

/// An open device. Cookies and result records belong to it.
#[derive(Debug)]
pub struct Device<T> {
    transport: T,
    next_cookie: AtomicU64,
}

impl<T: Transport> Device<T> {
    /// The device at the other end of `transport`.
    pub fn new(transport: T) -> Self {
        Self {
            transport,
            next_cookie: AtomicU64::new(1),
        }
    }

    /// The open handle.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// What device and driver can do.
    pub fn info(&self) -> Result<DeviceInfo, Error> {
        let info: DeviceInfo = self.ask("GET_INFO", ioctl::IOCTL_HAWSER_GET_INFO, &[])?;
        versioned(
            "GET_INFO",
            (info.size, size_of::<DeviceInfo>()),
            (info.version, info::VERSION),
        )?;
        Ok(info)
    }

    /// What the driver has done since it was loaded, and what it holds now.
    pub fn stats(&self) -> Result<Stats, Error> {
        let stats: Stats = self.ask("GET_STATS", ioctl::IOCTL_HAWSER_GET_STATS, &[])?;
        versioned(
            "GET_STATS",
            (stats.size, size_of::<Stats>()),
            (stats.version, info::VERSION),
        )?;
        Ok(stats)
    }

    /// The record of one of the last submissions through this device.
    pub fn result(&self, cookie: u64) -> Result<ResultRecord, Error> {
        let query = ResultQuery {
            size: size_of::<ResultQuery>() as u32,
            version: result::VERSION,
            cookie,
        };
        let record: ResultRecord = self.ask("GET_RESULT", ioctl::IOCTL_HAWSER_GET_RESULT, query.as_bytes())?;
        versioned(
            "GET_RESULT",
            (record.size, size_of::<ResultRecord>()),
            (record.version, result::VERSION),
        )?;
        same("GET_RESULT", "cookie", record.cookie, cookie)?;
        Ok(record)
    }

    /// The limits that programs for this device are checked against.
    pub fn limits(&self) -> Result<Limits, Error> {
        self.info().map(|info| limits_of(&info))
    }

    /// A page-aligned data buffer.
    pub fn allocate(&self, length: usize) -> Result<T::Buffer, TransportError> {
        self.transport.allocate(length, 0)
    }

    /// A data buffer that begins `page_offset` bytes after a page boundary.
    pub fn allocate_at(&self, length: usize, page_offset: usize) -> Result<T::Buffer, TransportError> {
        self.transport.allocate(length, page_offset)
    }

    /// A page-aligned data buffer of the size that `program` works on.
    pub fn buffer_for(&self, program: &Program) -> Result<T::Buffer, TransportError> {
        let length = usize::try_from(program.data_size()).map_err(|e| TransportError::new("allocating a buffer", e))?;
        self.allocate(length)
    }

    /// Runs `program` on `buffer` and waits for its end.
    pub fn run(&self, program: &Program, buffer: T::Buffer) -> Result<Finished<T::Buffer>, Failed<T::Buffer>> {
        self.submit(program, buffer)?.wait()
    }

    /// Starts `program` on `buffer`. A program without a cookie of its own gets one that no other such program got here.
    pub fn submit(&self, program: &Program, buffer: T::Buffer) -> Result<Pending<'_, T>, Failed<T::Buffer>> {
        let bytes = match program.cookie() {
            None | Some(0) => program
                .with_cookie(self.next_cookie.fetch_add(1, Ordering::Relaxed))
                .into_bytes(),
            Some(_) => program.bytes().to_vec(),
        };
        self.submit_bytes(bytes, Some(buffer))
    }

    /// Sends exactly these bytes as a program, with or without a data buffer.
    pub fn submit_bytes(
        &self,
        program: Vec<u8>,
        buffer: Option<T::Buffer>,
    ) -> Result<Pending<'_, T>, Failed<T::Buffer>> {
        let sent = Program::from_bytes(program.clone());
        match self.transport.submit(ioctl::IOCTL_HAWSER_SUBMIT, program, buffer) {
            Ok(request) => Ok(Pending::new(self, request, sent)),
            Err(unsent) => Err(Failed {
                error: unsent.error.into(),
                buffer: unsent.buffer,
            }),
        }
    }

    /// Sends a request whose answer is one structure.
    fn ask<R>(&self, request: &'static str, code: u32, input: &[u8]) -> Result<R, Error>
    where
        R: FromBytes + IntoBytes + Immutable,
    {
        let mut answer = R::new_zeroed();
        let outcome = self.transport.control(code, input, answer.as_mut_bytes())?;
        if outcome.status != NtStatus::SUCCESS {
            return Err(Error::Request {
                request,
                status: outcome.status,
            });
        }
        same(request, "length", outcome.information as u64, size_of::<R>() as u64)?;
        Ok(answer)
    }
}

/// The limits that a driver reports.
pub fn limits_of(info: &DeviceInfo) -> Limits {
    Limits {
        max_steps: info.max_steps,
        max_data: info.max_data,
        max_mappings: info.max_mappings,
        scratch_size: info.scratch_size,
        arena_size: info.arena_size,
        dma_alignment: info.dma_alignment,
        operations: info.operations,
        element_types: info.element_types,
        ..Limits::default()
    }
}

fn versioned(request: &'static str, size: (u32, usize), version: (u32, u32)) -> Result<(), Error> {
    same(request, "size", size.0.into(), size.1 as u64)?;
    same(request, "version", version.0.into(), version.1.into())
}

fn same(request: &'static str, what: &'static str, found: u64, expected: u64) -> Result<(), Error> {
    if found == expected {
        Ok(())
    } else {
        Err(Error::BadReply {
            request,
            what,
            found,
            expected,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::ProgramBuilder;
    use crate::testing::{Answers, Loopback};
    use crate::transport::Buffer;
    use hawser_abi::reason::Reason;

    fn saxpy() -> (Program, [crate::Array<f32>; 2]) {
        let mut builder = ProgramBuilder::new();
        let x = builder.array::<f32>(5).unwrap();
        let y = builder.array::<f32>(5).unwrap();
        builder.fma(y, 2.5, x, y).unwrap();
        (builder.build().unwrap(), [x, y])
    }

    #[test]
    fn a_program_runs_and_its_record_is_found_by_cookie() {
        let device = Device::new(Loopback::default());
        let (program, [x, y]) = saxpy();
        let mut buffer = device.buffer_for(&program).unwrap();
        x.store(&mut buffer, &[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        y.store(&mut buffer, &[10.0; 5]).unwrap();
        let finished = device.run(&program, buffer).unwrap();
        assert_eq!(y.load(&finished.buffer).unwrap(), [12.5, 15.0, 17.5, 20.0, 22.5]);
        assert_eq!(device.result(finished.cookie).unwrap().status, 0);
        let second = device.run(&program, finished.buffer).unwrap();
        assert_ne!(second.cookie, finished.cookie);
    }

    #[test]
    fn a_refusal_comes_with_its_record_and_the_buffer() {
        let device = Device::new(Loopback::default());
        let (program, _) = saxpy();
        let mut bytes = program.with_cookie(77).into_bytes();
        bytes[64] = 200;
        let buffer = device.buffer_for(&program).unwrap();
        let failed = device.submit_bytes(bytes, Some(buffer)).unwrap().wait().unwrap_err();
        assert_eq!(failed.buffer.unwrap().len(), program.data_size() as usize);
        let Error::Ended(ending) = failed.error else {
            panic!("{}", failed.error)
        };
        assert_eq!(
            (ending.reason(), ending.step_index()),
            (Some(Reason::UnknownOpcode), Some(0))
        );
        assert!(
            ending
                .to_string()
                .starts_with("step 0 (opcode 200 f32): the opcode is unknown"),
            "{ending}"
        );
    }

    #[test]
    fn the_record_of_another_submission_is_not_taken_for_that_of_a_refused_one() {
        let device = Device::new(Loopback::delayed(3));
        let program = saxpy().0.with_cookie(9);
        let buffer = || device.buffer_for(&program).unwrap();
        let first = device.submit(&program, buffer()).unwrap();
        let failed = device.submit(&program, buffer()).unwrap().wait().unwrap_err();
        let Error::Ended(ending) = failed.error else {
            panic!("{}", failed.error)
        };
        assert_eq!((ending.reason(), ending.record), (Some(Reason::CookieInUse), None));
        first.wait().unwrap();
    }

    #[test]
    fn answers_of_wrong_shape_are_refused() {
        for (answers, what) in [(Answers::Short, "length"), (Answers::OtherVersion, "version")] {
            let device = Device::new(Loopback {
                answers,
                ..Loopback::default()
            });
            for error in [device.info().unwrap_err(), device.stats().unwrap_err()] {
                assert!(
                    matches!(error, Error::BadReply { what: found, .. } if found == what),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn an_unknown_cookie_is_not_found() {
        let device = Device::new(Loopback::default());
        let error = device.result(5).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Request {
                    status: NtStatus::NOT_FOUND,
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn limits_are_those_that_the_driver_reports() {
        let device = Device::new(Loopback::default());
        assert_eq!(device.limits().unwrap(), Limits::default());
    }
}
