//! Calls on the device, on plain objects, locks, timers and work items.

use super::{Action, Gave};
use crate::client::callbacks::{timer, work_item};
use crate::client::device::{create_device, handle, observed, plain};
use crate::world::World;
use std::rc::Rc;
use wdk_sys::*;

/// The action of a call on an object.
pub fn action(world: &Rc<World>, name: &str) -> Option<Action> {
    let handles = &world.handles;
    let named = |label: &str| handles.objects.borrow().get(label).copied().unwrap_or(0);
    let (lock, child) = (handles.lock.get(), named("child"));
    Some(match name {
        "WdfDeviceCreate" => Box::new(|world| Gave::Status(create_device(world))),
        "WdfObjectDelete" => delete(handles.transaction.get()),
        "WdfObjectDelete(device)" => delete(handles.device.get()),
        "WdfObjectDelete(queue)" => delete(handles.default_queue.get()),
        "WdfObjectDelete(driver-owned request)" => delete(handles.request.get()),
        "WdfObjectDelete(parent)" => delete(named("parent")),
        "WdfObjectCreate(parent)" => create("parent", observed(0)),
        "WdfObjectCreate(child)" => create("child", observed(named("parent"))),
        "WdfObjectCreate(grandchild)" => Box::new(move |world| create_grandchild(world, child)),
        "WdfObjectCreate(child of driver)" => Box::new(create_of_driver),
        "WdfObjectReference(child)" => Box::new(move |_| reference(child)),
        "WdfObjectDereference(child)" => Box::new(move |_| dereference(child)),
        "WdfSpinLockCreate" => Box::new(create_spin_lock),
        "WdfSpinLockAcquire" | "WdfSpinLockAcquire(recursive)" => Box::new(move |_| acquire(lock)),
        "WdfSpinLockRelease" | "WdfSpinLockRelease(not held)" => Box::new(move |_| release(lock)),
        "WdfWaitLockCreate" => Box::new(create_wait_lock),
        "WdfWaitLockAcquire(NULL)" => Box::new(move |_| acquire_wait(lock)),
        "WdfWaitLockRelease" | "WdfWaitLockRelease(not held)" => Box::new(move |_| release_wait(lock)),
        "WdfTimerCreate" => Box::new(create_timer),
        "WdfTimerStop(wait)" => Box::new(|world| stop_timer(world)),
        "WdfWorkItemCreate" => Box::new(create_work_item),
        "WdfWorkItemEnqueue" | "WdfWorkItemEnqueue(second)" => Box::new(|world| enqueue(world)),
        _ => return None,
    })
}

fn delete(object: usize) -> Action {
    Box::new(move |_| {
        // SAFETY: an object of the client, or what the framework is to refuse.
        unsafe { call_unsafe_wdf_function_binding!(WdfObjectDelete, handle(object)) };
        Gave::Nothing
    })
}

/// Makes a plain object and names it.
fn make(world: &World, label: &'static str, mut attributes: WDF_OBJECT_ATTRIBUTES) -> NTSTATUS {
    let mut object: WDFOBJECT = core::ptr::null_mut();
    // SAFETY: locals.
    let status = unsafe { call_unsafe_wdf_function_binding!(WdfObjectCreate, &raw mut attributes, &raw mut object) };
    world.handles.objects.borrow_mut().insert(label, object.addr());
    world.name(object.addr(), label);
    status
}

fn create(label: &'static str, attributes: WDF_OBJECT_ATTRIBUTES) -> Action {
    Box::new(move |world| Gave::Status(make(world, label, attributes)))
}

/// The recorded client made a second child, which was not recorded, at the same time.
fn create_grandchild(world: &Rc<World>, child: usize) -> Gave {
    let status = make(world, "grandchild", observed(child));
    let parent = world.handles.objects.borrow().get("parent").copied().unwrap_or(0);
    let _status = make(world, "child2", observed(parent));
    Gave::Status(status)
}

/// The recorded client referenced this object, which was not recorded, and forgot it.
fn create_of_driver(world: &Rc<World>) -> Gave {
    let status = make(world, "child of driver", plain(world.handles.driver.get()));
    let object = world
        .handles
        .objects
        .borrow()
        .get("child of driver")
        .copied()
        .unwrap_or(0);
    let _nothing = reference(object);
    Gave::Status(status)
}

fn reference(object: usize) -> Gave {
    let file = c"record".as_ptr();
    // SAFETY: an object of the client.
    unsafe {
        call_unsafe_wdf_function_binding!(WdfObjectReferenceActual, handle(object), core::ptr::null_mut(), 0, file)
    };
    Gave::Nothing
}

fn dereference(object: usize) -> Gave {
    let file = c"record".as_ptr();
    // SAFETY: an object that the client referenced.
    unsafe {
        call_unsafe_wdf_function_binding!(
            WdfObjectDereferenceActual,
            handle(object),
            core::ptr::null_mut(),
            0,
            file
        )
    };
    Gave::Nothing
}

fn create_spin_lock(world: &Rc<World>) -> Gave {
    let mut lock: WDFSPINLOCK = core::ptr::null_mut();
    // SAFETY: a local.
    let status = unsafe { call_unsafe_wdf_function_binding!(WdfSpinLockCreate, core::ptr::null_mut(), &raw mut lock) };
    world.handles.lock.set(lock.addr());
    Gave::Status(status)
}

fn acquire(lock: usize) -> Gave {
    // SAFETY: the client's lock.
    unsafe { call_unsafe_wdf_function_binding!(WdfSpinLockAcquire, handle(lock)) };
    Gave::Nothing
}

fn release(lock: usize) -> Gave {
    // SAFETY: the client's lock.
    unsafe { call_unsafe_wdf_function_binding!(WdfSpinLockRelease, handle(lock)) };
    Gave::Nothing
}

fn create_wait_lock(world: &Rc<World>) -> Gave {
    let mut lock: WDFWAITLOCK = core::ptr::null_mut();
    // SAFETY: a local.
    let status = unsafe { call_unsafe_wdf_function_binding!(WdfWaitLockCreate, core::ptr::null_mut(), &raw mut lock) };
    world.handles.lock.set(lock.addr());
    Gave::Status(status)
}

fn acquire_wait(lock: usize) -> Gave {
    // SAFETY: the client's lock.
    Gave::Status(unsafe { call_unsafe_wdf_function_binding!(WdfWaitLockAcquire, handle(lock), core::ptr::null_mut()) })
}

fn release_wait(lock: usize) -> Gave {
    // SAFETY: the client's lock.
    unsafe { call_unsafe_wdf_function_binding!(WdfWaitLockRelease, handle(lock)) };
    Gave::Nothing
}

fn create_timer(world: &Rc<World>) -> Gave {
    let mut config = WDF_TIMER_CONFIG {
        Size: size_of::<WDF_TIMER_CONFIG>() as ULONG,
        EvtTimerFunc: Some(timer),
        AutomaticSerialization: 1,
        ..Default::default()
    };
    let mut attributes = observed(world.handles.device.get());
    let mut made: WDFTIMER = core::ptr::null_mut();
    // SAFETY: the client's device, and locals.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(WdfTimerCreate, &raw mut config, &raw mut attributes, &raw mut made)
    };
    world.handles.timer.set(made.addr());
    world.name(made.addr(), "timer");
    Gave::Status(status)
}

/// `WdfTimerStart`, this many milliseconds from now.
pub fn start_timer(world: &World, milliseconds: i64) -> u8 {
    let timer = handle(world.handles.timer.get());
    // SAFETY: the client's timer.
    unsafe { call_unsafe_wdf_function_binding!(WdfTimerStart, timer, -milliseconds * 10_000) }
}

fn stop_timer(world: &World) -> Gave {
    let timer = handle(world.handles.timer.get());
    // SAFETY: the client's timer.
    Gave::Truth(unsafe { call_unsafe_wdf_function_binding!(WdfTimerStop, timer, 1) })
}

fn create_work_item(world: &Rc<World>) -> Gave {
    let mut config = WDF_WORKITEM_CONFIG {
        Size: size_of::<WDF_WORKITEM_CONFIG>() as ULONG,
        EvtWorkItemFunc: Some(work_item),
        AutomaticSerialization: 1,
    };
    let mut attributes = observed(world.handles.device.get());
    let mut made: WDFWORKITEM = core::ptr::null_mut();
    // SAFETY: the client's device, and locals.
    let status = unsafe {
        call_unsafe_wdf_function_binding!(WdfWorkItemCreate, &raw mut config, &raw mut attributes, &raw mut made)
    };
    world.handles.work_item.set(made.addr());
    world.name(made.addr(), "work item");
    Gave::Status(status)
}

fn enqueue(world: &World) -> Gave {
    let item = handle(world.handles.work_item.get());
    // SAFETY: the client's work item.
    unsafe { call_unsafe_wdf_function_binding!(WdfWorkItemEnqueue, item) };
    Gave::Nothing
}
