//! The one thin layer through which calls cross between driver, framework and kernel.
//!
//! Every call in either direction passes a function of this module, which checks IRQL, records the event, makes the edges scheduling points and keeps
//! track of whose code runs. The macros (`nt_exports!`, `wdf_exports!`, `dma_operations!`, `framework_callbacks!`) generate the functions with the
//! foreign calling convention; nothing else knows which convention that is, so that a second one can be added beside it.

mod bind;
mod callback;
mod export;
#[macro_use]
mod field;
mod irql;
#[macro_use]
mod macros;
mod returned;

pub(crate) use bind::{bind_imports, exported};
pub(crate) use callback::callback_with_own_irql_rule;
pub use callback::{as_framework, callback};
pub use export::{DmaOperation, Export, ExportInfo, WdfExport, dma_operation, export, unimplemented, wdf_export};
pub use field::field_at;
pub use irql::IrqlRange;
pub use returned::{Never, Returned};

use crate::sched;
use wdk_sys::PWDF_DRIVER_GLOBALS;

/// Whose code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Domain {
    /// The driver under test.
    Driver,
    /// The framework.
    Framework,
    /// The kernel, the HAL or the machine itself.
    #[default]
    Kernel,
}

/// Whose code runs now.
#[must_use]
pub fn domain() -> Domain {
    sched::with_context(|context| context.domain.get())
}

/// Inside a function that was called across the layer: who called it.
#[must_use]
pub fn caller() -> Domain {
    sched::with_context(|context| context.caller.get())
}

/// Inside a framework function: the `DriverGlobals` it was called with.
#[must_use]
pub fn globals() -> PWDF_DRIVER_GLOBALS {
    sched::with_context(|context| context.globals.get())
}

/// Runs `body` in another domain, called from the present one.
pub(crate) fn in_domain<R>(domain: Domain, body: impl FnOnce() -> R) -> R {
    let context = sched::context_handle();
    let caller = context.domain.replace(domain);
    let outer = context.caller.replace(caller);
    let result = body();
    context.domain.set(caller);
    context.caller.set(outer);
    result
}
