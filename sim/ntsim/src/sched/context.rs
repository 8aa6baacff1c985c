//! One context of execution.

use super::coroutine::Coroutine;
use crate::cross::Domain;
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
};
use wdk_sys::{KIRQL, PWDF_DRIVER_GLOBALS};

/// Names a context; never used twice in a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContextId(pub(crate) u64);

/// What a context is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContextKind {
    /// A thread, which may wait and may move to another processor.
    Thread,
    /// A deferred procedure call, on top of what it interrupted.
    Dpc,
    /// An interrupt service routine, on top of what it interrupted.
    Isr,
    /// A device, on no processor.
    Device,
}

/// One context of execution.
pub struct Context {
    /// Its name for reports.
    pub name: Cow<'static, str>,
    /// Its identity.
    pub id: ContextId,
    /// What it is.
    pub kind: ContextKind,
    /// The processor it is on.
    pub processor: Cell<Option<usize>>,
    /// Its IRQL; that of its processor while it is on top.
    pub irql: Cell<KIRQL>,
    /// Whose code runs.
    pub domain: Cell<Domain>,
    /// Who called that code.
    pub caller: Cell<Domain>,
    /// The `DriverGlobals` of the framework call it is in.
    pub globals: Cell<PWDF_DRIVER_GLOBALS>,
    /// The number of critical regions it is in.
    pub critical: Cell<u32>,
    /// The calls and routines it is in.
    pub calls: RefCell<Vec<&'static str>>,
    /// The addresses of the spin locks it holds, in order.
    pub(crate) locks: RefCell<Vec<usize>>,
    /// The spin lock it waits for.
    pub(crate) spinning: Cell<Option<usize>>,
    /// What it waits for.
    pub(crate) waiting: Cell<Option<super::wait::Waiting>>,
    /// Its deadline has passed.
    pub(crate) timed_out: Cell<bool>,
    /// It has ended itself.
    pub(super) ended: Cell<bool>,
    pub(crate) coroutine: RefCell<Option<Coroutine>>,
}

impl Context {
    pub(super) fn new(id: ContextId, name: Cow<'static, str>, kind: ContextKind, irql: KIRQL) -> Self {
        Self {
            name,
            id,
            kind,
            processor: Cell::new(None),
            irql: Cell::new(irql),
            domain: Cell::default(),
            caller: Cell::default(),
            globals: Cell::new(core::ptr::null_mut()),
            critical: Cell::new(0),
            calls: RefCell::default(),
            locks: RefCell::default(),
            spinning: Cell::new(None),
            waiting: Cell::new(None),
            timed_out: Cell::new(false),
            ended: Cell::new(false),
            coroutine: RefCell::new(None),
        }
    }

    /// One line for a hang report.
    pub(crate) fn describe(&self) -> String {
        let doing = match (self.waiting.get(), self.spinning.get()) {
            (Some(waiting), _) => format!("waits for {}", waiting.label),
            (None, Some(_)) => "spins on a spin lock".to_owned(),
            (None, None) => "can run".to_owned(),
        };
        let place = self
            .processor
            .get()
            .map_or_else(|| "on no processor".to_owned(), |p| format!("on processor {p}"));
        let calls = self.calls.borrow().join(" > ");
        format!(
            "{:?} {} {place} at IRQL {} {doing} [{calls}]",
            self.kind,
            self.name,
            self.irql.get()
        )
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        super::coroutine::discard(self);
    }
}

impl core::fmt::Debug for Context {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.describe())
    }
}
