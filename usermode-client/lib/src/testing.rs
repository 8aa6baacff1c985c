//! A transport for unit tests that answers as a driver does, from `hawser-core` and the reference interpreter.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::task::Waker;

use hawser_abi::info::{self, DeviceInfo, Stats};
use hawser_abi::ioctl;
use hawser_abi::reason::Reason;
use hawser_abi::result::{self, ResultQuery, ResultRecord, state};
use hawser_core::{Limits, Refusal};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

use crate::program::Program;
use crate::status::NtStatus;
use crate::transport::{Buffer, Outcome, OutsideBuffer, Request, Transport, TransportError, Unsent};

/// How the driver answers queries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answers {
    /// As the contract says.
    #[default]
    Good,
    /// One byte less.
    Short,
    /// With another version.
    OtherVersion,
}

/// What the driver remembers.
#[derive(Debug, Default)]
pub struct State {
    /// Records by cookie.
    pub records: HashMap<u64, ResultRecord>,
    /// Requests that exist.
    pub live_requests: usize,
}

/// The transport. Each request ends when it has been polled `delay` times.
#[derive(Debug, Default)]
pub struct Loopback {
    pub answers: Answers,
    pub delay: u32,
    pub state: Rc<RefCell<State>>,
}

impl Loopback {
    pub fn delayed(delay: u32) -> Self {
        Self {
            delay,
            ..Self::default()
        }
    }

    fn answer<T: IntoBytes + zerocopy::Immutable>(&self, value: &T, output: &mut [u8]) -> Outcome {
        let length = output.len() - usize::from(self.answers == Answers::Short);
        output[..length].copy_from_slice(&value.as_bytes()[..length]);
        Outcome {
            status: NtStatus::SUCCESS,
            information: length,
        }
    }

    fn version(&self) -> u32 {
        info::VERSION + u32::from(self.answers == Answers::OtherVersion)
    }
}

/// Plain memory.
#[derive(Debug, PartialEq, Eq)]
pub struct Memory(pub Vec<u8>);

impl Memory {
    pub fn of(length: usize) -> Self {
        Self(vec![0; length])
    }
}

impl Buffer for Memory {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn read(&self, offset: usize, into: &mut [u8]) -> Result<(), OutsideBuffer> {
        OutsideBuffer::check(offset, into.len(), self.len())?;
        into.copy_from_slice(&self.0[offset..offset + into.len()]);
        Ok(())
    }

    fn write(&mut self, offset: usize, from: &[u8]) -> Result<(), OutsideBuffer> {
        OutsideBuffer::check(offset, from.len(), self.len())?;
        self.0[offset..offset + from.len()].copy_from_slice(from);
        Ok(())
    }
}

impl Transport for Loopback {
    type Buffer = Memory;
    type Request = LoopbackRequest;

    fn allocate(&self, length: usize, _page_offset: usize) -> Result<Memory, TransportError> {
        Ok(Memory::of(length))
    }

    fn control(&self, code: u32, input: &[u8], output: &mut [u8]) -> Result<Outcome, TransportError> {
        let limits = Limits::default();
        Ok(match code {
            ioctl::IOCTL_HAWSER_GET_INFO => {
                let size = size_of::<DeviceInfo>() as u32;
                let info = DeviceInfo {
                    max_steps: limits.max_steps,
                    max_mappings: limits.max_mappings,
                    max_data: limits.max_data,
                    scratch_size: limits.scratch_size,
                    arena_size: limits.arena_size,
                    operations: limits.operations,
                    element_types: limits.element_types,
                    dma_alignment: limits.dma_alignment,
                    ..DeviceInfo::new_zeroed()
                };
                self.answer(
                    &DeviceInfo {
                        size,
                        version: self.version(),
                        ..info
                    },
                    output,
                )
            }
            ioctl::IOCTL_HAWSER_GET_STATS => {
                let stats = Stats {
                    size: size_of::<Stats>() as u32,
                    version: self.version(),
                    ..Stats::default()
                };
                self.answer(&stats, output)
            }
            ioctl::IOCTL_HAWSER_GET_RESULT => {
                let query = ResultQuery::read_from_bytes(input).unwrap();
                match self.state.borrow().records.get(&query.cookie) {
                    Some(record) => self.answer(record, output),
                    None => Outcome {
                        status: NtStatus::NOT_FOUND,
                        information: 0,
                    },
                }
            }
            _ => Outcome {
                status: NtStatus(0xC000_0010),
                information: 0,
            },
        })
    }

    fn submit(&self, _: u32, input: Vec<u8>, data: Option<Memory>) -> Result<LoopbackRequest, Unsent<Memory>> {
        let program = Program::from_bytes(input);
        let mut record = ResultRecord::new_zeroed();
        (record.size, record.version) = (size_of::<ResultRecord>() as u32, result::VERSION);
        (record.cookie, record.state) = (program.cookie().unwrap_or_default(), state::IN_FLIGHT);
        let known = self
            .state
            .borrow()
            .records
            .get(&record.cookie)
            .is_some_and(|known| known.state == state::IN_FLIGHT);
        if !known {
            self.state.borrow_mut().records.insert(record.cookie, record);
        }
        self.state.borrow_mut().live_requests += 1;
        let early = known.then_some(Refusal::new(Reason::CookieInUse));
        Ok(LoopbackRequest {
            program,
            data,
            early,
            record,
            polls_left: self.delay.into(),
            state: self.state.clone(),
        })
    }
}

/// A request of [`Loopback`].
pub struct LoopbackRequest {
    program: Program,
    data: Option<Memory>,
    early: Option<Refusal>,
    record: ResultRecord,
    polls_left: std::cell::Cell<u32>,
    state: Rc<RefCell<State>>,
}

impl LoopbackRequest {
    fn end(&mut self) -> Outcome {
        if let Some(refusal) = self.early {
            return Outcome {
                status: NtStatus(refusal.status()),
                information: 0,
            };
        }
        self.record.state = state::COMPLETED;
        match self.program.check(&Limits::default()) {
            Err(refusal) => refusal.write_to(&mut self.record),
            Ok(()) => {
                let memory = self.data.as_mut().unwrap();
                hawser_device::reference::run(self.program.bytes(), &mut memory.0).unwrap();
            }
        }
        self.outcome()
    }

    fn outcome(&self) -> Outcome {
        self.state.borrow_mut().records.insert(self.record.cookie, self.record);
        Outcome {
            status: NtStatus(self.record.status),
            information: 0,
        }
    }
}

impl Request for LoopbackRequest {
    type Buffer = Memory;

    fn poll(&mut self) -> Result<Option<Outcome>, TransportError> {
        if self.early.is_some() || self.record.state == state::COMPLETED || self.polls_left.get() == 0 {
            return self.wait().map(Some);
        }
        self.polls_left.set(self.polls_left.get() - 1);
        Ok(None)
    }

    fn wait(&mut self) -> Result<Outcome, TransportError> {
        Ok(if self.record.state == state::COMPLETED {
            self.outcome()
        } else if self.polls_left.get() == u32::MAX {
            self.record.state = state::COMPLETED;
            Refusal::new(Reason::Cancelled).write_to(&mut self.record);
            self.outcome()
        } else {
            self.end()
        })
    }

    fn cancel(&self) -> Result<(), TransportError> {
        self.polls_left.set(u32::MAX);
        Ok(())
    }

    fn notify(&mut self, waker: &Waker) -> Result<(), TransportError> {
        waker.wake_by_ref();
        Ok(())
    }

    fn into_buffer(mut self) -> Option<Memory> {
        self.data.take()
    }
}

impl Drop for LoopbackRequest {
    fn drop(&mut self) {
        self.state.borrow_mut().live_requests -= 1;
    }
}
