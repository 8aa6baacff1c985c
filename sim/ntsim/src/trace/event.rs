//! One event of a trace.

use crate::sched::Time;
use std::borrow::Cow;
use wdk_sys::KIRQL;

/// What kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The driver calls the framework or the kernel.
    Call,
    /// That call returns.
    Ret,
    /// A routine of a driver is entered.
    Enter,
    /// That routine returns.
    Leave,
    /// A DMA operation of the HAL.
    Dma,
    /// The framework calls the kernel.
    Kernel,
    /// A device register is read or written.
    Register,
    /// An IRP is completed finally.
    Irp,
    /// An IRP reaches the bus driver.
    Pdo,
    /// A finding of the verifier.
    Verifier,
    /// A bug check.
    BugCheck,
    /// Something from outside: a user, a plug, a power button.
    Stim,
    /// A remark.
    Note,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub time: Time,
    /// The context it happened in; empty unless all events are kept.
    pub context: String,
    /// What kind.
    pub kind: Kind,
    /// The IRQL of the context.
    pub irql: KIRQL,
    /// The function, routine or IRP.
    pub name: Cow<'static, str>,
    /// Arguments as text; empty unless all events are kept.
    pub args: String,
    /// What was returned: integers as bits of their width, pointers as 0 or 1.
    pub ret: Option<u64>,
}

impl core::fmt::Display for Event {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} irql {:2} {:?} {}", self.time, self.irql, self.kind, self.name)?;
        if !self.args.is_empty() {
            write!(f, " {}", self.args)?;
        }
        match self.ret {
            Some(ret) => write!(f, " = {ret:#x}"),
            None => Ok(()),
        }
    }
}
