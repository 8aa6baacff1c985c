//! The one path on which commands are taken from the device against its will: timeout, fault, reset, loss of power, removal. `PASSIVE_LEVEL`.
//!
//! Nothing new is given to the device; the device is stopped; what it completed before that counts; the memory of everything else is let go, and its requests end
//! with the reason. Then the device is set up again, if it can be.

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use hawser_abi::reason::Reason;
use kmdf::{Instant, NewDevice, NtStatus, Result, WaitLock, WorkItem, WorkItemOps};

use crate::device::Device;
use crate::hardware::Hardware;
use crate::slots::Overdue;
use crate::stats::{End, count};
use crate::stop::{Means, Stopped, stop};
use crate::{controller, drain, let_go, settle};

/// Time between two attempts to stop a device that did not obey. An attempt takes up to a second of a system thread.
const RETRY_PAUSE: Duration = Duration::from_secs(2);

/// In which phase the controller is.
#[derive(Debug)]
pub struct Control {
    /// A [`Phase`].
    phase: AtomicU32,
    /// Held by whoever starts or stops the device. When a device that could not be stopped may be tried again.
    changing: WaitLock<Instant>,
    work: WorkItem,
}

/// A phase of the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Phase {
    /// It has no power, or was not set up.
    Off = 0,
    /// It runs commands.
    Running = 1,
    /// It could not be reset or set up again.
    Failed = 2,
    /// It is gone.
    Gone = 3,
    /// It is being stopped and set up again.
    Restarting = 4,
}

impl Phase {
    /// The phase with this number.
    const fn of(number: u32) -> Self {
        match number {
            0 => Self::Off,
            1 => Self::Running,
            3 => Self::Gone,
            4 => Self::Restarting,
            _ => Self::Failed,
        }
    }
}

impl Control {
    /// A controller that is off.
    pub fn new(device: &NewDevice<'_>) -> Result<Self> {
        Ok(Self {
            phase: AtomicU32::new(Phase::Off as u32),
            changing: device.wait_lock(Instant::default())?,
            work: device.work_item::<Teardown>()?,
        })
    }

    fn set(&self, phase: Phase) {
        self.phase.store(phase as u32, Ordering::Release);
    }

    fn phase(&self) -> Phase {
        Phase::of(self.phase.load(Ordering::Acquire))
    }

    /// The device takes no submissions now, and it will soon be known whether it takes any later. Whoever waits is woken then.
    pub fn is_restarting(&self) -> bool {
        self.phase() == Phase::Restarting
    }

    /// Why the device takes no submissions, if it does not.
    pub fn refuses(&self) -> Option<Reason> {
        match self.phase() {
            Phase::Failed => Some(Reason::DeviceFailed),
            Phase::Gone => Some(Reason::DeviceGone),
            Phase::Off | Phase::Running | Phase::Restarting => None,
        }
    }
}

/// Asks for a teardown soon. `IRQL <= DISPATCH_LEVEL`.
pub fn request(device: &Device) {
    device.control.work.enqueue();
}

/// Tears down when asked to: unless the trouble is over by then, or the device has lost power, when its registers must be left alone.
#[derive(Debug)]
struct Teardown;

impl WorkItemOps for Teardown {
    type Device = Device;

    fn run(device: &Device) {
        let mut retry_at = device.control.changing.lock();
        let Some(hardware) = device.interrupts.hardware.borrow() else {
            return;
        };
        let needed = match device.control.phase() {
            Phase::Running => drain::in_trouble(&hardware) || device.slots.any_overdue(Instant::now()),
            // Memory is still tied to a device that could not be stopped. Perhaps it can be by now, or it is gone.
            Phase::Failed => device.slots.on_device() > 0 && Instant::now() >= *retry_at,
            Phase::Off | Phase::Gone | Phase::Restarting => false,
        };
        if needed {
            restart(device, &hardware);
            *retry_at = Instant::now().after(RETRY_PAUSE);
        }
    }
}

/// Resets the device because a user asks for it.
pub fn reset(device: &Device) -> Result {
    let _changing = device.control.changing.lock();
    let hardware = device.interrupts.hardware.borrow().ok_or(NtStatus::DEVICE_NOT_READY)?;
    restart(device, &hardware);
    if device.control.phase() == Phase::Running {
        Ok(())
    } else {
        Err(NtStatus::DEVICE_HARDWARE_ERROR)
    }
}

/// The device has power: sets it up.
pub fn power_up(device: &Device) -> Result {
    let _changing = device.control.changing.lock();
    let hardware = device.interrupts.hardware.borrow().ok_or(NtStatus::DEVICE_NOT_READY)?;
    let phase = match take_down(device, &hardware) {
        Some(Means::Reset) if controller::bring_up(device, &hardware).is_ok() => Phase::Running,
        Some(Means::Gone) => Phase::Gone,
        _ => Phase::Failed,
    };
    device.control.set(phase);
    if phase == Phase::Running {
        Ok(())
    } else {
        Err(NtStatus::DEVICE_HARDWARE_ERROR)
    }
}

/// The device is about to lose power: stops it. Succeeds even where the device does not obey, since power is lost either way, and when it comes back the device is
/// stopped before anything else.
pub fn power_down(device: &Device) {
    let _changing = device.control.changing.lock();
    let Some(hardware) = device.interrupts.hardware.borrow() else {
        return;
    };
    let phase = match take_down(device, &hardware) {
        Some(Means::Gone) => Phase::Gone,
        Some(Means::Reset | Means::BusMasterOff) | None => Phase::Off,
    };
    device.control.set(phase);
}

/// Stops the device, ends its commands, and sets it up again. Submissions that come meanwhile wait; those that come to a device that has failed are refused until it is
/// known to work again.
fn restart(device: &Device, hardware: &Hardware) {
    if device.control.refuses().is_none() {
        device.control.set(Phase::Restarting);
    }
    let phase = match halt(device, hardware) {
        None => Phase::Failed,
        Some(stopped) => {
            // Counted before the requests end, so that whoever sees one end sees the reset.
            if stopped.means() == Means::Reset {
                // A device that had failed has obeyed: what comes from now on waits until it is set up.
                device.control.set(Phase::Restarting);
                count(&device.counters.resets, 1);
            }
            end_all(device, hardware, &stopped);
            match stopped.means() {
                Means::Reset => set_up_again(device, hardware),
                Means::BusMasterOff => Phase::Failed,
                Means::Gone => Phase::Gone,
            }
        }
    };
    device.control.set(phase);
    device.waiting.wake();
}

fn set_up_again(device: &Device, hardware: &Hardware) -> Phase {
    if controller::bring_up(device, hardware).is_err() {
        controller::close_queues(device);
        return Phase::Failed;
    }
    controller::unmask(hardware);
    Phase::Running
}

/// Stops the device and ends its commands. Where the device cannot be stopped nothing is let go.
fn take_down(device: &Device, hardware: &Hardware) -> Option<Means> {
    let stopped = halt(device, hardware)?;
    end_all(device, hardware, &stopped);
    Some(stopped.means())
}

/// Gives the device nothing any more, and stops it.
fn halt(device: &Device, hardware: &Hardware) -> Option<Stopped> {
    controller::close_queues(device);
    stop(hardware)
}

/// Ends all commands of a device that has stopped: as it said, where it had completed them before.
fn end_all(device: &Device, hardware: &Hardware, stopped: &Stopped) {
    for number in 0..hardware.queues {
        drain::drain(device, hardware, number);
    }
    let now = Instant::now();
    while let Some((mut job, overdue)) = device.slots.take_stopped(now) {
        let reason = reason(stopped.means(), overdue);
        job.work.end = Some(End::Abandoned(reason));
        let job = let_go::after_stop(device, job, stopped);
        settle::settle(device, job);
    }
}

/// Why a command ended that was on a device which has been stopped.
const fn reason(means: Means, overdue: Overdue) -> Reason {
    match (means, overdue) {
        (Means::Gone, _) => Reason::DeviceGone,
        (_, Overdue::Yes) => Reason::TimedOut,
        (_, Overdue::No) => Reason::DeviceReset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_kept_as_numbers() {
        for phase in [
            Phase::Off,
            Phase::Running,
            Phase::Failed,
            Phase::Gone,
            Phase::Restarting,
        ] {
            assert_eq!(Phase::of(phase as u32), phase);
        }
    }

    #[test]
    fn a_command_s_own_fault_is_told_from_that_of_others() {
        assert_eq!(reason(Means::Reset, Overdue::Yes), Reason::TimedOut);
        assert_eq!(reason(Means::Reset, Overdue::No), Reason::DeviceReset);
        assert_eq!(reason(Means::BusMasterOff, Overdue::No), Reason::DeviceReset);
        assert_eq!(reason(Means::Gone, Overdue::Yes), Reason::DeviceGone);
    }
}
