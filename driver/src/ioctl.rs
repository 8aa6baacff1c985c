//! Device control requests, by code.

use hawser_abi::ioctl::{
    IOCTL_HAWSER_GET_INFO, IOCTL_HAWSER_GET_RESULT, IOCTL_HAWSER_GET_STATS, IOCTL_HAWSER_RESET, IOCTL_HAWSER_SUBMIT,
};
use kmdf::{NtStatus, QueueOps, Request, StopReason, StoppedRequest};

use crate::device::Device;
use crate::results::{Handle, Reset};
use crate::{info, results, stats, submit, teardown};

/// The device's default queue. The driver takes all requests: submissions that must wait do so in a manual queue, which is served in a loop.
#[derive(Debug)]
pub struct Requests;

impl QueueOps for Requests {
    type Device = Device;

    fn device_control(device: &Device, request: Request) {
        match request.ioctl().code {
            IOCTL_HAWSER_SUBMIT => submit::arrive(device, request),
            IOCTL_HAWSER_GET_INFO => info::answer(device, request),
            IOCTL_HAWSER_GET_STATS => stats::answer(device, request),
            IOCTL_HAWSER_GET_RESULT => results::answer(request),
            IOCTL_HAWSER_RESET => reset(device, request),
            _ => request.complete(NtStatus::INVALID_DEVICE_REQUEST),
        }
    }

    /// The framework waits for the request. Programs on the device end by their deadline, which the longest timeout bounds below the time that the system gives a
    /// device to leave D0; requests that wait are in the framework's own queue, and stay there or are cancelled by it.
    fn stop(_device: &Device, _request: StoppedRequest, _reason: StopReason) {}
}

fn reset(device: &Device, request: Request) {
    let status = match request.file::<Handle>().map(Handle::reset) {
        Some(Reset::Allowed) => teardown::reset(device).err().unwrap_or(NtStatus::SUCCESS),
        Some(Reset::Denied) | None => NtStatus::ACCESS_DENIED,
    };
    request.complete(status);
}
