//! What tests tell the HAL to do differently: fewer map registers, failures, late callbacks.

use super::lists;
use crate::machine::Machine;
use std::cell::Cell;
use wdk_sys::NTSTATUS;

/// How map registers are given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Registers {
    /// As many as are asked for.
    #[default]
    Enough,
    /// So many for each adapter, in all its lists together.
    Limited(u32),
}

/// What happens to the next list that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is made now.
    Now,
    /// It is made when registers are free: the callback comes later.
    Later,
    /// It fails, because the caller does not want to wait.
    Short,
    /// It fails, because a test said so.
    Injected(NTSTATUS),
}

/// The switches.
#[derive(Debug, Default)]
pub struct Control {
    /// Lists to let through before `failure` strikes.
    countdown: Cell<u32>,
    failure: Cell<Option<NTSTATUS>>,
    short: Cell<bool>,
}

impl Control {
    /// The failure that strikes the next list, if one does.
    pub(crate) fn next_failure(&self) -> Option<NTSTATUS> {
        self.failure.get().filter(|_| self.countdown.get() == 0)
    }

    /// Counts a list.
    pub(crate) fn count(&self) {
        match self.countdown.get() {
            0 => self.failure.set(None),
            left => self.countdown.set(left - 1),
        }
    }

    /// Whether map registers are short.
    pub(crate) fn is_short(&self) -> bool {
        self.short.get()
    }
}

impl Machine {
    /// Lets `skip` scatter/gather lists be made, then fails one with `status`.
    pub fn fail_dma_list(&self, skip: u32, status: NTSTATUS) {
        self.hal.control.countdown.set(skip);
        self.hal.control.failure.set(Some(status));
    }

    /// From now on no map registers are free: list callbacks wait, and callers that do not want to wait fail.
    pub fn withhold_map_registers(&self) {
        self.hal.control.short.set(true);
    }

    /// Ends [`Self::withhold_map_registers`]; the callbacks that waited run before this returns. Call it in a context of the machine, or through `run`.
    pub fn free_map_registers(&self) {
        self.hal.control.short.set(false);
        lists::run_waiting_now();
    }
}
