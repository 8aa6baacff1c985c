//! A plugged function and the resources it was given.

use super::{Activity, Identity, PciFunction, PowerState, config::ConfigSpace};
use crate::{nt::ke::interrupt::LineId, sched::Context};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wdk_sys::KIRQL;

/// Names a plugged function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FunctionId(pub(crate) u32);

/// A BAR's place in the physical address space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BarResource {
    /// The BAR's number.
    pub bar: u8,
    /// The physical address.
    pub base: u64,
    /// The length in bytes.
    pub length: u64,
    /// Whether reads have no side effects.
    pub prefetchable: bool,
}

/// An interrupt that a function was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterruptResource {
    /// The MSI-X message (latched); `None` for the line (level-sensitive).
    pub message: Option<u16>,
    /// The vector.
    pub vector: u32,
    /// The IRQL at which it is served.
    pub irql: KIRQL,
    /// The processors that may serve it.
    pub affinity: u64,
}

/// What a function was given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resources {
    /// The BARs.
    pub bars: Vec<BarResource>,
    /// The interrupts.
    pub interrupts: Vec<InterruptResource>,
}

/// A plugged function.
pub(crate) struct Slot {
    pub(super) id: FunctionId,
    pub(super) model: RefCell<Box<dyn PciFunction>>,
    pub(super) identity: Identity,
    pub(super) resources: Resources,
    pub(super) lines: Vec<LineId>,
    pub(super) config: RefCell<ConfigSpace>,
    pub(super) power: Cell<PowerState>,
    pub(super) present: Cell<Presence>,
    pub(super) activity: Cell<Activity>,
    pub(super) pdo: Cell<usize>,
    pub(super) stepper: RefCell<Option<Rc<Context>>>,
}

/// Whether a function is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Plugged,
    Gone,
}
