//! Where a device is in its life: PnP, power, and the counters around them.

use super::power_irp::Jobs;
use super::transition::Transition;
use crate::kmdf::event::Event;
use std::cell::Cell;
use wdk_sys::*;

/// The PnP state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Inside EvtDriverDeviceAdd.
    Adding,
    /// Not started yet.
    Added,
    Started,
    /// Between STOP and the next START.
    Stopped,
    /// A start, resume or the hardware failed; waits for its removal.
    Failed,
    SurpriseRemoved,
    Removed,
}

/// The EvtDeviceSelfManagedIo* callbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SelfManaged {
    /// EvtDeviceSelfManagedIoInit was not called yet.
    Created,
    Running,
    Suspended,
    /// Init or Restart failed: there is nothing to suspend.
    Failed,
    Flushed,
    CleanedUp,
}

/// The state of one device.
pub(crate) struct Machine {
    pub(super) phase: Cell<Phase>,
    pub(super) started_once: Cell<bool>,
    pub(super) self_managed: Cell<SelfManaged>,
    pub(super) in_d0: Cell<bool>,
    /// Whether EvtDevicePrepareHardware was called and EvtDeviceReleaseHardware was not.
    pub(super) hardware: Cell<bool>,
    /// Inside EvtDevicePrepareHardware.
    pub(super) preparing: Cell<bool>,
    pub(super) internal_failure: Cell<bool>,
    pub(super) driver_failure: Cell<bool>,
    /// One PnP event at a time.
    pub(super) events: Transition,
    /// One power change at a time; taken inside `events`. A PnP callback that is not a power callback runs outside.
    pub(super) transition: Transition,
    pub(super) jobs: Jobs,
    idle_references: Cell<u32>,
    /// Signaled while the device is in D0.
    d0: Event,
}

impl Machine {
    /// The state of a device that is being made.
    pub(crate) fn new() -> Self {
        Self {
            phase: Cell::new(Phase::Adding),
            started_once: Cell::new(false),
            self_managed: Cell::new(SelfManaged::Created),
            in_d0: Cell::new(false),
            hardware: Cell::new(false),
            preparing: Cell::new(false),
            internal_failure: Cell::new(false),
            driver_failure: Cell::new(false),
            events: Transition::new(),
            transition: Transition::new(),
            jobs: Jobs::default(),
            idle_references: Cell::new(0),
            d0: Event::new(false),
        }
    }

    /// EvtDriverDeviceAdd succeeded.
    pub(crate) fn added(&self) {
        self.phase.set(Phase::Added);
    }

    /// Whether the driver is inside EvtDriverDeviceAdd.
    pub(crate) fn is_adding(&self) -> bool {
        self.phase.get() == Phase::Adding
    }

    /// Whether the driver is inside EvtDevicePrepareHardware.
    pub(crate) fn is_preparing(&self) -> bool {
        self.preparing.get()
    }

    /// Whether the device is started.
    pub(crate) fn is_started(&self) -> bool {
        self.phase.get() == Phase::Started
    }

    /// Whether a start was attempted at least once.
    pub(crate) fn started_once(&self) -> bool {
        self.started_once.get()
    }

    /// WdfDeviceSetFailed.
    pub(crate) fn driver_failed(&self) {
        self.driver_failure.set(true);
    }

    /// Whether the PnP manager is to be told that the device failed.
    pub(super) fn has_failed(&self) -> bool {
        self.internal_failure.get() || self.driver_failure.get()
    }

    pub(super) fn entered_d0(&self) {
        self.in_d0.set(true);
        self.d0.set();
    }

    pub(super) fn left_d0(&self) {
        self.in_d0.set(false);
        self.d0.clear();
    }

    /// The state as WdfDeviceGetDevicePowerState names it.
    pub(crate) fn power_state(&self) -> WDF_DEVICE_POWER_STATE {
        use _WDF_DEVICE_POWER_STATE as State;
        match (self.in_d0.get(), self.phase.get()) {
            (true, _) => State::WdfDevStatePowerD0,
            (false, Phase::Started) => State::WdfDevStatePowerDx,
            (false, Phase::Stopped) => State::WdfDevStatePowerStopped,
            (false, Phase::Adding | Phase::Added | Phase::Failed | Phase::SurpriseRemoved | Phase::Removed) => {
                State::WdfDevStatePowerObjectCreated
            }
        }
    }

    /// WdfDeviceStopIdle: a reference that keeps the device in D0, where it is unless the system sleeps.
    pub(crate) fn stop_idle(&self, wait: bool) -> NTSTATUS {
        match self.phase.get() {
            Phase::Started => {}
            Phase::Adding | Phase::Added | Phase::Stopped => return STATUS_INVALID_DEVICE_STATE,
            Phase::Failed | Phase::SurpriseRemoved | Phase::Removed => return STATUS_POWER_STATE_INVALID,
        }
        self.idle_references.set(self.idle_references.get() + 1);
        if self.in_d0.get() {
            return STATUS_SUCCESS;
        }
        if !wait {
            return STATUS_PENDING;
        }
        self.d0.wait();
        STATUS_SUCCESS
    }

    /// WdfDeviceResumeIdle. `false` when there is no reference to drop.
    pub(crate) fn resume_idle(&self) -> bool {
        let references = self.idle_references.get();
        self.idle_references.set(references.saturating_sub(1));
        references > 0
    }
}
