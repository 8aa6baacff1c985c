//! A submission in flight.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use hawser_abi::result::state;

use crate::device::Device;
use crate::error::{Ending, Error, Failed};
use crate::program::Program;
use crate::status::NtStatus;
use crate::transport::{Outcome, Request, Transport, TransportError};

/// A submission that succeeded.
#[derive(Debug)]
pub struct Finished<B> {
    /// The data buffer, with what the program wrote.
    pub buffer: B,
    /// The cookie that [`Device::result`] takes.
    pub cookie: u64,
    /// Bytes of the data buffer that the driver reports.
    pub information: usize,
}

/// How a submission ended, with the data buffer either way.
pub type Ended<B> = Result<Finished<B>, Failed<B>>;

/// A submission in flight. It owns the data buffer; dropping it cancels the program and waits for its end.
///
/// As a future it becomes ready when the program has ended.
pub struct Pending<'d, T: Transport> {
    device: &'d Device<T>,
    /// Present until the end has been reported.
    request: Option<T::Request>,
    program: Program,
}

impl<'d, T: Transport> Pending<'d, T> {
    pub(crate) fn new(device: &'d Device<T>, request: T::Request, program: Program) -> Self {
        Self {
            device,
            request: Some(request),
            program,
        }
    }

    /// The cookie that [`Device::result`] takes; 0 where the program's header is too broken to carry one.
    pub fn cookie(&self) -> u64 {
        self.program.cookie().unwrap_or_default()
    }

    /// Whether the program has ended; does not wait. [`Self::wait`] then returns at once.
    pub fn poll(&mut self) -> Result<bool, TransportError> {
        match &mut self.request {
            Some(request) => request.poll().map(|outcome| outcome.is_some()),
            None => Ok(true),
        }
    }

    /// Asks the driver to end the program early; it ends as cancelled, or with success if it was faster.
    pub fn cancel(&self) -> Result<(), TransportError> {
        self.request.as_ref().map_or(Ok(()), Request::cancel)
    }

    /// Waits for the end of the program.
    pub fn wait(mut self) -> Ended<T::Buffer> {
        match self.request.take() {
            Some(mut request) => match request.wait() {
                Ok(outcome) => self.end(request, outcome),
                Err(error) => Err(failed(error, request)),
            },
            None => Err(reported_already()),
        }
    }

    fn end(&self, request: T::Request, outcome: Outcome) -> Ended<T::Buffer> {
        let buffer = request.into_buffer();
        match (outcome.status, buffer) {
            (NtStatus::SUCCESS, Some(buffer)) => Ok(Finished {
                buffer,
                cookie: self.cookie(),
                information: outcome.information,
            }),
            (status, buffer) => Err(Failed {
                error: Error::Ended(Box::new(self.ending(status))),
                buffer,
            }),
        }
    }

    /// Asks for the record of a submission that did not succeed. A record that tells another story is that of another submission with
    /// the same cookie.
    fn ending(&self, status: NtStatus) -> Ending {
        let cookie = self.cookie();
        let record = self.device.result(cookie).ok();
        let record = record.filter(|record| record.state == state::COMPLETED && record.status == status.0);
        let step = record.and_then(|record| self.program.step(record.step));
        Ending {
            status,
            cookie,
            record,
            step,
        }
    }
}

impl<T: Transport> Future for Pending<'_, T>
where
    T::Request: Unpin,
{
    type Output = Ended<T::Buffer>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(mut request) = self.request.take() else {
            return Poll::Ready(Err(reported_already()));
        };
        // Asking to be notified comes first: an end between the two calls is then noticed by one of them.
        match request.notify(context.waker()).and_then(|()| request.poll()) {
            Ok(Some(outcome)) => Poll::Ready(self.end(request, outcome)),
            Ok(None) => {
                self.request = Some(request);
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(failed(error, request))),
        }
    }
}

impl<T: Transport> fmt::Debug for Pending<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("cookie", &self.cookie())
            .finish_non_exhaustive()
    }
}

fn failed<R: Request>(error: TransportError, request: R) -> Failed<R::Buffer> {
    Failed {
        error: error.into(),
        buffer: request.into_buffer(),
    }
}

fn reported_already<B>() -> Failed<B> {
    let cause = "the end of this submission has been reported already";
    Failed {
        error: TransportError::new("waiting for a program", cause).into(),
        buffer: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::ProgramBuilder;
    use crate::testing::Loopback;
    use hawser_abi::reason::Reason;
    use std::task::Waker;

    fn program() -> Program {
        let mut builder = ProgramBuilder::new();
        let x = builder.array::<i32>(4).unwrap();
        builder.fill(x, 7).unwrap();
        builder.build().unwrap()
    }

    #[test]
    fn polling_says_when_the_program_has_ended() {
        let device = Device::new(Loopback::delayed(2));
        let program = program();
        let mut pending = device.submit(&program, device.buffer_for(&program).unwrap()).unwrap();
        assert!(!pending.poll().unwrap());
        assert!(!pending.poll().unwrap());
        assert!(pending.poll().unwrap());
        assert_eq!(device.transport().state.borrow().live_requests, 1);
        pending.wait().unwrap();
        assert_eq!(device.transport().state.borrow().live_requests, 0);
    }

    #[test]
    fn a_future_becomes_ready_once() {
        let device = Device::new(Loopback::delayed(1));
        let program = program();
        let mut pending = device.submit(&program, device.buffer_for(&program).unwrap()).unwrap();
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut pending).poll(&mut context).is_pending());
        assert!(matches!(Pin::new(&mut pending).poll(&mut context), Poll::Ready(Ok(_))));
        assert!(matches!(Pin::new(&mut pending).poll(&mut context), Poll::Ready(Err(_))));
    }

    #[test]
    fn a_cancelled_program_says_so() {
        let device = Device::new(Loopback::delayed(1000));
        let program = program();
        let pending = device.submit(&program, device.buffer_for(&program).unwrap()).unwrap();
        pending.cancel().unwrap();
        let failed = pending.wait().unwrap_err();
        assert!(failed.buffer.is_some());
        let Error::Ended(ending) = failed.error else {
            panic!("{}", failed.error)
        };
        assert_eq!(
            (ending.reason(), ending.status),
            (Some(Reason::Cancelled), NtStatus::CANCELLED)
        );
    }

    #[test]
    fn dropping_a_submission_ends_it() {
        let device = Device::new(Loopback::delayed(1000));
        let program = program();
        drop(device.submit(&program, device.buffer_for(&program).unwrap()).unwrap());
        assert_eq!(device.transport().state.borrow().live_requests, 0);
    }
}
