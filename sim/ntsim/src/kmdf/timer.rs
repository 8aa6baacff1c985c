//! `WDFTIMER`, on the kernel's `EX_TIMER`.

use super::call;
use super::device::Device;
use super::object::{self, Attributes, Body, Flags, Handle, Kind, New, Object, ParentRule, Ref, Typed};
use super::sync::{self, CallbackLock};
use super::system_workitem::SystemWorkItem;
use crate::kmdf::verifier;
use crate::verifier::kmdf::{WAIT_NOT_ALLOWED, WRONG_STRUCTURE_SIZE};
use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use wdk_sys::*;

/// The attribute of a high-resolution `EX_TIMER`.
const EX_TIMER_HIGH_RESOLUTION: ULONG = 4;

/// 100 ns units in a millisecond.
const UNITS_PER_MS: i64 = 10_000;

/// The body of a `WDFTIMER`.
struct Timer {
    function: PFN_WDF_TIMER,
    period_ms: ULONG,
    lock: Option<Rc<CallbackLock>>,
    parent: Handle,
    timer: Cell<PEX_TIMER>,
    /// For a timer whose callback runs at PASSIVE_LEVEL.
    item: OnceCell<Rc<SystemWorkItem>>,
    runner: Cell<Option<crate::sched::ContextId>>,
    idle: super::event::Event,
}

impl Body for Timer {
    fn dispose(&self, _object: &Rc<Object>) {
        let timer = self.timer.replace(core::ptr::null_mut());
        if !timer.is_null() {
            // SAFETY: allocated in `create`, deleted once; PASSIVE_LEVEL, so the call may wait for a running callback.
            unsafe { ntddk::ExDeleteTimer(timer, 1, 1, core::ptr::null_mut()) };
        }
        if let Some(item) = self.item.get() {
            item.close();
        }
    }
}

impl Typed for Timer {
    const KIND: Kind = Kind::Timer;
    type Raw = WDFTIMER__;
}

crate::framework_callbacks! {
    /// The timer expired. DISPATCH_LEVEL.
    fn FxTimerCallback(_timer: PEX_TIMER, context: PVOID) {
        let raw: WDFTIMER = context.cast();
        let Some(timer) = object::find::<Timer>(raw) else { return };
        match timer.item.get() {
            Some(item) => {
                item.enqueue();
            }
            None => run(raw),
        }
    }
}

fn run(raw: WDFTIMER) {
    let Some(timer) = object::find::<Timer>(raw) else {
        return;
    };
    let Some(function) = timer.function else { return };
    timer.idle.clear();
    timer.runner.set(Some(crate::sched::context()));
    sync::under(timer.lock.as_deref(), || {
        // SAFETY: the driver's callback, with a live handle.
        call::void("EvtTimerFunc", || unsafe { function(raw) }, String::new);
    });
    timer.runner.set(None);
    timer.idle.set();
}

fn create(config: PWDF_TIMER_CONFIG, attributes: PWDF_OBJECT_ATTRIBUTES) -> Result<Ref<Timer>, NTSTATUS> {
    // SAFETY: the driver passes a readable structure.
    let config = unsafe { config.read() };
    if config.Size as usize != size_of::<WDF_TIMER_CONFIG>() {
        verifier::debug_break(WRONG_STRUCTURE_SIZE, "WDF_TIMER_CONFIG");
        return Err(STATUS_INFO_LENGTH_MISMATCH);
    }
    let high_resolution = config.UseHighResolutionTimer != 0;
    if config.EvtTimerFunc.is_none() || (high_resolution && config.TolerableDelay != 0) {
        return Err(STATUS_INVALID_PARAMETER);
    }
    let attributes = Attributes::read(attributes, ParentRule::Required)?;
    let parent = object::any(attributes.parent);
    let device = parent.ancestor::<Device>().ok_or(STATUS_INVALID_DEVICE_REQUEST)?;
    let passive = attributes.execution_level == _WDF_EXECUTION_LEVEL::WdfExecutionLevelPassive;
    if passive && config.Period != 0 {
        return Err(STATUS_NOT_SUPPORTED);
    }
    let level = if passive {
        _WDF_EXECUTION_LEVEL::WdfExecutionLevelPassive
    } else {
        _WDF_EXECUTION_LEVEL::WdfExecutionLevelDispatch
    };
    let lock = if config.AutomaticSerialization == 0 {
        None
    } else {
        sync::serialization(&parent, level)?
    };
    let body = Timer {
        function: config.EvtTimerFunc,
        period_ms: config.Period,
        lock,
        parent: parent.handle(),
        timer: Cell::new(core::ptr::null_mut()),
        item: OnceCell::new(),
        runner: Cell::new(None),
        idle: super::event::Event::new(true),
    };
    let made = object::create(
        &New {
            attributes: &attributes,
            parent: Some(&parent),
            flags: Flags::PASSIVE,
        },
        body,
    )?;
    if let Err(status) = allocate(&made, &device, passive, high_resolution) {
        made.object().delete_from_failed_create();
        return Err(status);
    }
    Ok(made)
}

fn allocate(made: &Ref<Timer>, device: &Ref<Device>, passive: bool, high_resolution: bool) -> Result<(), NTSTATUS> {
    let raw = made.raw();
    if passive {
        let item = SystemWorkItem::new(device.fdo(), move || run(raw)).ok_or(STATUS_INSUFFICIENT_RESOURCES)?;
        let _ = made.item.set(item);
    }
    let attributes = if high_resolution { EX_TIMER_HIGH_RESOLUTION } else { 0 };
    // SAFETY: the context is a handle, which the callback checks.
    let timer = unsafe { ntddk::ExAllocateTimer(Some(FxTimerCallback), raw.cast(), attributes) };
    if timer.is_null() {
        return Err(STATUS_INSUFFICIENT_RESOURCES);
    }
    made.timer.set(timer);
    Ok(())
}

impl Timer {
    fn stop(&self, wait: bool) -> bool {
        let timer = self.timer.get();
        if timer.is_null() {
            return false;
        }
        // SAFETY: allocated and not deleted.
        let was_set = unsafe { ntddk::ExCancelTimer(timer, core::ptr::null_mut()) } != 0;
        if wait && self.may_wait() {
            // SAFETY: PASSIVE_LEVEL: lets an expiry that is under way reach the callback.
            unsafe { ntddk::KeFlushQueuedDpcs() };
            if let Some(item) = self.item.get() {
                item.flush();
            }
            self.idle.wait();
        }
        was_set
    }

    /// Whether waiting for the callback can end.
    fn may_wait(&self) -> bool {
        // SAFETY: callable in any context.
        let irql = unsafe { ntddk::KeGetCurrentIrql() };
        if u32::from(irql) != PASSIVE_LEVEL {
            crate::verifier::violation(
                WAIT_NOT_ALLOWED,
                format!("WdfTimerStop was asked to wait at IRQL {irql}; it needs PASSIVE_LEVEL"),
            );
            return false;
        }
        if self.runner.get() == Some(crate::sched::context()) {
            crate::verifier::violation(
                WAIT_NOT_ALLOWED,
                "WdfTimerStop was asked, by the timer's own callback, to wait for that callback",
            );
            return false;
        }
        true
    }
}

crate::wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Makes a timer.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfTimerCreate(config: PWDF_TIMER_CONFIG, attributes: PWDF_OBJECT_ATTRIBUTES, timer: *mut WDFTIMER) -> NTSTATUS {
        match create(config, attributes) {
            Ok(made) => {
                // SAFETY: the driver's own variable.
                unsafe { timer.write(made.raw()) };
                STATUS_SUCCESS
            }
            Err(status) => status,
        }
    }

    /// Sets a timer (100 ns units; negative: from now). Says whether it was set already.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfTimerStart(timer: WDFTIMER, due: LONGLONG) -> BOOLEAN {
        let timer = object::get::<Timer>(timer);
        let kernel = timer.timer.get();
        if kernel.is_null() {
            return 0;
        }
        let period = i64::from(timer.period_ms) * UNITS_PER_MS;
        // SAFETY: allocated and not deleted.
        unsafe { ntddk::ExSetTimer(kernel, due, period, core::ptr::null_mut()) }
    }

    /// Stops a timer, and waits for its callback if asked to. Says whether it was set.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfTimerStop(timer: WDFTIMER, wait: BOOLEAN) -> BOOLEAN {
        u8::from(object::get::<Timer>(timer).stop(wait != 0))
    }

    /// The parent that the timer was made with.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfTimerGetParentObject(timer: WDFTIMER) -> WDFOBJECT {
        object::get::<Timer>(timer).parent.raw()
    }
}
