//! Calls into the kernel and the framework.

use super::{Domain, IrqlRange, Returned, in_domain};
use crate::{
    machine, sched,
    trace::{self, Kind},
    verifier::{self, irql},
};
use core::ffi::c_void;
use wdk_sys::PWDF_DRIVER_GLOBALS;

/// A kernel function that can be imported by name.
#[derive(Debug, Clone, Copy)]
pub struct Export {
    /// Name, image and IRQL.
    pub info: &'static ExportInfo,
    /// The function with the foreign calling convention.
    pub address: *const c_void,
}

/// What the layer knows about a function.
#[derive(Debug, Clone, Copy)]
pub struct ExportInfo {
    /// The image that exports it.
    pub module: &'static str,
    /// The name.
    pub name: &'static str,
    /// The IRQLs at which it may be called.
    pub irql: IrqlRange,
}

/// A framework function, for the function table.
#[derive(Debug, Clone, Copy)]
pub struct WdfExport {
    /// The name.
    pub name: &'static str,
    /// The function; its first parameter is `DriverGlobals`.
    pub address: *const c_void,
}

/// A function behind a pointer of `DMA_OPERATIONS`.
pub type DmaOperation = ExportInfo;

/// A call of a kernel function.
pub fn export<R: Returned>(info: &'static ExportInfo, args: impl FnOnce() -> String, body: impl FnOnce() -> R) -> R {
    match sched::context_handle().domain.get() {
        Domain::Kernel => nested(info, body),
        Domain::Driver => observed(info, (Kind::Call, Some(Kind::Ret)), args, body),
        Domain::Framework => observed(info, (Kind::Kernel, None), args, body),
    }
}

/// A call of a function behind a pointer of `DMA_OPERATIONS`.
pub fn dma_operation<R: Returned>(
    info: &'static DmaOperation,
    args: impl FnOnce() -> String,
    body: impl FnOnce() -> R,
) -> R {
    match sched::context_handle().domain.get() {
        Domain::Kernel => nested(info, body),
        Domain::Driver | Domain::Framework => observed(info, (Kind::Dma, None), args, body),
    }
}

/// A call of a framework function by the driver.
pub fn wdf_export<R: Returned>(
    info: &'static ExportInfo,
    globals: PWDF_DRIVER_GLOBALS,
    args: impl FnOnce() -> String,
    body: impl FnOnce() -> R,
) -> R {
    let context = sched::context_handle();
    sched::point(info.name);
    trace::emit(Kind::Call, info.name, args);
    let current = context.irql.get();
    if !info.irql.contains(current) {
        let text = format!("{} called at IRQL {current}; it needs {}", info.name, info.irql);
        verifier::violation_with(irql::KMDF_IRQL, [u64::from(current), u64::from(info.irql.max), 0], text);
    }
    let outer = context.globals.replace(globals);
    context.calls.borrow_mut().push(info.name);
    let result = in_domain(Domain::Framework, body);
    context.calls.borrow_mut().pop();
    context.globals.set(outer);
    trace::returned(Kind::Ret, info.name, result.traced());
    sched::point(info.name);
    result
}

/// A call by the kernel itself: a scheduling point, nothing more.
fn nested<R>(info: &'static ExportInfo, body: impl FnOnce() -> R) -> R {
    sched::point(info.name);
    let result = body();
    sched::point(info.name);
    result
}

/// A call by the driver or the framework.
fn observed<R: Returned>(
    info: &'static ExportInfo,
    (enter, leave): (Kind, Option<Kind>),
    args: impl FnOnce() -> String,
    body: impl FnOnce() -> R,
) -> R {
    let context = sched::context_handle();
    sched::point(info.name);
    trace::emit(enter, info.name, args);
    machine::with(|m| m.count.kernel_calls.set(m.count.kernel_calls.get() + 1));
    check_irql(info, context.irql.get());
    context.calls.borrow_mut().push(info.name);
    let result = in_domain(Domain::Kernel, body);
    context.calls.borrow_mut().pop();
    match leave {
        Some(kind) => trace::returned(kind, info.name, result.traced()),
        None => trace::mix_return(info.name, result.traced()),
    }
    sched::point(info.name);
    result
}

fn check_irql(info: &ExportInfo, current: wdk_sys::KIRQL) {
    if info.irql.contains(current) {
        return;
    }
    let rule = if current > info.irql.max {
        irql::IRQL_TOO_HIGH
    } else {
        irql::IRQL_TOO_LOW
    };
    let text = format!("{} called at IRQL {current}; it needs {}", info.name, info.irql);
    verifier::violation_with(rule, [u64::from(current), u64::from(info.irql.max), 0], text);
}

/// Stops the run because something that is not implemented was called, and names it.
pub fn unimplemented(module: &str, name: &str) -> ! {
    verifier::stop(
        verifier::CrashKind::Unimplemented,
        format!("{module}!{name} was called, but nothing implements it"),
    )
}
